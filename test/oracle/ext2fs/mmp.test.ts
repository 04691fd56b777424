/**
 * Multiple mount protection: an image that somebody says he uses is not written, one that nobody uses is left saying so.
 * debugfs reads and sets the block; the kernel holds one for real.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { MmpBlock } from '../../../packages/kernel/src/fs/ext2fs/format.ts';
import { FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { assertClean, debugfs } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => {
  requireOracle('mke2fs');
  requireOracle('debugfs');
});

const WORDS = '-t ext4 -b 1024 -E mmp_update_interval=1 -O mmp';
const dump = (): string => debugfs(image, ['dump_mmp'])[0] ?? '';
const sequence = (): string => /^sequence: (\S+)$/m.exec(dump())?.[1] ?? '';

/** debugfs would wait, and say "clean" when it closes: so by hand, in an image without checksums. */
function setMmp(seq: number, node: string): void {
  const block = Number(/^block_number: (\d+)$/m.exec(dump())?.[1]);
  const bytes = readFileSync(image);
  const mmp = MmpBlock.at(bytes, block * 1024);
  mmp.seq = seq;
  const name = new Uint8Array(64);
  name.set(new TextEncoder().encode(node));
  mmp.nodename = name;
  writeFileSync(image, bytes);
}

function refusal(): string {
  try {
    new Rig(image).device.close();
    return '';
  } catch (e) {
    expect(e).toBeInstanceOf(FsError);
    expect((e as FsError).code).toBe('EBUSY');
    return (e as FsError).message;
  }
}

test('a clean image is written and stays clean', () => {
  newImage(image, WORDS, '8M');
  const clean = sequence();
  expect(clean).toBe('ff4d4d50');
  const rig = new Rig(image);
  rig.make('/a', 'reg');
  rig.write('/a', new Uint8Array(5000));
  rig.remount();
  expect(sequence()).toBe(clean);
  rig.close();
  expect(sequence()).toBe(clean);
  assertClean(image);
});

test('one that a check works on, or another host uses, is refused by name', () => {
  newImage(image, `${WORDS},^metadata_csum`, '8M');
  setMmp(0xe24d4d50, 'elsewhere');
  expect(refusal()).toMatch(/a check runs on elsewhere/);
  setMmp(0x1234, 'elsewhere');
  expect(refusal()).toMatch(/mounted on elsewhere/);
  setMmp(0xff4d4d50, 'elsewhere');
  expect(refusal()).toBe('');
});

test('one that the kernel has mounted is refused, and free again afterwards', () => {
  requireOracle('loop mount');
  newImage(image, WORDS, '8M');
  withKernelMount(image, { write: true }, () => expect(refusal()).toMatch(/mounted on/));
  expect(refusal()).toBe('');
});
