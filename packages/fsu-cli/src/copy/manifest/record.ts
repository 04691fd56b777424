/**
 * The metadata manifest: what a host cannot hold of a tree copied out of an image, beside it, so that copying in loses nothing.
 * JSON lines, docs/schemas/fsu.manifest.json: a header, then a record for each entry; of several for one path the last counts.
 */
import { FsError, nameFromBytes } from 'ukfs';
import type { Rdev, Timespec, TreeAttr, TreeStat } from 'ukfs';
import { base64, parseBase64 } from '../../format/base64.ts';
import { pathMembers } from '../../format/json.ts';
import type { Json } from '../../format/json.ts';

export const MANIFEST_NAME = '.fsu-manifest.jsonl';

export interface ManifestRecord extends TreeAttr {
  /** On the host, from the manifest's directory, which is ".". */
  readonly path: string;
  /** In the image, where the host's is another. */
  readonly name: string | undefined;
  readonly type: TreeStat['type'];
  readonly rdev: Rdev | undefined;
  /** Of a symbolic link that the host does not have. */
  readonly target: string | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array>;
  /** The host does not have it at all. */
  readonly absent: boolean;
  /** It is a file that has this path, too, which the host could not link. */
  readonly link: string | undefined;
  /** The host did not take the times, so a different one there says nothing. */
  readonly untimed: boolean;
}

export const HEADER = `${JSON.stringify({ schema: 'fsu.manifest', version: 1 })}\n`;

const timeMember = (time: Timespec | undefined): Json => (time === undefined ? undefined : [time.sec, time.nsec]);

export function recordLine(record: ManifestRecord): string {
  const { path, name, type, mode, uid, gid, atime, mtime, birthtime, flags, rdev, target, xattrs, link } = record;
  const members: { readonly [key: string]: Json } = {
    ...pathMembers('path', path),
    ...pathMembers('name', name),
    type,
    mode: mode?.toString(8).padStart(4, '0'),
    uid,
    gid,
    atime: timeMember(atime),
    mtime: timeMember(mtime),
    birthtime: timeMember(birthtime),
    flags,
    rdev: rdev === undefined ? undefined : [rdev.major, rdev.minor],
    ...pathMembers('target', target),
    ...pathMembers('link', link),
    xattrs:
      xattrs.size === 0
        ? undefined
        : [...xattrs].map(([attribute, value]) => ({ ...pathMembers('name', attribute), value: base64(value) })),
    absent: record.absent ? true : undefined,
    untimed: record.untimed ? true : undefined,
  };
  return `${JSON.stringify(members)}\n`;
}

const TYPES: readonly string[] = ['reg', 'dir', 'lnk', 'fifo', 'sock', 'chr', 'blk'];
const isType = (type: unknown): type is TreeStat['type'] => typeof type === 'string' && TYPES.includes(type);

type Members = Readonly<Record<string, unknown>>;
const isMembers = (value: unknown): value is Members => typeof value === 'object' && value !== null;

/** Errors: EFTYPE, no record. */
export function parseRecord(line: string): ManifestRecord {
  const members = parsed(line);
  const path = textOf(members, 'path');
  const { type } = members;
  if (path === undefined || !isType(type)) throw notARecord();
  const numbers = { uid: idOf(members['uid']), gid: idOf(members['gid']), flags: idOf(members['flags']) };
  const mode =
    typeof members['mode'] === 'string' && /^[0-7]{1,5}$/.test(members['mode']) ? members['mode'] : undefined;
  const [atime, mtime, birthtime] = ['atime', 'mtime', 'birthtime'].map((name) => timeOf(members[name]));
  const rdev = pairOf(members['rdev']);
  return {
    path,
    name: textOf(members, 'name'),
    type,
    ...(mode === undefined ? {} : { mode: Number.parseInt(mode, 8) & 0o7777 }),
    ...(numbers.uid === undefined ? {} : { uid: numbers.uid }),
    ...(numbers.gid === undefined ? {} : { gid: numbers.gid }),
    ...(numbers.flags === undefined ? {} : { flags: numbers.flags }),
    ...(atime === undefined ? {} : { atime }),
    ...(mtime === undefined ? {} : { mtime }),
    ...(birthtime === undefined ? {} : { birthtime }),
    rdev: rdev === undefined ? undefined : { major: rdev[0], minor: rdev[1] },
    target: textOf(members, 'target'),
    xattrs: xattrsOf(members['xattrs']),
    absent: members['absent'] === true,
    link: textOf(members, 'link'),
    untimed: members['untimed'] === true,
  };
}

const notARecord = (cause?: unknown): FsError =>
  new FsError('EFTYPE', { op: 'manifest', what: 'not a manifest of fsu' }, cause === undefined ? {} : { cause });

function parsed(line: string): Members {
  let value: unknown;
  try {
    value = JSON.parse(line);
  } catch (thrown) {
    throw notARecord(thrown);
  }
  if (!isMembers(value)) throw notARecord();
  return value;
}

/** Errors: EFTYPE, another kind of file, or a version to come. */
export function checkHeader(line: string): void {
  const { schema, version } = parsed(line);
  if (schema !== 'fsu.manifest' || version !== 1) throw notARecord();
}

const bytesOf = (text: unknown): Uint8Array | undefined => (typeof text === 'string' ? parseBase64(text) : undefined);

function textOf(members: Members, name: string): string | undefined {
  const bytes = bytesOf(members[`${name}Bytes`]);
  const text = members[name];
  return bytes !== undefined ? nameFromBytes(bytes) : typeof text === 'string' ? text : undefined;
}

const ID_MAX = 2 ** 32 - 1;
const idOf = (value: unknown): number | undefined =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= ID_MAX ? value : undefined;

function pairOf(value: unknown): readonly [number, number] | undefined {
  if (!Array.isArray(value) || value.length !== 2) return undefined;
  const [a, b]: readonly unknown[] = value;
  return typeof a === 'number' && typeof b === 'number' && Number.isSafeInteger(a) && Number.isSafeInteger(b)
    ? [a, b]
    : undefined;
}

function timeOf(value: unknown): Timespec | undefined {
  const pair = pairOf(value);
  return pair === undefined || pair[1] < 0 || pair[1] >= 1e9 ? undefined : { sec: pair[0], nsec: pair[1] };
}

function xattrsOf(list: unknown): ReadonlyMap<string, Uint8Array> {
  const found = new Map<string, Uint8Array>();
  if (!Array.isArray(list)) return found;
  for (const each of list as readonly unknown[]) {
    if (!isMembers(each)) continue;
    const name = textOf(each, 'name');
    const value = bytesOf(each['value']);
    if (name !== undefined && value !== undefined) found.set(name, value);
  }
  return found;
}
