/**
 * The standing corpus: small images, typical ones and such as something once stumbled over, kept compressed in corpus/ as
 * `<type>--<what>.img.gz`. They need no tools, so they are tried everywhere; each is damaged at random besides.
 *
 * UPDATE_CORPUS=1 makes the typical ones anew (the others stay). UKFS_HOSTILE_SEED begins the damage elsewhere.
 */
import { mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync, gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { fileSystems } from '../support/file-systems.ts';
import { MODES, randomMutation, runHostile } from '../support/hostile.ts';
import { Rng } from '../support/rng.ts';

const corpus = fileURLToPath(new URL('corpus', import.meta.url));
const seed = Number(process.env['UKFS_HOSTILE_SEED'] ?? 1);
const DAMAGES = 15;
const LARGEST_BYTES = 1 << 20;
const BLOCK = 1024;

if (process.env['UPDATE_CORPUS'] === '1') makeTypical();

const files = readdirSync(corpus).filter((name) => name.endsWith('.img.gz'));

test.each(files)('%s breaks no rule, nor does it damaged', (file) => {
  const type = fileSystems.find(({ type }) => file.startsWith(`${type.name}--`))?.type;
  if (type === undefined) throw new Error(`${file}: no such type`);
  const image = new Uint8Array(gunzipSync(readFileSync(join(corpus, file))));
  for (const mode of MODES) runHostile(type, image, mode);
  const rng = new Rng(seed);
  for (let i = 0; i < DAMAGES; i++) {
    const damaged = image.slice();
    const mutation = randomMutation(rng, used(image), `${file}, damage ${i}`);
    mutation.apply(damaged);
    try {
      runHostile(type, damaged, MODES[i % MODES.length] ?? 'read');
    } catch (e) {
      throw new Error(mutation.label, { cause: e });
    }
  }
});

test('the corpus is there, and small', () => {
  expect(files.length).toBeGreaterThanOrEqual(10);
  const bytes = files.reduce((sum, file) => sum + readFileSync(join(corpus, file)).length, 0);
  expect(bytes).toBeLessThan(LARGEST_BYTES);
});

/** Where something is that is not all zeros: damage elsewhere means little. */
function used(image: Uint8Array): { start: number; end: number }[] {
  const areas: { start: number; end: number }[] = [];
  for (let start = 0; start < image.length; start += BLOCK) {
    const end = Math.min(image.length, start + BLOCK);
    if (image.subarray(start, end).some((byte) => byte !== 0)) areas.push({ start, end });
  }
  return areas;
}

function makeTypical(): void {
  mkdirSync(corpus, { recursive: true });
  for (const { type, hostile } of fileSystems) {
    for (const image of hostile?.images ?? []) {
      const name = image.name.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
      writeFileSync(join(corpus, `${type.name}--${name}.img.gz`), gzipSync(image.make(), { level: 9 }));
    }
  }
}
