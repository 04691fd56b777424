/** What fsu browse shows of files and file systems, held against what other tools say of them, in a real terminal. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { terminalPlace } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const { place, open } = terminalPlace();
beforeAll(() => {
  makeTree();
});

/** What a line of shell prints; it must succeed. */
function told(line: string): string {
  const { stdout, stderr, status } = place.sh(line);
  expect(status, `${line}: ${stderr}`).toBe(0);
  return stdout;
}

/** The image in a terminal in which all of a screen is seen at once. */
async function browse(image: string, { columns = 150, lines = 70 } = {}): Promise<Terminal> {
  const t = open({ columns, lines });
  await t.command(`clear; fsu browse ${image}; echo "status $?"`);
  await t.waitFor('q quit  ? help');
  return t;
}

/** The cursor on a name; back when the screen has what is expected then. */
async function onto(t: Terminal, name: string, shows: string | RegExp): Promise<string> {
  t.keys('/');
  await t.waitFor(/^\/ *$/m);
  t.type(name);
  await t.waitFor(new RegExp(`^/${name.replaceAll('.', '\\.')}`, 'm'));
  t.keys('Enter');
  return t.waitFor(shows);
}

/** A key that leads to another screen. */
async function press(t: Terminal, key: string, shows: string | RegExp): Promise<string> {
  t.keys(key);
  return t.waitFor(shows);
}

const be32 = (n: number): number[] => [n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255];
const ascii = (text: string): number[] => [...Buffer.from(text, 'latin1')];
/** Beginnings of pictures of 640 × 480, as their specifications have them. */
const pictures = {
  'pic.png': [
    0x89,
    ...ascii('PNG\r\n\x1a\n'),
    ...be32(13),
    ...ascii('IHDR'),
    ...be32(640),
    ...be32(480),
    8,
    2,
    0,
    0,
    0,
  ],
  'pic.gif': [...ascii('GIF89a'), 0x80, 0x02, 0xe0, 0x01, 0xf0, 0, 0],
  // APP0 of 16 bytes, then SOF0: precision, height, width.
  'pic.jpg': [
    ...[0xff, 0xd8, 0xff, 0xe0, 0, 16, ...ascii('JFIF\0'), 1, 1, 0, 0, 1, 0, 1, 0, 0],
    ...[0xff, 0xc0, 0, 17, 8, 0x01, 0xe0, 0x02, 0x80, 3, 1, 0x22, 0, 2, 0x11, 1, 3, 0x11, 1, 0xff, 0xd9],
  ],
};

/** `tree`: what images are made of. */
function makeTree(): void {
  const put = (name: string, contents: string | readonly number[]): void =>
    writeFileSync(place.at(`tree/${name}`), typeof contents === 'string' ? contents : Uint8Array.from(contents));
  for (const dir of ['tree', 'tree/etc', 'tree/stuff', 'tree/stuff/deep']) mkdirSync(place.at(dir));
  put('etc/passwd', 'root:x:0:0::/:/bin/sh\nalice:x:1234:99::/:/bin/sh\n');
  put('etc/group', 'root:x:0:\nstaff:x:99:\n');
  put('utf8.txt', 'naïve café 日本\nsecond line\n');
  put('latin1.txt', [...Buffer.from('naïve café\n', 'latin1')]);
  put('utf16.txt', [0xff, 0xfe, ...Buffer.from('naïve café\n', 'utf16le')]);
  put('utf16be.txt', [0xfe, 0xff, ...Buffer.from('naïve café\n', 'utf16le').swap16()]);
  put(
    'binary',
    Array.from({ length: 3000 }, (_, at) => (at * 7) % 256),
  );
  for (const [name, bytes] of Object.entries(pictures)) put(name, bytes);
  put('squashed', [...ascii('hsqs'), ...Array.from({ length: 4092 }, () => 0)]);
  put('stuff/one', 'x'.repeat(1000));
  put('stuff/two', 'x'.repeat(2000));
  put('stuff/deep/three', 'x'.repeat(300_000));
  told(`cd tree; cp /bin/true program; gzip -nc utf8.txt >packed.gz; tar cf packed.tar etc; printf '#!/bin/sh -e\\n' >script
    ln -s utf8.txt good; ln -s nowhere broken; ln -s /etc/passwd absolute; ln -s stuff todir
    truncate -s 5M stuff/sparse; printf end >>stuff/sparse; ln stuff/two stuff/again`);
}

