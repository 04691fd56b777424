/** What grep's patterns match. */
import { isAscii, Regex } from '../format/regex.ts';
import type { RegexSyntax } from '../format/regex.ts';

export interface Matcher {
  /** A text that every match holds; lines without it need no look. undefined: there is none. */
  readonly needle: string | undefined;
  test(line: string, isAsciiLine: boolean): boolean;
  /** Everything that matches, from left to right; empty matches are none. */
  all(line: string): string[];
}

interface MatcherOptions {
  readonly fixed: boolean;
  readonly syntax: RegexSyntax;
  readonly ignoreCase: boolean;
  readonly word: boolean;
  readonly whole: boolean;
}

/** Errors: EINVAL, what is wrong with a pattern. */
export function makeMatcher(patterns: readonly string[], options: MatcherOptions): Matcher {
  const { fixed, ignoreCase, word, whole } = options;
  const [first] = patterns;
  // No pattern at all (an empty file of them) matches nothing.
  if (first === undefined) return { needle: undefined, test: () => false, all: () => [] };
  const isPlain = fixed || !/[\\[\].*^$+?{}()|]/.test(first);
  const needle = patterns.length === 1 && isPlain && !ignoreCase && first !== '' ? first : undefined;
  const sources = fixed ? patterns.map(quoteBasic) : patterns;
  const regex = new Regex(sources, {
    syntax: fixed ? 'basic' : options.syntax,
    ignoreCase,
    whole,
    word: word && !whole,
  });
  const exact = needle !== undefined && !word && !whole;
  return {
    needle,
    test: exact ? (line) => line.includes(needle) : (line, isAsciiLine) => regex.for(isAsciiLine).test(line),
    all: (line) => [...line.matchAll(regex.for(isAscii(line)))].map(([text]) => text).filter((text) => text !== ''),
  };
}

/** The pattern of a basic expression that matches the text alone. */
const quoteBasic = (text: string): string => text.replace(/[\\[\].*^$]/g, '\\$&');
