/** Images that are no images, are held by others, or mean harm: what fsu browse shows of them in a real terminal. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { lacksOracle, requireOracle } from '../support/oracle.ts';
import { terminalPlace } from './terminal.ts';

const { place, open } = terminalPlace();

test.each<[string, string, string]>([
  ['not an image', 'echo hello >it', 'text file: not a file-system image'],
  ['an empty file', ': >it', 'empty file: not a file-system image'],
  ['no file', 'rm -rf it', 'No such file or directory'],
  ['a directory', 'rm -rf it; mkdir it', 'Is a directory'],
])('%s: one line and the status that fsu ls has', async (_title, make, message) => {
  place.sh(make);
  const expected = place.run('fsu', ['ls', 'it']).status;
  const t = open();
  await t.command('fsu browse it; echo "status $?"');
  const seen = await t.waitFor(`status ${expected}`);
  expect(seen).toContain(`fsu browse: it: ${message}`);
  expect(t.modes().isAlternate).toBe(false);
  place.sh('rm -rf it');
});

test('a damaged directory: the browser goes on, the list says what is wrong', async () => {
  place.demo();
  const where = place.sh(`${requireOracle('debugfs')} -R 'blocks /etc' demo.img`).stdout.trim();
  place.sh(`dd if=/dev/urandom of=demo.img bs=1024 seek=${where} count=1 conv=notrunc`);
  const t = open();
  await t.command('fsu browse demo.img; echo "status $?"');
  await t.waitFor('etc/');
  t.keys('j', 'Enter');
  await t.waitFor('damaged');
  t.keys('h');
  await t.waitFor('README');
  t.keys('q');
  await t.waitFor('status 0');
});

test('an image that somebody else edits: the first edit says so, nothing is staged', async () => {
  place.demo();
  const [holder, t] = [open(), open()];
  await holder.command('fsu browse demo.img');
  await holder.waitFor('etc/');
  holder.type('adir/');
  holder.keys('Enter');
  await holder.agree();
  await holder.waitFor('STAGED 1');
  await t.command('fsu browse demo.img');
  await t.waitFor('etc/');
  t.type('amine/');
  t.keys('Enter');
  await t.agree();
  const seen = await t.waitFor('being written by another program');
  expect(seen).toMatch(/^ demo\.img ext4 {2}RO\b/m);
});

/** Keys that make a directory; the answer is still to come. */
test('an image that another program changes while it is looked at: the first edit says so, the next sees what it is now', async () => {
  place.demo();
  const t = open();
  await t.command('clear; fsu browse demo.img; echo "status $?"');
  await t.waitFor('etc/');
  expect(place.sh('fsu mkdir demo.img:/other').stderr).toBe('');
  t.keys('j', 'Enter');
  await t.waitFor('demo.img:/etc ');
  await t.waitFor('hostname');
  t.keys('h');
  await t.waitFor('README');
  await t.makeDir('mine');
  await t.agree();
  const seen = await t.waitFor('image changed while reading');
  expect(seen).toMatch(/^ demo\.img ext4 {2}RO\b/m);
  await t.waitFor('other/');
  await t.makeDir('mine');
  await t.waitFor('STAGED 1');
  await t.commit(1);
  t.keys('q');
  await t.waitFor('status 0');
  expect(place.sh('fsu ls demo.img:/').stdout).toMatch(/^mine\nother$/m);
  expect(place.sh(`${requireOracle('e2fsck')} -fn demo.img`).status).toBe(0);
});

/** Images that may not be written: how one is made so and again not, and who looks at it. */
const READ_ONLY: readonly (readonly [title: string, make: string, end: string, as: string, message: string])[] = [
  [
    'of the mode 0444, to an ordinary user',
    'chmod 755 . && chown 65534 ro && chmod 444 ro/demo.img',
    'true',
    'setpriv --reuid=65534 --regid=65534 --clear-groups ',
    'Permission denied',
  ],
  ['that is immutable', 'chattr +i ro/demo.img', 'chattr -i ro/demo.img', '', 'Operation not permitted'],
  [
    'on a file system that is mounted read-only',
    'mount --bind ro ro && mount -o remount,ro,bind ro',
    'umount ro',
    '',
    'Read-only file system',
  ],
];

