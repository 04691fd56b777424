/**
 * The kernel as an oracle: loop-mount an image and walk it (kernel-tree.py), or let the kernel write to it.
 * For images that this kernel refuses, debugfsTree() asks debugfs instead.
 */
import { mkdtempSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { debugfs, mustRun, runProgram } from './e2fsprogs.ts';
import { runPython } from './sample-tree.ts';
import { contentDigest, parseTreeEntry, type EntryType, type TimeSpec, type TreeEntry } from './tree.ts';
import { sleepSync } from './sleep.ts';

const script = fileURLToPath(new URL('kernel-tree.py', import.meta.url));

export interface MountOptions {
  /** Mount read-write. Otherwise read-only, and neither journal nor orphans are touched (`noload`). */
  readonly write?: boolean;
  /** More mount options, as for `mount -o`. */
  readonly options?: readonly string[];
}

/** What is mounted now, to be unmounted when the process ends before its `finally`. */
const mounted = new Set<string>();
let unmountsAtExit = false;

/** Mount the image, call `use` with the mount point, unmount whatever happens. atime is never touched. */
export function withKernelMount<T>(
  image: string,
  { write = false, options = [] }: MountOptions,
  use: (dir: string) => T,
): T {
  const dir = mkdtempSync(join(tmpdir(), 'ukfs-mnt-'));
  try {
    const all = ['loop', 'noatime', ...(write ? ['rw'] : ['ro', 'noload']), ...options];
    // The ext4 driver mounts all three formats; naming it keeps `noload` legal where there is no journal.
    mustRun('mount', ['-t', 'ext4', '-o', all.join(','), image, dir]);
    if (!unmountsAtExit) process.once('exit', unmountAll);
    unmountsAtExit = true;
    mounted.add(dir);
    try {
      return use(dir);
    } finally {
      unmount(dir);
    }
  } finally {
    rmdirSync(dir);
  }
}

/** A lazy unmount as the last resort is reported: something had the tree open still, the image may not be complete. */
function unmount(dir: string): void {
  let result = runProgram('umount', [dir]);
  for (let tries = 0; result.status !== 0 && tries < 5; tries++) {
    sleepSync(100);
    result = runProgram('umount', [dir]);
  }
  if (result.status !== 0) runProgram('umount', ['-l', dir]);
  mounted.delete(dir);
  if (result.status !== 0) throw new Error(`umount ${dir}: ${result.output.trim()} (unmounted lazily)`);
}

function unmountAll(): void {
  for (const dir of mounted) runProgram('umount', ['-l', dir]);
}

/** Whether this kernel mounts the image read-only. */
export function kernelMounts(image: string): boolean {
  try {
    return withKernelMount(image, {}, () => true);
  } catch {
    return false;
  }
}

/**
 * The tree of an image as the kernel reads it. A dirty journal is not replayed: what is read is what lies there (make a
 * copy and mount it with `write` first to see the tree after recovery).
 */
export function kernelTree(image: string, options: Omit<MountOptions, 'write'> = {}): TreeEntry[] {
  return withKernelMount(image, options, hostTree);
}

/** The same walk over any directory of the host. */
export function hostTree(dir: string): TreeEntry[] {
  return runPython(script, [dir])
    .split('\n')
    .filter((line) => line !== '')
    .map(parseTreeEntry);
}

/**
 * The tree of an image as debugfs reads it, for those that this kernel refuses. Everything but xattrs, which are left
 * empty: ignore them when comparing. Contents are written out in full on the way, holes too, so no terabytes here.
 */
export function debugfsTree(image: string): TreeEntry[] {
  const found = listAll(image);
  const inos = [...new Set(found.map(({ ino }) => ino))];
  const answers = debugfs(
    image,
    inos.map((ino) => `stat <${ino}>`),
  );
  const stats = new Map(inos.map((ino, index) => [ino, answers[index] ?? '']));
  const files = found.filter(({ type, ino }) => type === 'reg' || (type === 'lnk' && !isFastLink(stats.get(ino))));
  const contents = dumpFiles(image, [...new Set(files.map(({ ino }) => ino))]);
  return found.map((entry) => ({ ...entry, ...fromStat(entry, stats.get(entry.ino) ?? '', contents) }));
}

/** What `ls -p` tells of an entry. */
interface Listed {
  readonly path: string;
  readonly ino: number;
  readonly type: EntryType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

const typeOf: Readonly<Record<number, EntryType>> = {
  0o10: 'reg',
  0o04: 'dir',
  0o12: 'lnk',
  0o02: 'chr',
  0o06: 'blk',
  0o01: 'fifo',
  0o14: 'sock',
};

/** Level by level, one debugfs process each. */
function listAll(image: string): Listed[] {
  const all: Listed[] = [];
  let level = [{ path: '/', ino: 2 }];
  while (level.length > 0) {
    const answers = debugfs(
      image,
      level.map(({ ino }) => `ls -p <${ino}>`),
    );
    const listed = answers.map((answer, index) => listing(answer, level[index]?.path ?? ''));
    if (all.length === 0) all.push(...(listed[0] ?? []).filter(({ path }) => path === '/.').map(asRoot));
    const children = listed.flat().filter(({ path }) => !/\/\.{1,2}$/.test(path));
    all.push(...children);
    level = children.filter(({ type }) => type === 'dir');
  }
  return all;
}

function asRoot(entry: Listed): Listed {
  return { ...entry, path: '/' };
}

/** Lines are "/inode/mode/uid/gid/name/size/", and a name may hold a newline. */
function listing(answer: string, directory: string): Listed[] {
  const prefix = directory === '/' ? '/' : `${directory}/`;
  return [...answer.matchAll(/\/(\d+)\/(\d{6})\/(-?\d+)\/(-?\d+)\/([^/]+)\/\d*\/\n/g)]
    .map((match) => match.slice(1).map(String))
    .map(([ino, mode, uid, gid, name]) => {
      const bits = Number.parseInt(mode ?? '', 8);
      const type = typeOf[bits >>> 12];
      if (type === undefined) throw new Error(`debugfs lists inode ${ino} with mode ${mode}`);
      // Ids above 2^31 are printed as negative numbers.
      const ids = { uid: Number(uid) >>> 0, gid: Number(gid) >>> 0 };
      return { path: prefix + nameFromLatin1(name ?? ''), ino: Number(ino), type, mode: bits & 0o7777, ...ids };
    });
}

function fromStat(entry: Listed, answer: string, contents: ReadonlyMap<number, Buffer>) {
  const number = (pattern: RegExp): number => Number(pattern.exec(answer)?.[1]);
  const btime = timeFrom(answer, 'crtime');
  const device = /Device major\/minor number: (\d+):(\d+)/.exec(answer);
  const size = number(/ Size: (\d+)/);
  const data = contents.get(entry.ino) ?? Buffer.alloc(0);
  return {
    nlink: number(/^Links: (\d+)/m),
    size,
    mtime: timeFrom(answer, 'mtime') ?? { sec: 0, nsec: 0 },
    atime: timeFrom(answer, 'atime') ?? { sec: 0, nsec: 0 },
    ctime: timeFrom(answer, 'ctime') ?? { sec: 0, nsec: 0 },
    xattrs: {},
    ...(btime === undefined ? {} : { btime }),
    ...(device === null ? {} : { rdev: { major: Number(device[1]), minor: Number(device[2]) } }),
    ...(entry.type === 'reg' ? contentDigest(size, [{ offset: 0, data }]) : {}),
    ...(entry.type === 'lnk' ? { target: linkTarget(answer, data) } : {}),
  };
}

/** " mtime: 0x6b036568:075bcd14 -- …": 32 signed bits of seconds; then 30 bits of nanoseconds, 2 more bits of seconds. */
function timeFrom(answer: string, field: string): TimeSpec | undefined {
  const match = new RegExp(`^ *${field}: 0x([0-9a-f]+)(?::([0-9a-f]+))?`, 'm').exec(answer);
  if (match === null) return undefined;
  const extra = Number.parseInt(match[2] ?? '0', 16);
  return { sec: (Number.parseInt(match[1] ?? '', 16) | 0) + (extra & 3) * 2 ** 32, nsec: extra >>> 2 };
}

function isFastLink(answer = ''): boolean {
  return answer.includes('Fast link dest: "');
}

function linkTarget(answer: string, data: Buffer): string {
  const start = answer.indexOf('Fast link dest: "');
  if (start < 0) return nameFromLatin1(data.toString('latin1'));
  return nameFromLatin1(answer.slice(start + 'Fast link dest: "'.length, answer.lastIndexOf('"')));
}

function dumpFiles(image: string, inos: readonly number[]): Map<number, Buffer> {
  const dir = mkdtempSync(join(tmpdir(), 'ukfs-dump-'));
  try {
    debugfs(
      image,
      inos.map((ino) => `dump <${ino}> ${dir}/${ino}`),
    );
    return new Map(inos.map((ino) => [ino, readFileSync(join(dir, String(ino)))]));
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** The codec of TreeEntry.path, from one character per byte. */
function nameFromLatin1(raw: string): string {
  const bytes = Buffer.from(raw, 'latin1');
  const whole = strictText(bytes);
  if (whole !== undefined) return whole;
  let name = '';
  for (let i = 0; i < bytes.length;) {
    const pieces = [1, 2, 3, 4].map((length) => strictText(bytes.subarray(i, i + length)));
    const length = pieces.findIndex((text) => text !== undefined) + 1;
    name += length === 0 ? String.fromCharCode(0xdc00 + (bytes[i] ?? 0)) : pieces[length - 1];
    i += Math.max(length, 1);
  }
  return name;
}

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function strictText(bytes: Uint8Array): string | undefined {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return undefined;
  }
}
