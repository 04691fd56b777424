/**
 * The superblock to go by: the primary, or when that is damaged the first copy that is sound, which then replaces it if
 * repairs are wanted. Copies lie where the block size puts them, which nobody knows while the primary cannot be read.
 */
import { CorruptError, FsError } from '../../../kern/errno.ts';
import type { CheckOptions } from '../../../vfs/check.ts';
import type { Mount } from '../../../vfs/mount.ts';
import { EXT2_MAGIC, SUPERBLOCK_OFFSET, SUPERBLOCK_SIZE, Superblock } from '../format.ts';
import { parseSuperblock, readSuperblock, superblockChecksum } from '../superblock.ts';
import type { Tally } from './state.ts';

/** Groups that hold a copy under every rule about which do. */
const GROUPS = [1, 3, 5, 7, 9] as const;
const BLOCK_SIZES = [1024, 2048, 4096, 8192, 16384, 32768, 65536] as const;

interface FoundSuper {
  readonly raw: Uint8Array;
  readonly offset: number;
}

/** Errors: CorruptError no sound one anywhere; EFTYPE; UnsupportedError. */
export function findSuperblock(mp: Mount, options: CheckOptions, tally: Tally): FoundSuper {
  const primary = readSuperblock(mp, undefined);
  let damage: FsError;
  try {
    parseSuperblock(primary.raw);
    return primary;
  } catch (e) {
    const mayHaveCopies = e instanceof CorruptError || (e instanceof FsError && e.code === 'EFTYPE');
    if (!mayHaveCopies) throw e;
    damage = e;
  }
  const copy = soundCopy(mp) ?? withoutChecksum(primary.raw);
  if (copy === undefined) throw damage;
  const repaired = options.repair === 'all';
  tally.errors++;
  const help =
    copy.offset === SUPERBLOCK_OFFSET ? 'all else in it makes sense' : `the copy at byte ${copy.offset} is sound`;
  const message = `${damage.message}; ${help}`;
  options.report({ code: 'super', severity: 'error', where: {}, message, repair: 'risky', repaired });
  if (!repaired) {
    tally.left++;
    return copy;
  }
  tally.repaired++;
  const raw = asPrimary(copy.raw);
  mp.device.write(raw, SUPERBLOCK_OFFSET);
  return { raw, offset: SUPERBLOCK_OFFSET };
}

/** The primary, if nothing is wrong with it but its checksum. */
function withoutChecksum(primary: Uint8Array): FoundSuper | undefined {
  const raw = primary.slice();
  Superblock.at(raw, 0).checksum = superblockChecksum(raw);
  try {
    parseSuperblock(raw);
    return { raw, offset: SUPERBLOCK_OFFSET };
  } catch (e) {
    if (e instanceof FsError) return undefined;
    throw e;
  }
}

function soundCopy(mp: Mount): FoundSuper | undefined {
  const raw = new Uint8Array(SUPERBLOCK_SIZE);
  for (const blockSize of BLOCK_SIZES) {
    const first = blockSize === 1024 ? 1 : 0;
    for (const group of GROUPS) {
      const offset = (group * blockSize * 8 + first) * blockSize;
      if (offset + SUPERBLOCK_SIZE > mp.device.sizeBytes) break;
      mp.device.read(raw, offset);
      const sb = Superblock.at(raw, 0);
      if (sb.magic !== EXT2_MAGIC || 1024 * 2 ** sb.logBlockSize !== blockSize || sb.blockGroupNr !== group) continue;
      try {
        parseSuperblock(raw);
        return { raw, offset };
      } catch (e) {
        if (!(e instanceof FsError)) throw e;
      }
    }
  }
  return undefined;
}

function asPrimary(copy: Uint8Array): Uint8Array {
  const raw = copy.slice();
  const sb = Superblock.at(raw, 0);
  const hadChecksum = sb.checksum === superblockChecksum(raw);
  sb.blockGroupNr = 0;
  if (hadChecksum) sb.checksum = superblockChecksum(raw);
  return raw;
}
