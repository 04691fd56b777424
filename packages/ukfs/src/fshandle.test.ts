import { type FsError, O, SEEK } from '@ukfs/kernel';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { OpenOptions, Ukfs } from './handle.ts';
import { fstypes, inspect, open } from './ukfs.ts';
import { walk } from './walk.ts';

const tmpfs = (options: OpenOptions = {}): Promise<Ukfs> =>
  open('memory', { type: 'tmpfs', write: true, host: memoryHost(), ...options });

let fs: Ukfs;
beforeEach(async () => {
  fs = await tmpfs();
});
afterEach(() => fs.close());

const error = (act: () => unknown): unknown => {
  try {
    act();
  } catch (e) {
    return e;
  }
  return undefined;
};
const code = (act: () => unknown): string | undefined => (error(act) as FsError | undefined)?.code;

describe('open()', () => {
  test('tells what it opened', () => {
    expect(fs).toMatchObject({ type: 'tmpfs', readOnly: false, address: { image: 'memory', path: undefined } });
    expect(fs.traits.needsDevice).toBe(false);
    expect(fs.getcwd()).toBe('/');
    expect(fs.statvfs()).toMatchObject({ fstypename: 'tmpfs', mountedOn: '/', mountedFrom: 'memory' });
    expect(fstypes()).toContain('tmpfs');
  });

  test('refuses types nobody knows, and options the type does not', async () => {
    await expect(tmpfs({ type: 'nosuchfs' })).rejects.toMatchObject({ code: 'ENODEV' });
    await expect(tmpfs({ options: 'bogus' })).rejects.toMatchObject({
      code: 'EINVAL',
      context: { what: '-o bogus: option not supported', image: 'memory' },
    });
    const sized = await tmpfs({ options: 'rw,noatime,nodev,size=1m' });
    expect(sized.statvfs().blocks * sized.statvfs().fragmentSize).toBe(1024 * 1024);
    sized.close();
  });

  test('-o ro makes it read-only', async () => {
    const still = await tmpfs({ options: { ro: true } });
    expect(still.readOnly).toBe(true);
    expect(code(() => still.mkdir('/x'))).toBe('EROFS');
    still.close();
  });

  test('acts as whom it is told', async () => {
    const other = await tmpfs({ uid: 1000, gid: 100, groups: [100, 7], umask: 0o027 });
    other.writeFile('/mine', 'x');
    expect(other.stat('/mine')).toMatchObject({ uid: 1000, mode: 0o640 });
    expect(code(() => other.chown('/mine', 0, 0))).toBe('EPERM');
    other.setcred({ uid: 0, gid: 0 });
    other.chown('/mine', 5, 6);
    expect(other.stat('/mine')).toMatchObject({ uid: 5, gid: 6 });
    other.close();
  });

  test('a missing image, a directory and an address that makes no sense', async () => {
    const host = memoryHost();
    host.put('/disk.img', new Uint8Array(4096));
    await expect(open('/nosuch.img', { host })).rejects.toMatchObject({
      code: 'ENOENT',
      context: { op: 'open', path: '/nosuch.img' },
    });
    host.put('/dir', new Uint8Array(0), { type: 'dir' });
    host.put('/tty', new Uint8Array(0), { type: 'chr' });
    await expect(open('/dir', { host })).rejects.toMatchObject({ code: 'EISDIR', context: { path: '/dir' } });
    await expect(open('/tty', { host })).rejects.toMatchObject({ code: 'EFTYPE' });
    await expect(open('/nosuch.img:1/etc', { host })).rejects.toMatchObject({
      code: 'ENOENT',
      context: { image: '/nosuch.img' },
    });
    await expect(open('/disk.img:foo', { host })).rejects.toThrow(/"foo" selects nothing/);
    await expect(open('/disk.img', { host })).rejects.toMatchObject({ code: 'EFTYPE', recognised: 'blank image' });
    await expect(open({ image: '/disk.img', selectors: ['bad=1'] }, { host })).rejects.toMatchObject({
      code: 'EINVAL',
    });
    expect(host.openFiles()).toBe(0);
  });

  test('inspect() mounts nothing and leaves nothing open', async () => {
    const host = memoryHost();
    host.put('/disk.img', Uint8Array.of(0x1f, 0x8b, 8));
    const report = await inspect('/disk.img', { host });
    expect(report).toMatchObject({ image: '/disk.img', sizeBytes: 3, table: undefined, notes: [] });
    expect(report.candidates.map((c) => [c.kind, c.description])).toEqual([['compressed', 'gzip-compressed data']]);
    expect(host.openFiles()).toBe(0);
    expect(host.changes).toBe(0);
  });
});

