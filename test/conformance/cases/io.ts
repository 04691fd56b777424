/** NetBSD tests/fs/vfs/t_io.c and our own: reading, writing, positions, truncation, holes. */
import { O, SEEK } from '@ukfs/kernel';
import {
  allZero,
  fails,
  get,
  missing,
  ok,
  outcome,
  pattern,
  put,
  readFd,
  same,
  sameBytes,
  text,
  withFd,
  writeAll,
  type Case,
} from '../suite.ts';

const PAGE = 4096;

function overwrite(length: number): Case['run'] {
  return ({ sys }) => {
    withFd(sys, 'testfile', O.CREAT | O.RDWR, (fd) => {
      for (let round = 1; round <= 8; round++) {
        const data = pattern(length, round);
        same(sys.pwrite(fd, data, 0), length, 'bytes written');
        sameBytes(readFd(sys, fd, length + 1, 0), data, `round ${round}`);
      }
      same(sys.fstat(fd).size, length, 'size');
    });
  };
}

export const io: Case[] = [
  {
    name: 't_io holywrite: a write across a page boundary leaves a hole of zeros before it',
    run({ sys }) {
      put(sys, 'file', pattern(1));
      withFd(sys, 'file', O.RDWR | O.TRUNC, (fd) => {
        same(sys.pwrite(fd, text('a'), PAGE), 1, 'one byte at the boundary');
        same(sys.pwrite(fd, text('bc'), PAGE - 1), 2, 'two bytes across it');
        same(sys.fstat(fd).size, PAGE + 1, 'size');
        allZero(readFd(sys, fd, PAGE - 1, 0), 'the hole');
        sameBytes(readFd(sys, fd, 10, PAGE - 1), text('bc'), 'both bytes');
      });
    },
  },
  {
    name: 't_io extendfile: ftruncate() makes a file longer with zeros',
    run({ sys }) {
      withFd(sys, 'testfile', O.CREAT | O.RDWR, (fd) => {
        sys.ftruncate(fd, 16);
        same(sys.fstat(fd).size, 16, 'size');
        sys.pwrite(fd, text('test'), 0);
        sys.ftruncate(fd, 100_000);
        const all = readFd(sys, fd, 200_000, 0);
        same(all.length, 100_000, 'bytes to read');
        sameBytes(all.subarray(0, 4), text('test'), 'the start');
        allZero(all.subarray(4), 'the rest');
      });
    },
  },
  {
    name: 't_io extendfile_append: an append after ftruncate() goes to the new end (PR 44307)',
    run({ sys }) {
      withFd(sys, 'testfile', O.CREAT | O.RDWR | O.APPEND, (fd) => {
        sys.write(fd, text('start'));
        sys.ftruncate(fd, 37);
        sys.lseek(fd, 0, SEEK.SET);
        sys.write(fd, text('end'));
        same(sys.fstat(fd).size, 40, 'size');
        const all = readFd(sys, fd, 100, 0);
        sameBytes(all.subarray(0, 5), text('start'), 'the start');
        allZero(all.subarray(5, 37), 'the middle');
        sameBytes(all.subarray(37), text('end'), 'the end');
        same(sys.lseek(fd, 0, SEEK.CUR), 40, 'position after an append');
      });
    },
  },
  { name: 't_io overwrite512: 512 bytes written over and over read back as last written', run: overwrite(512) },
  { name: 't_io overwrite64k: 64 KiB written over and over read back as last written', run: overwrite(65536) },
  {
    name: 't_io overwrite_trunc: blocks written over and cut away in turn hold what was written last',
    run({ sys }) {
      withFd(sys, 'testfile', O.CREAT | O.RDWR, (fd) => {
        for (let round = 1; round <= 4; round++) {
          for (let i = 0; i < 4; i++) sys.pwrite(fd, pattern(16384, round * 10 + i), i * 16384);
          sys.ftruncate(fd, 16384 + round);
          sameBytes(readFd(sys, fd, 16384, 0), pattern(16384, round * 10), 'the kept block');
          sys.ftruncate(fd, 65536);
          allZero(readFd(sys, fd, 65536, 16384 + round), 'what was cut away');
        }
      });
    },
  },
  {
    name: 't_io shrinkfile: a file cut to one byte has one byte',
    run({ sys }) {
      withFd(sys, 'file', O.CREAT | O.RDWR, (fd) => {
        sys.write(fd, text('ab'));
        sys.ftruncate(fd, 1);
        same(sys.fstat(fd).size, 1, 'size');
        sameBytes(readFd(sys, fd, 10, 0), text('a'), 'contents');
        sys.ftruncate(fd, 2);
        sameBytes(readFd(sys, fd, 10, 0), Uint8Array.of(0x61, 0), 'contents after growing again');
      });
    },
  },
  {
    name: 't_io read_after_unlink: an unlinked file is readable through its descriptor, and keeps the mount busy',
    needs: (t) => t.unlinkOpen,
    run({ sys, mnt, traits }) {
      const data = pattern(65536);
      put(sys, 'file', data);
      withFd(sys, 'file', O.RDWR, (fd) => {
        if (traits.mounted) {
          sys.chdir('/');
          fails('EBUSY', () => sys.unmount(mnt), 'unmount with an open file');
          sys.chdir(mnt);
        }
        sys.unlink('file');
        missing(sys, 'file');
        same(sys.fstat(fd).nlink, 0, 'nlink');
        sameBytes(readFd(sys, fd, data.length + 1, 0), data, 'contents');
      });
    },
  },
  {
    name: 't_io wrrd_after_unlink: an unlinked file can be written, synced and read until it is closed',
    needs: (t) => t.unlinkOpen && t.sparse,
    run({ sys }) {
      const data = pattern(1500);
      withFd(sys, 'file', O.RDWR | O.CREAT, (fd) => {
        sys.unlink('file');
        sys.pwrite(fd, data, 654_321);
        sys.fsync(fd);
        sameBytes(readFd(sys, fd, 2000, 654_321), data, 'what was written');
        allZero(readFd(sys, fd, 5000, 640_000), 'the hole before it');
      });
      missing(sys, 'file');
    },
  },
  {
    name: 't_basic lseekrv: lseek() returns the offset, also beyond 4 GiB, and is EBADF on a closed descriptor',
    run({ sys }) {
      fails('EBADF', () => sys.lseek(37, 0, SEEK.SET), 'a descriptor that is not open');
      withFd(sys, 'test', O.RDWR | O.CREAT, (fd) => {
        for (const offset of [5 * 2 ** 20, 5 * 2 ** 30]) same(sys.lseek(fd, offset, SEEK.SET), offset, 'position');
        fails('EINVAL', () => sys.lseek(fd, -1, SEEK.SET), 'a negative position');
        fails('EINVAL', () => sys.lseek(fd, 0, 77), 'an unknown whence');
        same(sys.lseek(fd, 0, SEEK.CUR), 5 * 2 ** 30, 'a refused lseek does not move');
        same(sys.lseek(fd, 10, SEEK.END), 10, 'beyond the end of an empty file');
        same(sys.read(fd, new Uint8Array(1)), 0, 'reading there is end of file');
        same(sys.fstat(fd).size, 0, 'seeking does not grow the file');
      });
    },
  },
  {
    name: 'tmpfs/t_read_write: what is written is read, through one descriptor and through two',
    run({ sys }) {
      const data = pattern(10_000);
      withFd(sys, 'testfile', O.RDWR | O.CREAT, (fd) => {
        writeAll(sys, fd, data);
        withFd(sys, 'testfile', O.RDONLY, (other) =>
          sameBytes(readFd(sys, other, 20_000, 0), data, 'second descriptor'),
        );
        same(sys.lseek(fd, 0, SEEK.CUR), data.length, 'position after writing');
        same(sys.read(fd, new Uint8Array(10)), 0, 'at the end');
        sys.lseek(fd, 5000, SEEK.SET);
        const piece = new Uint8Array(100);
        same(sys.read(fd, piece), 100, 'bytes read');
        sameBytes(piece, data.subarray(5000, 5100), 'from the middle');
        same(sys.lseek(fd, 0, SEEK.CUR), 5100, 'position after reading');
        same(sys.pread(fd, piece, 0), 100, 'pread');
        same(sys.lseek(fd, 0, SEEK.CUR), 5100, 'pread does not move');
        same(sys.pwrite(fd, text('zz'), 9_999), 2, 'pwrite across the end');
        same(sys.fstat(fd).size, 10_001, 'size');
      });
    },
  },
  {
    name: 'tmpfs/t_truncate: a file is cut and grown by name, to any size',
    run({ sys }) {
      put(sys, 'foo', pattern(10_000));
      for (const size of [9_999, 4097, 4096, 4095, 1024, 1, 0, 1, 4096, 123_456]) {
        sys.truncate('foo', size);
        same(sys.stat('foo').size, size, `size after truncate to ${size}`);
      }
      allZero(get(sys, 'foo'), 'after cutting to nothing and growing');
      fails('EISDIR', () => sys.truncate('.', 0), 'truncate of a directory');
      fails('EINVAL', () => sys.truncate('foo', -1), 'a negative size');
    },
  },
  {
    name: 'write() of nothing changes neither size nor times',
    run({ sys, tick }) {
      put(sys, 'file', 'abc');
      const before = sys.stat('file');
      tick();
      withFd(sys, 'file', O.RDWR, (fd) => same(sys.pwrite(fd, new Uint8Array(0), 100), 0, 'bytes written'));
      same(sys.stat('file'), before, 'stat');
    },
  },
  {
    name: 'O_APPEND writes at the end wherever the position is, and two appenders do not overwrite each other',
    run({ sys }) {
      put(sys, 'log', 'start\n');
      withFd(sys, 'log', O.WRONLY | O.APPEND, (a) =>
        withFd(sys, 'log', O.WRONLY | O.APPEND, (b) => {
          for (let i = 0; i < 3; i++) {
            sys.lseek(a, 0, SEEK.SET);
            sys.write(a, text(`a${i}\n`));
            sys.write(b, text(`b${i}\n`));
          }
        }),
      );
      sameBytes(get(sys, 'log'), text('start\na0\nb0\na1\nb1\na2\nb2\n'), 'log');
    },
  },
  {
    name: 'a hole in the middle of a file reads as zeros and its edges stay',
    run({ sys }) {
      const piece = pattern(3000);
      withFd(sys, 'file', O.RDWR | O.CREAT, (fd) => {
        sys.pwrite(fd, piece, 1000);
        sys.pwrite(fd, piece, 500_001);
        same(sys.fstat(fd).size, 503_001, 'size');
        const all = readFd(sys, fd, 600_000, 0);
        allZero(all.subarray(0, 1000), 'before the first piece');
        sameBytes(all.subarray(1000, 4000), piece, 'the first piece');
        allZero(all.subarray(4000, 500_001), 'between the pieces');
        sameBytes(all.subarray(500_001), piece, 'the second piece');
      });
    },
  },
  {
    name: 'data cut away by truncate never comes back, at any alignment',
    run({ sys }) {
      withFd(sys, 'file', O.RDWR | O.CREAT, (fd) => {
        for (const cut of [1, 511, 512, 513, 1023, 1024, 4095, 4096, 4097, 9000]) {
          sys.ftruncate(fd, 0);
          sys.pwrite(fd, pattern(10_000), 0);
          sys.ftruncate(fd, cut);
          sys.pwrite(fd, text('!'), 20_000);
          const all = readFd(sys, fd, 30_000, 0);
          sameBytes(all.subarray(0, cut), pattern(10_000).subarray(0, cut), `kept part, cut at ${cut}`);
          allZero(all.subarray(cut, 20_000), `after a cut at ${cut}`);
        }
      });
    },
  },
  {
    name: 'reads at and past the end of a file return nothing, across it what is there',
    run({ sys }) {
      put(sys, 'file', pattern(5000));
      withFd(sys, 'file', O.RDONLY, (fd) => {
        for (const offset of [5000, 5001, 2 ** 31, 2 ** 40])
          same(sys.pread(fd, new Uint8Array(8), offset), 0, `at ${offset}`);
        const dst = new Uint8Array(100).fill(7);
        same(sys.pread(fd, dst, 4990), 10, 'across the end');
        same(
          dst.subarray(10).every((b) => b === 7),
          true,
          'bytes past the end are not touched',
        );
      });
    },
  },
  {
    name: 'a descriptor opened for one direction refuses the other with EBADF',
    run({ sys }) {
      put(sys, 'file', 'x');
      withFd(sys, 'file', O.RDONLY, (fd) => {
        fails('EBADF', () => sys.write(fd, text('y')), 'write to a reader');
        fails(['EBADF', 'EINVAL'], () => sys.ftruncate(fd, 0), 'ftruncate of a reader');
      });
      withFd(sys, 'file', O.WRONLY, (fd) =>
        fails('EBADF', () => sys.read(fd, new Uint8Array(1)), 'read from a writer'),
      );
      fails('EBADF', () => sys.close(99), 'close of a closed descriptor');
      sameBytes(get(sys, 'file'), text('x'), 'contents');
    },
  },
  {
    name: 'dup() shares the position, a second open() does not',
    run({ sys }) {
      put(sys, 'file', 'abcdef');
      withFd(sys, 'file', O.RDONLY, (fd) => {
        const dup = sys.dup(fd);
        sys.read(fd, new Uint8Array(2));
        same(sys.lseek(dup, 0, SEEK.CUR), 2, 'position of the duplicate');
        withFd(sys, 'file', O.RDONLY, (other) => same(sys.lseek(other, 0, SEEK.CUR), 0, 'position of another open'));
        sys.close(dup);
        same(sys.read(fd, new Uint8Array(10)), 4, 'the first descriptor still works');
      });
    },
  },
  {
    name: 'open() flags: O_TRUNC empties, O_DIRECTORY wants a directory, O_NOFOLLOW wants no link',
    run({ sys, traits }) {
      put(sys, 'file', 'abc');
      sys.close(sys.open('file', O.RDWR | O.TRUNC));
      same(sys.stat('file').size, 0, 'size after O_TRUNC');
      fails('ENOTDIR', () => sys.open('file', O.RDONLY | O.DIRECTORY), 'O_DIRECTORY of a file');
      sys.close(sys.open('.', O.RDONLY | O.DIRECTORY));
      fails('ENOENT', () => sys.open('missing', O.RDWR), 'a missing file');
      fails('ENOTDIR', () => sys.open('file/x', O.RDWR | O.CREAT, 0o644), 'below a file');
      fails('ENOENT', () => sys.open('missing/x', O.RDWR | O.CREAT, 0o644), 'below nothing');
      if (traits.symlinks) {
        sys.symlink('file', 'link');
        const got = outcome(() => sys.open('link', O.RDONLY | O.NOFOLLOW));
        ok(got === 'ELOOP' || got === 'EFTYPE', `O_NOFOLLOW met a link: ${got}`);
        sys.symlink('made', 'dangling');
        sys.close(sys.open('dangling', O.RDWR | O.CREAT, 0o644));
        same(sys.lstat('made').type, 'reg', 'creating through a dangling link');
        fails('EEXIST', () => sys.open('link', O.RDWR | O.CREAT | O.EXCL, 0o644), 'O_EXCL on a link');
      }
    },
  },
  {
    name: 'large random writes and reads agree with a plain array',
    run({ sys }) {
      const size = 300_000;
      const model = new Uint8Array(size);
      let end = 0;
      withFd(sys, 'file', O.RDWR | O.CREAT, (fd) => {
        for (let i = 1; i <= 40; i++) {
          const offset = (i * 7919 * 31) % (size - 20_000);
          const data = pattern(1 + ((i * 4201) % 20_000), i);
          same(sys.pwrite(fd, data, offset), data.length, 'bytes written');
          model.set(data, offset);
          end = Math.max(end, offset + data.length);
        }
        sameBytes(readFd(sys, fd, size, 0), model.subarray(0, end), 'the whole file');
        sameBytes(readFd(sys, fd, 12_345, 6789), model.subarray(6789, Math.min(end, 6789 + 12_345)), 'a piece');
      });
    },
  },
];
