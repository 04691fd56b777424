/** Issue 5, items 4 and 5: whole sessions of edits without a terminal, judged by e2fsck, our checker and fsu script. */
import {
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameFromBytes, open } from 'ukfs';
import { nodeHost } from '@ukfs/kernel/host/node';
import { assertClean, mustRun } from '../support/e2fsprogs.ts';
import { ourFindings } from '../support/our-check.ts';
import { imageLines } from '../support/ukfs-tree.ts';
import { Rng } from '../support/rng.ts';
import { Workplace } from './harness.ts';
import { activeTab } from '../../packages/fsu-cli/src/tui/model/state.ts';
import { Browsing } from './browsing.ts';

const cli = new Workplace();
const place = mkdtempSync(join(tmpdir(), 'browse-edits-'));
const at = (name: string): string => join(place, name);
afterAll(() => {
  rmSync(place, { recursive: true, force: true });
  cli.remove();
});

const NAMES: readonly string[] = [
  "it's",
  'two\nlines',
  'esc\x1b[31mred',
  '-rf',
  '--image',
  '$HOME `x` "q" \\ *?[a]',
  '#hash; & | > < (x)',
  nameFromBytes(new Uint8Array([0x62, 0xff, 0x80, 0x63])),
  'a:b',
  'n'.repeat(255),
  '\u202eabc',
  'tab\tcr\r',
];

beforeAll(() => {
  mkdirSync(at('tree/etc'), { recursive: true });
  writeFileSync(at('tree/etc/hosts'), '127.0.0.1 localhost\n');
  writeFileSync(at('tree/etc/motd'), 'hello\n');
  writeFileSync(at('tree/big'), new Uint8Array(3_000_000).fill(65));
  mustRun('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', at('tree'), at('origin.img'), '32M']);
});

let count = 0;
function fresh(): string {
  const image = at(`disk${++count}.img`);
  copyFileSync(at('origin.img'), image);
  return image;
}

/** 3000 new files, staged in /many. */
async function manyStaged(): Promise<{ readonly image: string; readonly b: Browsing }> {
  const image = fresh();
  mkdirSync(at('many'), { recursive: true });
  for (let n = 0; n < 3000; n++) writeFileSync(at(`many/${n}`), 'x');
  const b = await Browsing.open([image]);
  await b.keys(':');
  await b.answer(`put -R ${at('many')} /`);
  await b.allow();
  return { image, b };
}

async function isSound(image: string): Promise<void> {
  assertClean(image);
  expect(ourFindings(image)).toBe('');
}

