/** What the word at the end of a line of ours may become: verbs, options, paths in the image as it is with what is staged. */
import type { Ukfs } from 'ukfs';
import { optionsOf, shapeOf } from '../command.ts';
import { commandNames, loadCommand } from '../commands/index.ts';
import { quoted, typedWords } from '../complete/line.ts';
import { completePath } from '../complete/path.ts';
import type { Completions } from '../host-terminal.ts';

/** The last word as it is typed, quotes and all. */
const LAST_WORD = /(?:[^\s\\'";]|\\.?|'[^']*'?|"[^"]*"?)*$/;

export async function completeLine(
  line: string,
  around: { readonly dir: string; readonly builtins: Iterable<string>; fs(): Promise<Ukfs> },
): Promise<Completions> {
  const instead = LAST_WORD.exec(line)?.[0] ?? '';
  const typed = typedWords(line.slice(line.lastIndexOf(';') + 1), '');
  const { value: word = '', quote = '' } = typed.at(-1) ?? {};
  const words = typed.slice(0, -1).map(({ value }) => value);
  const [verb] = words;
  if (verb === undefined) {
    const verbs = [...commandNames(), ...around.builtins].filter((name) => name.startsWith(word));
    return { words: verbs.sort().map((name) => `${name} `), instead };
  }
  if (word.startsWith('-')) {
    const command = await loadCommand(verb.replace(/^-/, ''));
    const options = command === undefined ? [] : optionsOf(command).flatMap((spec) => shapeOf(spec).long ?? []);
    return { words: options.map((name) => `--${name}`).filter((option) => option.startsWith(word)), instead };
  }
  const found = completeInImage(await around.fs(), around.dir, word);
  return {
    words: found.map(({ path, isDir }) => `${quote}${quoted(path, quote)}${isDir ? '' : `${quote} `}`),
    instead,
  };
}

/** Paths in the image that begin as `word` does, relative ones from `dir`. */
function completeInImage(
  fs: Ukfs,
  dir: string,
  word: string,
): readonly { readonly path: string; readonly isDir: boolean }[] {
  const before = word.startsWith('/') ? '' : `${dir.replace(/\/$/, '')}/`;
  return completePath(fs, before + word).map(({ word: path, more }) => ({
    path: path.slice(before.length),
    isDir: more,
  }));
}
