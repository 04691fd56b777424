/**
 * Checking ext2, ext3 and ext4 on a device: the superblock (or a copy), the journal, then pass by pass the groups, the
 * inodes, the directories, how they hang together, the bitmaps. What is found goes to the caller's report.
 * The passes are in check/; docs/fs/ext2fs.md says what is covered.
 */
import type { BlockDevice } from '../../dev/blockdev.ts';
import { CorruptError, FsError } from '../../kern/errno.ts';
import { BufCache } from '../../vfs/buf.ts';
import type { CheckOptions, CheckSummary } from '../../vfs/check.ts';
import { Mount } from '../../vfs/mount.ts';
import type { FileSystemType } from '../../vfs/vfsops.ts';
import { checkBitmaps } from './check/bitmaps.ts';
import { checkDirectories } from './check/dirs.ts';
import { checkGroups } from './check/groups.ts';
import { checkInodes } from './check/inodes.ts';
import { checkJournal } from './check/journal.ts';
import { checkAttributeInodes, checkLinks, checkTree } from './check/links.ts';
import { checkOrphans } from './check/orphans.ts';
import { Check, Tally } from './check/state.ts';
import { checkQuotas } from './check/quotas.ts';
import { reconnect } from './check/reconnect.ts';
import { findSuperblock } from './check/find-super.ts';
import { editSuper } from './check/super-edit.ts';
import { checkFeatures, checkLargeFile, checkSuper } from './check/super.ts';
import { checkAttributeBlocks } from './check/xattrs.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { INCOMPAT } from './features.ts';
import { FT, STATE, Superblock, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE } from './format.ts';
import { recover } from './recover.ts';
import { dirtyMark, hasIncompat, parseSuperblock, withSuperblock } from './superblock.ts';
import { variantOf } from './variant.ts';

const CACHE_BYTES = 8 * 1024 * 1024;

export function checkDevice(type: FileSystemType, device: BlockDevice, options: CheckOptions): CheckSummary {
  const cache = new BufCache(options.cacheBytes ?? CACHE_BYTES);
  const mp = new Mount<Ext2Mount>({
    type,
    device,
    bufs: (blockSize) => cache.open(device, blockSize),
    readOnly: options.repair === 'none',
    options: {},
    from: '',
    services: { now: options.now, random: options.random, log: () => undefined, desiredVnodes: 0 },
  });
  const tally = new Tally();
  const { raw, offset } = findSuperblock(mp, options, tally);
  checkFeatures(Superblock.at(raw, 0));
  const geo = parseSuperblock(raw);
  mp.blockSize = geo.blockSize;
  mp.data = {
    geo,
    sbOffset: offset,
    inodeTables: new Map(),
    allowFresh: false,
    mayWrite: false,
    journalState: 'none',
  };
  if (options.repair !== 'none') {
    device.superblock({ extent: { offset: SUPERBLOCK_OFFSET, length: SUPERBLOCK_SIZE }, dirtyMark });
  }
  replay(mp, options, tally);
  return rounds(mp, options, tally);
}

/** Repairs show what lay hidden behind the damage; more rounds than these show that they lead nowhere. */
const ROUNDS_MAX = 24;

/** Look, and while repairs change what was seen, look again. */
function rounds(mp: Mount<Ext2Mount>, options: CheckOptions, tally: Tally): CheckSummary {
  const before = tally.left;
  for (let round = 1; ; round++) {
    tally.left = before;
    mp.bufs.flush();
    mp.bufs.dropAll();
    mp.data.inodeTables.clear();
    mp.data.alloc = undefined;
    // The one on the disk may be damaged as long as nothing is repaired.
    if (round > 1) mp.data.geo = withSuperblock(mp, (_, raw) => parseSuperblock(raw));
    const c = new Check(mp, options, tally);
    c.attempt('unreadable', {}, () => passes(c));
    if (c.changed && round < ROUNDS_MAX) continue;
    if (c.changed) tally.left++;
    const mark = tally.repaired === 0 ? uncleanMark(mp) : undefined;
    if (mark !== undefined) c.report({ code: 'state', severity: 'note', message: mark });
    const mayFinish = options.repair !== 'none' && tally.left === 0;
    if (mayFinish && (tally.repaired > 0 || mark !== undefined)) finish(c);
    return summary(c);
  }
}

