import type { FileSystemModule } from '@ukfs/kernel';
import { loadLabels } from '@ukfs/kernel/all';
import { expect, test } from 'vitest';
import { diskMeant, parseSelector } from '../address.ts';
import { NotRecognisedError, SelectionError } from '../errors.ts';
import { choose } from './select.ts';
import { cachedMedium } from './medium.ts';

/** A file system that says its name at byte 0: "AFS:label:uuid". */
const named = (name: string, certainty: 'yes' | 'maybe' = 'yes'): FileSystemModule => ({
  name,
  aliases: [],
  probe(read) {
    const text = String.fromCharCode(...read(0, 64)).replace(/\0.*$/s, '');
    const [magic, label = '', uuid = ''] = text.split(':');
    return magic === name.toUpperCase() ? { description: `${name} file system`, certainty, label, uuid } : undefined;
  },
  load: () => Promise.reject(new Error('not loaded in this test')),
});
const knowledge = { modules: [named('cd9660'), named('afs'), named('bfs')], loadLabels };

const SECTOR = 512;
const text = (image: Uint8Array, at: number, content: string): void =>
  image.set(
    [...content].map((c) => c.charCodeAt(0)),
    at,
  );

/** A disk of 1 MiB; each part is [MBR type, contents at its start]. Part i starts at sector 100 * i. */
function disk(parts: readonly (readonly [type: number, contents: string])[], whole = ''): Uint8Array {
  const image = new Uint8Array(1024 * 1024);
  text(image, 0, whole);
  parts.forEach(([type, contents], i) => {
    const entry = new DataView(image.buffer, 446 + 16 * i, 16);
    entry.setUint8(4, type);
    entry.setUint32(8, 100 * (i + 1), true);
    entry.setUint32(12, 100, true);
    text(image, 100 * (i + 1) * SECTOR, contents);
  });
  if (parts.length > 0) image.set([0x55, 0xaa], 510);
  return image;
}

async function pick(image: Uint8Array, selectors: readonly string[] = [], type?: string) {
  const medium = cachedMedium((dst, offset) => dst.set(image.subarray(offset, offset + dst.length)), image.length);
  const { parts } = diskMeant({ image: 'disk.img', selectors: selectors.map(parseSelector) });
  const choice = { image: 'disk.img', selectors: parts, type };
  const { place, content } = await choose(medium, choice, knowledge);
  return [place.offset / SECTOR, content?.module?.name];
}

test('a file system without a partition table is the whole image', async () => {
  expect(await pick(disk([], 'AFS'))).toEqual([0, 'afs']);
});

test('one partition with a file system needs no selector', async () => {
  expect(
    await pick(
      disk([
        [0x82, ''],
        [0x83, 'BFS'],
      ]),
    ),
  ).toEqual([200, 'bfs']);
});

test('several file systems are listed, and each can be selected', async () => {
  const image = disk([
    [0x83, 'AFS:boot'],
    [0x83, 'BFS:root'],
    [0x0c, 'XFSB'],
  ]);
  const failure = await pick(image).catch((e: unknown) => e);
  expect(failure).toBeInstanceOf(SelectionError);
  expect(failure).toMatchObject({
    code: 'EINVAL',
    context: { what: 'it holds several file systems; say which', path: 'disk.img' },
  });
  expect(failure).toMatchObject({ message: expect.stringContaining('\n  :2  50 KiB  bfs file system "root"') });
  expect((failure as SelectionError).candidates.map((c) => [c.selector, c.type, c.description])).toEqual([
    ['1', 'afs', 'afs file system'],
    ['2', 'bfs', 'bfs file system'],
    ['3', undefined, 'XFS file system'],
  ]);
  expect(await pick(image, ['1'])).toEqual([100, 'afs']);
  expect(await pick(image, ['label=root'])).toEqual([200, 'bfs']);
  expect(await pick(image, ['type=0x83', 'off=0']).catch((e: Error) => e.message)).toMatch(
    /more than one partition is selected by type=0x83/,
  );
  expect(await pick(image, ['off=51200'])).toEqual([100, 'afs']);
  expect(await pick(image, [], 'bfs')).toEqual([200, 'bfs']);
});

