/** Undo on every disk: overwrite, free, reallocate, roll back, commit. The tree is that of the savepoint, for everyone. */
import { FsError, O, type FileSystemType } from '@ukfs/kernel';
import { afterAll, describe, expect, test } from 'vitest';
import { diskOracles, disks } from '../support/file-systems.ts';
import { isPossible, mixed, operations } from '../support/operations.ts';
import {
  difference,
  hostWith,
  IMAGE,
  MNT,
  noise,
  openSession,
  prepare,
  put,
  treeOf,
  writeAt,
  type Prepared,
  type Session,
} from '../support/session.ts';
import { lacksOracle } from '../support/oracle.ts';

let [undone, checked, planted] = [0, 0, 0];
afterAll(() => {
  console.log(`savepoints: ${undone} rollbacks, ${checked} images judged, ${planted} planted bugs found`);
});

const SAME = '(end) | (end)';

/** Overwrite, free, and take what was freed and all else again. */
function rampage({ sys, mp }: Session): void {
  writeAt(sys, `${MNT}/file`, noise(50, 9000), 100);
  sys.unlink(`${MNT}/file`);
  sys.unlink(`${MNT}/ragged`);
  sys.truncate(`${MNT}/holes`, 0);
  sys.rename(`${MNT}/from/sub`, `${MNT}/sub`);
  sys.rmdir(`${MNT}/empty`);
  sys.mkdir(`${MNT}/other`, 0o700);
  put(sys, `${MNT}/other/greedy`, noise(51, Math.max(0, sys.statvfs(MNT).freeBlocks - 150) * mp.blockSize));
  for (let n = 0; n < 20; n++) put(sys, `${MNT}/other/${n}`, noise(n, 10));
}

const codeOf = (fn: () => unknown): string => {
  try {
    fn();
    return 'nothing';
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
};

/** The image after a commit: what the judges say, or how its tree differs from the one that should be in it. */
function problemOf({ disk }: Prepared, s: Session, tree: string): string | undefined {
  s.k.commit(s.stage);
  s.close();
  const bytes = s.host.get(IMAGE);
  checked++;
  const wrong = disk.complaint(bytes);
  if (wrong !== undefined) return wrong;
  const again = openSession(disk.type, hostWith(bytes));
  const found = difference(treeOf(again), tree);
  again.close();
  return found === SAME ? undefined : found;
}

/** Edit, mark, edit and free, go back, edit on; what is wrong then. */
function undo(image: Prepared, s: Session): string | undefined {
  const { k, sys, stage } = s;
  put(sys, `${MNT}/kept`, noise(52, 4000));
  sys.unlink(`${MNT}/victim`);
  const mark = k.savepoint(stage);
  const marked = treeOf(s);
  rampage(s);
  k.rollback(stage, mark);
  undone++;
  const back = difference(treeOf(s), marked);
  if (back !== SAME) return `after the rollback: ${back}`;
  put(sys, `${MNT}/later`, noise(53, 6000));
  return problemOf(image, s, treeOf(s));
}

describe.skipIf(lacksOracle(...diskOracles)).each(disks)('$name', (disk) => {
  const image = prepare(disk);

  test.each([0, 16 * 1024, 1 << 20])('with %i bytes of memory: the tree is that of the savepoint', (memLimit) => {
    expect(undo(image, openSession(disk.type, hostWith(image.bytes), { write: true, memLimit }))).toBeUndefined();
  });

  test('nothing but a rollback: the image does not change', () => {
    const s = openSession(disk.type, hostWith(image.bytes), { write: true, memLimit: 0 });
    const old = treeOf(s);
    const mark = s.k.savepoint(s.stage);
    mixed.run(s.sys, image);
    s.k.rollback(s.stage, mark);
    undone++;
    expect(problemOf(image, s, old)).toBeUndefined();
  });

  test('savepoints within savepoints', () => {
    const s = openSession(disk.type, hostWith(image.bytes), { write: true, memLimit: 16 * 1024 });
    const trees: string[] = [];
    const marks: number[] = [];
    for (const operation of operations.slice(0, 12)) {
      trees.push(treeOf(s));
      marks.push(s.k.savepoint(s.stage));
      if (isPossible(image, operation)) operation.run(s.sys, image);
    }
    for (const at of [9, 6, 2]) {
      s.k.rollback(s.stage, marks[at]!);
      undone++;
      expect(difference(treeOf(s), trees[at]!)).toBe(SAME);
    }
    expect(problemOf(image, s, trees[2]!)).toBeUndefined();
  });

  test('open files: those that are there again go on, those that are not are ESTALE', () => {
    const s = openSession(disk.type, hostWith(image.bytes), { write: true });
    const { k, sys, stage } = s;
    const old = treeOf(s);
    const stays = sys.open(`${MNT}/small`, O.RDWR);
    const removed = sys.open(`${MNT}/file`, O.RDONLY);
    const mark = k.savepoint(stage);
    sys.unlink(`${MNT}/file`);
    sys.pwrite(stays, noise(54, 5000), 0);
    const vanishes = sys.open(`${MNT}/new`, O.CREAT | O.RDWR, 0o600);
    sys.mkdir(`${MNT}/newdir`, 0o700);
    const directory = sys.open(`${MNT}/newdir`, O.RDONLY);
    k.rollback(stage, mark);
    undone++;
    expect(codeOf(() => sys.fstat(vanishes))).toBe('ESTALE');
    expect(codeOf(() => sys.pwrite(vanishes, new Uint8Array(5), 0))).toBe('ESTALE');
    expect(codeOf(() => sys.getdents(directory))).toBe('ESTALE');
    expect(sys.fstat(stays).size).toBe(700);
    const bytes = new Uint8Array(700);
    expect(sys.pread(stays, bytes, 0)).toBe(700);
    expect(bytes).toEqual(noise(1, 700));
    // The rollback gave the removed file its name back: the descriptor is of that file.
    const again = new Uint8Array(30_000);
    expect(sys.pread(removed, again, 0)).toBe(30_000);
    expect(again).toEqual(noise(2, 30_000));
    for (const fd of [stays, removed, vanishes, directory]) sys.close(fd);
    expect(problemOf(image, s, old)).toBeUndefined();
  });
});

test.skipIf(lacksOracle(...diskOracles))('planted bug, no reload after a rollback: found', () => {
  for (const disk of disks) {
    const image = prepare(disk);
    const type: FileSystemType = { ...disk.type, reload: () => {} };
    expect(undo(image, openSession(type, hostWith(image.bytes), { write: true })), disk.name).toBeDefined();
    planted++;
  }
});
