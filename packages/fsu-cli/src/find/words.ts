/**
 * Which words of find's command line are whose: options for the parser, paths, and the expression. Words of the expression look
 * like options and their arguments may be anything, so that this must know how many each takes. The image options (`--json`)
 * may stand anywhere, also between the words of the expression.
 */
import { shapeOf } from '../command.ts';
import type { OptionSpec } from '../command.ts';

/** How many arguments a primary takes; `?`: a number, if one follows. */
type Arity = 0 | 1 | 2 | '?';

const arities: Readonly<Record<string, Arity>> = {
  ...each(0, [
    ...['a', 'and', 'd', 'daystart', 'delete', 'empty', 'executable', 'false', 'follow', 'ignore_readdir_race', 'ls'],
    ...['mount', 'nogroup', 'noignore_readdir_race', 'noleaf', 'not', 'nouser', 'nowarn', 'o', 'or', 'print', 'print0'],
    ...['printx', 'prune', 'quit', 'readable', 'rm', 'true', 'warn', 'writable', 'xdev'],
  ]),
  ...each(1, [
    ...['amin', 'anewer', 'atime', 'cmin', 'cnewer', 'ctime', 'flags', 'fls', 'fprint', 'fprint0', 'fstype', 'gid'],
    ...['group', 'ilname', 'iname', 'inum', 'ipath', 'iregex', 'iwholename', 'links', 'lname', 'maxdepth', 'mindepth'],
    ...['mmin', 'mtime', 'name', 'newer', 'path', 'perm', 'printf', 'regex', 'regextype', 'samefile', 'size', 'type'],
    ...['uid', 'user', 'wholename', 'xtype'],
  ]),
  fprintf: 2,
  depth: '?',
  exit: '?',
};

function each(arity: Arity, names: readonly string[]): Record<string, Arity> {
  return Object.fromEntries(names.map((name) => [name, arity]));
}

export const primaryNames = (): readonly string[] => [...Object.keys(arities), 'newerXY'];

/** undefined: there is no such primary. `word` with its `-`. */
export function arityOf(word: string): Arity | undefined {
  if (/^-newer[aBcm][aBcmt]$/.test(word)) return 1;
  const name = word.slice(1);
  return Object.hasOwn(arities, name) ? arities[name] : undefined;
}

export const isNumberWord = (word: string | undefined): boolean => word !== undefined && /^[+-]?\d+$/.test(word);

interface FindWords {
  readonly words: readonly string[];
  readonly own: readonly string[];
}

/** find's own short options, which stand before the paths: NetBSD's, and GNU's -O and -D. */
const LEADING = /^-(?:[EHLPXdhsx]+|[EHLPXdhsx]*f.*|O\d?|D.*)$/;

export function splitFindWords(words: readonly string[], options: readonly OptionSpec[]): FindWords {
  const common: string[] = [];
  const own: string[] = [];
  const takesNext = new Set(
    options.map(shapeOf).flatMap(({ long, takes }) => (long !== undefined && takes === 'value' ? [`--${long}`] : [])),
  );
  let at = 0;
  const long = (word: string): boolean => {
    if (!word.startsWith('--') || word === '--') return false;
    common.push(word);
    if (takesNext.has(word) && at < words.length) common.push(words[at++] ?? '');
    return true;
  };
  // Options, then paths.
  let paths = false;
  while (at < words.length) {
    const word = words[at] ?? '';
    if (word === '--' && !paths) paths = true;
    else if (!word.startsWith('-') || word === '-') {
      if (word === '(' || word === '!' || word === ')' || word === ',') break;
      paths = true;
      common.push(word);
    } else if (word.startsWith('--')) {
      at++;
      long(word);
      continue;
    } else if (paths || !LEADING.test(word)) break;
    else {
      common.push(word);
      if (/^-(?:[EHLPXdhsx]*f|D)$/.test(word) && at + 1 < words.length) common.push(words[++at] ?? '');
    }
    at++;
  }
  while (at < words.length) {
    const word = words[at++] ?? '';
    if (long(word)) continue;
    own.push(word);
    const arity = word.startsWith('-') ? arityOf(word) : undefined;
    const count = arity === '?' ? (isNumberWord(words[at]) ? 1 : 0) : (arity ?? 0);
    for (let i = 0; i < count && at < words.length; i++) own.push(words[at++] ?? '');
  }
  return { words: common, own };
}
