/** What `--preserve=LIST` and its relatives keep: words of GNU cp, in the order in which they are given. */
import type { CopyOptions } from 'ukfs';
import { UsageError } from '../command.ts';
import type { GivenOption } from '../command.ts';

const WORDS = ['mode', 'ownership', 'timestamps', 'links', 'xattr', 'flags'] as const;
type Word = (typeof WORDS)[number];

/** As -p: what stat(2) tells, and chflags(2). */
const USUAL: readonly Word[] = ['mode', 'ownership', 'timestamps', 'flags'];

/** UsageError: a word that is none. */
export function preserved(options: readonly GivenOption[]): ReadonlySet<Word> {
  const kept = new Set<Word>();
  for (const { name, value } of options) {
    if (name === 'p') for (const word of USUAL) kept.add(word);
    else if (name === 'archive') for (const word of WORDS) kept.add(word);
    else if (name === 'd') kept.add('links');
    else if (name === 'preserve') for (const word of wordsOf(value)) kept.add(word);
    else if (name === 'no-preserve') for (const word of wordsOf(value)) kept.delete(word);
  }
  // NetBSD's: flags are not kept.
  if (options.some(({ name }) => name === 'N')) kept.delete('flags');
  return kept;
}

function wordsOf(list: string): readonly Word[] {
  return list.split(',').flatMap((word) => {
    if (word === 'all') return WORDS;
    // SELinux contexts are extended attributes.
    if (word === 'context') return ['xattr'];
    const known = WORDS.find((each) => each === word);
    if (known === undefined)
      throw new UsageError(`'${word}' cannot be kept; these can: ${[...WORDS, 'context', 'all'].join(', ')}`);
    return known;
  });
}

/** An ACL is the mode's other half. */
const isAcl = (name: string): boolean => name.startsWith('system.posix_acl_');

export const keepOf = (kept: ReadonlySet<Word>): NonNullable<CopyOptions['keep']> => ({
  owner: kept.has('ownership'),
  mode: kept.has('mode'),
  times: kept.has('timestamps'),
  flags: kept.has('flags'),
  links: kept.has('links'),
  xattrs: kept.has('xattr') || (kept.has('mode') && isAcl),
});
