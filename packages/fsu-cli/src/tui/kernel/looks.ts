/** What the browser shows of files and file systems beyond what single calls give: on the kernel's side, in slices. */
import {
  ACL_ACCESS,
  ACL_DEFAULT,
  aspectsOf,
  compareTrees,
  decodeAcl,
  fflagsText,
  FsError,
  sortedAcl,
  ukfsTree,
  walk,
} from 'ukfs';
import type { FsInfo, SpacePart, Statvfs, Ukfs } from 'ukfs';
import { entryText } from '../../acl/text.ts';
import { detailsText } from '../../diff/details.ts';
import { Seen } from '../../du/usage.ts';
import { describeError } from '../../errors.ts';
import { capabilityText } from '../../format/capability.ts';
import { modeText, octalMode } from '../../format/mode.ts';
import { wordsOf } from '../../format/name.ts';
import { humanBsd } from '../../format/size.ts';
import { Clock, rfc3339, utcOffset } from '../../format/time.ts';
import { Owners } from '../../owners.ts';
import type { Below } from '../model/ask.ts';
import { encodingOf } from '../look/text.ts';
import { seekIn } from './seek.ts';

/** A name and what it is worth, as two columns; a name alone is a heading. */
export type Fact = readonly [name: string, value?: string];

/** Extents that are listed. */
const RUNS = 200;
const XATTR_MAX = 4096;
const CAPABILITY = 'security.capability';

/** All that is known of one file. */
export function detailsOf(fs: Ukfs, path: string): readonly Fact[] {
  const stat = fs.lstat(path);
  const owners = new Owners(fs);
  const named = (id: number, name: string | undefined): string => (name === undefined ? `${id}` : `${id} (${name})`);
  const facts: Fact[] = [
    ['path', path],
    ['type', stat.type],
    ['inode', `${stat.ino}`],
    ['mode', `${modeText(stat.type, stat.mode)} (${octalMode(stat.mode)})`],
    ['owner', named(stat.uid, owners.user(stat.uid))],
    ['group', named(stat.gid, owners.group(stat.gid))],
    ['links', `${stat.nlink}`],
    ['size', `${stat.size} bytes (${humanBsd(stat.size)})`],
    ['on disk', `${stat.bytes} bytes (${humanBsd(stat.bytes)})`],
    ['modified', rfc3339(stat.mtime)],
    ['accessed', rfc3339(stat.atime)],
    ['changed', rfc3339(stat.ctime)],
    ...(stat.birthtime === undefined ? [] : [['born', rfc3339(stat.birthtime)] as const]),
    ...(stat.flags === 0 ? [] : [['flags', fflagsText(stat.flags)] as const]),
    ...(stat.rdev === undefined ? [] : [['device', `${stat.rdev.major}, ${stat.rdev.minor}`] as const]),
    ...(stat.type === 'lnk' ? [['target', fs.readlink(path)] as const] : []),
  ];
  return [
    ...facts,
    ...xattrFacts(fs, path, owners),
    ...(stat.type === 'reg' || stat.type === 'dir' ? extentFacts(fs, path) : []),
  ];
}

/** What cannot be read is told in the place of what would stand there. */
function tried(heading: string, act: () => readonly Fact[]): readonly Fact[] {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    return thrown.code === 'EOPNOTSUPP' || thrown.code === 'ENOTSUP' ? [] : [[heading, describeError(thrown)]];
  }
}

function xattrFacts(fs: Ukfs, path: string, owners: Owners): readonly Fact[] {
  const names = {
    user: (id: number) => owners.user(id) ?? `${id}`,
    group: (id: number) => owners.group(id) ?? `${id}`,
  };
  return tried('attributes', () => {
    const attributes = fs.listxattr(path, { nofollow: true });
    if (attributes.length === 0) return [];
    return [
      ['extended attributes'],
      ...attributes.flatMap((name): readonly Fact[] => {
        const value = fs.getxattr(path, name, { nofollow: true }) ?? new Uint8Array();
        if (name === ACL_ACCESS || name === ACL_DEFAULT)
          return tried(name, () => sortedAcl(decodeAcl(value)).map((entry) => [name, entryText(entry, names)]));
        return [[name, (name === CAPABILITY ? capabilityText(value) : undefined) ?? valueText(value)]];
      }),
    ];
  });
}

/** Text with the NUL at its end that some programs write; numbers otherwise. */
function valueText(value: Uint8Array): string {
  const end = value.at(-1) === 0 ? value.length - 1 : value.length;
  const body = value.subarray(0, end);
  const encoding = encodingOf(body, true)?.encoding;
  if (encoding === 'ASCII' || encoding === 'UTF-8') return new TextDecoder().decode(body.subarray(0, XATTR_MAX));
  return `${value.length} bytes: ${[...value.subarray(0, 64)].map((byte) => byte.toString(16).padStart(2, '0')).join(' ')}`;
}

