/**
 * The conformance suite as data: a case is a name, a condition on traits and a function over a mounted file system.
 *
 * Cases throw when the rule they state does not hold, and use nothing of a test framework, so that the same cases run on
 * every file system (conformance tests) and against deliberately broken ones (broken.test.ts, which proves the suite).
 * Names that begin with `t_xxx yyy:` are NetBSD's ATF cases; netbsd.ts holds the list that must be covered.
 */
import assert from 'node:assert/strict';
import {
  FsError,
  O,
  type Cred,
  type ErrnoName,
  type FsTraits,
  type Rump,
  type Stat,
  type VfsSyscalls,
} from '@ukfs/kernel';
import type { MemoryHost } from '@ukfs/kernel/host/memory';

/** What the suite asks about a file system beyond what the type declares. */
export interface Traits extends FsTraits {
  /** The tree survives unmounting. */
  readonly persistent: boolean;
  /** It is mounted for the test and can be unmounted (the kernel's root cannot). */
  readonly mounted: boolean;
  readonly rename: boolean;
  /** vptofh and fhtovp exist. */
  readonly handles: boolean;
  readonly allocate: boolean;
  readonly punch: boolean;
  readonly birthtime: boolean;
  /** Inode changes show in statvfs. */
  readonly countsFiles: boolean;
  /** Bytes of the disk or memory under it; 0: not bounded, or too large to fill. */
  readonly capacityBytes: number;
  /** Files that create_many makes. */
  readonly manyFiles: number;
  /** Largest file size that may be set (a hole). */
  readonly maxFileBytes: number;
  /** readdir shows `.` and `..`. */
  readonly dots: boolean;
  /** Unit of allocation in bytes: holes smaller than this need not exist. */
  readonly blockBytes: number;
  /** A read-only mount refuses changes. */
  readonly readOnlyMount: boolean;
  /** Limits that take seconds to reach are tried here. */
  readonly slowLimits: boolean;
  /** Longest value of an extended attribute. */
  readonly xattrMaxBytes: number;
}

export interface Ctx {
  readonly k: Rump;
  readonly sys: VfsSyscalls;
  readonly host: MemoryHost;
  readonly traits: Traits;
  /** Where it is mounted; also the current directory when a case starts. */
  readonly mnt: string;
  /**
   * Unmount, judge the image, mount again (persistent types); turn it read-only or back in place (the others).
   * Open files must be closed; the current directory is the mount point afterwards.
   */
  remount(options?: { readonly readOnly?: boolean }): void;
  /** mount(2) with MNT.UPDATE. */
  update(options: { readonly readOnly: boolean }): void;
  unmount(): void;
  mount(): void;
  /** Run as a new process of another identity, in the same current directory. */
  as<T>(cred: Cred | number, fn: () => T): T;
  /** Let the clock go on; returns the new time. */
  tick(seconds?: number): { readonly sec: number; readonly nsec: number };
}

export interface Case {
  readonly name: string;
  /** Runs only where this holds; absent: everywhere. */
  readonly needs?: (traits: Traits) => boolean;
  run(ctx: Ctx): void;
}

// What cases say

export function ok(condition: unknown, what: string): asserts condition {
  assert.ok(condition, what);
}

export function same<T>(actual: T, expected: T, what: string): void {
  assert.deepStrictEqual(actual, expected, what);
}

/** Collect every misbehaviour of many small checks before failing. */
export function collect(check: (report: (problem: string) => void) => void): void {
  const problems: string[] = [];
  check((problem) => problems.push(problem));
  if (problems.length > 0) assert.fail(`${problems.length} problem(s):\n${problems.slice(0, 20).join('\n')}`);
}

/** The errno name that `fn` fails with, or "ok". Anything that is not an FsError is rethrown. */
export function outcome(fn: () => unknown): ErrnoName | 'ok' {
  try {
    fn();
    return 'ok';
  } catch (e) {
    if (e instanceof FsError) return e.code;
    throw e;
  }
}

export function fails(code: ErrnoName | readonly ErrnoName[], fn: () => unknown, what: string): void {
  const got = outcome(fn);
  const expected = typeof code === 'string' ? [code] : code;
  if (!expected.includes(got as ErrnoName)) assert.fail(`${what}: expected ${expected.join(' or ')}, got ${got}`);
}

export const exists = (sys: VfsSyscalls, path: string): boolean => outcome(() => sys.lstat(path)) === 'ok';
export const missing = (sys: VfsSyscalls, path: string, what = path): void =>
  fails('ENOENT', () => sys.lstat(path), `${what} must not exist`);

