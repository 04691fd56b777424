/**
 * Making a new ext2, ext3 or ext4 file system: read the options (mkfs/options.ts), plan (mkfs/plan.ts), write the plan
 * (mkfs/write.ts). Defaults, sizes and places are those of mke2fs 1.47.0.
 */
import type { BlockDevice } from '../../dev/blockdev.ts';
import type { MkfsReport, MkfsRequest } from '../../vfs/vfsops.ts';
import { SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE } from './format.ts';
import { readOptions } from './mkfs/options.ts';
import { planMkfs, type MkfsPlan } from './mkfs/plan.ts';
import { writePlan } from './mkfs/write.ts';
import { uuidText } from './variant.ts';

function plan(sizeBytes: number, request: MkfsRequest): MkfsPlan {
  return planMkfs(readOptions(request, sizeBytes), sizeBytes, { sec: request.now.sec, nsec: 0 });
}

const reportOf = ({ o, s, freeClusters, freeInodes, notes }: MkfsPlan): MkfsReport => ({
  uuid: uuidText(o.uuid),
  blockSize: o.blockSize,
  sizeBytes: s.blocks * o.blockSize,
  freeBytes: freeClusters * o.clusterBlocks * o.blockSize,
  files: s.inodes,
  freeFiles: freeInodes,
  notes,
});

export const planOnly = (sizeBytes: number, request: MkfsRequest): MkfsReport => reportOf(plan(sizeBytes, request));

export function mkfs(device: BlockDevice, request: MkfsRequest): MkfsReport {
  const planned = plan(device.sizeBytes, request);
  // Applied last, so that nothing unfinished is taken for a file system; of a new one there is no old state to mark.
  device.superblock({
    extent: { offset: SUPERBLOCK_OFFSET, length: SUPERBLOCK_SIZE },
    dirtyMark: () => undefined,
  });
  writePlan(planned, device, { blank: request.blank });
  return reportOf(planned);
}
