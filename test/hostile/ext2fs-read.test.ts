/**
 * Hostile ext2/3/4 images, reading: pointers that go in circles, bytes at random. Whatever the image says, we answer or
 * refuse with an FsError, in bounded time.
 */
import { execFileSync } from 'node:child_process';
import {
  mkdirSync,
  mkdtempSync,
  openSync,
  closeSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
  truncateSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Ext2Mount } from '../../packages/kernel/src/fs/ext2fs/ext2mount.ts';
import { inodeLocation, type Inode } from '../../packages/kernel/src/fs/ext2fs/inode.ts';
import { FsError } from '../../packages/kernel/src/kern/errno.ts';
import { getLe32, setLe32 } from '../../packages/kernel/src/kern/struct.ts';
import type { Mount } from '../../packages/kernel/src/vfs/mount.ts';
import { vrele, type Vnode } from '../../packages/kernel/src/vfs/vnode.ts';
import { e2fsck } from '../support/e2fsprogs.ts';
import { mke2fs } from '../support/ext-images.ts';
import { lacksOracle } from '../support/oracle.ts';
import { mountReadOnly, ourTree, ReadDevice } from '../oracle/ext2fs/walk.ts';

/** No walk of these small images may take longer; an undamaged one takes a hundredth. */
const LONGEST_MS = 3000;
const RANDOM_FLIPS = 600;

let dir = '';
const images = { extents: '', mapped: '', checked: '' };
const readable = !lacksOracle('mke2fs', 'e2fsck', 'debugfs');

/** A tree with a hash tree, a file of many extents, both kinds of link, attributes in inode and block. */
function makeTree(path: string): void {
  mkdirSync(join(path, 'many'), { recursive: true });
  for (let i = 0; i < 90; i++) writeFileSync(join(path, 'many', `a file with a name of some length, number ${i}`), 'x');
  const fd = openSync(join(path, 'holes'), 'w');
  for (let i = 0; i < 120; i++) writeSync(fd, 'data', i * 4096);
  closeSync(fd);
  truncateSync(join(path, 'holes'), 1 << 20);
  symlinkSync('short', join(path, 'fast'));
  symlinkSync('long/'.repeat(30), join(path, 'slow'));
  writeFileSync(join(path, 'attributes'), 'a');
  const script =
    'import os,sys\nos.setxattr(sys.argv[1],"user.small",b"v"*20)\nos.setxattr(sys.argv[1],"user.large",b"w"*700)';
  execFileSync('python3', ['-c', script, join(path, 'attributes')]);
}

beforeAll(() => {
  if (!readable) return;
  dir = mkdtempSync(join(tmpdir(), 'ukfs-hostile-'));
  const tree = join(dir, 'tree');
  makeTree(tree);
  const make = (name: keyof typeof images, type: string, features: string): void => {
    images[name] = join(dir, `${name}.img`);
    writeFileSync(images[name], '');
    truncateSync(images[name], 4 << 20);
    mke2fs(['-t', type, '-O', features, '-b', '1024', '-N', '256', '-J', 'size=1', '-d', tree, images[name]]);
    e2fsck(images[name], ['-fyD']);
  };
  // Without checksums the damage reaches the code behind them.
  make('extents', 'ext4', '^metadata_csum,inline_data');
  make('mapped', 'ext3', 'ext_attr');
  make('checked', 'ext4', 'metadata_csum,64bit');
}, 60_000);
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** Mount with some bytes changed and read everything; what came of it. */
function survive(
  device: ReadDevice,
  patches: ReadonlyMap<number, number>,
  what: string,
): 'refused' | 'errors' | 'read' {
  device.patches.clear();
  for (const [at, value] of patches) device.patches.set(at, value);
  const started = performance.now();
  let outcome: 'refused' | 'errors' | 'read' = 'read';
  try {
    const mp = mountReadOnly(device);
    ourTree(mp, (path, error) => {
      if (!(error instanceof FsError)) throw new Error(`${what}: ${path}: ${String(error)}`, { cause: error });
      outcome = 'errors';
    });
    mp.type.statvfs(mp);
    expect(mp.bufs.pinned, what).toBe(0);
  } catch (e) {
    if (!(e instanceof FsError)) throw new Error(`${what}: ${String(e)}`, { cause: e });
    outcome = 'refused';
  }
  expect(performance.now() - started, what).toBeLessThan(LONGEST_MS);
  return outcome;
}

/** Little-endian bytes of a field. */
function patchOf(at: number, size: number, value: number): Map<number, number> {
  return new Map(Array.from({ length: Math.min(size, 8) }, (_, i) => [at + i, Math.floor(value / 2 ** (8 * i)) % 256]));
}

