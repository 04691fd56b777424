/**
 * Small disks driven through a whole kernel on a memory host: a fresh file system, a tree made by system calls, one
 * operation to be failed or cut short, and the tree as text that tells any two states apart. The operations are in
 * operations.ts; what a disk is, the adapters say.
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
import type { MemoryHost } from '@ukfs/kernel/host/memory';
import { crc32c } from '../../packages/kernel/src/kern/checksum/crc32c.ts';
import type { Mount } from '../../packages/kernel/src/vfs/mount.ts';
import { VFS } from '../../packages/kernel/src/vfs/vfs.ts';
import type { Disk } from './adapters.ts';
import { hostFrom, type DiskState } from './reorder-host.ts';

import { Rng } from './rng.ts';

export const IMAGE = '/d/disk.img';
export const LOG = `${IMAGE}.fsu-log`;
/** Inode number of the image on the memory host. */
export const IMAGE_INO = 7;
const DEVICE = '/dev/disk';
export const MNT = '/m';

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
}

/** Boot, register the image, mount it at MNT. `type`: that of the image, perhaps with a bug. */
export function openSession(type: FileSystemType, host: MemoryHost, options: SessionOptions = {}): Session {
  const { write = false, dryRun, memLimit } = options;
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
    k.sys.mount(type.name, MNT, { from: DEVICE });
  } catch (e) {
    k.halt();
    throw e;
  }
  const mp = k.service(VFS).mounts.find(({ on }) => on === MNT);
  if (mp === undefined) throw new Error('not mounted');
  return { k, sys: k.sys, host, stage: k.etfs.stage(DEVICE), mp, close: () => k.halt() };
}

/** References that nobody should hold while no call is running: all but those of the mount itself. */
export const heldBy = ({ mp }: Session): string[] =>
  [...mp.vnodes.values()]
    .filter(({ usecount }) => usecount > 0)
    .map(({ ino, usecount }) => `inode ${ino}: ${usecount}`);

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

export const longName = (dir: string, n: number): string =>
  `${MNT}/${dir}/entry-with-a-rather-long-name-${String(n).padStart(4, '0')}`;
/** An entry of the directory with an index. */
export const splitName = (n: number): string => longName('wide', n);

// the image that operations start from

export interface Prepared {
  readonly disk: Disk;
  readonly bytes: Uint8Array;
  /** Number of the entry that splits a leaf of /wide, and of the one that gives /linear its index. */
  readonly splitsAt: number;
  readonly indexesAt: number;
  readonly blockSize: number;
}

const prepared = new Map<string, Prepared>();

/** The image with its tree, made once per process, clean by its judges. */
export function prepare(disk: Disk): Prepared {
  let known = prepared.get(disk.name);
  if (known === undefined) prepared.set(disk.name, (known = build(disk)));
  return known;
}

function build(disk: Disk): Prepared {
  const host = hostWith(disk.make(), 1_300_000_000);
  const s = openSession(disk.type, host, { write: true });
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
  for (let block = 1; block < 40; block += 2) unlessUnsupported(() => sys.fdiscard(fd, block * blockSize, blockSize));
  sys.close(fd);
  for (const name of ['from', 'to', 'empty', 'full']) sys.mkdir(`${MNT}/${name}`, 0o755);
  put(sys, `${MNT}/from/moved`, noise(7, 2500));
  put(sys, `${MNT}/to/covered`, noise(8, 5000));
  sys.mkdir(`${MNT}/from/sub`, 0o700);
  put(sys, `${MNT}/from/sub/leaf`, noise(9, 100));
  put(sys, `${MNT}/full/x`, noise(10, 10));
  unlessUnsupported(() => sys.symlink('small', `${MNT}/link`));
  unlessUnsupported(() => sys.symlink('x/'.repeat(100), `${MNT}/slow`));
  unlessUnsupported(() => sys.link(`${MNT}/small`, `${MNT}/from/hard`));
  put(sys, `${MNT}/labelled`, noise(12, 100));
  unlessUnsupported(() => sys.setxattr(`${MNT}/victim`, 'user.there', noise(13, 40)));
  unlessUnsupported(() => sys.setxattr(`${MNT}/labelled`, 'user.label', noise(14, 600)));
  const indexesAt = fillDirectory(s, 'linear', (blocks) => blocks >= 3);
  const splitsAt = fillDirectory(s, 'wide', (blocks) => blocks >= 4);
  if (disk.percent !== undefined) fillTo(s, disk.percent);
  s.k.commit(s.stage);
  s.close();
  const bytes = host.get(IMAGE);
  const wrong = disk.complaint(bytes);
  if (wrong !== undefined) throw new Error(wrong);
  return { disk, bytes, splitsAt, indexesAt, blockSize };
}

/** What a format cannot do is left out of its tree. */
function unlessUnsupported(call: () => void): void {
  try {
    call();
  } catch (e) {
    if (!(e instanceof FsError) || e.code !== 'EOPNOTSUPP') throw e;
  }
}

/** One more name, of a file that is there where files can have several. */
export function addName({ mp, sys }: Pick<Session, 'mp' | 'sys'>, path: string): void {
  if (mp.type.traits.hardLinks) sys.link(`${MNT}/small`, path);
  else put(sys, path, new Uint8Array(0));
}

/** A directory with entries up to, not including, the one that makes it so large; the number of that. */
function fillDirectory(s: Session, dir: string, isEnough: (blocks: number) => boolean): number {
  const { k, sys, stage, mp } = s;
  sys.mkdir(`${MNT}/${dir}`, 0o755);
  const undo = k.savepoint(stage);
  let n = 0;
  while (!isEnough(sys.stat(`${MNT}/${dir}`).size / mp.blockSize)) addName(s, longName(dir, n++));
  k.rollback(stage, undo);
  for (let i = 0; i < n - 1; i++) addName(s, longName(dir, i));
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
