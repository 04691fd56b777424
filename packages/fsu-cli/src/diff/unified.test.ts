import { assert, array, constantFrom, nat, property, tuple } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { editsBetween } from './edits.ts';
import { unifiedHunks } from './unified.ts';

const unified = (a: string, b: string, context = 3): string => [...unifiedHunks(a, b, context)].join('');

test.for([
  ['', 'a\n', '@@ -0,0 +1 @@\n+a\n'],
  ['a\n', '', '@@ -1 +0,0 @@\n-a\n'],
  ['a', 'a\n', '@@ -1 +1 @@\n-a\n\\ No newline at end of file\n+a\n'],
  ['x\na', 'a', '@@ -1,2 +1 @@\n-x\n a\n\\ No newline at end of file\n'],
  ['1\n2\n3\n4\n5\n6\n7\n8\n9\n', '1\n2\n3\n4\nx\n6\n7\n8\n9\n', '@@ -2,7 +2,7 @@\n 2\n 3\n 4\n-5\n+x\n 6\n 7\n 8\n'],
  ['a\n\udcff\n', 'a\n\udcfe\n', '@@ -1,2 +1,2 @@\n a\n-\udcff\n+\udcfe\n'],
  ['a\n', 'a\n', ''],
] as const)('%j and %j', ([a, b, text]) => {
  expect(unified(a, b)).toBe(text);
});

describe('hunks', () => {
  const [a, b] = ['1\n2\n3\n4\n5\n', 'x\n2\n3\n4\ny\n'];
  test.each([
    [0, '@@ -1 +1 @@\n-1\n+x\n@@ -5 +5 @@\n-5\n+y\n'],
    [1, '@@ -1,2 +1,2 @@\n-1\n+x\n 2\n@@ -4,2 +4,2 @@\n 4\n-5\n+y\n'],
    [2, '@@ -1,5 +1,5 @@\n-1\n+x\n 2\n 3\n 4\n-5\n+y\n'],
  ])('with %i lines of context', (context, text) => {
    expect(unified(a, b, context)).toBe(text);
  });
});

/** How long the longest common sequence is, by the table of all. */
function commonLength(a: readonly number[], b: readonly number[]): number {
  let row = Array.from([0, ...b], () => 0);
  for (const x of a) {
    const next = [0];
    for (const [j, y] of b.entries()) next.push(x === y ? (row[j] ?? 0) + 1 : Math.max(row[j + 1] ?? 0, next[j] ?? 0));
    row = next;
  }
  return row[b.length] ?? 0;
}

const kept = (lines: readonly number[], edited: Uint8Array): readonly number[] =>
  lines.filter((_, i) => edited[i] === 0);
const lines = array(nat({ max: 5 }), { maxLength: 40 });

test('what is kept is the same on both sides, and no more could be', () => {
  assert(
    property(lines, lines, (a, b) => {
      const edits = editsBetween(Int32Array.from(a), Int32Array.from(b));
      expect(kept(a, edits.before)).toEqual(kept(b, edits.after));
      expect(kept(a, edits.before)).toHaveLength(commonLength(a, b));
    }),
    { numRuns: 500 },
  );
});

test('with a bound on the distance it is still the same on both sides', () => {
  assert(
    property(lines, lines, nat({ max: 6 }), (a, b, max) => {
      const edits = editsBetween(Int32Array.from(a), Int32Array.from(b), max);
      expect(kept(a, edits.before)).toEqual(kept(b, edits.after));
    }),
    { numRuns: 300 },
  );
});

/** What patch(1) makes of it, when nothing has to be looked for. */
function patched(before: string, hunks: string): string {
  const linesOf = (text: string): readonly string[] => text.split(/(?<=\n)/).filter((line) => line !== '');
  const old = linesOf(before);
  let [at, text] = [0, ''];
  let last = '';
  for (const line of linesOf(hunks)) {
    const [, start, count = '1'] = /^@@ -(\d+)(?:,(\d+))? /.exec(line) ?? [];
    if (start !== undefined) {
      const from = count === '0' ? Number(start) : Number(start) - 1;
      text += old.slice(at, from).join('');
      at = from;
    } else if (line.startsWith('\\')) {
      if (last !== '-') text = text.slice(0, -1);
    } else {
      last = line.charAt(0);
      if (last !== '-') text += line.slice(1);
      if (last !== '+') at++;
    }
  }
  return text + old.slice(at).join('');
}

test('patched, the one text is the other', () => {
  const text = tuple(
    array(constantFrom('a\n', 'b\n', '\n', 'c c\n', '-x\n'), { maxLength: 30 }),
    constantFrom('', 'end'),
  ).map(([all, end]) => all.join('') + end);
  assert(
    property(text, text, nat({ max: 4 }), (a, b, context) => {
      expect(patched(a, unified(a, b, context))).toBe(b);
    }),
    { numRuns: 500 },
  );
});

test('large texts of which all is different, or the order, take no time that grows without bound', () => {
  const text = (count: number, of: (i: number) => number): string =>
    Array.from({ length: count }, (_, i) => `${of(i)}\n`).join('');
  expect(
    unified(
      text(100_000, (i) => i),
      text(100_000, (i) => -1 - i),
      0,
    ),
  ).toMatch(/^@@ -1,100000 \+1,100000 @@\n/);
  expect(
    unified(
      text(40_000, (i) => i),
      text(40_000, (i) => 40_000 - i),
      0,
    ).length,
  ).toBeGreaterThan(0);
});
