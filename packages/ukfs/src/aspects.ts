/** What of two files is compared, and what of it two sides can tell. */
import type { Timespec } from '@ukfs/kernel';
import type { Ukfs } from './handle.ts';
import type { TreeStat } from './tree.ts';

/**
 * `content` of a file, `target` of a link, `rdev` of a device; `links`: which of the names compared are one file; `nlink`:
 * the count of all its names; `holes`: where a file has none of its bytes stored.
 */
export const aspects = [
  'content',
  'target',
  'rdev',
  'mode',
  'owner',
  'mtime',
  'birthtime',
  'flags',
  'xattrs',
  'links',
  'nlink',
  'holes',
] as const;
export type Aspect = (typeof aspects)[number];

/** Everything that makes a file what it is. Its time of birth, the count of its names and its holes do not. */
export const usualAspects: ReadonlySet<Aspect> = new Set(
  aspects.filter((aspect) => aspect !== 'birthtime' && aspect !== 'nlink' && aspect !== 'holes'),
);

/** What an image tells of its files, and how exactly it knows the time. */
export function aspectsOf({ traits }: Ukfs): { readonly tells: ReadonlySet<Aspect>; readonly grainNs: number } {
  const without = new Set<Aspect>([
    ...(traits.owners ? [] : (['owner'] as const)),
    ...(traits.xattr ? [] : (['xattrs'] as const)),
    ...(traits.flags === 0 ? (['flags'] as const) : []),
  ]);
  return { tells: new Set(aspects.filter((aspect) => !without.has(aspect))), grainNs: traits.timeGranularityNs };
}

const SECOND = 1e9;

/** Times are the same when the coarser of two clocks cannot tell them apart. */
function timesDiffer(a: Timespec, b: Timespec, grainNs: number): boolean {
  const seconds = b.sec - a.sec;
  if (Math.abs(seconds) > grainNs / SECOND + 1) return true;
  return Math.abs(seconds * SECOND + b.nsec - a.nsec) >= Math.max(1, grainNs);
}

/** What differs of two files of one type, so far as their attributes tell. */
export function* attributesThatDiffer(a: TreeStat, b: TreeStat, grainNs: number): Generator<Aspect> {
  if (a.rdev?.major !== b.rdev?.major || a.rdev?.minor !== b.rdev?.minor) yield 'rdev';
  // A link's own permissions mean nothing.
  if (a.mode !== b.mode && a.type !== 'lnk') yield 'mode';
  if (a.uid !== b.uid || a.gid !== b.gid) yield 'owner';
  if (timesDiffer(a.mtime, b.mtime, grainNs)) yield 'mtime';
  const born = [a.birthtime, b.birthtime] as const;
  if (born[0] !== undefined && born[1] !== undefined && timesDiffer(born[0], born[1], grainNs)) yield 'birthtime';
  if (a.flags !== b.flags) yield 'flags';
  if (a.type !== 'dir' && a.nlink !== b.nlink) yield 'nlink';
}

export function xattrsDiffer(a: ReadonlyMap<string, Uint8Array>, b: ReadonlyMap<string, Uint8Array>): boolean {
  if (a.size !== b.size) return true;
  for (const [name, value] of a) {
    const other = b.get(name);
    if (other?.length !== value.length || value.some((byte, i) => byte !== other[i])) return true;
  }
  return false;
}
