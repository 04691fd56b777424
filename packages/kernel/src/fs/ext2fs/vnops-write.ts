/**
 * The VOPs that change names: create, link, remove, rename and their kin. Attributes and data are in vnops-attr.ts.
 *
 * Each leaves inodes, directories, bitmaps and counters in the buffers. Nothing here undoes half an operation: the
 * system-call layer rolls back what threw, and reload() reads the in-core inodes again.
 */
import { FsError } from '../../kern/errno.ts';
import { nameToBytes } from '../../kern/name.ts';
import type { NewFile } from '../../vfs/vattr.ts';
import { vcache, type Vnode } from '../../vfs/vnode.ts';
import type { LookupResult, VnodeOps } from '../../vfs/vnodeops.ts';
import { inheritAcl } from './aclwrite.ts';
import { balloc } from './balloc.ts';
import {
  addEntry,
  initDirectory,
  isEmptyDirectory,
  newRecord,
  redirectEntry,
  removeEntry,
  setParent,
  type EntryPlace,
} from './dirwrite.ts';
import { initExtentRoot } from './extents.ts';
import { INCOMPAT, RO_COMPAT } from './features.ts';
import { I_BLOCK_SIZE, IFLAG } from './format.ts';
import { mayEnter, mayMoveEntries, newName } from './guard.ts';
import { storeInline } from './inlinewrite.ts';
import { newInode, storeInode, touch } from './inode-store.ts';
import type { Inode } from './inode.ts';
import { destroyFile } from './orphan.ts';
import { hasIncompat, hasRoCompat } from './superblock.ts';

/** Makes the vnode of an inode, with one reference, not cached yet. */
type MakeVnode = (ip: Inode) => Vnode<Inode>;

type NameOps = Pick<
  VnodeOps<Inode>,
  'create' | 'mknod' | 'mkdir' | 'symlink' | 'link' | 'remove' | 'rmdir' | 'rename' | 'inactive'
>;

/** Links of a file with the fields of ext4; ext2 and ext3 stop earlier. */
const LINK_MAX = 65000;
const LINK_MAX_OLD = 32000;

export function nameOps(makeVnode: MakeVnode): NameOps {
  /** A new file and its entry. `fill` gives it its first contents. */
  const make = (dvp: Vnode<Inode>, name: string, attr: NewFile, fill?: (ip: Inode) => void): Vnode<Inode> => {
    const dir = dvp.data;
    const bytes = newName(dir, name);
    const ip = newInode(dir, attr);
    ip.nlink = attr.type === 'dir' ? 2 : 1;
    inheritAcl(dir, ip, attr);
    fill?.(ip);
    addEntry(dir, newRecord(dir, ip.ino, { name: bytes, type: attr.type }));
    storeInode(ip);
    touch(dir, 'contents');
    storeInode(dir);
    const vp = makeVnode(ip);
    vcache(vp);
    return vp;
  };

  return {
    create: (dvp, name, attr) => make(dvp, name, attr),
    mknod: (dvp, name, attr) => make(dvp, name, attr),
    mkdir(dvp, name, attr) {
      newName(dvp.data, name);
      addSubdirectory(dvp.data);
      return make(dvp, name, attr, (ip) => initDirectory(ip, dvp.ino));
    },
    symlink(dvp, name, attr, target) {
      const bytes = nameToBytes(target);
      if (bytes.length >= dvp.data.geo.blockSize) throw new FsError('ENAMETOOLONG');
      return make(dvp, name, attr, (ip) => setTarget(ip, bytes));
    },

    link(dvp, vp, name) {
      const dir = dvp.data;
      const ip = vp.data;
      const bytes = newName(dir, name);
      mayEnter(dir, ip);
      if (ip.nlink >= linkMax(ip)) throw new FsError('EMLINK', { ino: ip.ino });
      addEntry(dir, newRecord(dir, ip.ino, { name: bytes, type: vp.type }));
      ip.nlink += 1;
      touch(ip, 'status');
      storeInode(ip);
      touch(dir, 'contents');
      storeInode(dir);
    },

    remove(dvp, vp, _name, slot) {
      removeEntry(dvp.data, placeOf(slot), vp.ino);
      dropLink(vp.data);
      touch(dvp.data, 'contents');
      storeInode(dvp.data);
    },

    rmdir(dvp, vp, _name, slot) {
      if (!isEmptyDirectory(vp.data)) throw new FsError('ENOTEMPTY', { ino: vp.ino });
      removeEntry(dvp.data, placeOf(slot), vp.ino);
      dropDirectory(vp.data);
      removeSubdirectory(dvp.data);
      touch(dvp.data, 'contents');
      storeInode(dvp.data);
    },

    rename(from, to, { exchange = false }) {
      mayMoveEntries(from.dvp.data);
      mayMoveEntries(to.dvp.data);
      mayEnter(to.dvp.data, from.vp.data);
      if (exchange && to.found !== undefined) mayEnter(from.dvp.data, to.found.vp.data);
      if (exchange && to.found !== undefined) exchangeEntries(from, { ...to, found: to.found });
      else if (to.found?.vp === from.vp) respellEntry(from, to);
      else moveEntry(from, to);
    },

    inactive(vp) {
      const ip = vp.data;
      if (ip.nlink > 0) return false;
      if (vp.mount.readOnly) return true;
      destroyFile(ip, vp.type);
      return true;
    },
  };
}

