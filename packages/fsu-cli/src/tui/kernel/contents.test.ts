/** How the contents of a file differ between two file systems. */
import { open } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { encoded } from '../look/text.ts';
import { contentsOf, firstDifference } from './contents.ts';

let [before, after]: Ukfs[] = [];
beforeEach(async () => {
  before = await open('memory', { type: 'tmpfs', write: true, host: memoryHost() });
  after = await open('memory', { type: 'tmpfs', write: true, host: memoryHost() });
});
afterEach(() => {
  before?.close();
  after?.close();
});

function ended<R>(work: Generator<undefined, R>): { value: R; slices: number } {
  for (let slices = 0; ; slices++) {
    const step = work.next();
    if (step.done === true) return { value: step.value, slices };
  }
}

function differing(a: string | Uint8Array, b: string | Uint8Array): readonly string[] {
  if (before === undefined || after === undefined) throw new Error('not open');
  before.writeFile('/file', a);
  after.writeFile('/file', b);
  return ended(contentsOf({ fs: before, label: 'a.img' }, { fs: after, label: 'b.img' }, '/file')).value;
}

test('of a text: unified, with the names of both sides', () => {
  const lines = differing('one\ntwo\nthree\n', 'one\n2\nthree\n');
  expect(lines.slice(0, 2).map((line) => line.split('\t', 1)[0])).toEqual(['--- a.img:/file', '+++ b.img:/file']);
  expect(lines.slice(2)).toEqual(['@@ -1,3 +1,3 @@', ' one', '-two', '+2', ' three']);
});

test.each(['UTF-16LE', 'UTF-16BE'] as const)('of a text in %s: its characters, unified', (encoding) => {
  const utf16 = (text: string): Uint8Array => encoded(`\ufeff${text}`, encoding) ?? new Uint8Array();
  const lines = differing(utf16('one\nzwölf\nthree\n'), utf16('one\n十二\nthree\n'));
  expect(lines.slice(2)).toEqual(['@@ -1,3 +1,3 @@', ' one', '-zwölf', '+十二', ' three']);
});

test('a text written anew in another encoding differs in its bytes alone', () => {
  const lines = differing('one\n', encoded('\ufeffone\n', 'UTF-16LE') ?? '');
  expect(lines[0]).toBe('the first byte that differs is number 0, counted from 0');
});

test('of what is no text: the first byte that differs, and those about it', () => {
  const [a, b] = [new Uint8Array(1000), new Uint8Array(1001)];
  b[300] = 0x41;
  const lines = differing(a, b);
  expect(lines[0]).toBe('the first byte that differs is number 300, counted from 0');
  expect(lines).toContain('b.img:/file, 1001 bytes');
  expect(lines.filter((line) => line.startsWith('00000120'))).toEqual([
    `00000120  ${'00 '.repeat(16)} |${'.'.repeat(16)}|`,
    `00000120  ${'00 '.repeat(12)}41 00 00 00  |............A...|`,
  ]);
});

test('one is longer: the end of the other is where they differ', () => {
  expect(differing(new Uint8Array(300_000), new Uint8Array(300_001))[0]).toContain('number 300000,');
});

test('the same contents are said to be so', () => {
  expect(differing('same', 'same')).toEqual(['the contents are the same']);
  expect(differing('', '')).toEqual(['the contents are the same']);
});

test('holes of both are passed over: a terabyte of them takes no time', () => {
  differing('begin', 'begin');
  if (before === undefined || after === undefined) return;
  for (const fs of [before, after]) fs.truncate('/file', 2 ** 40);
  expect(ended(firstDifference(before, after, '/file')).value).toBeUndefined();
  const fd = after.open('/file', 'r+');
  after.write(fd, Uint8Array.of(1), 0, 1, 2 ** 40 - 1000);
  after.close(fd);
  const { value, slices } = ended(firstDifference(before, after, '/file'));
  expect(value).toBe(2 ** 40 - 1000);
  expect(slices).toBeLessThan(5);
});
