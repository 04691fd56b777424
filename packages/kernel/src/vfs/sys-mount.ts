/** System calls on processes and mounts. Contracts: vfs/sys.ts. */
import { FsError } from '../kern/errno.ts';
import { DEVSW } from '../dev/devsw.ts';
import { MNT, O, type VfsSyscalls } from './sys.ts';
import type { SysContext } from './sysctx.ts';
import { ACCESS } from './vnodeops.ts';
import type { Mount } from './mount.ts';
import type { Statvfs } from './vfsops.ts';
import { vref, vrele, type Vnode } from './vnode.ts';

type MountCalls = Pick<
  VfsSyscalls,
  | 'fchdir'
  | 'chdir'
  | 'chroot'
  | 'getcwd'
  | 'umask'
  | 'setcred'
  | 'mount'
  | 'unmount'
  | 'statvfs'
  | 'fstatvfs'
  | 'getvfsstat'
  | 'fsinfo'
  | 'sync'
  | 'getfh'
  | 'fhopen'
>;

/** Bytes of a file handle that name the mount. */
const FSID_BYTES = 4;
/** Directories above which getcwd gives up: no sane tree is deeper, a damaged one may loop. */
const MAX_DEPTH = 65536;

export function mountCalls(sys: SysContext): MountCalls {
  const { vfs } = sys;
  const { k } = vfs;

  const setDirectory = (which: 'cdir' | 'rdir', vp: Vnode): void => {
    if (vp.type !== 'dir') throw new FsError('ENOTDIR');
    sys.access(vp, ACCESS.EXEC);
    const cwdi = vfs.cwdi(sys.proc);
    const old = cwdi[which];
    cwdi[which] = vref(vp);
    vfs.vput(old);
  };
  const mountAt = (path: string): Mount =>
    sys.file(path, true, (vp) => {
      if (!vp.isRoot) throw new FsError('EINVAL', { what: 'not a mount point' });
      return vp.mount;
    });
  /** The same when the root of what is mounted cannot be read any more: a damaged image must still come off. */
  const mountOn = (path: string): Mount => {
    try {
      return mountAt(path);
    } catch (e) {
      const mp = vfs.mounts.find(({ on }) => on === path);
      if (mp === undefined) throw e;
      return mp;
    }
  };
  const statvfs = (mp: Mount): Statvfs => mp.type.statvfs(mp);

  return {
    chdir: (path) => sys.call('chdir', path, () => sys.file(path, true, (vp) => setDirectory('cdir', vp))),
    fchdir: (fd) => sys.call('fchdir', undefined, () => setDirectory('cdir', sys.fd(fd).vp)),
    chroot: (path) =>
      sys.call('chroot', path, () => {
        sys.authorize({ action: 'chroot' });
        sys.file(path, true, (vp) => {
          setDirectory('rdir', vp);
          setDirectory('cdir', vp);
        });
      }),
    getcwd: () => sys.call('getcwd', undefined, () => getcwd(sys)),
    umask(mask) {
      const old = sys.proc.umask;
      sys.proc.umask = mask & 0o777;
      return old;
    },
    setcred: (cred) =>
      sys.call('setcred', undefined, () => {
        sys.authorize({ action: 'setcred' });
        sys.proc.cred = { uid: cred.uid, gid: cred.gid, groups: [...cred.groups] };
      }),

    mount: (typeName, path, { from = typeName, flags = 0, options = {} }) =>
      sys.call('mount', path, () => {
        sys.authorize({ action: 'mount' });
        if ((flags & MNT.UPDATE) !== 0) return update(mountAt(path), (flags & MNT.RDONLY) !== 0);
        const type = vfs.type(typeName);
        sys.file(path, true, (covered) => {
          if (covered.type !== 'dir') throw new FsError('ENOTDIR');
          if (covered.isRoot && covered.mount.covered !== undefined) throw new FsError('EBUSY');
          const readOnly = (flags & MNT.RDONLY) !== 0;
          const disk = type.traits.needsDevice ? blockDevice(from) : {};
          const on = path.startsWith('/') ? path.replace(/\/+$/, '') || '/' : `${getcwd(sys)}/${path}`;
          vfs.mount(type, covered, on, { ...disk, readOnly, options, from });
          // The mount keeps the directory it covers in core.
          vref(covered);
        });
      }),
    unmount: (path, flags = 0) =>
      sys.call('unmount', path, () => {
        sys.authorize({ action: 'unmount' });
        const force = (flags & MNT.FORCE) !== 0;
        vfs.unmount(force ? mountOn(path) : mountAt(path), { force });
      }),
    statvfs: (path) => sys.call('statvfs', path, () => sys.file(path, true, (vp) => statvfs(vp.mount))),
    fstatvfs: (fd) => sys.call('fstatvfs', undefined, () => statvfs(sys.fd(fd).vp.mount)),
    getvfsstat: () => sys.call('getvfsstat', undefined, () => vfs.mounts.map(statvfs)),
    fsinfo: (path) =>
      sys.call('fsinfo', path, () =>
        sys.file(path, true, ({ mount }) => {
          if (mount.type.info === undefined) throw new FsError('EOPNOTSUPP');
          return mount.type.info(mount);
        }),
      ),
    sync: () =>
      sys.call('sync', undefined, () => {
        for (const mp of vfs.mounts) if (!mp.readOnly) vfs.syncMount(mp);
      }),

    getfh: (path) =>
      sys.call('getfh', path, () => {
        sys.authorize({ action: 'filehandle' });
        return sys.file(path, true, (vp) => {
          if (vp.mount.type.vptofh === undefined) throw new FsError('EOPNOTSUPP');
          const fid = vp.mount.type.vptofh(vp);
          const handle = new Uint8Array(FSID_BYTES + fid.length);
          handle.set([vp.mount.id & 255, (vp.mount.id >> 8) & 255, (vp.mount.id >> 16) & 255, 0]);
          handle.set(fid, FSID_BYTES);
          return handle;
        });
      }),
    fhopen: (handle, flags) =>
      sys.call('fhopen', undefined, () => {
        sys.authorize({ action: 'filehandle' });
        if (handle.length < FSID_BYTES) throw new FsError('EINVAL');
        const [a = 0, b = 0, c = 0, zero] = handle;
        const mp = vfs.mounts.find((m) => m.id === (a | (b << 8) | (c << 16)));
        if (mp?.type.fhtovp === undefined || zero !== 0) throw new FsError('ESTALE');
        const vp = mp.type.fhtovp(mp, handle.slice(FSID_BYTES));
        try {
          const how = flags & O.ACCMODE;
          if (vp.type === 'dir' && how !== O.RDONLY) throw new FsError('EISDIR');
          const writable = how !== O.RDONLY;
          if (writable) sys.access(vp, ACCESS.WRITE);
          return sys.openFile(vp, { readable: how !== O.WRONLY, writable, append: (flags & O.APPEND) !== 0 });
        } finally {
          vfs.vput(vp);
        }
      }),
  };

  /** The block device a path names. ENOTBLK, ENXIO. */
  function blockDevice(from: string) {
    return sys.file(from, true, (vp) => {
      if (vp.type !== 'blk' || vp.rdev === undefined) throw new FsError('ENOTBLK');
      if (vp.mount !== vfs.rootvnode.mount) throw new FsError('ENXIO', { what: 'a device node of an image' });
      const opened = k.service(DEVSW).block(vp.rdev.major).open(vp.rdev.minor);
      if (vfs.mounts.some((mp) => mp.from === from && mp.type.traits.needsDevice)) throw new FsError('EBUSY');
      return opened;
    });
  }

  /** mount -u: between read-write and read-only. EBUSY while files are open for writing or unlinked but open. */
  function update(mp: Mount, readOnly: boolean): void {
    if (readOnly === mp.readOnly) return;
    if (readOnly) {
      for (const vp of mp.vnodes.values()) {
        if (vp.writecount > 0 || (vp.usecount > 0 && vp.ops.getattr(vp).nlink === 0)) throw new FsError('EBUSY');
      }
      vfs.syncMount(mp);
    }
    mp.type.update?.(mp, { readOnly });
    mp.readOnly = readOnly;
  }
}