// Small tools over the system calls

export const text = (s: string): Uint8Array => new TextEncoder().encode(s);

/** `length` bytes that differ from place to place and are never zero: position shifts and holes show. */
export function pattern(length: number, seed = 1): Uint8Array {
  const out = new Uint8Array(length);
  for (let i = 0, x = seed * 2654435761; i < length; i++) {
    x = (Math.imul(x, 1664525) + 1013904223) >>> 0;
    out[i] = (x >>> 24) | 1;
  }
  return out;
}

export function writeAll(sys: VfsSyscalls, fd: number, data: Uint8Array): void {
  for (let done = 0; done < data.length;) {
    const n = sys.write(fd, data.subarray(done));
    ok(n > 0, 'write(2) of more than nothing wrote nothing');
    done += n;
  }
}

export function withFd<T>(sys: VfsSyscalls, path: string, flags: number, fn: (fd: number) => T, mode = 0o644): T {
  const fd = sys.open(path, flags, mode);
  try {
    return fn(fd);
  } finally {
    sys.close(fd);
  }
}

/** Create or replace a file. */
export function put(sys: VfsSyscalls, path: string, data: Uint8Array | string = '', mode = 0o644): void {
  const bytes = typeof data === 'string' ? text(data) : data;
  withFd(sys, path, O.WRONLY | O.CREAT | O.TRUNC, (fd) => writeAll(sys, fd, bytes), mode);
}

export function readFd(sys: VfsSyscalls, fd: number, length: number, offset: number): Uint8Array {
  // Filled with garbage first: what read(2) does not write must not count.
  const dst = new Uint8Array(length).fill(0xee);
  let done = 0;
  while (done < length) {
    const n = sys.pread(fd, dst.subarray(done), offset + done);
    if (n === 0) break;
    done += n;
  }
  return dst.subarray(0, done);
}

export function get(sys: VfsSyscalls, path: string): Uint8Array {
  return withFd(sys, path, O.RDONLY, (fd) => readFd(sys, fd, sys.fstat(fd).size + 1, 0));
}

export const getText = (sys: VfsSyscalls, path: string): string => new TextDecoder().decode(get(sys, path));

export function sameBytes(actual: Uint8Array, expected: Uint8Array, what: string): void {
  if (actual.length !== expected.length) assert.fail(`${what}: ${actual.length} bytes instead of ${expected.length}`);
  for (let i = 0; i < actual.length; i++) {
    if (actual[i] !== expected[i]) assert.fail(`${what}: byte ${i} is ${actual[i]} instead of ${expected[i]}`);
  }
}

export function allZero(bytes: Uint8Array, what: string): void {
  const at = bytes.findIndex((b) => b !== 0);
  if (at >= 0) assert.fail(`${what}: byte ${at} is ${bytes[at]} instead of 0`);
}

/** Names in a directory without `.` and `..`, in the order they came. */
export function names(sys: VfsSyscalls, path: string, max?: number): string[] {
  return withFd(sys, path, O.RDONLY, (fd) => {
    const out: string[] = [];
    for (;;) {
      const entries = sys.getdents(fd, max);
      if (entries.length === 0) return out;
      for (const { name } of entries) if (name !== '.' && name !== '..') out.push(name);
    }
  });
}

export const sortedNames = (sys: VfsSyscalls, path: string): string[] => names(sys, path).sort();

/** A stat without what reading and clock alone may change. */
export const identity = (stat: Stat): Omit<Stat, 'atime'> => {
  const { atime: _atime, ...rest } = stat;
  return rest;
};

export function removeTree(sys: VfsSyscalls, path: string): void {
  const stat = sys.lstat(path);
  if (stat.type !== 'dir') return sys.unlink(path);
  for (const name of names(sys, path)) removeTree(sys, `${path}/${name}`);
  sys.rmdir(path);
}

/** Creating files takes clock time of the medium's grain into account: a stamp as this file system can hold it. */
export function grain(
  traits: Traits,
  time: { readonly sec: number; readonly nsec: number },
): {
  sec: number;
  nsec: number;
} {
  const g = traits.timeGranularityNs;
  if (g >= 1_000_000_000) {
    const secs = Math.floor(g / 1_000_000_000);
    return { sec: Math.floor(time.sec / secs) * secs, nsec: 0 };
  }
  return { sec: time.sec, nsec: Math.floor(time.nsec / g) * g };
}
