/**
 * Small ext images driven through a whole kernel on a memory host: mke2fs's image, a tree made by system calls, one
 * operation to be failed or cut short, and the tree as text that tells any two states apart.
 */
import {
  boot,
  FsError,
  O,
  type FileSystemType,
  type Rump,
  type Stage,
  type Stat,
  type VfsSyscalls,
} from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import type { MemoryHost } from '@ukfs/kernel/host/memory';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '../../packages/kernel/src/kern/checksum/crc32c.ts';
import type { Mount } from '../../packages/kernel/src/vfs/mount.ts';
import { VFS } from '../../packages/kernel/src/vfs/vfs.ts';
import { assertClean } from './e2fsprogs.ts';
import { mke2fs } from './ext-images.ts';
import { hostFrom, type DiskState } from './reorder-host.ts';
import { Rng } from './rng.ts';

export const IMAGE = '/d/disk.img';
export const LOG = `${IMAGE}.fsu-log`;
/** Inode number of the image on the memory host. */
export const IMAGE_INO = 7;
const MiB = 1024 * 1024;
const DEVICE = '/dev/disk';
export const MNT = '/m';

export interface SmallExt {
  readonly name: string;
  readonly args: string;
  readonly sizeBytes: number;
  /** Fill it until so many of a hundred blocks are used. */
  readonly percent?: number;
}

export const smallExts: readonly SmallExt[] = [
  { name: 'ext2 1k', args: '-t ext2 -b 1024 -N 192', sizeBytes: 2 * MiB },
  { name: 'ext3 1k', args: '-t ext3 -b 1024 -N 192', sizeBytes: 3 * MiB },
  { name: 'ext4 1k', args: '-t ext4 -b 1024 -N 192', sizeBytes: 3 * MiB },
  { name: 'ext4 4k', args: '-t ext4 -b 4096 -N 192 -J size=4', sizeBytes: 6 * MiB },
  { name: 'ext4 1k, 95 % full', args: '-t ext4 -b 1024 -N 192', sizeBytes: 3 * MiB, percent: 95 },
];

// directories and judges

let scratchDir: string | undefined;
/** A directory in memory where the machine has one: e2fsck then costs milliseconds. */
export function scratch(): string {
  scratchDir ??= mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ukfs-ext-session-'));
  return scratchDir;
}
export function removeScratch(): void {
  if (scratchDir !== undefined) rmSync(scratchDir, { recursive: true, force: true });
  scratchDir = undefined;
}

/** What e2fsck -fn has against an image; undefined when it is clean. */
export function complaint(bytes: Uint8Array): string | undefined {
  const path = join(scratch(), 'judged.img');
  writeFileSync(path, bytes);
  try {
    assertClean(path);
    return undefined;
  } catch (e) {
    return String(e);
  }
}

// sessions

export interface Session {
  readonly k: Rump;
  readonly sys: VfsSyscalls;
  readonly host: MemoryHost;
  readonly stage: Stage;
  readonly mp: Mount;
  /** Halt, uncommitted changes are discarded. */
  close(): void;
}

export interface SessionOptions {
  readonly write?: boolean;
  readonly dryRun?: boolean;
  readonly memLimit?: number;
  /** In place of ext2fs: the same with a bug. */
  readonly type?: FileSystemType;
}

/** Boot, register the image, mount it at MNT. */
export function openSession(host: MemoryHost, options: SessionOptions = {}): Session {
  const { write = false, dryRun, memLimit, type = ext2fs } = options;
  const k = boot({ host });
  try {
    k.attach(type);
    const stage = {
      write,
      ...(dryRun === undefined ? {} : { dryRun }),
      ...(memLimit === undefined ? {} : { memLimit }),
    };
    k.etfs.register(DEVICE, IMAGE, 'BLK', { stage });
    k.sys.mkdir(MNT, 0o755);
    k.sys.mount('ext2fs', MNT, { from: DEVICE });
  } catch (e) {
    k.halt();
    throw e;
  }
  const mp = k.service(VFS).mounts.find(({ on }) => on === MNT);
  if (mp === undefined) throw new Error('not mounted');
  return { k, sys: k.sys, host, stage: k.etfs.stage(DEVICE), mp, close: () => k.halt() };
}

