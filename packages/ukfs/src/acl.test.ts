import { expect, test } from 'vitest';
import { aclFromText, aclToText, decodeAcl, encodeAcl } from './acl.ts';

const LONG = 'user::rwx,user:1001:r--,group::r-x,group:50:rw-,mask::rwx,other::r-x';

test('the text of a list is the list', () => {
  // As getfattr -n system.posix_acl_access showed it of a file on Linux.
  const value = Buffer.from('AgAAAAEABwD/////AgAEAOkDAAAEAAUA/////wgABgAyAAAAEAAHAP////8gAAUA/////w==', 'base64');
  expect(aclToText(decodeAcl(value))).toBe(LONG);
  expect([...encodeAcl(aclFromText(LONG))]).toEqual([...value]);
});

test('forms that others write', () => {
  const names = { uid: () => 7, gid: () => undefined };
  const text = '# a comment\nu::7\nu:alice:r-x\nuser:1001:---\ngroup:staff:rw-:50\ng::r\nm:rwx\nother::x\n';
  expect(aclToText(aclFromText(text, names))).toBe(
    'user::rwx,user:7:r-x,user:7:---,group:50:rw-,group::r--,mask::rwx,other::--x',
  );
});

test.each(['user', 'user:nobody:rwx', 'user::rwxq', 'mask:5:rwx', 'x::rwx', 'user:1:rwx:1:1'])('%s is none', (text) => {
  expect(() => aclFromText(text)).toThrow(expect.objectContaining({ code: 'EINVAL' }));
});
test('bytes that are none', () => {
  for (const bytes of [[], [2, 0, 0], [1, 0, 0, 0], [2, 0, 0, 0, 1], [2, 0, 0, 0, 3, 0, 0, 0, 0, 0, 0, 0]]) {
    expect(() => decodeAcl(Uint8Array.from(bytes))).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  }
});
