/**
 * mkfs, judged by mke2fs: for the same words the same file system, to the byte where mke2fs writes nothing of its host into
 * it; and by e2fsck, the kernel and our own mount.
 */
import {
  closeSync,
  existsSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { makeFs, open } from 'ukfs';
import { assertClean, mustRun, runTool } from '../../support/e2fsprogs.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { mkfsCases, type MkfsCase } from '../../support/mkfs-cases.ts';

const lacking = lacksOracle('mke2fs', 'e2fsck', 'dumpe2fs');
const UUID = '11111111-2222-3333-4444-555555555555';
const EPOCH = '1700000000';

let dir: string;
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ukfs-mkfs-'));
  process.env['SOURCE_DATE_EPOCH'] = EPOCH;
});
afterAll(() => {
  delete process.env['SOURCE_DATE_EPOCH'];
  rmSync(dir, { recursive: true, force: true });
});

/** Giants are sparse, but e2fsck's maps of them are not. */
const isShort = process.env['MKFS_GIANTS'] === undefined;
const cases = mkfsCases.filter(({ mib }) => !isShort || mib <= 4096);

const nameOf = ({ type, mib, args }: MkfsCase): string => `${type} ${mib} MiB ${args.join(' ')}`.trim();

function theirs({ type, mib, args }: MkfsCase): string {
  const image = join(dir, 'theirs.img');
  rmSync(image, { force: true });
  writeFileSync(image, '');
  truncateSync(image, mib * 1024 * 1024);
  const at = args.indexOf('-E');
  const extended = at < 0 ? ['-E', `hash_seed=${UUID}`] : ['-E', `${args[at + 1] ?? ''},hash_seed=${UUID}`];
  const rest = at < 0 ? args : args.filter((_, i) => i !== at && i !== at + 1);
  mustRun('mke2fs', ['-q', '-F', '-t', type, '-U', UUID, ...rest, ...extended, image], {
    env: { E2FSPROGS_FAKE_TIME: EPOCH },
  });
  return image;
}

async function ours({ type, mib, words }: MkfsCase, name = 'ours.img'): Promise<string> {
  const image = join(dir, name);
  rmSync(image, { force: true });
  await makeFs(image, { type, size: mib * 1024 * 1024, options: { uuid: UUID, hash_seed: UUID, ...words } });
  return image;
}

/** dumpe2fs, without how much was written and the names of the host. */
const listing = (image: string): string =>
  mustRun('dumpe2fs', [image])
    .replace(/^Lifetime writes:.*\n/m, '')
    .replace(/^Checksum: .*\n/m, '')
    .replace(/^ +mmp_(update|node|device).*\n/gm, '');

/** Offsets of bytes that differ, beyond s_kbytes_written and the checksum that covers it: the first few. */
function differences(a: string, b: string): number[] {
  const found: number[] = [];
  const files = [openSync(a, 'r'), openSync(b, 'r')] as const;
  const pieces = [Buffer.alloc(1 << 20), Buffer.alloc(1 << 20)] as const;
  const size = Math.max(statSync(a).size, statSync(b).size);
  for (let at = 0; at < size && found.length < 10; at += 1 << 20) {
    files.forEach((fd, i) => pieces[i]?.fill(0, readSync(fd, pieces[i] ?? Buffer.alloc(0), 0, 1 << 20, at)));
    if (pieces[0].equals(pieces[1])) continue;
    for (let i = 0; i < 1 << 20 && found.length < 10; i++) {
      const inSector = (at + i) % 1024;
      const isTold = (inSector >= 0x178 && inSector < 0x180) || inSector >= 0x3fc;
      if (pieces[0][i] !== pieces[1][i] && !isTold) found.push(at + i);
    }
  }
  files.forEach((fd) => closeSync(fd));
  return found;
}

describe.skipIf(lacking)('mkfs makes what mke2fs makes', () => {
  test('of at least 40 kinds', () => {
    expect(mkfsCases.length).toBeGreaterThanOrEqual(40);
  });

  test.each(cases.map((one) => [nameOf(one), one] as const))('%s', async (_, one) => {
    const mine = await ours(one);
    assertClean(mine);
    const reference = theirs(one);
    expect(listing(mine)).toBe(listing(reference));
    // Large ones, which are sparse, would be read in vain: dumpe2fs and e2fsck have read what is in them.
    if (one.leavings === undefined && one.mib <= 256) expect(differences(mine, reference)).toEqual([]);
  });
});

