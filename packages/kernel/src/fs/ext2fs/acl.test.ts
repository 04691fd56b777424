import { expect, test } from 'vitest';
import { CorruptError, FsError } from '../../kern/errno.ts';
import { aclFromXattr, aclToXattr } from './acl.ts';

// user::rw-, user:1000:r--, group::r--, mask::rw-, other::---
const DISK = '010000000100060002000400e8030000040004001000060020000000';
const XATTR = '0200000001000600ffffffff02000400e803000004000400ffffffff10000600ffffffff20000000ffffffff';
const bytes = (hex: string): Uint8Array => Uint8Array.from(hex.match(/../g) ?? [], (x) => Number.parseInt(x, 16));

test('packed and Linux form are translated both ways', () => {
  expect(aclToXattr(bytes(DISK), 12)).toEqual(bytes(XATTR));
  expect(aclFromXattr(bytes(XATTR))).toEqual(bytes(DISK));
});

test.each(['', '02000000', '0100000001', '010000000100', '0100000002000400e803', '0100000007000400'])(
  'damaged list %j on disk is a CorruptError',
  (hex) => {
    expect(() => aclToXattr(bytes(hex), 12)).toThrow(CorruptError);
  },
);

test.each(['', '01000000', '0200000001000600', '0200000001000900ffffffff', '0200000003000600ffffffff'])(
  'value %j is EINVAL',
  (hex) => {
    expect(() => aclFromXattr(bytes(hex))).toThrow(FsError);
  },
);
