/**
 * rumpfs: the root of the kernel's name space, in memory. It holds /dev, mount points and what etfs shows of the host;
 * it is not meant for data (mount tmpfs for that), so link and rename are EOPNOTSUPP as in the original.
 *
 * etfs keys are consumed whole at the root directory, before its own entries; they are not listed by readdir.
 * Source: rump_etfs(3), NetBSD sys/rump/librump/rumpvfs/rumpfs.c by behaviour.
 */
import type { Devsw } from '../dev/devsw.ts';
import { FsError } from '../kern/errno.ts';
import type { Ino } from '../kern/ids.ts';
import { nameByteLength } from '../kern/name.ts';
import type { Timespec } from '../kern/time.ts';
import { genfs } from './genfs.ts';
import type { Mount } from './mount.ts';
import { specOps } from './specfs.ts';
import type { NewFile, Rdev, VType } from './vattr.ts';
import type { FileSystemType } from './vfsops.ts';
import { vcache, vget, Vnode } from './vnode.ts';
import type { VnodeOps } from './vnodeops.ts';

/** A host file behind a node: what etfs opens. Positions are bytes in the registered window. */
interface HostNode {
  size(): number;
  read(dst: Uint8Array, offset: number): number;
  write(src: Uint8Array, offset: number): number;
  truncate(size: number): void;
}

/** What etfs answers for a name in rumpfs's root or in a host directory it shows. */
interface EtfsEntry {
  readonly type: VType;
  readonly rdev?: Rdev;
  readonly file?: () => HostNode;
  readonly children?: { lookup(name: string): EtfsEntry | undefined; names(): string[] };
}

export interface EtfsNames {
  /** The registered key that `path` (without leading slashes) is, or lies below of. */
  match(path: string): { readonly key: string; readonly entry: EtfsEntry } | undefined;
}

interface RumpNode {
  readonly ino: Ino;
  readonly type: VType;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** Contents of a regular file. */
  data: Uint8Array;
  readonly entries: Map<string, RumpNode>;
  parent: RumpNode | undefined;
  readonly target: string;
  readonly rdev: Rdev | undefined;
  readonly etfs: EtfsEntry | undefined;
}

/** Size that directories report (DEV_BSIZE). */
const DIR_SIZE = 512;
const LINK_MAX = 32767;
const SYMLINK_MAX = 1024;