/** An image of the tree. */
function image(name: string, options = ''): string {
  told(`rm -f ${name}; ${requireOracle('mke2fs')} -q -t ext4 ${options} -d tree ${name} 64M`);
  return name;
}

test('preview of text: UTF-8, Latin-1 and UTF-16 are told apart', async () => {
  const t = await browse(image('looks.img'));
  const utf8 = await onto(t, 'utf8.txt', 'text, UTF-8, 32B');
  expect(utf8).toContain('naïve café 日本');
  expect(await onto(t, 'latin1.txt', 'text, ISO 8859-1, 11B')).toContain('naïve café');
  expect(await onto(t, 'utf16.txt', 'UTF-16LE with a byte order mark')).toContain('naïve café');
  expect(await onto(t, 'utf16be.txt', 'UTF-16BE with a byte order mark')).toContain('naïve café');
});

test('preview of binary data as numbers, as od has them', async () => {
  const t = await browse(image('looks.img'));
  const seen = await onto(t, 'binary', 'data, 2.9K');
  const shown = [...seen.matchAll(/([0-9a-f]{8})  ((?:[0-9a-f]{2} ){7,}[0-9a-f]{2})/g)];
  expect(shown.length).toBeGreaterThan(30);
  const across = (shown[0]?.[2] ?? '').split(' ').length;
  const expected = told(`od -An -v -tx1 -w${across} tree/binary`).split('\n');
  for (const [at, [, offset = '', bytes]] of shown.entries())
    expect([Number.parseInt(offset, 16), ` ${bytes}`]).toEqual([at * across, expected[at]]);
});

test("preview of pictures: their size, as file(1)'s", async () => {
  const t = await browse(image('looks.img'));
  const file = requireOracle('file');
  for (const name of Object.keys(pictures)) {
    const theirs = told(`${file} -b tree/${name}`);
    const [kind = ''] = /PNG|GIF|JPEG/.exec(theirs) ?? [];
    expect(theirs).toMatch(/640 ?x ?480/);
    await onto(t, name, `${kind} picture, 640 × 480`);
  }
});

test('preview of type headers: ELF, gzip, tar, squashfs, a script', async () => {
  const t = await browse(image('looks.img'));
  const elf = told(`${requireOracle('file')} -bL tree/program`);
  const seen = await onto(t, 'program', 'ELF ');
  expect(seen).toContain(elf.slice(0, 'ELF 64-bit LSB'.length));
  if (elf.includes('x86-64')) expect(seen).toContain('x86-64');
  await onto(t, 'packed.gz', 'gzip compressed');
  await onto(t, 'packed.tar', 'tar archive');
  await onto(t, 'squashed', 'squashfs file system');
  await onto(t, 'script', 'script for /bin/sh -e');
});

test('preview of links: where they lead, and whether anything is there', async () => {
  const t = await browse(image('looks.img'));
  const good = await onto(t, 'good', /(?<!absolute |broken )link to/);
  expect(good).toContain('utf8.txt');
  expect(good).toContain('which is 32B long');
  const broken = await onto(t, 'broken', 'broken link to');
  expect(broken).toContain('nowhere');
  expect(broken).toContain('No such file or directory');
  const absolute = await onto(t, 'absolute', 'absolute link to');
  // The image's own file, not the host's.
  expect(absolute).toMatch(/\/etc\/passwd[^]*which is 49B long/);
  expect(await onto(t, 'todir', 'which is a directory')).toContain('stuff');
});

