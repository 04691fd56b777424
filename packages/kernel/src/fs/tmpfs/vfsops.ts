/** Mounting a tmpfs: an empty root directory within limits; and what the mount tells about itself. */
import { FsError } from '../../kern/errno.ts';
import { NAME_MAX, PATH_MAX } from '../../kern/limits.ts';
import type { Mount } from '../../vfs/mount.ts';
import { FileFlag } from '../../vfs/vattr.ts';
import type { FileSystemType, FsTraits } from '../../vfs/vfsops.ts';
import type { Vnode } from '../../vfs/vnode.ts';
import { CHUNK } from './data.ts';
import { Handle } from './format.ts';
import { makeVnode, newFs, newNode, ROOT_INO, vnodeOf, type TmpFs, type TmpNode } from './inode.ts';
import { parseOptions } from './options.ts';
import { LINK_MAX, tmpfsVnops } from './vnops.ts';

export const tmpfsTraits: FsTraits = {
  write: true,
  hardLinks: true,
  symlinks: true,
  devices: true,
  sparse: true,
  caseSensitive: true,
  xattr: true,
  flags: Object.values(FileFlag).reduce((mask, flag) => mask | flag, 0),
  owners: true,
  timeGranularityNs: 1,
  nameMaxBytes: NAME_MAX,
  symlinkMaxBytes: PATH_MAX - 1,
  linkMax: LINK_MAX,
  unlinkOpen: true,
  needsDevice: false,
};

function node(mp: Mount<TmpFs>, ino: number) {
  const found = mp.data.nodes.get(ino);
  if (found === undefined) throw new FsError('ESTALE', { ino });
  return found;
}

export const tmpfsVfsops: Omit<FileSystemType, 'name' | 'aliases' | 'traits' | 'options'> = {
  mount(mp: Mount<TmpFs>) {
    const args = parseOptions(mp.options);
    const fs = newFs(mp, tmpfsVnops, args);
    const { mode, uid, gid } = args;
    const root = newNode(fs, { type: 'dir', mode, uid, gid });
    root.nlink = 2;
    if (root.dir !== undefined) root.dir.parent = root;
    mp.data = fs;
    mp.blockSize = CHUNK;
  },

  unmount() {},

  root: (mp: Mount<TmpFs>) => vnodeOf(node(mp, ROOT_INO)),

  loadVnode: (mp: Mount<TmpFs>, ino) => makeVnode(node(mp, ino)),

  // Nothing mirrors a disk and nothing is rolled back.
  reload() {},
  sync() {},

  statvfs(mp: Mount<TmpFs>) {
    const { space, files } = mp.data;
    const free = Math.floor(space.free / CHUNK);
    return {
      fstypename: 'tmpfs',
      blockSize: CHUNK,
      fragmentSize: CHUNK,
      blocks: Math.floor(space.limit / CHUNK),
      freeBlocks: free,
      availBlocks: free,
      files: files.limit,
      freeFiles: files.free,
      nameMax: NAME_MAX,
      readOnly: mp.readOnly,
      mountedOn: mp.on,
      mountedFrom: mp.from,
    };
  },

  info(mp: Mount<TmpFs>) {
    const { space, files } = mp.data;
    return {
      variant: 'tmpfs',
      label: '',
      uuid: '',
      features: [],
      details: { 'size limit': space.limit, 'bytes used': space.used, 'file limit': files.limit, files: files.used },
      notes: mp.notes,
      readOnlyReasons: mp.readOnlyReasons,
    };
  },

  vptofh(vp: Vnode<TmpNode>) {
    const bytes = new Uint8Array(Handle.size);
    const handle = Handle.at(bytes, 0);
    handle.ino = vp.ino;
    handle.mountId.set(vp.data.fs.id);
    return bytes;
  },

  // Numbers are never used twice within a mount, so number and mount tell one file from all others.
  fhtovp(mp: Mount<TmpFs>, bytes) {
    if (bytes.length !== Handle.size) throw new FsError('EINVAL');
    const handle = Handle.at(bytes, 0);
    const found = handle.mountId.every((byte, i) => byte === mp.data.id[i]) ? mp.data.nodes.get(handle.ino) : undefined;
    if (found === undefined || found.nlink === 0) throw new FsError('ESTALE');
    return vnodeOf(found);
  },
};
