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

/** Other names that chflags(1) knows. */
const synonyms: Readonly<Record<string, string>> = {
  archived: 'arch',
  sappend: 'sappnd',
  schange: 'schg',
  simmutable: 'schg',
  uappend: 'uappnd',
  uchange: 'uchg',
  uimmutable: 'uchg',
};

/** Letters of Linux's chattr(1) for flags that are the same. */
const letters: Readonly<Record<string, number>> = {
  a: FileFlag.SF_APPEND,
  d: FileFlag.UF_NODUMP,
  i: FileFlag.SF_IMMUTABLE,
};

/** Bits to set and bits to take away; all others stay. */
export interface FlagChange {
  readonly set: number;
  readonly clear: number;
}

const EVERY = 0xffff_ffff;

/** `schg,nodump`, `noschg`, `0`, an octal number; chattr's `+i`, `-a`, `=d`. undefined: it is none. */
export function parseFlags(text: string): FlagChange | undefined {
  if (/^[0-7]+$/.test(text)) {
    const set = Number.parseInt(text, 8);
    return set <= EVERY ? { set, clear: EVERY } : undefined;
  }
  const [, op, chosen = ''] = /^([-+=])([adi]+)$/.exec(text) ?? [];
  if (op !== undefined) {
    const bits = [...chosen].reduce((mask, letter) => mask | (letters[letter] ?? 0), 0);
    return op === '+' ? { set: bits, clear: 0 } : { set: op === '-' ? 0 : bits, clear: op === '-' ? bits : EVERY };
  }
  let [set, clear] = [0, 0];
  for (const word of text.split(',')) {
    const bit = bitOf(word);
    // The name of one begins with `no`: `dump` takes it away.
    const taken = bit !== undefined ? undefined : word === 'dump' ? bitOf('nodump') : bitOf(word.replace(/^no/, ''));
    if (bit === undefined && taken === undefined) return undefined;
    set = (set | (bit ?? 0)) & ~(taken ?? 0);
    clear = (clear | (taken ?? 0)) & ~(bit ?? 0);
  }
  return { set, clear };
}

function bitOf(word: string): number | undefined {
  const name = synonyms[word] ?? word;
  return words.find(([, known]) => known === name)?.[0];
}
