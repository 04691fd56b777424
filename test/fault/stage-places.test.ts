/** Identity, places, locks and purity: what is refused before any work, and what never changes anything. */
import { describe, expect, test } from 'vitest';
import { LogHeader } from '../../packages/kernel/src/dev/log-format.ts';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import type { StageOptions } from '../../packages/kernel/src/dev/stage.ts';
import { FsError } from '../../packages/kernel/src/kern/errno.ts';
import { MemoryHost } from '../../packages/kernel/src/hypercall/memory.ts';
import { baseState, IMAGE, LOG, record, scenarios } from '../crash/scenarios.ts';
import { hostFrom } from '../support/reorder-host.ts';
import { judge, ToyFs } from '../support/toyfs.ts';

const recording = record(scenarios[0]!);
const after = recording.trees[1]!;

/** Crashed after the commit point, the image half applied. */
function half(): MemoryHost {
  const live = [...recording.rec.cuts()].filter(({ state }) => {
    const bytes = state.files.get(state.names.get(LOG) ?? -1)?.bytes;
    return bytes !== undefined && LogHeader.at(bytes, 0).state === 1;
  });
  return hostFrom(live[Math.floor(live.length / 2)]!.state);
}

/** Error code of an attempt, or the tree that it sees. Nothing may change and nothing stay open when it is refused. */
function attempt(host: MemoryHost, options: StageOptions, path = IMAGE): string {
  const names = host.list();
  const changes = host.changes;
  try {
    const stage = openStage(host, path, options);
    const tree = judge(stage);
    stage.close();
    return tree;
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    expect(host.changes).toBe(changes);
    expect(host.list()).toEqual(names);
    expect(host.openFiles()).toBe(0);
    return thrown.code;
  }
}
const both = (host: MemoryHost): string[] => [attempt(host, { write: false }), attempt(host, { write: true })];

const READ = { write: false };
const WRITE = { write: true };

describe('identity', () => {
  test('image removed and re-created, or copied together with its log: refused, though the bytes are the same', () => {
    const recreated = half();
    recreated.put(IMAGE, recreated.get(IMAGE));
    expect(both(recreated)).toEqual(['EIO', 'EIO']);
    const sameInode = half();
    sameInode.put(IMAGE, sameInode.get(IMAGE), { ino: sameInode.inoOf(IMAGE), birthtime: { sec: 5, nsec: 5 } });
    expect(both(sameInode)).toEqual(['EIO', 'EIO']);
    const copied = half();
    copied.put('/d/copy.img', copied.get(IMAGE));
    copied.put('/d/copy.img.fsu-log', copied.get(LOG));
    expect(attempt(copied, READ, '/d/copy.img')).toBe('EIO');
    expect(attempt(copied, READ)).toBe(after);
  });

  test('moved with its log: both are found; moved without: the image alone is marked dirty', () => {
    const moved = half();
    moved.rename(IMAGE, '/e/new.img');
    moved.rename(LOG, '/e/new.img.fsu-log');
    expect(attempt(moved, READ, '/e/new.img')).toBe(after);
    expect(attempt(moved, WRITE, '/e/new.img')).toBe(after);
    const alone = half();
    alone.rename(IMAGE, '/e/new.img');
    const stage = openStage(alone, '/e/new.img', READ);
    expect(new ToyFs(stage).isDirty()).toBe(true);
  });

  test('several hard links: readers do not mind, writers need force', () => {
    const host = hostFrom(baseState());
    host.link(IMAGE, '/d/other');
    expect(both(host)).toEqual([recording.trees[0], 'EMLINK']);
    expect(attempt(host, { write: true, force: true })).toBe(recording.trees[0]);
  });

  test('through a symbolic link the log stands beside the real image', () => {
    const host = half();
    host.symlink(IMAGE, '/elsewhere/link.img');
    expect(attempt(host, READ, '/elsewhere/link.img')).toBe(after);
    expect(attempt(host, WRITE, '/elsewhere/link.img')).toBe(after);
    expect(host.has(LOG)).toBe(false);
  });

  test('replaced or changed behind our back while we edit: nothing is committed, nothing written', () => {
    for (const change of ['replaced', 'changed'] as const) {
      const host = hostFrom(baseState());
      const stage = openStage(host, IMAGE, WRITE);
      stage.write(new Uint8Array(600), 30_000);
      if (change === 'replaced') host.put(IMAGE, host.get(IMAGE));
      else {
        const other = host.open(IMAGE, WRITE);
        other.write(new Uint8Array(1), 39_000);
        other.close();
      }
      const bytes = host.get(IMAGE);
      expect(() => stage.commit()).toThrow(/discarded.*(replaced|changed)/);
      expect(Buffer.compare(host.get(IMAGE), bytes)).toBe(0);
      stage.close();
      expect(host.list()).toEqual([IMAGE]);
    }
  });

  test('a reader is told when the image, its inode or its log changed meanwhile', () => {
    const changes: ((host: MemoryHost) => void)[] = [
      (host) => host.open(IMAGE, WRITE).write(new Uint8Array(1), 0),
      (host) => host.open(IMAGE, WRITE).truncate(512),
      (host) => host.put(IMAGE, host.get(IMAGE)),
      (host) => host.unlink(IMAGE),
      (host) => host.put(LOG, new Uint8Array(1)),
    ];
    for (const change of changes) {
      const host = hostFrom(baseState());
      const stage = openStage(host, IMAGE, READ);
      stage.checkUnchanged();
      change(host);
      expect(() => stage.checkUnchanged()).toThrow(/changed while reading/);
    }
    const behind = half();
    const stage = openStage(behind, IMAGE, READ);
    stage.checkUnchanged();
    behind.unlink(LOG);
    expect(() => stage.checkUnchanged()).toThrow(/changed while reading/);
  });
});

