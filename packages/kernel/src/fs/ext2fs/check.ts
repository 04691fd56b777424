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
import { checkSuper } from './check/super.ts';
import { checkAttributeBlocks } from './check/xattrs.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { FT, SUPERBLOCK_OFFSET } from './format.ts';
import { recover } from './recover.ts';
import { parseSuperblock, readSuperblock, withSuperblock } from './superblock.ts';
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
  const { raw } = readSuperblock(mp, undefined);
  const geo = parseSuperblock(raw);
  mp.blockSize = geo.blockSize;
  mp.data = {
    geo,
    sbOffset: SUPERBLOCK_OFFSET,
    inodeTables: new Map(),
    allowFresh: false,
    mayWrite: false,
    journalState: 'none',
  };
  replay(mp, options, tally);
  const c = new Check(mp, options, tally);
  checkSuper(c);
  checkGroups(c);
  checkJournal(c);
  checkOrphans(c);
  checkInodes(c);
  checkAttributeBlocks(c);
  checkDirectories(c);
  checkTree(c);
  checkLinks(c);
  checkAttributeInodes(c);
  checkBitmaps(c);
  return summary(c);
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
  for (const _ of c.inodes.used()) inodesUsed++;
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
