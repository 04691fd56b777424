/** What a specification can say of a file, keyword by keyword: as it is written, and as it is compared. */
import { fflagsOf, fflagsText, FsError, mtreeKeyword, vis } from 'ukfs';
import type { Stat, Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Owners } from '../owners.ts';
import type { FileDigests } from './digests.ts';

/** In the order in which they are written; `type` is always there. */
const ALL = [
  'type',
  'uid',
  'gid',
  'uname',
  'gname',
  'mode',
  'nlink',
  'size',
  'time',
  'link',
  'device',
  'flags',
  'cksum',
  'md5',
  'sha1',
  'rmd160',
  'sha256',
  'sha384',
  'sha512',
] as const;
export type Keyword = (typeof ALL)[number];

/** NetBSD's. */
const DEFAULTS: readonly Keyword[] = ['type', 'uid', 'gid', 'mode', 'nlink', 'size', 'time', 'link', 'device', 'flags'];

export const isDigest = (keyword: string): boolean => /^(?:cksum|md5|rmd160|sha\d+)$/.test(keyword);
const isKeyword = (word: string): word is Keyword => ALL.some((known) => known === word);

/** -k, -K and -R: lists between commas or blanks. UsageError. */
export function keywordsOf(
  given: readonly { readonly name: 'k' | 'K' | 'R'; readonly value: string }[],
): readonly Keyword[] {
  const has = given.some(({ name }) => name === 'k');
  const chosen = new Set<Keyword>(has ? ['type'] : DEFAULTS);
  for (const { name, value } of given) {
    for (const word of value.split(/[ ,\t\n]+/).filter((part) => part !== '')) {
      const keyword = mtreeKeyword(word);
      const some = word === 'all' ? ALL : isKeyword(keyword) ? [keyword] : undefined;
      if (some === undefined) throw new UsageError(`-${name}: unknown keyword '${word}'`);
      for (const one of some) {
        if (name === 'R') chosen.delete(one);
        else chosen.add(one);
      }
    }
  }
  return ALL.filter((keyword) => chosen.has(keyword));
}

const TYPES: Readonly<Record<Stat['type'], string>> = {
  reg: 'file',
  dir: 'dir',
  lnk: 'link',
  chr: 'char',
  blk: 'block',
  fifo: 'fifo',
  sock: 'socket',
};

/** A file that is looked at. */
export interface Subject {
  readonly fs: Ukfs;
  readonly path: string;
  readonly stat: Stat;
  readonly owners: Owners;
  readonly digests: FileDigests;
}

/** The value of a keyword; undefined: such a file has none. */
export function valueOf(keyword: string, subject: Subject): string | undefined {
  const { fs, path, stat, owners } = subject;
  if (isDigest(keyword)) return stat.type === 'reg' ? subject.digests.of(keyword, fs, path) : undefined;
  switch (keyword) {
    case 'type':
      return TYPES[stat.type];
    case 'uid':
      return String(stat.uid);
    case 'gid':
      return String(stat.gid);
    case 'uname':
      return owners.user(stat.uid);
    case 'gname':
      return owners.group(stat.gid);
    case 'mode':
      return `0${stat.mode.toString(8).padStart(3, '0')}`;
    case 'nlink':
      // How many names a directory has is the format's affair.
      return stat.type === 'dir' ? undefined : String(stat.nlink);
    case 'size':
      return stat.type === 'reg' ? String(stat.size) : undefined;
    case 'time':
      return `${stat.mtime.sec}.${String(stat.mtime.nsec).padStart(9, '0')}`;
    case 'link':
      return stat.type === 'lnk' ? vis(fs.readlink(path)) : undefined;
    case 'device':
      return stat.rdev === undefined ? undefined : `native,${stat.rdev.major},${stat.rdev.minor}`;
    case 'flags':
      return stat.flags === 0 ? 'none' : fflagsText(stat.flags);
    default:
      return undefined;
  }
}

/** The values as one form, so that `0644` and `644` are the same; undefined: it says nothing that can be compared. */
export function normalOf(keyword: string, value: string): string | undefined {
  switch (keyword) {
    case 'uid':
    case 'gid':
    case 'nlink':
    case 'size':
      return number(keyword, value, 10);
    case 'mode':
      return number(keyword, value, 8);
    case 'time':
      return timeOf(value);
    case 'device':
      return deviceText(value);
    case 'flags':
      return String(fflagsOf(value));
    default:
      return isDigest(keyword) ? value.toLowerCase() : value;
  }
}

const badValue = (keyword: string, value: string): FsError =>
  new FsError('EINVAL', { op: 'mtree', what: `specification: ${keyword}=${value} makes no sense` });

function number(keyword: string, value: string, base: 8 | 10): string {
  const isRight = (base === 8 ? /^[0-7]{1,6}$/ : /^\d{1,15}$/).test(value);
  // Symbolic modes start from nothing.
  if (!isRight) throw badValue(keyword, value);
  return String(Number.parseInt(value, base));
}

/** Seconds and, behind the dot, a count of nanoseconds: `1.5` is five of them. */
function timeOf(value: string): string {
  const [, sec, nsec = '0'] = /^(-?\d{1,15})(?:\.(\d{1,9})\d*)?$/.exec(value) ?? [];
  if (sec === undefined) throw badValue('time', value);
  return `${Number(sec)}.${Number(nsec)}`;
}

function deviceText(value: string): string {
  const [, major, minor] = /^(?:[a-z0-9]+,)(\d{1,10}),(\d{1,10})$/.exec(value) ?? [];
  if (major !== undefined) return `${Number(major)},${Number(minor)}`;
  const raw = /^(?:0x[0-9a-fA-F]{1,13}|\d{1,15})$/.test(value) ? Number(value) : NaN;
  if (!Number.isSafeInteger(raw)) throw badValue('device', value);
  // As Linux packs them: 12 bits of the major number around 20 of the minor.
  const low = raw % 2 ** 32;
  return `${(low >>> 8) & 0xfff},${((low & 0xff) | ((low >>> 12) & 0xfff00)) >>> 0}`;
}
