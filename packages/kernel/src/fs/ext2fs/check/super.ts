/**
 * The superblock beyond what every reader demands (superblock.ts): features that a checker has to know, numbers that
 * no mount looks at, the copies. Spec: "Super Block".
 */
import { UnsupportedError } from '../../../kern/errno.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../features.ts';
import { SUPERBLOCK_SIZE, Superblock, type SuperblockView } from '../format.ts';
import { groupFirstBlock, groupHasSuper, hasCompat, hasIncompat, hasRoCompat, withSuperblock } from '../superblock.ts';
import type { Check } from './state.ts';
import { dropOrphanFile, editSuper } from './super-edit.ts';

/** Bits whose rules we do not know, though a reader may ignore them. */
const UNCHECKED = {
  compat: COMPAT.LAZY_BG | COMPAT.EXCLUDE_INODE | COMPAT.EXCLUDE_BITMAP,
  roCompat: RO_COMPAT.BTREE_DIR | RO_COMPAT.HAS_SNAPSHOT | RO_COMPAT.REPLICA,
} as const;
const sum = (bits: Readonly<Record<string, number>>): number => Object.values(bits).reduce((all, bit) => all | bit, 0);
const CHECKED_COMPAT = sum(COMPAT) & ~UNCHECKED.compat;
const CHECKED_RO_COMPAT = sum(RO_COMPAT) & ~UNCHECKED.roCompat;
const REVISION_MAX = 1;
const DESC_SIZE_MAX = 1024;

/** UnsupportedError for a feature whose structures we could not check. */
export function checkFeatures(sb: SuperblockView): void {
  const unknown = [
    ['compat', (sb.featureCompat & ~CHECKED_COMPAT) >>> 0],
    ['ro_compat', (sb.featureRoCompat & ~CHECKED_RO_COMPAT) >>> 0],
  ] as const;
  for (const [set, bits] of unknown) {
    if (bits !== 0) throw new UnsupportedError(`${set} feature 0x${bits.toString(16)} cannot be checked`);
  }
  if (sb.revLevel > REVISION_MAX) throw new UnsupportedError(`revision ${sb.revLevel}`);
}

export function checkSuper(c: Check): void {
  withSuperblock(c.mp, (sb) => {
    checkFeatures(sb);
    checkNumbers(c, sb);
    checkCombinations(c);
    if (c.geo.blocks * c.geo.blockSize > c.device.sizeBytes) {
      c.report({ code: 'device-size', message: `${c.geo.blocks} blocks do not fit on ${c.device.sizeBytes} bytes` });
    }
  });
  checkCopies(c);
}

type Edit = (sb: SuperblockView) => void;
const bad = (c: Check, message: string, edit: Edit): void =>
  void c.report({ code: 'super', message }, () => editSuper(c.mp, edit));

function checkNumbers(c: Check, sb: SuperblockView): void {
  const { geo } = c;
  const high = hasIncompat(geo, INCOMPAT.BIT64) ? sb.rBlocksCountHi * 0x1_0000_0000 : 0;
  const reserved = sb.rBlocksCountLo + high;
  if (reserved > geo.blocks / 2) {
    bad(c, `${reserved} blocks are reserved`, (edited) => {
      edited.rBlocksCountLo = 0;
      edited.rBlocksCountHi = 0;
    });
  }
  if (!hasRoCompat(geo, RO_COMPAT.BIGALLOC)) {
    if (sb.logClusterSize !== sb.logBlockSize) {
      bad(c, `clusters of 2^(10+${sb.logClusterSize}) bytes without bigalloc`, (edited) => {
        edited.logClusterSize = edited.logBlockSize;
      });
    }
    if (sb.clustersPerGroup !== sb.blocksPerGroup) {
      bad(c, `${sb.clustersPerGroup} clusters per group without bigalloc`, (edited) => {
        edited.clustersPerGroup = edited.blocksPerGroup;
      });
    }
  }
  const { descSize } = sb;
  if (descSize > DESC_SIZE_MAX || (descSize & (descSize - 1)) !== 0) {
    bad(c, `descriptor size ${descSize}`, (edited) => (edited.descSize = 0));
  }
}

function checkCombinations(c: Check): void {
  const { geo } = c;
  if (hasCompat(geo, COMPAT.ORPHAN_FILE) && !hasCompat(geo, COMPAT.HAS_JOURNAL)) {
    c.report({ code: 'super', message: 'orphan_file without a journal' }, () => dropOrphanFile(c));
  }
  if (hasIncompat(geo, INCOMPAT.CSUM_SEED) && !geo.metadataCsum) {
    bad(c, 'metadata_csum_seed without metadata_csum', (sb) => (sb.featureIncompat &= ~INCOMPAT.CSUM_SEED));
  }
  if (hasCompat(geo, COMPAT.RESIZE_INODE) && hasIncompat(geo, INCOMPAT.META_BG)) {
    bad(c, 'features resize_inode and meta_bg exclude each other', (sb) => (sb.featureCompat &= ~COMPAT.RESIZE_INODE));
  }
  if (geo.metadataCsum && hasRoCompat(geo, RO_COMPAT.GDT_CSUM)) {
    bad(
      c,
      'features metadata_csum and uninit_bg exclude each other',
      (sb) => (sb.featureRoCompat &= ~RO_COMPAT.GDT_CSUM),
    );
  }
}

/** What must be the same in every copy. Their counters and states are old by nature. */
const FIXED = [
  'magic',
  'blocksCountLo',
  'logBlockSize',
  'blocksPerGroup',
  'inodesPerGroup',
  'inodesCount',
  'inodeSize',
  'descSize',
  'firstDataBlock',
] as const;

function checkCopies(c: Check): void {
  const { geo } = c;
  const raw = new Uint8Array(SUPERBLOCK_SIZE);
  withSuperblock(c.mp, (sb) => {
    for (let group = 1; group < geo.groups; group++) {
      if (!groupHasSuper(geo, group)) continue;
      const block = groupFirstBlock(geo, group);
      if ((block + 1) * geo.blockSize > c.device.sizeBytes) continue;
      c.device.read(raw, block * geo.blockSize);
      const copy = Superblock.at(raw, 0);
      const differs = FIXED.find((field) => copy[field] !== sb[field]);
      if (differs === undefined) continue;
      c.report({
        code: 'super-copy',
        severity: 'note',
        message: `copy of the superblock with another ${differs}`,
        where: { group, block },
      });
    }
  });
}

/** Once all files are known. */
export function checkLargeFile(c: Check): void {
  if (!c.hasLargeFiles || hasRoCompat(c.geo, RO_COMPAT.LARGE_FILE)) return;
  c.report({ code: 'super', message: 'files of 2 GiB or more without large_file', repair: 'safe' }, () =>
    editSuper(c.mp, (sb) => (sb.featureRoCompat |= RO_COMPAT.LARGE_FILE)),
  );
}
