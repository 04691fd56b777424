/** Directories of the host with what their entries are, for the browser. Loaded only by that. Names are name strings (kernel name.ts). */
import * as fs from 'node:fs';
import type { VType } from 'ukfs';
import { nameFromBytes, nameToBytes } from 'ukfs';
import { hostError } from './host-files.ts';
import { hostPath } from './host-path.ts';

interface HostEntry {
  readonly name: string;
  /** undefined: it went away meanwhile, or cannot be looked at; `error` says why. */
  readonly stat: HostStat | undefined;
  readonly error: unknown;
}

interface HostStat {
  readonly type: VType;
  readonly size: number;
  readonly bytes: number;
  readonly mtime: { readonly sec: number; readonly nsec: number };
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly nlink: number;
  readonly ino: number;
}

/** Where the browser was started. */
export const workingDir = (): string => process.cwd();

/** Links are followed. Errors: those of stat(2). */
export function isHostDir(name: string): boolean {
  try {
    return fs.statSync(hostPath(name)).isDirectory();
  } catch (thrown) {
    throw hostError(thrown, name);
  }
}

/** Where a symbolic link leads. Errors: those of readlink(2). */
export function readlink(name: string): string {
  try {
    return nameFromBytes(fs.readlinkSync(hostPath(name), { encoding: 'buffer' }));
  } catch (thrown) {
    throw hostError(thrown, name);
  }
}

/** Links are followed. Errors: those of stat(2), but for ENOENT and ENOTDIR. */
export function exists(name: string): boolean {
  try {
    return fs.statSync(hostPath(name), { throwIfNoEntry: false }) !== undefined;
  } catch (thrown) {
    throw hostError(thrown, name);
  }
}

/** undefined: there is nothing, or nothing that can be seen. */
export function kindOf(name: string): VType | undefined {
  try {
    const stat = fs.lstatSync(hostPath(name), { bigint: true, throwIfNoEntry: false });
    return stat === undefined ? undefined : typeOf(stat);
  } catch (thrown) {
    const { code } = hostError(thrown, name);
    if (code === 'ENOENT' || code === 'ENOTDIR' || code === 'EACCES') return undefined;
    throw hostError(thrown, name);
  }
}

/** The entries of a directory, in its order; `.` and `..` are not among them. Errors: those of opendir(3). */
export function* hostEntries(dir: string): Generator<HostEntry> {
  let names: readonly Buffer[];
  try {
    names = fs.readdirSync(hostPath(dir), { encoding: 'buffer' });
  } catch (thrown) {
    throw hostError(thrown, dir);
  }
  const place = Buffer.from(nameToBytes(dir.endsWith('/') ? dir : `${dir}/`));
  for (const bytes of names) {
    const name = nameFromBytes(bytes);
    try {
      yield { name, stat: statOf(fs.lstatSync(Buffer.concat([place, bytes]), { bigint: true })), error: undefined };
    } catch (thrown) {
      yield { name, stat: undefined, error: hostError(thrown, name) };
    }
  }
}

const BILLION = 1_000_000_000n;

function statOf(stat: fs.BigIntStats): HostStat {
  const sec = stat.mtimeNs / BILLION;
  return {
    type: typeOf(stat),
    size: Number(stat.size),
    bytes: Number(stat.blocks) * 512,
    mtime: { sec: Number(sec), nsec: Number(stat.mtimeNs - sec * BILLION) },
    mode: Number(stat.mode) & 0o7777,
    uid: Number(stat.uid),
    gid: Number(stat.gid),
    nlink: Number(stat.nlink),
    ino: Number(stat.ino),
  };
}

function typeOf(stat: fs.BigIntStats): VType {
  if (stat.isDirectory()) return 'dir';
  if (stat.isSymbolicLink()) return 'lnk';
  if (stat.isBlockDevice()) return 'blk';
  if (stat.isCharacterDevice()) return 'chr';
  if (stat.isFIFO()) return 'fifo';
  return stat.isSocket() ? 'sock' : 'reg';
}
