import { expect, test } from 'vitest';
import {
  diskMeant,
  formatAddress,
  parseAddress,
  parseSelector,
  parseSize,
  wholeDisk,
  type Address,
} from './address.ts';

const number = (n: number) => ({ kind: 'number', number: n });
const file = (path: string) => ({ kind: 'file', path });
const letter = (l: string) => ({ kind: 'letter', letter: l });

/** [text, host files, image, selectors, path] */
const table: readonly (readonly [string, readonly string[], string, readonly unknown[], string | undefined])[] = [
  // plain
  ['disk.img', ['disk.img'], 'disk.img', [], undefined],
  ['disk.img', [], 'disk.img', [], undefined],
  ['/a/b/disk.img', [], '/a/b/disk.img', [], undefined],
  ['disk.img:', ['disk.img'], 'disk.img', [], undefined],
  ['disk.img:/', ['disk.img'], 'disk.img', [], '/'],
  ['disk.img:/etc/fstab', ['disk.img'], 'disk.img', [], '/etc/fstab'],
  ['disk.img/etc', ['disk.img'], 'disk.img/etc', [], undefined],
  // selectors
  ['disk.img:2', ['disk.img'], 'disk.img', [number(2)], undefined],
  ['disk.img:2/etc', ['disk.img'], 'disk.img', [number(2)], '/etc'],
  ['disk.img:a', ['disk.img'], 'disk.img', [letter('a')], undefined],
  ['disk.img:1:b/etc', ['disk.img'], 'disk.img', [number(1), letter('b')], '/etc'],
  ['disk.img:name=boot_a/', ['disk.img'], 'disk.img', [{ kind: 'name', value: 'boot_a' }], '/'],
  ['disk.img:label=my root/x', ['disk.img'], 'disk.img', [{ kind: 'label', value: 'my root' }], '/x'],
  ['disk.img:label=a%2Fb%3ac%25', ['disk.img'], 'disk.img', [{ kind: 'label', value: 'a/b:c%' }], undefined],
  ['disk.img:uuid=0A1B-2C3D', ['disk.img'], 'disk.img', [{ kind: 'uuid', value: '0A1B-2C3D' }], undefined],
  ['disk.img:type=esp/EFI', ['disk.img'], 'disk.img', [{ kind: 'type', value: 'esp' }], '/EFI'],
  ['disk.img:off=1MiB/', ['disk.img'], 'disk.img', [{ kind: 'off', offset: 1048576, length: undefined }], '/'],
  ['disk.img:off=63s,10M', ['disk.img'], 'disk.img', [{ kind: 'off', offset: 32256, length: 10485760 }], undefined],
  // files that are images
  ['disk.img:file=vm.img', ['disk.img'], 'disk.img', [file('/vm.img')], undefined],
  ['disk.img:file=%2Fa%3Ab%2Fvm.img/etc', ['disk.img'], 'disk.img', [file('/a:b/vm.img')], '/etc'],
  ['disk.img:1:file=vm.img:2/etc', ['disk.img'], 'disk.img', [number(1), file('/vm.img'), number(2)], '/etc'],
  ['disk.img:file=a:file=b', ['disk.img'], 'disk.img', [file('/a'), file('/b')], undefined],
  ['disk.img:file=b\udcff/x', ['disk.img'], 'disk.img', [file('/b\udcff')], '/x'],
  ['disk.img:file=%2F', ['disk.img'], 'disk.img', [file('/')], undefined],
  // colons in the path belong to the path
  ['disk.img:/a:b/c', ['disk.img'], 'disk.img', [], '/a:b/c'],
  ['disk.img:2/a:2/c', ['disk.img'], 'disk.img', [number(2)], '/a:2/c'],
  ['disk.img:/2:1', ['disk.img'], 'disk.img', [], '/2:1'],
  // colons in the name of the image
  ['a:b.img:2', ['a:b.img'], 'a:b.img', [number(2)], undefined],
  ['dir:x/disk.img:2/etc', ['dir:x/disk.img'], 'dir:x/disk.img', [number(2)], '/etc'],
  // a host file of the literal name wins; so does the longest that exists
  ['disk.img:2', ['disk.img', 'disk.img:2'], 'disk.img:2', [], undefined],
  ['disk.img:2:/etc', ['disk.img', 'disk.img:2'], 'disk.img:2', [], '/etc'],
  ['disk.img:/etc', ['disk.img:/etc', 'disk.img'], 'disk.img:/etc', [], undefined],
  // nothing exists: the shortest image, so that the message names it
  ['nosuch.img:2/a:b', [], 'nosuch.img', [number(2)], '/a:b'],
  ['nosuch.img:what', [], 'nosuch.img:what', [], undefined],
  // drives
  ['C:\\x.img:2/etc', ['C:\\x.img'], 'C:\\x.img', [number(2)], '/etc'],
  ['C:\\x.img', ['C:\\x.img'], 'C:\\x.img', [], undefined],
  ['C:/img/x.img:/etc', ['C:/img/x.img'], 'C:/img/x.img', [], '/etc'],
  ['C:/img/x.img', [], 'C:/img/x.img', [], undefined],
  ['C:\\x.img:2', [], 'C:\\x.img', [number(2)], undefined],
  // a file of one letter is an image all the same
  ['a:/etc', ['a'], 'a', [], '/etc'],
  ['a:2/etc', ['a'], 'a', [number(2)], '/etc'],
  ['a:2/etc', [], 'a', [number(2)], '/etc'],
];

