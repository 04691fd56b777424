import { decodeAcl, encodeAcl, open } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { beforeEach, describe, expect, test } from 'vitest';
import { Owners } from '../owners.ts';
import { modeOf, ofMode } from './entries.ts';
import { applyActions, readLists, writeLists } from './lists.ts';
import type { Action, Lists } from './lists.ts';
import { parseEntry, parseSpec } from './spec.ts';

let fs: Ukfs;
beforeEach(async () => {
  fs = await open('memory', { type: 'tmpfs', write: true });
  fs.writeFile('/f', '');
  fs.mkdir('/d');
});

const set = (text: string): Action => ({ kind: 'modify', said: parseSpec(text, 'permissions') });
const remove = (text: string): Action => ({ kind: 'remove', said: parseSpec(text, 'no permissions') });

function changed(
  mode: number,
  actions: readonly Action[],
  masks: 'unless said' | 'leave' | 'recalculate' = 'unless said',
) {
  const lists: Lists = { access: ofMode(mode), inherited: [] };
  const { access } = applyActions(lists, actions, { owners: new Owners(fs), isDirectory: false, masks });
  return { mode: modeOf(access).toString(8), mask: access.find(({ tag }) => tag === 'mask')?.perm };
}

describe('the mask', () => {
  test('lets everybody through who is named', () =>
    expect(changed(0o640, [set('u:1:rwx')])).toEqual({ mode: '670', mask: 7 }));
  test('stays as it is said', () =>
    expect(changed(0o640, [set('m::r'), set('u:1:rwx')])).toEqual({ mode: '640', mask: 4 }));
  test('is said and yet recalculated', () =>
    expect(changed(0o640, [set('m::r,u:1:rwx')], 'recalculate')).toEqual({ mode: '670', mask: 7 }));
  test('is the group’s when it is to be left alone and there is none', () =>
    expect(changed(0o640, [set('u:1:rwx')], 'leave')).toEqual({ mode: '640', mask: 4 }));
  test('stays when those who were named are gone', () =>
    expect(changed(0o640, [set('u:1:rwx'), remove('u:1')])).toEqual({ mode: '640', mask: 4 }));
  test('takes with it what it kept from the group', () =>
    expect(changed(0o670, [set('u:1:r,m::r'), { kind: 'no extended' }])).toEqual({ mode: '640', mask: undefined }));
});

test('the mode says what the list says, on a file system that only keeps attributes, too', () => {
  const stat = fs.stat('/d');
  const about = { owners: new Owners(fs), isDirectory: true, masks: 'unless said' } as const;
  writeLists(fs, '/d', stat, applyActions(readLists(fs, '/d', stat), [set('u:5:rw,g::-,d:u:6:r')], about));
  expect(fs.stat('/d').mode & 0o777).toBe(0o765);
  const lists = readLists(fs, '/d', fs.stat('/d'));
  expect(lists.inherited.map(({ tag }) => tag)).toEqual(['user_obj', 'user', 'group_obj', 'mask', 'other']);
  const none = applyActions(lists, [{ kind: 'no extended' }, { kind: 'no default' }], about);
  writeLists(fs, '/d', fs.stat('/d'), none);
  expect(fs.listxattr('/d')).toEqual([]);
  expect(fs.stat('/d').mode & 0o777).toBe(0o705);
});

test('a list that no file system takes is refused', () => {
  const lists = { access: [{ tag: 'user_obj', id: 0, perm: 7 }], inherited: [] } as const;
  expect(() => writeLists(fs, '/f', fs.stat('/f'), lists)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  const inherited = ofMode(0o755);
  expect(() => writeLists(fs, '/f', fs.stat('/f'), { access: ofMode(0o644), inherited })).toThrow(
    expect.objectContaining({ code: 'EACCES' }),
  );
});

test('the value is Linux’s, and others are refused', () => {
  const value = Uint8Array.from([
    ...[2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 4, 0, 0xe8, 3, 0, 0, 4, 0, 4, 0, 255, 255, 255, 255],
    ...[16, 0, 4, 0, 255, 255, 255, 255, 32, 0, 0, 0, 255, 255, 255, 255],
  ]);
  expect(decodeAcl(value)[1]).toEqual({ tag: 'user', id: 1000, perm: 4 });
  expect(encodeAcl(decodeAcl(value))).toEqual(value);
  for (const bad of [value.slice(0, 5), Uint8Array.from([1, 0, 0, 0]), value.slice(0, 4).fill(9)])
    expect(() => decodeAcl(bad)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
});

test.each(['', ':', 'u', 'u:a:b:c', 'x:1:r', 'm:1:r', 'o:x:r', 'u:1:q', 'u:1:8', 'd'])(
  '%j is no entry with permissions',
  (text) => expect(parseEntry(text)?.perm).toBeUndefined(),
);