describe('item 4: editing, staged', () => {
  test('nothing is written before the commit, and nothing is locked before a person has said so', async () => {
    const image = fresh();
    const before = readFileSync(image);
    const b = await Browsing.open([image]);
    try {
      await b.keys('F7');
      await b.answer('new');
      expect(b.state.prompt?.purpose).toBe('allow');
      await b.keys('n');
      expect([b.lines, b.names.includes('new')]).toEqual([[], false]);
      await b.keys('F7');
      await b.answer('new');
      await b.keys('y');
      expect([b.lines.length, b.names.includes('new')]).toEqual([1, true]);
      expect(Buffer.compare(readFileSync(image), before)).toBe(0);
      await b.keys('w');
      expect(b.state.screen).toMatchObject({
        name: 'review',
        images: [{ isSound: true, files: [{ path: '/new', change: 'added' }] }],
      });
      await b.keys('c');
      expect(b.lines).toEqual([]);
    } finally {
      b.close();
    }
    expect((await imageLines(image)).some((line) => line.includes('"/new"'))).toBe(true);
    await isSound(image);
  });

  test.each(NAMES)('every edit takes the name %j', async (name) => {
    const image = fresh();
    const b = await Browsing.open([image]);
    const step = async (what: string): Promise<void> => {
      await b.allow();
      expect({
        what,
        note: b.state.note?.kind === 'error' ? b.state.note.text : '',
        screen: b.state.screen.name,
      }).toEqual({
        what,
        note: '',
        screen: 'files',
      });
    };
    try {
      await b.keys('F7');
      await b.answer(name);
      await step('mkdir');
      expect(b.names).toContain(name);
      b.on(name);
      await b.keys('enter');
      await b.keys('a');
      await b.answer(name);
      await step('new file');
      b.on(name);
      await b.keys('r');
      await b.answer('x');
      await step('rename away');

      b.on('x');
      await b.keys('r');
      await b.answer(name);
      await step('rename to');
      b.on(name);
      await b.keys('c', 'm');
      await b.answer('0640');
      await step('chmod');
      b.on(name);
      await b.keys('c', 'o');
      await b.answer('12:34');
      await step('chown');
      b.on(name);
      await b.keys('c', 't');
      await b.answer('2001-02-03T04:05:06Z');
      await step('touch');
      b.on(name);
      await b.keys('c', 'x');
      await b.answer("user.k=it's");
      await step('xattr');
      b.on(name);
      await b.keys('c', 'a');
      await b.answer('u:7:r');
      await step('acl');
      b.on(name);
      await b.keys('y');
      await b.keys('h');
      await b.keys('p');
      expect(b.state.prompt?.purpose).toBe('conflict');
      await b.keys('r');
      await step('copy to a new name');
      const copy = `${name}.1`;
      if (name.length < 250) expect(b.names).toContain(copy);
      b.on(name);
      await b.keys('enter');
      b.editor = () => new TextEncoder().encode("it's\n$HOME\n");
      b.on(name);
      await b.keys('e');
      await step('edit');
      const fs = await b.remote.open(image).catch(() => undefined);
      expect(fs).toBeDefined();
      b.on(name);
      await b.keys('A');
      await b.answer(name);
      await b.answer('l');
      await step('symbolic link');
      await b.keys('w');
      expect(b.state.screen).toMatchObject({ name: 'review', images: [{ isSound: true }] });
      await b.keys('c');
    } finally {
      b.close();
    }
    const fs = await open(image, { host: nodeHost() });
    const path = `/${name}/${name}`;
    expect(new TextDecoder().decode(fs.readFile(path))).toBe("it's\n$HOME\n");
    expect(fs.stat(path)).toMatchObject({ uid: 12, gid: 34 });
    expect(fs.readlink(`/${name}/l`)).toBe(name);
    expect(new TextDecoder().decode(fs.getxattr(path, 'user.k'))).toBe("it's");
    fs.close();
    await isSound(image);
  });

  test('a mistake is said in one line, and changes nothing', async () => {
    const image = fresh();
    const b = await Browsing.open([image]);
    try {
      await b.keys('F7');
      await b.answer('no/such/dir');
      await b.allow();
      expect(b.state.note).toMatchObject({ kind: 'error', text: expect.stringContaining('No such file') });
      b.on('etc');
      await b.keys('r');
      await b.answer('big');
      expect(b.state.note).toMatchObject({ kind: 'error', text: 'big exists' });
      expect(b.lines).toEqual([]);
    } finally {
      b.close();
    }
    expect(Buffer.compare(readFileSync(image), readFileSync(at('origin.img')))).toBe(0);
  });

  test('an image that somebody else writes is refused in one line; the lists go on', async () => {
    const image = fresh();
    const other = await open(image, { write: true, host: nodeHost() });
    const b = await Browsing.open([image]);
    try {
      await b.keys('F7');
      await b.answer('new');
      await b.allow();
      expect(b.state.note).toMatchObject({ kind: 'error' });
      expect(b.lines).toEqual([]);
      b.on('etc');
      await b.keys('enter');
      expect(b.names).toContain('hosts');
      other.close();
      await b.keys('F7');
      await b.answer('new');
      await b.allow();
      expect(b.names).toContain('new');
    } finally {
      b.close();
    }
  });

  test('undo and redo in the review bring it up to date', async () => {
    const b = await Browsing.open([fresh()]);
    try {
      for (const name of ['a1', 'a2']) {
        await b.keys('F7');
        await b.answer(name);
        await b.allow();
      }
      await b.keys('w', 'u');
      expect(b.state.screen).toMatchObject({ images: [{ files: [{ path: '/a1', change: 'added' }] }] });
      await b.keys('U');
      expect(b.state.screen).toMatchObject({ images: [{ files: [{ path: '/a1' }, { path: '/a2' }] }] });
      await b.keys('u', 'u');
      expect(b.state.screen.name).toBe('files');
    } finally {
      b.close();
    }
  });

  test('a paste of several lines is undone and done again at once, and its script does the same', async () => {
    const image = fresh();
    const b = await Browsing.open([image]);
    const script = at('paste.fsu');
    try {
      await b.keys('F7');
      await b.answer('d');
      await b.allow();
      b.on('etc');
      await b.keys('enter', 'C-a', 'y', 'h');
      b.on('d');
      await b.keys('enter', 'p');
      expect(b.names).toEqual(['hosts', 'motd']);
      // Of two names that exist one is overwritten, the other gets a new name: two lines.
      await b.keys('p', 'o', 'r');
      expect([b.names, b.lines.length]).toEqual([['hosts', 'motd', 'motd.1'], 4]);
      await b.keys('u');
      expect([b.names, b.lines.length]).toEqual([['hosts', 'motd'], 2]);
      await b.keys('U');
      expect([b.names, b.lines.length]).toEqual([['hosts', 'motd', 'motd.1'], 4]);
      await b.keys('S');
      await b.answer(script);
      await b.keys('w', 'c');
      expect(b.state.note?.text).toBe('committed: 3 edits');
    } finally {
      b.close();
    }
    await isSound(image);
    const again = fresh();
    expect(cli.sh(`fsu script '${script}' '${again}'`)).toMatchObject({ status: 0, stderr: '' });
    expect(await imageLines(again)).toEqual(await imageLines(image));
  });

  test('a paste of which a line fails leaves nothing of the others', async () => {
    const image = fresh();
    const b = await Browsing.open([image]);
    try {
      await b.keys('F7');
      await b.answer('d');
      await b.allow();
      await b.keys('C-a', 'y');
      b.on('d');
      // /d into itself: the line with the new name comes after the one that copies all else.
      await b.keys(':');
      await b.answer('mkdir /d/big');
      await b.keys('enter', 'p');
      expect(b.state.prompt?.purpose).toBe('conflict');
      await b.keys('r');
      expect(b.state.note?.kind).toBe('error');
      expect([b.names, b.lines.length]).toEqual([['big'], 2]);
    } finally {
      b.close();
    }
  });

  test('links tell where they lead, of the image and of the host; a link whose target goes is marked as broken', async () => {
    const image = fresh();
    const links = (b: Browsing): unknown => [...activeTab(b.state).links.known.values()];
    const b = await Browsing.open([image]);
    try {
      await b.keys('A');
      await b.answer('etc/motd');
      await b.answer('l');
      await b.allow();
      expect(links(b)).toEqual([{ name: 'l', target: 'etc/motd', isBroken: false }]);
      await b.keys(':');
      await b.answer('rm /etc/motd');
      expect(links(b)).toEqual([{ name: 'l', target: 'etc/motd', isBroken: true }]);
      mkdirSync(at('links'));
      symlinkSync('none\nthere', at('links/bad'));
      await b.keys('P', 'g', 'p');
      await b.answer(at('links'));
      expect(links(b)).toEqual([{ name: 'bad', target: 'none\nthere', isBroken: true }]);
      await b.keys('w', 'c');
    } finally {
      b.close();
    }
    await isSound(image);
  });

  test('a copy that is cancelled leaves nothing, and editing goes on', async () => {
    const image = fresh();
    writeFileSync(at('huge'), new Uint8Array(20_000_000).fill(66));
    const b = await Browsing.open([image]);
    try {
      await b.keys('F7');
      await b.answer('d');
      await b.allow();
      await b.keys(':');
      const done = b.answer(`put ${at('huge')} /d`);
      b.press('C-c');
      await done;
      expect(b.state.note?.text).toBe('cancelled');
      expect(b.lines.length).toBe(1);
      b.on('d');
      await b.keys('enter');
      expect(b.names).toEqual([]);
      await b.keys('F7');
      await b.answer('after');
      expect(b.names).toContain('after');
      await b.keys('w', 'c');
    } finally {
      b.close();
    }
    await isSound(image);
  });

  test.each(['rm -r /many', 'chmod -R 700 /many', 'chown -R 5 /many'])('%s: is cancelled on its way', async (line) => {
    const { image, b } = await manyStaged();
    try {
      const before = await b.remote.call('find', [image, '/many', '']);
      await b.keys(':');
      const done = b.answer(line);
      b.press('C-c');
      await done;
      expect(b.state.note?.text).toBe('cancelled');
      expect(b.lines.length).toBe(1);
      expect(await b.remote.call('find', [image, '/many', ''])).toBe(before);
      b.on('many');
      await b.keys('enter');
      expect(new Set(activeTab(b.state).rows.map(({ mode, uid }) => `${mode & 0o777} ${uid}`)).size).toBe(1);
      expect(activeTab(b.state).rows.length).toBe(3000);
      await b.keys('w', 'c');
    } finally {
      b.close();
    }
    await isSound(image);
  });

  test('a review lets others look meanwhile, and ends when nobody wants it any more', async () => {
    const { image, b } = await manyStaged();
    try {
      b.press('w');
      await b.remote.call('details', [image, '/etc/motd']);
      expect(b.state.screen).toMatchObject({ name: 'review', images: undefined });
      b.press('c');
      expect(b.state.note?.text).toBe('wait for the review');
      await b.keys('q');
      b.press('w');
      b.press('q');
      await b.keys('w');
      expect(b.state.screen).toMatchObject({ images: [{ isSound: true }] });
      await b.keys('c');
      expect(b.state.note?.text).toBe('committed: 1 edit');
    } finally {
      b.close();
    }
    await isSound(image);
  });

  test('a commit that is cancelled leaves all staged and the image as it was; others look meanwhile', async () => {
    const image = fresh();
    const b = await Browsing.open([image]);
    writeFileSync(at('over'), new Uint8Array(3_000_000).fill(67));
    try {
      await b.keys('F7');
      await b.answer('d');
      await b.allow();
      await b.keys(':');
      // In the place of what is there: through the log.
      await b.answer(`write --at 0 /big < ${at('over')}`);
      expect(b.lines.length).toBe(2);
      await b.keys('w');
      const before = readFileSync(image);
      b.press('c');
      b.press('C-c');
      const looked = b.remote.call('find', [image, '/', 'motd']);
      await b.settled();
      expect(await looked).toBe(1);
      expect(b.state.note?.text).toBe('cancelled: nothing was committed');
      expect(b.state.tasks).toEqual([]);
      expect(b.lines.length).toBe(2);
      expect(Buffer.compare(readFileSync(image), before)).toBe(0);
      await isSound(image);

      await b.keys('u');
      expect(b.lines.length).toBe(1);
      await b.keys('w');
      const seen = new Set<string>();
      b.runtime.watch(() => seen.add(b.state.tasks[0]?.progress ?? ''));
      await b.keys('c');
      expect([...seen].some((progress) => progress.startsWith('into the log, '))).toBe(true);
      expect([...seen].some((progress) => progress.startsWith('into the image, '))).toBe(true);
      expect(b.state.note?.text).toBe('committed: 1 edit');
      expect(b.state.tasks).toEqual([]);
    } finally {
      b.close();
    }
    const lines = await imageLines(image);
    expect(lines.some((line) => line.includes('"/d"'))).toBe(true);
    await isSound(image);
  });

  test.each([
    ['find', ['/etc', 'hosts'], 1],
    ['grep', ['/etc', 'localhost'], 1],
    ['compare', [undefined, '/etc'], 0],
  ])('%s ends while a review is under way', async (service, words, count) => {
    const { image, b } = await manyStaged();
    try {
      b.press('w');
      expect(await b.remote.call(service, [image, ...words])).toBe(count);
      expect(b.state.screen).toMatchObject({ name: 'review', images: undefined });
      await b.settled();
      expect(b.state.screen).toMatchObject({ images: [{ isSound: true }] });
    } finally {
      b.close();
    }
  });

  test('what moves to another image is committed in both', async () => {
    const [one, two] = [fresh(), fresh()];
    const b = await Browsing.open([one]);
    try {
      await b.keys(':');
      await b.answer(`mv /etc/motd ${two}:/moved`);
      await b.allow();
      expect(b.lines.length).toBe(1);
      await b.keys('w');
      expect(b.state.screen).toMatchObject({ images: [{ isSound: true }, { isSound: true }] });
      await b.keys('c');
    } finally {
      b.close();
    }
    expect((await imageLines(one)).some((line) => line.includes('/etc/motd'))).toBe(false);
    expect((await imageLines(two)).some((line) => line.includes('"/moved"'))).toBe(true);
    await isSound(one);
    await isSound(two);
  });
});