/** What one kind of damage makes of the passes behind it is not to be believed: repairs end the round. */
function passes(c: Check): void {
  const steps: readonly ((c: Check) => void)[] = [
    checkSuper,
    checkGroups,
    checkJournal,
    checkOrphans,
    checkInodes,
    checkLargeFile,
    checkAttributeBlocks,
    checkDirectories,
    checkTree,
  ];
  for (const step of steps) {
    step(c);
    if (c.changed && c.lost.length + c.later.length === 0) return;
  }
  checkLinks(c);
  checkAttributeInodes(c);
  checkBitmaps(c);
  checkQuotas(c);
  if (c.tally.left > 0) return;
  reconnect(c);
  for (const repair of c.later) repair();
}

/** What keeps writers off an image until it was checked: no error by itself. A copy of the superblock does not say it. */
function uncleanMark(mp: Mount<Ext2Mount>): string | undefined {
  if (mp.data.sbOffset !== SUPERBLOCK_OFFSET) return undefined;
  const state = withSuperblock(mp, (sb) => sb.state);
  if ((state & STATE.ERROR) !== 0) return 'marked as having errors';
  return (state & STATE.VALID) === 0 ? 'marked as not unmounted cleanly' : undefined;
}

/** The image was checked, and is sound: it says so, and its counts are right. */
function finish(c: Check): void {
  const { free, geo } = c;
  const { sec } = c.options.now();
  editSuper(c.mp, (sb) => {
    sb.state = (sb.state | STATE.VALID) & ~STATE.ERROR;
    sb.lastcheck = sec % 0x1_0000_0000;
    sb.lastcheckHi = Math.floor(sec / 0x1_0000_0000) & 0xff;
    if (free === undefined) return;
    const blocks = free.clusters * geo.clusterBlocks;
    sb.freeBlocksCountLo = blocks % 0x1_0000_0000;
    if (hasIncompat(geo, INCOMPAT.BIT64)) sb.freeBlocksCountHi = Math.floor(blocks / 0x1_0000_0000);
    sb.freeInodesCount = free.inodes;
  });
}

function replay(mp: Mount<Ext2Mount>, options: CheckOptions, tally: Tally): void {
  try {
    recover(mp);
  } catch (e) {
    if (!(e instanceof CorruptError) && !(e instanceof FsError && e.code === 'ESTALE')) throw e;
    tally.errors++;
    tally.left++;
    options.report({
      code: 'journal',
      severity: 'error',
      where: {},
      message: e.message,
      repair: 'none',
      repaired: false,
    });
  }
}

function summary(c: Check): CheckSummary {
  const { tally, geo } = c;
  const types = c.filesByType;
  const count = (type: number): number => types[type] ?? 0;
  let inodesUsed = 0;
  c.inodes.eachUsed(() => inodesUsed++);
  return {
    variant: withSuperblock(c.mp, variantOf),
    errors: tally.errors,
    notes: tally.notes,
    repaired: tally.repaired,
    left: tally.left,
    statistics: {
      inodes: geo.inodes,
      inodesUsed,
      blocks: geo.blocks,
      blocksUsed:
        geo.firstDataBlock +
        Math.min(
          c.claims.used.countSet(0, geo.groups * geo.clustersPerGroup) * geo.clusterBlocks,
          geo.blocks - geo.firstDataBlock,
        ),
      files: count(FT.REG),
      directories: count(FT.DIR),
      symlinks: count(FT.LNK),
      devices: count(FT.CHR) + count(FT.BLK),
      fifos: count(FT.FIFO),
      sockets: count(FT.SOCK),
    },
  };
}
