/** NetBSD tests/rump/rumpvfs and tests/rump/rumpkern: the kernel itself. Each case makes its own. */
import { boot, nameFromBytes, O, RF, type FileSystemType, type Rump } from '@ukfs/kernel';
import { memoryHost, type MemoryHost } from '@ukfs/kernel/host/memory';
import { fails, get, getText, names, ok, pattern, put, readFd, same, sameBytes, text, withFd } from '../suite.ts';

export interface RumpCase {
  readonly name: string;
  run(env: { readonly k: Rump; readonly host: MemoryHost; readonly tmpfs: FileSystemType }): void | Promise<void>;
}

const SECTOR = 512;
const writable = { stage: { write: true } } as const;

/** Runs `fn` as a new process and comes back. */
function forked<T>(k: Rump, flags: number, fn: () => T): T {
  const before = k.lwproc.curlwp;
  k.lwproc.rfork(flags);
  try {
    return fn();
  } finally {
    k.lwproc.releaselwp();
    k.lwproc.switch(before);
  }
}

export const rumpCases: readonly RumpCase[] = [
  {
    name: 't_etfs reregister_reg: a key shows one host file, then another, and writes reach the host',
    run({ k, host }) {
      host.put('/host1', text("hi, it's me"));
      host.put('/host2', text('something else that is longer'));
      k.etfs.register('/key', '/host1', 'REG');
      same(getText(k.sys, '/key'), "hi, it's me", 'the first file');
      fails('EEXIST', () => k.etfs.register('/key', '/host2', 'REG'), 'a second registration');
      k.etfs.remove('/key');
      fails('ENOENT', () => k.sys.open('/key', O.RDONLY), 'after remove');
      fails('ENOENT', () => k.etfs.remove('/key'), 'removing it again');
      k.etfs.register('/key', '/host2', 'REG');
      withFd(k.sys, '/key', O.RDWR, (fd) => {
        k.sys.pwrite(fd, text('SOMETHING'), 0);
        sameBytes(readFd(k.sys, fd, 100, 0), text('SOMETHING else that is longer'), 'read back');
      });
      sameBytes(host.get('/host2'), text('SOMETHING else that is longer'), 'on the host');
      sameBytes(host.get('/host1'), text("hi, it's me"), 'the other file on the host');
    },
  },
  {
    name: 't_etfs reregister_blk: a key shows a disk of 64 sectors, then one of 128, each whole',
    run({ k, host }) {
      for (const [path, sectors, seed] of [
        ['/disk1', 64, 1],
        ['/disk2', 128, 2],
      ] as const) {
        host.put(path, pattern(sectors * SECTOR, seed));
        k.etfs.register('/key', path, 'BLK');
        same(k.sys.stat('/key').type, 'blk', 'type');
        withFd(k.sys, '/key', O.RDONLY, (fd) => {
          sameBytes(readFd(k.sys, fd, 1000 * SECTOR, 0), pattern(sectors * SECTOR, seed), path);
        });
        k.etfs.remove('/key');
      }
    },
  },
  {
    name: 't_etfs large_blk: a disk of 8 TB is written and read at 6 TB',
    run({ k, host }) {
      const TB = 1e12;
      host.putSparse('/large', 8 * TB);
      k.etfs.register('/key', '/large', 'BLK', writable);
      withFd(k.sys, '/key', O.RDWR, (fd) => {
        const at = 6 * TB;
        same(k.sys.pwrite(fd, pattern(SECTOR), at), SECTOR, 'bytes written');
        sameBytes(readFd(k.sys, fd, SECTOR, at), pattern(SECTOR), 'read back');
      });
      k.commit(k.etfs.stage('/key'));
      const file = host.open('/large', { write: false });
      const got = new Uint8Array(SECTOR);
      file.read(got, 6 * TB);
      file.close();
      sameBytes(got, pattern(SECTOR), 'on the host');
      same(host.stat('/large')?.size, 8 * TB, 'size on the host');
    },
  },
  {
    name: 't_etfs range_blk: a window that is not aligned to sectors maps exactly',
    run({ k, host }) {
      const [begin, size] = [16_000, 32_000];
      host.put('/disk', pattern(100_000));
      k.etfs.register('/key', '/disk', 'BLK', { begin, size, ...writable });
      withFd(k.sys, '/key', O.RDWR, (fd) => {
        sameBytes(readFd(k.sys, fd, 100_000, 0), pattern(100_000).subarray(begin, begin + size), 'the window');
        k.sys.pwrite(fd, new Uint8Array(100).fill(0x77), 0);
        k.sys.pwrite(fd, new Uint8Array(100).fill(0x78), size - 100);
        same(k.sys.pread(fd, new Uint8Array(10), size), 0, 'at the end of the window');
      });
      k.commit(k.etfs.stage('/key'));
      const expected = pattern(100_000);
      expected.fill(0x77, begin, begin + 100);
      expected.fill(0x78, begin + size - 100, begin + size);
      sameBytes(host.get('/disk'), expected, 'the whole disk on the host');
      for (const bad of [
        { begin: 100_001, size: 1 },
        { begin: 90_000, size: 10_001 },
      ])
        fails(
          'EINVAL',
          () => k.etfs.register('/other', '/disk', 'BLK', { ...bad, ...writable }),
          'a window outside the file',
        );
    },
  },
  {
    name: 't_etfs key: keys begin with a slash, leading ones collapse, the rest is compared byte by byte',
    run({ k, host }) {
      const { sys } = k;
      host.put('/file', text('x'));
      fails('EINVAL', () => k.etfs.register('key', '/file', 'REG'), 'no leading slash');
      k.etfs.register('////key', '/file', 'REG');
      for (const path of ['/key', '////////key', 'key']) same(sys.stat(path).type, 'reg', path);
      k.etfs.register('////key//with/slashes', '/file', 'REG');
      for (const path of ['/key//with/slashes', '///key//with/slashes', 'key//with/slashes'])
        same(sys.stat(path).type, 'reg', path);
      ok(['ENOENT', 'ENOTDIR'].includes(codeOf(() => sys.stat('/key/with/slashes'))), 'other slashes inside');
      sys.mkdir('/a', 0o755);
      sys.chdir('/a');
      fails('ENOENT', () => sys.stat('key'), 'relative to another directory');
      fails('ENOENT', () => sys.stat('key//with/slashes'), 'relative to another directory, with slashes');
      same(sys.stat('/key//with/slashes').type, 'reg', 'absolute from another directory');
      sys.chdir('/');
      ok(!names(sys, '/').includes('key'), 'keys are not listed');
    },
  },
  {
    name: 't_p2kifs makecn: a name is taken by value; changing the buffer it came from changes nothing',
    run({ k }) {
      const buffer = text('thename');
      put(k.sys, `/tmp/${nameFromBytes(buffer)}`, 'x');
      const name = nameFromBytes(buffer);
      buffer.fill(0x41);
      same(name, 'thename', 'the name');
      same(names(k.sys, '/tmp'), ['thename'], 'the directory');
      const data = text('data');
      put(k.sys, '/tmp/thename', data);
      data.fill(0);
      sameBytes(get(k.sys, '/tmp/thename'), text('data'), 'contents, for the same reason');
    },
  },
  {
    name: 't_lwproc makelwp: lwps are made in new and in existing processes',
    run({ k: { lwproc } }) {
      const first = lwproc.rfork(0);
      same(lwproc.curlwp, first, 'the new lwp is current');
      const { pid } = first.proc;
      ok(pid > 1, 'a process of its own');
      const second = lwproc.newlwp(pid);
      same(
        [lwproc.curlwp === second, second.proc === first.proc, second !== first],
        [true, true, true],
        'a second lwp in it',
      );
      const other = lwproc.rfork(0);
      ok(other.proc.pid !== pid, 'another process');
      lwproc.releaselwp();
      fails('ESRCH', () => lwproc.newlwp(other.proc.pid), 'a lwp in a process that is gone');
      fails('ESRCH', () => lwproc.newlwp(37_373), 'a lwp in a process that never was');
      lwproc.switch(second);
      lwproc.releaselwp();
      lwproc.switch(first);
      lwproc.releaselwp();
    },
  },
  {
    name: 't_lwproc proccreds: credentials belong to the process, not to the lwp',
    run({ k: { lwproc, sys } }) {
      const one = lwproc.rfork(0);
      const oneToo = lwproc.newlwp(one.proc.pid);
      lwproc.switch(undefined);
      const two = lwproc.rfork(0);
      lwproc.switch(one);
      sys.setcred({ uid: 22, gid: 22, groups: [] });
      lwproc.switch(oneToo);
      same(lwproc.curproc.cred.uid, 22, 'the other lwp of the process');
      lwproc.switch(two);
      same(lwproc.curproc.cred.uid, 0, 'the other process');
      lwproc.switch(undefined);
      same(lwproc.curproc.cred.uid, 0, 'process 1');
      for (const lwp of [one, oneToo, two]) {
        lwproc.switch(lwp);
        lwproc.releaselwp();
      }
    },
  },
  {
    name: "t_lwproc inherit: a new process has its parent's identity and directory, and shares, copies or lacks descriptors",
    run({ k }) {
      const { sys } = k;
      sys.mkdir('/somewhere', 0o755);
      forked(k, RF.CFDG, () => {
        put(sys, '/file', 'x');
        const fd = sys.open('/file', O.RDONLY);
        sys.chdir('/somewhere');
        sys.umask(0o077);
        forked(k, RF.CFDG, () => {
          fails('EBADF', () => sys.fstat(fd), 'none: the descriptor');
          same(sys.getcwd(), '/somewhere', 'current directory');
          same(sys.umask(0), 0o077, 'umask');
        });
        forked(k, RF.FDG, () => {
          same(sys.fstat(fd).size, 1, 'copied: the descriptor');
          sys.close(fd);
        });
        same(sys.fstat(fd).size, 1, 'closing a copy leaves the original');
        forked(k, 0, () => sys.close(fd));
        fails('EBADF', () => sys.fstat(fd), 'closing a shared one closes it');
        sys.setcred({ uid: 66, gid: 66, groups: [66] });
        forked(k, RF.CFDG, () => same(k.lwproc.curproc.cred.uid, 66, 'identity'));
      });
      same(sys.getcwd(), '/', 'process 1 stayed where it was');
      fails('EINVAL', () => k.lwproc.rfork(RF.CFDG | RF.FDG), 'copied and none at once');
    },
  },
  {
    name: 't_lwproc lwps: 128 lwps live in one process, which goes with the last of them',
    run({ k: { lwproc } }) {
      const first = lwproc.rfork(0);
      const { pid } = first.proc;
      const all = [first, ...Array.from({ length: 128 }, () => lwproc.newlwp(pid))];
      same(new Set(all.map((l) => l.lid)).size, 129, 'each has its number');
      for (const lwp of all) {
        lwproc.switch(lwp);
        lwproc.releaselwp();
      }
      fails('ESRCH', () => lwproc.newlwp(pid), 'the process');
      same(lwproc.find(pid), undefined, 'nobody finds it');
    },
  },
  {
    name: 't_lwproc nolwprelease: releasing without a current lwp is a panic',
    run({ k: { lwproc } }) {
      let panicked = '';
      try {
        lwproc.releaselwp();
      } catch (e) {
        panicked = e instanceof Error ? e.name : '';
      }
      same(panicked, 'AssertionError', 'what is thrown');
    },
  },
  {
    name: 't_lwproc nolwp: in the implicit context there is no current lwp',
    run: ({ k }) => same(k.lwproc.curlwp, undefined, 'curlwp'),
  },
  {
    name: 't_lwproc nullswitch: one may switch to nothing',
    run({ k: { lwproc } }) {
      const lwp = lwproc.rfork(0);
      lwproc.switch(undefined);
      same(lwproc.curlwp, undefined, 'curlwp');
      lwproc.switch(lwp);
      same(lwproc.curlwp, lwp, 'and back');
      lwproc.releaselwp();
    },
  },
  {
    name: 't_modcmd cmsg_modcmd: mounting needs the module; double init and double fini fail; and all of it twice',
    async run({ tmpfs }) {
      const module = { name: 'tmpfs', aliases: [], load: () => Promise.resolve(tmpfs) };
      const k = boot({ host: memoryHost(), filesystems: [module] });
      const { sys, modules } = k;
      sys.mkdir('/mp', 0o755);
      for (let round = 0; round < 2; round++) {
        fails('ENODEV', () => sys.mount('tmpfs', '/mp', {}), 'mount before the module is loaded');
        await modules.init('tmpfs');
        same(await codeOfAsync(() => modules.init('tmpfs')), 'EEXIST', 'a second init');
        sys.mount('tmpfs', '/mp', {});
        fails('EBUSY', () => modules.fini('tmpfs'), 'fini while mounted');
        sys.unmount('/mp');
        modules.fini('tmpfs');
        fails('ENOENT', () => modules.fini('tmpfs'), 'a second fini');
      }
      k.halt();
    },
  },
  {
    name: 't_modlinkset modlinkset: every module handed to boot is known and none is loaded; a name given twice is refused',
    run({ tmpfs }) {
      const module = (
        name: string,
        aliases: string[] = [],
      ): { name: string; aliases: string[]; load: () => Promise<FileSystemType> } => ({
        name,
        aliases,
        load: () => Promise.resolve(tmpfs),
      });
      const k = boot({
        host: memoryHost(),
        filesystems: [module('msdosfs', ['msdos', 'vfat']), module('cd9660', ['iso9660'])],
      });
      same(k.modules.names().sort(), ['cd9660', 'msdosfs'], 'names');
      same([k.modules.resolve('vfat'), k.modules.resolve('nothing')], ['msdosfs', undefined], 'aliases');
      same([k.modules.isLoaded('msdosfs'), k.modules.isLoaded('cd9660')], [false, false], 'loaded');
      k.halt();
      fails(
        'EEXIST',
        () => boot({ host: memoryHost(), filesystems: [module('a'), module('b', ['a'])] }),
        'one name twice',
      );
    },
  },
];

function codeOf(fn: () => unknown): string {
  try {
    fn();
    return 'ok';
  } catch (e) {
    return e instanceof Error && 'code' in e ? String(e.code) : String(e);
  }
}

async function codeOfAsync(fn: () => Promise<unknown>): Promise<string> {
  try {
    await fn();
    return 'ok';
  } catch (e) {
    return e instanceof Error && 'code' in e ? String(e.code) : String(e);
  }
}
