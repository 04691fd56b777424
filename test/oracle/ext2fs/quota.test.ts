/**
 * Quota files, kept while an image changes: e2fsck counts every owner's usage again and complains of any difference;
 * debugfs reads the entries.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { boot, O, type Rump } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { memoryHost, type MemoryHost } from '@ukfs/kernel/host/memory';
import type { Ext2Mount } from '../../../packages/kernel/src/fs/ext2fs/ext2mount.ts';
import { assertClean, debugfs, e2fsck } from '../../support/e2fsprogs.ts';
import { requireOracle } from '../../support/oracle.ts';
import { newImage, Rig, scratchDir } from './rig.ts';

const scratch = scratchDir();
const image = join(scratch.path, 'image');
afterAll(() => scratch.remove());
beforeEach(() => {
  requireOracle('mke2fs');
  requireOracle('debugfs');
});

const ALL = '-O quota,project -E quotatype=usrquota:grpquota:prjquota';

/** Usage by id, as debugfs reads the file. */
function listed(kind: 'user' | 'group' | 'project'): Map<number, { space: number; inodes: number }> {
  const found = new Map<number, { space: number; inodes: number }>();
  for (const line of (debugfs(image, [`list_quota ${kind}`])[0] ?? '').split('\n')) {
    const [id, space, , , inodes] = line.trim().split(/\s+/).map(Number);
    if (id === undefined || Number.isNaN(id)) continue;
    found.set(id, { space: space ?? 0, inodes: inodes ?? 0 });
  }
  return found;
}

test.each([`-t ext4 -b 1024 ${ALL}`, `-t ext4 -b 4096 ${ALL}`, '-t ext2 -b 1024 -O quota'])(
  '%s: hundreds of owners, near and far, come, change and go',
  (words) => {
    newImage(image, words, '24M');
    const rig = new Rig(image);
    const ids = Array.from({ length: 200 }, (_, i) => (i < 100 ? i : (i * 2_654_435_761) % 0x1_0000_0000));
    ids.forEach((id, i) => {
      rig.make(`/f${i}`, 'reg', { uid: id, gid: 0xffff_ffff - id });
      rig.write(`/f${i}`, new Uint8Array(1 + ((i * 37) % 9000)));
      if (i % 40 === 0) assertClean(image);
    });
    assertClean(image);
    ids.forEach((_, i) => {
      if (i % 3 === 0) rig.on(`/f${i}`, (vp) => vp.ops.setattr(vp, { uid: 7, gid: 9 }));
      if (i % 3 === 1) rig.unlink(`/f${i}`);
    });
    assertClean(image);
    const users = listed('user');
    const want = { space: 0, inodes: 0 };
    ids.forEach((id, i) => {
      if (i % 3 !== 0 && !(id === 7 && i % 3 === 2)) return;
      want.inodes += 1;
      want.space += rig.on(`/f${i}`, (vp) => vp.ops.getattr(vp).bytes);
    });
    expect(users.get(7)).toEqual(want);
    expect(listed('group').get(9)?.inodes).toBe(want.inodes);
    for (let i = 2; i < 200; i += 3) rig.truncate(`/f${i}`, 0);
    rig.close();
    assertClean(image);
  },
);

test('e2fsck does see an entry that is one inode off (the judge is awake)', () => {
  newImage(image, `-t ext4 -b 1024 ${ALL}`, '16M');
  const rig = new Rig(image);
  rig.make('/a', 'reg', { uid: 5 });
  const quota = rig.mp.data as { quota?: unknown };
  quota.quota = undefined;
  rig.make('/b', 'reg', { uid: 5 });
  rig.close();
  expect(e2fsck(image).status).not.toBe(0);
});

test('a project is inherited, accounted, and keeps names of others out', () => {
  newImage(image, `-t ext4 -b 1024 ${ALL}`, '16M');
  const first = new Rig(image);
  first.make('/p', 'dir');
  first.make('/outside', 'reg');
  first.close();
  const PROJINHERIT = 0x2000_0000 | 0x80000;
  debugfs(image, [`set_inode_field /p flags ${PROJINHERIT}`, 'set_inode_field /p projid 4711'], { write: true });
  e2fsck(image, ['-fy']);
  assertClean(image);
  const rig = new Rig(image);
  rig.make('/p/d', 'dir');
  rig.make('/p/d/f', 'reg', { uid: 3 });
  rig.write('/p/d/f', new Uint8Array(5000));
  expect(() => rig.link('/outside', '/p/link')).toThrow('another project');
  expect(() => rig.rename('/outside', '/p/moved')).toThrow('another project');
  rig.rename('/p/d/f', '/f');
  rig.close();
  assertClean(image);
  expect(listed('project').get(4711)).toEqual({ space: 1024 + 1024 + 5120, inodes: 3 });
});

test('links of every length count as inodes, with inline data too', () => {
  newImage(image, '-t ext4 -b 4096 -O quota,inline_data', '16M');
  const rig = new Rig(image);
  for (const length of [1, 59, 60, 100, 150, 300, 3000])
    rig.make(`/l${length}`, 'lnk', { target: 'x'.repeat(length), uid: 6 });
  rig.close();
  assertClean(image);
  expect(listed('user').get(6)?.inodes).toBe(7);
});

