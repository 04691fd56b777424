/** NetBSD tests/fs/tmpfs (by file) and our own: names, directories, links, rename, special files, listing. */
import { ACCESS, O, nameFromBytes, nameToBytes, type VfsSyscalls } from '@ukfs/kernel';
import { Rng } from '../../support/rng.ts';
import {
  collect,
  exists,
  fails,
  get,
  getText,
  identity,
  missing,
  names,
  ok,
  outcome,
  pattern,
  put,
  same,
  sameBytes,
  sortedNames,
  text,
  withFd,
  type Case,
} from '../suite.ts';

/** One page of a listing at a time through one descriptor; `between` runs after each page with what has come so far. */
function listSlowly(
  sys: VfsSyscalls,
  path: string,
  page: number,
  between: (seen: readonly string[]) => void,
): string[] {
  return withFd(sys, path, O.RDONLY, (fd) => {
    const seen: string[] = [];
    for (;;) {
      const entries = sys.getdents(fd, page);
      if (entries.length === 0) return seen;
      seen.push(...entries.map((e) => e.name).filter((n) => n !== '.' && n !== '..'));
      ok(seen.length < 100_000, 'the listing does not end');
      between(seen);
    }
  });
}

function twice(list: readonly string[]): string[] {
  return list.filter((name, i) => list.indexOf(name) !== i);
}

