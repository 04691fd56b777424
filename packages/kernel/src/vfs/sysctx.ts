/** What the file system calls share: lookups with their cleanup, permission questions, error context. */
import { asFsError, FsError, withContext, type ErrorContext } from '../kern/errno.ts';
import type { Cred } from '../kern/cred.ts';
import type { KauthAction } from '../kern/kauth.ts';
import type { Proc } from '../kern/lwproc.ts';
import type { Timespec } from '../kern/time.ts';
import { VnodeFile } from './file.ts';
import { readOnlyError } from './mount.ts';
import { namei, type Namei, type NameiOptions } from './namei.ts';
import type { Stat, UtimeSpec } from './sys.ts';
import type { SetAttr, Vattr } from './vattr.ts';
import { FileFlag } from './vattr.ts';
import type { Vfs } from './vfs.ts';
import { ACCESS } from './vnodeops.ts';
import { vref, vrele, type Vnode } from './vnode.ts';

const S_ISUID = 0o4000;
const S_ISGID = 0o2000;
const IMMUTABLE = FileFlag.UF_IMMUTABLE | FileFlag.SF_IMMUTABLE;
const APPEND_ONLY = FileFlag.UF_APPEND | FileFlag.SF_APPEND;

export class SysContext {
  readonly vfs: Vfs;

  constructor(vfs: Vfs) {
    this.vfs = vfs;
  }

  get proc(): Proc {
    return this.vfs.k.lwproc.curproc;
  }

  get cred(): Cred {
    return this.proc.cred;
  }

  /** Run a call's body; whatever it throws leaves as FsError that names the call and its path. */
  call<T>(op: string, path: string | undefined, body: () => T): T {
    try {
      return body();
    } catch (e) {
      // Our own bugs are not the image's errors: they keep their type and their stack.
      if (e instanceof Error && e.name === 'AssertionError') throw e;
      const context: ErrorContext = path === undefined ? { op } : { op, path };
      throw withContext(asFsError(e), context);
    }
  }

  /** Look a path up, hand the result to `use`, let go of it. */
  walk<T>(path: string, options: NameiOptions, use: (nd: Namei) => T): T {
    const nd = namei(this.vfs.nameiContext(), path, options);
    try {
      return use(nd);
    } finally {
      this.done(nd);
    }
  }

  /** As walk, for one name in a directory that is held. EINVAL when it is more than a name. */
  walkAt<T>(dvp: Vnode, name: string, options: NameiOptions, use: (nd: Namei) => T): T {
    if (name.includes('/')) throw new FsError('EINVAL');
    const nd = namei({ ...this.vfs.nameiContext(), cdir: dvp }, name, options);
    try {
      return use(nd);
    } finally {
      this.done(nd);
    }
  }

  /** As walk, for calls that need the file to exist: ENOENT. */
  file<T>(path: string, follow: boolean, use: (vp: Vnode) => T): T {
    return this.walk(path, { follow }, ({ vp }) => {
      if (vp === undefined) throw new FsError('ENOENT');
      return use(vp);
    });
  }

  done(nd: Namei): void {
    try {
      if (nd.vp !== undefined) this.vfs.vput(nd.vp);
    } finally {
      this.vfs.vput(nd.dvp);
    }
  }

  /**
   * The bracket of a call that takes a name from nd.vp. The reference goes within it: the last one frees the file, and when
   * that fails the name must be there again.
   */
  removing(nd: Namei, body: () => void): void {
    this.vfs.modify(nd.dvp.mount, () => {
      body();
      const { vp } = nd;
      nd.vp = undefined;
      if (vp !== undefined) vrele(vp);
    });
  }

  fd(fd: number): VnodeFile {
    const file = this.proc.fds.get(fd);
    if (!(file instanceof VnodeFile)) throw new FsError('EBADF');
    return file;
  }

