/** What system calls do by path is done, by the same rules, by whoever holds a directory and has a name. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { tmpfs } from '../fs/tmpfs/index.ts';
import { memoryHost } from '../hypercall/memory.ts';
import { FsError } from '../kern/errno.ts';
import { boot, type Rump } from '../rump.ts';
import { makeDirectory, makeLink, makeNode, makeSymlink, removeDirectory, removeFile, renameEntry } from './entry.ts';
import type { Namei } from './namei.ts';
import { SysContext } from './sysctx.ts';
import { VFS } from './vfs.ts';
import { vrele, type Vnode } from './vnode.ts';

let k: Rump;
let sys: SysContext;
let root: Vnode;
beforeEach(async () => {
  k = boot({ host: memoryHost(), filesystems: [{ name: 'tmpfs', aliases: [], load: () => Promise.resolve(tmpfs) }] });
  await k.modules.load('tmpfs');
  k.sys.mkdir('/mnt', 0o755);
  k.sys.mount('tmpfs', '/mnt', {});
  sys = new SysContext(k.service(VFS));
  root = sys.walk('/mnt', { follow: true }, ({ vp }) => {
    if (vp === undefined) throw new Error('no root');
    vp.usecount++;
    return vp;
  });
});
afterEach(() => {
  vrele(root);
  k.sys.unmount('/mnt');
  k.halt();
});

const at = <T>(dvp: Vnode, name: string, use: (nd: Namei) => T): T =>
  sys.walkAt(dvp, name, { follow: false, modify: true }, use);
const code = (act: () => unknown): string => {
  try {
    act();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'nothing thrown';
};

test('entries are made, linked, renamed and removed by directory and name', () => {
  at(root, 'dir', (nd) => makeDirectory(sys, nd, 0o755));
  at(root, 'file', (nd) => makeNode(sys, nd, { type: 'reg', mode: 0o644 }));
  at(root, 'fifo', (nd) => makeNode(sys, nd, { type: 'fifo', mode: 0o600 }));
  at(root, 'link', (nd) => makeSymlink(sys, nd, 'file'));
  at(root, 'dir', ({ vp: dir }) => {
    if (dir === undefined) throw new Error('no directory');
    at(root, 'file', ({ vp: file }) => file !== undefined && at(dir, 'same', (nd) => makeLink(sys, file, nd)));
    at(root, 'fifo', (from) => at(dir, 'moved', (to) => renameEntry(sys, from, to, {})));
  });
  expect(k.sys.stat('/mnt/dir/same').nlink).toBe(2);
  expect(k.sys.lstat('/mnt/dir/moved').type).toBe('fifo');
  expect(code(() => at(root, 'dir', (nd) => removeDirectory(sys, nd)))).toBe('ENOTEMPTY');
  at(root, 'dir', ({ vp }) => {
    for (const name of ['same', 'moved']) if (vp !== undefined) at(vp, name, (nd) => removeFile(sys, nd));
  });
  at(root, 'dir', (nd) => removeDirectory(sys, nd));
  at(root, 'link', (nd) => removeFile(sys, nd));
  expect(k.sys.stat('/mnt/file').nlink).toBe(1);
});

test('the rules are those of the system calls', () => {
  k.sys.mkdir('/mnt/a', 0o755);
  k.sys.mkdir('/mnt/a/b', 0o755);
  k.sys.symlink('a', '/mnt/link');
  expect(code(() => at(root, 'a/b', () => 0))).toBe('EINVAL');
  expect(code(() => at(root, '', () => 0))).toBe('ENOENT');
  expect(code(() => at(root, 'n'.repeat(300), () => 0))).toBe('ENAMETOOLONG');
  expect(at(root, 'link', ({ vp }) => vp?.type)).toBe('lnk');
  expect(code(() => at(root, 'a', (nd) => makeDirectory(sys, nd, 0o755)))).toBe('EEXIST');
  expect(code(() => at(root, '.', (nd) => removeDirectory(sys, nd)))).toBe('EINVAL');
  at(root, 'a', (from) => {
    const { vp } = from;
    if (vp === undefined) throw new Error('no directory');
    expect(code(() => at(vp, 'b', (to) => renameEntry(sys, from, to, { noreplace: true })))).toBe('EEXIST');
    expect(code(() => at(vp, 'c', (to) => renameEntry(sys, from, to, {})))).toBe('EINVAL');
  });
  k.lwproc.rfork();
  k.sys.setcred({ uid: 1, gid: 1, groups: [1] });
  // A root like /tmp: the sticky bit keeps what others own.
  expect(code(() => at(root, 'a', (nd) => removeDirectory(sys, nd)))).toBe('EPERM');
  at(root, 'a', ({ vp }) => {
    if (vp === undefined) throw new Error('no directory');
    expect(code(() => at(vp, 'b', (nd) => removeDirectory(sys, nd)))).toBe('EACCES');
    expect(code(() => at(vp, 'new', (nd) => makeNode(sys, nd, { type: 'reg', mode: 0o644 })))).toBe('EACCES');
  });
  k.lwproc.releaselwp();
});
