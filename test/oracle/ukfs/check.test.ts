/** check() and --verify through the library: an image damaged under an edit's hands is never committed. */
import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { check, CorruptError, open } from 'ukfs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { KernelSession } from '../../../packages/ukfs/src/session.ts';
import { checkScratch, removeCheckScratch } from '../../support/ext-check.ts';
import { assertClean, debugfs } from '../../support/e2fsprogs.ts';
import { mke2fs } from '../../support/ext-images.ts';
import { lacksOracle } from '../../support/oracle.ts';

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'debugfs'))('checking an image', () => {
  let image: string;
  beforeAll(() => {
    image = join(checkScratch(), 'verify.img');
    rmSync(image, { force: true });
    mke2fs(['-t', 'ext4', '-b', '1024', '-N', '64', image, '4M']);
  });
  afterAll(removeCheckScratch);

  test('finds nothing wrong, and says what is there', async () => {
    const report = await check(image);
    expect(report).toMatchObject({ type: 'ext2fs', variant: 'ext4', errors: 0, left: 0, changed: false });
    expect(report.statistics).toMatchObject({ inodes: 64, directories: 2, blocks: 4096 });
  });

  test('verify: a sound edit is committed', async () => {
    const fs = await open(image, { write: true, verify: true });
    fs.writeFile('/file', 'contents');
    expect(fs.check()).toMatchObject({ errors: 0, findings: [] });
    expect(fs.commit().changed).toBe(true);
    fs.close();
    assertClean(image);
  });

  test('verify: an edit that damages is refused, and the image stays as it is', async () => {
    const before = readFileSync(image);
    const fs = await open(image, { write: true, verify: true });
    fs.writeFile('/second', 'contents');
    fs.sync();
    // As a bug in the writer would: the link count of the root is wrong in what is staged.
    const { session } = fs;
    if (!(session instanceof KernelSession)) throw new TypeError('not our session');
    const stage = session.rump.etfs.stage('/disk0');
    const [place = ''] = debugfs(image, ['imap <2>']);
    const [, block = '', offset = ''] = /located at block (\d+), offset 0x([0-9a-f]+)/.exec(place) ?? [];
    stage.write(Uint8Array.of(77, 0), Number(block) * 1024 + Number.parseInt(offset, 16) + 0x1a);
    expect(fs.check().errors).toBeGreaterThan(0);
    expect(() => fs.commit()).toThrow(CorruptError);
    expect(() => fs.commit()).toThrow(/the edit would leave an error.*nothing was changed/);
    fs.close();
    expect(readFileSync(image).equals(before)).toBe(true);
  });

  test('verify: what was wrong before the edit is not its fault; repairing is a transaction', async () => {
    debugfs(image, ['set_inode_field /file links_count 5'], { write: true });
    const fs = await open(image, { write: true, verify: true });
    fs.writeFile('/third', 'contents');
    expect(fs.commit().changed).toBe(true);
    fs.close();
    const found: string[] = [];
    const report = await check(image, { repair: 'safe', report: ({ code }) => found.push(code) });
    expect(report).toMatchObject({ errors: 1, repaired: 1, left: 0, changed: true });
    expect(found).toEqual(['inode-links']);
    assertClean(image);
  });
});