interface Source {
  readonly dvp: Vnode<Inode>;
  readonly vp: Vnode<Inode>;
  readonly name: string;
  readonly slot: unknown;
}
interface Target {
  readonly dvp: Vnode<Inode>;
  readonly name: string;
  readonly found: LookupResult<Inode> | undefined;
}

function moveEntry(from: Source, to: Target): void {
  const [fdir, tdir, ip] = [from.dvp.data, to.dvp.data, from.vp.data];
  const isDirectory = from.vp.type === 'dir';
  const bytes = newName(tdir, to.name);
  const victim = to.found?.vp;
  if (victim?.type === 'dir' && !isEmptyDirectory(victim.data)) throw new FsError('ENOTEMPTY', { ino: victim.ino });
  const isMove = isDirectory && fdir !== tdir;
  if (isMove && victim === undefined) addSubdirectory(tdir);
  if (to.found === undefined) {
    // The old name first: adding may move what the slot points to.
    removeEntry(fdir, placeOf(from.slot), ip.ino);
    addEntry(tdir, newRecord(tdir, ip.ino, { name: bytes, type: from.vp.type }));
  } else {
    redirectEntry(tdir, placeOf(to.found.slot), { ino: to.found.vp.ino, to: { ino: ip.ino, type: from.vp.type } });
    removeEntry(fdir, placeOf(from.slot), ip.ino);
  }
  if (isMove) setParent(ip, tdir.ino);
  if (isDirectory && (isMove || victim !== undefined)) removeSubdirectory(fdir);
  if (victim?.type === 'dir') dropDirectory(victim.data);
  else if (victim !== undefined) dropLink(victim.data);
  finishRename(fdir, tdir, [ip]);
}

/** Both names lead to one inode: by the same entry, which then changes its spelling, or by two, which then stay. */
function respellEntry({ dvp, vp, slot }: Source, to: Target): void {
  const [dir, old, found] = [dvp.data, placeOf(slot), placeOf(to.found?.slot)];
  if (dvp !== to.dvp || old.fileBlock !== found.fileBlock || old.offset !== found.offset) return;
  const bytes = newName(dir, to.name);
  removeEntry(dir, old, vp.ino);
  addEntry(dir, newRecord(dir, vp.ino, { name: bytes, type: vp.type }));
  finishRename(dir, dir, [vp.data]);
}

