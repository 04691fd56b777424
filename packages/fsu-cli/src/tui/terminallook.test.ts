import { expect, test } from 'vitest';
import { lookOf } from './terminallook.ts';

const look = (env: Readonly<Record<string, string>>, ascii = false) => lookOf((name) => env[name], { ascii });

test.each([
  [{}, 0],
  [{ TERM: '' }, 0],
  [{ TERM: 'dumb', COLORTERM: 'truecolor' }, 0],
  [{ TERM: 'xterm' }, 16],
  [{ TERM: 'xterm', COLORTERM: '24bit' }, 256],
  [{ TERM: 'xterm', COLORTERM: 'yes' }, 16],
  [{ TERM: 'screen-256color' }, 256],
  [{ TERM: 'screen-256color', NO_COLOR: '' }, 256],
  [{ TERM: 'screen-256color', NO_COLOR: '0' }, 0],
])('colours of %j: %d', (env, colors) => {
  expect(look(env).colors).toBe(colors);
});

test.each([
  [{}, false],
  [{ LANG: 'de_DE.UTF-8' }, true],
  [{ LANG: 'de_DE.utf8' }, true],
  [{ LANG: 'de_DE.UTF-8', LC_CTYPE: 'C' }, false],
  [{ LANG: 'de_DE.UTF-8', LC_CTYPE: 'C', LC_ALL: 'C.UTF-8' }, true],
  [{ LANG: 'de_DE.UTF-8', LC_ALL: '' }, true],
])('Unicode with %j: %s', (env, unicode) => {
  expect(look(env).unicode).toBe(unicode);
  expect(look(env, true).unicode).toBe(false);
});