describe('places', () => {
  test('a directory that takes no log: writers are refused before any work, --log elsewhere helps', () => {
    const host = hostFrom(baseState());
    host.readOnlyDirs.add('/d');
    expect(both(host)).toEqual([recording.trees[0], 'EACCES']);
    const stage = openStage(host, IMAGE, { write: true, log: '/var/x.log' });
    new ToyFs(stage).write('n', new Uint8Array(100));
    stage.commit();
    stage.close();
    expect(host.list()).toEqual([IMAGE]);
  });

  test.each([
    [243, 'fits'],
    [244, 'ENAMETOOLONG'],
    [250, 'ENAMETOOLONG'],
  ])('a name of %i bytes: %s', (length, expected) => {
    const path = `/d/${'n'.repeat(length)}`;
    const host = new MemoryHost();
    host.put(path, hostFrom(baseState()).get(IMAGE));
    expect(attempt(host, READ, path)).toBe(recording.trees[0]);
    expect(attempt(host, WRITE, path)).toBe(expected === 'fits' ? recording.trees[0] : expected);
    if (expected !== 'fits') return;
    const stage = openStage(host, path, WRITE);
    new ToyFs(stage).remove('a');
    expect(stage.commit().changed).toBe(true);
  });

  test('links planted under the names of the log are never followed', () => {
    const host = hostFrom(baseState());
    host.put('/etc/passwd', new Uint8Array(3));
    host.symlink('/etc/passwd', LOG);
    expect(both(host)).toEqual(['EIO', 'EIO']);
    host.unlink(LOG);
    host.symlink('/etc/passwd', `${LOG}.new`);
    const stage = openStage(host, IMAGE, WRITE);
    expect(host.has(`${LOG}.new`)).toBe(false);
    host.symlink('/etc/passwd', `${LOG}.new`);
    stage.write(new Uint8Array(600), 30_000);
    expect(() => stage.commit()).toThrow(/discarded/);
    expect(host.get('/etc/passwd')).toEqual(new Uint8Array(3));
  });

  test('a log with several links, or of another user, is refused', () => {
    const linked = half();
    linked.link(LOG, '/tmp/x');
    expect(both(linked)).toEqual(['EIO', 'EIO']);
    const foreign = half();
    foreign.put(LOG, foreign.get(LOG), { uid: 1000 });
    expect(both(foreign)).toEqual(['EIO', 'EIO']);
    const owners = half();
    owners.put(LOG, owners.get(LOG), { uid: 1000 });
    owners.put(IMAGE, owners.get(IMAGE), { uid: 1000, ino: owners.inoOf(IMAGE), birthtime: owners.birthOf(IMAGE) });
    expect(both(owners)).toEqual([after, after]);
  });

  test('a block device is written only with a log elsewhere', () => {
    const host = new MemoryHost();
    host.put('/dev/sdx', hostFrom(baseState()).get(IMAGE), { type: 'blk' });
    expect(attempt(host, READ, '/dev/sdx')).toBe(recording.trees[0]);
    expect(attempt(host, WRITE, '/dev/sdx')).toBe('EROFS');
    const stage = openStage(host, '/dev/sdx', { write: true, log: '/var/sdx.log' });
    new ToyFs(stage).remove('a');
    stage.commit();
    stage.close();
    expect(host.list()).toEqual(['/dev/sdx']);
  });

  test('mounted, attached, or itself a mount point: EBUSY for writers, with the holder named', () => {
    const host = hostFrom(baseState());
    host.holders.set(IMAGE, { kind: 'loop', detail: 'attached to /dev/loop3' });
    expect(both(host)).toEqual([recording.trees[0], 'EBUSY']);
    expect(() => openStage(host, IMAGE, WRITE)).toThrow(/loop3/);
  });

  test('directories and devices that are no disks are refused', () => {
    const host = new MemoryHost();
    host.put('/dev/tty', new Uint8Array(0), { type: 'chr' });
    host.put('/d', new Uint8Array(0), { type: 'dir' });
    expect([attempt(host, READ, '/dev/tty'), attempt(host, READ, '/d'), attempt(host, READ, '/no')]).toEqual([
      'EFTYPE',
      'EISDIR',
      'ENOENT',
    ]);
  });
});

