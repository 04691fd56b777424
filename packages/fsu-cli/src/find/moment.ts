/** A moment as people write it on a command line, for -newermt. */
import type { Timespec } from 'ukfs';
import type { Clock } from '../format/time.ts';

const FORM =
  /^(\d{4})-(\d{2})-(\d{2})(?:[ T](\d{2}):(\d{2})(?::(\d{2})(?:[.,](\d{1,9}))?)?)? ?(Z|UTC|GMT|[-+]\d{2}:?\d{2})?$/;

/**
 * `@SECONDS`, `now`, or a date with or without time and zone: `2026-01-01`, `2026-01-01 12:30`, `2026-01-01T12:30:00.5Z`; local time
 * where no zone is given. undefined: it is none of these.
 */
export function parseMoment(text: string, clock: Clock, now: Timespec): Timespec | undefined {
  if (text === 'now') return now;
  const [, seconds, part] = /^@(-?\d{1,15})(?:\.(\d{1,9}))?$/.exec(text) ?? [];
  if (seconds !== undefined) return { sec: Number(seconds), nsec: nanoseconds(part) };
  const [, year, month, day, hour = '0', minute = '0', second = '0', rest, zone] = FORM.exec(text) ?? [];
  if (year === undefined || month === undefined || day === undefined) return undefined;
  const [y, mo, d, h, mi, s] = [year, month, day, hour, minute, second].map(Number) as [
    number,
    number,
    number,
    number,
    number,
    number,
  ];
  if (mo < 1 || mo > 12 || d < 1 || d > 31 || h > 24 || mi > 59 || s > 60) return undefined;
  const sec = Date.UTC(y, mo - 1, d, h, mi, s) / 1000;
  if (new Date(sec * 1000).getUTCMonth() !== mo - 1 && h < 24) return undefined;
  const offset = zone === undefined ? clock.offset(sec - clock.offset(sec)) : zoneSeconds(zone);
  return { sec: sec - offset, nsec: nanoseconds(rest) };
}

const nanoseconds = (digits: string | undefined): number => Number((digits ?? '0').padEnd(9, '0'));

function zoneSeconds(zone: string): number {
  const [, sign, hours, minutes] = /^([-+])(\d{2}):?(\d{2})$/.exec(zone) ?? [];
  if (hours === undefined) return 0;
  return (sign === '-' ? -1 : 1) * (Number(hours) * 3600 + Number(minutes) * 60);
}
