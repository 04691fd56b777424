/** Issue 5, item 3: images within images by address, on images that mke2fs and sfdisk made, judged by e2fsck and debugfs. */
import { copyFileSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { assertClean, mustRun } from '../support/e2fsprogs.ts';
import { makeNestedImages } from '../support/nested-images.ts';
import { Workplace } from './harness.ts';
import { schemas, violations } from './schemas.ts';

let place: Workplace;
const VM = 'disk.img:file=boot%2Fvm.img';

beforeAll(() => {
  place = new Workplace();
  makeNestedImages(place.dir);
});
afterAll(() => place.remove());

function fresh(): void {
  copyFileSync(place.at('origin.img'), place.at('disk.img'));
}

test.each([
  [['cat', `${VM}:1/etc/motd`], 'hello from within\n'],
  [['cat', `${VM}:label=second/etc/second`], 'two\n'],
  [['cat', `${VM}:1:file=deep.img/bottom`], 'as deep as it goes\n'],
  [['cat', '--image', 'disk.img', '--partition', 'file=/boot/vm.img:1', '/etc/motd'], 'hello from within\n'],
  [['ls', `${VM}:2/`], 'etc\nlost+found\n'],
  [['find', `${VM}:1/etc`, '-type', 'f'], `${VM}:1/etc/motd\n`],
  [['diff', `${VM}:1`, 'one.img'], ''],
  [['get', `${VM}:2/etc/second`, 'got'], ''],
  [['fsck', '-n', `${VM}:1:file=deep.img`], expect.stringContaining('deep.img: ext4: clean')],
  [['info', VM], expect.stringContaining('Partition table: gpt')],
  [['df', VM], expect.stringContaining(`${VM}:2`)],
])('fsu %j reads what is in it', (words, stdout) => {
  fresh();
  expect(place.run('fsu', words)).toMatchObject({ stderr: '', status: 0, stdout });
});

test('a tar archive of it is that of the file system alone', () => {
  fresh();
  const archive = (what: string) => place.run('fsu', ['tar', '-cf', '-', what]);
  expect(archive(`${VM}:1`)).toMatchObject({ stderr: '', status: 0 });
  expect(archive(`${VM}:1`).bytes.equals(archive('one.img').bytes)).toBe(true);
});

test('JSON spells it as it is typed', () => {
  fresh();
  const { stdout } = place.run('fsu', ['info', '--json', VM]);
  expect([...violations(schemas.get('fsu.info') ?? {}, JSON.parse(stdout))]).toEqual([]);
  expect(JSON.parse(stdout)).toMatchObject({
    images: [{ image: VM, table: 'gpt', candidates: [{ selector: '1' }, { selector: '2', label: 'second' }] }],
  });
});

test('files go to the host, into another image, and into the image that it lies in', () => {
  fresh();
  copyFileSync(place.at('two.img'), place.at('other.img'));
  for (const target of ['.', 'other.img:/', 'disk.img:/'])
    expect(place.run('fsu', ['cp', '-a', `${VM}:1/etc`, target])).toMatchObject({ stderr: '', status: 0 });
  expect(readFileSync(place.at('etc/motd'), 'utf8')).toBe('hello from within\n');
  for (const image of ['other.img', 'disk.img']) {
    assertClean(place.at(image));
    expect(mustRun('debugfs', ['-R', 'cat /etc/motd', place.at(image)])).toContain('hello from within\n');
  }
  expect(mustRun('debugfs', ['-R', `dump /boot/vm.img ${place.at('same.img')}`, place.at('disk.img')])).toBeDefined();
  expect(readFileSync(place.at('same.img')).equals(readFileSync(place.at('vm.img')))).toBe(true);
});

test('lines of a script read what those before them have left', () => {
  fresh();
  const lines = [
    `cp ${VM}:1/etc/motd /first`,
    'put one.img /boot/vm.img',
    `cp ${VM}/etc/motd /second`,
    `cp ${VM}:file=deep.img/bottom /third`,
    'rm /boot/vm.img',
  ];
  expect(place.run('fsu', ['script', '-c', lines.join('\n'), 'disk.img'])).toMatchObject({ stderr: '', status: 0 });
  assertClean(place.at('disk.img'));
  const cat = (path: string) => place.run('fsu', ['cat', `disk.img:${path}`]).stdout;
  expect(['/first', '/second', '/third'].map(cat)).toEqual([
    'hello from within\n',
    'hello from within\n',
    'as deep as it goes\n',
  ]);
  expect(place.run('fsu', ['ls', 'disk.img:/boot']).stdout).toBe('');
});

const READ = 'an image within an image is only read: copy it out, edit it, and put it back';

test.each([
  [['rm', `${VM}:1/etc/motd`], `fsu rm: ${VM}:1: ${READ}\n`, 1],
  [['rm', '--dry-run', `${VM}:1/etc/motd`], `fsu rm: ${VM}:1: ${READ}\n`, 1],
  [['cp', 'one.img', `${VM}:1/`], `fsu cp: ${VM}:1: ${READ}\n`, 1],
  [['mv', `${VM}:1/etc/motd`, 'disk.img:/'], `fsu mv: ${VM}:1: ${READ}\n`, 1],
  [['fsck', '-y', `${VM}:1`], `fsu fsck: ${VM}:1: ${READ}\n`, 8],
  [['mkfs', '--force', 'disk.img:file=plain', '1M'], `fsu mkfs: disk.img:file=plain: ${READ}\n`, 1],
  [['cat', 'disk.img:file=none/x'], 'fsu cat: disk.img:file=none: No such file or directory\n', 1],
  [['cat', 'disk.img:file=boot/x'], 'fsu cat: disk.img:file=boot: not a regular file\n', 3],
  [['cat', 'disk.img:file=plain/x'], 'fsu cat: disk.img:file=plain: text file: not a file-system image\n', 3],
  [['cat', `${VM}:3/x`], expect.stringContaining(`${VM}:3: nothing is selected by 3\n  :1`), 2],
  [
    ['cat', `disk.img${':file=plain'.repeat(9)}/x`],
    expect.stringMatching(/images lie within images more than 8 deep there\n$/),
    1,
  ],
  [['cat', 'disk.img:flie=plain/x'], expect.stringContaining("off= or file=; did you mean 'file=plain'?"), 2],
  [
    ['cp', `${VM}:1/etc/motd`, 'disk.img:/boot/vm.img'],
    expect.stringContaining('the file that holds this image has changed, or is gone\n'),
    1,
  ],
])('fsu %j is refused, and nothing changes', (words, stderr, status) => {
  fresh();
  expect(place.run('fsu', words)).toMatchObject({ stdout: '', stderr, status });
  expect(readFileSync(place.at('disk.img')).equals(readFileSync(place.at('origin.img')))).toBe(true);
});