/** The undamaged mount, for finding places. */
function inspect<T>(path: string, use: (mp: Mount<Ext2Mount>) => T): T {
  const device = new ReadDevice(path);
  try {
    return use(mountReadOnly(device));
  } finally {
    device.close();
  }
}

function inodeOf(mp: Mount, path: readonly string[]): Inode {
  let vp = mp.type.root(mp);
  for (const name of path) {
    const found = vp.ops.lookup(vp, name);
    if (found === undefined) throw new Error(`no ${path.join('/')}`);
    vrele(vp);
    vp = found.vp;
  }
  vrele(vp);
  return (vp as Vnode<Inode>).data;
}

const place = (mp: Mount<Ext2Mount>, inode: Inode): number => {
  const { block, offset } = inodeLocation(mp, inode.ino);
  return block * mp.blockSize + offset;
};

/** First blocks of a file, as bytes on the device, read around the format's code. */
function firstBlock(mp: Mount, path: readonly string[]): number {
  const vp = inodeOf(mp, path);
  const run = vp.mp.type.root(vp.mp).ops.bmap({ data: vp } as Vnode, 0, 1);
  return (run.block ?? 0) * mp.blockSize;
}

describe.skipIf(!readable)('hostile images', () => {
  test('an extent tree that leads to itself, downwards or sideways, ends', () => {
    const device = new ReadDevice(images.extents);
    const { at, node, blockSize } = inspect(images.extents, (mp) => {
      const inode = inodeOf(mp, ['holes']);
      return { at: place(mp, inode) + 0x28, node: getLe32(inode.block, 16), blockSize: mp.blockSize };
    });
    // The leaf says that it is an index of depth 1 (as the root says of it) that leads to itself.
    const self = new Uint8Array(8);
    setLe32(self, 0, node);
    const header = new Map([
      [node * blockSize + 6, 1],
      ...[...self].map((byte, i) => [node * blockSize + 16 + i, byte] as const),
    ]);
    expect(survive(device, header, 'leaf as index')).toBe('errors');
    // And the root says that it is deep enough for any number of rounds.
    for (let depth = 0; depth <= 6; depth++) survive(device, new Map([...header, [at + 6, depth]]), `depth ${depth}`);
    device.close();
  });

  test('a hash tree that leads to itself ends', () => {
    const device = new ReadDevice(images.extents);
    const root = inspect(images.extents, (mp) => firstBlock(mp, ['many']));
    for (const levels of [0, 1, 2, 255]) {
      const patches = new Map([[root + 0x1e, levels]]);
      for (let entry = 0; entry < 20; entry++)
        for (const [at, v] of patchOf(root + 0x24 + entry * 8, 4, 0)) patches.set(at, v);
      survive(device, patches, `${levels} levels`);
    }
    device.close();
  });

  test('pointer blocks that point to themselves end', () => {
    const device = new ReadDevice(images.mapped);
    const { at, block } = inspect(images.mapped, (mp) => {
      const inode = inodeOf(mp, ['holes']);
      return { at: place(mp, inode), block: getLe32(inode.block, 48) };
    });
    const patches = new Map<number, number>();
    for (let i = 0; i < 256; i++) for (const [p, v] of patchOf(block * 1024 + i * 4, 4, block)) patches.set(p, v);
    for (const level of [48, 52, 56]) for (const [p, v] of patchOf(at + 0x28 + level, 4, block)) patches.set(p, v);
    // A size that reaches into the triple-indirect part.
    for (const [p, v] of patchOf(at + 4, 4, 20 << 20)) patches.set(p, v);
    survive(device, patches, 'self-referring pointer block');
    device.close();
  });

  for (const name of ['extents', 'mapped', 'checked'] as const) {
    test(`bytes at random: ${name}`, () => {
      const device = new ReadDevice(images[name]);
      const seen = { refused: 0, errors: 0, read: 0 };
      let state = 12345;
      const next = (below: number): number => {
        state = (state * 48271) % 0x7fffffff;
        return state % below;
      };
      const used = inspect(images[name], (mp) => mp.data.geo.blocks * mp.blockSize);
      for (let i = 0; i < RANDOM_FLIPS; i++) {
        // Half of them in the first blocks, where all fixed structures of so small an image lie.
        const patches = new Map<number, number>();
        const count = 1 + next(4);
        for (let k = 0; k < count; k++) patches.set(next(i % 2 === 0 ? 120 << 10 : used), next(256));
        seen[survive(device, patches, `round ${i}: ${JSON.stringify([...patches])}`)]++;
      }
      device.close();
      expect(seen.read).toBeGreaterThan(100);
      expect(seen.errors + seen.refused).toBeGreaterThan(2);
    }, 120_000);
  }
});
