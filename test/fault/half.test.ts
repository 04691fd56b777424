/**
 * Half operations: a read fails, the disk under the log fails or is full, the image has no block or inode left. The call
 * throws and is wholly absent, in memory as well as in the stage, or it is complete; whatever comes after it works.
 */
import { FsError, O } from '@ukfs/kernel';
import type { HostOp } from '@ukfs/kernel/host/memory';
import { afterAll, describe, expect, test } from 'vitest';
import { diskOracles, disks } from '../support/file-systems.ts';
import { isPossible, operations, singleCalls, type Operation } from '../support/operations.ts';
import {
  difference,
  heldBy,
  hostWith,
  IMAGE,
  leaveBlocks,
  MNT,
  namesIn,
  noise,
  openSession,
  prepare,
  put,
  treeOf,
  type Prepared,
  type Session,
} from '../support/session.ts';
import { lacksOracle } from '../support/oracle.ts';

let faults = 0;
let full = 0;
let checked = 0;
afterAll(() => {
  console.log(`half: ${faults} failed host calls, ${full} steps without space, ${checked} images judged`);
});

const sizes = disks.filter(({ name }) => name === 'ext2 1k' || name === 'ext4 1k' || name === 'ext4 4k');

/** The image as it will be committed: clean, and the tree in it that of the mount. */
function commitIsSound({ disk }: Prepared, s: Session, where: string, options: { readonly check: boolean }): void {
  s.k.commit(s.stage);
  const tree = treeOf(s);
  s.sys.unmount(MNT);
  const bytes = s.host.get(IMAGE);
  s.close();
  const again = openSession(disk.type, hostWith(bytes));
  expect(difference(treeOf(again), tree), where).toBe('(end) | (end)');
  again.close();
  if (!options.check) return;
  checked++;
  expect(disk.complaint(bytes), where).toBeUndefined();
}

/** What shows that the mount still works, and that no memory of the failed call misleads it. */
function workOn({ sys }: Session): void {
  sys.mkdir(`${MNT}/after`, 0o755);
  put(sys, `${MNT}/after/file`, noise(90, 3000));
  for (const name of ['victim', 'small'])
    if (namesIn(sys, MNT).includes(name)) sys.rename(`${MNT}/${name}`, `${MNT}/after/${name}`);
}

interface Trouble {
  readonly name: string;
  readonly memLimit: number;
  readonly fails: (op: HostOp, path: string) => boolean;
  /** How many host calls in a row. */
  readonly length: number;
  /** Try one call of so many, another one with each operation. */
  readonly every: number;
}

const isRead = (op: HostOp): boolean => op === 'read';
const isWrite = (op: HostOp): boolean => op === 'write' || op === 'create';
const troubles: readonly Trouble[] = [
  { name: 'a read fails', memLimit: 1 << 20, fails: isRead, length: 1, every: 1 },
  { name: 'reads fail from some moment on', memLimit: 1 << 20, fails: isRead, length: Infinity, every: 4 },
  { name: 'no memory, a read fails', memLimit: 0, fails: isRead, length: 1, every: 3 },
  { name: 'no memory, a write fails', memLimit: 0, fails: isWrite, length: 1, every: 3 },
  {
    name: 'no memory, everything fails from some moment on',
    memLimit: 0,
    fails: () => true,
    length: Infinity,
    every: 4,
  },
];

/** Fail the n-th such host call (and `length` in all) inside the operation. */
function attempt(s: Session, trouble: Trouble, n: number, run: () => void): { hit: boolean; error: unknown } {
  let count = 0;
  s.host.fault = (op, path) => {
    if (!trouble.fails(op, path)) return;
    count++;
    if (count >= n && count < n + trouble.length) throw new FsError(isRead(op) ? 'EIO' : 'ENOSPC', { op, path });
  };
  let error: unknown;
  try {
    run();
  } catch (e) {
    error = e;
  }
  s.host.fault = undefined;
  return { hit: count >= n, error };
}

