import * as fs from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { readBookmarks, writeBookmarks } from './host-bookmarks.ts';

let home: string;
let image: string;
let file: string;
beforeEach(() => {
  home = fs.mkdtempSync(join(tmpdir(), 'bookmarks-'));
  image = join(home, 'disk.img');
  file = join(home, '.local/state/fsu/bookmarks.json');
  fs.writeFileSync(image, '');
  vi.stubEnv('HOME', home);
  vi.stubEnv('XDG_STATE_HOME', '');
});
afterEach(() => {
  vi.unstubAllEnvs();
  fs.rmSync(home, { recursive: true });
});

const mark = (name: string) => ({ name, place: '', dir: `/${name}` });

test('bookmarks are kept by image, whatever name it is reached by, and are for their owner alone', () => {
  fs.symlinkSync('disk.img', join(home, 'link.img'));
  fs.writeFileSync(join(home, 'other.img'), '');
  expect(readBookmarks(image)).toEqual([]);
  writeBookmarks(image, [mark('etc'), mark('b\udc80d')]);
  writeBookmarks(join(home, 'other.img'), [mark('home')]);
  expect(readBookmarks(join(home, 'link.img'))).toEqual([mark('etc'), mark('b\udc80d')]);
  expect(fs.statSync(file).mode & 0o777).toBe(0o600);
  writeBookmarks(image, []);
  expect([readBookmarks(image), readBookmarks(join(home, 'other.img'))]).toEqual([[], [mark('home')]]);
  expect(fs.readdirSync(join(file, '..'))).toEqual(['bookmarks.json']);
});

test('XDG_STATE_HOME is where they are, when it is absolute', () => {
  vi.stubEnv('XDG_STATE_HOME', join(home, 'state'));
  writeBookmarks(image, [mark('etc')]);
  expect(fs.existsSync(join(home, 'state/fsu/bookmarks.json'))).toBe(true);
  vi.stubEnv('XDG_STATE_HOME', 'state');
  writeBookmarks(image, [mark('home')]);
  expect(readBookmarks(image)).toEqual([mark('home')]);
  expect(fs.existsSync(file)).toBe(true);
});

test.each(['', '{', '[1]', '{"/disk.img": 1}', '{"/disk.img": [{"name": "x"}]}', 'null'])(
  'a file that holds %j is damaged, and stays as it is',
  (text) => {
    fs.mkdirSync(join(file, '..'), { recursive: true });
    fs.writeFileSync(file, text);
    expect(() => readBookmarks(image)).toThrow(
      expect.objectContaining({ code: 'EINVAL', context: expect.objectContaining({ path: file }) }),
    );
    expect(() => writeBookmarks(image, [mark('etc')])).toThrow(expect.objectContaining({ code: 'EINVAL' }));
    expect(fs.readFileSync(file, 'utf8')).toBe(text);
  },
);

test('without a home nothing is kept, and nothing fails', () => {
  vi.stubEnv('HOME', undefined);
  writeBookmarks(image, [mark('etc')]);
  expect(readBookmarks(image)).toEqual([]);
  expect(fs.readdirSync(home)).toEqual(['disk.img']);
});

test('a directory that cannot be made: nothing is written', () => {
  fs.writeFileSync(join(home, '.local'), '');
  expect(() => writeBookmarks(image, [mark('etc')])).toThrow(expect.objectContaining({ code: 'ENOTDIR' }));
  expect(fs.readdirSync(home).toSorted()).toEqual(['.local', 'disk.img']);
});