export const diskState = (bytes: Uint8Array): DiskState => ({
  files: new Map([[IMAGE_INO, { bytes, birthtime: { sec: 1, nsec: 2 } }]]),
  names: new Map([[IMAGE, IMAGE_INO]]),
});

/** A host with this image, whose clock is later than that of any stamp in it. */
export function hostWith(bytes: Uint8Array, sec = 1_500_000_000): MemoryHost {
  return hostFrom(diskState(bytes), { time: { sec, nsec: 5000 } });
}

// trees

/** Everything a user can see below MNT, a line for each file; access times too. Damage is a line. */
export function treeOf({ sys }: Pick<Session, 'sys'>, root = MNT): string {
  const lines: string[] = [];
  // Of each inode once: there are many names for some.
  const described = new Map<number, string>();
  const describe = (path: string, s: Stat): string => {
    const times = [s.atime, s.mtime, s.ctime, s.birthtime].map((t) => (t === undefined ? '-' : `${t.sec}.${t.nsec}`));
    const what = `${s.type} ${s.ino}.${s.gen} ${s.mode.toString(8)} ${s.uid}:${s.gid} ${s.nlink} ${s.size} ${s.bytes}`;
    const more = s.type === 'lnk' ? `→ ${sys.readlink(path)}` : s.type === 'reg' ? contents(sys, path) : '';
    const xattrs = sys
      .listxattr(path, { nofollow: true })
      .map((name) => `${name}=${crc32c(0, sys.getxattr(path, name, { nofollow: true }) ?? new Uint8Array(0))}`);
    return [what, ...times, s.flags, more, ...xattrs.sort()].join(' ');
  };
  const visit = (path: string): void => {
    try {
      const s = sys.lstat(path);
      const text = described.get(s.ino) ?? describe(path, s);
      described.set(s.ino, text);
      lines.push(`${path.slice(root.length)}/ ${text}`);
      if (s.type !== 'dir') return;
      for (const name of namesIn(sys, path)) if (name !== '.' && name !== '..') visit(`${path}/${name}`);
    } catch (e) {
      lines.push(`${path.slice(root.length)}/ BAD ${String(e)}`);
    }
  };
  visit(root);
  const { freeBlocks, freeFiles } = sys.statvfs(root);
  lines.push(`${freeBlocks} blocks, ${freeFiles} inodes free`);
  return lines.join('\n');
}

export function namesIn(sys: VfsSyscalls, path: string): string[] {
  const fd = sys.open(path, O.RDONLY);
  const names: string[] = [];
  try {
    for (let part = sys.getdents(fd); part.length > 0; part = sys.getdents(fd)) {
      names.push(...part.map(({ name }) => name));
    }
  } finally {
    sys.close(fd);
  }
  return names.sort();
}

function contents(sys: VfsSyscalls, path: string): number {
  const fd = sys.open(path, O.RDONLY);
  const piece = new Uint8Array(64 * 1024);
  let sum = 0;
  try {
    for (let n = sys.read(fd, piece); n > 0; n = sys.read(fd, piece)) sum = crc32c(sum, piece.subarray(0, n));
  } finally {
    sys.close(fd);
  }
  return sum;
}

/** First line that differs, for messages. */
export function difference(a: string, b: string): string {
  const [left, right] = [a.split('\n'), b.split('\n')];
  const at = left.findIndex((line, i) => line !== right[i]);
  return `${left[at] ?? '(end)'} | ${right[at] ?? '(end)'}`;
}

// files

export function put(sys: VfsSyscalls, path: string, bytes: Uint8Array): number {
  const fd = sys.open(path, O.CREAT | O.WRONLY, 0o644);
  try {
    return sys.write(fd, bytes);
  } finally {
    sys.close(fd);
  }
}