/** The path of the current directory below the process's root. ENOENT when it was removed. */
function getcwd(sys: SysContext): string {
  const { rdir, cdir } = sys.vfs.cwdi(sys.proc);
  const names: string[] = [];
  let at = vref(cdir);
  try {
    for (let depth = 0; at !== rdir; depth++) {
      if (depth === MAX_DEPTH) throw new FsError('ELOOP');
      if (at.isRoot) {
        const { covered } = at.mount;
        if (covered === undefined) break;
        vrele(at);
        at = vref(covered);
        continue;
      }
      const up = at.ops.lookup(at, '..');
      if (up === undefined) throw new FsError('ENOENT');
      const name = nameOf(up.vp, at.ino);
      vrele(at);
      at = up.vp;
      if (name === undefined) throw new FsError('ENOENT');
      names.unshift(name);
    }
    return `/${names.join('/')}`;
  } finally {
    vrele(at);
  }
}

function nameOf(dvp: Vnode, ino: number): string | undefined {
  for (let cookie = 0; ;) {
    const entries = dvp.ops.readdir(dvp, cookie, 512);
    const found = entries.find((e) => e.ino === ino && e.name !== '.' && e.name !== '..');
    if (found !== undefined) return found.name;
    const last = entries.at(-1);
    if (last === undefined) return undefined;
    cookie = last.next;
  }
}
