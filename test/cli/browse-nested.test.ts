/** Issue 5, item 3: images within images in the browser: files are copied out of them, and nothing is changed in them. */
import { copyFileSync, existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { activeTab } from '../../packages/fsu-cli/src/tui/model/state.ts';
import { assertClean } from '../support/e2fsprogs.ts';
import { makeNestedImages } from '../support/nested-images.ts';
import { imageLines } from '../support/ukfs-tree.ts';
import { Browsing } from './browsing.ts';
import { Workplace } from './harness.ts';

const cli = new Workplace();
const place = mkdtempSync(join(tmpdir(), 'browse-nested-'));
const at = (name: string): string => join(place, name);
const [DISK, SCRIPT, OUT] = [at('disk.img'), at('session.fsu'), at('motd')];
const VM = `${DISK}:file=boot%2Fvm.img`;

beforeAll(() => makeNestedImages(place));
beforeEach(() => {
  copyFileSync(at('origin.img'), DISK);
  for (const file of [SCRIPT, OUT]) rmSync(file, { force: true });
});
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
  cli.remove();
});

/** Into /boot/vm.img, whose first file system is entered. */
async function entered(words: readonly string[] = [DISK]): Promise<Browsing> {
  const b = await Browsing.open(words);
  await into(b, 'boot', 'vm.img');
  return b;
}

async function into(b: Browsing, ...names: readonly string[]): Promise<void> {
  for (const name of names) {
    b.on(name);
    await b.keys('enter');
  }
}

async function typed(b: Browsing, line: string): Promise<void> {
  await b.keys(':');
  await b.answer(line);
  await b.allow();
}

const whereIs = (b: Browsing): string => `${activeTab(b.state).place}:${activeTab(b.state).dir}`;
const noteOf = (b: Browsing): string => b.state.note?.text ?? '';

async function saved(b: Browsing): Promise<void> {
  await b.keys('S');
  await b.answer(SCRIPT);
  await b.keys('w');
  expect(b.state.screen).toMatchObject({ name: 'review', images: [{ isSound: true }] });
  await b.keys('c');
  expect(noteOf(b)).toMatch(/^committed: /);
}

/** The saved script makes of the image as it was the tree that was committed; e2fsck has nothing to say of either. */
async function replayed(): Promise<void> {
  assertClean(DISK);
  const lines = await imageLines(DISK);
  copyFileSync(at('origin.img'), DISK);
  expect(cli.run('fsu', ['script', SCRIPT, DISK])).toMatchObject({ status: 0, stderr: '' });
  assertClean(DISK);
  expect(await imageLines(DISK)).toEqual(lines);
}

test('its place is an address that commands take, and so is that of an image within it', async () => {
  const b = await entered();
  try {
    expect(whereIs(b)).toBe(`${VM}:1:/`);
    b.on('etc');
    await b.keys('Y');
    expect(b.copied).toEqual([`fsu ls -ld ${VM}:1/etc`]);
    expect(cli.sh(b.copied[0] ?? '')).toMatchObject({ status: 0, stderr: '' });
    await into(b, 'deep.img');
    expect(whereIs(b)).toBe(`${VM}:1:file=deep.img:/`);
    b.on('bottom');
    await b.keys('Y');
    expect(cli.sh(b.copied[1] ?? '')).toMatchObject({ status: 0, stderr: '' });
    await b.keys('h');
    expect(whereIs(b)).toBe(`${VM}:1:/`);
    await b.keys('h');
    expect(whereIs(b)).toBe(`${DISK}:/boot`);
  } finally {
    b.close();
  }
});

test('the browser opens at the address; its parts are there to be entered', async () => {
  const b = await Browsing.open([VM]);
  try {
    expect(whereIs(b)).toBe(`${VM}:1:/`);
    expect(b.state.stack.map(({ id, label }) => [id, label])).toEqual([
      [VM, 'vm.img'],
      [`${VM}:1`, '1'],
      [`${VM}:2`, '2 second'],
      ['host', 'host'],
    ]);
    await b.keys('h');
    expect(whereIs(b)).toBe(`${DISK}:/boot`);
  } finally {
    b.close();
  }
});

