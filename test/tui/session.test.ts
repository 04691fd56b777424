/** Whole sessions of fsu browse in a real terminal. */
import { readFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Workplace } from '../cli/harness.ts';
import { Terminal } from './terminal.ts';
import type { TerminalOptions } from './terminal.ts';

let place: Workplace;
let terminal: Terminal | undefined;
beforeAll(() => {
  place = new Workplace();
});
afterEach(() => terminal?.kill());
afterAll(() => place.remove());

function open(options?: TerminalOptions): Terminal {
  terminal = new Terminal(place, options);
  return terminal;
}

/** The settings of the terminal driver, as `stty -a` tells them. */
const settings = (name: string): string => readFileSync(place.at(name), 'utf8');

test('browse: into a directory and out of the program; the terminal is as it was', async () => {
  place.demo();
  const t = open();
  await t.command('stty -a >before; fsu browse demo.img; echo "status $?"; stty -a >after; echo done');
  const first = await t.waitFor('etc/');
  expect(first).toContain('demo.img');
  expect(t.modes()).toEqual({ isAlternate: true, showsCursor: false, reportsMouse: true });
  t.keys('j', 'Enter');
  await t.waitFor('hostname');
  t.keys('q');
  await t.waitFor('status 0\ndone');
  expect(t.modes()).toEqual({ isAlternate: false, showsCursor: true, reportsMouse: false });
  expect(settings('after')).toBe(settings('before'));
});
