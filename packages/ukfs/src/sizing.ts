/**
 * The smallest file system that a filling fits in, exactly: by filling one for trial.
 *
 * How many blocks a tree takes is the file system's own affair (extents, directories, hash trees), and it may depend on
 * the size. So a trial is made of the size that is thought right, on a disk that forgets zeros and with data that are all
 * zeros; what it takes says which size is right, until a trial says so of its own size.
 */
import { FsError } from '@ukfs/kernel';
import type { MkfsReport } from '@ukfs/kernel';

/** What a filling takes of a file system. */
export interface Need {
  /** Bytes, in whole blocks. */
  readonly bytes: number;
  readonly files: number;
}

interface Sizing {
  /** What a file system of that size would have, with room for so many files. EINVAL: there can be none. */
  plan(sizeBytes: number, files: number): MkfsReport;
  /** Fill one of that size for trial; undefined: it does not fit. */
  trial(sizeBytes: number, files: number): Need | undefined;
  /** Percent to add to what is needed. */
  readonly more: number;
}

export interface Sized {
  readonly sizeBytes: number;
  readonly files: number;
}

/** The first trial is to succeed. */
const START = 64 * 1024 * 1024 * 1024;
const MAX_TRIALS = 40;
/** A file system counts its blocks in units of this at least. */
const UNIT = 1024;

/** Errors: ENOSPC: no size will do; those of plan and trial. */
export function smallest(sizing: Sizing): Sized {
  let size = START;
  let files = 0;
  let good: number | undefined;
  for (let i = 0; i < MAX_TRIALS; i++) {
    const need = sizing.trial(size, files);
    if (need === undefined) {
      // By the count it should have done.
      if (good !== undefined) return settled(sizing, { low: size, high: good, files });
      size = grown(size);
      continue;
    }
    const found = fitting(sizing, { bytes: plus(need.bytes, sizing.more), files: plus(need.files, sizing.more) });
    if (found.sizeBytes >= size) return found;
    good = size;
    ({ sizeBytes: size, files } = found);
  }
  throw new FsError('ENOSPC', { op: 'mkfs', what: 'no size was found for the contents' });
}

const grown = (size: number): number => Math.ceil((size * 2) / UNIT) * UNIT;
const plus = (n: number, percent: number): number => Math.ceil((n * (100 + percent)) / 100);

/** Between a size that does not do and one that does: a little more is tried first. */
function settled(sizing: Sizing, between: { low: number; high: number; files: number }): Sized {
  const { files } = between;
  let { low, high } = between;
  const unit = sizing.plan(low, files).blockSize;
  for (let step = unit; low + step < high; step *= 2) {
    if (sizing.trial(low + step, files) !== undefined) {
      high = low + step;
      break;
    }
    low += step;
  }
  while (high - low > unit) {
    const middle = low + Math.floor((high - low) / 2 / unit) * unit;
    if (sizing.trial(middle, files) === undefined) low = middle;
    else high = middle;
  }
  return { sizeBytes: high, files };
}

/** The least size whose plan has room: it grows by no more than what is added, so what is missing can be added at once. */
function fitting(sizing: Sizing, need: Need): Sized {
  const { files } = need;
  let size = Math.max(Math.ceil(need.bytes / UNIT) * UNIT, 64 * UNIT);
  const lacks = (at: number): number => {
    try {
      const { freeBytes, freeFiles, blockSize } = sizing.plan(at, files);
      return freeFiles < files ? Math.max(blockSize, need.bytes - freeBytes) : need.bytes - freeBytes;
    } catch (e) {
      if (e instanceof FsError && e.code === 'EINVAL') return UNIT;
      throw e;
    }
  };
  for (let lack = lacks(size); lack > 0; lack = lacks(size)) size += Math.ceil(lack / UNIT) * UNIT;
  // What is cut off at the end, because it is too little for a group, need not be there.
  const { sizeBytes } = sizing.plan(size, files);
  if (sizeBytes < size && lacks(sizeBytes) <= 0) size = sizeBytes;
  while (size > UNIT && lacks(size - UNIT) <= 0) size -= UNIT;
  const { blockSize } = sizing.plan(size, files);
  const whole = Math.ceil(size / blockSize) * blockSize;
  return { sizeBytes: lacks(whole) <= 0 ? whole : size, files };
}
