/**
 * What ink takes lines of text apart with, and puts them together again: the same functions, remembering. ink does both with every
 * character of every frame, and two thirds of a frame's time went there. The build gives ink this module for the library's.
 */
import {
  styledCharsFromTokens as charsOf,
  styledCharsToString as textOf,
  tokenize as tokensOf,
} from '@alcalzone/ansi-tokenize';
import type { StyledChar, Token } from '@alcalzone/ansi-tokenize';

/** Lines that are remembered: some screens full. */
const LINES = 1000;

const tokens = new Map<string, Token[]>();
const chars = new WeakMap<Token[], StyledChar[]>();

export function tokenize(line: string): Token[] {
  const known = tokens.get(line);
  if (known !== undefined) return known;
  if (tokens.size >= LINES) tokens.clear();
  const made = tokensOf(line);
  tokens.set(line, made);
  return made;
}

/** Neighbours of one style share its list, which is what styledCharsToString() looks at first. */
export function styledCharsFromTokens(line: Token[]): StyledChar[] {
  const known = chars.get(line);
  if (known !== undefined) return known;
  const made = charsOf(line);
  for (const [at, char] of made.entries()) {
    const before = made[at - 1];
    if (before !== undefined && isSame(before, char)) char.styles = before.styles;
  }
  chars.set(line, made);
  return made;
}

const isSame = ({ styles: a }: StyledChar, { styles: b }: StyledChar): boolean =>
  a === b || (a.length === b.length && a.every(({ code }, i) => code === b[i]?.code));

/** Runs of one style are text as it is; what is between two runs the library says. */
export function styledCharsToString(line: StyledChar[]): string {
  const runs: StyledChar[] = [];
  let last: StyledChar | undefined;
  for (const char of line) {
    if (last !== undefined && isSame(last, char)) last.value += char.value;
    else {
      last = { ...char };
      runs.push(last);
    }
  }
  return textOf(runs);
}