test('a second image, a colon in its name: files are pasted into it and made in it by its own name', async () => {
  const [one, two] = [fresh(), at('a:b.img')];
  copyFileSync(at('origin.img'), two);
  const b = await Browsing.open([one]);
  try {
    b.on('etc');
    await b.keys('enter');
    b.on('motd');
    await b.keys('y', 'O');
    await b.answer(two);
    expect(b.state.places.get(two)?.named).toEqual({ image: two, partition: '' });
    await b.keys('p');
    await b.allow();
    await b.keys('F7');
    await b.answer('made');
    expect(b.lines.map((line) => line.replaceAll(two, 'TWO').replaceAll(one, 'ONE'))).toEqual([
      'cp --image TWO -a -- :/etc/motd /',
      'mkdir --image TWO -- /made',
    ]);
    await b.keys('w', 'c');
  } finally {
    b.close();
  }
  const paths = (await imageLines(two)).map((line) => JSON.parse(line).path);
  expect(paths).toEqual(expect.arrayContaining(['/motd', '/made']));
  await isSound(two);
});

describe('item 5: commands, and the session as a script', () => {
  test('a typed command begins in the directory that is shown, and what it prints is shown', async () => {
    const b = await Browsing.open([fresh()]);
    try {
      b.on('etc');
      await b.keys('enter', ':');
      await b.answer('ls -1');
      expect(b.state.screen).toMatchObject({ name: 'output', lines: ['hosts', 'motd'] });
      expect(b.state.editing.isAllowed).toBe(false);
      await b.keys('q', ':');
      await b.answer('rm motd # gone');
      await b.allow();
      expect(b.names).toEqual(['hosts']);
      await b.keys('u');
      expect(b.names).toEqual(['hosts', 'motd']);
    } finally {
      b.close();
    }
  });

  test('a typed command begins where the list is in a second image, too, and several are typed at once', async () => {
    const [one, two] = [fresh(), fresh()];
    const b = await Browsing.open([one]);
    const script = at('second.fsu');
    try {
      await b.keys('O');
      await b.answer(two);
      b.on('etc');
      await b.keys('enter', ':');
      await b.answer('ls -1');
      expect(b.state.screen).toMatchObject({ name: 'output', lines: ['hosts', 'motd'] });
      await b.keys('q', ':');
      await b.answer('mkdir new; cp motd new/m # both');
      await b.allow();
      expect(b.lines).toEqual([`cd ${two}:/etc; mkdir new; cp motd new/m # both\ncd :/`]);
      expect(b.names).toEqual(['new', 'hosts', 'motd']);
      await b.keys('O');
      await b.answer(one);
      await b.keys(':');
      await b.answer('cd etc; rm motd');
      await b.keys(':');
      await b.answer('mkdir top');
      expect(b.lines.slice(1)).toEqual(['cd etc; rm motd; cd :/', 'mkdir top']);
      await b.keys('S');
      await b.answer(script);
      await b.keys('w', 'c');
    } finally {
      b.close();
    }
    await isSound(one);
    await isSound(two);
    const again = fresh();
    copyFileSync(two, `${two}.done`);
    copyFileSync(at('origin.img'), two);
    expect(cli.sh(`fsu script '${script}' '${again}'`)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await imageLines(again)).toEqual(await imageLines(one));
    expect(await imageLines(two)).toEqual(await imageLines(`${two}.done`));
  });

  test('a script of names with colons, and of what went into another image, needs the image no longer', async () => {
    const [image, two, script] = [fresh(), at('t:o.img'), at('colons.fsu')];
    copyFileSync(at('origin.img'), two);
    const b = await Browsing.open([image]);
    try {
      await b.keys(':');
      await b.answer('mkdir /d:d');
      await b.allow();
      b.on('etc');
      await b.keys('enter');
      b.on('motd');
      await b.keys('r');
      await b.answer('m:o');
      b.on('m:o');
      await b.keys('L');
      await b.answer('l:k');
      b.on('m:o');
      await b.keys('y', 'h');
      b.on('d:d');
      await b.keys('enter', 'p', 'O');
      await b.answer(two);
      await b.keys('p', 'Y', 'S');
      await b.answer(script);
      expect(b.copied).toEqual([`fsu script --image ${image} -c 'cp --image ${two} -a -- :/etc/m:o /'`]);
      await b.keys('w', 'c');
    } finally {
      b.close();
    }
    await isSound(two);
    const again = fresh();
    copyFileSync(at('origin.img'), two);
    renameSync(image, `${image}.away`);
    expect(cli.sh(`fsu script '${script}' '${again}'`)).toMatchObject({ status: 0, stdout: '', stderr: '' });
    expect(await imageLines(again)).toEqual(await imageLines(`${image}.away`));
    expect((await imageLines(two)).some((line) => line.includes('"/m:o"'))).toBe(true);
    await isSound(again);
    await isSound(two);
  });

  test.each([1, 2, 3])(
    'undo and redo at random, seed %i: the saved script makes of the untouched image what was committed',
    async (seed) => {
      const rng = new Rng(seed);
      const image = fresh();
      const b = await Browsing.open([image]);
      const script = at(`session${seed}.fsu`);
      try {
        for (let n = 0; n < 40; n++) await randomEdit(b, rng, n);
        if (b.lines.length === 0) {
          await b.keys('F7');
          await b.answer('last');
          await b.allow();
        }
        await b.keys('S');
        await b.answer(script);
        expect(b.state.note?.text).toContain('saved');
        await b.keys('w');
        expect(b.state.screen).toMatchObject({ images: [{ isSound: true }] });
        await b.keys('c');
        expect(b.lines).toEqual([]);
      } finally {
        b.close();
      }
      await isSound(image);
      const again = fresh();
      expect(cli.sh(`fsu script '${script}' '${again}'`)).toMatchObject({ status: 0, stderr: '' });
      expect(await imageLines(again)).not.toEqual(await imageLines(at('origin.img')));
      expect(await imageLines(again)).toEqual(await imageLines(image));
    },
  );
});

