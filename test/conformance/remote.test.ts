/**
 * A kernel elsewhere behaves as one here: the same operations, drawn by lot, on equal images, by a thread and by a socket. Answers
 * and failures are the same, and the images are equal byte for byte. And what happens when a thread dies.
 */
import { buildSync } from 'esbuild';
import { copyFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { createServer, connect as dial } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { FsError, makeFs, O, open } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { nodeHost } from '@ukfs/kernel/host/node';
import { connect, frameChannel, RemoteKernel, Server } from 'ukfs/remote';
import type { ByteStream, RemoteUkfs } from 'ukfs/remote';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Rng } from '../support/rng.ts';

const dir = mkdtempSync(join(tmpdir(), 'ukfs-remote-'));
const worker = join(dir, 'worker.mjs');
const MiB = 1024 * 1024;

beforeAll(async () => {
  buildSync({
    entryPoints: [new URL('../support/remote-worker.ts', import.meta.url).pathname],
    outfile: worker,
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    logLevel: 'error',
  });
  process.env['SOURCE_DATE_EPOCH'] = '1700000000';
  await makeFs(join(dir, 'disk.img'), { type: 'ext4', size: 16 * MiB });
});
afterAll(() => {
  delete process.env['SOURCE_DATE_EPOCH'];
  rmSync(dir, { recursive: true, force: true });
});

const bytesOf = (socket: Socket): ByteStream => ({
  write: (bytes) => void socket.write(bytes),
  start(receive, ended) {
    let why: Error | undefined;
    socket.on('data', receive);
    socket.on('error', (error) => (why = error));
    socket.on('close', () => ended(why));
  },
  end: () => void socket.end(),
});

interface Carrier {
  readonly kernel: RemoteKernel;
  end(): Promise<void>;
}

async function bySocket(): Promise<Carrier> {
  const listener = createServer();
  await new Promise<void>((resolve) => listener.listen(0, '127.0.0.1', resolve));
  const accepted = new Promise<Socket>((resolve) => listener.once('connection', resolve));
  const socket = dial((listener.address() as AddressInfo).port, '127.0.0.1');
  void new Server(frameChannel(bytesOf(await accepted)), { host: nodeHost(), turn: setImmediate });
  const kernel = new RemoteKernel(frameChannel(bytesOf(socket)));
  return {
    kernel,
    async end() {
      await kernel.close();
      await new Promise<void>((resolve) => void listener.close(() => resolve()));
    },
  };
}

function byThread(): Promise<Carrier> {
  const kernel = connect(worker);
  return Promise.resolve({ kernel, end: () => kernel.close() });
}

/** What came of a call, so that two can be compared. */
async function outcome(call: () => unknown): Promise<unknown> {
  try {
    return { value: await call() };
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    const { name, code, message, context } = thrown;
    return { is: thrown.constructor.name, name, code, message, context: { ...context, image: '' } };
  }
}

type Both = Pick<Ukfs, keyof Ukfs & keyof RemoteUkfs>;
type Step = (fs: Both) => unknown;