/** The type, wired to one kernel's devices and host files. */
export function rumpfs(devsw: Devsw, etfs: EtfsNames): FileSystemType {
  /** etfs keys seen so far keep their node, so that a key has one inode number. */
  const shown = new Map<string, RumpNode>();
  let nextIno = 2;
  let rootNode: RumpNode;

  const newNode = (mp: Mount, attr: NewFile, parent: RumpNode | undefined, more?: Partial<RumpNode>): RumpNode => {
    const now = mp.now();
    return {
      ino: nextIno++,
      type: attr.type,
      mode: attr.mode,
      uid: attr.uid,
      gid: attr.gid,
      nlink: attr.type === 'dir' ? 2 : 1,
      atime: now,
      mtime: now,
      ctime: now,
      data: new Uint8Array(0),
      entries: new Map(),
      parent,
      target: '',
      rdev: attr.rdev,
      etfs: undefined,
      ...more,
    };
  };
  const nodes = new Map<Ino, RumpNode>();
  const spec = specOps(devsw);
  const toVnode = (mp: Mount, node: RumpNode): Vnode<RumpNode> => {
    const ops = node.type === 'chr' || node.type === 'blk' ? deviceOps : nodeOps;
    return new Vnode({
      mount: mp,
      type: node.type,
      ino: node.ino,
      data: node,
      ops,
      isRoot: node === rootNode,
      rdev: node.rdev,
    });
  };
  const hostFile = (node: RumpNode): HostNode | undefined => node.etfs?.file?.();

  const show = (mp: Mount, key: string, entry: EtfsEntry, parent: RumpNode): RumpNode => {
    const known = shown.get(key);
    if (known !== undefined && known.etfs === entry) return known;
    const attr: NewFile = {
      type: entry.type,
      mode: 0o755,
      uid: 0,
      gid: 0,
      ...(entry.rdev ? { rdev: entry.rdev } : {}),
    };
    const node = newNode(mp, attr, parent, { etfs: entry });
    nodes.set(node.ino, node);
    shown.set(key, node);
    return node;
  };
  const add = (dvp: Vnode<RumpNode>, name: string, attr: NewFile, more?: Partial<RumpNode>): Vnode<RumpNode> => {
    if (dvp.data.etfs !== undefined) throw new FsError('EROFS');
    // Somebody's current directory that was removed takes nothing more.
    if (dvp.data.nlink === 0) throw new FsError('ENOENT');
    const node = newNode(dvp.mount, attr, dvp.data, more);
    nodes.set(node.ino, node);
    dvp.data.entries.set(name, node);
    if (attr.type === 'dir') dvp.data.nlink++;
    touch(dvp);
    const vp = toVnode(dvp.mount, node);
    vcache(vp);
    return vp;
  };
  const touch = ({ data, mount }: Vnode<RumpNode>): void => {
    data.mtime = data.ctime = mount.now();
  };
  const find = (dvp: Vnode<RumpNode>, name: string): RumpNode | undefined => {
    const node = dvp.data;
    if (name === '..') return node.nlink === 0 ? undefined : (node.parent ?? node);
    if (node.etfs !== undefined) {
      const entry = node.etfs.children?.lookup(name);
      return entry === undefined ? undefined : show(dvp.mount, `${node.ino}/${name}`, entry, node);
    }
    return node.entries.get(name);
  };
  const unlink = (dvp: Vnode<RumpNode>, vp: Vnode<RumpNode>, name: string): void => {
    if (!dvp.data.entries.delete(name)) throw new FsError('EBUSY', { what: 'registered by etfs' });
    vp.data.nlink = 0;
    touch(dvp);
  };

  const nodeOps: VnodeOps<RumpNode> = {
    ...genfs,
    lookup(dvp, name) {
      const node = find(dvp, name);
      return node === undefined ? undefined : { vp: vget(dvp.mount, node.ino) as Vnode<RumpNode>, slot: undefined };
    },
    create: (dvp, name, attr) => add(dvp, name, attr),
    mknod: (dvp, name, attr) => add(dvp, name, attr),
    mkdir: (dvp, name, attr) => add(dvp, name, attr),
    symlink(dvp, name, attr, target) {
      if (nameByteLength(target) > SYMLINK_MAX) throw new FsError('ENAMETOOLONG');
      return add(dvp, name, attr, { target });
    },
    remove: unlink,
    rmdir(dvp, vp, name) {
      if (vp.data.entries.size > 0) throw new FsError('ENOTEMPTY');
      unlink(dvp, vp, name);
      dvp.data.nlink--;
    },
    getattr({ data, mount }) {
      const size =
        data.type === 'dir'
          ? DIR_SIZE
          : data.type === 'lnk'
            ? data.target.length
            : (hostFile(data)?.size() ?? data.data.length);
      const { type, mode, nlink, uid, gid, ino, atime, mtime, ctime, rdev } = data;
      const { blockSize } = mount;
      return {
        type,
        mode,
        nlink,
        uid,
        gid,
        ino,
        size,
        bytes: size,
        blockSize,
        atime,
        mtime,
        ctime,
        birthtime: undefined,
        gen: 0,
        flags: 0,
        rdev,
      };
    },
    setattr({ data, mount }, attr) {
      if (attr.flags !== undefined || attr.birthtime !== undefined) throw new FsError('EOPNOTSUPP');
      if (attr.size !== undefined) resize(data, attr.size);
      const now = mount.now();
      const mtime = attr.mtime ?? (attr.size === undefined ? data.mtime : now);
      const { mode = data.mode, uid = data.uid, gid = data.gid, atime = data.atime, ctime = now } = attr;
      Object.assign(data, { mode, uid, gid, atime, mtime, ctime });
    },
    read({ data }, dst, offset) {
      const host = hostFile(data);
      if (host !== undefined) return host.read(dst, offset);
      const piece = data.data.subarray(offset, offset + dst.length);
      dst.set(piece);
      return piece.length;
    },
    write(vp, src, offset) {
      const { data } = vp;
      touch(vp);
      const host = hostFile(data);
      if (host !== undefined) return host.write(src, offset);
      if (offset + src.length > data.data.length) resize(data, offset + src.length);
      data.data.set(src, offset);
      return src.length;
    },
    readdir({ data }, cookie, max) {
      // An entry's cookie is its inode number and one: never given again, and ascending as the entries are, so that what
      // is removed meanwhile makes nobody skip. Host names have none of ours and are counted.
      const host = data.etfs?.children?.names().map((name, i) => ({ name, ino: 0, type: undefined, next: i + 3 }));
      const own = [...data.entries].map(([name, { ino, type }]) => ({ name, ino, type, next: ino + 1 }));
      const all = [
        { name: '.', ino: data.ino, type: data.type, next: 1 },
        { name: '..', ino: (data.parent ?? data).ino, type: 'dir' as const, next: 2 },
        ...(host ?? own),
      ];
      const start = all.findIndex((entry) => entry.next > cookie);
      return start < 0 || data.nlink === 0 ? [] : all.slice(start, start + max);
    },
    readlink: ({ data }) => data.target,
    inactive: ({ data }) => data.nlink === 0 && data.etfs === undefined,
    reclaim({ data }) {
      if (data.nlink === 0) nodes.delete(data.ino);
    },
    seek({ data }, offset, what) {
      const size = hostFile(data)?.size() ?? data.data.length;
      return offset >= size ? undefined : what === 'data' ? offset : size;
    },
  };
  const deviceOps: VnodeOps<RumpNode> = { ...nodeOps, ...spec };

  return {
    name: 'rumpfs',
    aliases: [],
    traits: {
      write: true,
      hardLinks: false,
      symlinks: true,
      devices: true,
      sparse: false,
      caseSensitive: true,
      xattr: false,
      flags: 0,
      owners: true,
      timeGranularityNs: 1,
      nameMaxBytes: 255,
      symlinkMaxBytes: SYMLINK_MAX,
      linkMax: LINK_MAX,
      unlinkOpen: true,
      needsDevice: false,
    },
    uncached: true,
    options: {},
    mount(mp) {
      rootNode = newNode(mp, { type: 'dir', mode: 0o755, uid: 0, gid: 0 }, undefined);
      nodes.set(rootNode.ino, rootNode);
    },
    unmount() {},
    root: (mp) => vget(mp, rootNode.ino),
    lookupKey(mp, path) {
      const hit = etfs.match(path);
      if (hit === undefined) return undefined;
      const node = show(mp, hit.key, hit.entry, rootNode);
      return { vp: vget(mp, node.ino), length: hit.key.length };
    },
    loadVnode(mp, ino) {
      const node = nodes.get(ino);
      if (node === undefined) throw new FsError('ESTALE');
      return toVnode(mp, node);
    },
    reload() {},
    sync() {},
    statvfs: (mp) => ({
      fstypename: 'rumpfs',
      blockSize: 512,
      fragmentSize: 512,
      blocks: 0,
      freeBlocks: 0,
      availBlocks: 0,
      files: nodes.size,
      freeFiles: 0,
      nameMax: 255,
      readOnly: mp.readOnly,
      mountedOn: mp.on,
      mountedFrom: mp.from,
    }),
  };
}

function resize(node: RumpNode, size: number): void {
  const host = node.etfs?.file?.();
  if (host !== undefined) host.truncate(size);
  else {
    const grown = new Uint8Array(size);
    grown.set(node.data.subarray(0, size));
    node.data = grown;
  }
}
