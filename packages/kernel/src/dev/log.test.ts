import { expect, test } from 'vitest';
import { ENTRIES_PER_BLOCK, EndRecord, INDEX_BLOCK_SIZE, IndexBlock, IndexEntry, LogHeader } from './log-format.ts';
import { Entries, applyLog, finishLog, markDone, matchLog, readLog, unitCrc } from './log.ts';
import type { LogContents } from './log.ts';
import { MemoryHost } from '../hypercall/memory.ts';
import { hostDirname } from './stage-open.ts';

test('the tables have the sizes and offsets that docs/log-format.md gives', () => {
  expect([LogHeader.size, EndRecord.size, IndexEntry.size]).toEqual([512, 512, 32]);
  expect(IndexBlock.size + ENTRIES_PER_BLOCK * IndexEntry.size).toBe(INDEX_BLOCK_SIZE);
  expect(LogHeader.offsetOf('state')).toBe(0x0c);
  expect(LogHeader.offsetOf('oldSize')).toBe(0x50);
});

test('a log of several index blocks is read back as it was written, applied and retired', () => {
  const host = new MemoryHost();
  const units = 300;
  host.put('/i', new Uint8Array(units * 1024));
  const image = host.open('/i', { write: true });
  const file = host.open('/l', { write: true, create: 0o600 });
  const log: LogContents = {
    unitSize: 512,
    oldSize: units * 1024,
    newSize: units * 1024,
    marks: new Entries(),
    units: new Entries(),
    superblocks: new Entries(),
  };
  const old = unitCrc(new Uint8Array(512), 0, 512);
  for (let n = 0; n < units; n++) {
    const data = new Uint8Array(512).fill(1 + (n % 250));
    file.write(data, 4096 + n * 512);
    const entries = n === units - 1 ? log.superblocks : log.units;
    entries.push(n * 1024, 4096 + n * 512, { old, new: unitCrc(data, 0, 512) });
  }
  finishLog(file, log, { dataEnd: 4096 + units * 512, image: image.stat(), host });
  const found = readLog(file);
  if (found.state !== 'complete') throw new Error(found.state);
  expect(found.contents).toEqual(log);
  expect(found.isOf(image.stat())).toBe(true);
  expect(found.isOf(file.stat())).toBe(false);
  expect(matchLog(image, log)).toEqual({ old: units, new: 0, mark: 0, foreign: 0, foreignSize: false });
  applyLog(image, file, found.contents);
  expect(matchLog(image, log)).toEqual({ old: 0, new: units, mark: 0, foreign: 0, foreignSize: false });
  markDone(file);
  expect(readLog(file).state).toBe('done');
});

test('the directory part of host paths', () => {
  const cases = [
    ['/a/b', '/a'],
    ['/a', '/'],
    ['a', '.'],
    ['/x\\y/z', '/x\\y'],
    ['C:\\d\\i.img', 'C:\\d'],
    ['C:\\i.img', 'C:\\'],
    ['C:/d/i.img', 'C:/d'],
  ] as const;
  for (const [path, dir] of cases) expect(hostDirname(path)).toBe(dir);
});