test('a damaged quota file makes the mount read-only, with the reason', () => {
  newImage(image, `-t ext4 -b 1024 ${ALL}`, '16M');
  const where = Number(/\d+/.exec(debugfs(image, ['bmap <4> 0'])[0] ?? '')?.[0]);
  const first = new Rig(image);
  first.device.write(new Uint8Array(512), where * 1024);
  first.device.close();
  const rig = new Rig(image);
  expect(rig.mp.readOnly).toBe(true);
  expect(rig.mp.notes.join()).toContain('group quota file');
  rig.device.close();
});

test('an unlinked open file is charged until it goes', () => {
  newImage(image, `-t ext4 -b 1024 ${ALL}`, '16M');
  const rig = new Rig(image);
  rig.make('/a', 'reg', { uid: 5 });
  rig.write('/a', new Uint8Array(3000));
  const vp = rig.file('/a');
  rig.unlink('/a');
  expect(listed('user').get(5)).toEqual({ space: 3072, inodes: 1 });
  rig.op(() => rig.mp.type.sync(rig.mp));
  vp.usecount++;
  rig.crash();
  expect(listed('user').get(5) ?? { space: 0, inodes: 0 }).toEqual({ space: 0, inodes: 0 });
  assertClean(image);
  rig.device.close();
});

describe('limits', () => {
  const HARD_KIB = 20;

  /** An image with limits of user 5 (soft 10 KiB, 3 files; hard 20 KiB, 4 files), mounted, in the hands of `uid`. */
  function session(options: Readonly<Record<string, true>>, uid: number): { k: Rump; host: MemoryHost } {
    newImage(image, `-t ext4 -b 1024 ${ALL}`, '16M');
    const rig = new Rig(image);
    rig.make('/d', 'dir');
    rig.on('/d', (vp) => vp.ops.setattr(vp, { mode: 0o777 }));
    rig.make('/d/first', 'reg', { uid: 5 });
    const [users] = (rig.mp.data as Ext2Mount).quota ?? [];
    rig.op(() =>
      users?.update(5, (entry) =>
        Object.assign(entry, { blockHardLimit: HARD_KIB, blockSoftLimit: 10, inodeHardLimit: 4, inodeSoftLimit: 3 }),
      ),
    );
    rig.close();
    expect(debugfs(image, ['list_quota user'])[0]).toMatch(/^ *5 +0 +10 +20 +1 +3 +4$/m);
    const host = memoryHost({ time: { sec: 1_500_000_000, nsec: 0 } });
    host.put('/disk.img', new Uint8Array(readFileSync(image)));
    const k = boot({ host });
    k.attach(ext2fs);
    k.etfs.register('/dev/disk', '/disk.img', 'BLK', { stage: { write: true } });
    k.sys.mkdir('/m', 0o755);
    k.sys.mount('ext2fs', '/m', { from: '/dev/disk', options });
    k.sys.setcred({ uid, gid: uid, groups: [uid] });
    return { k, host };
  }

  const put = ({ k }: { k: Rump }, name: string, bytes: number): number => {
    const fd = k.sys.open(`/m/d/${name}`, O.CREAT | O.WRONLY, 0o644);
    try {
      return k.sys.write(fd, new Uint8Array(bytes).fill(1));
    } finally {
      k.sys.close(fd);
    }
  };
  const finish = ({ k, host }: { k: Rump; host: MemoryHost }): void => {
    k.commit(k.etfs.stage('/dev/disk'));
    k.halt();
    writeFileSync(image, host.get('/disk.img'));
    assertClean(image);
  };

  test('a user stays below them: EDQUOT, and the call left nothing', () => {
    const s = session({ usrquota: true }, 5);
    expect(put(s, 'a', 15_000)).toBe(15_000);
    expect(() => put(s, 'b', 10_000)).toThrow(expect.objectContaining({ code: 'EDQUOT' }));
    expect(put(s, 'b', 3000)).toBe(3000);
    put(s, 'c', 0);
    expect(() => put(s, 'd', 0)).toThrow(expect.objectContaining({ code: 'EDQUOT' }));
    expect(s.k.sys.lstat('/m/d/a').size).toBe(15_000);
    expect(() => s.k.sys.lstat('/m/d/d')).toThrow();
    s.k.sys.unlink('/m/d/c');
    put(s, 'd', 0);
    finish(s);
    expect(listed('user').get(5)).toEqual({ space: 15_360 + 3072, inodes: 4 });
  });

  test('above a soft limit a user has the time of grace', () => {
    const s = session({ usrquota: true }, 5);
    expect(put(s, 'a', 12_000)).toBe(12_000);
    s.host.time = { sec: 1_500_000_000 + 6 * 86_400, nsec: 0 };
    expect(put(s, 'b', 1000)).toBe(1000);
    s.host.time = { sec: 1_500_000_000 + 8 * 86_400, nsec: 0 };
    expect(() => put(s, 'b', 2000)).toThrow(expect.objectContaining({ code: 'EDQUOT' }));
    s.k.sys.unlink('/m/d/a');
    expect(put(s, 'b', 2000)).toBe(2000);
    finish(s);
  });

  test.each([
    ['the super-user', { usrquota: true } as const, 0],
    ['anybody on a mount that does not ask', {}, 5],
    ['anybody on a mount that asks for groups', { grpquota: true } as const, 5],
  ])('%s goes beyond them, and is counted', (_, options, uid) => {
    const s = session(options, uid);
    for (let i = 0; i < 6; i++) put(s, `f${i}`, 6000);
    if (uid === 0) for (let i = 0; i < 6; i++) s.k.sys.chown(`/m/d/f${i}`, 5, 5);
    finish(s);
    expect(listed('user').get(5)).toEqual({ space: 6 * 6144, inodes: 7 });
  });
});