  /** A new descriptor on a vnode; takes its own reference. */
  openFile(vp: Vnode, mode: { readable: boolean; writable: boolean; append: boolean }): number {
    vp.ops.open(vp, mode.writable);
    vref(vp);
    if (mode.writable) vp.writecount++;
    const file = new VnodeFile(vp, mode, (f) => this.#closeFile(f));
    try {
      return this.proc.fds.add(file);
    } catch (e) {
      file.close();
      throw e;
    }
  }

  #closeFile({ vp, writable }: VnodeFile): void {
    if (writable) vp.writecount--;
    this.vfs.locks.drop(vp, this.proc.pid);
    vp.ops.close(vp, writable);
    this.vfs.vput(vp);
  }

  // questions

  authorize(request: KauthAction): void {
    this.vfs.k.kauth.authorize(this.cred, request);
  }

  access(vp: Vnode, want: number): void {
    if ((want & ACCESS.WRITE) !== 0) this.writable(vp);
    vp.ops.access(vp, want, this.cred);
  }

  /** EROFS unless the mount can be changed; device, fifo and socket contents do not belong to the mount. */
  writable(vp: Vnode): void {
    if (vp.mount.readOnly && (vp.type === 'reg' || vp.type === 'dir' || vp.type === 'lnk'))
      throw readOnlyError(vp.mount.readOnlyReasons);
  }

  /** May entries of the directory change? EROFS, ENOENT it was removed (somebody's current directory), EACCES, EPERM; its attributes. */
  mayChangeDirectory(dvp: Vnode): Vattr {
    if (dvp.mount.readOnly) throw readOnlyError(dvp.mount.readOnlyReasons);
    const attr = dvp.ops.getattr(dvp);
    if (attr.nlink === 0) throw new FsError('ENOENT');
    dvp.ops.access(dvp, ACCESS.WRITE, this.cred);
    return attr;
  }

  /** May the entry for vp leave dvp? The directory's permission, the sticky bit, immutable files. */
  mayRemove(dvp: Vnode, vp: Vnode): void {
    const dattr = this.mayChangeDirectory(dvp);
    const attr = vp.ops.getattr(vp);
    if ((dattr.flags & APPEND_ONLY) !== 0 || (attr.flags & (IMMUTABLE | APPEND_ONLY)) !== 0) throw new FsError('EPERM');
    if ((dattr.mode & 0o1000) !== 0) this.authorize({ action: 'sticky', directoryOwner: dattr.uid, owner: attr.uid });
  }

  /** EROFS, EPERM; the attributes as they are. */
  mayChangeAttributes(vp: Vnode): Vattr {
    if (vp.mount.readOnly) throw readOnlyError(vp.mount.readOnlyReasons);
    const attr = vp.ops.getattr(vp);
    if ((attr.flags & (IMMUTABLE | APPEND_ONLY)) !== 0) throw new FsError('EPERM');
    return attr;
  }

  /** Member by member: a listing asks this of every file, and a spread costs ten times as much. */
  stat(vp: Vnode): Stat {
    const attr = vp.ops.getattr(vp);
    return {
      type: attr.type,
      mode: attr.mode,
      nlink: attr.nlink,
      uid: attr.uid,
      gid: attr.gid,
      ino: attr.ino,
      size: attr.size,
      bytes: attr.bytes,
      blockSize: attr.blockSize,
      atime: attr.atime,
      mtime: attr.mtime,
      ctime: attr.ctime,
      birthtime: attr.birthtime,
      gen: attr.gen,
      flags: attr.flags,
      rdev: attr.rdev,
      dev: vp.mount.id,
    };
  }

  // attribute changes, by descriptor and by path

  setattr(vp: Vnode, attr: SetAttr): void {
    this.vfs.modify(vp.mount, () => vp.ops.setattr(vp, attr));
  }

