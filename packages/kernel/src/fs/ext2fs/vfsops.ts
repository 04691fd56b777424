/** Mounting and unmounting, vnodes of inodes, file handles. What a mount may do is decided here, once. */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import { getLe32, setLe32 } from '../../kern/struct.ts';
import { readOnlyError, type Mount } from '../../vfs/mount.ts';
import { FileFlag } from '../../vfs/vattr.ts';
import type { FileSystemType, FsTraits } from '../../vfs/vfsops.ts';
import { vget, vrele, vrevoke, type Vnode } from '../../vfs/vnode.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { IFLAG, INO, STATE, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE } from './format.ts';
import { reloadForWriting, releasedIsFree } from './groupmap.ts';
import { loadInode, type Inode } from './inode.ts';
import { info } from './info.ts';
import { checkMmp } from './mmp.ts';
import { clearOrphans, noteOrphans } from './orphan.ts';
import { openQuota } from './quota.ts';
import { recover } from './recover.ts';
import { statvfs } from './statvfs.ts';
import { dirtyMark, parseSuperblock, readSuperblock, unwritableFeatures, withSuperblock } from './superblock.ts';
import { makeVnode } from './vnops.ts';

export const ext2fsTraits: FsTraits = {
  write: true,
  hardLinks: true,
  symlinks: true,
  devices: true,
  sparse: true,
  caseSensitive: true,
  xattr: true,
  flags: FileFlag.SF_IMMUTABLE | FileFlag.SF_APPEND | FileFlag.UF_NODUMP,
  owners: true,
  timeGranularityNs: 1,
  nameMaxBytes: 255,
  symlinkMaxBytes: 1023,
  linkMax: 65000,
  unlinkOpen: true,
  needsDevice: true,
};

export const ext2fsOptions = {
  sb: 'use the copy of the superblock at this block (in KiB, or in blocks of the file system); read-only',
  noload: 'leave the journal alone: read what lies on the disk, without recovery',
  usrquota: 'users other than the super-user keep to the limits of their quota',
  grpquota: 'the same for groups',
  prjquota: 'the same for projects',
  force: 'write although the file system was not unmounted cleanly and has no journal to recover it',
} as const;

/** Generation and inode number, 4 bytes each. */
const HANDLE_SIZE = 8;

function mount(mp: Mount<Ext2Mount>): void {
  const { raw, offset } = readSuperblock(mp, mp.options['sb']);
  const geo = parseSuperblock(raw);
  mp.blockSize = geo.blockSize;
  mp.data = {
    geo,
    sbOffset: offset,
    inodeTables: new Map(),
    allowFresh: true,
    mayWrite: false,
    journalState: 'none',
  };
  const missing = geo.blocks * geo.blockSize - mp.device.sizeBytes;
  if (missing > 0) mp.keepReadOnly('damaged', `the image is cut short: ${missing} bytes are missing at its end`);
  if (offset !== SUPERBLOCK_OFFSET) mp.keepReadOnly('asked', `mounted by the superblock at byte ${offset}`);
  for (const feature of unwritableFeatures(geo)) mp.keepReadOnly('unsupported', feature);
  checkMmp(mp);
  recover(mp);
  checkClean(mp);
  openQuota(mp);
  // A mount without a root could not even be taken off again.
  vrele(rootOf(mp));
  mp.data.mayWrite = !mp.readOnly;
  if (!mp.readOnly) {
    const orphans = clearOrphans(mp);
    if (orphans > 0) mp.notes.push(`${orphans} orphaned files were removed or cut to their size`);
    mp.device.superblock({
      extent: { offset: SUPERBLOCK_OFFSET, length: SUPERBLOCK_SIZE },
      dirtyMark,
    });
  }
}

function rootOf(mp: Mount<Ext2Mount>): Vnode {
  try {
    return vget(mp, INO.ROOT);
  } catch (e) {
    if (e instanceof FsError && e.code === 'ESTALE')
      throw new CorruptError('root that is a free inode', { ino: INO.ROOT });
    throw e;
  }
}

