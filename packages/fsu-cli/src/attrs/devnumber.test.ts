import { expect, test } from 'vitest';
import { packDevice } from './devnumber.ts';

test.each([
  ['native', [259, 65537], { major: 259, minor: 65537 }],
  ['native', [4095, 0xfffff], { major: 4095, minor: 0xfffff }],
  ['linux', [8, 17], { major: 8, minor: 17 }],
  ['hpux', [1, 0x020304], { major: 0x203, minor: 0x1004 }],
  ['osf1', [1, 2], { major: 0, minor: 0x102 }],
  ['solaris', [13, 2], { major: 0x400, minor: 0x302 }],
  ['freebsd', [2, 0x12340005], { major: 0x402, minor: 0x12305 }],
  ['bsdos', [1, 2, 3], { major: 2, minor: 0x103 }],
  ['bsdos', [1, 2], { major: 0, minor: 0x102 }],
] as const)('%s %j', (format, numbers, expected) => expect(packDevice(format, numbers)).toEqual(expected));

test.each([
  ['linux', [256, 0]],
  ['linux', [1, 256]],
  ['linux', [1, 2, 3]],
  ['native', [4096, 0]],
  ['native', [0, 0x100000]],
  ['solaris', [1, 2 ** 18]],
  ['freebsd', [1, 0x100]],
  ['bsdos', [1, 4096, 0]],
  ['vms', [1, 2]],
] as const)('%s cannot pack %j', (format, numbers) => expect(packDevice(format, numbers)).toBeUndefined());
