/**
 * The fresh oracle on ext images: whatever goes in place before the commit point goes to blocks that the old tree does not
 * use, by dumpe2fs's reading of the old image and nothing of ours.
 */
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import type { FileSystemType } from '@ukfs/kernel';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { BlockDevice } from '../../packages/kernel/src/dev/blockdev.ts';
import type { Mount } from '../../packages/kernel/src/vfs/mount.ts';
import { mustRun } from '../support/e2fsprogs.ts';
import { extComplaint, withScratch } from '../support/ext-adapter.ts';
import { extDisks } from '../support/ext-disks.ts';
import {
  diskState,
  IMAGE,
  IMAGE_INO,
  MNT,
  noise,
  openSession,
  prepare,
  put,
  treeOf,
  writeAt,
  type Session,
} from '../support/session.ts';
import { lacksOracle } from '../support/oracle.ts';
import { hostFrom, ReorderHost } from '../support/reorder-host.ts';
import { Rng } from '../support/rng.ts';

let [inPlaceAll, writesAll, planted] = [0, 0, 0];
afterAll(() => {
  console.log(`ext2fs fresh: ${inPlaceAll} blocks in place by ${writesAll} writes, ${planted} planted bugs found`);
});

/** Blocks that are free in an image, by dumpe2fs. */
function freeBlocksOf(bytes: Uint8Array): Set<number> {
  const said = withScratch((dir) => {
    const path = join(dir, 'fresh.img');
    writeFileSync(path, bytes);
    return mustRun('dumpe2fs', [path]);
  });
  const free = new Set<number>();
  for (const [, list = ''] of said.matchAll(/^ {2}Free blocks: (.*)$/gm)) {
    for (const range of list.split(', ').filter((text) => text !== '')) {
      const [first = 0, last = first] = range.split('-').map(Number);
      for (let block = first; block <= last; block++) free.add(block);
    }
  }
  return free;
}

/** Frees and fills, so that in the end only space that this transaction freed is left. */
function churn({ sys, mp }: Session, seed: number): void {
  const rng = new Rng(seed);
  const { blockSize } = mp;
  for (let n = 0; n < 6; n++) {
    const { freeBlocks } = sys.statvfs(MNT);
    put(sys, `${MNT}/n${n}`, noise(seed + n, rng.between(1, Math.max(2, freeBlocks)) * blockSize));
    writeAt(sys, `${MNT}/filler`, noise(seed - n, 8 * blockSize), rng.int(60) * blockSize);
    if (n === 1) sys.truncate(`${MNT}/filler`, rng.between(20, 200) * blockSize);
    if (n === 2) sys.unlink(`${MNT}/file`);
    if (n === 3) sys.unlink(`${MNT}/n1`);
    if (n === 4) sys.rename(`${MNT}/n2`, `${MNT}/victim`);
  }
}

interface Trespass {
  /** Blocks written in place before the commit point, and those of them that the old tree used. */
  readonly inPlace: number;
  readonly bad: readonly number[];
}

/** Churn in two transactions with little memory; what was written to the image before each commit point. */
function trespasses(name: string, options: { memLimit: number; type?: FileSystemType }): Trespass {
  const image = prepare(extDisks(ext2fs).find((disk) => disk.name === name)!);
  const { blockSize } = image;
  const rec = new ReorderHost(diskState(image.bytes), { time: { sec: 1_500_000_000, nsec: 0 } });
  const s = openSession(options.type ?? ext2fs, rec.host, { write: true, memLimit: options.memLimit });
  let inPlace = 0;
  const bad: number[] = [];
  for (let transaction = 0; transaction < 2; transaction++) {
    const free = freeBlocksOf(rec.host.get(IMAGE));
    const from = rec.events.length;
    if (transaction === 1) for (const n of ['n0', 'n3']) s.sys.unlink(`${MNT}/${n}`);
    else churn(s, 100);
    if (transaction === 1) put(s.sys, `${MNT}/again`, noise(9, s.sys.statvfs(MNT).freeBlocks * blockSize));
    s.k.commit(s.stage);
    const events = rec.events.slice(from);
    const point = events.findIndex(({ op }) => op === 'rename');
    for (const event of events.slice(0, point)) {
      if (event.op !== 'write' || event.ino !== IMAGE_INO) continue;
      writesAll++;
      const end = event.offset + event.data.length;
      for (let block = Math.floor(event.offset / blockSize); block * blockSize < end; block++) {
        inPlace++;
        if (!free.has(block)) bad.push(block);
      }
    }
  }
  s.close();
  inPlaceAll += inPlace;
  return { inPlace, bad };
}

const judges = ['mke2fs', 'e2fsck', 'dumpe2fs'];

test.skipIf(lacksOracle(...judges))('no write before the commit point touches a block that the old tree uses', () => {
  let total = 0;
  for (const memLimit of [0, 64 * 1024, 256 * 1024]) {
    const { inPlace, bad } = trespasses('ext4 1k, 95 % full', { memLimit });
    expect(bad, `memLimit ${memLimit}`).toEqual([]);
    total += inPlace;
  }
  expect(total).toBeGreaterThan(100);
});

test.skipIf(lacksOracle(...judges))(
  'whatever was written in place, an image that never came to its commit is the old one',
  () => {
    const image = prepare(extDisks(ext2fs).find(({ name }) => name === 'ext4 1k, 95 % full')!);
    const rec = new ReorderHost(diskState(image.bytes), { time: { sec: 1_500_000_000, nsec: 0 } });
    const s = openSession(ext2fs, rec.host, { write: true, memLimit: 0 });
    const old = treeOf(s);
    churn(s, 200);
    const crashed = rec.settled();
    expect(extComplaint(crashed.files.get(IMAGE_INO)!.bytes)).toBeUndefined();
    const reader = openSession(ext2fs, hostFrom(crashed));
    expect(treeOf(reader)).toBe(old);
    reader.close();
  },
);

/** ext2fs on a device that forgets what was released: freed blocks are reused as if they had been free all along. */
function forgetful(): FileSystemType {
  return {
    ...ext2fs,
    mount(mp: Mount) {
      ext2fs.mount(mp);
      mp.layer(deaf);
    },
  };
}

function deaf(dev: BlockDevice): BlockDevice {
  return {
    sectorSize: dev.sectorSize,
    get sizeBytes() {
      return dev.sizeBytes;
    },
    readOnly: dev.readOnly,
    read: (dst, offset) => dev.read(dst, offset),
    write: (src, offset) => dev.write(src, offset),
    fresh: (extent) => dev.fresh(extent),
    released: () => undefined,
    isReleased: () => false,
    superblock: (sb) => dev.superblock(sb),
  };
}

test.skipIf(lacksOracle(...judges))('planted bug, freed blocks are called fresh: found', () => {
  expect(trespasses('ext4 1k, 95 % full', { memLimit: 0, type: forgetful() }).bad.length).toBeGreaterThan(0);
  planted++;
});
