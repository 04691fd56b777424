import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { tmpfs } from '../fs/tmpfs/index.ts';
import { memoryHost } from '../hypercall/memory.ts';
import { FsError } from '../kern/errno.ts';
import { boot, type Rump } from '../rump.ts';
import { O } from './sys.ts';
import { FileFlag } from './vattr.ts';

let k: Rump;
const code = (fn: () => unknown): string => {
  try {
    fn();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'nothing thrown';
};
const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

beforeEach(async () => {
  k = boot({ host: memoryHost(), filesystems: [{ name: 'tmpfs', aliases: [], load: () => Promise.resolve(tmpfs) }] });
  await k.modules.load('tmpfs');
  k.sys.mkdir('/mnt', 0o755);
  k.sys.mount('tmpfs', '/mnt', {});
  k.sys.close(k.sys.open('/mnt/file', O.CREAT | O.RDWR, 0o644));
});
afterEach(() => {
  k.sys.unmount('/mnt');
  k.halt();
});

describe('the system calls', () => {
  it("drop a process's locks when it ends without closing its descriptors", () => {
    const lock = { type: 'write', start: 0, length: 0 } as const;
    k.lwproc.rfork();
    k.sys.setlk(k.sys.open('/mnt/file', O.RDWR), lock);
    k.lwproc.releaselwp();
    const fd = k.sys.open('/mnt/file', O.RDWR);
    expect(code(() => k.sys.setlk(fd, lock))).toBe('nothing thrown');
    k.sys.close(fd);
  });

  it('refuse to open device nodes and fifos of a mounted image with ENXIO', () => {
    k.sys.mknod('/mnt/null', 'chr', 0o666, { major: 1, minor: 2 });
    k.sys.mkfifo('/mnt/fifo', 0o666);
    for (const path of ['/mnt/null', '/mnt/fifo']) expect(code(() => k.sys.open(path, O.RDONLY))).toBe('ENXIO');
  });

  it('open without room for a descriptor neither empties nor makes a file, and a truncation that fails leaves none', () => {
    const fd = k.sys.open('/mnt/file', O.RDWR);
    k.sys.write(fd, bytes(1, 2, 3));
    const all = [fd];
    while (code(() => all.push(k.sys.dup(fd))) === 'nothing thrown');
    expect(code(() => k.sys.open('/mnt/file', O.RDWR | O.TRUNC))).toBe('EMFILE');
    expect(code(() => k.sys.open('/mnt/new', O.RDWR | O.CREAT))).toBe('EMFILE');
    expect(k.sys.stat('/mnt/file').size).toBe(3);
    expect(code(() => k.sys.stat('/mnt/new'))).toBe('ENOENT');
    for (const one of all) k.sys.close(one);
    const before = k.lwproc.curproc.fds.openCount;
    k.sys.chflags('/mnt/file', FileFlag.SF_APPEND);
    expect(code(() => k.sys.open('/mnt/file', O.WRONLY | O.TRUNC))).toBe('EPERM');
    expect(k.lwproc.curproc.fds.openCount).toBe(before);
    k.sys.chflags('/mnt/file', 0);
  });

  it('clear set-id bits when somebody else cuts a file', () => {
    k.sys.chmod('/mnt/file', 0o6777);
    k.lwproc.rfork();
    k.sys.setcred({ uid: 1, gid: 1, groups: [1] });
    k.sys.truncate('/mnt/file', 5);
    k.lwproc.releaselwp();
    expect(k.sys.stat('/mnt/file').mode).toBe(0o777);
  });

  it('write an append-only file at its end alone, and never cut it', () => {
    k.sys.chflags('/mnt/file', FileFlag.SF_APPEND);
    const fd = k.sys.open('/mnt/file', O.WRONLY);
    expect(k.sys.write(fd, bytes(1, 2))).toBe(2);
    expect(code(() => k.sys.pwrite(fd, bytes(3), 0))).toBe('EPERM');
    expect(code(() => k.sys.pwrite(fd, bytes(3), 5))).toBe('EPERM');
    expect(code(() => k.sys.truncate('/mnt/file', 0))).toBe('EPERM');
    expect(code(() => k.sys.open('/mnt/file', O.WRONLY | O.TRUNC))).toBe('EPERM');
    k.sys.close(fd);
    expect(k.sys.stat('/mnt/file').size).toBe(2);
  });
});

describe('rumpfs', () => {
  it('goes on listing where it was when entries are removed in between', () => {
    k.sys.mkdir('/d', 0o755);
    for (const name of ['a', 'b', 'c', 'd']) k.sys.close(k.sys.open(`/d/${name}`, O.CREAT | O.RDWR, 0o644));
    const fd = k.sys.open('/d', O.RDONLY);
    const seen = k.sys.getdents(fd, 4).map((e) => e.name);
    k.sys.unlink('/d/a');
    k.sys.unlink('/d/b');
    seen.push(...k.sys.getdents(fd).map((e) => e.name));
    expect(seen).toEqual(['.', '..', 'a', 'b', 'c', 'd']);
    expect(k.sys.getdents(fd)).toEqual([]);
    k.sys.close(fd);
  });

  it('takes nothing into a removed directory, and no link target beyond its limit', () => {
    k.sys.mkdir('/d', 0o755);
    k.sys.chdir('/d');
    k.sys.rmdir('/d');
    expect(code(() => k.sys.mkdir('x', 0o755))).toBe('ENOENT');
    k.sys.chdir('/');
    expect(code(() => k.sys.symlink('x'.repeat(1025), '/tmp/link'))).toBe('ENAMETOOLONG');
  });
});