export const directories: Case[] = [
  {
    name: 'tmpfs/t_create: a created file is empty, has one link, the mode asked for and its own inode',
    run({ sys, traits }) {
      sys.umask(0);
      sys.close(sys.open('a', O.CREAT | O.RDWR, 0o640));
      sys.umask(0o022);
      const stat = sys.stat('a');
      same([stat.type, stat.size, stat.nlink, stat.bytes], ['reg', 0, 1, 0], 'type, size, nlink, bytes');
      if (traits.owners) same([stat.mode, stat.uid, stat.gid], [0o640, 0, 0], 'mode and owner');
      ok(stat.ino !== sys.stat('.').ino && stat.ino > 0, 'an inode number of its own');
      same(stat.dev, sys.stat('.').dev, 'the same device as its directory');
    },
  },
  {
    name: 'tmpfs/t_dots: `.` and `..` lead where they should, at the top and below',
    run({ sys, mnt }) {
      sys.mkdir('a', 0o755);
      sys.mkdir('a/b', 0o755);
      same(sys.stat('a/.').ino, sys.stat('a').ino, 'a/.');
      same(sys.stat('a/..').ino, sys.stat('.').ino, 'a/..');
      same(sys.stat('a/b/..').ino, sys.stat('a').ino, 'a/b/..');
      same(sys.stat('a/b/../..').ino, sys.stat('.').ino, 'a/b/../..');
      same(sys.stat('a/./b/./.').ino, sys.stat('a/b').ino, 'a/./b/./.');
      same(sys.stat('..').ino, sys.stat(`${mnt}/..`).ino, '`..` of the mount point is its parent');
      same(sys.stat('..').ino, sys.stat('/').ino, 'which is the root');
      same(sys.stat('/..').ino, sys.stat('/').ino, '`..` of the root is the root');
      put(sys, 'file');
      fails('ENOTDIR', () => sys.stat('file/.'), '`.` of a file');
      fails('ENOTDIR', () => sys.stat('file/..'), '`..` of a file');
    },
  },
  {
    name: 'tmpfs/t_id_gen: every file has a number that no other has, while it lives',
    run({ sys }) {
      const inos = new Set<number>();
      for (let i = 0; i < 200; i++) {
        if (i % 3 === 0) sys.mkdir(`n${i}`, 0o755);
        else put(sys, `n${i}`);
        const { ino } = sys.stat(`n${i}`);
        ok(!inos.has(ino), `inode ${ino} twice`);
        inos.add(ino);
        if (i % 5 === 4) {
          const gone = `n${i - 3}`;
          inos.delete(sys.stat(gone).ino);
          if (sys.stat(gone).type === 'dir') sys.rmdir(gone);
          else sys.unlink(gone);
        }
      }
      withFd(sys, '.', O.RDONLY, (fd) => {
        for (let page = sys.getdents(fd); page.length > 0; page = sys.getdents(fd)) {
          for (const e of page)
            if (e.name !== '..') same(e.ino, sys.lstat(e.name).ino, `inode of ${e.name} in the listing`);
        }
      });
    },
  },
  {
    name: 'tmpfs/t_link: hard links share everything, and the file lives until its last name goes',
    needs: (t) => t.hardLinks,
    run({ sys }) {
      sys.mkdir('dir', 0o755);
      put(sys, 'a', 'one');
      sys.link('a', 'dir/b');
      same([sys.stat('a').nlink, sys.stat('dir/b').nlink], [2, 2], 'nlink');
      same(sys.stat('a').ino, sys.stat('dir/b').ino, 'inode');
      put(sys, 'dir/b', 'two');
      same(getText(sys, 'a'), 'two', 'contents written through the other name');
      sys.chmod('a', 0o600);
      same(identity(sys.stat('a')), identity(sys.stat('dir/b')), 'all attributes');
      sys.unlink('a');
      same(sys.stat('dir/b').nlink, 1, 'nlink after one name went');
      same(getText(sys, 'dir/b'), 'two', 'contents after one name went');
      fails('ENOENT', () => sys.link('a', 'c'), 'linking a missing file');
      fails('EEXIST', () => sys.link('dir/b', 'dir'), 'over a directory');
      put(sys, 'c');
      fails('EEXIST', () => sys.link('dir/b', 'c'), 'over a file');
      fails(['EPERM', 'EISDIR'], () => sys.link('dir', 'd'), 'linking a directory');
      fails('EXDEV', () => sys.link('dir/b', '/c'), 'to another file system');
      same(sys.stat('dir/b').nlink, 1, 'nlink after refused links');
    },
  },
  {
    name: 'link() of a symbolic link links the link itself, and its target only on request',
    needs: (t) => t.hardLinks && t.symlinks,
    run({ sys }) {
      put(sys, 'file');
      sys.symlink('file', 'sym');
      sys.link('sym', 'hard');
      same(sys.lstat('hard').type, 'lnk', 'type');
      same(sys.lstat('sym').nlink, 2, 'nlink of the link');
      sys.link('sym', 'followed', { follow: true });
      same(sys.lstat('followed').ino, sys.lstat('file').ino, 'followed');
    },
  },
  {
    name: "tmpfs/t_mkdir: each directory raises its parent's nlink, nesting goes deep",
    run({ sys }) {
      const start = sys.stat('.').nlink;
      for (let i = 0; i < 20; i++) sys.mkdir(`d${i}`, 0o755);
      same(sys.stat('.').nlink, start + 20, 'nlink of the parent');
      same(sys.stat('d7').nlink, 2, 'nlink of an empty directory');
      let path = 'd0';
      for (let i = 0; i < 60; i++) {
        path += '/sub';
        sys.mkdir(path, 0o755);
      }
      put(sys, `${path}/deep`, 'down here');
      same(getText(sys, `${path}/deep`), 'down here', 'a file at the bottom');
      fails('EEXIST', () => sys.mkdir('d0', 0o755), 'mkdir of an existing one');
      fails('ENOENT', () => sys.mkdir('missing/d', 0o755), 'mkdir below nothing');
      fails('EEXIST', () => sys.mkdir('.', 0o755), 'mkdir of `.`');
      fails('EEXIST', () => sys.mkdir('..', 0o755), 'mkdir of `..`');
      same(sys.stat('.').nlink, start + 20, 'nlink after refused mkdirs');
    },
  },
  {
    name: "tmpfs/t_mknod: device nodes keep type and numbers, and an image's devices cannot be opened",
    needs: (t) => t.devices && t.mounted,
    run({ sys }) {
      sys.mknod('chr', 'chr', 0o644, { major: 1, minor: 3 });
      sys.mknod('blk', 'blk', 0o600, { major: 255, minor: 4095 });
      same([sys.stat('chr').type, sys.stat('chr').rdev], ['chr', { major: 1, minor: 3 }], 'character device');
      same([sys.stat('blk').type, sys.stat('blk').rdev], ['blk', { major: 255, minor: 4095 }], 'block device');
      same(sys.stat('blk').size, 0, 'size');
      for (const path of ['chr', 'blk']) fails(['ENXIO', 'EACCES'], () => sys.open(path, O.RDONLY), `opening ${path}`);
      fails('EEXIST', () => sys.mknod('chr', 'blk', 0o644, { major: 1, minor: 1 }), 'over an existing name');
      sys.unlink('chr');
      missing(sys, 'chr');
    },
  },
  {
    name: 'tmpfs/t_devices: an unprivileged user makes no device nodes',
    needs: (t) => t.devices && t.owners,
    run({ sys, as }) {
      sys.chmod('.', 0o777);
      as(1, () => {
        fails('EPERM', () => sys.mknod('chr', 'chr', 0o666, { major: 1, minor: 3 }), 'mknod');
        sys.mkfifo('fifo', 0o644);
      });
      same(sys.stat('fifo').uid, 1, 'owner of a fifo');
      missing(sys, 'chr');
    },
  },
  {
    name: 'tmpfs/t_pipes: fifos are made, listed, renamed and removed as files are',
    needs: (t) => t.devices,
    run({ sys, traits }) {
      sys.mkfifo('pipe', 0o640);
      same([sys.stat('pipe').type, sys.stat('pipe').size], ['fifo', 0], 'type and size');
      fails('EEXIST', () => sys.mkfifo('pipe', 0o644), 'a second one');
      if (traits.rename) {
        sys.rename('pipe', 'pipe2');
        same(sys.stat('pipe2').type, 'fifo', 'type after the rename');
        sys.unlink('pipe2');
      } else sys.unlink('pipe');
      same(
        names(sys, '.').filter((n) => n.startsWith('pipe')),
        [],
        'what is left',
      );
    },
  },
  {
    name: 'tmpfs/t_sockets: a socket node is made, seen and removed; opening it fails',
    needs: (t) => t.devices,
    run({ sys }) {
      sys.mknod('sock', 'sock', 0o755);
      same(sys.stat('sock').type, 'sock', 'type');
      ok(outcome(() => sys.close(sys.open('sock', O.RDWR))) !== 'ok', 'a socket cannot be opened');
      sys.unlink('sock');
      missing(sys, 'sock');
    },
  },
  {
    name: 'tmpfs/t_remove: unlink takes one name away, is EPERM on a directory, ENOENT on nothing',
    run({ sys }) {
      put(sys, 'file');
      sys.unlink('file');
      missing(sys, 'file');
      fails('ENOENT', () => sys.unlink('file'), 'a second time');
      sys.mkdir('dir', 0o755);
      fails(['EPERM', 'EISDIR'], () => sys.unlink('dir'), 'of a directory');
      fails(['EPERM', 'EISDIR', 'EINVAL', 'EBUSY'], () => sys.unlink('.'), 'of `.`');
      fails(['EPERM', 'EISDIR', 'EINVAL', 'EBUSY'], () => sys.unlink('..'), 'of `..`');
      ok(exists(sys, 'dir'), 'the directory is still there');
      put(sys, 'dir/file');
      fails('ENOTDIR', () => sys.unlink('dir/file/'), 'with a trailing slash');
      ok(exists(sys, 'dir/file'), 'the file is still there');
    },
  },
  {
    name: 'tmpfs/t_rmdir: only an empty directory goes, never `.`, `..`, a file or a link to one',
    run({ sys, mnt, traits }) {
      const start = sys.stat('.').nlink;
      sys.mkdir('a', 0o755);
      sys.mkdir('a/b', 0o755);
      fails('ENOTEMPTY', () => sys.rmdir('a'), 'not empty');
      fails('EINVAL', () => sys.rmdir('a/b/.'), 'ends in .');
      fails(['ENOTEMPTY', 'EINVAL', 'EBUSY'], () => sys.rmdir('a/b/..'), 'ends in ..');
      same(sys.stat('a').nlink, 3, 'nlink before');
      sys.rmdir('a/b');
      same(sys.stat('a').nlink, 2, 'nlink after');
      sys.rmdir('a');
      same(sys.stat('.').nlink, start, 'nlink of the parent');
      fails('ENOENT', () => sys.rmdir('a'), 'a second time');
      put(sys, 'file');
      fails('ENOTDIR', () => sys.rmdir('file'), 'of a file');
      if (traits.symlinks) {
        sys.mkdir('dir', 0o755);
        sys.symlink('dir', 'link');
        fails('ENOTDIR', () => sys.rmdir('link'), 'of a link to a directory');
      }
      if (traits.mounted) fails('EBUSY', () => sys.rmdir(mnt), 'of a mount point');
      sys.mkdir('cwd', 0o755);
      sys.chdir('cwd');
      sys.rmdir(`${mnt}/cwd`);
      same(names(sys, '.'), [], 'a removed current directory is empty');
      sys.chdir(mnt);
    },
  },
  {
    name: 'tmpfs/t_symlink: links are followed by most calls, dangling ones to ENOENT, loops to ELOOP',
    needs: (t) => t.symlinks,
    run({ sys, mnt }) {
      put(sys, 'file', 'hello');
      sys.mkdir('dir', 0o755);
      put(sys, 'dir/inner', 'inside');
      sys.symlink('file', 'tofile');
      sys.symlink('dir', 'todir');
      sys.symlink(`${mnt}/dir/inner`, 'absolute');
      sys.symlink('../file', 'dir/up');
      same(getText(sys, 'tofile'), 'hello', 'to a file');
      same(getText(sys, 'todir/inner'), 'inside', 'through a directory');
      same(getText(sys, 'absolute'), 'inside', 'absolute');
      same(getText(sys, 'dir/up'), 'hello', 'relative to the link');
      same(sys.stat('todir/').type, 'dir', 'a trailing slash follows');
      same(sys.lstat('todir').type, 'lnk', 'lstat does not');
      same(sys.lstat('todir/').type, 'dir', 'lstat with a trailing slash does');
      fails('EEXIST', () => sys.symlink('x', 'tofile'), 'over a link');
      sys.symlink('loop2', 'loop1');
      sys.symlink('loop1', 'loop2');
      sys.symlink('self', 'self');
      for (const loop of ['loop1', 'self', 'self/x']) fails('ELOOP', () => sys.stat(loop), loop);
      sys.unlink('loop1');
      fails('ENOENT', () => sys.stat('loop2'), 'dangling');
      sys.unlink('tofile');
      same(getText(sys, 'file'), 'hello', 'unlinking a link leaves its target');
    },
  },
  {
    name: 'chains of symbolic links are followed up to 32 deep at least, and not for ever',
    needs: (t) => t.symlinks,
    run({ sys }) {
      put(sys, 'l0', 'end');
      for (let i = 1; i <= 60; i++) sys.symlink(`l${i - 1}`, `l${i}`);
      same(getText(sys, 'l32'), 'end', '32 links');
      fails('ELOOP', () => sys.stat('l60'), '60 links');
    },
  },
  {
    name: 'tmpfs/t_trail_slash: a trailing slash wants a directory, also in what is created',
    run({ sys, traits }) {
      put(sys, 'file', 'x');
      fails('ENOTDIR', () => sys.stat('file/'), 'stat of a file');
      fails('ENOTDIR', () => sys.open('file/', O.RDONLY), 'open of a file');
      fails(
        ['EISDIR', 'ENOENT', 'ENOTDIR', 'EINVAL'],
        () => sys.open('new/', O.RDWR | O.CREAT, 0o644),
        'creating a file',
      );
      missing(sys, 'new');
      fails('ENOENT', () => sys.stat('new/'), 'stat of nothing');
      sys.mkdir('dir/', 0o755);
      same(sys.stat('dir/').type, 'dir', 'mkdir');
      if (traits.rename) {
        sys.rename('dir/', 'dir2/');
        same(sys.stat('dir2').type, 'dir', 'rename of a directory');
        fails('ENOTDIR', () => sys.rename('file/', 'file2'), 'rename of a file, source');
        fails(['ENOTDIR', 'ENOENT'], () => sys.rename('file', 'file2/'), 'rename of a file, target');
        ok(exists(sys, 'file'), 'the file is still there');
      }
    },
  },
  {
    name: 'tmpfs/t_exec: the execute bit is kept and asked for',
    needs: (t) => t.owners,
    run({ sys, as }) {
      put(sys, 'prog', '#!', 0o755);
      as(1, () => sys.access('prog', ACCESS.EXEC | ACCESS.READ));
      sys.chmod('prog', 0o644);
      as(1, () => fails('EACCES', () => sys.access('prog', ACCESS.EXEC), 'without the bit'));
    },
  },
  {
    name: 'tmpfs/t_setattr: chown and chmod act on the target of a link, or on the link itself on request',
    needs: (t) => t.owners && t.symlinks,
    run({ sys }) {
      put(sys, 'file', '', 0o644);
      sys.symlink('file', 'link');
      sys.chown('link', 5, 6);
      sys.chmod('link', 0o600);
      same([sys.stat('file').uid, sys.stat('file').gid, sys.stat('file').mode], [5, 6, 0o600], 'the target');
      same(sys.lstat('link').uid, 0, 'the link');
      sys.chown('link', 7, 8, { nofollow: true });
      same([sys.lstat('link').uid, sys.lstat('link').gid], [7, 8], 'the link, nofollow');
      same(sys.stat('file').uid, 5, 'the target, nofollow');
      withFd(sys, 'file', O.RDWR, (fd) => {
        sys.fchown(fd, 9, -1);
        sys.fchmod(fd, 0o444);
        same([sys.fstat(fd).uid, sys.fstat(fd).gid, sys.fstat(fd).mode], [9, 6, 0o444], 'by descriptor');
      });
    },
  },
];