export function writeAt(sys: VfsSyscalls, path: string, bytes: Uint8Array, offset: number): number {
  const fd = sys.open(path, O.WRONLY);
  try {
    return sys.pwrite(fd, bytes, offset);
  } finally {
    sys.close(fd);
  }
}

export const noise = (seed: number, length: number): Uint8Array => new Rng(seed).bytes(length);

const longName = (dir: string, n: number): string =>
  `${MNT}/${dir}/entry-with-a-rather-long-name-${String(n).padStart(4, '0')}`;
/** An entry of the directory with an index. */
export const splitName = (n: number): string => longName('wide', n);

// the image that operations start from

export interface Prepared {
  readonly ext: SmallExt;
  readonly bytes: Uint8Array;
  /** Number of the entry that splits a leaf of /wide, and of the one that gives /linear its index. */
  readonly splitsAt: number;
  readonly indexesAt: number;
  readonly blockSize: number;
}

const prepared = new Map<string, Prepared>();

/** The image with its tree, made once per process, clean by e2fsck. */
export function prepare(ext: SmallExt): Prepared {
  let known = prepared.get(ext.name);
  if (known === undefined) prepared.set(ext.name, (known = build(ext)));
  return known;
}

function build(ext: SmallExt): Prepared {
  const path = join(scratch(), 'made.img');
  // Old bytes everywhere, so that nothing is right by accident of zeros.
  writeFileSync(path, new Uint8Array(ext.sizeBytes).fill(0xa5));
  mke2fs([...ext.args.split(' '), '-E', 'lazy_itable_init=0,nodiscard', path]);
  const host = hostWith(new Uint8Array(readFileSync(path)), 1_300_000_000);
  const s = openSession(host, { write: true });
  const { sys } = s;
  const { blockSize } = s.mp;
  put(sys, `${MNT}/small`, noise(1, 700));
  put(sys, `${MNT}/file`, noise(2, 30_000));
  put(sys, `${MNT}/victim`, noise(3, 9000));
  put(sys, `${MNT}/holes`, noise(4, 3000));
  writeAt(sys, `${MNT}/holes`, noise(5, 3000), 40 * blockSize);
  // Many runs: every second block of a file that was whole, so that maps have more than one level.
  put(sys, `${MNT}/ragged`, noise(6, 40 * blockSize));
  const fd = sys.open(`${MNT}/ragged`, O.WRONLY);
  for (let block = 1; block < 40; block += 2) sys.fdiscard(fd, block * blockSize, blockSize);
  sys.close(fd);
  for (const name of ['from', 'to', 'empty', 'full']) sys.mkdir(`${MNT}/${name}`, 0o755);
  put(sys, `${MNT}/from/moved`, noise(7, 2500));
  put(sys, `${MNT}/to/covered`, noise(8, 5000));
  sys.mkdir(`${MNT}/from/sub`, 0o700);
  put(sys, `${MNT}/from/sub/leaf`, noise(9, 100));
  put(sys, `${MNT}/full/x`, noise(10, 10));
  sys.symlink('small', `${MNT}/link`);
  sys.symlink('x/'.repeat(100), `${MNT}/slow`);
  sys.link(`${MNT}/small`, `${MNT}/from/hard`);
  const indexesAt = fillDirectory(s, 'linear', (blocks) => blocks >= 3);
  const splitsAt = fillDirectory(s, 'wide', (blocks) => blocks >= 4);
  if (ext.percent !== undefined) fillTo(s, ext.percent);
  s.k.commit(s.stage);
  s.close();
  const bytes = host.get(IMAGE);
  const wrong = complaint(bytes);
  if (wrong !== undefined) throw new Error(wrong);
  return { ext, bytes, splitsAt, indexesAt, blockSize };
}

