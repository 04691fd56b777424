import { describe, expect, test } from 'vitest';
import { FsError } from '../kern/errno.ts';
import { MemoryHost } from '../hypercall/memory.ts';
import { openStage } from './stage.ts';
import type { Stage } from './stage.ts';

const IMAGE = '/d/disk.img';

function setUp(options: { size?: number; memLimit?: number } = {}): {
  host: MemoryHost;
  stage: Stage;
  before: Uint8Array;
} {
  const host = new MemoryHost();
  const before = Uint8Array.from({ length: options.size ?? 64 * 1024 }, (_, i) => (i * 7 + (i >> 8)) & 0xff);
  host.put(IMAGE, before);
  return { host, stage: openStage(host, IMAGE, { write: true, memLimit: options.memLimit ?? 1 << 20 }), before };
}

/** Equal as a whole: toEqual() on typed arrays looks at every element by itself, which takes most of a second for these. */
function expectBytes(actual: Uint8Array, expected: Uint8Array): void {
  const at = actual.findIndex((x, i) => x !== expected[i]);
  expect({ length: actual.length, firstDifference: at }).toEqual({ length: expected.length, firstDifference: -1 });
}
const filled = (length: number, value: number) => new Uint8Array(length).fill(value);
function readAll(stage: Stage): Uint8Array {
  const bytes = new Uint8Array(stage.sizeBytes);
  stage.read(bytes, 0);
  return bytes;
}
const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (e) {
    if (e instanceof FsError) return e.code;
    throw e;
  }
  return 'no error';
};