test.each(table)('parseAddress(%j) with host files %j', (text, files, image, selectors, path) => {
  expect(parseAddress(text, (name) => files.includes(name))).toEqual({ image, selectors, path });
});

test.each([
  'disk.img:foo',
  'disk.img:0',
  'disk.img:lable=x/etc',
  'disk.img:off=',
  'disk.img:file=',
  'disk.img:1:zz',
  'disk.img:off=1,0',
  'disk.img:99999',
])('parseAddress(%j) names the selector that makes no sense when the image exists', (text) => {
  expect(() => parseAddress(text, (name) => name === 'disk.img')).toThrow(/selects nothing/);
});

test('an empty address is EINVAL, and one that starts with a colon is a file name', () => {
  expect(() => parseAddress('', () => false)).toThrow(/empty/);
  expect(parseAddress(':2', () => false).image).toBe(':2');
});

test('parseAddress() asks the host nothing when there is no colon', () => {
  parseAddress('disk.img', () => {
    throw new Error('asked');
  });
});

test.each([
  ['0', 0],
  ['512', 512],
  ['1s', 512],
  ['1K', 1024],
  ['1k', 1024],
  ['1KiB', 1024],
  ['1KB', 1000],
  ['1MiB', 1048576],
  ['2M', 2097152],
  ['1GiB', 1073741824],
  ['1TB', 1e12],
  ['7B', 7],
  ['', undefined],
  ['M', undefined],
  ['1Mi', undefined],
  ['1sB', undefined],
  ['-1', undefined],
  ['1.5M', undefined],
  ['0x10', undefined],
  ['99999999999999999', undefined],
  ['1iB', undefined],
])('parseSize(%j) is %j', (text, bytes) => expect(parseSize(text)).toBe(bytes));

test('formatAddress() gives text that reads back as the same parts', () => {
  const addresses: Address[] = [
    { image: 'd.img', selectors: [], path: undefined },
    { image: 'd.img', selectors: [], path: '/a:b' },
    {
      image: 'd.img',
      selectors: ['2', 'a', 'label=a%2Fb%25', 'off=512,1024', 'off=7', 'uuid=x', 'file=a%2Fb%3A1', 'file=%2F', '2'].map(
        parseSelector,
      ),
      path: '/etc',
    },
  ];
  for (const address of addresses) {
    expect(parseAddress(formatAddress(address), (name) => name === 'd.img')).toEqual(address);
  }
});

test('the disk that is meant in the end lies behind the last file=', () => {
  const selectors = ['1', 'file=vm.img', '2', 'file=inner.img', '3', 'b'].map(parseSelector);
  expect(diskMeant({ image: 'd.img', selectors })).toEqual({
    within: { outer: { image: 'd.img', selectors: selectors.slice(0, 3) }, path: '/inner.img' },
    parts: selectors.slice(4),
  });
  expect(formatAddress(wholeDisk({ image: 'd.img', selectors }))).toBe('d.img:1:file=vm.img:2:file=inner.img');
  expect(diskMeant({ image: 'd.img', selectors: selectors.slice(4) })).toEqual({
    within: undefined,
    parts: selectors.slice(4),
  });
  expect(formatAddress(wholeDisk({ image: 'd.img', selectors: selectors.slice(4) }))).toBe('d.img');
});
