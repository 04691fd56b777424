/**
 * rumpfs: the root of the kernel's name space, in memory. It holds /dev, mount points and what etfs shows of the host;
 * it is not meant for data (mount tmpfs for that), so link and rename are EOPNOTSUPP as in the original.
 *
 * etfs keys are consumed whole at the root directory, before its own entries; they are not listed by readdir.
 * Source: rump_etfs(3), NetBSD sys/rump/librump/rumpvfs/rumpfs.c by behaviour.
 */
import type { Devsw } from '../dev/devsw.ts';
import { FsError } from '../kern/errno.ts';
import { nameByteLength } from '../kern/name.ts';
import { genfs } from './genfs.ts';
import { hostFile, RumpNodes, touch } from './rumpnode.ts';
import type { EtfsNames, RumpNode } from './rumpnode.ts';
import { specOps } from './specfs.ts';
import type { FileSystemType, FsTraits } from './vfsops.ts';
import { vget, type Vnode } from './vnode.ts';
import type { VnodeOps } from './vnodeops.ts';

/** Size that directories report (DEV_BSIZE). */
const DIR_SIZE = 512;
const LINK_MAX = 32767;
const SYMLINK_MAX = 1024;

const traits: FsTraits = {
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
};

/** The type, wired to one kernel's devices and host files. */
export function rumpfs(devsw: Devsw, etfs: EtfsNames): FileSystemType {
  const nodes: RumpNodes = new RumpNodes(({ type }) => (type === 'chr' || type === 'blk' ? device : plain));
  const plain = nodeOps(nodes);
  const device: VnodeOps<RumpNode> = { ...plain, ...specOps(devsw) };
  return {
    name: 'rumpfs',
    aliases: [],
    traits,
    uncached: true,
    options: {},
    mount(mp) {
      nodes.makeRoot(mp);
    },
    unmount() {},
    root: (mp) => vget(mp, nodes.root.ino),
    lookupKey(mp, path) {
      const hit = etfs.match(path);
      if (hit === undefined) return undefined;
      const node = nodes.show(mp, hit.key, hit.entry, nodes.root);
      return { vp: vget(mp, node.ino), length: hit.key.length };
    },
    loadVnode: (mp, ino) => nodes.vnodeOf(mp, ino),
    reload() {},
    sync() {},
    statvfs: (mp) => ({
      fstypename: 'rumpfs',
      blockSize: 512,
      fragmentSize: 512,
      blocks: 0,
      freeBlocks: 0,
      availBlocks: 0,
      files: nodes.count,
      freeFiles: 0,
      nameMax: 255,
      readOnly: mp.readOnly,
      mountedOn: mp.on,
      mountedFrom: mp.from,
    }),
  };
}

/** What can be done with what is no device. */
const nodeOps = (nodes: RumpNodes): VnodeOps<RumpNode> => ({
  ...genfs,
  lookup(dvp, name) {
    const node = nodes.find(dvp, name);
    return node === undefined ? undefined : { vp: vget(dvp.mount, node.ino) as Vnode<RumpNode>, slot: undefined };
  },
  create: (dvp, name, attr) => nodes.add(dvp, name, attr),
  mknod: (dvp, name, attr) => nodes.add(dvp, name, attr),
  mkdir: (dvp, name, attr) => nodes.add(dvp, name, attr),
  symlink(dvp, name, attr, target) {
    if (nameByteLength(target) > SYMLINK_MAX) throw new FsError('ENAMETOOLONG');
    return nodes.add(dvp, name, attr, { target });
  },
  remove: (dvp, vp, name) => nodes.unlink(dvp, vp, name),
  rmdir(dvp, vp, name) {
    if (vp.data.entries.size > 0) throw new FsError('ENOTEMPTY');
    nodes.unlink(dvp, vp, name);
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
    if (data.nlink === 0) nodes.forget(data);
  },
  seek({ data }, offset, what) {
    const size = hostFile(data)?.size() ?? data.data.length;
    return offset >= size ? undefined : what === 'data' ? offset : size;
  },
});

function resize(node: RumpNode, size: number): void {
  const host = node.etfs?.file?.();
  if (host !== undefined) host.truncate(size);
  else {
    const grown = new Uint8Array(size);
    grown.set(node.data.subarray(0, size));
    node.data = grown;
  }
}
