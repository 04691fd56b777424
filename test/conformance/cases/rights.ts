/** NetBSD t_unpriv, t_link, t_mtime_otrunc, t_mtime_write, and our own: who may do what, and which times change when. */
import { O, type Cred, type Stat, type Timespec } from '@ukfs/kernel';
import {
  exists,
  fails,
  get,
  grain,
  ok,
  put,
  same,
  sameBytes,
  text,
  withFd,
  type Case,
  type Ctx,
  type Traits,
} from '../suite.ts';

const user = (uid: number, ...groups: number[]): Cred => ({ uid, gid: groups[0] ?? uid, groups });
const owned = (t: Traits): boolean => t.owners;

/** A hard link to a file of uid 1 made by `maker`, with and without the owner check. */
function hardlink(maker: number, check: boolean, expected: 'ok' | 'EPERM'): Case['run'] {
  return ({ sys, k, as }) => {
    sys.chmod('.', 0o777);
    put(sys, 'file', 'x', 0o666);
    sys.chown('file', 1, 1);
    k.kauth.hardlinkCheckUid = check;
    k.kauth.hardlinkCheckGid = check;
    as(user(maker, maker), () => {
      if (expected === 'ok') {
        sys.link('file', 'link');
        same(sys.stat('link').nlink, 2, 'nlink');
      } else {
        fails(expected, () => sys.link('file', 'link'), 'link');
        ok(!exists(sys, 'link'), 'no link was made');
        same(sys.stat('file').nlink, 1, 'nlink');
      }
    });
  };
}

const linked = (t: Traits): boolean => t.hardLinks && t.owners;

const stamps = (s: Stat): { atime: Timespec; mtime: Timespec; ctime: Timespec } => ({
  atime: s.atime,
  mtime: s.mtime,
  ctime: s.ctime,
});

/** Which of mtime and ctime of `path` an operation moves; each must be exactly now or untouched. */
function moved(ctx: Ctx, path: string, fn: () => void): string {
  const before = stamps(ctx.sys.lstat(path));
  const now = grain(ctx.traits, ctx.tick());
  fn();
  const after = stamps(ctx.sys.lstat(path));
  return (['mtime', 'ctime'] as const)
    .filter((which) => {
      const changed = after[which].sec !== before[which].sec || after[which].nsec !== before[which].nsec;
      if (changed) same(after[which], now, `${which} of ${path}`);
      return changed;
    })
    .join(' ');
}

