/** Issue 5, item 3: search in a file of any size. */
import { open } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { seekBackIn, seekIn } from './seek.ts';

let fs: Ukfs;
beforeEach(async () => {
  fs = await open('memory', { type: 'tmpfs', write: true, host: memoryHost() });
});
afterEach(() => fs.close());

type Sought = { at: number | undefined; slices: number };

const sought = (text: string, from = 0): Sought => done(seekIn(fs, '/file', new TextEncoder().encode(text), from));

const soughtBack = (text: string, before: number): Sought =>
  done(seekBackIn(fs, '/file', new TextEncoder().encode(text), before));

function done(work: ReturnType<typeof seekIn>): Sought {
  for (let slices = 0; ; slices++) {
    const step = work.next();
    if (step.done === true) return { at: step.value, slices };
  }
}

test('finds what lies across the border of two pieces, and what comes after', () => {
  const bytes = new Uint8Array(600 * 1024).fill(0x2e);
  for (const at of [256 * 1024 - 3, 500_000]) bytes.set(new TextEncoder().encode('needle'), at);
  fs.writeFile('/file', bytes);
  expect(sought('needle').at).toBe(256 * 1024 - 3);
  expect(sought('needle', 256 * 1024).at).toBe(500_000);
  expect(sought('needle', 500_001).at).toBeUndefined();
  expect(sought('').at).toBeUndefined();
});

test('holes are passed over: a terabyte of them takes no time', () => {
  fs.writeFile('/file', 'begin');
  fs.truncate('/file', 2 ** 40);
  const fd = fs.open('/file', 'r+');
  fs.write(fd, new TextEncoder().encode('needle'), 0, 6, 2 ** 40 - 1000);
  fs.close(fd);
  const { at, slices } = sought('needle');
  expect(at).toBe(2 ** 40 - 1000);
  expect(slices).toBeLessThan(5);
  expect(sought('\0needle').at).toBe(2 ** 40 - 1001);
});

test('back: finds what lies across the border of two pieces, and the last before that', () => {
  const bytes = new Uint8Array(600 * 1024).fill(0x2e);
  const border = bytes.length - 256 * 1024;
  for (const at of [0, 1000, border - 3]) bytes.set(new TextEncoder().encode('needle'), at);
  fs.writeFile('/file', bytes);
  expect(soughtBack('needle', bytes.length).at).toBe(border - 3);
  expect(soughtBack('needle', border - 2).at).toBe(border - 3);
  expect(soughtBack('needle', border - 3).at).toBe(1000);
  expect(soughtBack('needle', 1000).at).toBe(0);
  expect(soughtBack('needle', 0).at).toBeUndefined();
  expect(soughtBack('nadel', bytes.length).at).toBeUndefined();
  expect(soughtBack('', bytes.length).at).toBeUndefined();
});

test('back: holes are passed over, also those at the end', () => {
  fs.writeFile('/file', 'a needle, and then');
  fs.truncate('/file', 2 ** 41);
  const fd = fs.open('/file', 'r+');
  fs.write(fd, new TextEncoder().encode('nothing'), 0, 7, 2 ** 40);
  fs.close(fd);
  const { at, slices } = soughtBack('needle', 2 ** 41);
  expect(at).toBe(2);
  expect(slices).toBeLessThan(5);
  expect(soughtBack('\0nothing', 2 ** 41).at).toBe(2 ** 40 - 1);
});
