import { describe, expect, test } from 'vitest';
import { Clock, civilOf, utcOffset } from './time.ts';
import { parseDate, parseStamp } from './timeparse.ts';

/** 2026-06-15T12:00:00Z. */
const NOW = 1781524800;
const utc = new Clock(utcOffset, NOW);
/** Two hours east from April to September, one hour otherwise, more or less as in Berlin. */
const summer = new Clock(
  (sec) => ([3, 4, 5, 6, 7, 8].includes(civilOf(Math.floor(sec / 86400)).month) ? 120 : 60),
  NOW,
);

describe('touch -d', () => {
  test.each([
    ['@0', 0, 0],
    ['@-1.25', -2, 750_000_000],
    ['@12,5', 12, 500_000_000],
    ['1970-01-01', 0, 0],
    ['1969-12-31T23:59:59Z', -1, 0],
    ['2000-02-29 00:00:00.123456789123 UTC', 951782400, 123_456_789],
    ['2026-01-31T12:00:00+01:30', 1769855400, 0],
    ['2026-01-31 12:00-0130', 1769866200, 0],
    ['2026-01-31 12:00:60', 1769860860, 0],
    ['12026-01-01', 317336745600, 0],
  ])('%s', (text, sec, nsec) => expect(parseDate(text, utc)).toEqual({ sec, nsec }));

  test('local time is that of its own moment', () => {
    expect(parseDate('2026-01-31 12:00', summer)).toEqual({ sec: 1769860800 - 3600, nsec: 0 });
    expect(parseDate('2026-07-31 12:00', summer)).toEqual({ sec: 1785499200 - 7200, nsec: 0 });
  });

  test.each(['', 'yesterday', '2026-02-29', '2026-13-01', '2026-01-01 24:00', '2026-01-01 10', '@', '@1x', '26-01-01'])(
    '%j is none',
    (text) => expect(parseDate(text, utc)).toBeUndefined(),
  );
  test('now', () => expect(parseDate(' NOW ', utc)).toBe('now'));
});

describe('touch -t', () => {
  test.each([
    ['01310000', Date.UTC(2026, 0, 31)],
    ['6912310000', Date.UTC(1969, 11, 31)],
    ['6812310000.59', Date.UTC(2068, 11, 31, 0, 0, 59)],
    ['190102030405.06', Date.UTC(1901, 1, 3, 4, 5, 6)],
  ])('%s', (text, ms) => expect(parseStamp(text, utc)).toEqual({ sec: ms / 1000, nsec: 0 }));

  test.each(['', '0131', '013100001', '13010000', '01012400', '01010000.1', '02300000', '2026010100.00x'])(
    '%j is none',
    (text) => expect(parseStamp(text, utc)).toBeUndefined(),
  );
});
