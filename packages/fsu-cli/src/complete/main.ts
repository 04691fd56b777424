/**
 * `fsu __complete SHELL …`: asked by the scripts of `fsu completion` at each press of a key. Reads, never writes, and is silent
 * whatever goes wrong: a person is typing.
 *
 * Of bash it gets COMP_WORDBREAKS and the line up to the cursor, and answers with what readline is to put behind the last break,
 * each ended by a NUL. Of zsh and fish it gets the words (of fish the last one as typed): zsh gets `SAYS<tab>WORD<nul>` with whole
 * words, fish `WORD<tab>SAYS<lf>`.
 */
import type { Shell } from '../context.ts';
import { debugText } from '../errors.ts';
import { CANDIDATES_MAX } from './candidate.ts';
import type { Candidate } from './candidate.ts';
import { inHome } from './hostpath.ts';
import { quoted, typedWords } from './line.ts';
import type { TypedWord } from './line.ts';
import { complete } from './request.ts';

export async function answer(args: readonly string[], shell: Shell): Promise<void> {
  const [asker = '', ...rest] = args;
  try {
    const words = asker === 'bash' ? typedWords(rest[1] ?? '', rest[0] ?? '') : rest.map(asTyped(asker));
    const said = await candidates(words, shell);
    for (const candidate of said) shell.out.text(spell(asker, candidate, words.at(-1)));
  } catch (thrown) {
    if (shell.env('FSU_DEBUG') !== undefined) shell.err(`${debugText(thrown)}\n`);
  }
}

/** zsh has taken its words apart; fish all but the last one, which is taken so twice unharmed unless it holds a backslash. */
const asTyped =
  (asker: string) =>
  (word: string, at: number, all: readonly string[]): TypedWord => {
    const isRaw = asker === 'fish' && at === all.length - 1;
    return isRaw ? (typedWords(word, '').at(-1) ?? plainWord(word)) : plainWord(word);
  };

const plainWord = (value: string): TypedWord => ({ value, quote: '', kept: 0 });

async function candidates(typed: readonly TypedWord[], shell: Shell): Promise<readonly Candidate[]> {
  const words = typed.map(({ value }) => value);
  // `FSU_TYPE=ext4 fsu ls`: bash hands over what stands before the command as well.
  const start = words.findIndex((word) => !/^\w+=/.test(word));
  const program = (words[start] ?? '').replace(/^.*\//, '');
  const before = words.slice(start + 1, -1).map((word) => inHome(shell, word));
  const found = await complete({ program, words: before, word: words.at(-1) ?? '' }, shell);
  const seen = new Set<string>();
  return found.filter(({ word }) => !seen.has(word) && seen.add(word)).slice(0, CANDIDATES_MAX);
}

function spell(asker: string, { word, says, more }: Candidate, typed: TypedWord | undefined): string {
  if (asker === 'zsh') return `${more ? '+' : ' '}${says}\t${word}\0`;
  // fish separates by lines.
  if (asker === 'fish') return word.includes('\n') ? '' : `${word}${says === '' ? '' : `\t${says}`}\n`;
  const { quote = '', kept = 0 } = typed ?? {};
  // The scripts switch readline's own space off: it would come behind directories, too.
  return `${quoted(word.slice(kept), quote)}${more || quote !== '' ? '' : ' '}\0`;
}
