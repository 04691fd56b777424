/** Times as people type them: touch -t's digits, and the dates of touch -d that mean one moment and no guess. */
import type { Timespec } from '@ukfs/kernel';
import type { Clock } from './time.ts';

interface Fields {
  readonly year: number;
  /** 1 … 12. */
  readonly month: number;
  readonly day: number;
  readonly hour: number;
  readonly minute: number;
  readonly second: number;
}

const DAY = 86400;

/** Days from 1970-01-01 to a date of the proleptic Gregorian calendar. */
function daysTo({ year, month, day }: Fields): number {
  // Years that begin on 1 March: leap days are at their end.
  const shifted = month <= 2 ? year - 1 : year;
  const era = Math.floor(shifted / 400);
  const yearOfEra = shifted - era * 400;
  const dayOfYear = Math.floor((153 * ((month + 9) % 12) + 2) / 5) + day - 1;
  return era * 146097 + yearOfEra * 365 + Math.floor(yearOfEra / 4) - Math.floor(yearOfEra / 100) + dayOfYear - 719468;
}

function isDate({ year, month, day, hour, minute, second }: Fields): boolean {
  const leap = (year % 4 === 0 && year % 100 !== 0) || year % 400 === 0;
  const length = month === 2 ? (leap ? 29 : 28) : [4, 6, 9, 11].includes(month) ? 30 : 31;
  return month >= 1 && month <= 12 && day >= 1 && day <= length && hour < 24 && minute < 60 && second <= 60;
}

/** Seconds of universal time that a clock shows as these fields; undefined: there is no such date. */
function secondsOf(fields: Fields, offset: number | Clock): number | undefined {
  if (!isDate(fields)) return undefined;
  const shown = daysTo(fields) * DAY + fields.hour * 3600 + fields.minute * 60 + fields.second;
  if (typeof offset === 'number') return shown - offset;
  // The offset at the moment looked for: it is that of a moment nearby, or that one's.
  const near = shown - offset.offset(shown);
  return shown - offset.offset(near);
}

/** touch -t: `[[CC]YY]MMDDhhmm[.SS]`, local time. undefined: it is none. */
export function parseStamp(text: string, clock: Clock): Timespec | undefined {
  const [, century = '', rest = '', second = '0'] =
    /^(?=\d{8}(?:\d{2}|\d{4})?(?:\.|$))(\d{0,4}?)(\d{8})(?:\.(\d\d))?$/.exec(text) ?? [];
  if (rest === '') return undefined;
  const year =
    century === ''
      ? clock.moment(clock.now).year
      : century.length === 4
        ? Number(century)
        : Number(century) + (Number(century) < 69 ? 2000 : 1900);
  const at = (from: number): number => Number(rest.slice(from, from + 2));
  const fields = { year, month: at(0), day: at(2), hour: at(4), minute: at(6), second: Number(second) };
  const sec = secondsOf(fields, clock);
  return sec === undefined ? undefined : { sec, nsec: 0 };
}

const DATE =
  /^(\d{4,})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,](\d{1,9})\d*)?)?)?\s*(Z|UTC|GMT|[-+]\d\d(?::?\d\d)?)?$/i;

/**
 * touch -d: `@SECONDS[.FRACTION]`, `YYYY-MM-DD`, `YYYY-MM-DD hh:mm[:ss[.n]]` with `T` for the blank and a zone behind it
 * (`Z`, `UTC`, `+01:00`), local time without one; `now`. undefined: it is none of these.
 */
export function parseDate(text: string, clock: Clock): Timespec | 'now' | undefined {
  const word = text.trim();
  if (word.toLowerCase() === 'now') return 'now';
  const [, epoch, part = ''] = /^@(-?\d{1,15})(?:[.,](\d{1,9})\d*)?$/.exec(word) ?? [];
  if (epoch !== undefined) return epochTime(Number(epoch), epoch.startsWith('-'), nanoseconds(part));
  const found = DATE.exec(word);
  if (found === null) return undefined;
  const [, year, month, day, hour = '0', minute = '0', second = '0', fraction = '', zone] = found;
  const fields = {
    year: Number(year),
    month: Number(month),
    day: Number(day),
    hour: Number(hour),
    minute: Number(minute),
    second: Number(second),
  };
  const offset = zone === undefined ? clock : offsetOf(zone);
  const sec = offset === undefined ? undefined : secondsOf(fields, offset);
  return sec === undefined ? undefined : { sec, nsec: nanoseconds(fraction) };
}

const nanoseconds = (digits: string): number => Number(digits.padEnd(9, '0'));

/** A fraction of a time before 1970 counts away from it: `@-1.5` is half a second before `@-1`. */
function epochTime(sec: number, isNegative: boolean, nsec: number): Timespec {
  return isNegative && nsec > 0 ? { sec: sec - 1, nsec: 1e9 - nsec } : { sec, nsec };
}

/** Seconds east of Greenwich. */
function offsetOf(zone: string): number | undefined {
  const [, sign, hours, minutes = '0'] = /^([-+])(\d\d):?(\d\d)?$/.exec(zone) ?? [];
  if (sign === undefined) return 0;
  if (Number(hours) > 24 || Number(minutes) > 59) return undefined;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}
