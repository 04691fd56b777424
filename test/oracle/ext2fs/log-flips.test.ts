/**
 * A log with one byte wrong: we refuse it, or we see exactly what the kernel recovers from it. Where the kernel refuses,
 * so do we. And no byte of any log makes us do anything but answer or refuse.
 */
import { closeSync, mkdtempSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { logBlockAddress, openLog, scanLog } from '../../../packages/kernel/src/fs/ext2fs/journal.ts';
import { FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { dirtyVariants, makeDirtyImages } from '../../support/dirty-images.ts';
import { copyImage } from '../../support/ext-images.ts';
import { hostTree, withKernelMount } from '../../support/kernel-tree.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { compareTrees, type TreeEntry } from '../../support/tree.ts';
import { mountReadOnly, ourTree, ReadDevice, withImage } from './walk.ts';

/** Flips that the kernel is asked about; each is a mount and a walk. */
const ASKED = 24;
/** Flips that only we must survive, per image. */
const ALONE = 600;

let outDir = '';
beforeAll(() => {
  outDir = mkdtempSync(join(tmpdir(), 'ukfs-flips-'));
});
afterAll(() => rmSync(outDir, { recursive: true, force: true }));

function dirtyImage(name: string): string {
  const variant = dirtyVariants.find((v) => v.name === name);
  if (variant === undefined) throw new Error(`no dirty variant ${name}`);
  return makeDirtyImages(variant, { outDir })[0]?.image ?? '';
}

/** Where the blocks lie that a replay reads, in the order of the log; the journal's superblock first. */
function liveLog(image: string): { readonly blocks: readonly number[]; readonly blockSize: number } {
  return withImage(
    image,
    (mp) => {
      const log = openLog(mp);
      const { copies } = scanLog(log);
      const blocks = new Set([logBlockAddress(log, 0)]);
      // Descriptors and commits lie between the copies: two blocks around each cover them.
      const length = Math.min(log.last - log.first, copies.size * 2 + 16);
      for (let i = 0; i < length; i++) {
        const at = log.first + ((log.start - log.first + i) % (log.last - log.first));
        blocks.add(logBlockAddress(log, at));
      }
      return { blocks: [...blocks], blockSize: log.blockSize };
    },
    { noload: true },
  );
}

/** Bytes to flip: every so many, headers more often than the rest. */
function* places({ blocks, blockSize }: ReturnType<typeof liveLog>, count: number): Generator<number> {
  for (let i = 0; i < count; i++) {
    const block = blocks[Math.floor((i * blocks.length) / count)] ?? 0;
    const inHeader = (i * 7) % 64;
    const inBlock = i % 3 === 0 ? (i * 7919) % blockSize : i % 3 === 1 ? inHeader : blockSize - 1 - (i % 4);
    yield block * blockSize + inBlock;
  }
}

const answer = (walk: () => readonly TreeEntry[]): readonly TreeEntry[] | undefined => {
  try {
    return walk();
  } catch {
    return undefined;
  }
};

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'debugfs', 'mount'))('a log with one byte wrong', () => {
  test('is refused, or read as the kernel recovers it', () => {
    const image = dirtyImage('ext4-1k-wrap');
    const copy = join(outDir, 'flipped.img');
    const seen = { same: 0, weRefuse: 0, bothRefuse: 0 };
    for (const offset of places(liveLog(image), ASKED)) {
      copyImage(image, copy);
      flip(copy, offset);
      const ours = answer(() => withImage(copy, (mp) => ourTree(mp)));
      const theirs = answer(() => withKernelMount(copy, { write: true }, hostTree));
      if (theirs === undefined) {
        expect(ours, `byte ${offset}: the kernel refuses, we do not`).toBeUndefined();
        seen.bothRefuse++;
      } else if (ours === undefined) seen.weRefuse++;
      else {
        expect(compareTrees(ours, theirs, { names: ['ours', 'theirs'] }), `byte ${offset}`).toEqual([]);
        seen.same++;
      }
    }
    expect(seen.same + seen.bothRefuse + seen.weRefuse).toBe(ASKED);
    // Neither answer may be the only one, or the test proves little.
    expect(seen.same).toBeGreaterThan(0);
    expect(seen.bothRefuse).toBeGreaterThan(0);
    expect(seen.weRefuse).toBeLessThan(ASKED / 4);
  });

  for (const name of ['ext3-1k', 'ext4-4k', 'ext4-async-commit', 'ext4-checksum-v2', 'ext4-fast-commit-1k']) {
    test(`never does anything but answer or refuse: ${name}`, () => {
      const image = dirtyImage(name);
      const live = liveLog(image);
      const device = new ReadDevice(image);
      let refused = 0;
      for (const offset of places(live, ALONE)) {
        const byte = new Uint8Array(1);
        device.patches.clear();
        device.read(byte, offset);
        device.patches.set(offset, (byte[0] ?? 0) ^ (1 << (offset % 8)));
        try {
          mountReadOnly(device);
        } catch (e) {
          expect(e).toBeInstanceOf(FsError);
          refused++;
        }
      }
      device.close();
      expect(refused).toBeLessThan(ALONE);
    });
  }
});

function flip(path: string, offset: number): void {
  const fd = openSync(path, 'r+');
  const byte = new Uint8Array(1);
  readSync(fd, byte, 0, 1, offset);
  byte[0] = (byte[0] ?? 0) ^ (1 << (offset % 8));
  writeSync(fd, byte, 0, 1, offset);
  closeSync(fd);
}