function exchangeEntries(from: Source, to: Target & { readonly found: LookupResult<Inode> }): void {
  const [fdir, tdir] = [from.dvp.data, to.dvp.data];
  const [fvp, tvp] = [from.vp, to.found.vp];
  redirectEntry(fdir, placeOf(from.slot), { ino: fvp.ino, to: { ino: tvp.ino, type: tvp.type } });
  redirectEntry(tdir, placeOf(to.found.slot), { ino: tvp.ino, to: { ino: fvp.ino, type: fvp.type } });
  if (fdir !== tdir) {
    if (fvp.type === 'dir') setParent(fvp.data, tdir.ino);
    if (tvp.type === 'dir') setParent(tvp.data, fdir.ino);
    if (fvp.type === 'dir' && tvp.type !== 'dir') {
      addSubdirectory(tdir);
      removeSubdirectory(fdir);
    } else if (fvp.type !== 'dir' && tvp.type === 'dir') {
      addSubdirectory(fdir);
      removeSubdirectory(tdir);
    }
  }
  finishRename(fdir, tdir, [fvp.data, tvp.data]);
}

function finishRename(fdir: Inode, tdir: Inode, moved: readonly Inode[]): void {
  const now = fdir.mp.now();
  for (const ip of moved) {
    touch(ip, 'status', now);
    storeInode(ip);
  }
  for (const dir of new Set([fdir, tdir])) {
    touch(dir, 'contents', now);
    storeInode(dir);
  }
}

function isPlace(slot: unknown): slot is EntryPlace {
  return typeof slot === 'object' && slot !== null && 'fileBlock' in slot && 'offset' in slot;
}
function placeOf(slot: unknown): EntryPlace {
  if (!isPlace(slot)) throw new FsError('ESTALE');
  return slot;
}

// links

/** Names that one inode may have: Linux's limits of the two formats. */
export const linkMax = ({ geo }: Inode): number => (hasIncompat(geo, INCOMPAT.EXTENTS) ? LINK_MAX : LINK_MAX_OLD);

/** One more `..` leads to `dir`. Beyond the limit an indexed directory's count is 1 for good: "many". Errors: EMLINK. */
function addSubdirectory(dir: Inode): void {
  if (dir.nlink === 1) return;
  if (dir.nlink < linkMax(dir) - 1) dir.nlink += 1;
  else if (hasRoCompat(dir.geo, RO_COMPAT.DIR_NLINK) && dir.hasFlag(IFLAG.INDEX)) dir.nlink = 1;
  else throw new FsError('EMLINK', { ino: dir.ino });
}

function removeSubdirectory(dir: Inode): void {
  if (dir.nlink > 2) dir.nlink -= 1;
}

function dropLink(ip: Inode): void {
  if (ip.nlink > 0) ip.nlink -= 1;
  touch(ip, 'status');
  storeInode(ip);
}

function dropDirectory(ip: Inode): void {
  ip.nlink = 0;
  touch(ip, 'status');
  storeInode(ip);
}

// symbolic links

/** Targets that fit stand in place of the map, or inline; longer ones get a block. Errors: ENOSPC. */
function setTarget(ip: Inode, target: Uint8Array): void {
  // e2fsck 1.47.0 forgets links whose target is inline when it counts an owner's inodes; the kernel does not.
  const mayBeInline = hasIncompat(ip.geo, INCOMPAT.INLINE_DATA) && ip.mp.data.quota === undefined;
  if (target.length < I_BLOCK_SIZE) ip.block.set(target);
  else if (!(mayBeInline && storeInline(ip, target))) {
    if (hasIncompat(ip.geo, INCOMPAT.EXTENTS)) {
      ip.flags |= IFLAG.EXTENTS;
      initExtentRoot(ip);
    }
    const { block } = balloc(ip, 0, 1);
    const data = new Uint8Array(ip.geo.blockSize);
    data.set(target);
    ip.mp.device.write(data, block * ip.geo.blockSize);
  }
  ip.size = target.length;
}
