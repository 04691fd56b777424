/** Mounting a tmpfs: an empty root directory within limits; and what the mount tells about itself. */
import { FsError } from '../../kern/errno.ts';
import { nameFromBytes, nameToBytes } from '../../kern/name.ts';
import { NAME_MAX, PATH_MAX } from '../../kern/limits.ts';
import type { Mount } from '../../vfs/mount.ts';
import { FileFlag } from '../../vfs/vattr.ts';
import type { FileSystemType, FsTraits } from '../../vfs/vfsops.ts';
import type { Vnode } from '../../vfs/vnode.ts';
import { CHUNK } from './data.ts';
import { makeVnode, newFs, newNode, ROOT_INO, vnodeOf, type TmpFs } from './node.ts';
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
    };
  },

  // Numbers are never used twice, so the number alone tells one file from all others.
  vptofh: (vp: Vnode) => nameToBytes(String(vp.ino)),

  fhtovp(mp: Mount<TmpFs>, handle) {
    const text = nameFromBytes(handle);
    const found = /^\d{1,15}$/.test(text) ? mp.data.nodes.get(Number(text)) : undefined;
    if (found === undefined || found.nlink === 0) throw new FsError('ESTALE');
    return vnodeOf(found);
  },
};