describe('reads and writes', () => {
  test.each([1 << 20, 8192, 0])(
    'reads see every write, of any alignment, before and after the commit (memory limit %i)',
    (memLimit) => {
      const { host, stage, before } = setUp({ memLimit });
      const expected = before.slice();
      let seed = 12345;
      const next = (below: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
      for (let i = 0; i < 300; i++) {
        const length = 1 + next(next(4) === 0 ? 20000 : 700);
        const offset = next(expected.length - length);
        const bytes = filled(length, i);
        stage.write(bytes, offset);
        expected.set(bytes, offset);
        const at = next(expected.length - 5000);
        const seen = new Uint8Array(next(5000));
        stage.read(seen, at);
        expectBytes(seen, expected.slice(at, at + seen.length));
      }
      expectBytes(host.get(IMAGE), before);
      expectBytes(readAll(stage), expected);
      expect(stage.commit().changed).toBe(true);
      expectBytes(host.get(IMAGE), expected);
      expectBytes(readAll(stage), expected);
      expect(host.list()).toEqual([IMAGE]);
      expect(stage.isDirty()).toBe(false);
    },
  );

  test('outside the device is EINVAL, on a reader a write is EROFS, after close everything is EBADF', () => {
    const { host, stage } = setUp();
    expect(codeOf(() => stage.read(filled(2, 0), stage.sizeBytes - 1))).toBe('EINVAL');
    expect(codeOf(() => stage.write(filled(2, 0), stage.sizeBytes - 1))).toBe('EINVAL');
    expect(codeOf(() => stage.read(filled(2, 0), -1))).toBe('EINVAL');
    expect(codeOf(() => stage.read(filled(2, 0), Number.NaN))).toBe('EINVAL');
    stage.close();
    expect(codeOf(() => stage.read(filled(2, 0), 0))).toBe('EBADF');
    const reader = openStage(host, IMAGE, { write: false });
    expect(codeOf(() => reader.write(filled(2, 0), 0))).toBe('EROFS');
    reader.close();
    expect(host.openFiles()).toBe(0);
  });

  test('an image whose size is no multiple of a unit keeps its size', () => {
    const { host, stage } = setUp({ size: 10_001 });
    stage.write(filled(100, 9), 9_901);
    stage.commit();
    expect(host.get(IMAGE).length).toBe(10_001);
    expectBytes(host.get(IMAGE).slice(9_901), filled(100, 9));
  });

  test('resize: what was cut off does not come back, what is added reads as zeros, commit sets the size', () => {
    const { host, stage, before } = setUp();
    stage.write(filled(512, 1), 40_960);
    stage.resize(20_000);
    expect(codeOf(() => stage.read(filled(1, 0), 20_000))).toBe('EINVAL');
    stage.resize(100_000);
    expectBytes(readAll(stage).slice(20_000), filled(80_000, 0));
    stage.write(filled(10, 7), 99_990);
    stage.commit();
    const expected = filled(100_000, 0);
    expected.set(before.slice(0, 20_000));
    expected.fill(7, 99_990);
    expectBytes(host.get(IMAGE), expected);
    stage.resize(4096);
    stage.commit();
    expectBytes(host.get(IMAGE), before.slice(0, 4096));
  });
});

describe('savepoints', () => {
  test.each([1 << 20, 8192, 0])(
    'nested at random, rollback returns to the very bytes (memory limit %i)',
    (memLimit) => {
      const { host, stage, before } = setUp({ memLimit, size: 48 * 1024 });
      let now = before.slice();
      const marks: { id: number; bytes: Uint8Array; size: number }[] = [];
      let seed = 99;
      const next = (below: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
      for (let step = 0; step < 1500; step++) {
        const what = next(10);
        if (what < 6) {
          const length = 1 + next(3000);
          const offset = next(now.length - length);
          stage.write(filled(length, step), offset);
          now.fill(step, offset, offset + length);
        } else if (what < 8 && marks.length < 6) {
          marks.push({
            id: stage.savepoint(next(3) === 0 ? 'explicit' : 'call'),
            bytes: now.slice(),
            size: now.length,
          });
        } else if (marks.length > 0) {
          const index = next(marks.length);
          const mark = marks[index]!;
          marks.length = index;
          if (next(2) === 0) stage.release(mark.id);
          else {
            stage.rollback(mark.id);
            now = mark.bytes.slice();
          }
        }
        if (step % 20 === 0) expectBytes(readAll(stage), now);
      }
      for (const mark of marks.reverse()) stage.release(mark.id);
      expectBytes(readAll(stage), now);
      stage.commit();
      expectBytes(host.get(IMAGE), now);
    },
  );

  test.each([0, 1 << 20])(
    'overwrite, free, reallocate, roll back: what was written in place survives (memory limit %i)',
    (memLimit) => {
      const { host, stage } = setUp({ memLimit });
      const file = { offset: 32_768, length: 20_480 };
      stage.fresh(file);
      stage.write(filled(file.length, 1), file.offset);
      stage.write(filled(512, 2), 0);
      const undo = stage.savepoint('explicit');
      stage.write(filled(512, 3), 0);
      stage.write(filled(4096, 4), file.offset);
      stage.released(file);
      // The allocator has nothing else left, and calls it fresh although it must not.
      stage.fresh(file);
      stage.write(filled(file.length, 5), file.offset);
      stage.rollback(undo);
      expect(stage.isReleased(file)).toBe(false);
      expectBytes(readAll(stage).slice(file.offset, file.offset + file.length), filled(file.length, 1));
      stage.commit();
      expectBytes(host.get(IMAGE).slice(file.offset, file.offset + file.length), filled(file.length, 1));
      expectBytes(host.get(IMAGE).slice(0, 512), filled(512, 2));
    },
  );

  test('changedSince tells whether there is anything to take back', () => {
    const { stage } = setUp();
    const id = stage.savepoint();
    expect(stage.changedSince(id)).toBe(false);
    stage.write(filled(1, 1), 0);
    expect(stage.changedSince(id)).toBe(true);
    stage.rollback(id);
    expect(stage.isDirty()).toBe(false);
  });

  test('inside a system call there is no commit; a poisoned transaction can only be discarded', () => {
    const { stage, before } = setUp();
    const id = stage.savepoint();
    expect(codeOf(() => stage.commit())).toBe('EBUSY');
    stage.write(filled(1, 1), 0);
    stage.release(id);
    stage.poison(new FsError('EIO'));
    expect(codeOf(() => stage.commit())).toBe('EIO');
    expect(codeOf(() => stage.write(filled(1, 1), 0))).toBe('EIO');
    stage.discard();
    expectBytes(readAll(stage), before);
    stage.write(filled(1, 1), 0);
    expect(stage.commit().changed).toBe(true);
  });
});

describe('freshness', () => {
  test('fresh data beyond the memory limit goes in place, anything else never before the commit', () => {
    const { host, stage, before } = setUp({ memLimit: 8192 });
    stage.fresh({ offset: 32_768, length: 32_768 });
    for (let at = 0; at < 65_536; at += 4096) stage.write(filled(4096, 1 + at / 4096), at);
    expectBytes(host.get(IMAGE).slice(0, 32_768), before.slice(0, 32_768));
    expect(host.get(IMAGE).slice(32_768)).not.toEqual(before.slice(32_768));
    expect(stage.commit().bytesInPlace).toBeGreaterThan(0);
    for (let at = 0; at < 65_536; at += 4096) expect(host.get(IMAGE)[at]).toBe(1 + at / 4096);
  });

  test('released space is not fresh again, an explicit savepoint ends freshness, superblocks are never fresh', () => {
    const { host, stage, before } = setUp({ memLimit: 0 });
    stage.superblock({ extent: { offset: 0, length: 1024 }, dirtyMark: () => undefined });
    stage.fresh({ offset: 0, length: 4096 });
    stage.fresh({ offset: 8192, length: 4096 });
    stage.savepoint('explicit');
    stage.released({ offset: 16_384, length: 4096 });
    stage.fresh({ offset: 16_384, length: 4096 });
    expect(stage.isReleased({ offset: 20_000, length: 1000 })).toBe(true);
    for (const at of [0, 8192, 16_384]) stage.write(filled(4096, 1), at);
    expectBytes(host.get(IMAGE), before);
  });

  test('what was written in place and is not used any more is zeros after commit, and after discard', () => {
    const { host, stage, before } = setUp({ memLimit: 0 });
    const at = 32_768;
    for (const end of ['commit', 'discard'] as const) {
      stage.fresh({ offset: at, length: 8192 });
      stage.write(filled(8192, 1), at);
      expect(host.get(IMAGE)[at]).toBe(1);
      stage.released({ offset: at, length: 8192 });
      stage.write(filled(512, 2), 0);
      stage[end]();
      const expected = before.slice();
      expected.fill(2, 0, 512);
      expected.fill(0, at, at + 8192);
      expectBytes(host.get(IMAGE), expected);
    }
  });

  test('the same edits give the same bytes whatever the memory limit', () => {
    const results = [0, 8192, 1 << 20].map((memLimit) => {
      const { host, stage } = setUp({ memLimit });
      const failing = stage.savepoint();
      stage.fresh({ offset: 40_960, length: 4096 });
      stage.write(filled(4096, 3), 40_960);
      stage.rollback(failing);
      stage.fresh({ offset: 32_768, length: 8192 });
      stage.write(filled(8192, 1), 32_768);
      stage.released({ offset: 36_864, length: 4096 });
      stage.write(filled(700, 2), 100);
      stage.commit();
      return host.get(IMAGE);
    });
    expectBytes(results[1]!, results[0]!);
    expectBytes(results[2]!, results[0]!);
  });
});

describe('a commit that is given up', () => {
  const enough = new Error('enough');
  /** At the nth time that it asks; false: it was done before. */
  const givesUp = (stage: Stage, nth: number): boolean => {
    let asked = 0;
    try {
      stage.commit({
        gathering() {
          if (++asked === nth) throw enough;
        },
      });
    } catch (thrown) {
      if (thrown !== enough) throw thrown;
      return true;
    }
    return false;
  };

  test.each([1 << 20, 8192, 0])(
    'wherever that is, all is still staged, the image is as it was, and a later one commits it (memory limit %i)',
    (memLimit) => {
      let nth = 1;
      for (let isGivenUp = true; isGivenUp; nth++) {
        const { host, stage, before } = setUp({ memLimit, size: 1 << 18 });
        const expected = before.slice();
        const marks: { readonly id: number; readonly bytes: Uint8Array }[] = [];
        for (let i = 0; i < 20; i++) {
          marks.push({ id: stage.savepoint('explicit'), bytes: expected.slice() });
          stage.write(filled(5000, i), i * 12_345);
          expected.fill(i, i * 12_345, i * 12_345 + 5000);
        }
        const files = host.list();
        isGivenUp = givesUp(stage, nth);
        if (!isGivenUp) break;
        expectBytes(host.get(IMAGE), before);
        expect(host.list()).toEqual(files);
        expectBytes(readAll(stage), expected);
        const last = marks[10]!;
        stage.rollback(last.id);
        expectBytes(readAll(stage), last.bytes);
        expect(stage.commit().changed).toBe(true);
        expectBytes(host.get(IMAGE), last.bytes);
        expect(host.list()).toEqual([IMAGE]);
      }
      expect(nth).toBeGreaterThan(10);
    },
  );

  test('what was written in place and removed since a savepoint is there again after a rollback to it', () => {
    const { host, stage, before } = setUp({ memLimit: 0 });
    stage.fresh({ offset: 32_768, length: 8192 });
    stage.write(filled(8192, 1), 32_768);
    expect(host.get(IMAGE)[32_768]).toBe(1);
    const mark = stage.savepoint('explicit');
    stage.released({ offset: 32_768, length: 8192 });
    stage.write(filled(512, 2), 0);
    expect(givesUp(stage, 1)).toBe(true);
    stage.rollback(mark);
    const expected = before.slice().fill(1, 32_768, 40_960);
    expectBytes(readAll(stage), expected);
    stage.commit();
    expectBytes(host.get(IMAGE), expected);
  });

  test('once it is too late for that, how far it is is told to the end', () => {
    const { host, stage } = setUp();
    stage.write(filled(512, 2), 1024);
    const told: number[] = [];
    const { changed } = stage.commit({ applying: ({ doneBytes }) => void told.push(doneBytes) });
    expect(changed).toBe(true);
    expect(told).toEqual([0, 512]);
    expect(host.get(IMAGE)[1024]).toBe(2);
  });
});

describe('purity', () => {
  test('nothing written, the same bytes written, everything rolled back, discarded: no host call that changes anything', () => {
    const { host, stage, before } = setUp();
    expect(stage.commit().changed).toBe(false);
    stage.write(before.slice(1000, 3000), 1000);
    expect(stage.commit().changed).toBe(false);
    const id = stage.savepoint('explicit');
    stage.write(filled(100, 1), 5);
    stage.rollback(id);
    expect(stage.commit().changed).toBe(false);
    stage.write(filled(100, 1), 5);
    stage.discard();
    stage.close();
    expect(host.changes).toBe(0);
  });

  test('a dry run shows its edits, refuses to commit and touches only a scratch file without a name', () => {
    const { host, stage, before } = setUp();
    stage.close();
    const dry = openStage(host, IMAGE, { write: true, dryRun: true, memLimit: 0 });
    dry.fresh({ offset: 0, length: 8192 });
    dry.write(filled(8192, 1), 0);
    expectBytes(readAll(dry).slice(0, 8192), filled(8192, 1));
    expect(codeOf(() => dry.commit())).toBe('EROFS');
    expect(dry.changes()).toEqual([{ offset: 0, length: 8192 }]);
    dry.discard();
    expectBytes(readAll(dry), before);
    dry.close();
    expect(host.list()).toEqual([IMAGE]);
    expectBytes(host.get(IMAGE), before);
  });
});
