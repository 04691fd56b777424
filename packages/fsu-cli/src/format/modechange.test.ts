import { describe, expect, test } from 'vitest';
import { exactMode, parseMode } from './modechange.ts';

/** The mode as octal digits; undefined: `text` is no mode. */
const adjusted = (text: string, mode: number, about: { isDirectory?: boolean; umask?: number } = {}) =>
  parseMode(text)
    ?.adjust(mode, { isDirectory: false, umask: 0o022, ...about })
    .toString(8);

describe('symbolic modes', () => {
  test.each([
    ['u+x', 0o644, '744'],
    ['go-rwx', 0o755, '700'],
    ['a=r', 0o4755, '444'],
    ['g=u,o=g', 0o640, '666'],
    ['u=,g+w,o+t', 0o644, '1064'],
    ['u+s,g+s', 0o755, '6755'],
    ['o+s', 0o755, '755'],
    ['+w', 0o444, '644'],
    ['=', 0o7777, '0'],
    ['u+x-w', 0o600, '500'],
    ['a+X', 0o644, '644'],
    ['u+x,a+X', 0o644, '755'],
    ['+755', 0o4000, '4755'],
  ])('%s of %o is %s', (text, mode, expected) => expect(adjusted(text, mode)).toBe(expected));

  test('where nobody is named the umask counts', () => {
    expect(adjusted('+rwx', 0, { umask: 0o027 })).toBe('750');
    expect(adjusted('a+rwx', 0, { umask: 0o027 })).toBe('777');
  });
});

test('a directory keeps its set-id bits unless they are mentioned, or the octal mode has five digits', () => {
  const isDirectory = true;
  expect(adjusted('755', 0o2700, { isDirectory })).toBe('2755');
  expect(adjusted('00755', 0o2700, { isDirectory })).toBe('755');
  expect(adjusted('g=rx', 0o2770, { isDirectory })).toBe('2750');
  expect(adjusted('g-s', 0o2770, { isDirectory })).toBe('770');
  expect(exactMode(0o755).adjust(0o2700, { isDirectory, umask: 0 }).toString(8)).toBe('755');
});

test.each(['', '8', '77777', 'u', 'u+q', 'rwx', 'u+rg', 'u+7', '+78', 'u=rw,', ',', 'x+r'])('%j is no mode', (text) =>
  expect(parseMode(text)).toBeUndefined(),
);
