/** Reading a bundle's manifest. It may come from anywhere: nothing in it is believed before it was looked at. */
import { FsError, nameFromBytes } from 'ukfs';
import type { Rdev, Timespec, VType } from '@ukfs/kernel';

export interface PatchedFile {
  readonly type: VType;
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
  readonly mtime: Timespec;
  readonly flags: number;
  readonly rdev: Rdev | undefined;
  readonly target: string | undefined;
  readonly linkTo: string | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array> | undefined;
  readonly sha256: string | undefined;
}

export interface Patch {
  readonly path: string;
  readonly change: 'added' | 'removed' | 'changed' | 'type';
  readonly what: ReadonlySet<string>;
  readonly before: PatchedFile | undefined;
  readonly after: PatchedFile | undefined;
}

const damaged = (what: string): FsError => new FsError('EINVAL', { op: 'patch', what: `bundle: ${what}` });

type Members = Readonly<Record<string, unknown>>;
const isMembers = (value: unknown): value is Members =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export interface Manifest {
  readonly reversible: boolean;
  readonly patches: readonly Patch[];
}

/** Errors: EINVAL. */
export function readPatches(text: string): Manifest {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (thrown) {
    throw thrown instanceof SyntaxError ? damaged('its manifest is no JSON') : thrown;
  }
  if (!isMembers(document) || document['schema'] !== 'fsu.patch.bundle') throw damaged('no manifest of ours');
  if (document['version'] !== 1) throw damaged(`version ${String(document['version'])} is not known`);
  const list: unknown = document['differences'];
  if (!Array.isArray(list)) throw damaged('no differences');
  return { reversible: document['reversible'] === true, patches: list.map(patchOf) };
}

function patchOf(value: unknown): Patch {
  if (!isMembers(value)) throw damaged('a difference is none');
  const change = value['change'];
  if (change !== 'added' && change !== 'removed' && change !== 'changed' && change !== 'type')
    throw damaged(`change ${String(change)}`);
  const path = pathOf(value, 'path') ?? '';
  const what: unknown = value['what'];
  const before = value['before'] === undefined ? undefined : fileOf(value['before']);
  const after = value['after'] === undefined ? undefined : fileOf(value['after']);
  if ((before === undefined) !== (change === 'added') || (after === undefined) !== (change === 'removed'))
    throw damaged(`${path} has not what goes with ${change}`);
  if (path === '/' && change !== 'changed') throw damaged('the root directory stays');
  return { path, change, what: new Set(Array.isArray(what) ? what.map(String) : []), before, after };
}

const types: ReadonlySet<string> = new Set<VType>(['reg', 'dir', 'lnk', 'chr', 'blk', 'fifo', 'sock']);
const isType = (value: unknown): value is VType => typeof value === 'string' && types.has(value);

function fileOf(value: unknown): PatchedFile {
  if (!isMembers(value) || !isType(value['type'])) throw damaged('a file has no type');
  const rdev = value['rdev'];
  return {
    type: value['type'],
    mode: Number.parseInt(textOf(value, 'perm') ?? '', 8) & 0o7777,
    uid: count(value['uid']),
    gid: count(value['gid']),
    mtime: timeOf(textOf(value, 'mtime') ?? ''),
    flags: count(value['flags']),
    rdev: isMembers(rdev) ? { major: count(rdev['major']), minor: count(rdev['minor']) } : undefined,
    target: nameOf(value, 'target'),
    linkTo: value['linkTo'] === undefined ? undefined : pathOf(value, 'linkTo'),
    xattrs: value['xattrs'] === undefined ? undefined : xattrsOf(value['xattrs']),
    sha256: textOf(value, 'sha256'),
  };
}

function count(value: unknown): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0 || value > 0xffffffff)
    throw damaged(`${String(value)} is no number of a file`);
  return value;
}

function textOf(members: Members, key: string): string | undefined {
  const value = members[key];
  if (value !== undefined && typeof value !== 'string') throw damaged(`${key} is no text`);
  return value;
}

const bytesOf = (base64: string): Uint8Array => {
  if (!/^[A-Za-z0-9+/]*={0,2}$/.test(base64) || base64.length % 4 !== 0) throw damaged('no base64');
  return Uint8Array.from(atob(base64), (char) => char.charCodeAt(0));
};

/** `key`, or the bytes of `keyBytes`. */
function nameOf(members: Members, key: string): string | undefined {
  const bytes = textOf(members, `${key}Bytes`);
  return bytes === undefined ? textOf(members, key) : nameFromBytes(bytesOf(bytes));
}

function pathOf(members: Members, key: string): string {
  const path = nameOf(members, key) ?? '';
  if (!path.startsWith('/') || /\/\.{0,2}\/|\/\.{1,2}$|.\/$|\0/.test(path)) throw damaged(`'${path}' is no path`);
  return path;
}

function xattrsOf(value: unknown): ReadonlyMap<string, Uint8Array> {
  if (!Array.isArray(value)) throw damaged('xattrs is no list');
  return new Map(
    value.map((item: unknown) => {
      if (!isMembers(item)) throw damaged('an attribute is none');
      return [nameOf(item, 'name') ?? '', bytesOf(textOf(item, 'value') ?? '')] as const;
    }),
  );
}

/** RFC 3339 with nanoseconds, as we write it. */
function timeOf(text: string): Timespec {
  const [, seconds, nsec] = /^([+-]?\d{4,6}-\d\d-\d\dT\d\d:\d\d:\d\d)\.(\d{9})Z$/.exec(text) ?? [];
  const ms = Date.parse(`${seconds ?? ''}Z`);
  if (Number.isNaN(ms)) throw damaged(`time '${text}'`);
  return { sec: ms / 1000, nsec: Number(nsec) };
}

/** The patch that takes it back. */
export const reversed = ({ path, change, what, before, after }: Patch): Patch => ({
  path,
  change: change === 'added' ? 'removed' : change === 'removed' ? 'added' : change,
  what,
  before: after,
  after: before,
});