test.skipIf(lacksOracle('root', 'loop mount', 'setpriv')).each(READ_ONLY)(
  'an image %s: it can be looked at, the first edit says why not, the title stays RO',
  async (_title, make, end, as, message) => {
    place.sh('mkdir -p ro');
    place.demo('ro/demo.img');
    const made = place.sh(make);
    expect(made.status, made.stderr).toBe(0);
    try {
      const t = open();
      await t.command(`clear; ${as}fsu browse ro/demo.img; echo "status $?"`);
      await t.waitFor('etc/');
      t.keys('j', 'Enter');
      await t.waitFor('hostname');
      await t.makeDir('new');
      await t.agree();
      const seen = await t.waitFor(message);
      expect(seen).toMatch(/^ ro\/demo\.img ext4 {2}RO\b/m);
      t.keys('h');
      await t.waitFor('README');
      t.keys('q');
      await t.waitFor('status 0');
    } finally {
      expect(place.sh(end).stderr).toBe('');
      place.sh('rm -rf ro');
    }
  },
);

test('a full file system: the edit that does not fit is taken back whole, those before it are committed', async () => {
  place.demo();
  place.sh('rm -rf big && mkdir big && head -c 4000000 /dev/urandom >big/a && head -c 4000000 /dev/urandom >big/b');
  const t = open();
  await t.command('clear; fsu browse demo.img; echo "status $?"');
  await t.waitFor('etc/');
  await t.makeDir('kept');
  await t.agree();
  await t.waitFor('STAGED 1');
  t.type(':put -R big /kept');
  t.keys('Enter');
  const seen = await t.waitFor('No space left on device');
  expect(seen).toContain('STAGED 1');
  // One line, below all else.
  expect(seen.trimEnd().split('\n').at(-1)).toMatch(/^fsu: put: .*No space left on device$/);
  t.type(':put big/a /kept');
  t.keys('Enter');
  await t.waitFor('STAGED 2');
  await t.commit(2);
  t.keys('q');
  await t.waitFor('status 0');
  expect(place.sh('fsu ls -R demo.img:/kept').stdout.trim()).toBe('a');
  expect(place.sh('fsu cat demo.img:/kept/a | cmp - big/a').status).toBe(0);
  expect(place.sh(`${requireOracle('e2fsck')} -fn demo.img`).status).toBe(0);
});

/** Loaded into each thread of Node: those that are not the first end as soon as a file is there. */
const DIES = `
const { existsSync } = require('node:fs');
const { isMainThread } = require('node:worker_threads');
if (!isMainThread)
  setInterval(() => {
    if (existsSync('die')) throw new Error('struck down');
  }, 20).unref();
`;

test('the kernel’s thread ends: the screen says so, what is staged is saved as a script that does it again', async () => {
  place.demo();
  writeFileSync(place.at('dies.cjs'), DIES);
  place.sh('rm -f die saved.fsu');
  const before = place.sh('sha256sum demo.img').stdout;
  const t = open({ env: { NODE_OPTIONS: `--require=${place.at('dies.cjs')}` } });
  await t.command('clear; stty -a >before; fsu browse demo.img; echo "status $?"; stty -a >after; echo done');
  await t.waitFor('etc/');
  await t.makeDir('new');
  await t.agree();
  await t.waitFor('STAGED 1');
  t.type(':chmod 700 /home');
  t.keys('Enter');
  await t.waitFor('STAGED 2');
  place.sh('touch die');
  const seen = await t.waitFor('2 staged, not committed; the kernel has ended');
  expect(seen).toContain('KERNEL ENDED, 2 STAGED');
  place.sh('rm die');
  expect(seen).toContain('struck down');
  t.keys('Escape');
  await t.waitUntilGone('s save as a script');
  t.keys('j');
  const why = await t.waitFor('struck down');
  expect(why).not.toMatch(/^\s+at /m);
  t.keys('S');
  await t.waitFor('save the edits as a script');
  t.type('saved.fsu');
  t.keys('Enter');
  await t.waitFor('saved: saved.fsu');
  t.keys('q');
  await t.waitFor('2 staged, not committed; the kernel has ended');
  t.keys('q');
  await t.waitFor('status 1\ndone');
  expect(t.modes()).toEqual({ isAlternate: false, showsCursor: true, reportsMouse: false });
  expect(readFileSync(place.at('after'), 'utf8')).toBe(readFileSync(place.at('before'), 'utf8'));
  expect(place.sh('sha256sum demo.img').stdout).toBe(before);
  const again = place.sh('fsu script saved.fsu demo.img');
  expect(again.status, again.stderr).toBe(0);
  expect(place.sh('fsu ls -ld demo.img:/home demo.img:/new').stdout).toMatch(/^drwx------[^]*^drwx/m);
});

