/** An error that went by a channel is the error it was. */
import { CommitError, CorruptError, FsError, UnsupportedError } from '@ukfs/kernel';
import { expect, test } from 'vitest';
import { ImageChangedError, NotRecognisedError, SelectionError } from '../errors.ts';
import type { Candidate } from '../handle.ts';
import { entriesFrom, errorOf, failureOf, sentEntries } from './failure.ts';

const candidate: Candidate = {
  selector: '2',
  device: { offset: 1, sizeBytes: 2 ** 30, sectorSize: 512, partition: undefined },
  type: 'ext2fs',
  kind: 'fs',
  description: 'ext4 file system',
  label: 'root',
  uuid: '',
  advice: '',
};

const errors: readonly FsError[] = [
  new FsError('ENOENT', { op: 'open', path: '/a\udc80', image: 'disk.img' }),
  new FsError('EROFS', { what: 'asked for', readOnly: 'asked' }),
  new CorruptError('inode block pointer', { ino: 12, block: 7 }),
  new UnsupportedError('feature 0x10000'),
  new SelectionError('which one?', [candidate, candidate], { image: 'disk.img' }),
  new NotRecognisedError('nothing we know', 'XFS file system', { image: 'disk.img' }),
  new NotRecognisedError('nothing we know', undefined),
  new ImageChangedError({ op: 'close', path: 'disk.img' }),
  new CommitError('committed', new FsError('EIO', { op: 'write', offset: 4096 }), '/real/disk.img'),
  new CommitError('discarded', new CorruptError('odd: it has a colon: twice'), 'disk.img'),
];

test.each(errors)('%s', (error) => {
  const back = errorOf(structuredClone(failureOf(error)));
  expect(back.constructor).toBe(error.constructor);
  expect({ ...back }).toEqual({ ...error });
  expect([back.name, back.message, back.code, back.errno]).toEqual([
    error.name,
    error.message,
    error.code,
    error.errno,
  ]);
  expect(back.cause).toEqual(error.cause);
});

test('what is no error of ours is EIO, with what it was as its cause', () => {
  const back = errorOf(structuredClone(failureOf(new TypeError('x is not a function'))));
  expect(back).toMatchObject({ code: 'EIO', message: 'x is not a function', cause: { name: 'TypeError' } });
  expect(errorOf(structuredClone(failureOf('thrown text')))).toMatchObject({ code: 'EIO', message: 'thrown text' });
});

test('a chain of causes is told as far as anybody reads', () => {
  let error = new FsError('EIO', { what: '0' });
  for (let i = 1; i < 10; i++) error = new FsError('EIO', { what: `${i}` }, { cause: error });
  const told: string[] = [];
  for (let at: unknown = errorOf(failureOf(error)); at instanceof FsError; at = at.cause) told.push(at.message);
  expect(told).toEqual(['9', '8', '7', '6', '5']);
});

test('an errno that we do not know is EIO', () => {
  const failure = { ...failureOf(new FsError('ENOENT')), code: 'constructor' as never };
  expect(errorOf(failure).code).toBe('EIO');
});

test('entries of damaged inodes keep their error', () => {
  const dirent = { name: 'x', ino: 3, type: undefined, dev: 1 };
  const entries = [
    { ...dirent, stat: undefined, error: new CorruptError('inode checksum', { ino: 3 }) },
    { ...dirent, stat: undefined },
  ] as unknown as Parameters<typeof sentEntries>[0];
  const [bad, good] = entriesFrom(structuredClone(sentEntries(entries)));
  expect(bad?.error).toBeInstanceOf(CorruptError);
  expect(bad?.error).toMatchObject({ context: { ino: 3 } });
  expect(good).toEqual(entries[1]);
});
