/** stat's formats: NetBSD's -f with its default, -x, -r, -s and -l texts, and GNU's -c and --printf. */
import type { Stat, Timespec } from '@ukfs/kernel';
import { UsageError } from '../command.ts';
import { markOf, modeText, octalMode, statMode } from '../format/mode.ts';
import { styleName } from '../format/name.ts';
import type { Clock } from '../format/time.ts';

/** NetBSD's own formats. */
export const formats = {
  default: '%d %i %Sp %l %Su %Sg %r %z "%Sa" "%Sm" "%Sc" "%SB" %k %b %#Xf %N',
  raw: '%d %i %#p %l %u %g %r %z %a %m %c %B %k %b %f %N',
  ls: '%Sp %l %Su %Sg %Z %Sm %N%SY',
  lsMarked: '%Sp %l %Su %Sg %Z %Sm %N%T%SY',
  shell:
    'st_dev=%d st_ino=%i st_mode=%#p st_nlink=%l st_uid=%u st_gid=%g st_rdev=%r st_size=%z ' +
    'st_atime=%a st_mtime=%m st_ctime=%c st_birthtime=%B st_blksize=%k st_blocks=%b st_flags=%f',
  verbose:
    '  File: "%N"%n  Size: %-11z  FileType: %HT%n  Mode: (%04OLp/%.10Sp)         Uid: (%5u/%8Su)  Gid: (%5g/%8Sg)%n' +
    'Device: %Hd,%Ld   Inode: %i    Links: %l%nAccess: %Sa%nModify: %Sm%nChange: %Sc',
} as const;

export const TIME_FORMAT = '%b %e %T %Y';

/** What a format can show of a file. */
export interface Subject {
  readonly stat: Stat;
  /** As the user named it. */
  readonly name: string;
  readonly number: number;
  readonly user: string | undefined;
  readonly group: string | undefined;
  /** Of a symbolic link. */
  readonly target: string | undefined;
  /** GNU's %m: where the file system is. */
  readonly mountPoint: string;
}

const sectors = (bytes: number): number => Math.ceil(bytes / 512);

/** NetBSD's makedev(3). */
const makedev = (major: number, minor: number): number =>
  (major % 4096) * 256 + Math.floor(minor / 256) * 2 ** 20 + (minor % 256);

const typeNames = {
  reg: 'Regular File',
  dir: 'Directory',
  lnk: 'Symbolic Link',
  chr: 'Character Device',
  blk: 'Block Device',
  fifo: 'Fifo File',
  sock: 'Socket',
} as const;

interface Field {
  readonly flags: string;
  readonly size: number | undefined;
  readonly precision: number | undefined;
  /** D O U X F S, or '' for the datum's own. */
  readonly output: string;
  /** H M L. */
  readonly part: string;
  readonly datum: string;
  readonly text: string;
}

