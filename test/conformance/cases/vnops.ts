/** NetBSD tests/fs/vfs/t_vnops.c: names, directories, rename, attributes, locks. */
import { ACCESS, O, isWellFormedName, nameFromBytes, type VfsSyscalls } from '@ukfs/kernel';
import {
  collect,
  exists,
  fails,
  get,
  grain,
  identity,
  missing,
  ok,
  outcome,
  pattern,
  put,
  same,
  sameBytes,
  withFd,
  type Case,
} from '../suite.ts';

/** The body of dir_slash, dir_2slash and dir_3slash. */
function dirSlash(sys: VfsSyscalls, slashes: string): void {
  sys.mkdir('dir/', 0o777);
  sys.access(`dir${slashes}`, 0);
  same(sys.stat(`dir${slashes}`).ino, sys.stat('dir').ino, 'slashes lead to the directory itself');
  sys.rmdir(`dir${slashes}`);
  missing(sys, 'dir');
}

export const vnops: Case[] = [
  {
    name: 't_vnops lookup_simple: `..` out of the mount point and back stats the same file',
    run({ sys, mnt }) {
      same(identity(sys.stat(`${mnt}/..${mnt}`)), identity(sys.stat(`${mnt}/./..${mnt}`)), 'both stats');
      same(sys.stat(`${mnt}/..${mnt}`).ino, sys.stat('.').ino, 'and it is the mount point');
    },
  },
  {
    name: 't_vnops lookup_complex: `.` and `..` within a path change nothing',
    run({ sys }) {
      sys.mkdir('dir', 0o777);
      same(identity(sys.stat('./dir/../././dir/.')), identity(sys.stat('dir')), 'both stats');
    },
  },
  {
    name: 't_vnops dir_simple: a directory is made, seen and removed',
    run({ sys }) {
      sys.mkdir('testdir', 0o777);
      same(sys.stat('testdir').type, 'dir', 'type');
      sys.rmdir('testdir');
      missing(sys, 'testdir');
    },
  },
  { name: 't_vnops dir_slash: a trailing slash is fine on a directory', run: ({ sys }) => dirSlash(sys, '/') },
  { name: 't_vnops dir_2slash: two trailing slashes are fine on a directory', run: ({ sys }) => dirSlash(sys, '//') },
  {
    name: 't_vnops dir_3slash: three trailing slashes are fine on a directory',
    run: ({ sys }) => dirSlash(sys, '///'),
  },
  {
    name: 't_vnops dir_notempty: rmdir() of a non-empty directory fails with ENOTEMPTY, after unlink() it works',
    run({ sys }) {
      sys.mkdir('dir', 0o777);
      put(sys, 'dir/file');
      fails('ENOTEMPTY', () => sys.rmdir('dir'), 'rmdir of a directory with a file');
      ok(exists(sys, 'dir/file'), 'the file is still there');
      sys.unlink('dir/file');
      sys.mkdir('dir/sub', 0o777);
      fails('ENOTEMPTY', () => sys.rmdir('dir'), 'rmdir of a directory with a directory');
      sys.rmdir('dir/sub');
      sys.rmdir('dir');
      missing(sys, 'dir');
    },
  },
  {
    name: 't_vnops dir_rmdirdotdot: `..` of a removed current directory leads nowhere',
    run({ sys, mnt }) {
      sys.mkdir('test', 0o777);
      sys.chdir('test');
      sys.mkdir('subtest', 0o777);
      sys.chdir('subtest');
      sys.rmdir(`${mnt}/test/subtest`);
      sys.rmdir(`${mnt}/test`);
      fails(['ENOENT', 'ESTALE'], () => sys.chdir('..'), 'chdir ..');
      fails('ENOENT', () => sys.open('new', O.RDWR | O.CREAT, 0o644), 'creating in a removed directory');
      fails('ENOENT', () => sys.mkdir('new', 0o755), 'mkdir in a removed directory');
      sys.chdir(mnt);
    },
  },
  {
    name: 't_vnops rename_dir: directories are renamed, moved and put over empty ones, but never into themselves',
    needs: (t) => t.rename,
    run({ sys }) {
      const start = sys.stat('.').nlink;
      sys.mkdir('dir1', 0o777);
      sys.rename('dir1', 'dir2');
      missing(sys, 'dir1');
      sys.rename('dir2', 'dir1');
      fails('EINVAL', () => sys.rename('dir1/.', 'dir2'), 'source ends in .');
      fails(['EISDIR', 'EINVAL'], () => sys.rename('dir1', 'dir1/.'), 'target ends in .');

      put(sys, 'dir1/file', 'contents');
      const before = identity(sys.stat('dir1/file'));
      sys.mkdir('dir1/sub', 0o777);
      fails('EINVAL', () => sys.rename('dir1', 'dir1/d'), 'into itself');
      fails('EINVAL', () => sys.rename('dir1', 'dir1/sub/d'), 'into its own child');
      sys.rmdir('dir1/sub');

      sys.mkdir('dir2', 0o777);
      fails('ENOTEMPTY', () => sys.rename('dir2', 'dir1'), 'over a non-empty directory');
      ok(exists(sys, 'dir1/file') && exists(sys, 'dir2'), 'a refused rename changes nothing');
      sys.rename('dir1', 'dir2');
      missing(sys, 'dir1');
      same(identity(sys.stat('dir2/file')), before, 'what is inside stays as it is');

      sys.mkdir('dir1', 0o777);
      same(sys.stat('.').nlink, start + 2, 'nlink of the parent of two directories');
      sys.rename('dir2', 'dir1/dir2');
      same([sys.stat('.').nlink, sys.stat('dir1').nlink], [start + 1, 3], 'nlink after moving one into the other');
      same(sys.stat('dir1/dir2/..').ino, sys.stat('dir1').ino, '`..` follows the move');
      sys.rename('dir1/dir2', 'dir1/../dir2');
      same([sys.stat('.').nlink, sys.stat('dir1').nlink], [start + 2, 2], 'nlink after moving it back');
      same(sys.stat('dir2/..').ino, sys.stat('.').ino, '`..` follows the move back');
      sys.rename('dir2', 'dir1');
      same(sys.stat('.').nlink, start + 1, 'nlink of the parent after one replaced the other');
      same(identity(sys.stat('dir1/file')), before, 'what is inside stays as it is');
    },
  },
  {
    name: 't_vnops rename_dotdot: `..` can be neither end of a rename',
    needs: (t) => t.rename,
    run({ sys }) {
      sys.mkdir('dir1', 0o777);
      sys.mkdir('dir2', 0o777);
      fails(['EINVAL', 'EISDIR'], () => sys.rename('dir1', 'dir1/..'), 'dir1 to dir1/..');
      fails(['EINVAL', 'EISDIR'], () => sys.rename('dir1/..', 'sometarget'), 'dir1/.. to a name');
      fails(['EINVAL', 'EISDIR'], () => sys.rename('dir1', 'dir2/..'), 'dir1 to dir2/..');
      ok(exists(sys, 'dir1') && exists(sys, 'dir2') && !exists(sys, 'sometarget'), 'nothing changed');
    },
  },
  {
    name: 't_vnops rename_reg_nodir: a renamed file keeps its inode and replaces the target',
    needs: (t) => t.rename,
    run({ sys, traits }) {
      put(sys, 'file1', 'one');
      put(sys, 'file2', 'two');
      const ino = sys.stat('file1').ino;
      if (traits.hardLinks) {
        sys.link('file1', 'file_link');
        same(sys.stat('file1').nlink, 2, 'nlink of a linked file');
        const [links, other] = [sys.stat('file1'), sys.stat('file_link')];
        same(links.ino, other.ino, 'hard links share an inode');
      }
      sys.rename('file1', 'file3');
      fails('ENOENT', () => sys.rename('file1', 'file4'), 'a second time');
      missing(sys, 'file1');
      same(sys.stat('file3').ino, ino, 'inode after the rename');
      sys.rename('file3', 'file2');
      missing(sys, 'file3');
      same(sys.stat('file2').ino, ino, 'inode of the replaced name');
      sameBytes(get(sys, 'file2'), new TextEncoder().encode('one'), 'contents of the replaced name');
      if (traits.hardLinks) {
        put(sys, 'other', 'x');
        sys.link('other', 'other2');
        sys.rename('file2', 'other2');
        same(sys.stat('other').nlink, 1, 'nlink of a file that lost a name to a rename');
        same(sys.stat('file_link').nlink, 2, 'nlink of the renamed file');
      }
    },
  },
  {
    name: 't_vnops create_many: thousands of files are created and unlinked again',
    run({ sys, traits }) {
      sys.mkdir('many', 0o777);
      const path = (i: number): string => `many/file${i.toString(36)}`;
      for (let i = 0; i < traits.manyFiles; i++) sys.close(sys.open(path(i), O.RDWR | O.CREAT | O.EXCL, 0o666));
      collect((report) => {
        for (let i = 0; i < traits.manyFiles; i++) if (!exists(sys, path(i))) report(`${path(i)} is missing`);
      });
      for (let i = 0; i < traits.manyFiles; i++) sys.unlink(path(i));
      sys.rmdir('many');
    },
  },
  {
    name: 't_vnops create_nonalphanum: every one-byte name that can be created can be found and unlinked',
    run({ sys }) {
      collect((report) => {
        for (let byte = 1; byte < 256; byte++) {
          if (byte === 0x2f || byte === 0x2e) continue;
          const name = nameFromBytes(Uint8Array.of(byte));
          const made = outcome(() => sys.close(sys.open(name, O.RDWR | O.CREAT | O.EXCL, 0o666)));
          if (made !== 'ok') {
            if (isWellFormedName(name) && /[a-z0-9_-]/i.test(name)) report(`${JSON.stringify(name)}: ${made}`);
            continue;
          }
          if (!exists(sys, name)) report(`${JSON.stringify(name)} was created and is not there`);
          const gone = outcome(() => sys.unlink(name));
          if (gone !== 'ok' || exists(sys, name)) report(`${JSON.stringify(name)} cannot be unlinked: ${gone}`);
        }
      });
    },
  },
  {
    name: 't_vnops create_nametoolong: a name of NAME_MAX bytes is created, one byte more is ENAMETOOLONG',
    run({ sys }) {
      const max = sys.pathconf('.', 'nameMax');
      same(sys.pathconf('.', 'noTrunc'), 1, 'names are never cut');
      put(sys, 'x'.repeat(max));
      fails('ENAMETOOLONG', () => sys.open('x'.repeat(max + 1), O.RDWR | O.CREAT, 0o666), 'open');
      fails('ENAMETOOLONG', () => sys.mkdir('x'.repeat(max + 1), 0o777), 'mkdir');
      fails('ENAMETOOLONG', () => sys.stat('x'.repeat(max + 1)), 'stat');
      sys.unlink('x'.repeat(max));
    },
  },
  {
    name: 't_vnops rename_nametoolong: renaming to NAME_MAX bytes works, one byte more is ENAMETOOLONG',
    needs: (t) => t.rename,
    run({ sys }) {
      const max = sys.pathconf('.', 'nameMax');
      put(sys, 'file');
      fails('ENAMETOOLONG', () => sys.rename('file', 'x'.repeat(max + 1)), 'rename');
      ok(exists(sys, 'file'), 'the file is still there');
      sys.rename('file', 'x'.repeat(max));
      ok(exists(sys, 'x'.repeat(max)), 'the longest name exists');
    },
  },
  {
    name: 't_vnops create_exist: O_EXCL refuses an existing file with EEXIST, O_CREAT alone opens it',
    run({ sys }) {
      const open = (flags: number): void => sys.close(sys.open('file', O.RDWR | O.CREAT | flags, 0o666));
      open(O.EXCL);
      sys.unlink('file');
      open(O.EXCL);
      open(0);
      fails('EEXIST', () => open(O.EXCL), 'O_CREAT | O_EXCL');
      sys.mkdir('dir', 0o777);
      fails('EEXIST', () => sys.mkdir('dir', 0o777), 'mkdir of an existing directory');
      fails('EEXIST', () => sys.mkdir('file', 0o777), 'mkdir of an existing file');
      fails('EEXIST', () => sys.open('dir', O.RDWR | O.CREAT | O.EXCL, 0o666), 'O_EXCL of a directory');
    },
  },
  {
    name: 't_vnops symlink_zerolen: an empty link target is stored, or refused',
    needs: (t) => t.symlinks,
    run({ sys }) {
      const made = outcome(() => sys.symlink('', 'afile'));
      ok(['ok', 'ENAMETOOLONG', 'ENOENT', 'EINVAL'].includes(made), `symlink with an empty target: ${made}`);
      if (made === 'ok') same(sys.readlink('afile'), '', 'target');
    },
  },
  {
    name: 't_vnops symlink_long: targets around each power of two are stored whole, or refused with ENAMETOOLONG',
    needs: (t) => t.symlinks,
    run({ sys, traits }) {
      collect((report) => {
        for (let power = 2; power <= 65536; power *= 2) {
          for (const length of [power - 1, power, power + 1]) {
            const target = 'abcdefghij'.repeat(length / 10 + 1).slice(0, length);
            const made = outcome(() => sys.symlink(target, 'afile'));
            if (made === 'ok') {
              if (sys.readlink('afile') !== target) report(`target of ${length} bytes comes back different`);
              if (sys.lstat('afile').size !== length)
                report(`target of ${length} bytes: size ${sys.lstat('afile').size}`);
              sys.unlink('afile');
            } else if (made !== 'ENAMETOOLONG' || length <= Math.min(traits.symlinkMaxBytes, 1023)) {
              report(`target of ${length} bytes: ${made}`);
            }
          }
        }
      });
    },
  },
  {
    name: 't_vnops symlink_root: a link to `/` leads to the root',
    needs: (t) => t.symlinks,
    run({ sys, mnt }) {
      sys.symlink('/', 'foo');
      same(sys.stat('foo').ino, sys.stat('/').ino, 'stat through the link');
      sys.chdir('foo');
      same(sys.getcwd(), '/', 'current directory');
      sys.chdir(mnt);
    },
  },
  {
    name: 't_vnops attrs: owner, mode and times come back as they were set',
    run({ sys, traits }) {
      put(sys, 'afile');
      if (traits.owners) {
        sys.chown('afile', 1, 2);
        const { uid, gid } = sys.stat('afile');
        same([uid, gid], [1, 2], 'owner and group');
        sys.chown('afile', -1, 3);
        same([sys.stat('afile').uid, sys.stat('afile').gid], [1, 3], '-1 leaves the owner');
        sys.chmod('afile', 0o123);
        same(sys.stat('afile').mode, 0o123, 'mode');
      }
      const atime = { sec: 1_234_567_890, nsec: 123_456_789 };
      const mtime = { sec: 1_222_333_444, nsec: 987_654_321 };
      sys.utimens('afile', atime, mtime);
      const stat = sys.stat('afile');
      same(stat.mtime, grain(traits, mtime), 'mtime');
      same(stat.atime, grain(traits, atime), 'atime');
    },
  },
  {
    name: 't_vnops fcntl_lock: a locked range is EAGAIN for another process until it is unlocked',
    run({ sys, as }) {
      put(sys, 'lock', 'x');
      withFd(sys, 'lock', O.RDWR, (fd) => {
        const lock = { type: 'write', start: 0, length: 1 } as const;
        sys.setlk(fd, lock);
        sys.setlk(fd, lock);
        as(0, () =>
          withFd(sys, 'lock', O.RDWR, (other) => {
            fails('EAGAIN', () => sys.setlk(other, lock), 'the second process');
            sys.setlk(other, { type: 'write', start: 1, length: 5 });
          }),
        );
        sys.setlk(fd, { ...lock, type: 'unlock' });
        as(0, () => withFd(sys, 'lock', O.RDWR, (other) => sys.setlk(other, lock)));
      });
    },
  },
  {
    name: 't_vnops fcntl_getlock_pids: F_GETLK names the holder of each conflicting lock',
    run({ sys, k }) {
      put(sys, 'lock', 'x');
      const me = k.lwproc.curlwp;
      const holders = [0, 1, 2, 3].map((i) => {
        k.lwproc.switch(me);
        const lwp = k.lwproc.rfork();
        const fd = sys.open('lock', O.RDWR);
        sys.setlk(fd, { type: i === 1 ? 'read' : 'write', start: i * 10, length: i === 3 ? 0 : 2 });
        return lwp;
      });
      k.lwproc.switch(me);
      withFd(sys, 'lock', O.RDWR, (fd) => {
        same(sys.getlk(fd, { type: 'write', start: 5, length: 4 }), undefined, 'nothing in the way');
        same(sys.getlk(fd, { type: 'read', start: 10, length: 2 }), undefined, 'readers share');
        holders.forEach((lwp, i) => {
          const found = sys.getlk(fd, { type: 'write', start: i * 10, length: 1 });
          same(
            [found?.pid, found?.start, found?.length],
            [lwp.proc.pid, i * 10, i === 3 ? 0 : 2],
            `holder of range ${i}`,
          );
        });
      });
      for (const lwp of holders) {
        k.lwproc.switch(lwp);
        k.lwproc.releaselwp();
      }
      k.lwproc.switch(me);
      withFd(sys, 'lock', O.RDWR, (fd) => sys.setlk(fd, { type: 'write', start: 0, length: 0 }));
    },
  },
  {
    name: 't_vnops access_simple: root may read and write everything, wrong bits are EINVAL',
    run({ sys }) {
      sys.mkdir('tdir', 0o777);
      put(sys, 'tfile', '', 0o755);
      for (const path of ['tdir', 'tfile']) {
        for (const mode of [0, ACCESS.EXEC, ACCESS.WRITE, ACCESS.READ]) sys.access(path, mode);
        fails('EINVAL', () => sys.access(path, -1), 'mode -1');
        fails('EINVAL', () => sys.access(path, 8), 'mode 8');
      }
      fails('ENOENT', () => sys.access('nothing', 0), 'a missing file');
    },
  },
  {
    name: 't_vnops read_directory: read(2) of a directory works or is EISDIR, and never writes',
    run({ sys }) {
      withFd(sys, '.', O.RDONLY, (fd) => {
        for (const read of [() => sys.read(fd, new Uint8Array(1024)), () => sys.pread(fd, new Uint8Array(1024), 0)]) {
          const got = outcome(read);
          ok(got === 'ok' || got === 'EISDIR', `read of a directory: ${got}`);
        }
      });
      fails('EISDIR', () => sys.open('.', O.RDWR), 'opening a directory for writing');
      fails('EISDIR', () => sys.open('.', O.WRONLY | O.TRUNC), 'truncating a directory');
    },
  },
  {
    name: 't_vnops lstat_symlink: lstat() tells the link itself and the length of its target',
    needs: (t) => t.symlinks,
    run({ sys }) {
      sys.symlink('target/of/link', 'link');
      const stat = sys.lstat('link');
      same([stat.type, stat.size, stat.nlink], ['lnk', 14, 1], 'type, size, nlink');
      same(sys.readlink('link'), 'target/of/link', 'target');
      fails('ENOENT', () => sys.stat('link'), 'stat through a dangling link');
      fails('EINVAL', () => sys.readlink('.'), 'readlink of a directory');
      put(sys, 'plain', pattern(10));
      fails('EINVAL', () => sys.readlink('plain'), 'readlink of a file');
    },
  },
];
