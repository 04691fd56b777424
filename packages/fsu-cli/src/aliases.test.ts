import { expect, test } from 'vitest';
import { aliasNamed, mayBeAlias } from './aliases.ts';

const RC =
  '# disks\n\nroot:/images/root.img:ext2fs\r\nusb:/dev/sdb::ro,x=1:rump_msdos\nroot:/other:ffs\nbad:/x\nempty::ffs\n';

test('a line is name, path, type and options; the first of a name counts', () => {
  expect(aliasNamed('root', RC)).toEqual({ image: '/images/root.img', mount: { type: 'ext2fs' } });
  expect(aliasNamed('usb', RC)).toEqual({ image: '/dev/sdb', mount: { options: 'ro,x=1' } });
  expect(aliasNamed('none', RC)).toBeUndefined();
  expect(aliasNamed('# disks', RC)).toBeUndefined();
  expect(aliasNamed('root', undefined)).toBeUndefined();
});

test('a line that makes no sense is told when its name is used', () => {
  expect(() => aliasNamed('bad', RC)).toThrow("~/.fsurc:6: 'bad' wants");
  expect(() => aliasNamed('empty', RC)).toThrow('~/.fsurc:7');
});

test('a path is no alias', () => {
  expect(['root', 'a.img', './root', '/root', 'C:\\x', '', '-'].map(mayBeAlias)).toEqual([
    true,
    true,
    false,
    false,
    false,
    false,
    false,
  ]);
});
