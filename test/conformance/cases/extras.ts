/** Our own themes: sparse files, extended attributes, flags, links at their limit, unlinked open files. */
import { FileFlag, O, SEEK, type Rump } from '@ukfs/kernel';
import {
  allZero,
  exists,
  fails,
  get,
  missing,
  names,
  ok,
  outcome,
  pattern,
  put,
  readFd,
  same,
  sameBytes,
  text,
  withFd,
  type Case,
} from '../suite.ts';

const MiB = 1024 * 1024;

/** Data and hole boundaries of an open file by SEEK_DATA and SEEK_HOLE. */
function extents(sys: Rump['sys'], fd: number): [number, number][] {
  const out: [number, number][] = [];
  let at = 0;
  for (let i = 0; i < 1000; i++) {
    let data = 0;
    if (outcome(() => void (data = sys.lseek(fd, at, SEEK.DATA))) !== 'ok') return out;
    const hole = sys.lseek(fd, data, SEEK.HOLE);
    ok(hole > data, 'SEEK_HOLE does not go forward');
    out.push([data, hole]);
    at = hole;
  }
  throw new Error('SEEK_DATA and SEEK_HOLE do not end');
}

export const sparse: Case[] = [
  {
    name: 'a sparse file takes space only where it was written',
    needs: (t) => t.sparse,
    run({ sys, traits }) {
      const size = Math.min(traits.maxFileBytes, 64 * 2 ** 30);
      withFd(sys, 'file', O.RDWR | O.CREAT, (fd) => {
        sys.pwrite(fd, text('start'), 0);
        sys.pwrite(fd, text('end'), size - 3);
        const stat = sys.fstat(fd);
        same(stat.size, size, 'size');
        ok(stat.bytes > 0 && stat.bytes < MiB, `space used: ${stat.bytes}`);
        sameBytes(readFd(sys, fd, 100, size - 3), text('end'), 'the end');
        allZero(readFd(sys, fd, 10_000, Math.floor(size / 2)), 'the middle');
        sys.ftruncate(fd, 5);
        sameBytes(readFd(sys, fd, 100, 0), text('start'), 'cut to the start');
      });
    },
  },
  {
    name: 'growing a file by truncate makes a hole',
    needs: (t) => t.sparse,
    run({ sys, traits }) {
      put(sys, 'file');
      const size = Math.min(traits.maxFileBytes, 10 * 2 ** 30);
      sys.truncate('file', size);
      same([sys.stat('file').size, sys.stat('file').bytes < MiB], [size, true], 'size, and next to no space');
      withFd(sys, 'file', O.RDONLY, (fd) => allZero(readFd(sys, fd, 5000, size - 5000), 'the end'));
      if (traits.maxFileBytes < Number.MAX_SAFE_INTEGER)
        fails(['EFBIG', 'EINVAL'], () => sys.truncate('file', traits.maxFileBytes + 1), 'beyond the largest size');
      sys.truncate('file', 0);
    },
  },
  {
    name: 'lseek() SEEK_DATA and SEEK_HOLE tell where the data is; the end is a hole, past it is ENXIO',
    needs: (t) => t.sparse,
    run({ sys, traits }) {
      const unit = Math.max(traits.blockBytes, 65536);
      withFd(sys, 'file', O.RDWR | O.CREAT, (fd) => {
        fails('ENXIO', () => sys.lseek(fd, 0, SEEK.DATA), 'data in an empty file');
        fails('ENXIO', () => sys.lseek(fd, 0, SEEK.HOLE), 'hole in an empty file');
        sys.pwrite(fd, pattern(unit), unit);
        sys.pwrite(fd, pattern(unit), 5 * unit);
        sys.ftruncate(fd, 8 * unit);
        same(
          extents(sys, fd),
          [
            [unit, 2 * unit],
            [5 * unit, 6 * unit],
          ],
          'extents',
        );
        same(sys.lseek(fd, unit + 10, SEEK.DATA), unit + 10, 'within data');
        same(sys.lseek(fd, 10, SEEK.HOLE), 10, 'within a hole');
        same(sys.lseek(fd, 6 * unit, SEEK.HOLE), 6 * unit, 'at a hole');
        fails('ENXIO', () => sys.lseek(fd, 6 * unit, SEEK.DATA), 'no more data');
        fails('ENXIO', () => sys.lseek(fd, 8 * unit, SEEK.HOLE), 'at the end');
        fails(['ENXIO', 'EINVAL'], () => sys.lseek(fd, -1, SEEK.DATA), 'a negative offset');
        sys.ftruncate(fd, 6 * unit);
        same(sys.lseek(fd, 5 * unit, SEEK.HOLE), 6 * unit, 'the end is a hole');
      });
    },
  },
  {
    name: 'posix_fallocate() reserves zeros, keeps what is there and grows the file',
    needs: (t) => t.allocate,
    run({ sys }) {
      put(sys, 'file', 'data');
      withFd(sys, 'file', O.RDWR, (fd) => {
        sys.posix_fallocate(fd, 0, 100_000);
        const stat = sys.fstat(fd);
        same(stat.size, 100_000, 'size');
        ok(stat.bytes >= 100_000, `space used: ${stat.bytes}`);
        const all = readFd(sys, fd, 200_000, 0);
        sameBytes(all.subarray(0, 4), text('data'), 'what was there');
        allZero(all.subarray(4), 'the rest');
        sys.pwrite(fd, text('x'), 50_000);
        same(sys.fstat(fd).size, 100_000, 'size after writing into it');
        fails('EINVAL', () => sys.posix_fallocate(fd, -1, 10), 'a negative offset');
        fails('EINVAL', () => sys.posix_fallocate(fd, 0, 0), 'no length');
      });
      withFd(sys, 'file', O.RDONLY, (fd) => fails('EBADF', () => sys.posix_fallocate(fd, 0, 10), 'a reader'));
    },
  },
  {
    name: 'posix_fallocate() of more than there is fails with ENOSPC and changes nothing',
    needs: (t) => t.allocate && t.capacityBytes > 0,
    run({ sys, traits }) {
      put(sys, 'file', 'data');
      const before = sys.stat('file');
      const free = sys.statvfs('.').freeBlocks;
      withFd(sys, 'file', O.RDWR, (fd) => {
        fails(['ENOSPC', 'EFBIG'], () => sys.posix_fallocate(fd, 0, traits.capacityBytes * 2), 'twice the disk');
      });
      same(sys.stat('file'), before, 'attributes');
      same(sys.statvfs('.').freeBlocks, free, 'free blocks');
    },
  },
  {
    name: 'fdiscard() makes zeros of a range, frees whole blocks and leaves size and edges',
    needs: (t) => t.punch,
    run({ sys, traits }) {
      const unit = traits.blockBytes;
      const data = pattern(20 * unit);
      put(sys, 'file', data);
      const before = sys.stat('file');
      withFd(sys, 'file', O.RDWR, (fd) => {
        sys.fdiscard(fd, 3 * unit + 10, 8 * unit);
        const all = readFd(sys, fd, 30 * unit, 0);
        same(all.length, 20 * unit, 'size');
        sameBytes(all.subarray(0, 3 * unit + 10), data.subarray(0, 3 * unit + 10), 'before the range');
        allZero(all.subarray(3 * unit + 10, 11 * unit + 10), 'the range');
        sameBytes(all.subarray(11 * unit + 10), data.subarray(11 * unit + 10), 'after the range');
        ok(before.bytes - sys.fstat(fd).bytes >= 7 * unit, 'seven blocks are free');
        sys.fdiscard(fd, unit + 1, 5);
        same(readFd(sys, fd, 7, unit).join(), [data[unit], 0, 0, 0, 0, 0, data[unit + 6]].join(), 'within one block');
        sys.fdiscard(fd, 19 * unit, 100 * unit);
        same(sys.fstat(fd).size, 20 * unit, 'size after discarding past the end');
        sys.pwrite(fd, text('new'), 5 * unit);
        sameBytes(readFd(sys, fd, 3, 5 * unit), text('new'), 'written again');
      });
    },
  },
];

