/** Images that are no images, are held by others, or mean harm: what fsu browse shows of them in a real terminal. */
import { writeFileSync } from 'node:fs';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { Workplace } from '../cli/harness.ts';
import { requireOracle } from '../support/oracle.ts';
import { Terminal } from './terminal.ts';

let place: Workplace;
const terminals: Terminal[] = [];
beforeAll(() => {
  place = new Workplace();
});
afterEach(() => {
  for (const one of terminals.splice(0)) one.kill();
});
afterAll(() => place.remove());

function open(env: Readonly<Record<string, string>> = {}): Terminal {
  const made = new Terminal(place, { env });
  terminals.push(made);
  return made;
}

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
  expect(seen).toMatch(/^ demo.img ext2fs  RO$/m);
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
  const t = open({ NO_COLOR: '1' });
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
  t.keys('w');
  await t.waitFor('staged, first to last');
  t.keys('c');
  await t.waitFor('committed: 2 edits');
  t.keys('q');
  await t.waitFor('status 0');
  expect(place.sh('fsu script edits.fsu two.img').status).toBe(0);
  expect(place.sh(`${requireOracle('e2fsck')} -fn one.img`).status).toBe(0);
  const listing = (image: string): string =>
    place.sh(`fsu find ${image}:/ -printf '%p %m %y\\n' | sort | sed s/${image}//`).stdout;
  expect(listing('one.img')).toBe(listing('two.img'));
});