/** A directory with entries up to, not including, the one that makes it so large; the number of that. */
function fillDirectory({ k, sys, stage, mp }: Session, dir: string, isEnough: (blocks: number) => boolean): number {
  sys.mkdir(`${MNT}/${dir}`, 0o755);
  const undo = k.savepoint(stage);
  let n = 0;
  while (!isEnough(sys.stat(`${MNT}/${dir}`).size / mp.blockSize)) sys.link(`${MNT}/small`, longName(dir, n++));
  k.rollback(stage, undo);
  for (let i = 0; i < n - 1; i++) sys.link(`${MNT}/small`, longName(dir, i));
  return n - 1;
}

function fillTo({ sys }: Session, percent: number): void {
  const { blocks, freeBlocks, fragmentSize } = sys.statvfs(MNT);
  const keep = Math.ceil((blocks * (100 - percent)) / 100);
  put(sys, `${MNT}/filler`, noise(11, Math.max(0, freeBlocks - keep) * fragmentSize));
}

/** Leave so many blocks free, and say how many are. */
export function leaveBlocks({ sys }: Session, count: number): number {
  const path = `${MNT}/hog`;
  const { fragmentSize } = sys.statvfs(MNT);
  const fd = sys.open(path, O.CREAT | O.WRONLY, 0o600);
  for (let at = 0; ;) {
    const { freeBlocks } = sys.statvfs(MNT);
    if (freeBlocks === 0) break;
    try {
      at += sys.pwrite(fd, new Uint8Array(freeBlocks * fragmentSize).fill(0x11), at);
    } catch (e) {
      if (e instanceof FsError && e.code === 'ENOSPC') break;
      throw e;
    }
  }
  const { size } = sys.fstat(fd);
  sys.ftruncate(fd, size - count * fragmentSize);
  sys.close(fd);
  return sys.statvfs(MNT).freeBlocks;
}

// operations

export interface Operation {
  readonly name: string;
  /** Of a write: how many bytes; its answer is how many it wrote. */
  readonly bytes?: number;
  run(sys: VfsSyscalls, image: Prepared): number | void;
}

const time = (sec: number) => ({ sec, nsec: 123_000 });

/** One call each, or one with the open and close that it needs. */
export const operations: readonly Operation[] = [
  { name: 'create', run: (sys) => void sys.close(sys.open(`${MNT}/new`, O.CREAT | O.EXCL | O.WRONLY, 0o640)) },
  { name: 'overwrite', bytes: 5000, run: (sys) => writeAt(sys, `${MNT}/file`, noise(21, 5000), 1500) },
  { name: 'append', bytes: 7000, run: (sys) => writeAt(sys, `${MNT}/file`, noise(22, 7000), 30_000) },
  {
    name: 'fill a hole',
    run: (sys, { blockSize }) => void writeAt(sys, `${MNT}/ragged`, noise(23, blockSize), 9 * blockSize),
  },
  { name: 'large write', bytes: 60_000, run: (sys) => writeAt(sys, `${MNT}/small`, noise(24, 60_000), 100) },
  { name: 'truncate to less', run: (sys, { blockSize }) => sys.truncate(`${MNT}/ragged`, 11 * blockSize + 100) },
  { name: 'truncate to nothing', run: (sys) => sys.truncate(`${MNT}/file`, 0) },
  { name: 'truncate to more', run: (sys) => sys.truncate(`${MNT}/small`, 100_000) },
  { name: 'mkdir', run: (sys) => sys.mkdir(`${MNT}/to/dir`, 0o711) },
  { name: 'rmdir', run: (sys) => sys.rmdir(`${MNT}/empty`) },
  { name: 'unlink', run: (sys) => sys.unlink(`${MNT}/file`) },
  { name: 'unlink of a ragged file', run: (sys) => sys.unlink(`${MNT}/ragged`) },
  { name: 'unlink of one of two names', run: (sys) => sys.unlink(`${MNT}/from/hard`) },
  { name: 'rename', run: (sys) => sys.rename(`${MNT}/small`, `${MNT}/another name`) },
  { name: 'rename over a file', run: (sys) => sys.rename(`${MNT}/from/moved`, `${MNT}/victim`) },
  { name: 'rename of a directory to another', run: (sys) => sys.rename(`${MNT}/from/sub`, `${MNT}/to/sub`) },
  { name: 'rename over an empty directory', run: (sys) => sys.rename(`${MNT}/from/sub`, `${MNT}/empty`) },
  { name: 'exchange', run: (sys) => sys.rename(`${MNT}/from/sub`, `${MNT}/victim`, { exchange: true }) },
  { name: 'link', run: (sys) => sys.link(`${MNT}/file`, `${MNT}/to/second`) },
  { name: 'fast symlink', run: (sys) => sys.symlink('to/covered', `${MNT}/fast`) },
  { name: 'slow symlink', run: (sys) => sys.symlink('y/'.repeat(200), `${MNT}/from/long`) },
  { name: 'chmod', run: (sys) => sys.chmod(`${MNT}/file`, 0o4711) },
  { name: 'chown', run: (sys) => sys.chown(`${MNT}/file`, 70_000, 80_000) },
  { name: 'utimens', run: (sys) => sys.utimens(`${MNT}/file`, time(1_400_000_000), time(1_410_000_000)) },
  { name: 'split of a leaf', run: (sys, { splitsAt }) => sys.link(`${MNT}/small`, splitName(splitsAt)) },
  {
    name: 'index of a directory',
    run: (sys, { indexesAt }) => sys.link(`${MNT}/small`, longName('linear', indexesAt)),
  },
  { name: 'mknod', run: (sys) => sys.mknod(`${MNT}/dev`, 'chr', 0o600, { major: 5, minor: 1 }) },
  { name: 'punch', run: (sys, { blockSize }) => punch(sys, blockSize) },
  { name: 'xattr', run: (sys) => sys.setxattr(`${MNT}/file`, 'user.small', noise(25, 30)) },
  { name: 'xattr in a block', run: (sys) => sys.setxattr(`${MNT}/file`, 'user.large', noise(26, 600)) },
];