/** One operation; `fds` and `marks`: those that the local side has been given, which are to be the same. */
function step(rng: Rng, fds: readonly number[], marks: readonly number[]): readonly [string, Step] {
  const names = ['a', 'b', 'dir', 'dir/c', 'dir/sub', 'dir/sub/d', 'link', 'no/where', 'x\udcffy', 'n'.repeat(300)];
  const path = (): string => `/${rng.pick(names)}`;
  const [p, q] = [path(), path()];
  const data = rng.bytes(rng.int(20_000));
  const fd = fds.length > 0 && !rng.oneIn(8) ? rng.pick(fds) : rng.int(30);
  const n = rng.int(30_000);
  const mark = marks.length > 0 ? rng.pick(marks) : 99;
  const all: Record<string, Step> = {
    writeFile: (fs) => fs.writeFile(p, data),
    appendFile: (fs) => fs.appendFile(p, 'text', { mode: 0o600 }),
    readFile: (fs) => fs.readFile(p),
    readText: (fs) => fs.readFile(p, 'utf8'),
    mkdir: (fs) => fs.mkdir(p, { recursive: n % 2 === 0 }),
    mkdirMode: (fs) => fs.mkdir(p, 0o700),
    rmdir: (fs) => fs.rmdir(p),
    unlink: (fs) => fs.unlink(p),
    rm: (fs) => fs.rm(p, { recursive: n % 2 === 0, force: n % 3 === 0 }),
    rename: (fs) => fs.rename(p, q, n % 3 === 0 ? { noreplace: true } : undefined),
    link: (fs) => fs.link(p, q),
    symlink: (fs) => fs.symlink(q, p),
    readlink: (fs) => fs.readlink(p),
    mknod: (fs) => fs.mknod(p, 'chr', 0o600, { major: 1, minor: 3 }),
    truncate: (fs) => fs.truncate(p, n),
    chmod: (fs) => fs.chmod(p, n & 0o777),
    lchown: (fs) => fs.lchown(p, n, -1),
    utimes: (fs) => fs.utimes(p, { sec: n, nsec: 5 }, 'omit'),
    setxattr: (fs) => fs.setxattr(p, 'user.x', data.subarray(0, 500)),
    getxattr: (fs) => fs.getxattr(p, 'user.x'),
    listxattr: (fs) => fs.listxattr(p, { nofollow: true }),
    removexattr: (fs) => fs.removexattr(p, 'user.x'),
    stat: (fs) => fs.stat(p),
    lstat: (fs) => fs.lstat(p),
    exists: (fs) => fs.exists(p),
    access: (fs) => fs.access(p, 2),
    readdir: (fs) => fs.readdir(p),
    readdirStats: (fs) => fs.readdir('/', { withStats: true }),
    bmap: (fs) => fs.bmap(p),
    statvfs: async (fs) => (await fs.statvfs('/')).freeBlocks,
    fsinfo: (fs) => fs.fsinfo(),
    pathconf: (fs) => fs.pathconf(p, 'nameMax'),
    chdir: (fs) => fs.chdir('/dir'),
    getcwd: (fs) => fs.getcwd(),
    umask: (fs) => fs.umask(0o027),
    write: (fs) => fs.write(fd, data, 1, Math.max(0, data.length - 2), n % 2 === 0 ? n : undefined),
    writeBadly: (fs) => fs.write(fd, data, data.length, 1),
    lseek: (fs) => fs.lseek(fd, n % 5000, n % 3),
    fstat: (fs) => fs.fstat(fd),
    ftruncate: (fs) => fs.ftruncate(fd, n),
    getdentsplus: (fs) => fs.getdentsplus(fd, 3),
    fallocate: (fs) => fs.fallocate(fd, n, 4096),
    punch: (fs) => fs.punch(fd, 0, n),
    sync: (fs) => fs.sync(),
    changes: async (fs) => (await fs.changes()).bytes,
    changedFiles: (fs) => fs.changedFiles(),
    commit: (fs) => fs.commit(),
    checkWritable: (fs) => fs.checkWritable(),
    rollback: (fs) => fs.rollback(mark),
    release: (fs) => fs.releaseSavepoint(mark),
    check: (fs) => fs.check(),
  };
  // Those that open are drawn more often: what they give is needed.
  const opening: Record<string, Step> = {
    open: (fs) => fs.open(p, O.RDWR | O.CREAT, 0o644),
    openRead: (fs) => fs.open(p, 'r'),
    opendir: (fs) => fs.opendir(n % 2 === 0 ? '/' : p),
    savepoint: (fs) => fs.savepoint(),
    close: (fs) => fs.close(fd),
    readPart: async (fs) => {
      const into = new Uint8Array(8192).fill(0xee);
      return [await fs.read(fd, into, 5, 8000, n % 2 === 0 ? n : undefined), into];
    },
  };
  const from = rng.oneIn(4) ? opening : all;
  const name = rng.pick(Object.keys(from));
  return [name, from[name] ?? ((fs) => fs.sync())];
}

