/**
 * Wildcards in a script's words: which characters of a word are some, and the names in an image that a word then means.
 * An unquoted `*`, `?` or `[` is marked by a code unit that no name string holds alone (kernel name.ts: bytes are U+DC80 …), so
 * that words stay strings on their way through the reading of options.
 */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { globTest } from '../format/glob.ts';

const CHARS = '*?[';
const FIRST_MARK = 0xdc00;
const MARKS = /(?<![\ud800-\udbff])[\udc00-\udc02]/g;
const HAS_MARK = /(?<![\ud800-\udbff])[\udc00-\udc02]/;

/** The mark of a wildcard character. */
export const marked = (char: string): string => String.fromCharCode(FIRST_MARK + CHARS.indexOf(char));

export const hasWildcard = (word: string): boolean => HAS_MARK.test(word);

/** The word as it was typed, its wildcards characters again. */
export const plainText = (word: string): string =>
  HAS_MARK.test(word) ? word.replace(MARKS, (mark) => CHARS.charAt(mark.charCodeAt(0) - FIRST_MARK)) : word;

/**
 * The names a word with wildcards means, sorted; relative ones as they are seen from `dir`. Errors: ENOENT, there is none. As in a
 * shell, a wildcard matches no slash and no leading dot.
 */
export function expandWildcards(fs: Ukfs, dir: string, word: string): readonly string[] {
  const parts = word.split(/(\/+)/);
  let found = [''];
  for (let i = 0; i < parts.length; i += 2) {
    const part = parts[i] ?? '';
    const before = i === 0 ? '' : (parts[i - 1] ?? '');
    const next: string[] = [];
    for (const base of found) {
      const path = base + before;
      if (!hasWildcard(part)) next.push(path + part);
      else for (const name of namesIn(fs, path === '' ? dir : absolute(dir, path), part)) next.push(path + name);
    }
    found = next;
  }
  // What stands behind the last wildcard was not looked at yet.
  const names = found.filter((path) => exists(fs, absolute(dir, path)));
  if (names.length === 0) throw new FsError('ENOENT', { what: `nothing matches '${plainText(word)}'` });
  return names.sort();
}

const absolute = (dir: string, path: string): string => (path.startsWith('/') ? path : `${dir}/${path}`);

/** Errors that say there is nothing: as in a shell, what cannot be looked into has no names. */
const ABSENT = new Set(['ENOENT', 'ENOTDIR', 'ELOOP', 'ENAMETOOLONG']);

function orAbsent<T>(look: () => T, absent: T): T {
  try {
    return look();
  } catch (thrown) {
    if (thrown instanceof FsError && ABSENT.has(thrown.code)) return absent;
    throw thrown;
  }
}

const exists = (fs: Ukfs, path: string): boolean => orAbsent(() => (fs.lstat(path), true), false);

function namesIn(fs: Ukfs, dir: string, part: string): readonly string[] {
  const matches = matcher(part);
  const names: string[] = [];
  const fd = orAbsent(() => fs.opendir(dir), undefined);
  if (fd === undefined) return names;
  try {
    for (let some = fs.getdents(fd); some.length > 0; some = fs.getdents(fd)) {
      for (const { name } of some) if (matches(name)) names.push(name);
    }
  } finally {
    fs.close(fd);
  }
  return names;
}

/** Does a name match? As in a shell, a dot in front is matched by a dot alone. */
export function matcher(part: string): (name: string) => boolean {
  const test = globTest(patternOf(part));
  return part.startsWith('.') ? test : (name) => !name.startsWith('.') && test(name);
}

/** The pattern as fnmatch(3) has it: what is no wildcard is escaped. */
const patternOf = (part: string): string =>
  [...part].map((char) => (hasWildcard(char) ? plainText(char) : /[\\*?[]/.test(char) ? `\\${char}` : char)).join('');
