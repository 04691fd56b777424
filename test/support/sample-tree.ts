/**
 * A tree that holds what real trees hold, and the corners of what ext2/3/4 can say. sample-tree.py makes it, in a host
 * directory (for `mke2fs -d`) or in a mounted image (so that the kernel's own layouts are on it).
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { runProgram } from './e2fsprogs.ts';

export interface TreeOptions {
  /** Of the target: sizes at the borders of the block map follow from it. */
  readonly blockSize: number;
  /** How many files of this machine's /etc and /usr/share/doc, and their bytes in all. */
  readonly copyFiles: number;
  readonly copyBytes: number;
  /** One dense file of so many bytes, besides one of 1.3 MB; 0 for none. */
  readonly bigFileBytes: number;
  /** Longest symlink target. ext needs room for a NUL in one block. */
  readonly symlinkMax: number;
  /** Sparse files with data at these offsets. */
  readonly farOffsets: readonly number[];
  /** One sparse file whose every other block is written: so many blocks. */
  readonly fragments: number;
  /** A directory of so many short names (htree), and one of so many 255-byte names; 0 for none. */
  readonly bigDirEntries: number;
  readonly longNameEntries: number;
  /** `block`: values that fit in an inode or one block; `large`: up to 64 KiB too (ea_inode). */
  readonly xattrs: 'none' | 'block' | 'large';
  /** POSIX ACLs, access and default. */
  readonly acls: boolean;
  /** Remove, rename, cut and create again, for what use leaves behind. */
  readonly age: boolean;
  /** fallocate(2): unwritten extents, beyond the end, punched, collapsed, inserted (needs extents). */
  readonly fallocate: boolean;
  /** Inode flags, immutable too: for images only, for rm cannot remove what is immutable. */
  readonly flags: boolean;
}

/** About 1,800 entries in 11 MB. */
export const smallTree: TreeOptions = {
  blockSize: 4096,
  copyFiles: 400,
  copyBytes: 6_000_000,
  bigFileBytes: 0,
  symlinkMax: 4095,
  farOffsets: [5_000_000_000],
  fragments: 700,
  bigDirEntries: 600,
  longNameEntries: 400,
  xattrs: 'block',
  acls: true,
  age: false,
  fallocate: false,
  flags: false,
};

/** About 9,400 entries in 75 MB. */
export const fullTree: TreeOptions = {
  ...smallTree,
  copyFiles: 4000,
  copyBytes: 30_000_000,
  bigFileBytes: 30_000_000,
  fragments: 3000,
  bigDirEntries: 3000,
  longNameEntries: 1000,
};

/** The system's own, which starts sooner than a version manager's; any 3.8 or later will do. */
const python = existsSync('/usr/bin/python3') ? '/usr/bin/python3' : 'python3';

const script = fileURLToPath(new URL('sample-tree.py', import.meta.url));

/** Fill the existing, empty directory `dir`. What cannot be made is an error. Needs root (owners, devices, trusted.*). */
export function makeSampleTree(dir: string, options: TreeOptions): { readonly entries: number } {
  const summary: unknown = JSON.parse(runPython(script, [dir, JSON.stringify(options)]));
  if (typeof summary !== 'object' || summary === null || !('entries' in summary)) throw new TypeError('no summary');
  return { entries: Number(summary.entries) };
}

/** Run one of the scripts beside this file; its standard output. Throws with its traceback when it fails. */
export function runPython(path: string, args: readonly string[], input = ''): string {
  const { status, stdout, stderr } = runProgram(python, ['-I', path, ...args], { input });
  if (status !== 0) throw new Error(`${path}: status ${status}\n${stderr.slice(-2000)}`);
  return stdout;
}
