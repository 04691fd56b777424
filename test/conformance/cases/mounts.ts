/** NetBSD t_vfsops, t_ro, t_rwtoro, t_full, and our own: the mount as a whole. */
import { MNT, O } from '@ukfs/kernel';
import { Rng } from '../../support/rng.ts';
import {
  exists,
  fails,
  get,
  getText,
  missing,
  ok,
  outcome,
  pattern,
  put,
  readFd,
  removeTree,
  same,
  sameBytes,
  text,
  withFd,
  type Case,
  type Ctx,
} from '../suite.ts';

/** A tree to look at on a read-only mount. */
function prepare({ sys, traits, remount }: Ctx): void {
  put(sys, 'AFILE', 'contents of a file');
  sys.mkdir('ADIR', 0o755);
  if (traits.symlinks) sys.symlink('AFILE', 'ALINK');
  remount({ readOnly: true });
}

const readOnly = (t: { readonly readOnlyMount: boolean }): boolean => t.readOnlyMount;

export const mounts: Case[] = [
  {
    name: 't_vfsops tmount: the file system mounts and unmounts',
    needs: (t) => t.mounted,
    run({ sys, mnt, remount }) {
      const inside = sys.stat(mnt);
      ok(inside.dev !== sys.stat('/').dev, 'it is another file system than the root');
      remount();
      same(sys.stat(mnt).ino, inside.ino, 'root inode after mounting again');
      fails('EINVAL', () => sys.unmount('/dev'), 'unmount of what is no mount point');
    },
  },
  {
    name: 't_vfsops tstatvfs: statvfs() tells name length, type and place',
    run({ sys, mnt, traits }) {
      const s = sys.statvfs('.');
      ok(s.nameMax > 0 && s.nameMax < 512, `namemax ${s.nameMax}`);
      same(s.nameMax, traits.nameMaxBytes, 'namemax as declared');
      ok(s.fstypename.length > 0, 'a type name');
      if (traits.mounted) same(s.mountedOn, mnt, 'mount point');
      ok(s.freeBlocks <= s.blocks && s.availBlocks <= s.freeBlocks, 'free <= all, available <= free');
      ok(s.freeFiles <= s.files, 'free files <= all files');
      same(s.readOnly, false, 'not read-only');
      withFd(sys, '.', O.RDONLY, (fd) => same(sys.fstatvfs(fd), s, 'fstatvfs'));
      ok(
        sys.getvfsstat().some((m) => m.mountedOn === s.mountedOn),
        'getvfsstat lists it',
      );
    },
  },
  {
    name: 't_vfsops tsync: sync() works, with clean and with changed files',
    run({ sys }) {
      sys.sync();
      put(sys, 'file', pattern(5000));
      sys.sync();
      sameBytes(get(sys, 'file'), pattern(5000), 'contents');
    },
  },
  {
    name: 't_vfsops tfilehandle: a file handle opens the same file',
    needs: (t) => t.handles,
    run({ sys }) {
      put(sys, 'file', 'something');
      const handle = sys.getfh('file');
      ok(handle.length > 0, 'a handle has bytes');
      same([...sys.getfh('file')], [...handle], 'the same handle each time');
      const fd = sys.fhopen(handle, O.RDWR);
      try {
        sameBytes(readFd(sys, fd, 100, 0), text('something'), 'contents');
        same(sys.fstat(fd).ino, sys.stat('file').ino, 'inode');
        sys.pwrite(fd, text('SOME'), 0);
      } finally {
        sys.close(fd);
      }
      same(getText(sys, 'file'), 'SOMEthing', 'what was written through the handle');
    },
  },
  {
    name: 't_vfsops tfhremove: a file handle is ESTALE once the file is gone, also when its inode is used again',
    needs: (t) => t.handles,
    run({ sys }) {
      put(sys, 'file', 'x');
      const handle = sys.getfh('file');
      sys.unlink('file');
      fails('ESTALE', () => sys.fhopen(handle, O.RDONLY), 'after unlink');
      put(sys, 'other', 'y');
      fails('ESTALE', () => sys.fhopen(handle, O.RDONLY), 'after another file was made');
    },
  },
  {
    name: 't_vfsops tfhinval: random file handles are refused',
    needs: (t) => t.handles,
    run({ sys }) {
      const handle = sys.getfh('.');
      const rng = new Rng(1);
      for (let i = 0; i < 200; i++) {
        // Wholly random, and random behind the bytes that name the mount: the second kind reaches the type.
        const bad = rng.bytes(rng.int(40));
        const near = Uint8Array.from([...handle.subarray(0, 4), ...rng.bytes(Math.max(0, handle.length - 4))]);
        for (const h of [bad, near]) {
          ok(outcome(() => sys.close(sys.fhopen(h, O.RDONLY))) !== 'ok', 'a random handle was accepted');
        }
      }
      for (let i = 0; i < handle.length; i++) {
        // One byte changed: an error, or by chance another valid file; never anything else.
        outcome(() =>
          sys.close(
            sys.fhopen(
              handle.map((b, at) => (at === i ? b ^ 0xff : b)),
              O.RDONLY,
            ),
          ),
        );
      }
    },
  },
  {
    name: 't_full fillfs: writing ends in ENOSPC before more than the disk was written, and unlinking makes room',
    needs: (t) => t.capacityBytes > 0,
    run({ sys, traits }) {
      const block = pattern(8192);
      const before = sys.statvfs('.');
      let written = 0;
      withFd(sys, 'afile', O.CREAT | O.RDWR, (fd) => {
        let last = 'ok';
        while (written <= traits.capacityBytes) {
          let n = 0;
          last = outcome(() => void (n = sys.write(fd, block)));
          if (last !== 'ok') break;
          ok(n > 0, 'a write that wrote nothing and did not fail');
          written += n;
        }
        same(last, 'ENOSPC', 'the last write');
        ok(written < traits.capacityBytes, `${written} bytes fit on ${traits.capacityBytes}`);
        same(sys.fstat(fd).size, written, 'size is what was written');
        sameBytes(readFd(sys, fd, 8192, Math.floor(written / 2 / 8192) * 8192), block, 'a block in the middle');
      });
      ok(sys.statvfs('.').availBlocks * before.fragmentSize < 8192 * 2, 'statvfs knows that it is full');
      sys.unlink('afile');
      const after = sys.statvfs('.');
      same(after.freeBlocks, before.freeBlocks, 'free blocks as before');
      put(sys, 'small', 'there is room again');
    },
  },
  {
    name: 'on a full file system whatever fails changes nothing',
    needs: (t) => t.capacityBytes > 0,
    run({ sys, traits }) {
      sys.mkdir('dir', 0o755);
      put(sys, 'dir/keep', pattern(3000));
      withFd(sys, 'fill', O.CREAT | O.WRONLY, (fd) => {
        for (const piece of [65536, 512]) {
          const limit = traits.capacityBytes / piece;
          let n = 0;
          while (outcome(() => sys.write(fd, pattern(piece))) === 'ok') ok(n++ < limit, 'more fits than there is');
        }
      });
      // Now use up what small things still fit into, one operation after the other.
      const made: string[] = [];
      const failed = new Set<string>();
      for (let i = 0; i < 20_000 && failed.size < 2; i++) {
        const name = `dir/${'n'.repeat(200)}${i}`;
        const op = i % 2 === 0 ? 'mkdir' : 'create';
        if (failed.has(op)) continue;
        const before = sys.stat('dir');
        const got = outcome(() =>
          op === 'mkdir' ? sys.mkdir(name, 0o755) : sys.close(sys.open(name, O.CREAT | O.EXCL | O.RDWR, 0o644)),
        );
        if (got === 'ok') made.push(name);
        else {
          same(got, 'ENOSPC', op);
          failed.add(op);
          missing(sys, name);
          same({ ...sys.stat('dir'), atime: 0 }, { ...before, atime: 0 }, `the directory after a failed ${op}`);
        }
      }
      for (const name of made) ok(exists(sys, name), `${name.slice(-6)} that was made is there`);
      sameBytes(get(sys, 'dir/keep'), pattern(3000), 'a file that was there before');
      withFd(sys, 'dir/keep', O.RDWR, (fd) => {
        same(sys.pwrite(fd, pattern(3000, 2), 0), 3000, 'writing over existing data needs no room');
        const before = sys.fstat(fd);
        if (outcome(() => sys.pwrite(fd, pattern(100), 10_000_000)) === 'ENOSPC')
          same(sys.fstat(fd), before, 'a refused write');
      });
      removeTree(sys, 'dir');
      sys.unlink('fill');
    },
  },
  {
    name: 't_ro create: creating a file on a read-only mount is EROFS',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      fails('EROFS', () => ctx.sys.open('nfile', O.RDWR | O.CREAT, 0o644), 'open with O_CREAT');
    },
  },
  {
    name: 't_ro rmfile: unlink, rmdir and rename on a read-only mount are EROFS',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      const { sys } = ctx;
      fails('EROFS', () => sys.unlink('AFILE'), 'unlink');
      fails('EROFS', () => sys.rmdir('ADIR'), 'rmdir');
      fails('EROFS', () => sys.rename('AFILE', 'BFILE'), 'rename');
      ok(exists(sys, 'AFILE') && exists(sys, 'ADIR'), 'all is there');
    },
  },
  {
    name: 't_ro createdir: mkdir on a read-only mount is EROFS',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      fails('EROFS', () => ctx.sys.mkdir('newdir', 0o755), 'mkdir');
      fails('EEXIST', () => ctx.sys.mkdir('ADIR', 0o755), 'mkdir of an existing one');
    },
  },
  {
    name: 't_ro createfifo: mkfifo and mknod on a read-only mount are EROFS',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      fails('EROFS', () => ctx.sys.mkfifo('newfifo', 0o644), 'mkfifo');
      fails('EROFS', () => ctx.sys.mknod('newdev', 'chr', 0o644, { major: 1, minor: 3 }), 'mknod');
    },
  },
  {
    name: 't_ro createsymlink: symlink on a read-only mount is EROFS',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      fails('EROFS', () => ctx.sys.symlink('AFILE', 'newlink'), 'symlink');
    },
  },
  {
    name: 't_ro createlink: link on a read-only mount is EROFS',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      fails('EROFS', () => ctx.sys.link('AFILE', 'newlink'), 'link');
    },
  },
  {
    name: 't_ro attrs: attributes on a read-only mount cannot be changed by name or by descriptor',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      const { sys, traits } = ctx;
      const before = sys.stat('AFILE');
      const t = { sec: 1, nsec: 1 };
      fails('EROFS', () => sys.chmod('AFILE', 0o775), 'chmod');
      fails('EROFS', () => sys.chown('AFILE', 1, 1), 'chown');
      fails('EROFS', () => sys.utimens('AFILE', t, t), 'utimens');
      fails('EROFS', () => sys.truncate('AFILE', 0), 'truncate');
      if (traits.flags !== 0) fails('EROFS', () => sys.chflags('AFILE', 0), 'chflags');
      if (traits.xattr) {
        fails('EROFS', () => sys.setxattr('AFILE', 'user.x', text('y')), 'setxattr');
        fails(['EROFS', 'ENOATTR'], () => sys.removexattr('AFILE', 'user.x'), 'removexattr');
      }
      withFd(sys, 'AFILE', O.RDONLY, (fd) => {
        fails('EROFS', () => sys.fchmod(fd, 0o775), 'fchmod');
        fails('EROFS', () => sys.fchown(fd, 1, 1), 'fchown');
        fails('EROFS', () => sys.futimens(fd, t, t), 'futimens');
      });
      same(sys.stat('AFILE'), before, 'attributes');
    },
  },
  {
    name: 't_ro fileio: files on a read-only mount are read; opening them for writing is EROFS',
    needs: readOnly,
    run(ctx) {
      prepare(ctx);
      const { sys } = ctx;
      same(getText(sys, 'AFILE'), 'contents of a file', 'contents');
      fails('EROFS', () => sys.open('AFILE', O.WRONLY), 'O_WRONLY');
      fails('EROFS', () => sys.open('AFILE', O.RDWR), 'O_RDWR');
      fails('EROFS', () => sys.open('AFILE', O.RDWR | O.TRUNC), 'O_TRUNC');
      sys.close(sys.open('AFILE', O.RDONLY | O.CREAT, 0o644));
      fails('EROFS', () => sys.access('AFILE', 2), 'access for writing');
      same(sys.statvfs('.').readOnly, true, 'statvfs says so');
    },
  },
  {
    name: 't_rwtoro noneopen: a mount without open files turns read-only and back',
    needs: readOnly,
    run({ sys, update }) {
      put(sys, 'file', 'x');
      update({ readOnly: true });
      fails('EROFS', () => sys.unlink('file'), 'unlink');
      update({ readOnly: false });
      sys.unlink('file');
    },
  },
  {
    name: 't_rwtoro readopen: a mount with a file open for reading turns read-only',
    needs: readOnly,
    run({ sys, update }) {
      put(sys, 'file', 'x');
      withFd(sys, 'file', O.RDONLY, (fd) => {
        update({ readOnly: true });
        sameBytes(readFd(sys, fd, 10, 0), text('x'), 'contents');
      });
      update({ readOnly: false });
    },
  },
  {
    name: 't_rwtoro writeopen: a mount with a file open for writing stays as it is (EBUSY)',
    needs: readOnly,
    run({ sys, update }) {
      withFd(sys, 'file', O.RDWR | O.CREAT, (fd) => {
        fails('EBUSY', () => update({ readOnly: true }), 'update');
        sys.write(fd, text('still writable'));
      });
      update({ readOnly: true });
      update({ readOnly: false });
    },
  },
  {
    name: 't_rwtoro read_unlinked: a mount with an unlinked file open stays as it is (EBUSY)',
    needs: (t) => t.readOnlyMount && t.unlinkOpen,
    run({ sys, update }) {
      put(sys, 'file', 'x');
      withFd(sys, 'file', O.RDONLY, () => {
        sys.unlink('file');
        fails('EBUSY', () => update({ readOnly: true }), 'update');
      });
      update({ readOnly: true });
      update({ readOnly: false });
    },
  },
  {
    name: 'tmpfs/t_mount: a mount point in use cannot go, a forced unmount leaves holders with ESTALE',
    needs: (t) => t.mounted && !t.persistent,
    run({ sys, mnt, mount }) {
      sys.mkdir('sub', 0o755);
      fails('EBUSY', () => sys.unmount(mnt), 'unmount with somebody in it');
      fails('EBUSY', () => sys.rmdir(mnt), 'rmdir of a mount point');
      const fd = sys.open('file', O.RDWR | O.CREAT, 0o644);
      sys.unmount(mnt, MNT.FORCE);
      fails(['ESTALE', 'EIO', 'EBADF'], () => sys.write(fd, text('x')), 'write after a forced unmount');
      sys.close(fd);
      fails(['ESTALE', 'ENOENT', 'EIO'], () => sys.stat('sub'), 'a name in the gone current directory');
      sys.chdir('/');
      mount();
    },
  },
  {
    name: 'tmpfs/t_statvfs: space and files used show in statvfs and come back',
    needs: (t) => t.countsFiles,
    run({ sys }) {
      const before = sys.statvfs('.');
      put(sys, 'file', pattern(100_000));
      sys.mkdir('dir', 0o755);
      const during = sys.statvfs('.');
      same(during.freeFiles, before.freeFiles - 2, 'free files');
      ok((before.freeBlocks - during.freeBlocks) * before.fragmentSize >= 100_000, 'blocks in use');
      same([during.blocks, during.files], [before.blocks, before.files], 'totals');
      sys.unlink('file');
      sys.rmdir('dir');
      same(sys.statvfs('.'), before, 'statvfs after removing both');
    },
  },
  {
    name: 'tmpfs/t_sizes: the space of a small, a large and an overwritten file is counted and given back',
    needs: (t) => t.countsFiles,
    run({ sys }) {
      const free = (): number => sys.statvfs('.').freeBlocks;
      put(sys, 'a', '');
      const before = free();
      put(sys, 'a', 'x');
      const small = free();
      ok(small <= before, 'a small file does not add space');
      put(sys, 'a', pattern(500_000));
      const large = free();
      ok(large < small, 'a large file takes space');
      put(sys, 'a', pattern(500_000, 2));
      same(free(), large, 'overwriting takes none');
      sys.truncate('a', 1);
      ok(free() >= small - 1, 'cutting gives space back');
      sys.truncate('a', 0);
      same(free(), before, 'an empty file takes none');
    },
  },
  {
    name: 'tmpfs/t_vnode_leak: a thousand files come and go without leaving anything behind',
    run({ sys, traits }) {
      const before = sys.statvfs('.');
      for (let i = 0; i < 1000; i++) {
        sys.close(sys.open('file', O.RDWR | O.CREAT | O.EXCL, 0o644));
        sys.unlink('file');
      }
      for (let i = 0; i < 50; i++) {
        put(sys, 'file', 'x');
        withFd(sys, 'file', O.RDWR, () => sys.unlink('file'));
      }
      if (traits.countsFiles) same(sys.statvfs('.'), before, 'statvfs');
    },
  },
  {
    name: 'everything made before unmounting is there after mounting again',
    needs: (t) => t.persistent,
    run({ sys, traits, remount }) {
      sys.mkdir('d', 0o751);
      put(sys, 'd/file', pattern(70_000), 0o640);
      if (traits.symlinks) sys.symlink('d/file', 'short');
      if (traits.symlinks) sys.symlink('x'.repeat(Math.min(200, traits.symlinkMaxBytes)), 'long');
      if (traits.hardLinks) sys.link('d/file', 'hard');
      if (traits.devices) sys.mknod('dev', 'blk', 0o600, { major: 8, minor: 1 });
      if (traits.xattr) sys.setxattr('d/file', 'user.attr', text('value'));
      const all = ['.', 'd', 'd/file', 'short', 'long', 'hard', 'dev'].filter((p) => exists(sys, p));
      const before = all.map((p) => ({ ...sys.lstat(p), dev: 0, atime: 0 }));
      remount();
      same(
        all.map((p) => ({ ...sys.lstat(p), dev: 0, atime: 0 })),
        before,
        'every stat',
      );
      sameBytes(get(sys, 'd/file'), pattern(70_000), 'contents');
      if (traits.symlinks) same(sys.readlink('short'), 'd/file', 'link target');
      if (traits.xattr) sameBytes(sys.getxattr('d/file', 'user.attr') ?? text(''), text('value'), 'extended attribute');
    },
  },
  {
    name: 'statvfs, sync and stat do not change anything on the disk',
    needs: (t) => t.persistent,
    run({ sys, remount }) {
      put(sys, 'file', 'x');
      remount();
      const before = sys.statvfs('.');
      sys.sync();
      sys.stat('file');
      sys.statvfs('.');
      remount();
      same(sys.statvfs('.'), before, 'statvfs');
    },
  },
];
