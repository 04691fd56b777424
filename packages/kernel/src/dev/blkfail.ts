/**
 * RUMP_BLKFAIL and RUMP_BLKFAIL_SEED: a disk that fails so many of 10,000 requests with EIO, the same ones each time.
 * Source: rump(7) and the behaviour of rumpblk.
 */
import { FsError } from '../kern/errno.ts';
import type { BlockDevice } from './blockdev.ts';

/** Requests out of which `failures` fail. */
const OUT_OF = 10_000;

export interface BlockFailures {
  readonly failures: number;
  readonly seed: number;
}

/** What the two parameters ask for; undefined: nothing. EINVAL for what is no number in range. */
export function blockFailures(param: (name: string) => string | undefined): BlockFailures | undefined {
  const text = param('RUMP_BLKFAIL');
  if (text === undefined || text === '' || text === '0') return undefined;
  const number = (name: string, value: string, most: number): number => {
    const n = Number(value);
    if (!/^\d+$/.test(value) || n > most)
      throw new FsError('EINVAL', { op: 'boot', what: `${name}=${value}: 0 to ${most}` });
    return n;
  };
  return {
    failures: number('RUMP_BLKFAIL', text, OUT_OF),
    seed: number('RUMP_BLKFAIL_SEED', param('RUMP_BLKFAIL_SEED') || '0', 0xffffffff),
  };
}

/** The device with failures: each read and write draws from one deterministic sequence. */
export function failingDevice(device: BlockDevice, { failures, seed }: BlockFailures): BlockDevice {
  let state = seed >>> 0;
  const draw = (op: string, offset: number): void => {
    // A linear congruential generator (Numerical Recipes' constants); the high bits are the good ones.
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    if (Math.floor((state / 0x1_0000_0000) * OUT_OF) < failures)
      throw new FsError('EIO', { op, offset, what: 'RUMP_BLKFAIL' });
  };
  return {
    sectorSize: device.sectorSize,
    get sizeBytes() {
      return device.sizeBytes;
    },
    get readOnly() {
      return device.readOnly;
    },
    read(dst, offset) {
      draw('read', offset);
      device.read(dst, offset);
    },
    write(src, offset) {
      draw('write', offset);
      device.write(src, offset);
    },
    fresh: (extent) => device.fresh(extent),
    released: (extent) => device.released(extent),
    isReleased: (extent) => device.isReleased(extent),
    superblock: (hint) => device.superblock(hint),
  };
}