test('preview of a directory: its entries and their sizes', async () => {
  const t = await browse(image('looks.img'));
  const names = told('fsu ls -A looks.img:/stuff').trim().split('\n');
  const seen = await onto(t, 'stuff', `${names.length} entries`);
  for (const name of names) expect(seen).toContain(name);
  const sizes = told("fsu find looks.img:/stuff -mindepth 1 -maxdepth 1 -printf '%s\\n'").trim().split('\n');
  const sum = sizes.reduce((total, size) => total + Number(size), 0);
  expect(seen).toContain(`${names.length} entries, ${(sum / 2 ** 20).toFixed(1)}M`);
});

test('details: inode, mode, owners by the image itself, times with nanoseconds, xattrs, ACLs, flags, extents', async () => {
  image('details.img');
  told(`fsu chown 1234:99 details.img:/binary; fsu chmod 4750 details.img:/binary
    fsu touch -d '2024-02-29T12:34:56.123456789Z' details.img:/binary
    fsu xattr set -n user.color -v blue details.img:/binary
    fsu acl set -m u:alice:rw,g:staff:r details.img:/binary; fsu chflags schg,nodump details.img:/binary`);
  const debugfs = requireOracle('debugfs');
  const stat = told(`${debugfs} -R 'stat /binary' details.img`);
  const t = await browse('details.img');
  await onto(t, 'binary', 'data, 2.9K');
  const seen = await press(t, 'i', 'extents');
  const fact = (name: string): string => new RegExp(`^${name} +(.*)$`, 'm').exec(seen)?.[1] ?? '';
  const debugged = (pattern: RegExp): string => pattern.exec(stat)?.[1] ?? `no ${pattern.source}`;
  expect(fact('inode')).toBe(debugged(/Inode: (\d+)/));
  expect(fact('mode')).toMatch(new RegExp(`^-rwsr.x--- .*${debugged(/Mode: +0?(\d+)/)}`));
  expect([fact('owner'), fact('group')]).toEqual(['1234 (alice)', '99 (staff)']);
  expect([debugged(/User: +(\d+)/), debugged(/Group: +(\d+)/)]).toEqual(['1234', '99']);
  expect(fact('links')).toBe(debugged(/Links: (\d+)/));
  expect(fact('size')).toMatch(new RegExp(`^${debugged(/Size: (\d+)/)} bytes`));
  expect(fact('on disk')).toMatch(new RegExp(`^${Number(debugged(/Blockcount: (\d+)/)) * 512} bytes`));
  for (const [name, field] of [
    ['modified', 'mtime'],
    ['accessed', 'atime'],
    ['changed', 'ctime'],
    ['born', 'crtime'],
  ] as const) {
    const [, seconds = '', extra = ''] = new RegExp(`${field}: 0x([0-9a-f]+):([0-9a-f]+)`).exec(stat) ?? [];
    const date = new Date(Number(`0x${seconds}`) * 1000).toISOString().slice(0, 19);
    const nanoseconds = String(Number(`0x${extra}`) >>> 2).padStart(9, '0');
    expect(fact(name), name).toBe(`${date}.${nanoseconds}Z`);
  }
  expect(fact('modified')).toBe('2024-02-29T12:34:56.123456789Z');
  expect(fact('user.color')).toBe('blue');
  expect(told(`${debugfs} -R 'ea_get /binary user.color' details.img`)).toContain('blue');
  // 0x10 immutable, 0x40 nodump.
  expect(Number(debugged(/Flags: (0x[0-9a-f]+)/)) & 0x50).toBe(0x50);
  expect(fact('flags').split(',').sort()).toEqual(['nodump', 'schg']);
  const acl = told('fsu acl get -c details.img:/binary').trim().split('\n');
  expect(acl).toContain('user:alice:rw-');
  for (const entry of acl) expect(seen).toContain(entry.replace(/\t.*/, ''));
  const [, last = '', block = ''] = /EXTENTS:\n\(0(?:-(\d+))?\):(\d+)/.exec(stat) ?? [];
  const size = Number(/^Block size: +(\d+)/m.exec(told(`${requireOracle('dumpe2fs')} -h details.img`))?.[1]);
  // The last block is the file's as far as the file goes.
  const bytes = Math.min(3000, (last === '' ? 1 : Number(last) + 1) * size);
  expect(seen).toMatch(new RegExp(`^ +0 +${bytes} bytes at byte ${Number(block) * size} of the file system`, 'm'));
});

