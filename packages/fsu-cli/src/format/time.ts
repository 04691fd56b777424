/**
 * Times as text. A listing of 20 000 files makes no Date per file: the offset of local time is asked of the host once
 * per quarter of an hour (no zone changes its offset at another moment), the rest is arithmetic.
 */
import type { Timespec } from '@ukfs/kernel';

/** A moment taken apart in some zone. */
interface Moment {
  readonly year: number;
  /** 0 … 11. */
  readonly month: number;
  /** 1 … 31. */
  readonly day: number;
  /** 0 is Sunday. */
  readonly weekday: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
  /** Minutes east of Greenwich. */
  readonly offset: number;
}

/** Minutes east of Greenwich that local time is at a second of universal time. */
type OffsetAt = (sec: number) => number;

const DATE_MAX = 8_640_000_000_000;

/** Local time as the process's TZ has it. */
export const hostOffset: OffsetAt = (sec) =>
  -new Date(Math.max(-DATE_MAX, Math.min(DATE_MAX, sec)) * 1000).getTimezoneOffset();

export const utcOffset: OffsetAt = () => 0;

const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];
const MONTH_NAMES = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];
const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const DAY_NAMES = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];

const pad2 = (n: number): string => (n < 10 ? `0${n}` : String(n));
const space2 = (n: number): string => (n < 10 ? ` ${n}` : String(n));
const mod = (a: number, b: number): number => a - Math.floor(a / b) * b;

interface Civil {
  readonly year: number;
  readonly month: number;
  readonly day: number;
}

/** Days since 1970-01-01 → date in the proleptic Gregorian calendar, for any year. */
export function civilOf(days: number): Civil {
  // Eras of 400 years (146097 days) that begin on 1 March of year 0.
  const shifted = days + 719468;
  const era = Math.floor(shifted / 146097);
  const dayOfEra = shifted - era * 146097;
  const yearOfEra = Math.floor(
    (dayOfEra - Math.floor(dayOfEra / 1460) + Math.floor(dayOfEra / 36524) - Math.floor(dayOfEra / 146096)) / 365,
  );
  const dayOfYear = dayOfEra - (365 * yearOfEra + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100));
  const shiftedMonth = Math.floor((5 * dayOfYear + 2) / 153);
  const day = dayOfYear - Math.floor((153 * shiftedMonth + 2) / 5) + 1;
  const month = shiftedMonth < 10 ? shiftedMonth + 2 : shiftedMonth - 10;
  return { year: yearOfEra + era * 400 + (month <= 1 ? 1 : 0), month, day };
}

const QUARTER = 900;
const DAY = 86400;
/** Distinct days and quarters of an hour kept; a listing has few, a hostile image cannot make it many. */
const CACHE_MAX = 4096;

/** ls's six months: half of 365 days, whole. */
const SIX_MONTHS = 182 * DAY;

/** Turns seconds into text for one zone. */
export class Clock {
  readonly #offsetAt: OffsetAt;
  /** Seconds; decides which times are recent. */
  readonly now: number;
  readonly #offsets = new Map<number, number>();
  readonly #days = new Map<number, { readonly monthDay: string; readonly iso: string; readonly year: string }>();
  #lastQuarter = Number.NaN;
  #lastOffset = 0;
  #lastSecond = Number.NaN;
  #lastSecondText = '';

  constructor(offsetAt: OffsetAt, now: number) {
    this.#offsetAt = offsetAt;
    this.now = now;
  }

