/** Modes as the host's chmod and mkdir have them, dates as its touch, sizes as its truncate: many, asked at once. */
import { chmodSync, mkdirSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { parseMode } from '../../packages/fsu-cli/src/format/modechange.ts';
import { Clock, hostOffset } from '../../packages/fsu-cli/src/format/time.ts';
import { parseDate, parseStamp } from '../../packages/fsu-cli/src/format/timeparse.ts';
import { Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const starts = [
  0, 0o1, 0o100, 0o111, 0o444, 0o640, 0o644, 0o755, 0o777, 0o1777, 0o2750, 0o4711, 0o6755, 0o7000, 0o7777,
];
const modes = [
  ...['0', '7', '644', '0755', '4755', '2775', '1777', '7777', '00755', '02755', '000', '07777'],
  ...['u+x', 'g+w', 'o+r', 'a+x', '+x', '+w', '+r', '-x', '-w', '-rwx', '=', '=r', '=rwx', '+t', '-t', '=t'],
  ...['u=', 'g=', 'o=', 'a=', 'ug=rw', 'go-rwx', 'a-w', 'ugo+X', 'u+X', '-X', '=X', 'a=rX', 'u=rwX,go=rX'],
  ...['u+s', 'g+s', 'o+s', '+s', '-s', 'a-s', 'ug-s', '=s', 'u=s', 'g=s', 'u=rws', 'g=rxs', 'g=rx', 'u=rwx'],
  ...['o+t', 'u+t', 'a+t', 'o=t', 'a=t', 'o-t', 'g=u', 'u=g', 'o=u', 'a=u', 'g+o', 'u-g', 'o-o', '+u', '=g', '-o'],
  ...['u=g,g=u', 'u+x,a+X', 'a-x,a+X', 'u+x-w', 'u+r-w+x', 'g=r+w', 'o=u-w', 'u=rw,g=r,o=', '+rw,-x', 'ug+rw-x'],
  ...['+644', '-111', '=700', '=0', '+4000', 'go=u-w', 'u+', 'a-', 'uu+rr', 'o+xt', 'g+st', 'u=rwxst'],
];

describe.each([0o022, 0o077, 0])('umask %o', (umask) => {
  test.each(modes)('chmod %s', (text) => {
    const kinds = [...starts.map((mode) => ({ mode, dir: false })), ...starts.map((mode) => ({ mode, dir: true }))];
    const names = kinds.map(({ mode, dir }) => `${dir ? 'd' : 'f'}${mode.toString(8)}`);
    const box = place.at(`box${umask}`);
    mkdirSync(box, { recursive: true });
    kinds.forEach(({ mode, dir }, i) => {
      const path = `${box}/${names[i] ?? ''}`;
      if (dir) mkdirSync(path, { recursive: true });
      else writeFileSync(path, '');
      chmodSync(path, mode);
    });
    // chmod complains, and does it, when the umask kept `-x` from its full effect.
    place.sh(`cd ${box}; umask ${umask.toString(8)}; chmod -- '${text}' ${names.join(' ')} 2>/dev/null`);
    const theirs = names.map((name) => `${name} ${(statSync(`${box}/${name}`).mode & 0o7777).toString(8)}`);
    const change = parseMode(text);
    const ours = kinds.map(
      ({ mode, dir }, i) => `${names[i]} ${change?.adjust(mode, { isDirectory: dir, umask }).toString(8)}`,
    );
    expect(ours).toEqual(theirs);
  });
});

test.each(['8', 'u', 'rwx', 'u+q', 'u+7', 'u+rg', '+78', 'u=rw,', '77777', 'x+r', '0x7'])(
  'chmod refuses %s',
  (text) => {
    expect(place.sh(`touch f; chmod '${text}' f`).status).not.toBe(0);
    expect(parseMode(text)).toBeUndefined();
  },
);

describe.each(['UTC', 'Europe/Berlin', 'America/New_York', 'Asia/Kathmandu', 'Australia/Lord_Howe'])('%s', (zone) => {
  let old: string | undefined;
  beforeAll(() => {
    old = process.env['TZ'];
    process.env['TZ'] = zone;
  });
  afterAll(() => {
    if (old === undefined) delete process.env['TZ'];
    else process.env['TZ'] = old;
  });

  const clock = () => new Clock(hostOffset, Math.floor(Date.now() / 1000));
  const theirs = (words: string): string => {
    utimesSync(place.at('f'), 0, 0);
    const done = place.sh(`touch ${words} f && stat -c %.9Y f`, { env: { TZ: zone } });
    return done.status === 0 ? done.stdout.trim() : 'refused';
  };
  const shown = (time: ReturnType<typeof parseDate>): string =>
    time === undefined || time === 'now' ? 'refused' : (time.sec + time.nsec / 1e9).toFixed(3);
  const rounded = (text: string): string => (text === 'refused' ? text : Number(text).toFixed(3));
  beforeAll(() => writeFileSync(place.at('f'), ''));

  test.each([
    ...['2026-01-31 12:34:56', '2026-07-31 12:34:56.5', '2026-07-31T12:34', '1999-12-31', '1965-03-04 05:06:07.25'],
    ...['2026-01-31T12:34:56Z', '2026-01-31 12:34:56 UTC', '2026-01-31T12:34:56+05:30', '2026-01-31 12:34-0330'],
    ...['2026-03-29 01:59:59', '2026-03-29 03:00:00', '2026-10-25 01:30', '2026-10-25 03:30', '2026-11-01 03:00'],
    ...['2026-03-08 03:30', '@0', '@1234567890.125', '@-1.5', '2026-01-31 23:59:59,75', '2026-01-31T00:00:00-08'],
    ...['2026-02-29', '2026-13-01', '2026-01-01 25:00', '2026-01-01 10:60', '@', '2024-02-29 12:00 +01:00'],
  ])('touch -d %s', (text) => expect(shown(parseDate(text, clock()))).toBe(rounded(theirs(`-d '${text}'`))));

  test.each([
    ...['01312345', '07311200.30', '9912312359', '6912312359.59', '6812310000', '202602281122', '195001010000.07'],
    ...[
      '02300000',
      '13010000',
      '01010060',
      '010100',
      '0101000',
      '202602290000',
      '01012400',
      '01010000.99',
      '01010000.5',
    ],
  ])('touch -t %s', (text) => expect(shown(parseStamp(text, clock()))).toBe(rounded(theirs(`-t ${text}`))));
});

test('truncate -s', () => {
  const words = [
    '100',
    '+5',
    '-10',
    '<50',
    '>70',
    '/16',
    '%50',
    '1K',
    '+1KiB',
    '1kB',
    '-1M',
    '%4K',
    '0',
    '>1m',
    '/1000',
  ];
  const script = (tool: string): string =>
    `for s in ${words.map((word) => `'${word}'`).join(' ')}; do ${tool} && stat_it; done`;
  place.demo();
  const ours = place.sh(script('fsu truncate -s "$s" demo.img:/f').replace('stat_it', 'fsu stat -c %s demo.img:/f'));
  const theirs = place.sh(script('truncate -s "$s" t').replace('stat_it', 'stat -c %s t'));
  expect(theirs.stdout.split('\n')).toHaveLength(words.length + 1);
  expect(ours.stdout).toBe(theirs.stdout);
  expect(place.sh('e2fsck -fn demo.img').status).toBe(0);
});