function extentFacts(fs: Ukfs, path: string): readonly Fact[] {
  return tried('extents', () => {
    const runs = fs.bmap(path);
    if (runs.length === 0) return [];
    const rows = runs
      .slice(0, RUNS)
      .map(({ fileOffset, length, deviceOffset }): Fact => [
        `  ${fileOffset}`,
        deviceOffset === undefined
          ? `${length} bytes of nothing (a hole)`
          : `${length} bytes at byte ${deviceOffset} of the file system`,
      ]);
    return [['extents'], ...rows, ...(runs.length > RUNS ? [[`  and ${runs.length - RUNS} more`, ''] as const] : [])];
  });
}

/** Bars of `WIDTH` characters. */
const WIDTH = 40;
export const bar = (part: number, whole: number): string => {
  const full = whole === 0 ? 0 : Math.round((Math.min(part, whole) / whole) * WIDTH);
  return `[${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}]`;
};

/** Parts of the device in a line of the map. */
const ACROSS = 64;
/** From free to full; signs that every terminal has. */
const SHADES = ['.', ':', '+', '*', '#'] as const;

/** The space from the beginning of the device to its end as a picture. */
export function spaceFacts(parts: readonly SpacePart[]): readonly Fact[] {
  const [first, ...others] = parts;
  // One part alone says no more than how full the file system is.
  if (first === undefined || others.length === 0) return [];
  const cells = parts.map(({ sizeBytes, freeBytes }) => {
    const used = sizeBytes === 0 ? 0 : 1 - freeBytes / sizeBytes;
    // What is not wholly free, or not wholly full, is not shown as if it were.
    if (used <= 0) return SHADES[0];
    return used >= 1 ? SHADES[4] : SHADES[1 + Math.min(2, Math.floor(used * 3))];
  });
  const rows: Fact[] = [];
  for (let at = 0; at < cells.length; at += ACROSS)
    rows.push([`  ${humanBsd(at * first.sizeBytes)}`, cells.slice(at, at + ACROSS).join('')]);
  return [[`free space: a sign is ${humanBsd(first.sizeBytes)}; . free, # full`], ...rows];
}

/** The groups, where the parts that are told are groups. */
const groupFacts = (parts: readonly SpacePart[], groups: unknown): readonly Fact[] =>
  parts.length === 0 || parts.length !== groups
    ? []
    : [
        ['groups'],
        ...parts.map(({ sizeBytes, freeBytes }, at): Fact => [
          `  ${at}`,
          `${bar(sizeBytes - freeBytes, sizeBytes)} ${freeBytes} of ${sizeBytes} bytes free`,
        ]),
      ];

/** All that is known of a file system. */
export function inspectionOf(fs: Ukfs): readonly Fact[] {
  const info: FsInfo = fs.fsinfo('/');
  const usage: Statvfs = fs.statvfs('/');
  const used = (usage.blocks - usage.freeBlocks) * usage.fragmentSize;
  return [
    ['file system', info.variant],
    ['label', info.label === '' ? '(none)' : info.label],
    ['UUID', info.uuid === '' ? '(none)' : info.uuid],
    ['place', `${fs.device.sizeBytes} bytes at byte ${fs.device.offset} of the image`],
    [
      'used',
      `${bar(used, usage.blocks * usage.fragmentSize)} ${humanBsd(used)} of ${humanBsd(usage.blocks * usage.fragmentSize)}`,
    ],
    ['inodes', `${bar(usage.files - usage.freeFiles, usage.files)} ${usage.files - usage.freeFiles} of ${usage.files}`],
    ...info.notes.map((note): Fact => ['note', note]),
    ...info.readOnlyReasons.map(({ what }): Fact => ['read-only', what]),
    ...spaceFacts(info.space ?? []),
    ['superblock'],
    ...Object.entries(info.details)
      .filter(([, value]) => value !== '')
      .map(([name, value]): Fact => [`  ${wordsOf(name)}`, String(value)]),
    ['features'],
    ...info.features
      .filter(({ present }) => present)
      .map(({ name, set, read, write }): Fact => [
        `  ${name}`,
        `${set}; ${read ? 'read' : 'not read'}, ${write === true ? 'written' : `not written: ${write}`}`,
      ]),
    ...groupFacts(info.space ?? [], info.details['groups']),
  ];
}

/** What a directory holds takes, child by child; told again as it grows. */
export interface UsageRow {
  readonly name: string;
  readonly isDir: boolean;
  readonly allocated: number;
  readonly apparent: number;
  readonly entries: number;
}