/** Back to read-write only for what began so: recovery and orphans are a matter of mounting. */
function update(mp: Mount<Ext2Mount>, { readOnly }: { readonly readOnly: boolean }): void {
  if (readOnly || mp.data.mayWrite) return;
  const { context } = readOnlyError(mp.readOnlyReasons);
  const why = mp.readOnlyReasons.length === 0 ? '' : `: ${context.what ?? ''}`;
  throw new FsError('EROFS', { ...context, what: `mounted read-only; unmount it first${why}` });
}

/** A writer needs a file system that was left clean, or was recovered just now. */
function checkClean(mp: Mount<Ext2Mount>): void {
  const state = withSuperblock(mp, (sb) => sb.state);
  if ((state & STATE.VALID) !== 0 && (state & STATE.ERROR) === 0) return;
  const why =
    (state & STATE.ERROR) !== 0 ? 'errors were found in the file system' : 'the file system was not unmounted cleanly';
  mp.data.allowFresh = false;
  const advice = 'fsck -p marks a sound one clean, --force (-o force) writes anyway';
  if (mp.options['force'] === undefined) mp.keepReadOnly('damaged', `${why}: ${advice}`);
  else mp.notes.push(why);
}

function loadVnode(mp: Mount<Ext2Mount>, ino: Ino): Vnode {
  const inode = loadInode(mp, ino);
  // Reserved inodes have no names; the kernel refuses them, and those that hold attribute values, all the same.
  const isReserved = ino < mp.data.geo.firstIno && ino !== INO.ROOT;
  if (isReserved || inode.hasFlag(IFLAG.EA_INODE)) throw new CorruptError('inode that no name may lead to', { ino });
  const vp = makeVnode(inode);
  if (vp.isRoot && vp.type !== 'dir') throw new CorruptError('root that is no directory', { ino });
  return vp as Vnode;
}

/** Read every in-core inode again; what is another file by now, or none, is revoked. */
function reload(mp: Mount<Ext2Mount>): void {
  mp.data.geo = withSuperblock(mp, (_, raw) => parseSuperblock(raw));
  mp.data.inodeTables.clear();
  mp.data.attributeBlocks = undefined;
  mp.data.values = undefined;
  reloadForWriting(mp);
  for (const file of mp.data.quota ?? []) file.reload();
  for (const vp of [...mp.vnodes.values()] as Vnode<Inode>[]) {
    const now = stillThere(mp, vp);
    if (now === undefined) vrevoke(vp);
    else vp.data.replace(now);
  }
}

function stillThere(mp: Mount<Ext2Mount>, vp: Vnode<Inode>): Inode | undefined {
  try {
    const now = loadInode(mp, vp.ino, { unlinked: vp.data.nlink === 0 });
    return now.type === vp.type && now.gen === vp.data.gen ? now : undefined;
  } catch (e) {
    // A disk that fails says nothing about the file.
    if (e instanceof CorruptError || (e instanceof FsError && e.code === 'ESTALE')) return undefined;
    throw e;
  }
}

function fhtovp(mp: Mount<Ext2Mount>, handle: Uint8Array): Vnode {
  const stale = (): FsError => new FsError('ESTALE');
  if (handle.length !== HANDLE_SIZE) throw stale();
  const ino = getLe32(handle, 4);
  if (ino < 1 || ino > mp.data.geo.inodes || (ino < mp.data.geo.firstIno && ino !== INO.ROOT)) throw stale();
  const vp = vget(mp, ino) as Vnode<Inode>;
  if (vp.data.gen === getLe32(handle, 0)) return vp;
  vp.usecount--;
  throw stale();
}

function vptofh(vp: Vnode<Inode>): Uint8Array {
  const handle = new Uint8Array(HANDLE_SIZE);
  setLe32(handle, 0, vp.data.gen);
  setLe32(handle, 4, vp.ino);
  return handle;
}

export const ext2fsVfsops = {
  mount,
  update,
  unmount() {},
  root: (mp: Mount<Ext2Mount>) => vget(mp, INO.ROOT),
  loadVnode,
  reload,
  sync: noteOrphans,
  committed: releasedIsFree,
  statvfs,
  info,
  vptofh,
  fhtovp,
} satisfies Partial<FileSystemType>;
