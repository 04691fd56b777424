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