export const rights: Case[] = [
  {
    name: 't_unpriv owner: only the owner changes owner and mode',
    needs: owned,
    run({ sys, as }) {
      put(sys, 'foo', '', 0o666);
      as(1, () => {
        fails('EPERM', () => sys.chown('foo', 1, -1), 'chown by another');
        fails('EPERM', () => sys.chmod('foo', 0), 'chmod by another');
      });
      sys.chown('foo', 1, 1);
      as(1, () => {
        sys.chown('foo', -1, 1);
        sys.chmod('foo', 0o600);
        fails('EPERM', () => sys.chown('foo', 2, -1), 'giving a file away');
        fails('EPERM', () => sys.chown('foo', -1, 99), 'to a group one is not in');
      });
      same([sys.stat('foo').uid, sys.stat('foo').mode], [1, 0o600], 'owner and mode');
    },
  },
  {
    name: 't_unpriv dirperms: without write permission on the directory nothing is created or removed in it',
    needs: owned,
    run({ sys, as }) {
      put(sys, 'file');
      sys.mkdir('dir', 0o755);
      put(sys, 'dir/file');
      as(1, () => {
        fails('EACCES', () => sys.open('new', O.RDWR | O.CREAT, 0o777), 'create');
        fails('EACCES', () => sys.unlink('file'), 'unlink');
        fails('EACCES', () => sys.mkdir('newdir', 0o777), 'mkdir');
        fails('EACCES', () => sys.rmdir('dir'), 'rmdir');
        fails('EACCES', () => sys.rename('file', 'other'), 'rename');
        fails('EACCES', () => sys.rename('dir/file', 'file2'), 'rename out of another directory');
        fails('EACCES', () => sys.symlink('x', 'newlink'), 'symlink');
        fails('EACCES', () => sys.link('file', 'hard'), 'link');
        fails('EACCES', () => sys.mkfifo('fifo', 0o666), 'mkfifo');
      });
      ok(exists(sys, 'file') && exists(sys, 'dir/file'), 'all is there');
    },
  },
  {
    name: 't_unpriv times: only the owner sets times; a writer may set them to now',
    needs: owned,
    run({ sys, as }) {
      put(sys, 'foo', '', 0o644);
      as(1, () => {
        fails('EACCES', () => sys.utimens('foo', 'now', 'now'), 'now without write permission');
        fails('EPERM', () => sys.utimens('foo', { sec: 1, nsec: 0 }, { sec: 1, nsec: 0 }), 'given times by another');
      });
      sys.chmod('foo', 0o666);
      as(1, () => {
        sys.utimens('foo', 'now', 'now');
        fails('EPERM', () => sys.utimens('foo', { sec: 1, nsec: 0 }, 'omit'), 'given times by a writer');
      });
    },
  },
  { name: 't_link hardlink_sameuser: the owner links their file', needs: linked, run: hardlink(1, false, 'ok') },
  {
    name: 't_link hardlink_sameuser_sysctl: the owner links their file under the owner check',
    needs: linked,
    run: hardlink(1, true, 'ok'),
  },
  { name: 't_link hardlink_otheruser: another user links a file', needs: linked, run: hardlink(2, false, 'ok') },
  {
    name: 't_link hardlink_otheruser_sysctl: another user may not link a file under the owner check',
    needs: linked,
    run: hardlink(2, true, 'EPERM'),
  },
  { name: 't_link hardlink_rootuser: root links any file', needs: linked, run: hardlink(0, false, 'ok') },
  {
    name: 't_link hardlink_rootuser_sysctl: root links any file under the owner check',
    needs: linked,
    run: hardlink(0, true, 'ok'),
  },
  {
    name: 'mode bits: owner, group and others each get their own bits and no more',
    needs: owned,
    run({ sys, as }) {
      put(sys, 'file', 'x');
      sys.chown('file', 10, 20);
      const may = (cred: Cred, mode: number, want: number): boolean => {
        sys.chmod('file', mode);
        return as(cred, () => {
          try {
            sys.access('file', want);
            return true;
          } catch {
            return false;
          }
        });
      };
      const [owner, member, other] = [user(10, 99), user(11, 99, 20), user(12, 99)];
      for (const [bit, want] of [
        [4, 4],
        [2, 2],
        [1, 1],
      ] as const) {
        same([may(owner, bit << 6, want), may(owner, (bit << 3) | bit, want)], [true, false], `owner, bit ${bit}`);
        same([may(member, bit << 3, want), may(member, (bit << 6) | bit, want)], [true, false], `group, bit ${bit}`);
        same([may(other, bit, want), may(other, (bit << 6) | (bit << 3), want)], [true, false], `others, bit ${bit}`);
      }
      sys.chmod('file', 0);
      same(
        getAs(as, user(0), () => get(sys, 'file').length),
        1,
        'root reads all',
      );
      fails('EACCES', () => sys.access('file', 1), 'root executes nothing that nobody may');
    },
  },
  {
    name: 'a directory without search permission hides what is in it',
    needs: owned,
    run({ sys, as }) {
      sys.mkdir('dir', 0o755);
      put(sys, 'dir/file', 'x', 0o666);
      sys.chmod('dir', 0o644);
      as(1, () => {
        fails('EACCES', () => sys.stat('dir/file'), 'stat');
        fails('EACCES', () => sys.open('dir/file', O.RDONLY), 'open');
        fails('EACCES', () => sys.chdir('dir'), 'chdir');
        sys.close(sys.open('dir', O.RDONLY));
      });
      sys.chmod('dir', 0o711);
      as(1, () => {
        sameBytes(get(sys, 'dir/file'), text('x'), 'a known name');
        fails('EACCES', () => sys.open('dir', O.RDONLY), 'listing');
      });
    },
  },
  {
    name: 'in a sticky directory only the owner of a file or of the directory removes or renames it',
    needs: owned,
    run({ sys, as }) {
      sys.mkdir('tmp', 0o777);
      sys.chmod('tmp', 0o1777);
      same(sys.stat('tmp').mode, 0o1777, 'the sticky bit is kept');
      as(1, () => put(sys, 'tmp/mine', 'x', 0o666));
      as(2, () => {
        fails(['EPERM', 'EACCES'], () => sys.unlink('tmp/mine'), 'unlink by another');
        fails(['EPERM', 'EACCES'], () => sys.rename('tmp/mine', 'tmp/yours'), 'rename by another');
        put(sys, 'tmp/other', 'y');
        fails(['EPERM', 'EACCES'], () => sys.rename('tmp/other', 'tmp/mine'), 'rename over it by another');
      });
      as(1, () => sys.unlink('tmp/mine'));
      sys.unlink('tmp/other');
    },
  },
  {
    name: "new files belong to their maker, their group is the directory's, umask takes bits away",
    needs: owned,
    run({ sys, as }) {
      sys.mkdir('dir', 0o777);
      sys.chmod('dir', 0o777);
      sys.chown('dir', 0, 50);
      as(user(5, 6), () => {
        const old = sys.umask(0o027);
        put(sys, 'dir/file', '', 0o666);
        sys.mkdir('dir/sub', 0o777);
        same(sys.umask(old), 0o027, 'umask returns the old mask');
      });
      const [f, d] = [sys.stat('dir/file'), sys.stat('dir/sub')];
      same([f.uid, f.gid, f.mode], [5, 50, 0o640], 'file');
      same([d.uid, d.gid, d.mode & 0o777], [5, 50, 0o750], 'directory');
    },
  },
  {
    name: 'set-id bits go when somebody else writes, cuts or gives away the file',
    needs: owned,
    run({ sys, as }) {
      const fresh = (): void => {
        put(sys, 'file', 'x');
        sys.chmod('file', 0o6777);
        same(sys.stat('file').mode, 0o6777, 'mode as set by root');
      };
      fresh();
      as(1, () => withFd(sys, 'file', O.WRONLY, (fd) => sys.write(fd, text('y'))));
      same(sys.stat('file').mode & 0o6000, 0, 'after a write');
      fresh();
      as(1, () => sys.truncate('file', 0));
      same(sys.stat('file').mode & 0o6000, 0, 'after truncate');
      fresh();
      sys.chown('file', 1, 1);
      sys.chmod('file', 0o6755);
      as(1, () => sys.chown('file', -1, 1));
      same(sys.stat('file').mode & 0o6000, 0, 'after chown by the owner');
    },
  },
  {
    name: 'every permission bit is kept on files and directories',
    needs: owned,
    run({ sys }) {
      put(sys, 'file');
      sys.mkdir('dir', 0o755);
      for (let bit = 0; bit < 12; bit++) {
        for (const path of ['file', 'dir']) {
          sys.chmod(path, 1 << bit);
          same(sys.stat(path).mode, 1 << bit, `bit ${bit} of ${path}`);
        }
      }
      for (const path of ['file', 'dir']) sys.chmod(path, 0o7777);
      same([sys.stat('file').mode, sys.stat('dir').mode], [0o7777, 0o7777], 'all bits');
      sys.chmod('dir', 0o755);
    },
  },
  {
    name: 'large user and group numbers are kept',
    needs: owned,
    run({ sys }) {
      put(sys, 'file');
      for (const id of [65535, 65536, 100_000, 2 ** 31 - 1, 2 ** 31, 2 ** 32 - 2]) {
        sys.chown('file', id, id);
        same([sys.stat('file').uid, sys.stat('file').gid], [id, id], `id ${id}`);
      }
    },
  },
  {
    name: 't_mtime_otrunc otrunc_mtime_update: O_TRUNC updates mtime, of an empty file too',
    run(ctx) {
      const { sys } = ctx;
      put(ctx.sys, 'file', 'x');
      const truncate = (): void => sys.close(sys.open('file', O.RDWR | O.TRUNC));
      same(moved(ctx, 'file', truncate), 'mtime ctime', 'O_TRUNC of a file with contents');
      same(moved(ctx, 'file', truncate), 'mtime ctime', 'O_TRUNC of an empty file');
    },
  },
  {
    name: 't_mtime_write mtime_update_on_write: a write updates mtime',
    run(ctx) {
      const { sys } = ctx;
      put(sys, 'file', 'x');
      withFd(sys, 'file', O.RDWR, (fd) => {
        same(
          moved(ctx, 'file', () => sys.write(fd, text('y'))),
          'mtime ctime',
          'a write',
        );
        same(
          moved(ctx, 'file', () => sys.pwrite(fd, text('z'), 5000)),
          'mtime ctime',
          'a write past the end',
        );
      });
    },
  },
  {
    name: 'tmpfs/t_times: each operation moves exactly the times that POSIX says',
    run(ctx) {
      const { sys, traits } = ctx;
      const root = (what: string, expected: string, fn: () => void): void => same(moved(ctx, '.', fn), expected, what);
      const file = (what: string, expected: string, fn: () => void): void =>
        same(moved(ctx, 'file', fn), expected, what);
      root('creating in a directory', 'mtime ctime', () => put(sys, 'file', 'x'));
      root('writing a file', '', () => put(sys, 'file', 'xy'));
      root('reading', '', () => get(sys, 'file'));
      file('reading', '', () => get(sys, 'file'));
      if (traits.owners) file('chmod', 'ctime', () => sys.chmod('file', 0o600));
      if (traits.owners) file('chown', 'ctime', () => sys.chown('file', 3, 3));
      file('truncate', 'mtime ctime', () => sys.truncate('file', 1));
      file('truncate to the same size', 'mtime ctime', () => sys.truncate('file', 1));
      if (traits.hardLinks) {
        file('link', 'ctime', () => sys.link('file', 'hard'));
        file('unlink of another name', 'ctime', () => sys.unlink('hard'));
      }
      root('mkdir', 'mtime ctime', () => sys.mkdir('dir', 0o755));
      if (traits.rename) {
        root('rename within a directory', 'mtime ctime', () => sys.rename('file', 'renamed'));
        root('rename out of a directory', 'mtime ctime', () => sys.rename('renamed', 'dir/file'));
        same(
          moved(ctx, 'dir', () => sys.rename('dir/file', 'file')),
          'mtime ctime',
          'the directory it left',
        );
        root('rename into a directory', 'mtime ctime', () => put(sys, 'other'));
      }
      root('rmdir', 'mtime ctime', () => sys.rmdir('dir'));
      root('unlink', 'mtime ctime', () => sys.unlink('file'));
      root('a failed unlink', '', () => fails('ENOENT', () => sys.unlink('file'), 'unlink'));
    },
  },
  {
    name: 'a new file has all its times at now',
    run(ctx) {
      const now = grain(ctx.traits, ctx.tick());
      put(ctx.sys, 'file');
      const { atime, mtime, ctime, birthtime } = ctx.sys.stat('file');
      same({ atime, mtime, ctime }, { atime: now, mtime: now, ctime: now }, 'times');
      if (ctx.traits.birthtime) same(birthtime, now, 'birth time');
    },
  },
  {
    name: "utimens() sets, omits and stamps now; on a link it sets the link's own",
    run(ctx) {
      const { sys, traits } = ctx;
      put(sys, 'file');
      const a = { sec: 1_000_000_000, nsec: 999_999_999 };
      const m = { sec: 1_100_000_000, nsec: 1 };
      const now = grain(traits, ctx.tick());
      sys.utimens('file', a, m);
      same([sys.stat('file').atime, sys.stat('file').mtime], [grain(traits, a), grain(traits, m)], 'as set');
      same(sys.stat('file').ctime, now, 'ctime is now');
      sys.utimens('file', 'omit', 'now');
      same([sys.stat('file').atime, sys.stat('file').mtime], [grain(traits, a), now], 'omitted and now');
      withFd(sys, 'file', O.RDWR, (fd) => sys.futimens(fd, m, 'omit'));
      same([sys.stat('file').atime, sys.stat('file').mtime], [grain(traits, m), now], 'by descriptor');
      if (traits.symlinks) {
        sys.symlink('file', 'link');
        sys.utimens('link', a, a, { nofollow: true });
        same(sys.lstat('link').mtime, grain(traits, a), 'mtime of the link');
        same(sys.stat('file').mtime, now, 'the file behind it');
      }
      fails('EINVAL', () => sys.utimens('file', { sec: 0, nsec: 1_000_000_000 }, 'omit'), 'too many nanoseconds');
    },
  },
  {
    name: 'times before 1970 and after 2038 come back as they were set, as far as the format reaches',
    needs: (t) => t.timeGranularityNs < 1_000_000_000,
    run({ sys, traits }) {
      put(sys, 'file');
      // A format may keep its very first second for all that lies before.
      for (const sec of [0, -1, 1 - 2 ** 31, 2 ** 31 - 1, 2 ** 31, 2 ** 32, 2 ** 33 + 12_345]) {
        const t = { sec, nsec: 500_000_000 };
        sys.utimens('file', t, t);
        same(sys.stat('file').mtime, grain(traits, t), `mtime of ${sec}`);
        same(sys.stat('file').atime, grain(traits, t), `atime of ${sec}`);
      }
    },
  },
];

function getAs<T>(as: Ctx['as'], cred: Cred, fn: () => T): T {
  return as(cred, fn);
}
