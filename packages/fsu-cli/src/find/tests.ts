/** The primaries of find that ask something of a file. Each maker gets its argument and gives a test. */
import { ACCESS, FsError } from 'ukfs';
import type { Stat, Timespec, VType } from 'ukfs';
import { UsageError } from '../command.ts';
import { flagBits } from '../format/flags.ts';
import { globTest } from '../format/glob.ts';
import { parseMode } from '../format/modechange.ts';
import { Regex } from '../format/regex.ts';
import type { RegexSyntax } from '../format/regex.ts';
import type { Owners } from '../owners.ts';
import type { Visit } from './visit.ts';

export type Test = (file: Visit) => boolean;

/** What has been said before a primary, and what it may ask for. */
export interface TestSurroundings {
  /** Seconds that ages count back from. */
  readonly now: Timespec;
  readonly syntax: RegexSyntax;
  /** Attributes of a file that the command line names; known when the walk begins. */
  reference(word: string): () => Stat;
  /** The moment that a text says. UsageError. */
  moment(text: string): Timespec;
  /** Asked of each image before anything is printed. */
  check(look: (owners: Owners) => void): void;
}

interface Maker {
  /** Does it ask for more than name, path and type? */
  readonly looks: boolean;
  make(argument: string, around: TestSurroundings): Test;
}

/** `+5` more than, `-5` less than, `5` exactly. UsageError. */
export function numberTest(text: string, primary: string): (value: number) => boolean {
  const [, sign, digits] = /^([+-]?)(\d{1,15})$/.exec(text) ?? [];
  if (digits === undefined) throw new UsageError(`${primary}: '${text}' is no number`);
  const wanted = Number(digits);
  if (sign === '+') return (value) => value > wanted;
  return sign === '-' ? (value) => value < wanted : (value) => value === wanted;
}

type TimeKind = 'a' | 'B' | 'c' | 'm';

/** undefined: the file system keeps none. */
export const timeOf = (stat: Stat, kind: TimeKind): Timespec | undefined =>
  kind === 'a' ? stat.atime : kind === 'm' ? stat.mtime : kind === 'c' ? stat.ctime : stat.birthtime;

const isLater = (a: Timespec, b: Timespec): boolean => a.sec > b.sec || (a.sec === b.sec && a.nsec > b.nsec);

const plain = (make: Maker['make']): Maker => ({ looks: false, make });
const looking = (make: Maker['make']): Maker => ({ looks: true, make });
const yes = (test: Test): Maker => looking(() => test);

/** Age in whole days: what is left over does not count. */
const days = (kind: TimeKind): Maker =>
  looking((argument, { now }) => {
    const test = numberTest(argument, `-${kind}time`);
    return ({ stat }) => test(Math.floor(ageOf(stat, kind, now) / 86400));
  });

/** Age in minutes, of which a part counts as one; but less than seven minutes are less than seven minutes, as GNU has it. */
const minutes = (kind: TimeKind): Maker =>
  looking((argument, { now }) => {
    const test = numberTest(argument, `-${kind}min`);
    const whole = argument.startsWith('-') ? Math.floor : Math.ceil;
    return ({ stat }) => test(whole(ageOf(stat, kind, now) / 60));
  });

function ageOf(stat: Stat, kind: TimeKind, now: Timespec): number {
  const time = timeOf(stat, kind) ?? stat.mtime;
  return now.sec - time.sec + (now.nsec - time.nsec) / 1e9;
}

/** -newerXY. */
export function newer(of: TimeKind, than: TimeKind | 't', argument: string, around: TestSurroundings): Test {
  const reference = than === 't' ? undefined : around.reference(argument);
  const moment = than === 't' ? around.moment(argument) : undefined;
  return ({ stat }) => {
    const limit = moment ?? (reference === undefined || than === 't' ? undefined : timeOf(reference(), than));
    const time = timeOf(stat, of);
    return time !== undefined && limit !== undefined && isLater(time, limit);
  };
}

const newerThan = (of: TimeKind): Maker => looking((argument, around) => newer(of, 'm', argument, around));

const glob = (pick: (file: Visit) => string | undefined, ignoreCase: boolean): Maker => ({
  looks: false,
  make(argument) {
    const test = globTest(argument, { ignoreCase });
    return (file) => {
      const text = pick(file);
      return text !== undefined && test(text);
    };
  },
});

/** A starting point is what its path ends with; the root is `/`. */
const nameOf = ({ entry }: Visit): string => (entry.name === '' ? '/' : entry.name);
const pathOf = (file: Visit): string => file.path;
const targetOf = (file: Visit): string | undefined => file.target;

const regex = (ignoreCase: boolean): Maker =>
  plain((argument, { syntax }) => {
    const expression = asUsage(() => new Regex([argument], { syntax, ignoreCase, whole: true }));
    return (file) => expression.test(file.path);
  });

function asUsage<T>(act: () => T): T {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    throw new UsageError(thrown.context.what ?? thrown.message, { cause: thrown });
  }
}

const typeLetters: Readonly<Record<string, VType>> = {
  b: 'blk',
  c: 'chr',
  d: 'dir',
  f: 'reg',
  l: 'lnk',
  p: 'fifo',
  s: 'sock',
};

function typesOf(text: string, primary: string): ReadonlySet<string> {
  const types = text.split(',').map((letter) => {
    if (!Object.hasOwn(typeLetters, letter)) throw new UsageError(`${primary}: '${letter}' is none of b c d f l p s`);
    return typeLetters[letter] ?? '';
  });
  return new Set(types);
}