describe.each<[string, () => Promise<Carrier>]>([
  ['a thread', byThread],
  ['a socket', bySocket],
])('a kernel behind %s', (name, carrier) => {
  test.each([1, 2])('does as one here, seed %i', async (seed) => {
    const [here, there] = ['here', 'there'].map((which) => join(dir, `${which}-${seed}-${name.slice(-6)}.img`)) as [
      string,
      string,
    ];
    for (const image of [here, there]) copyFileSync(join(dir, 'disk.img'), image);
    const { kernel, end } = await carrier();
    const options = { write: true, seed: 'same' } as const;
    const local = await open(here, options);
    const remote = await kernel.open(there, options);
    const rng = new Rng(seed);
    const fds: number[] = [];
    const marks: number[] = [];
    const seen = new Map<string, number>();
    for (let i = 0; i < 800; i++) {
      const [what, act] = step(rng, fds, marks);
      const expected = await outcome(() => act(local));
      expect({ i, what, is: await outcome(() => act(remote as unknown as Both)) }).toEqual({ i, what, is: expected });
      if (typeof expected === 'object' && expected !== null && 'value' in expected) {
        seen.set(what, (seen.get(what) ?? 0) + 1);
        if (what.startsWith('open')) fds.push(Number(expected.value));
        if (what === 'savepoint') marks.push(Number(expected.value));
      }
    }
    // Most kinds of operations have succeeded at least once: the draw was not all failures.
    expect(seen.size).toBeGreaterThan(35);
    const last = await outcome(() => local.commit());
    expect(await outcome(() => remote.commit())).toEqual(last);
    local.close();
    await remote.close();
    await end();
    expect(readFileSync(there).equals(readFileSync(here)), `${name}: the images differ`).toBe(true);
  });

  test('ends with its client: the lock is let go, what was not committed is gone, no file is left', async () => {
    const image = join(dir, `ends-${name.slice(-6)}.img`);
    copyFileSync(join(dir, 'disk.img'), image);
    const { kernel, end } = await carrier();
    const fs = await kernel.open(image, { write: true, memLimit: 4 * MiB });
    // More than fits into memory: it lies in a file beside the image.
    await fs.writeFile('/large', new Uint8Array(8 * MiB).fill(7));
    await expect(open(image, { write: true })).rejects.toMatchObject({ code: 'EBUSY' });
    await end();
    // The other end of a socket learns of it a moment later.
    await expect
      .poll(() => readdirSync(dir).filter((file) => file.startsWith(`ends-${name.slice(-6)}`)))
      .toHaveLength(1);
    await expect.poll(() => outcome(async () => (await open(image, { write: true })).close())).toHaveProperty('value');
    const again = await open(image, { write: true });
    expect(again.readdir('/')).toEqual(['lost+found']);
    again.close();
  });
});

test('a socket that is cut fails what waits with EIO', async () => {
  const { kernel, end } = await bySocket();
  const fs = await kernel.open(join(dir, 'disk.img'));
  const waiting = fs.readdir('/');
  const ended = end();
  await expect(waiting).rejects.toMatchObject({ code: 'EBADF' });
  await ended;
});

describe('a thread that dies fails all that waits, at once, and says why:', () => {
  test.each<[string, string, unknown[], RegExp]>([
    ['an exit', 'exit', [3], /exit status 3/],
    ['an exception outside every call', 'crash', [], /outside every call/],
    ['no memory left', 'eat', [], /memory/],
  ])('%s', async (_, service, args, why) => {
    const kernel = connect(worker, { heapBytes: 64 * MiB });
    expect(await kernel.call('echo', ['alive'])).toBe('alive');
    const waiting = [kernel.call(service, args), kernel.call('echo', [1])];
    for (const one of await Promise.allSettled(waiting.slice(0, 1)))
      expect(one).toMatchObject({ status: 'rejected', reason: { code: 'EIO', message: expect.stringMatching(why) } });
    expect((await kernel.ended)?.message).toMatch(why);
    await expect(kernel.call('echo', [2])).rejects.toMatchObject({ code: 'EIO' });
    await Promise.allSettled(waiting);
    await kernel.close();
  });

  test('a script that is not there', async () => {
    const kernel = connect(join(dir, 'none.mjs'));
    await expect(kernel.call('echo')).rejects.toMatchObject({ code: 'EIO' });
    await kernel.close();
  });
});

test('a thread that hangs is ended some seconds after its client', async () => {
  const kernel = connect(worker);
  const hung = kernel.call('hang');
  await new Promise((resolve) => void setTimeout(resolve, 300));
  const closed = kernel.close();
  await expect(hung).rejects.toMatchObject({ code: 'EBADF' });
  await closed;
}, 15_000);
