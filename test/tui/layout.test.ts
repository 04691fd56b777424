/** What the screen is made of: the tree of an image, lists, the title, the help. */
import { statSync } from 'node:fs';
import { expect, test } from 'vitest';
import { keyBindings } from '../../packages/fsu-cli/src/tui/keys/index.ts';
import { keyTables } from '../../packages/fsu-cli/src/tui/keys/tables.ts';
import { requireOracle } from '../support/oracle.ts';
import { terminalPlace } from './terminal.ts';
import type { Terminal, TerminalOptions } from './terminal.ts';

const { place, open } = terminalPlace();

async function browse(words: string, options?: TerminalOptions): Promise<Terminal> {
  const t = open(options);
  await t.command(`clear; fsu browse ${words}; echo "status $?"`);
  return t;
}

async function leave(t: Terminal): Promise<void> {
  t.keys('q');
  await t.waitFor('status 0');
}

function run(line: string, stdin = ''): void {
  const { status, stderr } = place.sh(line, { stdin });
  expect({ line, status, stderr: status === 0 ? '' : stderr }).toEqual({ line, status: 0, stderr: '' });
}

/** An image with the files of a shell's line in it. */
const ext4 = (image: string, files: string, size = '4M'): void =>
  run(
    `rm -rf tree ${image} && mkdir tree && (cd tree && ${files}) && ${requireOracle('mke2fs')} -q -t ext4 -d tree ${image} ${size}`,
  );

/** A disk of two file systems, swap, and a partition with nothing in it. */
function disk(image: string, label: 'dos' | 'gpt'): void {
  const [linux, swap] = label === 'dos' ? ['83', '82'] : ['L', 'S'];
  const parts = [
    `start=2048,size=8192,type=${linux}`,
    `size=8192,type=${linux}`,
    `size=2048,type=${swap}`,
    `size=2048,type=${linux}`,
  ];
  run(`rm -f ${image} && truncate -s 16M ${image}`);
  run(`${requireOracle('sfdisk')} -q ${image}`, `label: ${label}\n${parts.join('\n')}\n`);
  for (const [nth, name] of ['first', 'second'].entries()) {
    ext4('part.img', `touch ${name}`);
    run(`dd if=part.img of=${image} bs=1M seek=${1 + 4 * nth} conv=notrunc`);
  }
  // The signature at the end of the first page is what makes it swap.
  run(`printf SWAPSPACE2 | dd of=${image} bs=1 seek=${9 * 2 ** 20 + 4086} conv=notrunc`);
}

test.each(['dos', 'gpt'] as const)(
  'the tree of a partitioned image (%s): partitions, what is in each, entering each',
  async (label) => {
    disk('disk.img', label);
    const t = await browse('disk.img', { columns: 160 });
    const seen = await t.waitFor(/disk\.img:1:\/[^]*first/);
    const tree = seen.split('\n').map((line) => line.slice(0, 30).trimEnd());
    expect(tree.slice(1, 13)).toEqual([
      'disk.img',
      `  ${label === 'dos' ? 'MBR' : 'GPT'}  16M`,
      '  1',
      '    ext4 4.0M',
      '  2',
      '    ext4 4.0M',
      '  3',
      '    Linux swap area 1.0M',
      '  4',
      '    blank image 1.0M',
      'host',
      '  this computer',
    ]);
    t.keys('T');
    await t.waitForCursor('1');
    t.keys('j');
    await t.waitForCursor('2');
    t.keys('Enter');
    await t.waitFor(/disk\.img:2:\/[^]*second/);
    t.keys('Tab');
    await t.waitForCursor('2');
    t.keys('j');
    await t.waitForCursor('3');
    t.keys('Enter');
    await t.waitFor('it holds no files');
    t.keys('j');
    await t.waitForCursor('4');
    t.keys('Enter');
    await t.waitFor('it holds only zeros');
    t.keys('j');
    await t.waitForCursor('host');
    t.keys('Enter');
    await t.waitFor(/host:.*fsu-cli-/);
    await t.waitFor('disk.img  ');
    await leave(t);
  },
);