export const listing: Case[] = [
  {
    name: 'tmpfs/t_readdir: a directory lists `.`, `..` and every entry once, with its type',
    run({ sys, traits }) {
      sys.mkdir('dir', 0o755);
      sys.mkdir('dir/sub', 0o755);
      put(sys, 'dir/file');
      if (traits.symlinks) sys.symlink('x', 'dir/link');
      if (traits.devices) sys.mkfifo('dir/fifo', 0o644);
      withFd(sys, 'dir', O.RDONLY, (fd) => {
        const all = [...sys.getdents(fd)];
        for (let more = sys.getdents(fd); more.length > 0; more = sys.getdents(fd)) all.push(...more);
        const list = all.map((e) => e.name);
        same(twice(list), [], 'names that come twice');
        const expected = [
          ...(traits.dots ? ['.', '..'] : []),
          'file',
          'sub',
          ...(traits.symlinks ? ['link'] : []),
          ...(traits.devices ? ['fifo'] : []),
        ];
        same([...list].sort(), expected.sort(), 'names');
        for (const e of all) {
          const stat = e.name === '..' ? sys.stat('.') : sys.lstat(`dir/${e.name}`);
          same(e.ino, stat.ino, `inode of ${e.name}`);
          if (e.type !== undefined) same(e.type, stat.type, `type of ${e.name}`);
        }
        same(sys.getdents(fd), [], 'after the end');
        sys.lseek(fd, 0, 0);
        same(sys.getdents(fd).map((e) => e.name).length > 0, true, 'rewound');
      });
      fails('ENOTDIR', () => sys.open('dir/file', O.RDONLY | O.DIRECTORY), 'O_DIRECTORY of a file');
      withFd(sys, 'dir/file', O.RDONLY, (fd) =>
        fails(['EINVAL', 'ENOTDIR'], () => sys.getdents(fd), 'getdents of a file'),
      );
    },
  },
  {
    name: 'getdents() in pages of every size gives the same names in the same order',
    run({ sys }) {
      sys.mkdir('dir', 0o755);
      for (let i = 0; i < 120; i++) put(sys, `dir/${'n'.repeat(i % 50)}${i}`);
      const all = names(sys, 'dir');
      same(all.length, 120, 'names');
      for (const page of [1, 2, 3, 7, 50, 1000]) same(names(sys, 'dir', page), all, `pages of ${page}`);
    },
  },
  {
    name: "getdentsplus() gives each entry's own attributes, not those of a link's target",
    run({ sys, traits }) {
      sys.mkdir('dir', 0o755);
      put(sys, 'dir/file', 'abc');
      if (traits.symlinks) sys.symlink('file', 'dir/link');
      withFd(sys, 'dir', O.RDONLY, (fd) => {
        for (let page = sys.getdentsplus(fd); page.length > 0; page = sys.getdentsplus(fd)) {
          for (const e of page) {
            if (e.name === '.' || e.name === '..') continue;
            same(identity(e.stat!), identity(sys.lstat(`dir/${e.name}`)), e.name);
          }
        }
      });
    },
  },
  {
    name: 'readdir while entries are removed neither skips nor repeats what stays',
    run({ sys }) {
      const rng = new Rng(4);
      for (const page of [1, 3, 10]) {
        sys.mkdir('dir', 0o755);
        const keep = new Set<string>();
        for (let i = 0; i < 150; i++) {
          const name = `${'f'.repeat(1 + (i % 30))}-${i}`;
          put(sys, `dir/${name}`);
          if (i % 3 === 0) keep.add(name);
        }
        const victims = rng.shuffle(names(sys, 'dir').filter((n) => !keep.has(n)));
        const seen = listSlowly(sys, 'dir', page, () => {
          for (let n = 0; n < page; n++) {
            const victim = victims.pop();
            if (victim !== undefined) sys.unlink(`dir/${victim}`);
          }
        });
        same(twice(seen), [], `names that came twice, pages of ${page}`);
        same(
          [...keep].filter((n) => !seen.includes(n)),
          [],
          `names that were skipped, pages of ${page}`,
        );
        for (const name of names(sys, 'dir')) sys.unlink(`dir/${name}`);
        sys.rmdir('dir');
      }
    },
  },
  {
    name: 'readdir that removes each entry it has just seen empties the directory in one pass (rm -r)',
    run({ sys }) {
      sys.mkdir('dir', 0o755);
      for (let i = 0; i < 200; i++) put(sys, `dir/file${i}`);
      let removed = 0;
      const seen = listSlowly(sys, 'dir', 7, (all) => {
        while (removed < all.length) sys.unlink(`dir/${all[removed++]}`);
      });
      same(seen.length, 200, 'names seen');
      sys.rmdir('dir');
    },
  },
  {
    name: 'readdir while entries are added shows what was there exactly once',
    run({ sys }) {
      sys.mkdir('dir', 0o755);
      const old = Array.from({ length: 60 }, (_, i) => `old${i}`);
      for (const name of old) put(sys, `dir/${name}`);
      let added = 0;
      const seen = listSlowly(sys, 'dir', 4, () => {
        if (added < 40) put(sys, `dir/new${added++}`);
      });
      same(twice(seen), [], 'names that came twice');
      same(
        old.filter((n) => !seen.includes(n)),
        [],
        'names that were skipped',
      );
    },
  },
];