describe.skipIf(lacksOracle(...diskOracles)).each(sizes)('$name', (disk) => {
  const image = prepare(disk);
  const possible = singleCalls.filter((operation) => isPossible(image, operation));
  const before = openSession(disk.type, hostWith(image.bytes));
  const old = treeOf(before);
  before.close();

  test.each(troubles)('$name: each operation is absent or complete', (trouble) => {
    const most = trouble.every * (image.blockSize === 4096 ? 3 : 1);
    for (const [first, operation] of possible.entries()) {
      for (let n = 1 + (first % most); ; n += most) {
        const s = openSession(disk.type, hostWith(image.bytes), { write: true, memLimit: trouble.memLimit });
        const where = `${operation.name}, ${trouble.name}, call ${n}`;
        const { hit, error } = attempt(s, trouble, n, () => operation.run(s.sys, image));
        if (!hit) {
          expect(error, where).toBeUndefined();
          s.close();
          break;
        }
        faults++;
        judge(s, { where, error, operation, check: (n + first) % 8 === 0 });
      }
    }
  });

  test('a file without a name cannot be freed when it is closed: it is an orphan, and the next writer frees it', () => {
    for (let n = 1; ; n++) {
      const s = openSession(disk.type, hostWith(image.bytes), { write: true });
      const fd = s.sys.open(`${MNT}/ragged`, O.RDONLY);
      s.sys.unlink(`${MNT}/ragged`);
      s.k.commit(s.stage);
      s.mp.bufs.dropAll();
      const { hit, error } = attempt(s, troubles[0]!, n, () => s.sys.close(fd));
      const where = `close, call ${n}`;
      if (hit) faults++;
      expect(error === undefined, where).toBe(!hit);
      expect(s.mp.bufs.pinned, where).toBe(0);
      expect(heldBy(s), where).toEqual([]);
      workOn(s);
      s.k.commit(s.stage);
      const committed = s.host.get(IMAGE);
      s.close();
      const host = hostWith(committed);
      const next = openSession(disk.type, host, { write: true });
      next.sys.chmod(`${MNT}/after`, 0o700);
      next.k.commit(next.stage);
      next.close();
      checked++;
      expect(disk.complaint(host.get(IMAGE)), where).toBeUndefined();
      if (!hit) return;
    }
  });

  function judge(
    s: Session,
    { where, error, operation, check }: { where: string; error: unknown; operation: Operation; check: boolean },
  ): void {
    if (error === undefined) {
      // A read ahead that failed, or a file that could not be released at once: the call did its work.
      expect(s.mp.bufs.pinned, where).toBe(0);
      expect(heldBy(s), where).toEqual([]);
      commitIsSound(image, s, where, { check });
      return;
    }
    expect(error, where).toBeInstanceOf(FsError);
    expect(s.mp.bufs.pinned, where).toBe(0);
    if (isPoisoned(s)) s.k.discard(s.stage);
    expect(heldBy(s), where).toEqual([]);
    expect(difference(treeOf(s), old), where).toBe('(end) | (end)');
    operation.run(s.sys, image);
    workOn(s);
    expect(s.mp.bufs.pinned, where).toBe(0);
    expect(heldBy(s), where).toEqual([]);
    commitIsSound(image, s, where, { check });
  }
});

describe.skipIf(lacksOracle(...diskOracles)).each(sizes.slice(0, 2))('$name without space', (disk) => {
  const image = prepare(disk);
  const possible = singleCalls.filter((operation) => isPossible(image, operation));

  /** The image with so many blocks, or inodes, free. */
  function tight(count: number, what: 'blocks' | 'inodes'): Uint8Array {
    const s = openSession(disk.type, hostWith(image.bytes, 1_400_000_000), { write: true });
    if (what === 'blocks') expect(leaveBlocks(s, count)).toBeGreaterThanOrEqual(count);
    else {
      const { freeFiles } = s.sys.statvfs(MNT);
      s.sys.mkdir(`${MNT}/hogs`, 0o700);
      for (let n = count + 1; n < freeFiles; n++) s.sys.mknod(`${MNT}/hogs/${n}`, 'fifo', 0o600);
      expect(s.sys.statvfs(MNT).freeFiles).toBe(count);
    }
    s.k.commit(s.stage);
    s.close();
    return s.host.get(IMAGE);
  }

  test.each(['blocks', 'inodes'] as const)('%s: each operation is absent or complete', (what) => {
    const left = new Set(possible);
    for (let count = 0; left.size > 0; count += count < 8 ? 1 : 9) {
      const bytes = tight(count, what);
      const base = openSession(disk.type, hostWith(bytes));
      const old = treeOf(base);
      base.close();
      for (const operation of [...left]) {
        const where = `${operation.name} with ${count} ${what} free`;
        const s = openSession(disk.type, hostWith(bytes), { write: true });
        const { freeBlocks } = s.sys.statvfs(MNT);
        let done: unknown;
        let error: unknown;
        try {
          done = operation.run(s.sys, image);
        } catch (e) {
          error = e;
        }
        full++;
        expect(s.mp.bufs.pinned, where).toBe(0);
        expect(heldBy(s), where).toEqual([]);
        const isShort = typeof done === 'number' && done < (operation.bytes ?? 0);
        if (error === undefined && !isShort) left.delete(operation);
        // A short write used what there was.
        if (isShort) expect(s.sys.statvfs(MNT).freeBlocks, where).toBeLessThan(Math.max(1, freeBlocks));
        if (error !== undefined) {
          expect(error instanceof FsError ? error.code : error, where).toBe('ENOSPC');
          expect(difference(treeOf(s), old), where).toBe('(end) | (end)');
          s.sys.unlink(`${MNT}/victim`);
          s.sys.truncate(`${MNT}/file`, 100);
        }
        commitIsSound(image, s, where, { check: error === undefined || full % 6 === 0 });
      }
      expect(count).toBeLessThan(100);
    }
  });
});

test.skipIf(lacksOracle(...diskOracles))('planted bug, no reload after a failed call: found', () => {
  const [disk] = sizes;
  if (disk === undefined) throw new Error('no disk');
  const image = prepare(disk);
  const mkdir = operations.find(({ name }) => name === 'mkdir')!;
  const wrong = [1, 2, 3, 4, 5, 6, 7, 8].filter((n) => {
    const s = openSession({ ...disk.type, reload: () => {} }, hostWith(image.bytes), { write: true });
    const old = treeOf(s);
    s.mp.bufs.dropAll();
    const { hit } = attempt(s, troubles[0]!, n, () => mkdir.run(s.sys, image));
    const now = treeOf(s);
    s.close();
    return hit && now !== old;
  });
  expect(wrong.length).toBeGreaterThan(0);
});

/** Does the transaction refuse to go on? Then it says so at any change, and discarding it is the way out. */
function isPoisoned({ stage }: Session): boolean {
  try {
    stage.write(new Uint8Array(0), 0);
    return false;
  } catch {
    return true;
  }
}
