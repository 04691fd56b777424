/** What `fsu info` tells of a mounted ext2/3/4: its features and what we do with them, sizes, times, the journal. */
import { FsError } from '../../kern/errno.ts';
import type { Mount } from '../../vfs/mount.ts';
import { SPACE_PARTS } from '../../vfs/vfsops.ts';
import type { FeatureReport, FsInfo, SpacePart } from '../../vfs/vfsops.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { FEATURES, INCOMPAT } from './features.ts';
import { STATE, type SuperblockView } from './format.ts';
import { countFree, withGroup } from './group.ts';
import { openLog } from './journal.ts';
import { groupBlocks, hasIncompat, withSuperblock, type Geometry } from './superblock.ts';
import { textField, uuidText, variantOf } from './variant.ts';

const HASHES = ['legacy', 'half_md4', 'tea', 'legacy_unsigned', 'half_md4_unsigned', 'tea_unsigned', 'siphash'];

/** Known features in the format's order, then bits that nobody here has a name for. */
function featureReport(geo: Geometry): FeatureReport[] {
  const report: FeatureReport[] = FEATURES.map((f) => ({ ...f, present: (geo[f.set] & f.bit) >>> 0 !== 0 }));
  for (const set of ['compat', 'incompat', 'roCompat'] as const) {
    for (let bit = 1, i = 0; i < 32; i++, bit = (bit << 1) >>> 0) {
      if ((geo[set] & bit) >>> 0 === 0 || FEATURES.some((f) => f.set === set && f.bit === bit)) continue;
      const write = set === 'compat' ? true : 'unknown feature';
      report.push({ name: `0x${bit.toString(16)}`, set, bit, present: true, read: true, write });
    }
  }
  return report;
}

function stateText(state: number): string {
  const words = [(state & STATE.VALID) !== 0 ? 'clean' : 'not clean'];
  if ((state & STATE.ERROR) !== 0) words.push('with errors');
  if ((state & STATE.ORPHAN) !== 0) words.push('orphans being removed');
  return words.join(', ');
}

/** RFC 3339, or '' for never. The superblock keeps 32 bits and eight more. */
function timeText(low: number, high: number): string {
  const seconds = low + high * 0x1_0000_0000;
  return seconds === 0 ? '' : `${new Date(seconds * 1000).toISOString().slice(0, 19)}Z`;
}

/** Of a journal in the file system; what is wrong with it does not hide the rest. */
function journalDetails(mp: Mount<Ext2Mount>): Record<string, string | number> {
  if (mp.data.geo.journalInum === 0) return {};
  try {
    const { total, blockSize, start, sequence } = openLog(mp);
    return { journalSize: total * blockSize, journalSequence: sequence, journalStart: start };
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
    return { journalProblem: e.message };
  }
}

function details(mp: Mount<Ext2Mount>, sb: SuperblockView): Record<string, string | number | boolean> {
  const { geo, journalState } = mp.data;
  const free = countFree(mp);
  const high = hasIncompat(geo, INCOMPAT.BIT64) ? sb.rBlocksCountHi * 0x1_0000_0000 : 0;
  return {
    state: stateText(sb.state),
    journal: journalState,
    ...journalDetails(mp),
    blockSize: geo.blockSize,
    clusterSize: geo.clusterBlocks * geo.blockSize,
    blocks: geo.blocks,
    freeBlocks: free.clusters * geo.clusterBlocks,
    reservedBlocks: sb.rBlocksCountLo + high,
    inodes: geo.inodes,
    freeInodes: free.inodes,
    inodeSize: geo.inodeSize,
    groups: geo.groups,
    blocksPerGroup: geo.blocksPerGroup,
    inodesPerGroup: geo.inodesPerGroup,
    descriptorSize: geo.descSize,
    revision: geo.revLevel,
    directoryHash: HASHES[geo.defHashVersion] ?? `${geo.defHashVersion}`,
    lastMountedOn: textField(sb.lastMounted),
    mountCount: sb.mntCount,
    created: timeText(sb.mkfsTime, sb.mkfsTimeHi),
    mounted: timeText(sb.mtime, sb.mtimeHi),
    written: timeText(sb.wtime, sb.wtimeHi),
    checked: timeText(sb.lastcheck, sb.lastcheckHi),
    errors: sb.errorCount,
  };
}

/** By the groups' own counts: neighbours together, so that the parts are few. */
function spaceOf(mp: Mount<Ext2Mount>): SpacePart[] {
  const { geo } = mp.data;
  const per = Math.ceil(geo.groups / SPACE_PARTS);
  const parts: SpacePart[] = [];
  for (let first = 0; first < geo.groups; first += per) {
    let [blocks, free] = [0, 0];
    for (let group = first; group < Math.min(first + per, geo.groups); group++) {
      const size = groupBlocks(geo, group);
      blocks += size;
      free += withGroup(mp, group, (g) => Math.min(g.freeBlocks * geo.clusterBlocks, size));
    }
    parts.push({ sizeBytes: blocks * geo.blockSize, freeBytes: free * geo.blockSize });
  }
  return parts;
}

export function info(mp: Mount<Ext2Mount>): FsInfo {
  return withSuperblock(mp, (sb) => ({
    variant: variantOf(sb),
    label: textField(sb.volumeName),
    uuid: uuidText(sb.uuid),
    features: featureReport(mp.data.geo),
    details: details(mp, sb),
    space: spaceOf(mp),
    notes: [...mp.notes],
    readOnlyReasons: [...mp.readOnlyReasons],
  }));
}
