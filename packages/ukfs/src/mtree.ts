/**
 * BSD mtree specifications: reading them, line by line, and the words they are made of.
 *
 * Both forms are read: names that lead (`./etc/fstab type=file …`), and the older one in which a directory is entered by its
 * line and left by `..`; /set and /unset give what all lines after them have. Nothing here knows a file system.
 * Sources: NetBSD mtree(8) and vis(3), "Special characters"; mtree(5) of libarchive for the names of keywords.
 */
import { FsError, nameFromBytes, nameToBytes } from '@ukfs/kernel';

/** One file that a specification describes. */
export interface MtreeEntry {
  /** Below the root of the tree: `etc/fstab`; '' is the root itself. */
  readonly path: string;
  /** Last component of the path as a shell pattern, when it is one. */
  readonly pattern: string | undefined;
  /** Keywords, those of /set among them; '' for those without a value. */
  readonly keywords: ReadonlyMap<string, string>;
  /** In the specification, from 1. */
  readonly line: number;
}

/** A longer one is no line of a specification: its longest word is a name of 4096 bytes, escaped. */
const LINE_MAX = 256 * 1024;
/** Directories below each other. */
const DEPTH_MAX = 4096;

const bad = (line: number, what: string): FsError =>
  new FsError('EINVAL', { op: 'mtree', what: `specification: line ${line}: ${what}` });

/** Other names of keywords. */
const SYNONYMS: Readonly<Record<string, string>> = {
  md5digest: 'md5',
  rmd160digest: 'rmd160',
  ripemd160digest: 'rmd160',
  sha1digest: 'sha1',
  sha256digest: 'sha256',
  sha384digest: 'sha384',
  sha512digest: 'sha512',
};

/** Its one name. */
export const mtreeKeyword = (word: string): string => SYNONYMS[word] ?? word;

