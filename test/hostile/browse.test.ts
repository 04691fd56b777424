/**
 * The browser on damaged images, with keys at random: it answers or says in one line what is wrong, soon, on a frame that fills the
 * screen; and nothing is written that was not committed.
 *
 * CI tries a few images; UKFS_BROWSE=300 tries so many of each kind, UKFS_BROWSE_SEED begins elsewhere. A failure names its seed.
 */
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readFileSync,
  rmSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { nameToBytes } from 'ukfs';
import { quoted } from '../../packages/fsu-cli/src/tui/model/words.ts';
import { Browsing } from '../cli/browsing.ts';
import { Workplace } from '../cli/harness.ts';
import { assertClean, mustRun } from '../support/e2fsprogs.ts';
import { imageLines } from '../support/ukfs-tree.ts';
import { extHostile } from '../support/ext-hostile.ts';
import { fieldMutations, randomMutation } from '../support/hostile.ts';
import type { Mutation, Survey } from '../support/hostile.ts';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';
import { HOSTILE_NAMES, Monkey } from '../support/monkey.ts';

const count = Number(process.env['UKFS_BROWSE'] ?? 60);
const firstSeed = Number(process.env['UKFS_BROWSE_SEED'] ?? 1);
const KEYS = 60;
const sessions = Math.ceil(count / 20);
const EDIT_KEYS = 150;

const home = process.cwd();
const scratch = mkdtempSync(join(tmpdir(), 'ukfs-browse-'));
const at = (name: string): string => join(scratch, name);

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

interface Source {
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly survey: Survey;
  readonly traps: readonly Mutation[];
}
const sources: Source[] = [];

