/**
 * The browser on damaged images, with keys at random: it answers or says in one line what is wrong, soon, on a frame that fills the
 * screen; and nothing is written that was not committed.
 *
 * CI tries a few images; UKFS_BROWSE=300 tries so many of each kind, UKFS_BROWSE_SEED begins elsewhere. A failure names its seed.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Browsing } from '../cli/browsing.ts';
import { extHostile } from '../support/ext-hostile.ts';
import { fieldMutations, randomMutation } from '../support/hostile.ts';
import type { Mutation, Survey } from '../support/hostile.ts';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';
import { Monkey } from '../support/monkey.ts';

const count = Number(process.env['UKFS_BROWSE'] ?? 60);
const firstSeed = Number(process.env['UKFS_BROWSE_SEED'] ?? 1);
const KEYS = 60;

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

const isCycle = ({ label }: Mutation): boolean => label.includes('an index of 1 levels that leads to its own root');