  /** Seconds east of Greenwich at a moment. */
  offset(sec: number): number {
    const quarter = Math.floor(sec / QUARTER);
    if (quarter === this.#lastQuarter) return this.#lastOffset;
    let offset = this.#offsets.get(quarter);
    if (offset === undefined) {
      if (this.#offsets.size >= CACHE_MAX) this.#offsets.clear();
      offset = this.#offsetAt(quarter * QUARTER) * 60;
      this.#offsets.set(quarter, offset);
    }
    this.#lastQuarter = quarter;
    this.#lastOffset = offset;
    return offset;
  }

  #day(days: number): { readonly monthDay: string; readonly iso: string; readonly year: string } {
    let text = this.#days.get(days);
    if (text === undefined) {
      if (this.#days.size >= CACHE_MAX) this.#days.clear();
      const { year, month, day } = civilOf(days);
      text = {
        monthDay: `${MONTHS[month] ?? ''} ${space2(day)}`,
        iso: `${isoYear(year)}-${pad2(month + 1)}-${pad2(day)}`,
        year: String(year),
      };
      this.#days.set(days, text);
    }
    return text;
  }

  /** NetBSD ls: `Nov 22 21:50`, or `Nov 22  2020` when it is more than six months away, past or future. */
  ls(sec: number): string {
    const local = sec + this.offset(sec);
    const days = Math.floor(local / DAY);
    const { monthDay, year } = this.#day(days);
    if (sec + SIX_MONTHS > this.now && sec - SIX_MONTHS < this.now) {
      const minutes = Math.floor((local - days * DAY) / 60);
      return `${monthDay} ${pad2(Math.floor(minutes / 60))}:${pad2(minutes % 60)}`;
    }
    return `${monthDay}  ${year.padStart(4)}`;
  }

  /** NetBSD ls -T: `Nov 22 21:50:07 2026`. */
  lsFull(sec: number): string {
    const local = sec + this.offset(sec);
    const { monthDay, year } = this.#day(Math.floor(local / DAY));
    return `${monthDay} ${this.#clock(local)} ${year.padStart(4)}`;
  }

  #clock(local: number): string {
    const seconds = mod(local, DAY);
    return `${pad2(Math.floor(seconds / 3600))}:${pad2(Math.floor(seconds / 60) % 60)}:${pad2(seconds % 60)}`;
  }

  /** GNU --time-style=long-iso: `2026-11-22 21:50`. */
  longIso(sec: number): string {
    const local = sec + this.offset(sec);
    return `${this.#day(Math.floor(local / DAY)).iso} ${this.#clock(local).slice(0, 5)}`;
  }

  /** GNU --time-style=full-iso: `2026-11-22 21:50:07.123456789 +0100`. */
  fullIso(sec: number, nsec: number): string {
    const offset = this.offset(sec);
    const local = sec + offset;
    return `${this.#day(Math.floor(local / DAY)).iso} ${this.#clock(local)}.${nano(nsec)} ${zone(offset)}`;
  }

  /** GNU --time-style=iso: `11-22 21:50` when recent, else `2020-11-22 `. */
  iso(sec: number): string {
    const local = sec + this.offset(sec);
    const { iso } = this.#day(Math.floor(local / DAY));
    return this.isRecent(sec) ? `${iso.slice(-5)} ${this.#clock(local).slice(0, 5)}` : `${iso} `;
  }

  /** GNU's idea of recent: the last half of a mean year, and not in the future. */
  isRecent(sec: number): boolean {
    return sec > this.now - 31556952 / 2 && sec <= this.now;
  }

  /** RFC 3339 with nanoseconds, in universal time; for a clock made with utcOffset. */
  rfc3339(sec: number, nsec: number): string {
    if (sec !== this.#lastSecond) {
      this.#lastSecond = sec;
      this.#lastSecondText = `${this.#day(Math.floor(sec / DAY)).iso}T${this.#clock(sec)}.`;
    }
    return `${this.#lastSecondText}${nano(nsec)}Z`;
  }

  moment(sec: number): Moment {
    const offset = this.offset(sec);
    const local = sec + offset;
    const days = Math.floor(local / DAY);
    const rest = local - days * DAY;
    return {
      ...civilOf(days),
      weekday: mod(days + 4, 7),
      hour: Math.floor(rest / 3600),
      minute: Math.floor(rest / 60) % 60,
      second: rest % 60,
      offset: offset / 60,
    };
  }

  /** strftime(3) in the C locale, with GNU's %N and %:z. An unknown conversion stays as it is. */
  strftime(format: string, time: Timespec): string {
    const m = this.moment(time.sec);
    return format.replace(/%([-_0^]?)(:?[A-Za-z%+])/g, (whole, flag: string, code: string) => {
      const text = conversion(code, m, time);
      if (text === undefined) return whole;
      if (flag === '-') return text.replace(/^[0 ]+(?=.)/, '');
      if (flag === '_') return text.replace(/^0+(?=.)/, (zeros) => ' '.repeat(zeros.length));
      if (flag === '0') return text.replace(/^ +(?=.)/, (blanks) => '0'.repeat(blanks.length));
      return flag === '^' ? text.toUpperCase() : text;
    });
  }
}

const isoYear = (year: number): string =>
  year >= 0 && year <= 9999
    ? String(year).padStart(4, '0')
    : `${year < 0 ? '-' : '+'}${String(Math.abs(year)).padStart(6, '0')}`;

const nano = (nsec: number): string => String(nsec).padStart(9, '0');

/** `+0100` of seconds east. */
function zone(offset: number, colon = ''): string {
  const minutes = Math.floor(Math.abs(offset) / 60);
  return `${offset < 0 ? '-' : '+'}${pad2(Math.floor(minutes / 60))}${colon}${pad2(minutes % 60)}`;
}

/** Day of the year, 0 … 365. */
function yearDay({ year, month, day }: Moment): number {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0 ? 1 : 0;
  return ([0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334][month] ?? 0) + day - 1 + (month > 1 ? leap : 0);
}

function conversion(code: string, m: Moment, time: Timespec): string | undefined {
  const clock = `${pad2(m.hour)}:${pad2(m.minute)}:${pad2(m.second)}`;
  switch (code) {
    case 'a':
      return DAYS[m.weekday];
    case 'A':
      return DAY_NAMES[m.weekday];
    case 'b':
    case 'h':
      return MONTHS[m.month];
    case 'B':
      return MONTH_NAMES[m.month];
    case 'c':
      return `${DAYS[m.weekday] ?? ''} ${MONTHS[m.month] ?? ''} ${space2(m.day)} ${clock} ${m.year}`;
    case 'C':
      return pad2(Math.floor(m.year / 100));
    case 'd':
      return pad2(m.day);
    case 'D':
    case 'x':
      return `${pad2(m.month + 1)}/${pad2(m.day)}/${pad2(mod(m.year, 100))}`;
    case 'e':
      return space2(m.day);
    case 'F':
      return `${m.year}-${pad2(m.month + 1)}-${pad2(m.day)}`;
    case 'H':
      return pad2(m.hour);
    case 'I':
      return pad2(m.hour % 12 === 0 ? 12 : m.hour % 12);
    case 'j':
      return String(yearDay(m) + 1).padStart(3, '0');
    case 'k':
      return space2(m.hour);
    case 'l':
      return space2(m.hour % 12 === 0 ? 12 : m.hour % 12);
    case 'm':
      return pad2(m.month + 1);
    case 'M':
      return pad2(m.minute);
    case 'n':
      return '\n';
    case 'N':
      return nano(time.nsec);
    case 'p':
      return m.hour < 12 ? 'AM' : 'PM';
    case 'r':
      return `${pad2(m.hour % 12 === 0 ? 12 : m.hour % 12)}:${pad2(m.minute)}:${pad2(m.second)} ${m.hour < 12 ? 'AM' : 'PM'}`;
    case 'R':
      return clock.slice(0, 5);
    case 's':
      return String(time.sec);
    case 'S':
      return pad2(m.second);
    case 't':
      return '\t';
    case 'T':
    case 'X':
      return clock;
    case 'u':
      return String(m.weekday === 0 ? 7 : m.weekday);
    case 'w':
      return String(m.weekday);
    case 'y':
      return pad2(mod(m.year, 100));
    case 'Y':
      return String(m.year);
    case 'z':
      return zone(m.offset * 60);
    case ':z':
      return zone(m.offset * 60, ':');
    case 'Z':
      return m.offset === 0 ? 'UTC' : zone(m.offset * 60);
    case '%':
      return '%';
    case '+':
      return `${DAYS[m.weekday] ?? ''} ${MONTHS[m.month] ?? ''} ${space2(m.day)} ${clock} ${m.offset === 0 ? 'UTC' : zone(m.offset * 60)} ${m.year}`;
    default:
      return undefined;
  }
}

/** RFC 3339 in UTC with nanoseconds: what JSON output has. */
export const rfc3339 = ({ sec, nsec }: Timespec): string => utcClock.rfc3339(sec, nsec);
const utcClock = new Clock(utcOffset, 0);
