/** diff -u beside the host's: as many lines go and come, and patch(1) makes the one tree the other. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const FILES = 60;

/** Numbers below `max`, always the same ones. */
function* numbers(seed: number): Generator<number, never> {
  for (let state = seed; ;) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    yield state >>> 8;
  }
}

/** Texts of few different lines, in directories `old` and `new` of the host, and in an image each. */
function makeTrees(): void {
  const random = numbers(7);
  const below = (max: number): number => random.next().value % max;
  const text = (): string =>
    Array.from({ length: below(30) }, () => `${'abcdefgh'.charAt(below(8))}\n`).join('') +
    (below(4) === 0 ? 'end' : '');
  for (const dir of ['old', 'new']) mkdirSync(place.at(dir));
  for (let i = 0; i < FILES; i++) {
    const before = text();
    const lines = before.split(/(?<=\n)/);
    for (let n = below(6); n > 0; n--)
      lines.splice(below(lines.length + 1), below(3), ...(below(2) === 0 ? ['x\n'] : []));
    const after = below(5) === 0 ? text() : lines.join('');
    const isOn = below(12);
    if (isOn !== 0) writeFileSync(place.at(`old/f${i}`), before);
    if (isOn !== 1) writeFileSync(place.at(`new/f${i}`), after);
  }
  place.sh('for d in old new; do truncate -s 4M $d.img && mke2fs -q -t ext4 -d $d $d.img; done');
}

/** For each file how many lines go and how many come. */
function counts(patch: string): ReadonlyMap<string, readonly [number, number]> {
  const all = new Map<string, [number, number]>();
  let now: [number, number] = [0, 0];
  let isHead = false;
  for (const line of patch.split('\n')) {
    const [, file] = /^(?:---|\+\+\+) [^\t]*\/(f\d+)\t/.exec(line) ?? [];
    if (file !== undefined) {
      now = all.get(file) ?? [0, 0];
      all.set(file, now);
    }
    isHead = /^(?:---|\+\+\+) [^\t]*\t/.test(line);
    if (isHead) continue;
    if (line.startsWith('-')) now[0]++;
    if (line.startsWith('+')) now[1]++;
  }
  return all;
}

test('the same lines go and come, and patch makes the new tree', () => {
  for (const tool of ['mke2fs', 'diff', 'patch']) requireOracle(tool);
  makeTrees();
  const theirs = place.sh('diff -ruN old new').stdout;
  for (const context of ['-u', '-U0', '-U1', '--unified=9']) {
    const ours = place.run('fsu', ['diff', '-N', context, '-x', 'lost+found', 'old.img:/', 'new.img:/']);
    expect(ours).toMatchObject({ status: 1, stderr: '' });
    expect(counts(ours.stdout)).toEqual(counts(theirs));
    writeFileSync(place.at('p'), ours.stdout);
    // Their names begin with the image, which patch -p1 leaves out; an empty file that comes or goes has no text.
    const line =
      'rm -rf try && cp -r old try && cd try && patch -s -E -p1 < ../p && find . ../new -size 0 -delete; diff -r . ../new';
    expect(place.sh(line)).toMatchObject({ stdout: '', stderr: '', status: 0 });
  }
}, 60_000);
