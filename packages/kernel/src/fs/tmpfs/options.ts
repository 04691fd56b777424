/** mount_tmpfs(8)'s options: how large, how many files, and whose root directory. */
import { FsError } from '../../kern/errno.ts';
import type { MountOptions } from '../../vfs/vfsops.ts';

/** Unlike a kernel's, this memory is a process's: what is not said must not take the machine. */
const DEFAULT_SIZE_BYTES = 256 * 1024 * 1024;
/** One file per this many bytes, as NetBSD's tmpfs_mem reckons. */
const BYTES_PER_FILE = 1024;
const MIN_FILES = 4;

/** Word and letter of each: `-o size=1m` and, as mount_tmpfs has it, `-s 1m`. */
export const tmpfsOptions = {
  size: 'most memory for data and names (k, m, g; default 256m)',
  s: 'same as size',
  nodes: 'most files, directories and links (default: size / 1k)',
  n: 'same as nodes',
  uid: 'owner of the root directory (default 0)',
  u: 'same as uid',
  gid: 'group of the root directory (default 0)',
  g: 'same as gid',
  mode: 'mode of the root directory, octal (default 1777)',
  m: 'same as mode',
} as const;

interface TmpfsArgs {
  readonly sizeBytes: number;
  readonly files: number;
  readonly uid: number;
  readonly gid: number;
  readonly mode: number;
}

/** Errors: EINVAL, naming the option. */
export function parseOptions(options: MountOptions): TmpfsArgs {
  const given = (word: string, letter: string) => options[word] ?? options[letter];
  // 0 means "no limit said", as in mount_tmpfs.
  const sizeBytes = amount('size', given('size', 's')) || DEFAULT_SIZE_BYTES;
  const files = amount('nodes', given('nodes', 'n')) || MIN_FILES + Math.floor(sizeBytes / BYTES_PER_FILE);
  return {
    sizeBytes,
    files,
    uid: id('uid', given('uid', 'u')),
    gid: id('gid', given('gid', 'g')),
    mode: mode(given('mode', 'm')),
  };
}

const SCALE: Readonly<Record<string, number>> = { '': 1, b: 1, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30, t: 2 ** 40 };

function amount(option: string, value: string | true | undefined): number {
  if (value === undefined) return 0;
  const match = typeof value === 'string' ? /^(\d+)([bkmgt]?)$/i.exec(value) : null;
  const bytes = Number(match?.[1]) * (SCALE[(match?.[2] ?? '').toLowerCase()] ?? 1);
  return Number.isSafeInteger(bytes) ? bytes : refuse(option, value);
}

function id(option: string, value: string | true | undefined): number {
  if (value === undefined) return 0;
  const number = typeof value === 'string' && /^\d+$/.test(value) ? Number(value) : NaN;
  return number <= 0xfffffffe ? number : refuse(option, value);
}

function mode(value: string | true | undefined): number {
  if (value === undefined) return 0o1777;
  return typeof value === 'string' && /^[0-7]{1,4}$/.test(value) ? parseInt(value, 8) : refuse('mode', value);
}

function refuse(option: string, value: string | true): never {
  throw new FsError('EINVAL', { op: 'mount', what: `tmpfs: ${option}=${value === true ? '' : value}` });
}