const FIELD = /%(?:([nt%@])|([-# +0]*)(\d*)(?:\.(\d*))?([DOUXFS]?)([HML]?)([A-Za-z]))/y;

/** A line by NetBSD's -f. UsageError for a format that makes no sense. */
export function formatBsd(format: string, subject: Subject, clock: Clock, timeFormat: string): string {
  let out = '';
  for (let at = 0; at < format.length;) {
    const percent = format.indexOf('%', at);
    if (percent < 0) return out + format.slice(at);
    out += format.slice(at, percent);
    FIELD.lastIndex = percent;
    const match = FIELD.exec(format);
    if (match === null) throw badFormat(format.slice(percent, percent + 2));
    const [text, simple, flags = '', size = '', precision, output = '', part = '', datum = ''] = match;
    at = percent + text.length;
    if (simple !== undefined) out += simpleText(simple, subject);
    else {
      const field: Field = {
        flags,
        output,
        part,
        datum,
        text,
        size: size === '' ? undefined : bounded(size, text),
        precision: precision === undefined ? undefined : bounded(precision === '' ? '0' : precision, text),
      };
      out += show(field, subject, { clock, timeFormat });
    }
  }
  return out;
}

/** Wider than any terminal; a width of a milliard would only fill memory. */
const WIDTH_MAX = 4096;

function bounded(digits: string, text: string): number {
  const n = Number(digits);
  if (n > WIDTH_MAX) throw badFormat(text);
  return n;
}

const badFormat = (text: string): UsageError => new UsageError(`${text}: bad format`);

function simpleText(code: string, subject: Subject): string {
  if (code === 'n') return '\n';
  if (code === 't') return '\t';
  return code === '%' ? '%' : String(subject.number);
}

interface Show {
  readonly clock: Clock;
  readonly timeFormat: string;
}

function show(field: Field, subject: Subject, how: Show): string {
  const { stat } = subject;
  switch (field.datum) {
    case 'd':
      return device(field, stat.dev, '???', { major: 0, minor: stat.dev });
    case 'r': {
      const { major, minor } = stat.rdev ?? { major: 0, minor: 0 };
      return device(field, makedev(major, minor), '???', { major, minor });
    }
    case 'i':
      return number(field, stat.ino, undefined);
    case 'p':
      return mode(field, stat);
    case 'l':
      return number(field, stat.nlink, undefined);
    case 'u':
      return number(field, stat.uid, subject.user ?? `(${stat.uid})`);
    case 'g':
      return number(field, stat.gid, subject.group ?? `(${stat.gid})`);
    case 'a':
      return time(field, stat.atime, how);
    case 'm':
      return time(field, stat.mtime, how);
    case 'c':
      return time(field, stat.ctime, how);
    case 'B':
      return time(field, stat.birthtime ?? { sec: 0, nsec: 0 }, how);
    case 'z':
      return size(field, stat.size);
    case 'b':
      return number(field, sectors(stat.bytes), undefined);
    case 'k':
      return number(field, stat.blockSize, undefined);
    case 'f':
      return number(field, stat.flags, undefined);
    case 'v':
      return number(field, stat.gen, undefined);
    case 'R':
      return text(field, (field.output === 'S' ? ' -> ' : '') + subject.name);
    case 'Y':
      return text(field, subject.target === undefined ? '' : (field.output === 'S' ? ' -> ' : '') + subject.target);
    case 'T':
      return text({ ...field, part: '' }, field.part === 'H' ? typeNames[stat.type] : markOf(stat.type, stat.mode));
    case 'N':
      return text({ ...field, part: '' }, namePart(subject.name, field.part));
    case 'Z':
      if (stat.rdev === undefined) return show({ ...field, datum: 'z' }, subject, how);
      return `${show({ ...field, datum: 'r', part: 'H' }, subject, how)},${show({ ...field, datum: 'r', part: 'L' }, subject, how)}`;
    default:
      throw badFormat(field.text);
  }
}

function namePart(name: string, part: string): string {
  if (part === '') return name;
  const trimmed = name.replace(/(?<=.)\/+$/, '');
  const slash = trimmed.lastIndexOf('/');
  if (part === 'H') return slash < 0 ? '.' : trimmed.slice(0, slash).replace(/\/+$/, '') || '/';
  return slash < 0 || trimmed === '/' ? trimmed : trimmed.slice(slash + 1);
}

function device(field: Field, value: number, name: string, parts: { major: number; minor: number }): string {
  const of = field.part === 'H' ? parts.major : field.part === 'L' ? parts.minor : value;
  return number({ ...field, part: field.part === 'M' ? 'M' : '' }, of, name);
}

function mode(field: Field, stat: Stat): string {
  const bits = statMode(stat.type, stat.mode);
  const letters = modeText(stat.type, stat.mode);
  const own = { ...field, part: '', output: field.output === '' ? 'O' : field.output };
  if (field.part === 'H') return number(own, Math.floor(bits / 4096), letters.slice(1, 4));
  if (field.part === 'M') return number(own, Math.floor(bits / 512) % 8, letters.slice(4, 7));
  if (field.part === 'L') return number(own, bits % 512, letters.slice(7, 10));
  return number(own, bits, letters);
}

function size(field: Field, bytes: number): string {
  const power = { H: 30, M: 20, L: 10 }[field.part];
  const value = power === undefined ? bytes : Math.floor((Math.floor(bytes / 2 ** (power - 1)) + 1) / 2);
  return number({ ...field, part: '' }, value, undefined);
}

function time(field: Field, when: Timespec, { clock, timeFormat }: Show): string {
  if (field.output === 'F') return floating(field, when);
  if (field.output === 'S') return text(field, clock.strftime(timeFormat, when));
  return number({ ...field, output: field.output === '' ? 'D' : field.output }, when.sec, undefined);
}

/** Seconds and, unless the precision is 0, a fraction of up to nine digits that mean something. */
function floating(field: Field, { sec, nsec }: Timespec): string {
  const precision = field.precision ?? 9;
  if (precision === 0) return pad(field, String(sec));
  const digits = String(nsec).padStart(9, '0').slice(0, precision).padEnd(precision, '0');
  return pad(field, `${sec}.${digits}`);
}

/** A datum that is a number, and perhaps a text. */
function number(field: Field, value: number, name: string | undefined): string {
  if (field.part !== '' || field.output === 'F') throw badFormat(field.text);
  if (field.output === 'S') {
    if (name === undefined) throw badFormat(field.text);
    return text(field, name);
  }
  const alternate = field.flags.includes('#');
  let digits: string;
  if (field.output === 'O') digits = (alternate && value !== 0 ? '0' : '') + unsigned(value).toString(8);
  else if (field.output === 'X') digits = (alternate && value !== 0 ? '0x' : '') + unsigned(value).toString(16);
  else digits = String(value);
  if (field.precision !== undefined) digits = digits.padStart(field.precision, '0');
  if (field.flags.includes('+') && field.output === 'D' && value >= 0) digits = `+${digits}`;
  return pad(field, digits);
}

const unsigned = (value: number): number => (value < 0 ? value + 2 ** 32 : value);

function text(field: Field, value: string): string {
  if (field.part !== '' || (field.output !== '' && field.output !== 'S')) throw badFormat(field.text);
  return pad(
    { ...field, flags: field.flags.replace('0', '') },
    field.precision === undefined ? value : value.slice(0, field.precision),
  );
}

function pad({ flags, size: width }: Field, value: string): string {
  if (width === undefined) return value;
  if (flags.includes('-')) return value.padEnd(width);
  return flags.includes('0') ? value.padStart(width, '0') : value.padStart(width);
}

/** GNU's %F. */
function gnuType(stat: Stat): string {
  if (stat.type === 'reg') return stat.size === 0 ? 'regular empty file' : 'regular file';
  return {
    dir: 'directory',
    lnk: 'symbolic link',
    chr: 'character special file',
    blk: 'block special file',
    fifo: 'fifo',
    sock: 'socket',
  }[stat.type];
}

const gnuTime = (when: Timespec | undefined, clock: Clock): string =>
  when === undefined ? '-' : clock.fullIso(when.sec, when.nsec);

const GNU_FIELD = /%([-#+ 0]*)(\d*)(?:\.(\d*))?([HL]?)([A-Za-z%])/g;

/** A line by GNU's -c; `escapes`: --printf's backslashes mean something. */
export function formatGnu(format: string, subject: Subject, clock: Clock, escapes: boolean): string {
  const plain = escapes ? unescape(format) : format;
  return plain.replace(
    GNU_FIELD,
    (whole: string, flags: string, width: string, precision: string | undefined, part: string, code: string) => {
      if (code === '%') return '%';
      const value = gnuValue(part + code, subject, clock, precision);
      if (value === undefined) throw badFormat(whole);
      const field = { flags, size: width === '' ? undefined : bounded(width, whole) };
      return pad({ ...field, precision: undefined, output: '', part: '', datum: code, text: whole }, value);
    },
  );
}

function gnuValue(code: string, subject: Subject, clock: Clock, precision: string | undefined): string | undefined {
  const { stat } = subject;
  const rdev = stat.rdev ?? { major: 0, minor: 0 };
  const seconds = (when: Timespec | undefined): string =>
    when === undefined
      ? '0'
      : precision === undefined
        ? String(when.sec)
        : `${when.sec}.${String(when.nsec)
            .padStart(9, '0')
            .slice(0, Number(precision) || 9)}`;
  switch (code) {
    case 'a':
      return octalMode(stat.mode).replace(/^0+(?=.)/, '');
    case 'A':
      return modeText(stat.type, stat.mode);
    case 'b':
      return String(sectors(stat.bytes));
    case 'B':
      return '512';
    case 'd':
      return String(stat.dev);
    case 'D':
      return stat.dev.toString(16);
    case 'Hd':
      return '0';
    case 'Ld':
      return String(stat.dev);
    case 'f':
      return statMode(stat.type, stat.mode).toString(16);
    case 'F':
      return gnuType(stat);
    case 'g':
      return String(stat.gid);
    case 'G':
      return subject.group ?? 'UNKNOWN';
    case 'h':
      return String(stat.nlink);
    case 'i':
      return String(stat.ino);
    case 'm':
      return subject.mountPoint;
    case 'n':
      return subject.name;
    case 'N': {
      const name = styleName(subject.name, 'shell-escape-always');
      return subject.target === undefined ? name : `${name} -> ${styleName(subject.target, 'shell-escape-always')}`;
    }
    case 'o':
      return String(stat.blockSize);
    case 's':
      return String(stat.size);
    case 'r':
      return String(makedev(rdev.major, rdev.minor));
    case 'R':
      return makedev(rdev.major, rdev.minor).toString(16);
    case 't':
      return rdev.major.toString(16);
    case 'T':
      return rdev.minor.toString(16);
    case 'Hr':
      return String(rdev.major);
    case 'Lr':
      return String(rdev.minor);
    case 'u':
      return String(stat.uid);
    case 'U':
      return subject.user ?? 'UNKNOWN';
    case 'w':
      return gnuTime(stat.birthtime, clock);
    case 'W':
      return seconds(stat.birthtime);
    case 'x':
      return gnuTime(stat.atime, clock);
    case 'X':
      return seconds(stat.atime);
    case 'y':
      return gnuTime(stat.mtime, clock);
    case 'Y':
      return seconds(stat.mtime);
    case 'z':
      return gnuTime(stat.ctime, clock);
    case 'Z':
      return seconds(stat.ctime);
    default:
      return undefined;
  }
}

const ESCAPES: Readonly<Record<string, string>> = {
  a: '\x07',
  b: '\b',
  e: '\x1b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
  '\\': '\\',
  '"': '"',
};

const unescape = (format: string): string =>
  format.replace(
    /\\(?:([0-7]{1,3})|x([0-9a-fA-F]{1,2})|(.))/gs,
    (whole: string, octal?: string, hex?: string, char?: string) => {
      if (octal !== undefined) return String.fromCharCode(Number.parseInt(octal, 8) % 256);
      if (hex !== undefined) return String.fromCharCode(Number.parseInt(hex, 16));
      return ESCAPES[char ?? ''] ?? whole;
    },
  );