beforeAll(() => {
  mkdirSync(at('host/dir/sub'), { recursive: true });
  for (const name of ['file', 'dir/file', 'dir/sub/file']) writeFileSync(at(`host/${name}`), `of the host: ${name}\n`);
  symlinkSync('file', at('host/link'));
  // The host's list begins in the working directory; what is copied out of images comes here.
  process.chdir(at('host'));
  if (lacksOracle(...extHostile.oracles)) return;
  mustRun('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '1024', '-d', at('host'), at('sound.img'), '16M']);
  for (const { name, make, traps } of extHostile.images) {
    const bytes = make();
    sources.push({ name, bytes, survey: extHostile.survey(bytes), traps: traps?.(bytes) ?? [] });
  }
}, 120_000);
afterAll(() => {
  process.chdir(home);
  rmSync(scratch, { recursive: true, force: true });
});

/** One damaged image; the label says how. */
function damaged(rng: Rng): { readonly label: string; readonly bytes: Uint8Array } {
  const { name, bytes: whole, survey, traps } = rng.pick(sources);
  const bytes = whole.slice();
  const how = rng.int(8);
  if (how === 0) {
    const length = rng.pick([0, 1023, 2048, rng.int(bytes.length), bytes.length - 1024]);
    return { label: `${name}, ${length} bytes of it`, bytes: bytes.subarray(0, length) };
  }
  const mutation =
    how < 3
      ? randomMutation(rng, survey.hot, 'bytes')
      : how === 3 && traps.length > 0
        ? rng.pick(traps)
        : rng.pick([...fieldMutations(whole, rng.pick(survey.places), survey.limits)]);
  mutation.apply(bytes);
  return { label: `${name}: ${mutation.label}`, bytes };
}

const withImages = describe.skipIf(lacksOracle(...extHostile.oracles));

withImages('damaged images', { timeout: 60_000 * Math.max(5, count) }, () => {
  test(`${count} of them, ${KEYS} keys each`, async () => {
    let entered = 0;
    let first = 0;
    const failures: string[] = [];
    for (let seed = firstSeed; seed < firstSeed + count; seed++) {
      const rng = new Rng(seed);
      const { label, bytes } = damaged(rng);
      const image = at('disk.img');
      writeFileSync(image, bytes);
      writeFileSync(at('second.img'), rng.pick(sources).bytes);
      const b = await Browsing.open([image]);
      const monkey = new Monkey(b, { rng, label: `seed ${seed}: ${label}`, images: [image, at('second.img')] });
      try {
        await monkey.settle();
        if (b.quitStatus === undefined) {
          entered++;
          for (let n = 0; n < KEYS; n++) await monkey.key();
          await monkey.settle();
        }
      } catch (thrown) {
        failures.push(thrown instanceof Error ? thrown.message : String(thrown));
      } finally {
        b.close();
      }
      if (!monkey.hasCommitted) expect(Buffer.compare(readFileSync(image), bytes), monkey.story()).toBe(0);
      if (seed % 20 === 0 || seed === firstSeed + count - 1) {
        await sleep(0);
        collect();
        const { heapUsed, arrayBuffers } = process.memoryUsage();
        if (first === 0) first = heapUsed + arrayBuffers;
        else expect(heapUsed + arrayBuffers - first, monkey.story()).toBeLessThan(200 << 20);
      }
    }
    expect(failures).toEqual([]);
    expect(entered).toBeGreaterThan(count / 4);
  });
});

withImages('while it is browsed', () => {
  /** Many keys, of which none changes anything. */
  async function look(b: Browsing, label: string): Promise<void> {
    const monkey = new Monkey(b, { rng: new Rng(1), label, images: [], mayCommit: false });
    for (let n = 0; n < KEYS; n++) await monkey.key();
    await monkey.settle();
  }

  test.each<[string, (image: string) => void]>([
    ['cut short', (image) => truncateSync(image, 100_000)],
    ['emptied', (image) => truncateSync(image, 0)],
    ['removed', (image) => rmSync(image)],
    [
      'replaced',
      (image) => {
        rmSync(image);
        writeFileSync(image, 'of another kind');
      },
    ],
  ])('the image is %s, before or after the first edit', async (label, change) => {
    for (const isEdited of [false, true]) {
      const image = at(`changes ${label} ${isEdited}.img`);
      copyFileSync(at('sound.img'), image);
      const b = await Browsing.open([image]);
      try {
        if (isEdited) {
          await b.keys('F7');
          await b.answer('new');
          await b.keys('y');
        }
        change(image);
        const now = existsSync(image) ? readFileSync(image) : undefined;
        await look(b, `${label}, ${isEdited}`);
        expect(existsSync(image) ? readFileSync(image) : undefined).toEqual(now);
      } finally {
        b.close();
      }
    }
  });
});

withImages('damage beside an edit', () => {
  test('a directory that is within itself: the edit is reviewed, and compared', async () => {
    const source = sources.find(({ name, traps }) => name.startsWith('ext4') && traps.some(isCycle)) ?? expect.fail();
    const bytes = source.bytes.slice();
    source.traps.find(isCycle)?.apply(bytes);
    const image = at('cycle.img');
    writeFileSync(image, bytes);
    const b = await Browsing.open([image]);
    try {
      await b.keys('F7');
      await b.answer('new');
      await b.keys('y', 'w');
      expect(b.state.screen).toMatchObject({
        name: 'review',
        images: [{ files: [{ path: '/new', change: 'added' }] }],
      });
      await b.keys('q', 'C');
      expect(b.state.screen).toMatchObject({ name: 'pick', isComplete: true });
      expect(b.state.screen).toMatchObject({
        rows: expect.arrayContaining([
          expect.objectContaining({ path: '/new', change: 'added' }),
          expect.objectContaining({ text: expect.stringContaining('directory causes a cycle') }),
        ]),
      });
    } finally {
      b.close();
    }
  });
});

withImages('sound images', { timeout: 60_000 * Math.max(5, count) }, () => {
  const tools = new Workplace();
  afterAll(() => tools.remove());

  test(`${sessions} sessions on two images, ${EDIT_KEYS} keys each: each commit is sound, and so is what its script makes`, async () => {
    let commits = 0;
    for (let seed = firstSeed; seed < firstSeed + sessions; seed++) {
      const rng = new Rng(seed);
      const images = [at('one.img'), at('two.img')];
      for (const image of images) copyFileSync(at('sound.img'), image);
      const b = await Browsing.open([at('one.img')]);
      let lines: readonly string[] = [];
      const before = (): void => {
        lines = b.lines;
        for (const image of images) copyFileSync(image, `${image}.before`);
      };
      const monkey = new Monkey(b, { rng, label: `seed ${seed}`, images, edits: true, commits: before });
      try {
        await b.keys('P', 'O');
        await b.answer(at('two.img'));
        for (let n = 0; n < EDIT_KEYS; n++) {
          await monkey.key();
          if (!monkey.hasCommitted) continue;
          await monkey.settle();
          monkey.hasCommitted = false;
          if (b.state.note?.kind === 'error' || b.lines.length > 0) continue;
          commits++;
          for (const image of images) assertClean(image);
          const script = lines.map((line) => `${line.replaceAll('.img', '.img.before')}\n`).join('');
          writeFileSync(at('again.fsu'), nameToBytes(script));
          const again = tools.sh(`cd '${at('host')}' && fsu script '${at('again.fsu')}' '${at('one.img.before')}'`);
          expect(again, `${monkey.story()}\n${script}`).toMatchObject({ status: 0 });
          for (const image of images)
            expect(await imageLines(`${image}.before`), `${monkey.story()}\n${script}`).toEqual(
              await imageLines(image),
            );
        }
      } finally {
        b.close();
      }
    }
    console.log(`browse: ${commits} commits`);
    // A session alone may come to none.
    expect(commits).toBeGreaterThanOrEqual(sessions < 3 ? 0 : 1);
  });

  test('names of all bytes, long, and of all directions: renamed, copied, pasted, found, and run again', async () => {
    const image = at('names.img');
    copyFileSync(at('sound.img'), image);
    copyFileSync(at('sound.img'), `${image}.before`);
    const b = await Browsing.open([image]);
    const monkey = new Monkey(b, { rng: new Rng(1), label: 'names', images: [image] });
    const step = async (what: string): Promise<void> => {
      await b.allow();
      await monkey.settle();
      expect({ what, note: b.state.note?.kind === 'error' ? b.state.note.text : '' }).toEqual({ what, note: '' });
    };
    try {
      for (const name of HOSTILE_NAMES) {
        await b.keys('F7');
        await b.answer('d');
        await step('mkdir');
        b.on('d');
        await b.keys('r');
        await b.answer(name);
        await step('rename');
        b.on(name);
        await b.keys('y', 'enter', 'h');
        b.on('dir');
        await b.keys('enter', 'p');
        await step('paste');
        expect(b.names).toContain(name);
        await b.keys('p', 'r');
        await step('paste again');
        await b.keys('h', 'g', 'f');
        await b.answer(name);
        await step('find');
        expect(b.state.screen).toMatchObject({
          rows: expect.arrayContaining([expect.objectContaining({ path: `/dir/${name}` })]),
        });
        await b.keys('q', ':');
        await b.answer(`chmod 700 ${quoted(`./${name}`)}`);
        await step('command');
      }
      await b.keys('S');
      await b.answer(at('names.fsu'));
      await step('script');
      await b.keys('w', 'c');
      expect(b.lines).toEqual([]);
    } finally {
      b.close();
    }
    assertClean(image);
    // Where a name has a colon the line says which image it is about.
    const script = readFileSync(at('names.fsu'), 'latin1').replaceAll('names.img', 'names.img.before');
    writeFileSync(at('names.fsu'), script, 'latin1');
    expect(tools.sh(`fsu script '${at('names.fsu')}' '${image}.before'`)).toMatchObject({ status: 0, stderr: '' });
    expect(await imageLines(`${image}.before`)).toEqual(await imageLines(image));
  });
});

const isCycle = ({ label }: Mutation): boolean => label.includes('an index of 1 levels that leads to its own root');