describe('the calls', () => {
  test('read and write at a position leave the descriptor where it is', () => {
    const fd = fs.open('/f', 'w+');
    expect(fs.write(fd, new TextEncoder().encode('0123456789'))).toBe(10);
    const buffer = new Uint8Array(8);
    expect(fs.read(fd, buffer, 2, 3, 4)).toBe(3);
    expect([...buffer]).toEqual([0, 0, 0x34, 0x35, 0x36, 0, 0, 0]);
    expect(fs.read(fd, buffer)).toBe(0);
    fs.write(fd, Uint8Array.of(0x78), 0, 1, 0);
    expect(fs.lseek(fd, 0, SEEK.CUR)).toBe(10);
    fs.close(fd);
    expect(fs.readFile('/f', 'utf8')).toBe('x123456789');
    expect(code(() => fs.read(fd, buffer))).toBe('EBADF');
    const again = fs.open('/f');
    expect(code(() => fs.read(again, buffer, 4, 5))).toBe('EINVAL');
    fs.close(again);
  });

  test.each([
    ['r', 'ENOENT'],
    ['r+', 'ENOENT'],
    ['w', undefined],
    ['wx', undefined],
    ['a', undefined],
    ['ax+', undefined],
  ] as const)('open() with %j of a new file: %s', (flag, expected) => {
    expect(code(() => fs.close(fs.open('/new', flag, 0o600)))).toBe(expected);
    expect(code(() => fs.close(fs.open('/new', 'wx')))).toBe(expected === undefined ? 'EEXIST' : undefined);
  });

  test('writeFile truncates, appendFile does not', () => {
    fs.writeFile('/f', 'long contents', { mode: 0o640 });
    fs.writeFile('/f', 'short');
    fs.appendFile('/f', Uint8Array.of(33));
    expect(fs.readFile('/f', 'utf8')).toBe('short!');
    expect(fs.stat('/f').mode).toBe(0o640);
  });

  test('readFile reads an empty file, one of odd size, and a directory not at all', () => {
    fs.writeFile('/empty', '');
    expect(fs.readFile('/empty')).toEqual(new Uint8Array(0));
    const odd = Uint8Array.from({ length: 70_001 }, (_, i) => i);
    fs.writeFile('/odd', odd);
    expect(Buffer.compare(fs.readFile('/odd'), odd)).toBe(0);
    expect(code(() => fs.readFile('/'))).toBe('EISDIR');
  });

  test('mkdir: recursive makes parents, accepts what is there, and not a file', () => {
    fs.mkdir('/a/b//c/', { recursive: true, mode: 0o700 });
    expect([fs.stat('/a').mode, fs.stat('/a/b/c').mode]).toEqual([0o755, 0o700]);
    fs.mkdir('/a/b', { recursive: true });
    fs.mkdir('/', { recursive: true });
    fs.chdir('/a');
    fs.mkdir('x/y', { recursive: true });
    expect(fs.readdir('/a').sort()).toEqual(['b', 'x']);
    fs.writeFile('/a/f', '');
    expect(code(() => fs.mkdir('/a/f', { recursive: true }))).toBe('EEXIST');
    expect(code(() => fs.mkdir('/a/f/g', { recursive: true }))).toBe('ENOTDIR');
    expect(code(() => fs.mkdir('/a/b'))).toBe('EEXIST');
    expect(code(() => fs.mkdir('/q/r'))).toBe('ENOENT');
    fs.mkdir('/q', 0o711);
    expect(fs.stat('/q').mode).toBe(0o711);
  });

  test('readdir in its three shapes, without dot entries', () => {
    fs.mkdir('/d');
    fs.writeFile('/d/f', 'abc');
    fs.symlink('f', '/d/l');
    expect(fs.readdir('/d').sort()).toEqual(['f', 'l']);
    expect(
      fs
        .readdir('/d', { withFileTypes: true })
        .map(({ name, type }) => `${name} ${type}`)
        .sort(),
    ).toEqual(['f reg', 'l lnk']);
    expect(
      fs
        .readdir('/d', { withStats: true })
        .map(({ name, stat }) => `${name} ${stat?.type} ${stat?.size}`)
        .sort(),
    ).toEqual(['f reg 3', 'l lnk 1']);
    expect(code(() => fs.readdir('/d/f'))).toBe('ENOTDIR');
  });

  test('opendir and getdents go through a large directory in pieces', () => {
    fs.mkdir('/many');
    for (let i = 0; i < 1500; i++) fs.close(fs.open(`/many/${i}`, 'w'));
    const fd = fs.opendir('/many');
    const names = new Set<string>();
    for (let some = fs.getdents(fd, 100); some.length > 0; some = fs.getdents(fd, 100)) {
      expect(some.length).toBeLessThanOrEqual(100);
      for (const { name } of some) names.add(name);
    }
    fs.close(fd);
    expect(names.size).toBe(1502);
    expect(fs.readdir('/many')).toHaveLength(1500);
  });

  test('rm: files, trees, force', () => {
    fs.mkdir('/t/a/b', { recursive: true });
    for (let i = 0; i < 1200; i++) fs.writeFile(`/t/a/f${i}`, '');
    for (let i = 0; i < 600; i++) fs.mkdir(`/t/a/b/d${i}`);
    fs.symlink('/keep', '/t/a/link');
    fs.mkdir('/keep');
    fs.writeFile('/keep/me', '');
    expect(code(() => fs.rm('/t'))).toBe('EISDIR');
    fs.rm('/t', { recursive: true });
    expect(fs.readdir('/')).toEqual(['keep']);
    expect(fs.readdir('/keep')).toEqual(['me']);
    expect(code(() => fs.rm('/t'))).toBe('ENOENT');
    fs.rm('/t', { force: true, recursive: true });
    fs.rm('/keep/me');
    expect(fs.readdir('/keep')).toEqual([]);
  });

  test('links, names, attributes', () => {
    fs.writeFile('/f', 'x');
    fs.link('/f', '/g');
    fs.symlink('f', '/s');
    expect([fs.readlink('/s'), fs.stat('/g').nlink, fs.lstat('/s').type, fs.stat('/s').type]).toEqual([
      'f',
      2,
      'lnk',
      'reg',
    ]);
    fs.rename('/g', '/h');
    expect([fs.exists('/g'), fs.exists('/h'), fs.exists('/f/x'), fs.exists('/s')]).toEqual([false, true, false, true]);
    fs.chmod('/s', 0o600);
    fs.lchown('/s', 7, 8);
    fs.utimes('/f', { sec: 1, nsec: 2 }, { sec: 3, nsec: 4 });
    expect(fs.stat('/f')).toMatchObject({
      mode: 0o600,
      uid: 0,
      atime: { sec: 1, nsec: 2 },
      mtime: { sec: 3, nsec: 4 },
    });
    expect(fs.lstat('/s')).toMatchObject({ uid: 7, gid: 8 });
    fs.mkfifo('/p');
    fs.mknod('/z', 'chr', 0o600, { major: 2, minor: 3 });
    expect([fs.stat('/p').type, fs.stat('/z').rdev]).toEqual(['fifo', { major: 2, minor: 3 }]);
    fs.truncate('/f', 5);
    expect(fs.stat('/h').size).toBe(5);
    fs.setxattr('/f', 'user.a', Uint8Array.of(9));
    expect([fs.listxattr('/h'), fs.getxattr('/h', 'user.a'), fs.getxattr('/h', 'user.b')]).toEqual([
      ['user.a'],
      Uint8Array.of(9),
      undefined,
    ]);
    fs.removexattr('/f', 'user.a');
    expect(code(() => fs.removexattr('/f', 'user.a'))).toBe('ENOATTR');
  });

  test('errors name the call, the path and the image', () => {
    expect(error(() => fs.stat('/nope'))).toMatchObject({
      code: 'ENOENT',
      context: { op: 'stat', path: '/nope', image: 'memory' },
    });
  });

  test('arguments and results can be cloned to another thread', () => {
    fs.writeFile('/f', 'x');
    for (const value of [
      fs.stat('/f'),
      fs.statvfs(),
      fs.readdir('/', { withStats: true }),
      fs.changes(),
      fs.traits,
      fs.address,
      fs.device,
    ]) {
      expect(structuredClone(value)).toEqual(value);
    }
  });
});

