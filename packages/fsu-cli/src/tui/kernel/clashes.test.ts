import { open, ukfsTree } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { clashesOf, COUNTED } from './clashes.ts';

let fs: Ukfs;
beforeEach(async () => {
  fs = await open('memory', { type: 'tmpfs', write: true, host: memoryHost() });
});
afterEach(() => fs.close());

function clashes(from: string, to: string): unknown {
  const work = clashesOf(
    () => ukfsTree(fs, from),
    () => ukfsTree(fs, to),
  );
  for (;;) {
    const step = work.next();
    if (step.done === true) return step.value;
  }
}

test('names that are in both count, at any depth; directories that are in both do not', () => {
  for (const dir of ['/a', '/a/d', '/a/d/e', '/a/only', '/b', '/b/d', '/b/d/e', '/b/other', '/b/file']) fs.mkdir(dir);
  for (const file of ['/a/x', '/a/d/y', '/a/d/e/z', '/a/here', '/a/file', '/b/x', '/b/d/e/z', '/b/there'])
    fs.writeFile(file, '');
  expect(clashes('/a', '/b')).toEqual({ names: 3, isMore: false });
  expect(clashes('/a/only', '/b/other')).toEqual({ names: 0, isMore: false });
});

test('a link to a directory is a name as any other, and is not followed', () => {
  for (const dir of ['/a', '/b', '/b/l', '/t']) fs.mkdir(dir);
  for (const file of ['/t/x', '/b/l/x']) fs.writeFile(file, '');
  fs.symlink('/t', '/a/l');
  expect(clashes('/a', '/b')).toEqual({ names: 1, isMore: false });
});

test('counting ends at a bound', () => {
  for (const dir of ['/a', '/b']) {
    fs.mkdir(dir);
    for (let n = 0; n <= COUNTED; n++) fs.writeFile(`${dir}/${n}`, '');
  }
  expect(clashes('/a', '/b')).toEqual({ names: COUNTED, isMore: true });
  fs.unlink('/a/7');
  expect(clashes('/a', '/b')).toEqual({ names: COUNTED, isMore: false });
});