/** Names of every kind of byte that a name may hold. */
function oddNames(max: number): Uint8Array[] {
  const out = [
    Uint8Array.of(0x20),
    text('...'),
    text(' leading'),
    text('trailing '),
    text('-rf'),
    text('a\nb'),
    text('tab\t'),
  ];
  out.push(text('grüße'), text('日本語'), text('😀'), text('e\u0301'), text('\u00e9'));
  // Latin-1, a lone continuation byte, an overlong form, half a sequence, a surrogate as UTF-8, beyond Unicode.
  for (const raw of [
    [0xe9],
    [0x80],
    [0xc0, 0xaf],
    [0xe2, 0x82],
    [0xed, 0xa0, 0x80],
    [0xf4, 0x90, 0x80, 0x80],
    [0xff, 0xfe],
  ]) {
    out.push(Uint8Array.from(raw), Uint8Array.from([0x61, ...raw, 0x62]));
  }
  out.push(
    Uint8Array.from({ length: max }, (_, i) => 0x80 + (i % 0x80)),
    text('ü'.repeat(Math.floor(max / 2))),
  );
  return out;
}

export const naming: Case[] = [
  {
    name: 'names of every length from 1 to the limit are created, listed, found and removed',
    run({ sys, traits }) {
      const max = traits.nameMaxBytes;
      const all = Array.from({ length: max }, (_, i) => 'x'.repeat(i + 1));
      for (const name of all) put(sys, name);
      same(
        names(sys, '.')
          .filter((n) => /^x+$/.test(n))
          .sort(),
        [...all].sort(),
        'names listed',
      );
      collect((report) => {
        for (const name of all) if (!exists(sys, name)) report(`name of ${name.length} bytes is missing`);
      });
      for (const name of all) sys.unlink(name);
      same(
        names(sys, '.').filter((n) => /^x+$/.test(n)),
        [],
        'names left',
      );
    },
  },
  {
    name: 'the limit of a name counts bytes, not characters',
    run({ sys, traits }) {
      const max = traits.nameMaxBytes;
      const fits = 'ü'.repeat(Math.floor(max / 2));
      put(sys, fits, 'x');
      same(nameToBytes(fits).length <= max, true, 'bytes of the longest name');
      fails('ENAMETOOLONG', () => put(sys, 'ü'.repeat(Math.floor(max / 2) + 1)), 'one character more');
      fails('ENAMETOOLONG', () => sys.stat(`${'a'.repeat(max - 1)}ü`), 'a last character that does not fit');
      fails('ENAMETOOLONG', () => sys.mkdir(`${'y'.repeat(max + 1)}/z`, 0o755), 'in the middle of a path');
    },
  },
  {
    name: 'a path of PATH_MAX bytes is ENAMETOOLONG, a little less works',
    run({ sys }) {
      put(sys, 'file', 'x');
      same(sys.stat(`${'./'.repeat(2000)}file`).size, 1, '4004 bytes');
      fails('ENAMETOOLONG', () => sys.stat(`${'./'.repeat(2100)}file`), '4204 bytes');
      fails('ENOENT', () => sys.stat(''), 'the empty path');
    },
  },
  {
    name: 'names are bytes: UTF-8, other encodings and control characters come back as they were',
    needs: (t) => t.caseSensitive,
    run({ sys, traits, remount }) {
      const odd = oddNames(traits.nameMaxBytes);
      sys.mkdir('odd', 0o755);
      odd.forEach((bytes, i) => put(sys, `odd/${nameFromBytes(bytes)}`, String(i)));
      if (traits.persistent) remount();
      const hex = (b: Uint8Array): string => Array.from(b, (x) => x.toString(16).padStart(2, '0')).join('');
      same(
        names(sys, 'odd')
          .map((n) => hex(nameToBytes(n)))
          .sort(),
        odd.map(hex).sort(),
        'names listed, as bytes',
      );
      collect((report) => {
        odd.forEach((bytes, i) => {
          const path = `odd/${nameFromBytes(bytes)}`;
          const got = outcome(() => same(getText(sys, path), String(i), hex(bytes)));
          if (got !== 'ok') report(`${hex(bytes)}: ${got}`);
        });
      });
      if (traits.symlinks) {
        const target = nameFromBytes(Uint8Array.of(0x2f, 0xff, 0xc3, 0x28));
        sys.symlink(target, 'odd/link');
        same(sys.readlink('odd/link'), target, 'a link target that is not UTF-8');
        same(sys.lstat('odd/link').size, 4, 'its size in bytes');
      }
    },
  },
  {
    name: 'names that differ in case or in composition only are different files',
    needs: (t) => t.caseSensitive,
    run({ sys }) {
      const all = ['name', 'Name', 'NAME', '\u00e9', 'e\u0301'];
      for (const name of all) put(sys, name, name);
      for (const name of all) same(getText(sys, name), name, `contents of ${JSON.stringify(name)}`);
      sys.unlink('Name');
      same([exists(sys, 'name'), exists(sys, 'NAME')], [true, true], 'the others');
    },
  },
  {
    name: 'a path with a NUL byte or through a file is refused',
    run({ sys }) {
      put(sys, 'file');
      fails(['EINVAL', 'ENOENT'], () => sys.stat('fi\0le'), 'NUL');
      fails(['EINVAL', 'ENOENT'], () => sys.open('new\0', O.RDWR | O.CREAT, 0o644), 'NUL in a new name');
      for (const call of [
        () => sys.stat('file/x'),
        () => sys.mkdir('file/x', 0o755),
        () => sys.unlink('file/x'),
        () => sys.rmdir('file/x'),
        () => sys.chdir('file'),
        () => sys.readlink('file/x'),
        () => sys.access('file/x', 0),
      ])
        fails('ENOTDIR', call, 'through a file');
    },
  },
  {
    name: 'a name that was missing is found once it is made, and missing again once it is gone (name cache)',
    run({ sys, traits }) {
      for (let round = 0; round < 3; round++) {
        missing(sys, 'cached');
        put(sys, 'cached', String(round));
        same(getText(sys, 'cached'), String(round), 'contents');
        if (traits.rename) {
          missing(sys, 'moved');
          sys.rename('cached', 'moved');
          missing(sys, 'cached');
          same(getText(sys, 'moved'), String(round), 'contents after the rename');
          sys.unlink('moved');
        } else sys.unlink('cached');
        missing(sys, 'cached');
        sys.mkdir('cached', 0o755);
        same(sys.stat('cached').type, 'dir', 'a directory of the same name');
        missing(sys, 'cached/inner');
        put(sys, 'cached/inner');
        sys.unlink('cached/inner');
        sys.rmdir('cached');
      }
    },
  },
  {
    name: 'getcwd() tells the path of the current directory, wherever it moved',
    run({ sys, mnt, traits }) {
      sys.mkdir('a', 0o755);
      sys.mkdir('a/b', 0o755);
      same(sys.getcwd(), mnt, 'at the top');
      sys.chdir('a/b');
      same(sys.getcwd(), `${mnt}/a/b`, 'below');
      if (traits.rename) {
        sys.rename(`${mnt}/a`, `${mnt}/c`);
        same(sys.getcwd(), `${mnt}/c/b`, 'after its parent was renamed');
      }
      sys.chdir('..');
      same(sys.getcwd(), `${mnt}/${traits.rename ? 'c' : 'a'}`, 'one up');
      sys.chdir(mnt);
    },
  },
  {
    name: 'chroot() makes a directory the root that no `..` and no link leaves',
    needs: (t) => t.symlinks,
    run({ sys, as }) {
      sys.mkdir('jail', 0o755);
      put(sys, 'jail/file', 'inside');
      put(sys, 'secret', 'outside');
      sys.symlink('/file', 'jail/absolute');
      sys.symlink('../../../secret', 'jail/escape');
      as(0, () => {
        sys.chroot('jail');
        sys.chdir('/');
        same(getText(sys, '/file'), 'inside', 'a file');
        same(getText(sys, '/absolute'), 'inside', 'an absolute link');
        fails('ENOENT', () => get(sys, '/escape'), 'a link out');
        fails('ENOENT', () => sys.stat('/../secret'), '`..` out');
        same(sys.stat('/..').ino, sys.stat('/').ino, '`..` of the root');
        same(sys.getcwd(), '/', 'getcwd');
      });
      sameBytes(get(sys, 'secret'), text('outside'), 'outside again');
    },
  },
];