test('names, contents, attributes and labels that drive terminals: nothing of them gets there', async () => {
  place.demo('evil.img');
  const evil = '\x1b]0;owned\x07\x1b[31mred\x9b5m\u202eltr\r\n';
  writeFileSync(place.at('evil.txt'), `${evil}\n${evil}`);
  writeFileSync(
    place.at('evil.fsu'),
    [
      `mkdir -- '/a${evil}'`,
      `put evil.txt '/b${evil}'`,
      `put evil.txt /plain`,
      `xattr set -n user.x --value '${evil}' /plain`,
      `ln -s -- '${evil}' '/c${evil}'`,
      `touch -- '/${'n'.repeat(250)}\x1b[2J'`,
      `touch -- '/d\x80\xff'`,
    ].join('\n'),
    'latin1',
  );
  const made = place.sh('fsu script evil.fsu evil.img');
  expect(made.stderr).toBe('');
  const t = open();
  await t.command('clear; fsu browse evil.img');
  await t.waitFor('etc/');
  for (let n = 0; n < 14; n++) t.keys('j');
  t.keys('i');
  await t.waitFor('inode');
  t.keys('q', 'I');
  await t.waitFor('superblock');
  t.keys('q', '/');
  t.type('plain');
  t.keys('Enter', 'i');
  await t.waitFor('user.x');
  t.keys('q', 'o');
  await t.waitFor('owned');
  t.keys('x');
  await t.waitFor('hexadecimal');
  t.keys('q', 'q');
  await t.command('clear; echo over');
  const recorded = t.recorded();
  // What is between the first frame and the end: text, SGR, places, erasing, and the modes that we set ourselves.
  const frames = recorded.slice(recorded.indexOf('\x1b[?1049h'), recorded.lastIndexOf('\x1b[?1049l'));
  expect(frames.length).toBeGreaterThan(1000);
  const known = /\x1b\[(?:[0-9;]*m|\d+;1H|K|H|2J|\?(?:1049|25|1000|1002|1003|1006|2004|2026)[hl])/g; // oxlint-disable-line no-control-regex -- they are what is looked for
  const rest = frames.replace(known, '');
  expect([...rest.matchAll(/[\x00-\x1f\x7f]/g)].map(([char]) => char)).toEqual([]); // oxlint-disable-line no-control-regex -- as above
  expect(rest).not.toContain('\u202e');
  // Colours of the image's are none of ours.
  expect(frames).not.toContain('\x1b[31mred');
});

test('NO_COLOR: weight and reversal, no colour', async () => {
  place.demo();
  const t = open({ env: { NO_COLOR: '1' } });
  await t.command('clear; fsu browse demo.img');
  await t.waitFor('etc/');
  t.keys('j', 'q');
  await t.command('clear');
  expect(t.recorded().slice(t.recorded().indexOf('\x1b[?1049h'))).not.toMatch(/\x1b\[(?:\d+;)*[39]\d(?:;\d+)*m/); // oxlint-disable-line no-control-regex -- they are what is looked for
});

test('a session saved as a script does the same to the untouched image', async () => {
  place.demo('one.img');
  place.demo('two.img');
  const t = open();
  await t.command('fsu browse one.img; echo "status $?"');
  await t.waitFor('etc/');
  t.type('anew/');
  t.keys('Enter');
  await t.agree();
  await t.waitFor('STAGED 1');
  t.type(':');
  t.type('chmod 700 /home');
  t.keys('Enter');
  await t.waitFor('STAGED 2');
  t.keys('S');
  t.keys('Enter');
  await t.waitFor('saved: edits.fsu');
  await t.commit(2);
  t.keys('q');
  await t.waitFor('status 0');
  expect(place.sh('fsu script edits.fsu two.img').status).toBe(0);
  expect(place.sh(`${requireOracle('e2fsck')} -fn one.img`).status).toBe(0);
  const listing = (image: string): string =>
    place.sh(`fsu find ${image}:/ -printf '%p %m %y\\n' | sort | sed s/${image}//`).stdout;
  expect(listing('one.img')).toBe(listing('two.img'));
});
