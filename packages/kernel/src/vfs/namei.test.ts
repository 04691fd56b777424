import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { memoryHost } from '../hypercall/memory.ts';
import { FsError } from '../kern/errno.ts';
import { boot, type Rump } from '../rump.ts';
import { O } from './sys.ts';
import { VFS } from './vfs.ts';

let k: Rump;
const code = (fn: () => unknown): string => {
  try {
    fn();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'nothing thrown';
};
const touch = (path: string): void => k.sys.close(k.sys.open(path, O.CREAT | O.RDWR, 0o644));

beforeEach(() => {
  k = boot({ host: memoryHost() });
  k.sys.mkdir('/a', 0o755);
  k.sys.mkdir('/a/b', 0o755);
  touch('/a/b/file');
});
afterEach(() => {
  // Every walk has let go of what it took: only process 1's two directories are held.
  const held = k.service(VFS).mounts.flatMap((mp) => [...mp.vnodes.values()].map((vp) => vp.usecount));
  expect(held.reduce((sum, n) => sum + n, 0)).toBe(k.service(VFS).rootvnode.usecount);
  k.halt();
});

describe('namei', () => {
  it.each(['/a/b/file', '//a///b/file', '/a/./b/./file', '/a/../a/b/../b/file', '/../../a/b/file', 'a/b/file'])(
    '%s names the file',
    (path) => {
      expect(k.sys.stat(path).type).toBe('reg');
    },
  );

  it.each([
    ['', 'ENOENT'],
    ['/a/b/file/', 'ENOTDIR'],
    ['/a/b/file/x', 'ENOTDIR'],
    ['/a/b/file/.', 'ENOTDIR'],
    ['/a/nothing/..', 'ENOENT'],
    ['/a\0b', 'EINVAL'],
    [`/${'n'.repeat(256)}`, 'ENAMETOOLONG'],
    [`/${'日'.repeat(86)}`, 'ENAMETOOLONG'],
    [`/a${'/.'.repeat(2048)}`, 'ENAMETOOLONG'],
  ])('%j is %s', (path, errno) => {
    expect(code(() => k.sys.stat(path))).toBe(errno);
  });

  it('accepts a name of exactly 255 bytes, counted in bytes', () => {
    expect(code(() => k.sys.stat(`/${'日'.repeat(85)}`))).toBe('ENOENT');
    touch(`/${'n'.repeat(255)}`);
  });

  it('follows links in the middle and, when asked, at the end', () => {
    k.sys.symlink('b', '/a/rel');
    k.sys.symlink('/a/b/file', '/a/abs');
    k.sys.symlink('../../a/rel/file', '/a/b/up');
    expect(k.sys.stat('/a/rel/file').type).toBe('reg');
    expect(k.sys.stat('/a/abs').type).toBe('reg');
    expect(k.sys.lstat('/a/abs').type).toBe('lnk');
    expect(k.sys.stat('/a/b/up').ino).toBe(k.sys.stat('/a/b/file').ino);
    expect(k.sys.lstat('/a/rel/').type).toBe('dir');
  });

  it('gives up on link loops', () => {
    k.sys.symlink('y', '/x');
    k.sys.symlink('x', '/y');
    expect(code(() => k.sys.stat('/x'))).toBe('ELOOP');
    expect(k.sys.lstat('/x').type).toBe('lnk');
    for (let i = 0; i < 41; i++) k.sys.symlink(i === 0 ? '/a' : `/l${i - 1}`, `/l${i}`);
    expect(k.sys.stat('/l39').type).toBe('dir');
    expect(code(() => k.sys.stat('/l40'))).toBe('ELOOP');
  });

  it('cannot leave a changed root, by `..` or by absolute links', () => {
    touch('/secret');
    k.sys.symlink('/secret', '/a/escape');
    const lwp = k.lwproc.rfork();
    k.sys.chroot('/a');
    expect(k.sys.getcwd()).toBe('/');
    expect(k.sys.stat('/../../b/file').type).toBe('reg');
    expect(code(() => k.sys.stat('/../secret'))).toBe('ENOENT');
    expect(code(() => k.sys.stat('/escape'))).toBe('ENOENT');
    k.lwproc.switch(lwp);
    k.lwproc.releaselwp();
  });

  it('needs search permission on every directory of the way', () => {
    k.sys.chmod('/a', 0o700);
    const lwp = k.lwproc.rfork();
    k.sys.setcred({ uid: 1000, gid: 1000, groups: [] });
    expect(code(() => k.sys.stat('/a/b/file'))).toBe('EACCES');
    expect(k.sys.stat('/a').mode).toBe(0o700);
    k.lwproc.switch(lwp);
    k.lwproc.releaselwp();
  });

  it('remembers names that do not exist only until they do', () => {
    expect(code(() => k.sys.stat('/a/new'))).toBe('ENOENT');
    touch('/a/new');
    expect(k.sys.stat('/a/new').type).toBe('reg');
    k.sys.unlink('/a/new');
    expect(code(() => k.sys.stat('/a/new'))).toBe('ENOENT');
  });

  it('says which call and path failed', () => {
    try {
      k.sys.mkdir('/no/where', 0o755);
      expect.unreachable();
    } catch (e) {
      expect(e).toMatchObject({ code: 'ENOENT', context: { op: 'mkdir', path: '/no/where' } });
    }
  });
});
