/** patch: what diff bundled makes the old tree the new one, and back; every kind of entry and change. */
import { copyFileSync, readFileSync, writeFileSync } from 'node:fs';
import { array, assert, asyncProperty, constantFrom, nat, tuple } from 'fast-check';
import { open } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workplace } from './harness.ts';
import { schemas, violations } from './schemas.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo('old.img');
});
afterAll(() => place.remove());

const names = ['a', 'b', 'c', 'd\udcff', 'e\n'];
type Edit = (fs: Ukfs, path: string, other: string, n: number) => void;
const edits: readonly Edit[] = [
  (fs, path, _other, n) => fs.writeFile(path, 'x'.repeat(n * 37)),
  (fs, path) => fs.mkdir(path),
  (fs, path, other) => fs.symlink(other, path),
  (fs, path, other) => fs.link(other, path),
  (fs, path, _other, n) => fs.mknod(path, 'chr', 0o600, { major: 1, minor: n }),
  (fs, path) => fs.mkfifo(path),
  (fs, path, other) => fs.rename(path, other),
  (fs, path) => fs.rm(path, { recursive: true }),
  (fs, path, _other, n) => fs.lchmod(path, n * 64),
  (fs, path, _other, n) => fs.lchown(path, n, n + 1),
  (fs, path, _other, n) => fs.setxattr(path, `user.${n % 3}`, Uint8Array.of(n), { nofollow: true }),
  (fs, path, _other, n) => fs.lutimes(path, 'omit', { sec: n, nsec: n }),
  (fs, path) => fs.lchflags(path, 1),
];
const paths = [...names.map((name) => `/${name}`), ...names.flatMap((a) => names.map((b) => `/${a}/${b}`))];
const path = constantFrom(...paths, '/etc/hosts', '/etc/myname', '/home/guest', '/README');
const steps = array(tuple(nat({ max: edits.length - 1 }), path, path, nat({ max: 50 })), { maxLength: 40 });

async function play(image: string, list: readonly (readonly [number, string, string, number])[]): Promise<void> {
  const fs = await open(place.at(image), { write: true });
  for (const [kind, at, other, n] of list) {
    try {
      edits[kind]?.(fs, at, other, n);
    } catch {
      // It cannot be done in this tree: the next one.
    }
  }
  fs.commit();
  fs.close();
}

test('random trees: patched old is new, reversed it is old, checkers agree', async () => {
  const runs = Number(process.env['UKFS_PATCH_RUNS'] ?? 6);
  await assert(
    asyncProperty(steps, steps, async (first, second) => {
      copyFileSync(place.at('old.img'), place.at('a.img'));
      await play('a.img', first);
      copyFileSync(place.at('a.img'), place.at('b.img'));
      await play('b.img', second);
      const bundle = place.run('fsu', ['diff', '--bundle', 'p.fsu', '--reversible', 'a.img', 'b.img']);
      expect(bundle).toMatchObject({ stderr: '' });
      copyFileSync(place.at('a.img'), place.at('c.img'));
      expect(place.run('fsu', ['patch', 'c.img', 'p.fsu'])).toMatchObject({ status: 0, stderr: '' });
      expect(place.run('fsu', ['diff', 'b.img', 'c.img'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
      expect(place.sh('e2fsck -fn c.img').status).toBe(0);
      expect(place.run('fsu', ['patch', '-R', 'c.img', 'p.fsu'])).toMatchObject({ status: 0, stderr: '' });
      expect(place.run('fsu', ['diff', 'a.img', 'c.img'])).toMatchObject({ status: 0, stdout: '', stderr: '' });
    }),
    { numRuns: runs, seed: Number(process.env['UKFS_PATCH_SEED'] ?? 1) },
  );
}, 300_000);

test('a bundle that was changed is refused, and nothing is', () => {
  place.sh('cp old.img new.img; echo one | fsu write new.img:/etc/hosts; fsu diff --bundle x.fsu old.img new.img');
  const good = readFileSync(place.at('x.fsu'));
  const before = readFileSync(place.at('old.img'));
  const manifest: unknown = JSON.parse(place.sh('tar xOf x.fsu fsu-patch.json').stdout);
  expect([...violations(schemas.get('fsu.patch.bundle') ?? {}, manifest)]).toEqual([]);
  for (const [from, to] of [
    ['one\n', 'two\n'],
    ['"version":1', '"version":2'],
    ['"path":"/etc/hosts"', '"path":"/../hosts"'],
    ['"sha256":"', '"sha256":!'],
  ] as const) {
    const text = good.toString('latin1').replace(from, to);
    writeFileSync(place.at('bad.fsu'), Buffer.from(text, 'latin1'));
    const done = place.run('fsu', ['patch', 'old.img', 'bad.fsu']);
    expect(done.status).toBe(1);
    expect(done.stderr).toMatch(/^fsu patch: (bad\.fsu|old\.img).*\n(fsu patch: old.img: nothing was changed\n)?$/);
    expect(readFileSync(place.at('old.img')).equals(before)).toBe(true);
  }
});