export const renaming: Case[] = [
  {
    name: 'tmpfs/t_rename: files and directories replace only their like, and a refused rename changes nothing',
    needs: (t) => t.rename,
    run({ sys, mnt }) {
      put(sys, 'file', 'f');
      sys.mkdir('dir', 0o755);
      sys.mkdir('full', 0o755);
      put(sys, 'full/x', 'x');
      fails('ENOTDIR', () => sys.rename('dir', 'file'), 'directory over file');
      fails('EISDIR', () => sys.rename('file', 'dir'), 'file over directory');
      fails('ENOTEMPTY', () => sys.rename('dir', 'full'), 'over a non-empty directory');
      fails('ENOENT', () => sys.rename('missing', 'x'), 'of nothing');
      fails('ENOENT', () => sys.rename('file', 'missing/x'), 'to nowhere');
      fails('EXDEV', () => sys.rename('file', '/other'), 'to another file system');
      fails(['EINVAL', 'EISDIR'], () => sys.rename('dir', '.'), 'over `.`');
      fails(['EBUSY', 'EINVAL'], () => sys.rename(mnt, '/elsewhere'), 'of a mount point');
      same(
        sortedNames(sys, '.').filter((n) => n !== 'lost+found'),
        ['dir', 'file', 'full'],
        'names',
      );
      same(sys.stat('.').nlink >= 4, true, 'nlink');
      sys.rename('file', 'file');
      same(getText(sys, 'file'), 'f', 'rename to itself');
      sys.rename('dir', 'dir');
      same(sys.stat('dir').type, 'dir', 'rename of a directory to itself');
    },
  },
  {
    name: 'rename() of one hard link over another of the same file does nothing',
    needs: (t) => t.rename && t.hardLinks,
    run({ sys }) {
      put(sys, 'a', 'x');
      sys.link('a', 'b');
      sys.rename('a', 'b');
      ok(exists(sys, 'a') && exists(sys, 'b'), 'both names stay');
      same(sys.stat('a').nlink, 2, 'nlink');
    },
  },
  {
    name: 'rename() to a longer and to a shorter name keeps everything but the name',
    needs: (t) => t.rename,
    run({ sys, traits, remount }) {
      put(sys, 'a', pattern(5000), 0o640);
      if (traits.xattr) sys.setxattr('a', 'user.key', text('value'));
      const { ctime: _c, atime: _a, ...before } = sys.stat('a');
      for (const name of ['b'.repeat(traits.nameMaxBytes), 'c', 'd'.repeat(100), 'end']) {
        sys.rename(
          sortedNames(sys, '.').find((n) => n !== 'lost+found')!,
          name,
        );
        const { ctime: _c2, atime: _a2, ...now } = sys.stat(name);
        same(now, before, `after renaming to ${name.length} bytes`);
      }
      if (traits.persistent) remount();
      sameBytes(get(sys, 'end'), pattern(5000), 'contents');
      if (traits.xattr) sameBytes(sys.getxattr('end', 'user.key') ?? text(''), text('value'), 'extended attribute');
    },
  },
  {
    name: 'rename() over a file that is open leaves that file to its descriptor',
    needs: (t) => t.rename && t.unlinkOpen,
    run({ sys }) {
      put(sys, 'old', 'old contents');
      put(sys, 'new', 'new contents');
      withFd(sys, 'old', O.RDONLY, (fd) => {
        sys.rename('new', 'old');
        const dst = new Uint8Array(100);
        const n = sys.read(fd, dst);
        sameBytes(dst.subarray(0, n), text('old contents'), 'through the descriptor');
        same(sys.fstat(fd).nlink, 0, 'nlink of the replaced file');
      });
      same(getText(sys, 'old'), 'new contents', 'through the name');
      missing(sys, 'new');
    },
  },
  {
    name: 'rename() of a directory across directories moves `..` and both link counts, through a remount',
    needs: (t) => t.rename,
    run({ sys, traits, remount }) {
      for (const d of ['a', 'b', 'a/sub', 'a/sub/inner']) sys.mkdir(d, 0o755);
      put(sys, 'a/sub/file', 'x');
      sys.rename('a/sub', 'b/moved');
      if (traits.persistent) remount();
      same(
        [sys.stat('a').nlink, sys.stat('b').nlink, sys.stat('b/moved').nlink],
        [2, 3, 3],
        'nlink of both and of the moved one',
      );
      same(sys.stat('b/moved/..').ino, sys.stat('b').ino, '`..`');
      same(sys.stat('b/moved/inner/../..').ino, sys.stat('b').ino, '`../..` from below');
      withFd(sys, 'b/moved', O.RDONLY, (fd) => {
        const dotdot = sys.getdents(fd).find((e) => e.name === '..');
        if (dotdot !== undefined) same(dotdot.ino, sys.stat('b').ino, '`..` in the listing');
      });
      sys.mkdir('b/empty', 0o755);
      sys.rename('b/moved', 'b/empty');
      same([sys.stat('b').nlink, sortedNames(sys, 'b')], [3, ['empty']], 'over an empty directory');
    },
  },
  {
    name: 'rename() never makes a loop of directories',
    needs: (t) => t.rename,
    run({ sys }) {
      for (const d of ['a', 'a/b', 'a/b/c']) sys.mkdir(d, 0o755);
      for (const to of ['a/x', 'a/b/x', 'a/b/c/x', 'a/b', 'a/b/c'])
        fails(['EINVAL', 'ENOTEMPTY'], () => sys.rename('a', to), `a to ${to}`);
      sys.rename('a/b/c', 'c');
      sys.rename('a', 'c/a');
      same(sys.stat('c/a/b').type, 'dir', 'the other way round is fine');
      fails('EINVAL', () => sys.rename('c', 'c/a/b/c'), 'and then not back');
    },
  },
  {
    name: 'rename() with noreplace is EEXIST when the target exists, and works when it does not',
    needs: (t) => t.rename,
    run({ sys }) {
      put(sys, 'a', 'a');
      put(sys, 'b', 'b');
      fails('EEXIST', () => sys.rename('a', 'b', { noreplace: true }), 'an existing target');
      same([getText(sys, 'a'), getText(sys, 'b')], ['a', 'b'], 'contents of both');
      sys.rename('a', 'c', { noreplace: true });
      same([exists(sys, 'a'), getText(sys, 'c')], [false, 'a'], 'a new name');
    },
  },
  {
    name: 'rename() with exchange swaps files, directories and one for the other, across directories too',
    needs: (t) => t.rename,
    run({ sys, traits, remount }) {
      put(sys, 'a', 'a');
      put(sys, 'b', 'b');
      const [ia, ib] = [sys.stat('a').ino, sys.stat('b').ino];
      sys.rename('a', 'b', { exchange: true });
      same([sys.stat('a').ino, sys.stat('b').ino], [ib, ia], 'inodes of two files');
      same([getText(sys, 'a'), getText(sys, 'b')], ['b', 'a'], 'contents of two files');

      for (const d of ['p', 'q', 'p/d', 'q/e', 'q/e/inner']) sys.mkdir(d, 0o755);
      sys.rename('p/d', 'q/e', { exchange: true });
      same([sortedNames(sys, 'p/d'), sortedNames(sys, 'q/e')], [['inner'], []], 'contents of two directories');
      same([sys.stat('p/d/..').ino, sys.stat('q/e/..').ino], [sys.stat('p').ino, sys.stat('q').ino], '`..` of both');
      same([sys.stat('p').nlink, sys.stat('q').nlink], [3, 3], 'nlink of both parents');

      sys.rename('a', 'q/e', { exchange: true });
      same([sys.stat('a').type, sys.stat('q/e').type], ['dir', 'reg'], 'types of a file and a directory');
      same([sys.stat('q').nlink, sys.stat('a/..').ino], [2, sys.stat('.').ino], 'nlink and `..` after that');
      same(getText(sys, 'q/e'), 'b', 'contents of the file');
      if (traits.persistent) remount();
      same(
        [sys.stat('a').type, getText(sys, 'q/e'), sortedNames(sys, 'p/d')],
        ['dir', 'b', ['inner']],
        'all of it, at the end',
      );

      fails('ENOENT', () => sys.rename('b', 'missing', { exchange: true }), 'with nothing');
      fails('EINVAL', () => sys.rename('p', 'p/d', { exchange: true }), 'with its own child');
      fails('EINVAL', () => sys.rename('b', 'q/e', { exchange: true, noreplace: true }), 'together with noreplace');
    },
  },
  {
    name: 'names can go round in circles through many renames without losing a file',
    needs: (t) => t.rename,
    run({ sys }) {
      const rng = new Rng(7);
      const where = new Map<string, string>();
      for (const d of ['d0', 'd1', 'd2']) sys.mkdir(d, 0o755);
      for (let i = 0; i < 30; i++) {
        const path = `d${i % 3}/f${i}`;
        put(sys, path, String(i));
        where.set(path, String(i));
      }
      for (let step = 0; step < 300; step++) {
        const from = rng.pick([...where.keys()]);
        const to = `d${rng.int(3)}/${'n'.repeat(1 + rng.int(60))}${rng.int(40)}`;
        const contents = where.get(from)!;
        sys.rename(from, to);
        where.delete(from);
        where.set(to, contents);
      }
      const found = ['d0', 'd1', 'd2'].flatMap((d) => names(sys, d).map((n) => `${d}/${n}`)).sort();
      same(found, [...where.keys()].sort(), 'names');
      collect((report) => {
        for (const [path, contents] of where) if (getText(sys, path) !== contents) report(`${path} has other contents`);
      });
    },
  },
];