/** Lines without their ends. Errors: EINVAL with the line's number. */
export function* mtreeEntries(lines: Iterable<string>): Iterable<MtreeEntry> {
  const set = new Map<string, string>();
  const inside: string[] = [];
  let isFirst = true;
  for (const { text, line } of joined(lines)) {
    const [first = '', ...words] = text.split(/[ \t]+/).filter((word) => word !== '');
    if (first === '' || first.startsWith('#')) continue;
    if (first === '/set') for (const [key, value] of pairsOf(words, line)) set.set(key, value);
    else if (first === '/unset') {
      if (words.includes('all')) set.clear();
      for (const word of words) set.delete(mtreeKeyword(word));
    } else if (first.startsWith('/')) throw bad(line, `'${first}' is neither /set nor /unset`);
    else if (first === '..') {
      // The root's own `..` ends the specification.
      if (inside.pop() === undefined && !isFirst) continue;
    } else {
      const keywords = new Map([...set, ...pairsOf(words, line)]);
      const isFull = first.includes('/');
      const parts = partsOf(
        isFull ? (first.match(/[^/]+/g) ?? []) : [...inside, first],
        line,
        isFull ? 0 : inside.length,
      );
      const name = first.slice(first.lastIndexOf('/') + 1);
      yield { path: parts.join('/'), pattern: /[*?[]/.test(name) ? unvis(name) : undefined, keywords, line };
      if (!isFull && keywords.get('type') === 'dir') {
        // `.` is where we are already.
        if (!(isFirst && first === '.')) inside.push(parts.at(-1) ?? '');
        if (inside.length > DEPTH_MAX) throw bad(line, 'too deep');
      }
      isFirst = false;
    }
  }
}

/** The components of a path; the first `done` are names already. */
function partsOf(words: readonly string[], line: number, done: number): string[] {
  const parts: string[] = [];
  words.forEach((word, index) => {
    const name = index < done ? word : unvis(word);
    if (name === '' || name === '.') return;
    if (name === '..' || name.includes('/') || name.includes('\0')) throw bad(line, `'${word}' is no file name`);
    parts.push(name);
  });
  return parts;
}

function* pairsOf(words: readonly string[], line: number): Iterable<[string, string]> {
  for (const word of words) {
    const equals = word.indexOf('=');
    const key = equals < 0 ? word : word.slice(0, equals);
    if (!/^[A-Za-z0-9_.-]+$/.test(key)) throw bad(line, `'${word}' is no keyword`);
    yield [mtreeKeyword(key), equals < 0 ? '' : word.slice(equals + 1)];
  }
}

/** A backslash at its end joins a line with the next. */
function* joined(lines: Iterable<string>): Iterable<{ readonly text: string; readonly line: number }> {
  let text = '';
  let line = 0;
  let start = 1;
  for (const piece of lines) {
    line++;
    if (text === '') start = line;
    const goesOn = /(?:^|[^\\])(?:\\\\)*\\$/.test(piece) && !piece.trimStart().startsWith('#');
    text += goesOn ? `${piece.slice(0, -1)} ` : piece;
    if (text.length > LINE_MAX) throw bad(start, 'too long');
    if (goesOn) continue;
    yield { text, line: start };
    text = '';
  }
  if (text !== '') yield { text, line: start };
}

/** What vis(3) leaves alone here: everything that a reader could not take for something else. */
const isPlain = (byte: number): boolean => byte > 0x20 && byte < 0x7f && !'#=*?[\\'.includes(String.fromCharCode(byte));

/** A name as one word of a specification: other bytes as three octal digits. */
export function vis(name: string): string {
  if (/^[\w.,:+@%/-]*$/.test(name)) return name;
  let word = '';
  for (const byte of nameToBytes(name)) {
    word += isPlain(byte) ? String.fromCharCode(byte) : `\\${byte.toString(8).padStart(3, '0')}`;
  }
  return word;
}

/** Escapes of one letter, as C and vis(3) have them. */
const LETTERS: Readonly<Record<string, number>> = {
  a: 7,
  b: 8,
  t: 9,
  n: 10,
  v: 11,
  f: 12,
  r: 13,
  E: 27,
  s: 32,
};

/** Back from vis(3): what is no escape stands for itself. */
export function unvis(word: string): string {
  if (!word.includes('\\')) return word;
  const out: number[] = [];
  for (let i = 0; i < word.length;) {
    const found = word[i] === '\\' ? escapeAt(word, i + 1) : undefined;
    if (found !== undefined) {
      if (found.byte !== undefined) out.push(found.byte);
      i += 1 + found.length;
      continue;
    }
    const char = String.fromCodePoint(word.codePointAt(i) ?? 0);
    for (const byte of nameToBytes(char)) out.push(byte);
    i += char.length;
  }
  return nameFromBytes(Uint8Array.from(out));
}

/** The escape behind a backslash; undefined: there is none. */
function escapeAt(
  word: string,
  at: number,
): { readonly byte: number | undefined; readonly length: number } | undefined {
  const rest = word.slice(at, at + 4);
  const [digits] = /^[0-3][0-7]{2}|^[0-7]{1,2}/.exec(rest) ?? [];
  if (digits !== undefined) return { byte: Number.parseInt(digits, 8), length: digits.length };
  const [, hex] = /^x([0-9a-fA-F]{1,2})/.exec(rest) ?? [];
  if (hex !== undefined) return { byte: Number.parseInt(hex, 16), length: 1 + hex.length };
  const [, meta, kind, char] = /^(M?)([-^])([\x20-\x7e])/.exec(rest) ?? [];
  if (kind !== undefined && char !== undefined && (meta === 'M' || kind === '^')) {
    const code = kind === '-' ? char.charCodeAt(0) : char === '?' ? 0x7f : char.charCodeAt(0) & 0x1f;
    return { byte: meta === 'M' ? code | 0x80 : code, length: (meta ?? '').length + 2 };
  }
  const letter = rest.charAt(0);
  if (letter in LETTERS) return { byte: LETTERS[letter], length: 1 };
  // A hidden end of a line.
  if (letter === '$') return { byte: undefined, length: 1 };
  return letter !== '' && letter.charCodeAt(0) < 0x7f ? { byte: letter.charCodeAt(0), length: 1 } : undefined;
}
