/** Whole sessions of fsu browse in a real terminal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { terminalPlace } from './terminal.ts';

const { place, open } = terminalPlace();

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

/** As the shell has it after the program: nothing of the screen is left. */
const BARE = { isAlternate: false, showsCursor: true, reportsMouse: false };

test.each([
  ['TERM', 143],
  ['INT', 130],
  ['HUP', 129],
])('SIG%s: the terminal is as it was, and the status says what ended us', async (name, status) => {
  place.demo();
  const t = open();
  await t.command('stty -a >before; fsu browse demo.img');
  await t.waitFor('etc/');
  t.signal(name);
  // A shell that sees its command end by SIGINT drops the rest of the line.
  await t.command('echo "status $?"; stty -a >after; echo done');
  await t.waitFor(`status ${status}\ndone`);
  expect(t.modes()).toEqual(BARE);
  expect(settings('after')).toBe(settings('before'));
});

test.each(['TERM', 'HUP'])('SIG%s with edits staged: they are saved as a script, which does them', async (name) => {
  place.demo();
  const t = open();
  await t.command('rm -f edits.rescued*; fsu browse demo.img');
  await t.waitFor('etc/');
  await t.makeDir('made');
  await t.agree();
  await t.waitFor('STAGED 1');
  t.signal(name);
  await t.waitFor('fsu browse: what was staged is saved: edits.rescued.fsu');
  expect(t.modes()).toEqual(BARE);
  expect(place.run('fsu', ['ls', 'demo.img']).stdout).not.toContain('made');
  expect(place.sh('fsu script edits.rescued.fsu demo.img')).toMatchObject({ status: 0, stderr: '' });
  expect(place.run('fsu', ['ls', 'demo.img']).stdout).toContain('made');
});

test('a mistake of ours: one line, on the terminal as it was', async () => {
  place.demo();
  // In the thread of the screen, once the list is there.
  writeFileSync(
    place.at('mistake.cjs'),
    `const { isMainThread } = require('node:worker_threads');
if (isMainThread && process.argv.includes('browse'))
  setInterval(() => { if (require('node:fs').existsSync('now')) throw new Error('a mistake'); }, 50).unref();`,
  );
  const t = open({ env: { NODE_OPTIONS: `--require=${place.at('mistake.cjs')}` } });
  await t.command('stty -a >before; fsu browse demo.img; echo "status $?"; stty -a >after; echo done');
  await t.waitFor('etc/');
  writeFileSync(place.at('now'), '');
  const seen = await t.waitFor('status 1\ndone');
  expect(seen).toContain('fsu browse: internal error: a mistake\n');
  expect(seen).not.toContain(' at ');
  expect(t.modes()).toEqual(BARE);
  expect(settings('after')).toBe(settings('before'));
});

test('16 colours: a console, another terminal from afar', async () => {
  place.demo();
  const t = open({ env: { TERM: 'linux' } });
  await t.command('clear; fsu browse demo.img; echo "status $?"');
  await t.waitFor('etc/');
  t.keys('j', 'i');
  await t.waitFor('inode');
  t.keys('q');
  await t.waitFor('q quit');
  t.keys('q');
  await t.waitFor('status 0');
  const frames = t.recorded().slice(t.recorded().indexOf('\x1b[?1049h'));
  // Blue, and bold, for directories; nothing that a console does not know.
  expect(frames).toContain('\x1b[1;34m');
  expect(frames).not.toMatch(/\x1b\[(\d+;)*[34]8;/); // oxlint-disable-line no-control-regex -- SGR
});

test('Ctrl-Z gives the terminal back; fg goes on where it was', async () => {
  place.demo();
  const t = open();
  await t.command('fsu browse demo.img; echo "status $?"');
  await t.waitFor('etc/');
  t.keys('j', 'Enter');
  await t.waitFor('hostname');
  t.keys('C-z');
  await t.waitFor('Stopped');
  expect(t.modes()).toEqual(BARE);
  await t.command('fg');
  await t.waitFor('hostname');
  expect(t.modes().isAlternate).toBe(true);
  t.keys('q');
  await t.waitFor('ready>');
  expect(t.modes()).toEqual(BARE);
});

test('a terminal of 20 by 5, and back', async () => {
  place.demo();
  const t = open();
  await t.command('fsu browse demo.img; echo "status $?"');
  const before = await t.waitFor('etc/');
  t.resize(20, 5);
  await t.waitUntilGone('lost+found/ ');
  for (const line of t.capture()) expect(line.length).toBeLessThanOrEqual(20);
  t.keys('G', 'j', 'k', '?', 'q', 'g', 'g');
  t.resize(100, 30);
  await t.waitFor('q quit');
  expect((await t.waitFor('etc/')).split('\n').length).toBe(before.split('\n').length);
  t.keys('q');
  await t.waitFor('status 0');
});

test('a paste is text for a prompt, and no keys', async () => {
  place.demo();
  const t = open();
  await t.command('fsu browse demo.img; echo "status $?"');
  await t.waitFor('etc/');
  t.paste('q\rq\x1b[A');
  t.keys('a');
  await t.waitFor(/new/i);
  t.paste('pas\x1b]0;x\x07ted\r');
  await t.waitFor('ted');
  expect(t.modes().isAlternate).toBe(true);
  t.keys('Escape');
  await t.waitUntilGone('ted');
  t.keys('q');
  await t.waitFor('status 0');
});

test('without a terminal it is a usage error', () => {
  place.demo();
  const { status, stderr } = place.sh('fsu browse demo.img </dev/null');
  expect({ status, stderr }).toMatchObject({ status: 2, stderr: expect.stringContaining('needs a terminal') });
});

test('--ascii, and a locale that is not UTF-8: names as their bytes', async () => {
  place.demo();
  expect(place.sh('echo x >x; fsu put x demo.img:/zürich').stderr).toBe('');
  const t = open();
  await t.command('fsu browse --ascii demo.img');
  await t.waitFor('z\\303\\274rich');
  t.keys('q');
  await t.command('clear; fsu browse demo.img');
  await t.waitFor('zürich');
  t.keys('q');
  await t.command('clear; LC_ALL=C fsu browse demo.img');
  await t.waitFor('z\\303\\274rich');
  t.keys('q');
  await t.waitFor('ready>');
});