test('a nested image: Enter opens it, h leaves it, and back and forward go there, too', async () => {
  ext4('inner.img', 'mkdir -p deep/down');
  ext4('outer.img', 'mkdir disks && cp ../inner.img disks && touch disks/zz', '16M');
  const t = await browse('outer.img');
  await t.waitFor('disks/');
  t.keys('Enter');
  await t.waitFor(/outer\.img:\/disks [^]*inner\.img/);
  t.keys('Enter');
  const seen = await t.waitFor(/outer\.img:file=disks%2Finner\.img:\/ [^]*deep\//);
  expect(
    seen
      .split('\n')
      .map((line) => line.slice(0, 16).trimEnd())
      .slice(1, 6),
  ).toEqual(['outer.img', '  ext4 16M', '  inner.img', '    ext4 4.0M', 'host']);
  t.keys('Enter');
  await t.waitFor(/inner\.img:\/deep [^]*down\//);
  t.keys('h');
  await t.waitForCursor('deep');
  t.keys('h');
  await t.waitFor(/outer\.img:\/disks [^]*zz/);
  await t.waitForCursor('inner.img');
  t.keys('-');
  await t.waitFor(/inner\.img:\/ [^]*deep\//);
  t.keys('=');
  await t.waitFor(/outer\.img:\/disks [^]*zz/);
  t.keys('h');
  await t.waitForCursor('disks');
  await leave(t);
});

test('an image within an image is only read: an edit there says so', async () => {
  ext4('inner.img', 'touch within');
  ext4('outer.img', 'cp ../inner.img .', '16M');
  const t = await browse('outer.img');
  await t.waitFor('inner.img');
  t.keys('G');
  await t.waitForCursor('inner.img');
  t.keys('Enter');
  await t.waitFor('within');
  t.keys('a');
  const seen = await t.waitFor('an image within an image is only read');
  expect(seen).toMatch(/^ outer\.img \S+ {2}RO\b/m);
  await leave(t);
});

test('below 80 columns the list alone is shown; the tree takes its place while it has the focus', async () => {
  place.demo();
  const t = await browse('demo.img', { columns: 100, lines: 20 });
  const wide = await t.waitFor('1 entry, 61B');
  expect(wide).toMatch(/^demo\.img +demo\.img:\/ /m);
  t.resize(70, 20);
  await t.waitUntilGone('this computer');
  const narrow = await t.waitFor(/^ boot\/ .*drwx/m);
  expect(narrow).not.toContain('1 entry, 61B');
  t.keys('T');
  const tree = await t.waitFor('this computer');
  expect(tree).not.toContain('boot/');
  t.keys('T');
  await t.waitFor('boot/');
  t.resize(40, 20);
  // No room for modes any more.
  await t.waitFor(/^ README +377B$/m);
  for (const line of t.capture()) expect(line.length).toBeLessThanOrEqual(40);
  t.keys('j');
  await t.waitForCursor('etc');
  t.resize(100, 20);
  await t.waitFor('7 entries, 1.4K');
  await t.waitFor('this computer');
  await t.waitForCursor('etc');
  await leave(t);
});

test('two lists: image, host and another image, and files from each to each', async () => {
  ext4('one.img', 'echo from one >one');
  ext4('two.img', 'echo from two >two');
  run('rm -rf files && mkdir files && echo from host >files/host.txt');
  const t = await browse('one.img');
  await t.waitForCursor('lost+found');
  t.keys('P');
  await t.waitFor(/one\.img:\/ .* host:/);
  t.type('gp');
  await t.waitFor('go to:');
  t.type(place.at('files'));
  t.keys('Enter');
  await t.waitForCursor('host.txt');
  t.keys('F5');
  await t.agree();
  await t.waitFor('STAGED 1');
  await t.waitFor(/^ host\.txt /m);
  // The image's into the host.
  t.keys('Tab');
  t.keys('G');
  await t.waitForCursor('one');
  t.keys('F5');
  await t.waitFor(/^.{50} one /m);
  // Another image in the place of the host.
  t.keys('Tab');
  await t.waitForCursor('host.txt');
  t.keys('O');
  await t.waitFor('open another image:');
  t.type('two.img');
  t.keys('Enter');
  await t.waitFor(/one\.img:\/ .* two\.img:\/ /);
  t.keys('G');
  await t.waitForCursor('two');
  t.keys('F5');
  await t.waitFor('STAGED 2');
  await t.waitFor(/^ two /m);
  t.keys('Tab');
  t.keys('/');
  t.type('one');
  t.keys('Enter');
  await t.waitForCursor('one');
  t.keys('F5');
  await t.waitFor('STAGED 3');
  await t.waitFor(/^.{50} one /m);
  // One list again: the one that had the focus.
  t.keys('F9');
  await t.waitFor('this computer');
  expect(t.capture().join('\n')).toContain('one.img:/  4');
  await t.commit(3);
  await leave(t);
  const { stdout } = place.sh('fsu cat one.img:/host.txt one.img:/two two.img:/one; cat files/one');
  expect(stdout).toBe('from host\nfrom two\nfrom one\nfrom one\n');
  for (const image of ['one.img', 'two.img']) run(`${requireOracle('e2fsck')} -fn ${image}`);
});

test('the title: RO, STAGED n, RW', async () => {
  place.demo();
  const { mtimeMs } = statSync(place.at('demo.img'));
  const t = await browse('demo.img');
  await t.waitFor(/^ demo\.img ext4 {2}RO\b/m);
  t.type('ad/');
  t.keys('Enter');
  await t.waitFor('edit it?');
  expect(t.capture()[0]).toContain(' demo.img ext4  RO');
  t.keys('n');
  await t.waitUntilGone('edit it?');
  expect(t.capture()[0]).toContain(' demo.img ext4  RO');
  t.type('ad/');
  t.keys('Enter');
  await t.agree();
  await t.waitFor(/^ demo\.img ext4 {2}STAGED 1\b/m);
  t.keys('F7');
  await t.waitFor(/new/);
  t.type('e');
  t.keys('Enter');
  await t.waitFor(/^ demo\.img ext4 {2}STAGED 2\b/m);
  t.keys('u');
  await t.waitFor(/^ demo\.img ext4 {2}STAGED 1\b/m);
  t.keys('u');
  await t.waitFor(/^ demo\.img ext4 {2}RW\b/m);
  await leave(t);
  expect(statSync(place.at('demo.img')).mtimeMs).toBe(mtimeMs);
});

test('the help has every key, and scrolls', async () => {
  place.demo();
  const t = await browse('demo.img', { columns: 100, lines: 20 });
  await t.waitFor('etc/');
  const whole = keyTables.flatMap(({ title, rows }) => [
    title,
    ...rows.map(({ term, says }) => `  ${term.padEnd(26)}${says}`),
    '',
  ]);
  const all = whole.map((line) => (line.length > 100 ? `${line.slice(0, 99)}~` : line));
  for (const { keys } of keyBindings) expect(all.some((line) => line.includes(` ${keys.join('  ')} `))).toBe(true);
  t.keys('?');
  const height = 18;
  const last = all.length - height;
  for (let top = 0; ; top = Math.min(last, top + height - 1)) {
    await waitForLines(t, all.slice(top, top + height));
    if (top === last) break;
    t.keys('C-f');
  }
  t.type('gg');
  await waitForLines(t, all.slice(0, height));
  t.keys('j');
  await waitForLines(t, all.slice(1, height + 1));
  t.type('\x1b[<65;5;5M');
  await waitForLines(t, all.slice(4, height + 4));
  t.keys('q');
  await t.waitFor('etc/');
  await leave(t);
});

/** Between the title and the last line. */
const waitForLines = async (t: Terminal, lines: readonly string[]): Promise<void> =>
  expect.poll(() => t.capture().slice(1, -1), { timeout: 15_000 }).toEqual(lines);
