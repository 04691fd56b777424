/**
 * fnmatch(3) patterns (POSIX.1-2017 XCU 2.13.1) as tests: `*`, `?`, bracket expressions with ranges and classes, `\`.
 *
 * Neither `/` nor a leading dot is special: find(1) wants it so, and who walks a tree has taken paths apart already. No regular
 * expression is made of the pattern: only the last `*` is ever tried again, so that no pattern takes more than (its length) x
 * (the name's length) steps. Characters are code points; a byte that is no UTF-8 is one, too.
 */
import { charClass } from './charclass.ts';

type CharTest = (char: string) => boolean;
type Token = '*' | CharTest;

/** Does the whole name match? */
export function globTest(pattern: string, { ignoreCase = false }: { readonly ignoreCase?: boolean } = {}): CharTest {
  const tokens = parse(pattern, ignoreCase);
  if (tokens === undefined) return () => false;
  return (ignoreCase ? undefined : quickTest(pattern)) ?? ((name) => matches(tokens, [...name]));
}

/** Most patterns are a word with `*` at an end or both. */
function quickTest(pattern: string): CharTest | undefined {
  const [, before = '', word = '', after = ''] = /^(\*?)([^*?[\\]*)(\*?)$/.exec(pattern) ?? [];
  if (before + word + after !== pattern) return undefined;
  if (before === '') return after === '' ? (name) => name === word : (name) => name.startsWith(word);
  return after === '' ? (name) => name.endsWith(word) : (name) => name.includes(word);
}

function matches(tokens: readonly Token[], name: readonly string[]): boolean {
  let token = 0;
  let at = 0;
  /** Behind the last `*`, and where in the name what follows it is being tried. */
  let retry = -1;
  let from = 0;
  while (at < name.length) {
    const test = tokens[token];
    if (test === '*') {
      retry = ++token;
      from = at;
    } else if (test?.(name[at] ?? '') === true) {
      token++;
      at++;
    } else {
      if (retry < 0) return false;
      token = retry;
      at = ++from;
    }
  }
  return tokens.slice(token).every((rest) => rest === '*');
}

/** undefined: nothing matches it, since it ends within an escape. */
function parse(pattern: string, ignoreCase: boolean): readonly Token[] | undefined {
  const chars = [...pattern];
  const tokens: Token[] = [];
  for (let at = 0; at < chars.length; at++) {
    const char = chars[at] ?? '';
    const bracket = char === '[' ? parseBracket(chars, at + 1, ignoreCase) : undefined;
    if (char === '*') {
      if (tokens.at(-1) !== '*') tokens.push('*');
    } else if (char === '?') tokens.push(() => true);
    else if (bracket !== undefined) {
      tokens.push(bracket.test);
      at = bracket.end;
    } else if (char !== '\\') tokens.push(oneOf(char, ignoreCase));
    else if (at + 1 === chars.length) return undefined;
    else tokens.push(oneOf(chars[++at] ?? '', ignoreCase));
  }
  return tokens;
}

const oneOf = (char: string, ignoreCase: boolean): CharTest =>
  ignoreCase ? (other) => other.toLowerCase() === char.toLowerCase() : (other) => other === char;

/** A bracket expression whose `[` stands before `start`; undefined: it has no end, so that `[` means itself. */
function parseBracket(
  chars: readonly string[],
  start: number,
  ignoreCase: boolean,
): { readonly test: CharTest; readonly end: number } | undefined {
  const negated = chars[start] === '!' || chars[start] === '^';
  const first = negated ? start + 1 : start;
  const tests: CharTest[] = [];
  for (let at = first; at < chars.length;) {
    if (chars[at] === ']' && at > first) {
      const holds = (char: string): boolean => tests.some((test) => test(char));
      const either: CharTest = ignoreCase ? (char) => holds(char.toLowerCase()) || holds(char.toUpperCase()) : holds;
      return { test: negated ? (char) => !either(char) : either, end: at };
    }
    const named = namedClass(chars, at);
    if (named !== undefined) {
      tests.push(named.test);
      at = named.next;
      continue;
    }
    const low = member(chars, at);
    at = low.next;
    if (chars[at] === '-' && at + 1 < chars.length && chars[at + 1] !== ']') {
      const high = member(chars, at + 1);
      at = high.next;
      tests.push(range(low.char, high.char));
    } else tests.push((char) => char === low.char);
  }
  return undefined;
}

const codeOf = (char: string): number => char.codePointAt(0) ?? 0;

function range(low: string, high: string): CharTest {
  const [from, to] = [codeOf(low), codeOf(high)];
  return (char) => codeOf(char) >= from && codeOf(char) <= to;
}

/** One character of a bracket expression: itself, `\x`, or `[.x.]`, `[=x=]`. */
function member(chars: readonly string[], at: number): { readonly char: string; readonly next: number } {
  const char = chars[at] ?? '';
  const kind = chars[at + 1];
  if (char === '\\' && at + 1 < chars.length) return { char: chars[at + 1] ?? '', next: at + 2 };
  if (char === '[' && (kind === '.' || kind === '=') && chars[at + 3] === kind && chars[at + 4] === ']')
    return { char: chars[at + 2] ?? '', next: at + 5 };
  return { char, next: at + 1 };
}

function namedClass(
  chars: readonly string[],
  at: number,
): { readonly test: CharTest; readonly next: number } | undefined {
  if (chars[at] !== '[' || chars[at + 1] !== ':') return undefined;
  const end = chars.indexOf(':', at + 2);
  if (end < 0 || chars[end + 1] !== ']') return undefined;
  const expression = charClass(chars.slice(at + 2, end).join(''));
  return { test: (char) => expression?.test(char) === true, next: end + 2 };
}