test('uuid= finds file systems and partitions, in any case of letters', async () => {
  const image = disk([
    [0x83, 'AFS::ab-12'],
    [0x83, 'BFS'],
  ]);
  expect(await pick(image, ['uuid=AB-12'])).toEqual([100, 'afs']);
  expect(await pick(image, ['uuid=00000000-02'])).toEqual([200, 'bfs']);
});

test('label= may mean the whole image', async () => {
  expect(await pick(disk([], 'AFS:home'), ['label=home'])).toEqual([0, 'afs']);
});

test('a selector that fits nothing says what there is', async () => {
  const failure = await pick(disk([[0x83, 'AFS']]), ['7']).catch((e: unknown) => e);
  expect(failure).toMatchObject({ message: 'nothing is selected by 7\n  :1  50 KiB  linux' });
  await expect(pick(disk([], 'AFS'), ['1'])).rejects.toThrow(SelectionError);
  await expect(pick(disk([], 'AFS'), ['off=2MiB'])).rejects.toThrow(/outside of it/);
});

test('selectors nest', async () => {
  const image = disk([
    [0x83, 'AFS'],
    [0x83, ''],
  ]);
  const inner = new DataView(image.buffer, 200 * SECTOR, SECTOR);
  inner.setUint16(510, 0x55aa);
  inner.setUint8(450, 0x83);
  inner.setUint32(454, 10, true);
  inner.setUint32(458, 20, true);
  text(image, 210 * SECTOR, 'BFS:deep');
  expect(await pick(image, ['2', '1'])).toEqual([210, 'bfs']);
  expect(await pick(image, ['2'])).toEqual([210, 'bfs']);
  expect(await pick(image, ['2', 'label=deep'])).toEqual([210, 'bfs']);
  expect(await pick(image, ['off=51200,51200', 'off=0'])).toEqual([100, 'afs']);
});

test('a file system around partitions that hold some too is ambiguous, around others it is the one', async () => {
  await expect(pick(disk([[0x83, 'BFS']], 'AFS'))).rejects.toThrow(SelectionError);
  expect(await pick(disk([[0x82, '']], 'AFS'))).toEqual([0, 'afs']);
  expect(await pick(disk([[0x83, 'BFS']], 'AFS'), ['1'])).toEqual([100, 'bfs']);
});

test('a hybrid ISO is an ISO, whatever its partition table says', async () => {
  expect(await pick(disk([[0xef, 'AFS']], 'CD9660'))).toEqual([0, 'cd9660']);
});

test('a sure probe wins over an earlier one that may be', async () => {
  const medium = cachedMedium((dst) => text(dst, 0, 'AFS'), 4096);
  const modules = [{ ...named('afs', 'maybe'), name: 'perhaps' }, named('afs')];
  const { content } = await choose(
    medium,
    { image: 'x', selectors: [], type: undefined },
    { modules: [modules[0]!, modules[1]!], loadLabels },
  );
  expect(content?.module?.name).toBe('afs');
});

test('what is known by name only is named, with what helps', async () => {
  const failure = await pick(disk([], 'XFSB')).catch((e: unknown) => e);
  expect(failure).toBeInstanceOf(NotRecognisedError);
  expect(failure).toMatchObject({
    code: 'EFTYPE',
    recognised: 'XFS file system',
    message: 'XFS file system: this file system is not supported yet',
  });
  await expect(pick(disk([[0x83, 'XFSB']]))).rejects.toThrow(
    'XFS file system at :1: this file system is not supported yet',
  );
  await expect(
    pick(
      disk([
        [0x82, 'x'],
        [0x8e, 'LABELONE'],
      ]),
    ),
  ).rejects.toThrow(/no partition holds a file system that we know \(:1 {2}50 KiB {2}swap; :2 {2}50 KiB {2}lvm\)/);
  await expect(pick(Uint8Array.from({ length: 4096 }, (_, i) => i))).rejects.toThrow(
    'no file system or partition table is known here',
  );
});

test('a type given where no magic is found means the place itself', async () => {
  expect(await pick(disk([], 'XFSB'), [], 'bfs')).toEqual([0, undefined]);
  expect(await pick(disk([[0x83, 'XFSB']]), ['1'], 'bfs')).toEqual([100, undefined]);
});
