import { describe, expect, test } from 'vitest';
import { mtreeEntries, unvis, vis } from './mtree.ts';

const parsed = (...lines: string[]): unknown =>
  [...mtreeEntries(lines)].map(({ path, keywords }) => [path, Object.fromEntries(keywords)]);

describe('mtreeEntries()', () => {
  test('the form with .., /set and /unset', () => {
    expect(
      parsed(
        '#mtree',
        '/set type=file uid=0',
        '. type=dir',
        ' a',
        ' d type=dir \\',
        ' mode=0755',
        '  b uid=5',
        ' ..',
        ' c',
      ),
    ).toEqual([
      ['', { type: 'dir', uid: '0' }],
      ['a', { type: 'file', uid: '0' }],
      ['d', { type: 'dir', uid: '0', mode: '0755' }],
      ['d/b', { type: 'file', uid: '5' }],
      ['c', { type: 'file', uid: '0' }],
    ]);
    expect(parsed('/set uid=0 gid=1', '/unset uid', 'x', '/unset all', 'y')).toEqual([
      ['x', { gid: '1' }],
      ['y', {}],
    ]);
  });

  test('names that lead do not change the directory', () => {
    expect(parsed('. type=dir', './d type=dir', './d/e sha256digest=00', 'f optional')).toEqual([
      ['', { type: 'dir' }],
      ['d', { type: 'dir' }],
      ['d/e', { sha256: '00' }],
      ['f', { optional: '' }],
    ]);
  });

  test.each(['../x', 'a/../b', '/sett x', 'x =y', 'x\\000'])('%s is none', (line) => {
    expect(() => parsed(line)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });
});

describe('vis and unvis', () => {
  test.each([
    ['a b', 'a\\040b'],
    ['#=*?[\\', '\\043\\075\\052\\077\\133\\134'],
    ['\udcff\n', '\\377\\012'],
    ['ü', '\\303\\274'],
  ])('%j', (name, word) => {
    expect(vis(name)).toBe(word);
    expect(unvis(word)).toBe(name);
  });

  test.each([
    ['\\s\\t\\n\\a\\E', ' \t\n\x07\x1b'],
    ['\\^C\\^?', '\x03\x7f'],
    ['\\M-a\\M^C', '\udce1\udc83'],
    ['\\x41\\$\\#\\7', 'A#\x07'],
    ['\\', '\\'],
  ])('%s', (word, name) => expect(unvis(word)).toBe(name));
});