async function randomEdit(b: Browsing, rng: Rng, n: number): Promise<void> {
  const odd = rng.pick(NAMES.slice(0, 9));
  const act = rng.int(9);
  if (act === 0) {
    await b.keys('F7');
    await b.answer(`d${n}${odd}`);
  } else if (act === 1) {
    await b.keys('a');
    await b.answer(`f${n}${odd}`);
  } else if (act === 2) await b.keys('u');
  else if (act === 3) await b.keys('U');
  else if (b.names.length > 0) {
    b.on(rng.pick(b.names));
    if (act === 4) {
      await b.keys('r');
      await b.answer(`r${n}`);
    } else if (act === 5) await b.keys('d', 'd', 'y');
    else if (act === 6) {
      await b.keys('c', 'm');
      await b.answer(rng.pick(['0700', '0755', 'u+s']));
    } else if (act === 7) {
      await b.keys('y', 'p');
      if (b.state.prompt?.purpose === 'conflict') await b.keys('r');
    } else {
      const text = `${'line\n'.repeat(rng.int(9))}$HOME \\ '\n`;
      b.editor = () => new TextEncoder().encode(text);
      await b.keys('e');
    }
  }
  await b.allow();
  expect(b.state.prompt).toBeUndefined();
  if (b.state.screen.name !== 'files') await b.keys('q');
}