  chmod(vp: Vnode, mode: number): void {
    const attr = this.mayChangeAttributes(vp);
    this.authorize({ action: 'chmod', owner: attr.uid });
    const { cred } = this;
    let bits = mode & 0o7777;
    if (cred.uid !== 0) {
      if ((bits & 0o1000) !== 0 && vp.type !== 'dir') throw new FsError('EFTYPE');
      if ((bits & S_ISGID) !== 0 && cred.gid !== attr.gid && !cred.groups.includes(attr.gid)) bits &= ~S_ISGID;
    }
    this.setattr(vp, { mode: bits });
  }

  chown(vp: Vnode, uid: number, gid: number): void {
    const attr = this.mayChangeAttributes(vp);
    const owner = { uid: uid === -1 ? attr.uid : uid, gid: gid === -1 ? attr.gid : gid };
    this.authorize({ action: 'chown', owner: attr.uid, ...owner });
    // A new owner must not inherit set-id powers, unless root is asking.
    const mode = this.cred.uid === 0 ? attr.mode : attr.mode & ~(S_ISUID | S_ISGID);
    this.setattr(vp, { ...owner, ...(mode === attr.mode ? {} : { mode }) });
  }

  utimens(vp: Vnode, atime: UtimeSpec, mtime: UtimeSpec): void {
    const { uid } = this.mayChangeAttributes(vp);
    try {
      this.authorize({ action: 'utimes', owner: uid });
    } catch (e) {
      // Who may write may also say "now" (POSIX utimensat); the refusal is EACCES then.
      if (atime !== 'now' || mtime !== 'now') throw e;
      vp.ops.access(vp, ACCESS.WRITE, this.cred);
    }
    const a = this.#time(atime);
    const m = this.#time(mtime);
    if (a !== undefined && m !== undefined) this.setattr(vp, { atime: a, mtime: m });
    else this.setattr(vp, { ...(a && { atime: a }), ...(m && { mtime: m }) });
  }

  #time(spec: UtimeSpec): Timespec | undefined {
    if (spec === 'omit') return undefined;
    return spec === 'now' ? this.vfs.k.now() : checkTime(spec);
  }

  chflags(vp: Vnode, flags: number): void {
    if (vp.mount.readOnly) throw readOnlyError(vp.mount.readOnlyReasons);
    const attr: Vattr = vp.ops.getattr(vp);
    this.authorize({ action: 'chflags', owner: attr.uid });
    if ((flags & ~vp.mount.type.traits.flags) !== 0) throw new FsError('EOPNOTSUPP');
    this.setattr(vp, { flags });
  }

  truncate(vp: Vnode, size: number): void {
    if (vp.type === 'dir') throw new FsError('EISDIR');
    if (!Number.isSafeInteger(size) || size < 0) throw new FsError('EINVAL');
    const { flags, mode } = vp.ops.getattr(vp);
    if ((flags & APPEND_ONLY) !== 0) throw new FsError('EPERM');
    const plain = this.cred.uid === 0 ? mode : mode & ~(S_ISUID | S_ISGID);
    this.setattr(vp, { size, ...(plain === mode ? {} : { mode: plain }) });
  }

  /** An append-only file is written at its end alone. EPERM. */
  mayWriteAt(vp: Vnode, offset: number): void {
    const { flags, size } = vp.ops.getattr(vp);
    if ((flags & APPEND_ONLY) !== 0 && offset !== size) throw new FsError('EPERM');
  }

  /** Clear set-id bits after someone other than root wrote (POSIX write(2)). */
  dropSetid(vp: Vnode): void {
    if (this.cred.uid === 0) return;
    const { mode } = vp.ops.getattr(vp);
    if ((mode & (S_ISUID | S_ISGID)) !== 0) vp.ops.setattr(vp, { mode: mode & ~(S_ISUID | S_ISGID) });
  }
}

function checkTime(time: Timespec): Timespec {
  if (!Number.isSafeInteger(time.sec) || !Number.isInteger(time.nsec) || time.nsec < 0 || time.nsec > 999_999_999) {
    throw new FsError('EINVAL', { what: 'time out of range' });
  }
  return time;
}