describe('locks', () => {
  test('two writers of one host: the second is EBUSY, readers are not, and the death of the first frees the image', () => {
    const host = hostFrom(baseState());
    const first = openStage(host, IMAGE, WRITE);
    first.write(new Uint8Array(600), 30_000);
    expect(() => openStage(host, IMAGE, WRITE)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    const reader = openStage(host, IMAGE, READ);
    expect(judge(reader)).toBe(recording.trees[0]);
    host.kill();
    expect(attempt(host, WRITE)).toBe(recording.trees[0]);
    const third = openStage(host, IMAGE, WRITE);
    third.close();
    expect(attempt(host, WRITE)).toBe(recording.trees[0]);
  });

  test('a host without locks: writers refuse unless told otherwise', () => {
    const host = hostFrom(baseState(), { locks: false });
    expect(both(host)).toEqual([recording.trees[0], 'ENOLCK']);
    expect(attempt(host, { write: true, lock: false })).toBe(recording.trees[0]);
  });

  test('a log is looked at only under the lock: a live writer keeps its own', () => {
    const host = hostFrom(baseState());
    const writer = openStage(host, IMAGE, { write: true, memLimit: 0 });
    new ToyFs(writer).write('n', new Uint8Array(5000).fill(1));
    expect(host.has(`${LOG}.new`)).toBe(true);
    expect(() => openStage(host, IMAGE, WRITE)).toThrow(expect.objectContaining({ code: 'EBUSY' }));
    expect(host.has(`${LOG}.new`)).toBe(true);
    writer.commit();
    writer.close();
  });
});

describe('purity', () => {
  test('reading, also behind a committed log, makes no call that changes anything', () => {
    for (const host of [hostFrom(baseState()), half()]) {
      const stage = openStage(host, IMAGE, READ);
      judge(stage);
      stage.checkUnchanged();
      stage.close();
      expect(host.changes).toBe(0);
    }
  });

  test('a dry run behind a committed log shows the new tree and its own edits, and discards back to it', () => {
    const host = half();
    const stage = openStage(host, IMAGE, { write: true, dryRun: true });
    const fs = new ToyFs(stage);
    fs.remove('a');
    expect(judge(stage)).not.toBe(after);
    stage.discard();
    expect(judge(stage)).toBe(after);
    stage.close();
    expect(host.changes).toBe(0);
  });

  test.each([0, 1 << 20])(
    'a dry run that is promoted commits its edits (memory limit %i), unless the image changed',
    (memLimit) => {
      for (const host of [hostFrom(baseState()), half()]) {
        const stage = openStage(host, IMAGE, { write: true, dryRun: true, memLimit });
        const fs = new ToyFs(stage);
        fs.write('n', new Uint8Array(5000).fill(3));
        const undo = stage.savepoint('explicit');
        fs.write('a', new Uint8Array(300).fill(4));
        stage.promote();
        stage.rollback(undo);
        fs.reload();
        fs.write('m', new Uint8Array(16_500).fill(5));
        const tree = judge(stage);
        expect(stage.commit().changed).toBe(true);
        stage.close();
        expect(attempt(host, READ)).toBe(tree);
        expect(host.list()).toEqual([IMAGE]);
        expect(host.openFiles()).toBe(0);
      }
      const host = hostFrom(baseState());
      const stage = openStage(host, IMAGE, { write: true, dryRun: true, memLimit });
      new ToyFs(stage).write('n', new Uint8Array(5000).fill(3));
      const other = openStage(host, IMAGE, WRITE);
      expect(() => stage.promote()).toThrow(expect.objectContaining({ code: 'EBUSY' }));
      new ToyFs(other).remove('a');
      other.commit();
      other.close();
      expect(() => stage.promote()).toThrow(expect.objectContaining({ code: 'EAGAIN' }));
      expect(stage.dryRun).toBe(true);
      stage.close();
    },
  );

  test.each(scenarios)('$name: the same bytes whatever the memory limit', (scenario) => {
    const images = [0, 4096, 1 << 20].map((memLimit) => {
      const { rec } = record({ ...scenario, memLimit });
      return rec.host.get(IMAGE);
    });
    expect(Buffer.compare(images[0]!, images[1]!)).toBe(0);
    expect(Buffer.compare(images[0]!, images[2]!)).toBe(0);
  });
});
