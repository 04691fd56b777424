/** chflags(1) flags as words. Source: NetBSD chflags(1). */
import { FileFlag } from 'ukfs';

const words: readonly (readonly [number, string])[] = [
  [FileFlag.SF_ARCHIVED, 'arch'],
  [FileFlag.SF_APPEND, 'sappnd'],
  [FileFlag.SF_IMMUTABLE, 'schg'],
  [FileFlag.SF_SNAPSHOT, 'snap'],
  [FileFlag.UF_APPEND, 'uappnd'],
  [FileFlag.UF_IMMUTABLE, 'uchg'],
  [FileFlag.UF_NODUMP, 'nodump'],
  [FileFlag.UF_OPAQUE, 'opaque'],
];

/** `schg,nodump`; `-` when none is set. */
export function flagsText(flags: number): string {
  const set = words.filter(([bit]) => (flags & bit) !== 0).map(([, word]) => word);
  return set.length === 0 ? '-' : set.join(',');
}

/** The bits that words mean, `no` before one clears it: `schg,nonodump`. undefined: one is no flag. */
export function flagBits(text: string): { readonly set: number; readonly clear: number } | undefined {
  let set = 0;
  let clear = 0;
  for (const word of text.split(',')) {
    const bitOf = (name: string): number | undefined => words.find(([, known]) => known === name)?.[0];
    const plain = bitOf(word);
    const negated = word.startsWith('no') ? bitOf(word.slice(2)) : undefined;
    // `dump` is the opposite of nodump.
    const bit = plain ?? (word === 'dump' ? undefined : negated);
    if (bit === undefined && word !== 'dump') return undefined;
    if (plain !== undefined) set |= plain;
    else clear |= bit ?? FileFlag.UF_NODUMP;
  }
  return { set, clear };
}
