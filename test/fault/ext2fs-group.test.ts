/** Calls in one bracket (Vfs.together) on ext images: the tree of the same calls one by one, or the tree before. */
import { CorruptError, FsError, O } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { copyContents, open, ukfsTree } from 'ukfs';
import { afterAll, describe, expect, test } from 'vitest';
import { extComplaint } from '../support/ext-adapter.ts';
import { extDisks } from '../support/ext-disks.ts';
import { mixed } from '../support/operations.ts';
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
  type Session,
} from '../support/session.ts';
import { lacksOracle } from '../support/oracle.ts';

let [groups, failed, checked] = [0, 0, 0];
afterAll(() => {
  console.log(`ext2fs groups: ${groups} groups, ${failed} of them taken back, ${checked} images by e2fsck`);
});

const SAME = '(end) | (end)';

const thrownBy = (act: () => unknown): unknown => {
  try {
    act();
  } catch (e) {
    return e;
  }
  return undefined;
};
const codeOf = (act: () => unknown): string => {
  const e = thrownBy(act);
  return e instanceof FsError ? e.code : String(e);
};

/** Vnodes in use. */
const held = ({ mp }: Session): string[] =>
  [...mp.vnodes.values()].filter((vp) => vp.usecount > 0).map(({ ino, usecount }) => `inode ${ino}: ${usecount}`);

/** Commits, and holds the image against the tree that should be in it and against e2fsck. */
function problemOf(s: Session, tree: string): string | undefined {
  s.k.commit(s.stage);
  s.close();
  const bytes = s.host.get(IMAGE);
  checked++;
  const wrong = extComplaint(bytes);
  if (wrong !== undefined) return wrong;
  const again = openSession(ext2fs, hostWith(bytes));
  const found = difference(treeOf(again), tree);
  again.close();
  return found === SAME ? undefined : found;
}

