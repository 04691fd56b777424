/**
 * Each tool against the host's of that name, on the same tree, on every file system that can be written and that the host
 * can mount: a new one joins by its `images` in test/support/file-systems.ts.
 */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { commandNames } from '../../packages/fsu-cli/src/commands/index.ts';
import { fileSystems } from '../support/file-systems.ts';
import { hostTree } from '../support/kernel-tree.ts';
import { lacksOracle } from '../support/oracle.ts';
import { compareTrees, type TreeEntry } from '../support/tree.ts';
import { Workplace } from './harness.ts';
import { edits, readings, tree, type Row } from './host-rows.ts';

const kinds = fileSystems.flatMap(({ type, kernel, oracles, images = [] }) =>
  kernel === undefined ? [] : images.map((image) => ({ ...image, kernel, oracles, traits: type.traits })),
);

describe.each(kinds)('$name', ({ make, complaint, kernel, oracles, traits }) => {
  describe.skipIf(lacksOracle('loop mount', 'setfattr', 'setfacl', ...oracles))('against the host', () => {
    let place: Workplace;
    const applies = ({ command, needs }: Row): boolean => commandNames().includes(command) && (needs?.(traits) ?? true);
    const reads = readings.filter(applies);
    const writes = edits.filter(applies);

    const mounted = <T>(image: string, use: (dir: string) => T): T => {
      execFileSync('mount', ['-t', kernel.type, '-o', 'loop,noatime', place.at(image), place.at('mnt')]);
      try {
        return use(place.at('mnt'));
      } finally {
        execFileSync('umount', [place.at('mnt')]);
      }
    };

    beforeAll(() => {
      place = new Workplace();
      mkdirSync(place.at('mnt'));
      make(place.at('ours.img'));
      const script = tree.flatMap(({ needs, make: lines }) => (needs(traits) ? [lines] : [])).join('\n');
      mounted('ours.img', () => {
        const done = place.sh(
          `set -e; cd mnt; for row in r ${writes.map((_, i) => `w${i}`).join(' ')}; do mkdir $row; cd $row; ${script}\ncd ..; done`,
        );
        expect(done).toMatchObject({ stderr: '', status: 0 });
      });
      copyFileSync(place.at('ours.img'), place.at('theirs.img'));
    }, 120_000);
    afterAll(() => place.remove());

    test.each(reads)('fsu_$command $words', ({ command, words, host, unordered, through }) => {
      const here = (text: string): string => text.replaceAll(/\bT\b/g, 'r');
      const pipe = through === undefined ? '' : ` | ${through}`;
      const ours = place.sh(`set -o pipefail; fsu_${command} ours.img ${here(words)}${pipe}`);
      const theirs = mounted('ours.img', () =>
        place.sh(`set -o pipefail; cd mnt; ${here(host ?? `${command} ${words}`)}${pipe}`),
      );
      const told = ({ stdout }: { readonly stdout: string }): string =>
        unordered === true ? stdout.split('\n').sort().join('\n') : stdout;
      expect({ out: told(ours), status: ours.status }).toEqual({ out: told(theirs), status: theirs.status });
    });

    describe('edits', () => {
      const statuses = new Map<number, { ours: number | null; theirs: number | null; words: string }>();
      let ours: readonly TreeEntry[];
      let theirs: readonly TreeEntry[];

      beforeAll(() => {
        const of = (i: number, text: string): string => text.replaceAll(/\bT\b/g, `w${i}`);
        for (const [i, { command, words, stdin = '' }] of writes.entries()) {
          const done = place.sh(`fsu_${command} ours.img ${of(i, words)}`, { stdin });
          statuses.set(i, { ours: done.status, theirs: 0, words: done.stderr });
        }
        mounted('theirs.img', () => {
          for (const [i, { command, words, host, stdin = '' }] of writes.entries()) {
            const done = place.sh(`cd mnt; ${of(i, host ?? `${command} ${words}`)}`, { stdin });
            statuses.set(i, { ours: -1, words: '', ...statuses.get(i), theirs: done.status });
          }
        });
        // Mounted anew: the cache of Linux (6.18) shows stale bytes where a file of inline data has just grown.
        theirs = mounted('theirs.img', hostTree);
        ours = mounted('ours.img', hostTree);
      }, 300_000);

      test.each(writes.map((row, i) => ({ ...row, i })))('fsu_$command $words', ({ i, times }) => {
        const inRow = ({ path }: TreeEntry): boolean => path === `/w${i}` || path.startsWith(`/w${i}/`);
        const ignore: (keyof TreeEntry)[] = ['ino', 'atime', 'ctime', 'btime'];
        if (times !== true) ignore.push('mtime');
        const status = statuses.get(i);
        expect({ failed: status?.ours !== 0, words: status?.theirs === 0 ? status.words : '' }).toEqual({
          failed: status?.theirs !== 0,
          words: '',
        });
        const touched = times === true ? (entry: TreeEntry) => inRow(entry) && entry.type !== 'dir' : inRow;
        expect(
          compareTrees(ours.filter(touched), theirs.filter(touched), { ignore, names: ['ours', 'the host’s'] }),
        ).toEqual([]);
      });

      test('the image is sound', () => {
        expect(complaint(new Uint8Array(readFileSync(place.at('ours.img'))))).toBeUndefined();
      });
    });
  });
});

test('every file system that is written has images here', () => {
  const left = fileSystems.filter(
    ({ type, kernel, images = [] }) =>
      type.traits.write && type.traits.needsDevice && (kernel === undefined || images.length === 0),
  );
  expect(left.map(({ type }) => type.name)).toEqual([]);
});