export function* usageOf(fs: Ukfs, dir: string): Generator<readonly UsageRow[] | undefined, readonly UsageRow[]> {
  const sums = new Map<string, { isDir: boolean; allocated: number; apparent: number; entries: number }>();
  const seen = new Seen('links', 'none');
  let count = 0;
  const rows = (): readonly UsageRow[] => [...sums].map(([name, sum]) => ({ name, ...sum }));
  const base = dir === '/' ? 1 : dir.length + 1;
  for (const { path, stat } of walk(fs, dir)) {
    if (path.length <= base || stat === undefined) continue;
    const rest = path.slice(base);
    const at = rest.indexOf('/');
    const name = at < 0 ? rest : rest.slice(0, at);
    const sum = sums.get(name) ?? { isDir: false, allocated: 0, apparent: 0, entries: 0 };
    sums.set(name, sum);
    if (at < 0) sum.isDir = stat.type === 'dir';
    sum.entries++;
    if (!seen.again(fs, stat)) {
      sum.allocated += stat.bytes;
      sum.apparent += stat.size;
    }
    count++;
    yield count % 20_000 === 0 ? rows() : undefined;
  }
  return rows();
}

/** Entries that are counted before something is deleted. */
export const COUNTED = 10_000;

/** How much is below the paths. What cannot be looked at is an entry, too. */
export function* belowOf(fs: Ukfs, paths: readonly string[]): Generator<undefined, Below> {
  const chosen = new Set(paths);
  let [entries, bytes] = [0, 0];
  for (const top of paths)
    for (const { path, stat } of walk(fs, top)) {
      if (!chosen.has(path)) entries++;
      if (entries > COUNTED) return { entries: COUNTED, bytes, isMore: true };
      bytes += stat === undefined || stat.type === 'dir' ? 0 : stat.size;
      yield;
    }
  return { entries, bytes, isMore: false };
}

/** Paths below `dir` whose last name has the text in it. */
export function* findIn(fs: Ukfs, dir: string, text: string): Generator<readonly string[] | undefined, number> {
  const wanted = text.toLowerCase();
  let count = 0;
  for (const { path } of walk(fs, dir)) {
    const isHit =
      path !== dir &&
      path
        .slice(path.lastIndexOf('/') + 1)
        .toLowerCase()
        .includes(wanted);
    if (isHit) count++;
    yield isHit ? [path] : undefined;
    if (count >= HITS) break;
  }
  return count;
}

/** Hits that are kept. */
const HITS = 10_000;

/** Regular files below `dir` with the text in their contents: UTF-8, upper and lower case told apart. */
export function* grepIn(fs: Ukfs, dir: string, text: string): Generator<readonly string[] | undefined, number> {
  const wanted = new TextEncoder().encode(text);
  let count = 0;
  for (const { path, stat } of walk(fs, dir)) {
    if (stat?.type !== 'reg' || stat.size < wanted.length) continue;
    let isHit = false;
    try {
      isHit = (yield* seekIn(fs, path, wanted, 0)) !== undefined;
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
    }
    if (!isHit) continue;
    count++;
    yield [path];
    if (count >= HITS) break;
  }
  return count;
}

/** How two trees differ. */
export interface Differing {
  readonly path: string;
  readonly change: string;
  readonly what: string;
  /** A regular file on both sides. */
  readonly isFile: boolean;
}

/** The directory in both trees; by contents, modes, owners, times, attributes. What cannot be compared is told in its place. */
export function* comparisonOf(
  before: Ukfs,
  after: Ukfs,
  dir: string,
): Generator<readonly Differing[] | undefined, number> {
  let count = 0;
  const tree = (fs: Ukfs) => ({ dir: ukfsTree(fs, dir), name: '.', ...aspectsOf(fs) });
  const at = (path: string): string => (path === '' ? dir : `${dir === '/' ? '' : dir}/${path}`);
  // Entries that are the same are told as well, so that others get a turn between them.
  const failures: Differing[] = [];
  const failed = (path: string, error: FsError): void => {
    if (path === '') throw error;
    failures.push({ path: at(path), change: 'changed', what: describeError(error), isFile: false });
  };
  for (const difference of compareTrees(tree(before), tree(after), { same: true, failed })) {
    const { path, change, what } = difference;
    const isSame = change === 'same';
    if (failures.length > 0) {
      count += failures.length;
      yield failures.splice(0);
    }
    if (!isSame) count++;
    const isFile = difference.before?.stat.type === 'reg' && difference.after?.stat.type === 'reg';
    const told = detailsText(difference, clock) || what.join(', ');
    yield isSame ? undefined : [{ path: at(path), change, what: told, isFile }];
    if (count >= HITS) break;
  }
  if (failures.length > 0) {
    count += failures.length;
    yield failures;
  }
  return count;
}

const clock = new Clock(utcOffset, 0);