test('files are copied to the host, and into the image that it lies in', async () => {
  const b = await entered();
  try {
    await into(b, 'etc');
    b.on('motd');
    await b.keys('P', 'g', 'p');
    await b.answer(place);
    await b.keys('tab', 'F5');
    expect(readFileSync(OUT, 'utf8')).toBe('hello from within\n');
    expect(b.lines).toEqual([]);
    await b.keys('P', 'y', 'h', 'h');
    expect(whereIs(b)).toBe(`${DISK}:/boot`);
    await b.keys('p');
    await b.allow();
    expect(b.lines).toEqual([`cp -a -- ${VM}:1/etc/motd /boot`]);
    expect(b.names).toEqual(['motd', 'vm.img']);
    await saved(b);
  } finally {
    b.close();
  }
  await replayed();
  expect(cli.run('fsu', ['cat', `${DISK}:/boot/motd`]).stdout).toBe('hello from within\n');
});

test('and into another image', async () => {
  const other = at('other.img');
  copyFileSync(at('two.img'), other);
  const b = await entered();
  try {
    b.on('etc');
    await b.keys('y', 'O');
    await b.answer(other);
    await b.keys('p');
    await b.keys('o');
    await b.allow();
    expect(b.lines).toEqual([`cp --image ${other} -a -- ${VM}:1/etc /`]);
    await b.keys('w', 'c');
  } finally {
    b.close();
  }
  assertClean(other);
  expect(cli.run('fsu', ['ls', `${other}:/etc`]).stdout).toBe('motd\nsecond\n');
});

test('what is staged around it is what is shown and what is copied: put over it, taken back, done again', async () => {
  const b = await entered();
  const shown = () => b.state.panes[0]?.tabs[0];
  try {
    // Lines that are typed beside the host are about the image.
    await b.keys('P');
    await typed(b, `cp ${VM}:1/etc/motd /before`);
    await typed(b, `put ${at('deep.img')} /boot/vm.img`);
    expect(shown()?.failure).toMatch(/nothing is selected by 1/);
    await b.keys('u');
    expect(shown()?.rows.map(({ name }) => name)).toContain('deep.img');
    await b.keys('U', 'tab', 'h');
    expect(whereIs(b)).toBe(`${DISK}:/boot`);
    await into(b, 'vm.img');
    b.on('bottom');
    await b.keys('y', 'h', 'p');
    expect(b.names).toEqual(['bottom', 'vm.img']);
    await saved(b);
  } finally {
    b.close();
  }
  await replayed();
  expect(cli.run('fsu', ['cat', `${DISK}:/before`, `${DISK}:/boot/bottom`]).stdout).toBe(
    'hello from within\nas deep as it goes\n',
  );
});

test('removed while it is shown, it leaves nothing behind; the lists go on', async () => {
  const b = await entered();
  try {
    await b.keys('P');
    await typed(b, 'rm /boot/vm.img');
    expect(b.state.panes[0]?.tabs[0]?.failure).toMatch(/No such file/);
    await b.keys('tab', 'h');
    expect([whereIs(b), b.names]).toEqual([`${DISK}:/boot`, []]);
    await saved(b);
  } finally {
    b.close();
  }
  await replayed();
});

const READ = 'an image within an image is only read: copy it out, edit it, and put it back';

test.each([['F7'], ['a'], ['x'], ['F6'], ['delete'], ['r'], ['e'], ['c m'], ['p']])(
  '%s: is refused in one line',
  async (keys) => {
    const b = await entered();
    try {
      await into(b, 'etc');
      b.on('motd');
      await b.keys('y', ...keys.split(' '));
      expect([b.state.prompt, b.state.note]).toMatchObject([undefined, { kind: 'error', text: READ }]);
    } finally {
      b.close();
    }
    expect(readFileSync(DISK).equals(readFileSync(at('origin.img')))).toBe(true);
  },
);

test('a typed edit is refused as well, and changes nothing', async () => {
  const b = await entered();
  try {
    await typed(b, 'rm etc/motd');
    expect(b.state.note).toMatchObject({ kind: 'error', text: expect.stringContaining(READ) });
    expect(b.lines).toEqual([]);
  } finally {
    b.close();
  }
  expect(existsSync(OUT)).toBe(false);
});