const sizeUnits: Readonly<Record<string, number>> = {
  c: 1,
  w: 2,
  b: 512,
  k: 2 ** 10,
  M: 2 ** 20,
  G: 2 ** 30,
  T: 2 ** 40,
  P: 2 ** 50,
};

function sizeTest(argument: string): Test {
  const [, number = '', unit = 'b'] = /^([+-]?\d+)([bcwkMGTP]?)$/.exec(argument) ?? [];
  if (number === '') throw new UsageError(`-size: '${argument}' is no size`);
  const test = numberTest(number, '-size');
  const bytes = sizeUnits[unit === '' ? 'b' : unit] ?? 512;
  return ({ stat }) => test(Math.ceil(stat.size / bytes));
}

/** `mode` exactly, `-mode` all of these bits, `/mode` (NetBSD: `+mode`) any of them. */
function permTest(argument: string): Test {
  const [, how = '', text = ''] = /^([-/+]?)(.*)$/.exec(argument) ?? [];
  // A symbolic mode begins with no permissions, and no umask takes any away.
  const mode = parseMode(text)?.adjust(0, { isDirectory: false, umask: 0 });
  if (mode === undefined) throw new UsageError(`-perm: '${argument}' is no mode`);
  if (how === '-') return ({ stat }) => (stat.mode & mode) === mode;
  // GNU: of no bits, any file has one.
  if (how !== '') return ({ stat }) => mode === 0 || (stat.mode & mode) !== 0;
  return ({ stat }) => (stat.mode & 0o7777) === mode;
}

/** `flags` these and no others; `-flags` at least these, and none of those with `no` before them. */
function flagsTest(argument: string): Test {
  const bits = flagBits(argument.replace(/^-/, ''));
  if (bits === undefined) throw new UsageError(`-flags: '${argument}' names no flags`);
  const { set, clear } = bits;
  if (!argument.startsWith('-')) return ({ stat }) => stat.flags === set;
  return ({ stat }) => (stat.flags & (set | clear)) === set;
}

const owner = (kind: 'user' | 'group'): Maker =>
  looking((argument, around) => {
    const idOf = (owners: Owners): number | undefined =>
      (kind === 'user' ? owners.uid(argument) : owners.gid(argument)) ??
      (/^\d{1,10}$/.test(argument) ? Number(argument) : undefined);
    around.check((owners) => {
      if (idOf(owners) === undefined) throw new UsageError(`-${kind}: the image knows no ${kind} '${argument}'`);
    });
    const known = new Map<Owners, number | undefined>();
    return ({ stat, start: { owners } }) => {
      if (!known.has(owners)) known.set(owners, idOf(owners));
      return (kind === 'user' ? stat.uid : stat.gid) === known.get(owners);
    };
  });

const count = (primary: string, value: (stat: Stat) => number): Maker =>
  looking((argument) => {
    const test = numberTest(argument, primary);
    return ({ stat }) => test(value(stat));
  });

const access = (bits: number): Maker =>
  yes(({ start: { fs }, path }) => {
    try {
      fs.access(path, bits);
      return true;
    } catch (thrown) {
      if (thrown instanceof FsError && ['EACCES', 'EROFS', 'ENOENT', 'ELOOP'].includes(thrown.code)) return false;
      throw thrown;
    }
  });

export const makers: Readonly<Record<string, Maker>> = {
  amin: minutes('a'),
  anewer: newerThan('a'),
  atime: days('a'),
  cmin: minutes('c'),
  cnewer: newerThan('c'),
  ctime: days('c'),
  empty: yes((file) => file.isEmpty),
  executable: access(ACCESS.EXEC),
  false: plain(() => () => false),
  flags: looking(flagsTest),
  fstype: plain(
    (argument) =>
      ({ start }) =>
        start.fstypes.includes(argument),
  ),
  gid: count('-gid', (stat) => stat.gid),
  group: owner('group'),
  ilname: glob(targetOf, true),
  iname: glob(nameOf, true),
  inum: count('-inum', (stat) => stat.ino),
  ipath: glob(pathOf, true),
  iregex: regex(true),
  iwholename: glob(pathOf, true),
  links: count('-links', (stat) => stat.nlink),
  lname: glob(targetOf, false),
  mmin: minutes('m'),
  mtime: days('m'),
  name: glob(nameOf, false),
  newer: newerThan('m'),
  nogroup: yes(({ stat, start }) => start.owners.group(stat.gid) === undefined),
  nouser: yes(({ stat, start }) => start.owners.user(stat.uid) === undefined),
  path: glob(pathOf, false),
  perm: looking(permTest),
  readable: access(ACCESS.READ),
  regex: regex(false),
  samefile: looking((argument, around) => {
    const reference = around.reference(argument);
    return ({ stat }) => stat.ino === reference().ino && stat.dev === reference().dev;
  }),
  size: looking(sizeTest),
  true: plain(() => () => true),
  type: plain((argument) => {
    const types = typesOf(argument, '-type');
    return (file) => types.has(file.type);
  }),
  uid: count('-uid', (stat) => stat.uid),
  user: owner('user'),
  wholename: glob(pathOf, false),
  writable: access(ACCESS.WRITE),
  xtype: plain((argument) => {
    const types = typesOf(argument, '-xtype');
    return (file) => {
      const type = file.otherType;
      return types.has(type === 'none' ? 'lnk' : type);
    };
  }),
};
