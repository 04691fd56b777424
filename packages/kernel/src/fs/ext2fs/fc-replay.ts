/**
 * Fast commits, made again: each record through the same code that writes files, on the device that the mount has by then
 * (the stage of a writer, the memory of a reader). Blocks that records name are marked used first, so that a tree that
 * grows on the way cannot take them. Link counts are those of the logged inodes.
 */
import { CorruptError, FsError, UnsupportedError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import { nameFromBytes } from '../../kern/name.ts';
import { timespecCompare } from '../../kern/time.ts';
import type { Mount } from '../../vfs/mount.ts';
import { typeOfMode } from '../../vfs/vattr.ts';
import { claimBlocks, claimInode } from './claim.ts';
import { dirFind } from './dir.ts';
import { addEntry, initDirectory, newRecord, removeEntry } from './dirwrite.ts';
import { checkNode, childOf, depthOf, entriesOf, runOf, type ExtentRun } from './extent-node.ts';
import { findMapping, forEachRun, initExtentRoot, insertRun, removeRange } from './extents.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { RO_COMPAT } from './features.ts';
import { EXTENT_ENTRY_SIZE, ExtentHeader, I_BLOCK_OFFSET, I_BLOCK_SIZE, IFLAG, InodeCore } from './format.ts';
import { isInline } from './inline.ts';
import { storeInode } from './inode-store.ts';
import { inodeLocation, Inode, loadInode } from './inode.ts';
import type { FcRecord } from './fc-scan.ts';
import { destroyFile } from './orphan.ts';
import { hasRoCompat } from './superblock.ts';
import { attributeSectors } from './xattr.ts';

const GENERATION = InodeCore.offsetOf('generation');

/** Errors: CorruptError for records that do not fit what is on the disk; UnsupportedError. */
export function replayFastCommits(mp: Mount<Ext2Mount>, records: readonly FcRecord[]): void {
  if (hasRoCompat(mp.data.geo, RO_COMPAT.BIGALLOC))
    throw new UnsupportedError('fast commits of a file system with clusters');
  const replay = new FcReplay(mp, records);
  for (const record of records) if (record.kind === 'add') claimBlocks(mp, extentOf(record.extent));
  records.forEach((record, i) => replay.apply(record, i));
  replay.finish();
}

/** The extent of a record, read as the only entry of a node. */
function extentOf(extent: Uint8Array): ExtentRun {
  const node = new Uint8Array(ExtentHeader.size + EXTENT_ENTRY_SIZE);
  node.set(extent, ExtentHeader.size);
  return runOf(node, 0);
}

class FcReplay {
  readonly #mp: Mount<Ext2Mount>;
  readonly #records: readonly FcRecord[];
  readonly #inodes = new Map<Ino, Inode>();

  constructor(mp: Mount<Ext2Mount>, records: readonly FcRecord[]) {
    this.#mp = mp;
    this.#records = records;
  }

  /** `position` is the record's, for looking at what follows. */
  apply(record: FcRecord, position: number): void {
    switch (record.kind) {
      case 'inode':
        return this.#setInode(record.ino, record.raw);
      case 'add':
        return this.#addRange(this.#load(record.ino), extentOf(record.extent));
      case 'delete': {
        const ip = this.#load(record.ino);
        this.#demandExtents(ip);
        removeRange(ip, { from: record.fileBlock, to: record.fileBlock + record.count, free: true });
        ip.lastRun = undefined;
        return storeInode(ip);
      }
      case 'create':
      case 'link':
        return this.#link(record);
      case 'unlink':
        return this.#unlink(record, position);
    }
  }

  /** Space is counted anew: records say where blocks went, not how many a file has by then. */
  finish(): void {
    for (const ip of this.#inodes.values()) {
      if (ip.hasFlag(IFLAG.EXTENTS)) ip.sectors = (countBlocks(ip) * ip.geo.blockSize) / 512 + attributeSectors(ip);
      storeInode(ip);
    }
  }

  #load(ino: Ino): Inode {
    let ip = this.#inodes.get(ino);
    if (ip === undefined) this.#inodes.set(ino, (ip = loadInode(this.#mp, ino)));
    return ip;
  }

  /** Everything of the logged inode but its map, which other records change. */
  #setInode(ino: Ino, logged: Uint8Array): void {
    const mp = this.#mp;
    const core = InodeCore.at(logged, 0);
    const type = typeOfMode(core.mode);
    if (type === undefined || logged.length > mp.data.geo.inodeSize)
      throw new CorruptError('inode in a fast commit', { ino });
    const isNew = claimInode(mp, ino, { isDirectory: type === 'dir' });
    const ip = isNew ? this.#blank(ino) : this.#load(ino);
    const hadExtents = ip.hasFlag(IFLAG.EXTENTS);
    ip.raw.set(logged.subarray(0, I_BLOCK_OFFSET));
    ip.raw.set(logged.subarray(GENERATION), GENERATION);
    ip.gen = core.generation;
    ip.lastRun = undefined;
    if (!ip.hasFlag(IFLAG.EXTENTS)) {
      if (hadExtents || isNew || ip.hasFlag(IFLAG.INLINE_DATA) || type === 'lnk') {
        ip.block.set(logged.subarray(I_BLOCK_OFFSET, I_BLOCK_OFFSET + I_BLOCK_SIZE));
      }
    } else if (isNew || !hadExtents) initExtentRoot(ip);
    storeInode(ip);
  }

  #blank(ino: Ino): Inode {
    inodeLocation(this.#mp, ino);
    const ip = new Inode(this.#mp, ino, new Uint8Array(this.#mp.data.geo.inodeSize));
    this.#inodes.set(ino, ip);
    return ip;
  }

  #demandExtents(ip: Inode): void {
    if (!ip.hasFlag(IFLAG.EXTENTS))
      throw new CorruptError('fast commit of blocks of a file without extents', { ino: ip.ino });
  }

  #addRange(ip: Inode, run: ExtentRun): void {
    this.#demandExtents(ip);
    const end = run.fileBlock + run.count;
    for (let at = run.fileBlock; at < end;) {
      const mapping = findMapping(ip, at);
      const count = Math.min(mapping.count, end - at);
      const block = run.block + at - run.fileBlock;
      const isThere = mapping.kind !== 'hole' && mapping.block === block;
      if (!(isThere && (mapping.kind === 'unwritten') === run.unwritten)) {
        if (mapping.kind !== 'hole') removeRange(ip, { from: at, to: at + count, free: !isThere });
        insertRun(ip, { fileBlock: at, count, block, unwritten: run.unwritten });
      }
      at += count;
    }
    ip.lastRun = undefined;
    storeInode(ip);
  }

  #link({ kind, parent, ino, name }: Extract<FcRecord, { readonly parent: Ino }>): void {
    const dir = this.#directory(parent);
    const ip = this.#load(ino);
    const { type } = ip;
    if (type === undefined) throw new CorruptError('fast commit of a name without an inode', { ino });
    if (kind === 'create' && type === 'dir' && ip.size === 0) initDirectory(ip, parent);
    else if (kind === 'create' && type === 'dir' && !isInline(ip) && findMapping(ip, 0).kind === 'hole') {
      ip.size = 0;
      initDirectory(ip, parent);
    }
    // The name may be there already: the directory's block can have reached the disk by itself.
    if (dirFind(dir, nameFromBytes(name)) === undefined) {
      addEntry(dir, newRecord(dir, ino, { name, type }));
      // A created inode was logged with its link counted.
      if (kind === 'link') ip.nlink += 1;
      if (type === 'dir') this.#countSubdirectory(dir, 1);
    }
    copyTime(dir, ip);
    storeInode(ip);
    storeInode(dir);
  }

  #unlink({ parent, ino, name }: Extract<FcRecord, { readonly parent: Ino }>, position: number): void {
    const dir = this.#directory(parent);
    const found = dirFind(dir, nameFromBytes(name));
    if (found === undefined || found.ino !== ino) return;
    removeEntry(dir, found.slot, ino);
    const ip = this.#tryLoad(ino);
    if (ip?.type === 'dir') this.#countSubdirectory(dir, -1);
    if (ip !== undefined) copyTime(dir, ip);
    storeInode(dir);
    if (ip === undefined) return;
    ip.nlink = ip.type === 'dir' ? 0 : ip.nlink - 1;
    if (ip.nlink > 0 || this.#livesOn(ip, position)) return storeInode(ip);
    this.#inodes.delete(ino);
    destroyFile(ip, ip.type);
  }

  /** Does a later record say that the same file still has links? Names that were there already were not counted. */
  #livesOn(ip: Inode, position: number): boolean {
    for (const record of this.#records.slice(position + 1)) {
      if (record.kind !== 'inode' || record.ino !== ip.ino) continue;
      const { generation, linksCount } = InodeCore.at(record.raw, 0);
      return generation === ip.gen && linksCount > 0;
    }
    return false;
  }

  /** A parent's links are counted only if no record has them. (1 means many, and stays.) */
  #countSubdirectory(dir: Inode, by: number): void {
    if (dir.nlink === 1 || this.#records.some(({ kind, ino }) => kind === 'inode' && ino === dir.ino)) return;
    dir.nlink += by;
  }

  #tryLoad(ino: Ino): Inode | undefined {
    try {
      return this.#load(ino);
    } catch (e) {
      if (e instanceof FsError && e.code === 'ESTALE') return undefined;
      throw e;
    }
  }

  #directory(ino: Ino): Inode {
    const dir = this.#load(ino);
    if (dir.type !== 'dir') throw new CorruptError('fast commit of a name in what is no directory', { ino });
    return dir;
  }
}

/** The directory's own times are not logged; its file's status changed in the same moment. */
function copyTime(dir: Inode, ip: Inode): void {
  if (timespecCompare(ip.ctime, dir.ctime) <= 0) return;
  dir.ctime = ip.ctime;
  dir.mtime = ip.ctime;
}

/** Blocks of data and of the extent tree. */
function countBlocks(ip: Inode): number {
  let count = 0;
  const visit = (node: Uint8Array): void => {
    const depth = depthOf(node);
    if (depth === 0) return;
    count += entriesOf(node);
    // Nodes that several entries lead to would be visited without end.
    if (count > ip.geo.blocks) throw new CorruptError('extent tree with more nodes than the disk has', { ino: ip.ino });
    if (depth === 1) return;
    for (let i = 0; i < entriesOf(node); i++) {
      const block = childOf(node, i);
      const bp = ip.mp.bufs.bread(block);
      try {
        checkNode(bp.data, { ino: ip.ino, block, depth: depth - 1 });
        visit(bp.data);
      } finally {
        ip.mp.bufs.brelse(bp);
      }
    }
  };
  visit(ip.block);
  forEachRun(ip, (run) => (count += run.count));
  return count;
}