export const unlinked: Case[] = [
  {
    name: 'an unlinked open file keeps its data for every descriptor, can be changed, and its space comes back at the last close',
    needs: (t) => t.unlinkOpen,
    run({ sys, traits }) {
      put(sys, 'other');
      const before = sys.statvfs('.');
      put(sys, 'file', pattern(100_000));
      const a = sys.open('file', O.RDWR);
      const b = sys.open('file', O.RDONLY);
      sys.unlink('file');
      put(sys, 'file', 'another file of the same name');
      sys.close(a);
      sameBytes(readFd(sys, b, 200_000, 0), pattern(100_000), 'through the second descriptor');
      same([sys.fstat(b).nlink, sys.fstat(b).size], [0, 100_000], 'nlink and size');
      ok(sys.fstat(b).ino !== sys.stat('file').ino, 'its inode is not used again while it is open');
      same(get(sys, 'file').length, 29, 'the new file');
      sys.unlink('file');
      sys.close(b);
      if (traits.countsFiles) same(sys.statvfs('.'), before, 'statvfs after the last close');
    },
  },
  {
    name: 'a removed directory that is open lists nothing and takes nothing',
    run({ sys }) {
      sys.mkdir('dir', 0o755);
      withFd(sys, 'dir', O.RDONLY, (fd) => {
        sys.rmdir('dir');
        same(
          sys.getdents(fd).filter((e) => e.name !== '.' && e.name !== '..'),
          [],
          'entries',
        );
        same(sys.fstat(fd).type, 'dir', 'type');
        sys.mkdir('dir', 0o755);
        put(sys, 'dir/x');
        same(names(sys, 'dir'), ['x'], 'a new directory of the same name');
        sys.fchdir(fd);
        fails('ENOENT', () => put(sys, 'y'), 'creating in the removed one');
        fails(['ENOENT', 'ESTALE'], () => sys.chdir('..'), '`..` of the removed one');
      });
    },
  },
  {
    name: 'the link count has a limit that is refused with EMLINK',
    needs: (t) => t.hardLinks && t.slowLimits,
    run({ sys, traits }) {
      sys.mkdir('links', 0o755);
      put(sys, 'file', 'x');
      // Only from near the limit on is it worth asking; on the way there every link must work.
      for (let i = 1; i < traits.linkMax; i++) sys.link('file', `links/${i.toString(36)}`);
      same(sys.stat('file').nlink, traits.linkMax, 'nlink');
      fails('EMLINK', () => sys.link('file', 'one-more'), 'one more');
      missing(sys, 'one-more');
      for (let i = 1; i < traits.linkMax; i++) sys.unlink(`links/${i.toString(36)}`);
      same(sys.stat('file').nlink, 1, 'nlink after all went');
    },
  },
  {
    name: 'pathconf() tells the limits that hold',
    run({ sys, traits }) {
      same(sys.pathconf('.', 'nameMax'), traits.nameMaxBytes, 'nameMax');
      same(sys.pathconf('.', 'linkMax'), traits.linkMax, 'linkMax');
      same(sys.pathconf('.', 'noTrunc'), 1, 'noTrunc');
      ok(sys.pathconf('.', 'fileSizeBits') >= 32, 'fileSizeBits');
      if (traits.symlinks) {
        const longest = 's'.repeat(Math.min(sys.pathconf('.', 'symlinkMax'), 4095));
        sys.symlink(longest, 'longest');
        same(sys.readlink('longest'), longest, 'the longest link target');
        fails('ENAMETOOLONG', () => sys.symlink('s'.repeat(4096), 'longer'), 'one longer than any path');
        missing(sys, 'longer');
      }
      withFd(sys, '.', O.RDONLY, (fd) => same(sys.fpathconf(fd, 'nameMax'), traits.nameMaxBytes, 'fpathconf'));
    },
  },
];