test.each([
  ['0x0100000200200000000000000000000000000000', 'cap_net_raw=ep'],
  ['0x0100000300200000000000000000000000000000e8030000', 'cap_net_raw=ep [rootid=1000]'],
])('details: security.capability is decoded, %s', async (value, text) => {
  place.demo();
  told(`fsu xattr set -n security.capability --value ${value} demo.img:/README`);
  const t = await browse('demo.img');
  await onto(t, 'README', 'text, ASCII');
  expect(await press(t, 'i', 'security.capability')).toMatch(
    new RegExp(`security.capability +${text.replace(/[[\]]/g, '\\$&')}$`, 'm'),
  );
});

test('inspector: superblock, groups, a map of the free space, features, the journal, as dumpe2fs has them', async () => {
  image('inspect.img', '-L thelabel');
  const all = told(`${requireOracle('dumpe2fs')} inspect.img`);
  const t = await browse('inspect.img', { columns: 120, lines: 100 });
  const seen = await press(t, 'I', 'superblock');
  const dumped = (name: string): string => new RegExp(`^${name}:\\s+(.*)$`, 'm').exec(all)?.[1] ?? `no ${name}`;
  const fact = (name: string): string => new RegExp(`^ *${name} +(.*)$`, 'm').exec(seen)?.[1] ?? `no ${name}`;
  expect(fact('label')).toBe('thelabel');
  expect(fact('UUID')).toBe(dumped('Filesystem UUID'));
  expect(fact('state')).toBe(dumped('Filesystem state'));
  for (const [name, theirs] of [
    ['block size', 'Block size'],
    ['blocks', 'Block count'],
    ['free blocks', 'Free blocks'],
    ['reserved blocks', 'Reserved block count'],
    ['inodes', 'Inode count'],
    ['free inodes', 'Free inodes'],
    ['inode size', 'Inode size'],
    ['blocks per group', 'Blocks per group'],
    ['inodes per group', 'Inodes per group'],
    ['mount count', 'Mount count'],
  ] as const)
    expect(seen, name).toMatch(new RegExp(`^ +${name} +${dumped(theirs).trim()}$`, 'm'));
  const blockSize = Number(dumped('Block size'));
  const groups = [...all.matchAll(/^Group (\d+): \(Blocks (\d+)-(\d+)\)[^]*?^ +(\d+) free blocks/gm)];
  expect(groups.length).toBeGreaterThan(5);
  for (const [, at, first, last, free] of groups) {
    const size = (Number(last) - Number(first) + 1) * blockSize;
    expect(seen).toMatch(new RegExp(`^ +${at} +\\[[#.]+\\] ${Number(free) * blockSize} of ${size} bytes free$`, 'm'));
  }
  // A sign for each group: none is taken wholly, and those that nothing is in are free.
  const [, map = ''] = /^free space: .*\n +0B +(\S+)$/m.exec(seen) ?? [];
  expect(map).toHaveLength(groups.length);
  for (const [, at, first, last, free] of groups) {
    const sign = map.charAt(Number(at));
    const isFree = Number(free) === Number(last) - Number(first) + 1;
    expect({ at, sign }).toEqual({ at, sign: isFree ? '.' : expect.stringMatching(/[:+*#]/) });
  }
  for (const feature of dumped('Filesystem features').split(' '))
    expect(seen).toMatch(new RegExp(`^ +${feature} +(compat|incompat|roCompat); read, written$`, 'm'));
  expect(fact('journal')).toBe('clean');
  expect(fact('journal size')).toBe(`${Number.parseInt(dumped('Total journal size'), 10) * 1024}`);
  expect(fact('journal sequence')).toBe(`${Number(dumped('Journal sequence'))}`);
  expect(fact('journal start')).toBe(dumped('Journal start'));
  expect(all).not.toContain('needs_recovery');
});

test('inspector: what is refused says why, and a journal that needs recovery is told', async () => {
  image('refused.img');
  // A feature that nobody but its kernel may write: has_snapshot, 0x80 of s_feature_ro_compat.
  told(`${requireOracle('debugfs')} -w -R 'set_super_value feature_ro_compat 0x4eb' refused.img`);
  const t = await browse('refused.img', { columns: 120, lines: 100 });
  const seen = await press(t, 'I', 'superblock');
  await t.waitFor(/^ refused\.img ext4 {2}RO: /m);
  const reason = told('fsu info refused.img').match(/refused: (.*)$/m)?.[1] ?? 'no reason';
  expect(reason).not.toBe('no reason');
  expect(seen).toContain(`not written: ${reason}`);
  expect(seen).toMatch(new RegExp(`^read-only +.*${reason}`, 'm'));
  t.keys('q');
  await t.waitFor('q quit');
  t.keys('q');

  image('journal.img');
  writeFileSync(place.at('commands'), 'journal_open\njournal_write -b 700 /dev/null\njournal_close\n');
  told(`${requireOracle('debugfs')} -w -f commands journal.img; ${requireOracle('dumpe2fs')} -h journal.img`);
  expect(told(`${requireOracle('dumpe2fs')} -h journal.img`)).toContain('needs_recovery');
  await t.command('clear; fsu browse journal.img');
  await t.waitFor('q quit  ? help');
  await t.waitFor(/^ journal\.img ext4 {2}RO {2}journal needs recovery; replayed in memory/m);
  expect(await press(t, 'I', 'superblock')).toMatch(/^ +journal +needs recovery; replayed in memory/m);
});

/** Rows of the disk-usage mode: amount, length of the bar, entries, path. */
const usageRows = (seen: string): readonly { amount: string; bar: number; path: string }[] =>
  [...seen.matchAll(/^ *(\S+) \[(#*) *\] +\d* +(\/.*)$/gm)].map(([, amount = '', bar = '', path = '']) => ({
    amount,
    bar: bar.length,
    path,
  }));

test.each([
  ['disk bytes', '-h', '-k', false],
  ['apparent size', '-hA', '-b', true],
])('disk usage with bars by %s: sorted, down and up, equal to fsu du', async (_, human, exact, isApparent) => {
  image('usage.img');
  const t = await browse('usage.img');
  const du = (flags: string, dir: string): readonly (readonly [string, string])[] =>
    told(`fsu du -a -d 1 ${flags} usage.img:${dir}`)
      .trim()
      .split('\n')
      .map((line) => line.split('\t'))
      .map(([amount = '', path = '']): readonly [string, string] => [amount.trim(), path.replace('usage.img:', '')])
      .filter(([, path]) => path !== dir);
  const judge = (seen: string, dir: string): void => {
    const rows = usageRows(seen);
    // The second name of a file: du has no line for it, and it takes nothing.
    const counted = rows.filter(({ path, amount }) => path !== '/stuff/two' || amount !== '0B');
    expect(new Map(counted.map(({ path, amount }) => [path, amount]))).toEqual(
      new Map(du(human, dir).map(([amount, path]) => [path, amount])),
    );
    const bytes = new Map(du(exact, dir).map(([amount, path]) => [path, Number(amount)]));
    const sorted = rows.map(({ path }) => bytes.get(path) ?? 0);
    expect(sorted).toEqual([...sorted].sort((a, b) => b - a));
    for (const [at, { bar }] of rows.entries())
      expect(bar).toBe(Math.round(((sorted[at] ?? 0) / (sorted[0] ?? 0)) * 20));
  };
  await press(t, 'D', /space in \/ {2}\d+, by bytes on disk/);
  if (isApparent) t.keys('a');
  judge(await t.waitFor(isApparent ? 'by size' : 'by bytes'), '/');
  // Apparent sizes have /stuff with its hole at the top; what is on disk is found by walking down.
  const order = usageRows(t.capture().join('\n')).map(({ path }) => path);
  for (let at = order.indexOf('/stuff'); at > 0; at--) t.keys('j');
  t.keys('Enter');
  judge(await t.waitFor(/space in \/stuff {2}\d+, by/), '/stuff');
  expect(usageRows(t.capture().join('\n'))[0]?.path).toBe(isApparent ? '/stuff/sparse' : '/stuff/deep');
  t.keys('h');
  judge(await t.waitFor(/space in \/ {2}\d+, by/), '/');
  t.keys('q');
  await t.waitFor('q quit  ? help');
});

/** Two images of the tree, of which the second has changes of every kind. */
function twoImages(): void {
  image('before.img');
  told(`cp before.img after.img
    printf 'naïve café 日本\\nanother line\\n' >text; head -c 1234 tree/binary >data; printf '\\377\\377' >>data; tail -c +1237 tree/binary >>data
    fsu put text after.img:/utf8.txt; fsu put data after.img:/binary; fsu rm after.img:/latin1.txt
    fsu mkdir after.img:/stuff/new; fsu put text after.img:/stuff/new/file; fsu chmod 600 after.img:/script`);
}

/** Rows of the compare mode: kind and path. */
const differences = (seen: string): readonly string[] =>
  [...seen.matchAll(/^(added|removed|changed|type) +(?:.* {2})?(\/\S*)$/gm)]
    .map(([, kind, path]) => `${kind} ${path}`)
    .sort();

/** The same as fsu diff tells it. */
function diffed(): readonly string[] {
  const { stdout, status } = place.sh('fsu diff --jsonl before.img after.img');
  expect(status).toBe(1);
  return stdout
    .trim()
    .split('\n')
    .map((line): { change?: string; path?: string } => JSON.parse(line))
    .filter(({ change }) => change !== undefined)
    .map(({ change, path }) => `${change} ${path}`)
    .sort();
}

test('comparing two images: added, removed, changed as fsu diff has them; filters, and the contents of a file', async () => {
  twoImages();
  const t = await browse('before.img');
  await press(t, 'C', 'compare with image:');
  t.type('after.img');
  t.keys('Enter');
  const all = diffed();
  for (const kind of ['added', 'removed', 'changed']) expect(all.join('\n')).toMatch(new RegExp(`^${kind} `, 'm'));
  const list = `from before.img to after.img, below /  ${all.length}`;
  const seen = await t.waitFor(new RegExp(`${list}$`, 'm'));
  expect(differences(seen)).toEqual(all);
  expect(seen).toMatch(/changed +mode 0755 -> 0600.*\/script|changed +mode 0644 -> 0600.*\/script/);
  for (const [key, kind] of [
    ['+', 'added'],
    ['-', 'removed'],
    ['~', 'changed'],
  ] as const) {
    const only = all.filter((one) => one.startsWith(kind));
    expect(differences(await press(t, key, `${only.length} of ${all.length}: ${kind}`))).toEqual(only);
  }
  // Among the changed ones: the text, then the binary.
  const changed = [
    ...t
      .capture()
      .join('\n')
      .matchAll(/^changed .*?(\/\S*)$/gm),
  ].map(([, path = '']) => path);
  for (let at = 0; at < changed.indexOf('/utf8.txt'); at++) t.keys('j');
  t.keys('Enter');
  const unified = await t.waitFor('@@ -1');
  const expected = place.sh('fsu diff -u before.img:/utf8.txt after.img:/utf8.txt').stdout;
  for (const line of expected
    .split('\n')
    .slice(2)
    .filter((one) => one !== '' && /^[-+@ ]/.test(one)))
    expect(unified).toContain(line.trimEnd());
  t.keys('q');
  await t.waitFor(': changed');
  t.keys('g', 'g');
  for (let at = 0; at < changed.indexOf('/binary'); at++) t.keys('j');
  t.keys('Enter');
  const bytes = await t.waitFor('first byte that differs');
  // As cmp(1), which counts from 1.
  const first = Number.parseInt(place.sh('cmp -l tree/binary data').stdout, 10);
  expect(bytes).toContain(`is number ${first - 1}, counted from 0`);
  expect(bytes).toContain('ff ff');
  t.keys('q');
  await press(t, '~', new RegExp(`${list}$`, 'm'));
  // To what was added, where it is.
  const rows = [
    ...t
      .capture()
      .join('\n')
      .matchAll(/^(?:added|removed|changed|type) .*?(\/\S*)$/gm),
  ].map(([, p]) => p);
  t.keys('g', 'g');
  for (let at = 0; at < rows.indexOf('/stuff/new'); at++) t.keys('j');
  t.keys('Enter');
  await t.waitFor('after.img:/stuff');
  await t.waitFor('1 entry');
});

test('comparing what is staged with what is committed, and the contents of a file in both', async () => {
  place.demo();
  const hostname = told('fsu cat demo.img:/etc/hostname').trimEnd();
  const t = await browse('demo.img');
  await press(t, ':', ':');
  t.type('truncate -s 2 /etc/hostname');
  t.keys('Enter');
  await t.agree();
  await t.waitFor('STAGED 1');
  const seen = await press(t, 'C', /what is staged, below \/ {2}2$/m);
  // Both names of the file.
  expect(differences(seen)).toEqual(['changed /etc/hostname', 'changed /etc/myname']);
  const unified = await press(t, 'Enter', '@@');
  expect(unified).toMatch(new RegExp(`^-${hostname}$\n^\\+${hostname.slice(0, 2)}$`, 'm'));
  t.keys('q', 'q', 'q');
  await t.waitFor(/discard|throw|quit/i);
});

test('comparing two lists: the images in them, without a question; a file that is no image says so', async () => {
  twoImages();
  const t = await browse('before.img', { columns: 150, lines: 40 });
  await press(t, 'C', 'compare with image:');
  t.type('text');
  t.keys('Enter');
  await t.waitFor('not a file-system image');
  await press(t, 'P', 'host:');
  await press(t, 'O', 'open another image:');
  t.type('after.img');
  t.keys('Enter');
  await t.waitFor(/after\.img:\/ {2}\d+/);
  t.keys('Tab');
  await press(t, 'C', `from before.img to after.img, below /  ${diffed().length}`);
});

test('the pager: text, numbers, search forward and back', async () => {
  const text = Array.from({ length: 3000 }, (_, at) => `line ${at} ${at === 2500 ? 'needle' : ''}\n`).join('');
  writeFileSync(place.at('long'), text);
  place.demo();
  told('fsu put long demo.img:/long');
  const t = await browse('demo.img', { columns: 100, lines: 30 });
  await onto(t, 'long', 'text, ASCII');
  expect(await press(t, 'o', 'ASCII  0% of')).toMatch(/^line 0\nline 1\n/m);
  expect(await press(t, 'Space', /^line 27$/m)).not.toMatch(/^line 0$/m);
  expect(await press(t, 'G', /^line 2999$/m)).toContain('% of');
  t.keys('g', 'g');
  await t.waitFor(/^line 0$/m);
  await press(t, '/', 'search for:');
  t.type('needle');
  t.keys('Enter');
  const found = await t.waitFor('line 2500 needle');
  // At the top of the screen, below the heading.
  expect(found.split('\n')[2]).toBe('line 2500 needle');
  await press(t, 'n', 'no needle from here on');
  await press(t, 'N', 'no needle before here');
  t.keys('G');
  await t.waitFor(/^line 2999$/m);
  expect((await press(t, 'N', 'line 2500 needle')).split('\n')[2]).toBe('line 2500 needle');
  await press(t, 'x', 'hexadecimal');
  const at = text.indexOf('line 2500');
  const start = at - (at % 16);
  const row = told(`od -An -v -tx1 -j${start} -N16 long`).trim();
  await t.waitFor(new RegExp(`hexadecimal.*\\n${start.toString(16).padStart(8, '0')}  ${row}  \\|`));
  t.keys('q');
  await t.waitFor('q quit  ? help');
});
