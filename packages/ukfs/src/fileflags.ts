/** chflags(2) flags as the words of chflags(1), and of the fflags that libarchive writes. Source: NetBSD chflags(1). */
import { FileFlag } from '@ukfs/kernel';

/** The first word of each flag is the one that is written. */
const FLAGS: readonly (readonly [bit: number, ...words: string[]])[] = [
  [FileFlag.SF_ARCHIVED, 'arch', 'archived'],
  [FileFlag.SF_APPEND, 'sappnd', 'sappend'],
  [FileFlag.SF_IMMUTABLE, 'schg', 'schange', 'simmutable'],
  [FileFlag.SF_SNAPSHOT, 'snap', 'snapshot'],
  [FileFlag.UF_APPEND, 'uappnd', 'uappend'],
  [FileFlag.UF_IMMUTABLE, 'uchg', 'uchange', 'uimmutable'],
  [FileFlag.UF_NODUMP, 'nodump'],
  [FileFlag.UF_OPAQUE, 'opaque'],
];

/** `schg,nodump`; '' when none is set. */
export const fflagsText = (flags: number): string =>
  FLAGS.filter(([bit]) => (flags & bit) !== 0)
    .map(([, word]) => word)
    .join(',');

/** The flags that are named; `none`, words that take one away and words that nobody knows name none. */
export function fflagsOf(text: string): number {
  let flags = 0;
  for (const word of text.split(',')) {
    const found = FLAGS.find(([, ...words]) => words.includes(word.trim()));
    if (found !== undefined) flags |= found[0];
  }
  return flags;
}
