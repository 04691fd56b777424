/** Walking about: keys, the mouse, finding, selecting, tabs, and a directory that is large. */
import { expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { terminalPlace } from './terminal.ts';
import type { Terminal, TerminalOptions } from './terminal.ts';

const { place, open } = terminalPlace();

/** Two directories and four files that no two orders put alike. */
const TREE = [
  'rm -rf tree && mkdir -p tree/alpha/deep/er tree/beta && cd tree',
  'echo the needle >alpha/deep/hay && echo straw >alpha/deep/er/needle.txt && echo >beta/only',
  'head -c 5000 /dev/zero >d.bin && head -c 50 /dev/zero >a.zip && head -c 500 /dev/zero >c.txt && printf xyz >.dot',
  'touch -d @1000 a.zip && touch -d @3000 c.txt && touch -d @2000 d.bin && touch -d @500 .dot',
].join(' && ');

/** The first list of a session on the tree, with the cursor on its first entry. */
async function browse(options?: TerminalOptions): Promise<Terminal> {
  const made = place.sh(`(${TREE}) && rm -f tree.img && ${requireOracle('mke2fs')} -q -t ext4 -d tree tree.img 4M`);
  expect(made.status, made.stderr).toBe(0);
  const t = open(options);
  await t.command('clear; fsu browse tree.img; echo "status $?"');
  await t.waitForCursor('alpha');
  return t;
}

async function leave(t: Terminal): Promise<void> {
  t.keys('q');
  await t.waitFor('status 0');
}

const ROOT = ['alpha/', 'beta/', 'lost+found/', '.dot', 'a.zip', 'c.txt', 'd.bin'];

/** The names in the list of a terminal of 100 columns: the tree of the image is to the left of it, the preview to the right. */
const waitForNames = (t: Terminal, names: readonly string[]): Promise<void> =>
  expect
    .poll(
      () =>
        t
          .capture()
          .slice(2, -1)
          .flatMap((line) => /^[ *]([^ ]+)/.exec(line.slice(20, 64))?.[1] ?? []),
      { timeout: 15_000 },
    )
    .toEqual(names);

/** The keys one by one, each once the cursor is where the one before has brought it. */
async function walk(t: Terminal, steps: readonly (readonly [key: string, cursor: string])[]): Promise<void> {
  for (const [key, cursor] of steps) {
    for (const one of key.split(' ')) t.keys(one);
    await t.waitForCursor(cursor);
  }
}

test('vi keys', async () => {
  const t = await browse();
  await walk(t, [
    ['j', 'beta'],
    ['k', 'alpha'],
    ['G', 'd.bin'],
    ['g g', 'alpha'],
    ['C-d', 'd.bin'],
    ['C-u', 'alpha'],
    ['C-f', 'd.bin'],
    ['C-b', 'alpha'],
    ['l', 'deep'],
    ['l', 'er'],
    ['j', 'hay'],
    ['h', 'deep'],
    ['h', 'alpha'],
  ]);
  await leave(t);
});

test('arrows and the keys around them', async () => {
  const t = await browse();
  await walk(t, [
    ['Down', 'beta'],
    ['Up', 'alpha'],
    ['End', 'd.bin'],
    ['Home', 'alpha'],
    ['NPage', 'd.bin'],
    ['PPage', 'alpha'],
    ['Right', 'deep'],
    ['Left', 'alpha'],
    ['Enter', 'deep'],
    ['BSpace', 'alpha'],
  ]);
  await leave(t);
});

test('F-keys', async () => {
  const t = await browse();
  t.keys('F1');
  await t.waitFor('to the directory above');
  t.keys('F10');
  await t.waitForCursor('alpha');
  t.keys('F3');
  await t.waitFor('only a regular file has contents');
  t.type('/c.txt');
  t.keys('Enter');
  await t.waitForCursor('c.txt');
  t.keys('F3');
  await t.waitFor('hexadecimal');
  t.keys('F10');
  await t.waitForCursor('c.txt');
  t.keys('F5');
  await t.waitFor('c.txt to be copied: p pastes');
  t.keys('F6');
  await t.waitFor('c.txt to be moved: p pastes');
  t.keys('F7');
  await t.waitFor('new directory');
  t.type('made');
  t.keys('Enter');
  await t.agree();
  await t.waitFor('STAGED 1');
  await t.waitForCursor('made');
  t.keys('F2');
  await t.waitFor('rename');
  t.keys('C-u');
  t.type('named');
  t.keys('Enter');
  await t.waitFor('STAGED 2');
  await t.waitForCursor('named');
  t.keys('F8');
  await t.waitFor(/delete.*named/);
  t.keys('y');
  await t.waitFor('STAGED 3');
  await waitForNames(t, ROOT);
  t.keys('F9');
  await t.waitFor('host:');
  t.keys('F9');
  await t.waitUntilGone('tree.img:/');
  t.keys('F10');
  await t.waitFor('3 staged edits are not committed');
  t.keys('d');
  await t.waitFor('status 0');
});

test('the mouse: a press chooses, two enter, the wheel scrolls', async () => {
  const t = await browse({ lines: 8 });
  const press = (column: number, line: number): void => t.type(`\x1b[<0;${column};${line}M\x1b[<0;${column};${line}m`);
  // Below the title and the heading.
  press(25, 4);
  await t.waitForCursor('beta');
  t.type('\x1b[<65;25;4M');
  await t.waitForCursor('a.zip');
  t.type('\x1b[<65;25;4M');
  await t.waitForCursor('d.bin');
  t.type('\x1b[<64;25;4M\x1b[<64;25;4M');
  await t.waitForCursor('alpha');
  press(25, 3);
  press(25, 3);
  await t.waitForCursor('deep');
  // The tree: the host, entered by two presses.
  press(3, 4);
  await t.waitForCursor('host');
  press(3, 4);
  press(3, 4);
  await t.waitFor('host:');
  await leave(t);
});

test('search: to the next name that has the text in it, and around the end', async () => {
  const t = await browse();
  t.type('/.ZIP');
  t.keys('Enter');
  await t.waitForCursor('a.zip');
  t.type('/ta');
  t.keys('Enter');
  await t.waitForCursor('beta');
  t.type('/.');
  t.keys('Enter');
  await t.waitForCursor('.dot');
  await walk(t, [
    ['n', 'a.zip'],
    ['n', 'c.txt'],
    ['N', 'a.zip'],
    ['N', '.dot'],
    ['N', 'd.bin'],
  ]);
  t.type('/nowhere');
  t.keys('Enter');
  await t.waitFor('no name here has nowhere in it');
  await t.waitForCursor('d.bin');
  await leave(t);
});

test('filter as you type: the list follows each key, Enter keeps it, Escape drops it', async () => {
  const t = await browse();
  t.keys('f');
  await t.waitFor('filter:');
  t.type('t');
  await waitForNames(t, ['beta/', 'lost+found/', '.dot', 'c.txt']);
  t.type('a');
  await waitForNames(t, ['beta/']);
  t.keys('BSpace');
  t.type('x');
  await waitForNames(t, ['c.txt']);
  t.keys('Enter');
  await t.waitFor(/tree\.img:\/ {2}1 {2}filter: tx/);
  await t.waitForCursor('c.txt');
  t.keys('Escape');
  await waitForNames(t, ROOT);
  await t.waitForCursor('c.txt');
  t.type('fzzz');
  await t.waitFor('nothing matches the filter');
  t.keys('Escape');
  await waitForNames(t, ROOT);
  await leave(t);
});

test('content grep: files that contain a text, Enter goes to one', async () => {
  const t = await browse();
  t.type('gc');
  await t.waitFor('find files that contain:');
  t.type('the needle');
  t.keys('Enter');
  await t.waitFor('files that contain the needle  1');
  await t.waitForCursor('/alpha/deep/hay');
  t.keys('Enter');
  await t.waitFor('tree.img:/alpha/deep ');
  await t.waitForCursor('hay');
  await leave(t);
});

test('find by name, below here', async () => {
  const t = await browse();
  t.type('gf');
  await t.waitFor('find names with:');
  t.type('NEEDLE');
  t.keys('Enter');
  await t.waitFor('names with NEEDLE  1');
  await t.waitForCursor('/alpha/deep/er/needle.txt');
  t.keys('q');
  await t.waitForCursor('alpha');
  await walk(t, [
    ['j', 'beta'],
    ['l', 'only'],
  ]);
  t.type('gf');
  await t.waitFor('find names with:');
  t.type('needle');
  t.keys('Enter');
  await t.waitFor('names with needle  0');
  t.keys('Escape');
  await t.waitForCursor('only');
  await leave(t);
});

test('jump to a path; one that is not there says so', async () => {
  const t = await browse();
  t.type('gp');
  await t.waitFor('go to: /');
  t.type('alpha/deep');
  t.keys('Enter');
  await t.waitForCursor('er');
  t.type('gp');
  await t.waitFor('go to: /alpha/deep/');
  t.type('/alpha//deep/../../beta/');
  t.keys('Enter');
  await t.waitFor('tree.img:/beta ');
  await t.waitForCursor('only');
  t.keys('h');
  await t.waitForCursor('beta');
  t.type('gp');
  await t.waitFor('go to: /');
  t.type('alpha/deep/hay');
  t.keys('Enter');
  await t.waitFor('tree.img:/alpha/deep ');
  await t.waitForCursor('hay');
  t.type('gp');
  await t.waitFor('go to: /alpha/deep/');
  t.type('none');
  t.keys('Enter');
  await t.waitFor('No such file or directory');
  await t.waitForCursor('hay');
  t.type('g/');
  await waitForNames(t, ROOT);
  await leave(t);
});

test('bookmarks are there again in the next session; a file of them that is damaged is told of, and left alone', async () => {
  const home = place.at('home');
  place.sh(`rm -rf '${home}' && mkdir '${home}'`);
  const t = await browse({ env: { HOME: home } });
  t.keys('m');
  await t.waitFor('bookmark this directory as: /');
  t.type('top');
  t.keys('Enter');
  await t.waitFor("' lists the bookmarks");
  await leave(t);
  t.type('clear; fsu browse ./tree.img; echo "status $?"');
  t.keys('Enter');
  await t.waitForCursor('alpha');
  t.keys("'");
  await t.waitFor('top  ./tree.img:/');
  t.keys('Enter');
  await t.waitForCursor('alpha');
  await leave(t);
  place.sh(`echo '{' >'${home}/.local/state/fsu/bookmarks.json'`);
  t.type('clear; fsu browse tree.img; echo "status $?"');
  t.keys('Enter');
  expect(await t.waitFor('no bookmarks: ')).toContain('not a file of bookmarks');
  t.keys("'");
  await t.waitFor('no bookmarks: m makes one');
  await leave(t);
  expect(place.sh(`cat '${home}/.local/state/fsu/bookmarks.json'`).stdout).toBe('{\n');
});

test('hidden files: shown, and not', async () => {
  const t = await browse();
  await waitForNames(t, ROOT);
  t.keys('.');
  await waitForNames(
    t,
    ROOT.filter((name) => name !== '.dot'),
  );
  t.keys('.');
  await waitForNames(t, ROOT);
  await leave(t);
});

test('sort orders: name, size, time, what is behind the dot, none, and the other way round', async () => {
  const t = await browse();
  const dirs = ['alpha/', 'beta/', 'lost+found/'];
  const files = async (keys: string, names: readonly string[]): Promise<void> => {
    t.type(keys);
    await expect
      .poll(
        () =>
          t
            .capture()
            .slice(2, -1)
            .flatMap((line) => /^[ *]([^ /]+) /.exec(line.slice(20, 64))?.[1] ?? []),
        { timeout: 15_000 },
      )
      .toEqual(names);
  };
  await files(',s', ['d.bin', 'c.txt', 'a.zip', '.dot']);
  await files(',r', ['.dot', 'a.zip', 'c.txt', 'd.bin']);
  await files(',r', ['d.bin', 'c.txt', 'a.zip', '.dot']);
  await files(',m', ['c.txt', 'd.bin', 'a.zip', '.dot']);
  await files(',e', ['.dot', 'd.bin', 'c.txt', 'a.zip']);
  await files(',n', ['.dot', 'a.zip', 'c.txt', 'd.bin']);
  await waitForNames(t, [...dirs, '.dot', 'a.zip', 'c.txt', 'd.bin']);
  const raw = place
    .sh(`${requireOracle('debugfs')} -R 'ls -p /' tree.img`)
    .stdout.split('\n')
    .flatMap((line) => line.split('/')[5] ?? []);
  t.type(',d');
  await waitForNames(
    t,
    raw
      .filter((name) => !['', '.', '..'].includes(name))
      .map((name) => (dirs.includes(`${name}/`) ? `${name}/` : name)),
  );
  await leave(t);
});

test('tabs: each has its directory', async () => {
  const t = await browse();
  t.keys('t');
  await t.waitFor('[2/2] tree.img:/');
  await walk(t, [['l', 'deep']]);
  t.keys('t');
  await t.waitFor('[3/3] tree.img:/alpha ');
  t.keys('1');
  await t.waitFor('[1/3] tree.img:/ ');
  t.keys('[');
  await t.waitFor('[3/3] tree.img:/alpha ');
  t.keys(']');
  await t.waitFor('[1/3] tree.img:/ ');
  t.keys('2');
  await t.waitFor('[2/3] tree.img:/alpha ');
  t.keys('C-w');
  await t.waitFor('[2/2] tree.img:/alpha ');
  t.keys('C-w');
  await t.waitFor(/ tree\.img:\/ /);
  t.keys('C-w');
  await t.waitFor('this is the last tab');
  await leave(t);
});

test('history: back and forward', async () => {
  const t = await browse();
  await walk(t, [
    ['l', 'deep'],
    ['l', 'er'],
    ['h', 'deep'],
  ]);
  t.keys('-');
  await t.waitFor('tree.img:/alpha/deep ');
  t.keys('-');
  await t.waitFor('tree.img:/alpha ');
  t.keys('M-Left');
  await waitForNames(t, ROOT);
  t.keys('-');
  await t.waitFor('nowhere to go back to');
  t.keys('=');
  await t.waitFor('tree.img:/alpha ');
  t.keys('M-Right');
  await t.waitFor('tree.img:/alpha/deep ');
  t.keys('=');
  await t.waitFor('tree.img:/alpha ');
  t.keys('=');
  await t.waitFor('nowhere to go on to');
  await leave(t);
});

test('selection: one by one, all, the others, none', async () => {
  const t = await browse();
  await walk(t, [
    ['Space', 'beta'],
    ['IC', 'lost+found'],
  ]);
  await t.waitFor('2 selected');
  await t.waitFor(/\*alpha\//);
  t.keys('v');
  await t.waitFor('5 selected');
  await t.waitFor(/\*a\.zip/);
  t.keys('C-a');
  await t.waitFor('7 selected');
  t.keys('Space');
  await t.waitFor('6 selected');
  t.keys('Escape');
  await t.waitUntilGone('selected');
  await leave(t);
});

test('100,000 entries: they open, the end is near, a filter narrows them, and all that takes long can be left', async () => {
  const names = `rm -rf many && mkdir many && seq -f 'many/file-%05g' 0 99999 | xargs touch && tar -cf many.tar many && rm -r many`;
  const image = `rm -f many.img && ${requireOracle('mke2fs')} -q -t ext4 -N 110000 many.img 64M`;
  const made = place.sh(`${names} && ${image} && fsu tar -x -f many.tar many.img && rm many.tar`);
  expect(made.status, made.stderr).toBe(0);
  const t = open({ lines: 20 });
  await t.command('clear; fsu browse many.img; echo "status $?"');
  await t.waitForCursor('lost+found');
  await walk(t, [['j', 'many']]);
  // Left while it comes.
  t.keys('Enter');
  await t.waitFor(/many\.img:\/many {2}\d+…/);
  t.keys('h');
  await t.waitFor(/many\.img:\/ {2}2/);
  await t.waitForCursor('many');
  t.keys('Enter');
  // Without … behind them: the last are in order, too.
  await t.waitFor(/many\.img:\/many {2}100000 /, 60_000);
  t.keys('G');
  await t.waitForCursor('file-99999');
  t.keys('f');
  await t.waitFor('filter:');
  t.type('777');
  await t.waitFor(/many\.img:\/many {2}\d{3} {2}filter: 777/);
  t.keys('Enter');
  t.keys('g');
  t.keys('g');
  await t.waitForCursor('file-00777');
  t.keys('Escape');
  await t.waitFor('many.img:/many  100000');
  // Work that takes a while is given up.
  for (const key of ['q', 'Escape']) {
    t.type('gc');
    await t.waitFor('find files that contain:');
    t.type('nothing');
    t.keys('Enter');
    await t.waitFor('so far …');
    t.keys(key);
    await t.waitForCursor('file-00777');
  }
  await walk(t, [
    ['j', 'file-00778'],
    ['h', 'many'],
  ]);
  await leave(t);
}, 240_000);