describe.skipIf(lacking)('mkfs', () => {
  test('gives the same bytes for the same seed, and other identities for another', async () => {
    const images: Buffer[] = [];
    for (const seed of ['a', 'a', 'b']) {
      const image = join(dir, 'seed.img');
      rmSync(image, { force: true });
      await makeFs(image, { type: 'ext4', size: 8 << 20, seed });
      images.push(readFileSync(image));
    }
    expect(images[0]?.equals(images[1] ?? Buffer.alloc(0))).toBe(true);
    expect(images[0]?.equals(images[2] ?? Buffer.alloc(0))).toBe(false);
  });

  test('over an older file system leaves nothing of it: the bytes are those of a new image', async () => {
    const one: MkfsCase = { type: 'ext4', mib: 64, args: [], words: {} };
    const fresh = readFileSync(await ours(one));
    const image = join(dir, 'old.img');
    writeFileSync(image, Buffer.alloc(64 << 20, 0xa5));
    mustRun('mke2fs', ['-q', '-F', '-t', 'ext3', image]);
    await expect(makeFs(image, { type: 'ext4' })).rejects.toMatchObject({ code: 'EEXIST' });
    await makeFs(image, { type: 'ext4', force: true, options: { uuid: UUID, hash_seed: UUID } });
    expect(readFileSync(image).equals(fresh)).toBe(true);
    expect(existsSync(`${image}.fsu-log`)).toBe(false);
  });

  test.each(['ext2', 'ext3', 'ext4'])(
    '%s in a part of an image that is full of old bytes touches nothing else',
    async (type) => {
      const image = join(dir, 'part.img');
      // Not 0xa5: that may be text.
      const all = Buffer.alloc(40 << 20, 0x01);
      writeFileSync(image, all);
      await makeFs(`${image}:off=1MiB,32MiB`, { type });
      const after = readFileSync(image);
      expect(after.subarray(0, 1 << 20).equals(all.subarray(0, 1 << 20))).toBe(true);
      expect(after.subarray(33 << 20).equals(all.subarray(33 << 20))).toBe(true);
      const part = join(dir, 'cut.img');
      writeFileSync(part, after.subarray(1 << 20, 33 << 20));
      assertClean(part);
      const fs = await open(`${image}:off=1MiB,32MiB`, { write: true });
      fs.writeFile('/x', 'hello');
      fs.commit();
      fs.close();
      writeFileSync(part, readFileSync(image).subarray(1 << 20, 33 << 20));
      assertClean(part);
    },
  );

  test('refuses without touching anything: too small, options that contradict, no such type', async () => {
    const image = join(dir, 'none.img');
    const attempts: readonly [Parameters<typeof makeFs>[1], string][] = [
      [{ type: 'ext4', size: 3000 }, 'EINVAL'],
      [{ type: 'ext4', size: 8 << 20, options: { features: 'bigalloc,^extent' } }, 'EINVAL'],
      [{ type: 'ext4', size: 8 << 20, options: { features: 'no_such' } }, 'EINVAL'],
      [{ type: 'ext4', size: 8 << 20, options: { no_such: '1' } }, 'EINVAL'],
      [{ type: 'ext4', size: 8 << 20, options: { block_size: '3000' } }, 'EINVAL'],
      [{ type: 'ext4', size: 8 << 20, options: { uuid: 'abc' } }, 'EINVAL'],
      [{ type: 'ext4', size: 8 << 20, options: { label: 'x'.repeat(17) } }, 'EINVAL'],
      [{ type: 'ext4', size: 8 << 20, options: { inodes: '100000' } }, 'EINVAL'],
      [{ type: 'ext4' }, 'EINVAL'],
      [{ type: 'nofs', size: 8 << 20 }, 'ENODEV'],
      [{ type: 'tmpfs', size: 8 << 20 }, 'EOPNOTSUPP'],
    ];
    for (const [options, code] of attempts) {
      await expect(makeFs(image, options), JSON.stringify(options)).rejects.toMatchObject({ code });
      expect(existsSync(image)).toBe(false);
    }
  });

  test('a filling that fails leaves no image', async () => {
    const image = join(dir, 'half.img');
    const fill = (): void => {
      throw new Error('enough');
    };
    await expect(makeFs(image, { type: 'ext4', size: 8 << 20, fill })).rejects.toThrow('enough');
    expect(existsSync(image)).toBe(false);
    expect(existsSync(`${image}.fsu-log.new`)).toBe(false);
  });

  test('the new file system takes files in the same transaction', async () => {
    const image = join(dir, 'fill.img');
    const fill: Parameters<typeof makeFs>[1]['fill'] = (fs) => {
      fs.mkdir('/a/b', { recursive: true });
      fs.writeFile('/a/b/c', Buffer.alloc(3 << 20, 7));
    };
    await makeFs(image, { type: 'ext4', size: 32 << 20, fill });
    assertClean(image);
    const fs = await open(image);
    expect(fs.readFile('/a/b/c').length).toBe(3 << 20);
    fs.close();
  });
});

describe.skipIf(lacking || lacksOracle('root', 'loop mount'))('the kernel mounts what mkfs made and fills it', () => {
  const kinds: readonly MkfsCase[] = [
    { type: 'ext2', mib: 16, args: [], words: {} },
    { type: 'ext3', mib: 16, args: [], words: {} },
    { type: 'ext4', mib: 16, args: [], words: {} },
    { type: 'ext4', mib: 64, args: [], words: { features: 'bigalloc,inline_data,orphan_file,metadata_csum_seed' } },
    { type: 'ext4', mib: 64, args: [], words: { features: 'ea_inode,large_dir,fast_commit' } },
    { type: 'ext4', mib: 64, args: [], words: { features: '^resize_inode,meta_bg,sparse_super2', block_size: '2048' } },
  ];
  test.each(kinds.map((one) => [`${one.type} ${JSON.stringify(one.words)}`, one] as const))('%s', async (_, one) => {
    const image = await ours(one, 'kernel.img');
    withKernelMount(image, { write: true }, (mnt) => {
      const full = runTool('python3', [
        '-c',
        'import os,sys\nd=sys.argv[1]+"/d"\nos.mkdir(d)\ntry:\n for i in range(100000):\n  open(f"{d}/{i}","wb").write(b"x"*70000)\nexcept OSError as e:\n print(e.errno)\nfor i in range(0,100,3): os.unlink(f"{d}/{i}")',
        mnt,
      ]);
      expect(full.output.trim()).toBe('28');
    });
    assertClean(image);
  });
});