describe('the process', () => {
  test('handles of one session have a root, a directory and a mask each', async () => {
    const other = await tmpfs({ session: fs.session });
    fs.mkdir('/d');
    other.mkdir('/e');
    fs.chdir('/d');
    expect([fs.getcwd(), other.getcwd()]).toEqual(['/d', '/']);
    expect([fs.readdir('/'), other.readdir('/')]).toEqual([['d'], ['e']]);
    fs.umask(0o077);
    expect(other.umask(0o022)).toBe(0o022);
    expect(fs.readdir('..')).toEqual(['d']);
    expect(fs.readdir('/../..')).toEqual(['d']);
    expect(fs.session.handles).toBe(2);
    other.close();
    expect(fs.session.handles).toBe(1);
    expect(fs.readdir('/')).toEqual(['d']);
  });

  test('close() ends the handle: twice is once, anything else is EBADF', async () => {
    const gone = await tmpfs();
    gone.open('/f', 'w');
    gone.close();
    gone.close();
    expect(error(() => gone.stat('/'))).toMatchObject({ code: 'EBADF', context: { what: 'handle is closed' } });
    expect(code(() => gone.commit())).toBe('EBADF');
  });

  test('close(undefined) is a bad descriptor, not the end', () => {
    const careless = fs as unknown as { close(fd: undefined): void };
    expect(code(() => careless.close(undefined))).toBe('EBADF');
    expect(fs.readdir('/')).toEqual([]);
  });

  test('without a disk there is nothing to commit', () => {
    fs.writeFile('/f', 'x');
    expect(fs.commit()).toMatchObject({ changed: false });
    expect(fs.changedFiles()).toEqual([]);
  });
});