const hasXattr = (t: { readonly xattr: boolean }): boolean => t.xattr;

export const attributes: Case[] = [
  {
    name: 't_extattr extattr_simple: extended attributes are set, read, listed, replaced and removed',
    needs: hasXattr,
    run({ sys }) {
      put(sys, 'file', 'x');
      same(sys.getxattr('file', 'user.none'), undefined, 'a missing attribute');
      same(sys.listxattr('file'), [], 'none at first');
      sys.setxattr('file', 'user.b', text('bee'));
      sys.setxattr('file', 'user.a', text(''));
      same([...sys.listxattr('file')].sort(), ['user.a', 'user.b'], 'list');
      sameBytes(sys.getxattr('file', 'user.b') ?? text(''), text('bee'), 'value');
      same(sys.getxattr('file', 'user.a')?.length, 0, 'an empty value');
      sys.setxattr('file', 'user.b', pattern(300));
      sameBytes(sys.getxattr('file', 'user.b') ?? text(''), pattern(300), 'a longer value');
      sys.setxattr('file', 'user.b', text('b'));
      sameBytes(sys.getxattr('file', 'user.b') ?? text(''), text('b'), 'a shorter value');
      sys.removexattr('file', 'user.b');
      same(sys.listxattr('file'), ['user.a'], 'list after removing one');
      fails('ENOATTR', () => sys.removexattr('file', 'user.b'), 'removing it again');
      same(sys.getxattr('file', 'user.b'), undefined, 'the removed one');
      same(sys.stat('file').size, 1, 'the size of the file is not touched');
    },
  },
  {
    name: 't_extattr extattr_create_unlink: extended attributes change ctime alone, follow a rename and go with the file',
    needs: hasXattr,
    run({ sys, tick, traits }) {
      sys.mkdir('dir', 0o755);
      put(sys, 'file', 'x');
      const before = sys.stat('file');
      tick();
      sys.setxattr('file', 'user.x', text('kept'));
      const after = sys.stat('file');
      same(after.mtime, before.mtime, 'mtime');
      ok(after.ctime.sec > before.ctime.sec, 'ctime moved');
      if (traits.rename) {
        sys.rename('file', 'dir/renamed');
        sameBytes(sys.getxattr('dir/renamed', 'user.x') ?? text(''), text('kept'), 'after a rename');
        sys.rename('dir/renamed', 'file');
      }
      if (traits.hardLinks) {
        sys.link('file', 'hard');
        sameBytes(sys.getxattr('hard', 'user.x') ?? text(''), text('kept'), 'through another name');
        sys.unlink('hard');
      }
      sys.truncate('file', 0);
      put(sys, 'file', pattern(50_000));
      sameBytes(sys.getxattr('file', 'user.x') ?? text(''), text('kept'), 'after the contents changed');
      sys.unlink('file');
      put(sys, 'file');
      same(sys.listxattr('file'), [], 'a new file of that name has none');
    },
  },
  {
    name: 'extended attributes: many names, long names and large values, on files and directories, through a remount',
    needs: hasXattr,
    run({ sys, traits, remount }) {
      sys.mkdir('dir', 0o755);
      put(sys, 'file');
      const large = Math.min(traits.xattrMaxBytes, 3000);
      sys.setxattr('dir', 'user.large', pattern(large));
      const count = traits.xattrMaxBytes < 2000 ? 8 : 20;
      const all = Array.from({ length: count }, (_, i) => `user.${'k'.repeat(i + 1)}${i}`);
      all.forEach((name, i) => sys.setxattr('file', name, pattern(i * 2, i)));
      if (traits.persistent) remount();
      same([...sys.listxattr('file')].sort(), [...all].sort(), 'names');
      all.forEach((name, i) => sameBytes(sys.getxattr('file', name) ?? text('?'), pattern(i * 2, i), name));
      sameBytes(sys.getxattr('dir', 'user.large') ?? text(''), pattern(large), 'the large value');
      const got = outcome(() => sys.setxattr('file', 'user.huge', pattern(16 * MiB)));
      ok(['ENOSPC', 'E2BIG', 'EINVAL', 'ERANGE'].includes(got), `a value of 16 MiB: ${got}`);
      same(sys.getxattr('file', 'user.huge'), undefined, 'the refused one');
      same(sys.listxattr('file').length, count, 'the others');
      for (const name of all) sys.removexattr('file', name);
      same(sys.listxattr('file'), [], 'all removed');
    },
  },
  {
    name: 'only those who may read or write a file reach its extended attributes',
    needs: (t) => t.xattr && t.owners,
    run({ sys, as }) {
      put(sys, 'file', '', 0o600);
      sys.setxattr('file', 'user.x', text('secret'));
      as(1, () => {
        fails(['EACCES', 'EPERM'], () => sys.getxattr('file', 'user.x'), 'reading');
        fails(['EACCES', 'EPERM'], () => sys.setxattr('file', 'user.x', text('y')), 'writing');
        fails(['EACCES', 'EPERM'], () => sys.removexattr('file', 'user.x'), 'removing');
      });
      sameBytes(sys.getxattr('file', 'user.x') ?? text(''), text('secret'), 'value');
    },
  },
  {
    name: 'chflags() keeps each flag that the type can store, and refuses the others',
    needs: (t) => t.flags !== 0,
    run({ sys, traits }) {
      put(sys, 'file');
      sys.mkdir('dir', 0o755);
      for (const [name, flag] of Object.entries(FileFlag)) {
        if ((traits.flags & flag) === 0) {
          fails(['EOPNOTSUPP', 'EINVAL', 'EPERM'], () => sys.chflags('file', flag), `${name} that cannot be stored`);
          continue;
        }
        if (flag === FileFlag.SF_SNAPSHOT) continue;
        for (const path of ['file', 'dir']) {
          sys.chflags(path, flag);
          same(sys.stat(path).flags, flag, `${name} of ${path}`);
          sys.chflags(path, 0);
          same(sys.stat(path).flags, 0, `no flags of ${path}`);
        }
      }
    },
  },
  {
    name: 'an immutable file cannot be written, renamed, unlinked or changed; an append-only one only grows',
    needs: (t) => (t.flags & (FileFlag.UF_IMMUTABLE | FileFlag.SF_IMMUTABLE)) !== 0,
    run({ sys, traits }) {
      const immutable = (traits.flags & FileFlag.SF_IMMUTABLE) !== 0 ? FileFlag.SF_IMMUTABLE : FileFlag.UF_IMMUTABLE;
      put(sys, 'file', 'fixed');
      sys.chflags('file', immutable);
      fails('EPERM', () => sys.unlink('file'), 'unlink');
      fails('EPERM', () => sys.open('file', O.RDWR), 'open for writing');
      fails('EPERM', () => sys.truncate('file', 0), 'truncate');
      fails('EPERM', () => sys.chmod('file', 0o600), 'chmod');
      fails('EPERM', () => sys.chown('file', 1, 1), 'chown');
      if (traits.rename) fails('EPERM', () => sys.rename('file', 'other'), 'rename');
      if (traits.hardLinks) fails('EPERM', () => sys.link('file', 'hard'), 'link');
      sameBytes(get(sys, 'file'), text('fixed'), 'contents');
      sys.chflags('file', 0);
      sys.mkdir('dir', 0o755);
      put(sys, 'dir/old');
      sys.chflags('dir', immutable);
      fails('EPERM', () => put(sys, 'dir/new'), 'creating in an immutable directory');
      fails('EPERM', () => sys.unlink('dir/old'), 'unlinking in an immutable directory');
      sys.chflags('dir', 0);
      ok(exists(sys, 'dir/old'), 'its file is still there');
      const append = FileFlag.SF_APPEND | FileFlag.UF_APPEND;
      if ((traits.flags & append) === 0) return;
      sys.chflags('file', (traits.flags & FileFlag.SF_APPEND) !== 0 ? FileFlag.SF_APPEND : FileFlag.UF_APPEND);
      withFd(sys, 'file', O.WRONLY, (fd) => fails('EPERM', () => sys.pwrite(fd, text('x'), 0), 'writing over it'));
      fails('EPERM', () => sys.open('file', O.WRONLY | O.TRUNC), 'O_TRUNC of an append-only file');
      fails('EPERM', () => sys.truncate('file', 0), 'truncate of an append-only file');
      fails('EPERM', () => sys.unlink('file'), 'unlink of an append-only file');
      withFd(sys, 'file', O.WRONLY | O.APPEND, (fd) => sys.write(fd, text('+more')));
      sameBytes(get(sys, 'file'), text('fixed+more'), 'contents');
      sys.chflags('file', 0);
    },
  },
];