describe.skipIf(lacksOracle('mke2fs', 'e2fsck')).each(extDisks(ext2fs).slice(0, 5))('$name', (disk) => {
  const image = prepare(disk);
  const session = (memLimit = 1 << 20): Session =>
    openSession(ext2fs, hostWith(image.bytes), { write: true, memLimit });
  // What all twenty calls need is not free on a full one.
  const roomy = <T>(cases: readonly T[]): readonly T[] => (disk.percent === undefined ? cases : []);

  test.each(roomy([0, 1 << 20]))('with %i bytes of memory: as one by one', (memLimit) => {
    const single = session(memLimit);
    mixed.run(single.sys, image);
    const tree = treeOf(single);
    expect(problemOf(single, tree)).toBeUndefined();
    const s = session(memLimit);
    groups++;
    s.k.together(s.stage, () => mixed.run(s.sys, image));
    expect(difference(treeOf(s), tree)).toBe(SAME);
    expect(problemOf(s, tree)).toBeUndefined();
  });

  test('what is thrown takes everything back, whoever throws it', () => {
    const s = session();
    put(s.sys, `${MNT}/kept`, noise(60, 4000));
    const tree = treeOf(s);
    const acts = [
      () => {
        throw new FsError('EINTR');
      },
      () => s.sys.unlink(`${MNT}/none`),
      () => s.sys.rmdir(`${MNT}/full`),
    ];
    for (const act of acts) {
      groups++;
      failed++;
      const run = (): void => {
        put(s.sys, `${MNT}/new`, noise(61, 3000));
        s.sys.unlink(`${MNT}/victim`);
        act();
      };
      expect(codeOf(() => s.k.together(s.stage, run))).toMatch(/^E(INTR|NOENT|NOTEMPTY)$/);
      expect(difference(treeOf(s), tree)).toBe(SAME);
    }
    expect(problemOf(s, tree)).toBeUndefined();
  });

  test('a failure that is swallowed counts all the same, and the calls after it are ECANCELED', () => {
    const s = session();
    const tree = treeOf(s);
    const seen: string[] = [];
    const run = (): void => {
      s.sys.unlink(`${MNT}/victim`);
      seen.push(codeOf(() => s.sys.rmdir(`${MNT}/full`)));
      seen.push(codeOf(() => s.sys.unlink(`${MNT}/file`)));
    };
    groups++;
    failed++;
    expect(codeOf(() => s.k.together(s.stage, run))).toBe('ENOTEMPTY');
    expect(seen).toEqual(['ENOTEMPTY', 'ECANCELED']);
    expect(difference(treeOf(s), tree)).toBe(SAME);
    s.sys.unlink(`${MNT}/victim`);
    expect(problemOf(s, treeOf(s))).toBeUndefined();
  });

  test('a file made in a group that fails is ESTALE for who has it open', () => {
    const s = session();
    let fd = -1;
    const run = (): void => {
      fd = s.sys.open(`${MNT}/new`, O.CREAT | O.RDWR, 0o600);
      throw new FsError('EINTR');
    };
    expect(codeOf(() => s.k.together(s.stage, run))).toBe('EINTR');
    expect(codeOf(() => s.sys.fstat(fd))).toBe('ESTALE');
    s.sys.close(fd);
    s.close();
  });

  test('no commit, savepoint or rollback inside; a sync is seen by the stage', () => {
    const s = session();
    const mark = s.k.savepoint(s.stage);
    s.k.together(s.stage, () => {
      put(s.sys, `${MNT}/kept`, noise(62, 100));
      for (const act of [() => s.k.commit(s.stage), () => s.k.savepoint(s.stage), () => s.k.rollback(s.stage, mark)])
        expect(codeOf(act)).toBe('EBUSY');
      s.k.together(s.stage, () => s.sys.chmod(`${MNT}/kept`, 0o400));
      const before = s.stage.changes().length;
      s.sys.sync();
      expect(s.stage.changes().length).toBeGreaterThan(before);
    });
    expect(problemOf(s, treeOf(s))).toBeUndefined();
  });

  const faults = [
    { memLimit: 1 << 20, op: 'read' },
    { memLimit: 0, op: 'write' },
  ];
  test.each(roomy(['host']))('what cannot be copied fails alone, though files are copied in groups', async () => {
    const host = hostWith(image.bytes);
    const source = await open('memory', { type: 'tmpfs', write: true, host: memoryHost() });
    for (let n = 0; n < 150; n++) source.writeFile(`/${n}`, `file ${n}`);
    const fs = await open(IMAGE, { write: true, host });
    fs.mkdir('/target');
    fs.mkdir('/target/120');
    fs.writeFile('/target/17', 'an older and longer one');
    const told: string[] = [];
    const failures: string[] = [];
    const report = copyContents(ukfsTree(source, '/'), ukfsTree(fs, '/target'), {
      done: (path, _stat, bytes) => told.push(`${path} ${bytes}`),
      failed(path, { code }) {
        failures.push(`${path} ${code}`);
        return 'go on';
      },
    });
    expect(failures).toEqual(['120 EISDIR']);
    expect(report).toMatchObject({ files: 149, failures: 1, bytes: 10 * 6 + 90 * 7 + 49 * 8 });
    expect(new Set(told.map((line) => line.split(' ')[0])).size).toBe(149);
    expect(told.at(-1)).toMatch(new RegExp(` ${report.bytes}$`));
    for (let n = 0; n < 150; n++) if (n !== 120) expect(fs.readFile(`/target/${n}`, 'utf8')).toBe(`file ${n}`);
    fs.commit();
    expect(extComplaint(host.get(IMAGE))).toBeUndefined();
    fs.rm('/target', { recursive: true });
    expect(fs.exists('/target')).toBe(false);
    fs.commit();
    fs.close();
    source.close();
    expect(extComplaint(host.get(IMAGE))).toBeUndefined();
  });

  test.each(roomy(faults))(
    'with $memLimit bytes of memory each host $op fails once: all or nothing',
    ({ memLimit, op }) => {
      const before = session(memLimit);
      const old = treeOf(before);
      const idle = held(before);
      before.close();
      for (let n = 1; ; n += 5) {
        const s = session(memLimit);
        let count = 0;
        s.host.fault = (called, path) => {
          if (called === op && ++count === n) throw new FsError('EIO', { op, path });
        };
        groups++;
        const error = thrownBy(() => s.k.together(s.stage, () => mixed.run(s.sys, image)));
        s.host.fault = undefined;
        expect(held(s)).toEqual(idle);
        if (count < n) {
          expect(error).toBeUndefined();
          s.close();
          break;
        }
        expect(error, `call ${n}`).toMatchObject({ code: 'EIO' });
        expect(error).not.toBeInstanceOf(CorruptError);
        failed++;
        expect(difference(treeOf(s), old), `call ${n}`).toBe(SAME);
        mixed.run(s.sys, image);
        expect(problemOf(s, treeOf(s)), `call ${n}`).toBeUndefined();
      }
    },
  );
});