describe('walk()', () => {
  const paths = (options: Parameters<typeof walk>[2] = {}, root = '/') =>
    [...walk(fs, root, options)].map(({ path, order }) => (order === 'post' ? `${path} <` : path));
  beforeEach(() => {
    fs.mkdir('/a/b', { recursive: true });
    fs.mkdir('/a/c');
    fs.writeFile('/a/b/f', '');
    fs.symlink('/a', '/a/c/up');
    fs.writeFile('/z', '');
  });
  const byName = (a: { name: string }, b: { name: string }) => (a.name < b.name ? -1 : 1);

  test('tells each entry before what is below it, and directories after it on request', () => {
    expect(paths({ order: byName })).toEqual(['/', '/a', '/a/b', '/a/b/f', '/a/c', '/a/c/up', '/z']);
    expect(paths({ order: byName, post: true }, '/a')).toEqual([
      '/a',
      '/a/b',
      '/a/b/f',
      '/a/b <',
      '/a/c',
      '/a/c/up',
      '/a/c <',
      '/a <',
    ]);
    expect(paths({}).sort()).toEqual(['/', '/a', '/a/b', '/a/b/f', '/a/c', '/a/c/up', '/z']);
  });

  test('maxDepth, skip(), a file as root, a missing root', () => {
    expect(paths({ order: byName, maxDepth: 1 })).toEqual(['/', '/a', '/z']);
    const seen: string[] = [];
    const steps = walk(fs, '/', { order: byName });
    for (const { path } of steps) {
      seen.push(path);
      if (path === '/a/b') steps.skip();
    }
    expect(seen).toEqual(['/', '/a', '/a/b', '/a/c', '/a/c/up', '/z']);
    expect(paths({}, '/z')).toEqual(['/z']);
    const [missing] = [...walk(fs, '/nope')];
    expect(missing).toMatchObject({ stat: undefined, error: { code: 'ENOENT' } });
  });

  test('a link as root is followed on request only', () => {
    expect(paths({}, '/a/c/up')).toEqual(['/a/c/up']);
    expect(paths({ follow: 'root', order: byName }, '/a/c/up')).toContain('/a/c/up/b/f');
  });

  test('a directory that may not be read is told and passed over', async () => {
    const other = await tmpfs({ umask: 0 });
    other.mkdir('/open');
    other.mkdir('/closed', 0o700);
    other.writeFile('/open/f', '');
    other.setcred({ uid: 9, gid: 9 });
    const failed = [...walk(other, '/', { order: byName })].filter(({ error }) => error !== undefined);
    expect(failed).toMatchObject([{ path: '/closed', error: { code: 'EACCES' } }]);
    other.close();
  });

  test('leaving early closes what was open', () => {
    for (const { path } of walk(fs, '/')) if (path === '/a/b/f') break;
    expect(fs.open('/z')).toBeLessThan(4);
  });

  test('as deep as paths go', () => {
    let path = '';
    for (let i = 0; i < 1000; i++) fs.mkdir((path += '/d'));
    expect(paths().length).toBe(1007);
    fs.rm('/d', { recursive: true });
    expect(fs.exists('/d')).toBe(false);
  });
});

test('O is what open() takes as a number', () => {
  fs.close(fs.open('/n', O.CREAT | O.RDWR, 0o666));
  expect(fs.stat('/n').mode).toBe(0o644);
});