function punch(sys: VfsSyscalls, blockSize: number): void {
  const fd = sys.open(`${MNT}/file`, O.WRONLY);
  try {
    sys.fdiscard(fd, blockSize + 10, 3 * blockSize);
  } finally {
    sys.close(fd);
  }
}

/** Twenty calls, one transaction. */
export const mixed: Operation = {
  name: 'twenty calls',
  run(sys, image) {
    const rng = new Rng(77);
    put(sys, `${MNT}/a`, noise(31, 12_000));
    sys.mkdir(`${MNT}/m`, 0o755);
    sys.rename(`${MNT}/a`, `${MNT}/m/b`);
    sys.truncate(`${MNT}/file`, 4000);
    put(sys, `${MNT}/m/c`, noise(32, 20_000));
    sys.unlink(`${MNT}/victim`);
    sys.link(`${MNT}/m/c`, `${MNT}/m/d`);
    sys.symlink('z/'.repeat(150), `${MNT}/m/s`);
    sys.chmod(`${MNT}/m`, 0o700);
    sys.rename(`${MNT}/from/sub`, `${MNT}/m/sub`);
    for (let n = 0; n < 5; n++) sys.link(`${MNT}/small`, splitName(image.splitsAt + n));
    sys.rmdir(`${MNT}/empty`);
    writeAt(sys, `${MNT}/ragged`, noise(33, 3000), rng.int(20) * image.blockSize);
    sys.unlink(`${MNT}/m/c`);
    sys.chown(`${MNT}/m/d`, 3, 4);
    sys.rename(`${MNT}/from/moved`, `${MNT}/to/covered`);
  },
};

/** False when this version cannot do it on this image (and says so: EOPNOTSUPP). */
export function isPossible(image: Prepared, operation: Operation): boolean {
  const s = openSession(hostWith(image.bytes), { write: true });
  try {
    operation.run(s.sys, image);
    return true;
  } catch (e) {
    if (e instanceof FsError && e.code === 'EOPNOTSUPP') return false;
    throw e;
  } finally {
    s.close();
  }
}
