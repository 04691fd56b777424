/** Both ends, in one thread: order, cancelling, turns, and what is left when either end goes. */
import { FsError } from '@ukfs/kernel';
import { memoryHost } from '@ukfs/kernel/host/memory';
import type { MemoryHost } from '@ukfs/kernel/host/memory';
import { afterEach, describe, expect, test } from 'vitest';
import { makeFs } from '../makefs.ts';
import { RemoteKernel } from './client.ts';
import { BANNER } from './message.ts';
import type { Channel, Message } from './message.ts';
import { channelPair } from './pair.ts';
import { Server } from './server.ts';
import type { Job, Services } from './server.ts';

/** As Node's setImmediate: after all that was sent so far has arrived. */
const turn = (act: () => void): void => void setTimeout(act, 0);
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise<void>((resolve) => turn(resolve));
};

const ended: (() => void)[] = [];
afterEach(() => {
  for (const end of ended.splice(0)) end();
});

/** Time that passes as the test says. */
class Clock {
  now = 0;
  pass(milliseconds: number): void {
    this.now += milliseconds * 1e6;
  }
}

async function hostWithImage(): Promise<MemoryHost> {
  const host = memoryHost();
  await makeFs('disk.img', { type: 'ext4', size: 4 * 1024 * 1024, host });
  return host;
}

interface Rig {
  readonly kernel: RemoteKernel;
  readonly server: Server;
  readonly host: MemoryHost;
  readonly clock: Clock;
}

function rig(host: MemoryHost, services: Services = {}, reading: readonly string[] = []): Rig {
  const [mine, theirs] = channelPair();
  const clock = new Clock();
  host.monotonic = () => clock.now;
  const server = new Server(theirs, { host, services, reading, turn });
  const kernel = new RemoteKernel(mine);
  ended.push(() => void kernel.close());
  return { kernel, server, host, clock };
}

const code = async (call: Promise<unknown>): Promise<string> => {
  try {
    await call;
    return 'ok';
  } catch (thrown) {
    if (thrown instanceof FsError) return thrown.code;
    throw thrown;
  }
};

describe('calls', () => {
  test('are made in the order in which they were sent, whether one waits for them or not', async () => {
    const { kernel } = rig(await hostWithImage());
    const fs = await kernel.open('disk.img', { write: true });
    const calls = [
      fs.writeFile('/a', '1'),
      fs.appendFile('/a', '2'),
      fs.rename('/a', '/b'),
      fs.readFile('/b', 'utf8'),
      fs.unlink('/b'),
      fs.exists('/b'),
    ];
    expect(await Promise.all(calls)).toEqual([undefined, undefined, undefined, '12', undefined, false]);
  });

  test('have answers of their own: a slow one does not hold up those behind it', async () => {
    let finish: (value: string) => void = () => undefined;
    const { kernel } = rig(memoryHost(), {
      slow: () => new Promise<string>((resolve) => (finish = resolve)),
      quick: () => 'quick',
    });
    const order: unknown[] = [];
    const slow = kernel.call('slow').then((value) => order.push(value));
    await kernel.call('quick').then((value) => order.push(value));
    finish('slow');
    await slow;
    expect(order).toEqual(['quick', 'slow']);
  });

  test('fail as they would here: class, code, context, and the place', async () => {
    const { kernel } = rig(await hostWithImage());
    const fs = await kernel.open('disk.img');
    const thrown = await fs.readFile('/no/such').catch((e: unknown) => e);
    expect(thrown).toBeInstanceOf(FsError);
    expect(thrown).toMatchObject({ code: 'ENOENT', context: { op: 'open', path: '/no/such', image: 'disk.img' } });
    expect(await code(fs.commit())).toBe('EROFS');
    expect(await code(kernel.open('none.img'))).toBe('ENOENT');
  });

  test.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'session', 'x'.repeat(1e5)])(
    'of a name that is none fail with ENOSYS: %.20s',
    async (name) => {
      const { kernel } = rig(await hostWithImage());
      const { handle } = await kernel.open('disk.img');
      expect(await code(kernel.call(name))).toBe('ENOSYS');
      const thrown: unknown = await kernel.call(name, [], { handle }).catch((e: unknown) => e);
      expect(thrown).toMatchObject({ code: 'ENOSYS' });
      expect(String(thrown).length).toBeLessThan(200);
    },
  );

  test('of a handle that is not open fail with EBADF', async () => {
    const { kernel } = rig(await hostWithImage());
    const fs = await kernel.open('disk.img');
    await fs.close();
    expect(await code(fs.stat('/'))).toBe('EBADF');
    for (const handle of [99, -1, Number.MAX_SAFE_INTEGER])
      expect(await code(kernel.call('stat', ['/'], { handle }))).toBe('EBADF');
  });

  const hostile: readonly [string, readonly unknown[]][] = [
    ['stat', []],
    ['stat', [7]],
    ['stat', [null]],
    ['stat', ['/', 'too many']],
    ['stat', [{ toString: '/' }]],
    ['open', ['/', 'q']],
    ['open', ['/', '__proto__']],
    ['read', [0, -1]],
    ['read', [0, Number.NaN]],
    ['read', [0.5, 1]],
    ['write', [0, 'text']],
    ['write', [0, new Uint8Array(new SharedArrayBuffer(4))]],
    ['readdir', ['/', { withStats: true }]],
    ['mkdir', ['/d', { recursive: 'yes' }]],
    ['mkdir', ['/d', { mode: 1, other: 2 }]],
    ['mkdir', ['/d', JSON.parse('{"__proto__": {"recursive": true}}')]],
    ['rename', ['/a', '/b', []]],
    ['utimes', ['/', 'later', 'now']],
    ['utimes', ['/', { sec: 1 }, 'now']],
    ['setcred', [{ uid: 0 }]],
    ['setcred', [{ uid: 0, gid: 0, groups: ['wheel'] }]],
    ['getlk', [0, { type: 'maybe', start: 0, length: 0 }]],
    ['rollback', ['first']],
    ['close', ['all']],
    ['check', [{ pause: true }]],
    ['pathconf', ['/', 'constructor']],
    ['commit', [1]],
  ];
  test.each(hostile)('%s%j is EINVAL, and the server goes on', async (name, args) => {
    const { kernel } = rig(await hostWithImage());
    const fs = await kernel.open('disk.img', { write: true });
    const { handle } = fs;
    expect(await code(kernel.call(name, args, { handle }))).toBe('EINVAL');
    expect(await fs.readdir('/')).toEqual(['lost+found']);
  });

  test.each([
    ['open', [3]],
    ['open', ['disk.img', { write: 1 }]],
    ['open', ['disk.img', { session: {} }]],
    ['open', ['disk.img', { host: {} }]],
    ['open', [{ image: 'disk.img', selectors: [{ kind: 'off', offset: -1 }] }]],
    ['inspect', [undefined]],
    ['check', ['disk.img', { repair: 'everything' }]],
    ['makeFs', ['new.img', { size: 1024 }]],
    ['makeFs', ['new.img', { type: 'ext4', size: { auto: 5 } }]],
  ])('%s%j of the kernel is EINVAL', async (name, args) => {
    const { kernel, host } = rig(await hostWithImage());
    expect(await code(kernel.call(name, args))).toBe('EINVAL');
    expect(host.openFiles()).toBe(0);
  });

  test('whose answer cannot travel fail, and so do those whose arguments cannot', async () => {
    const { kernel } = rig(memoryHost(), { bad: () => ({ f: () => 1 }), echo: (_, value) => value });
    expect(await code(kernel.call('bad'))).toBe('EINVAL');
    expect(await code(kernel.call('echo', [() => 1]))).toBe('EINVAL');
    expect(await kernel.call('echo', ['still here'])).toBe('still here');
  });

  test('that fail by a defect are EIO, and its stack is told', async () => {
    const { kernel } = rig(memoryHost(), {
      defect: () => {
        throw new RangeError('off by one');
      },
    });
    const thrown = await kernel.call('defect').catch((e: unknown) => e);
    expect(thrown).toMatchObject({ code: 'EIO', message: 'off by one', cause: { name: 'RangeError' } });
    expect((thrown as { cause: Error }).cause.stack).toContain('server.test.ts');
  });
});

describe('whole files and directories', () => {
  test('long reads and writes go in pieces, and at a position', async () => {
    const { kernel } = rig(memoryHost());
    const fs = await kernel.open('none', { type: 'tmpfs', write: true });
    const fd = await fs.open('/long', 'w+');
    const bytes = new Uint8Array(9 * 1024 * 1024 + 5).map((_, i) => i % 251);
    expect(await fs.write(fd, bytes)).toBe(bytes.length);
    expect(await fs.write(fd, bytes, 1, 3, 100)).toBe(3);
    bytes.set([1, 2, 3], 100);
    const back = new Uint8Array(bytes.length + 10);
    expect(await fs.read(fd, back, 5, bytes.length, 0)).toBe(bytes.length);
    expect(Buffer.compare(back.subarray(5, 5 + bytes.length), bytes)).toBe(0);
    expect(await fs.read(fd, back, 0, 10, bytes.length)).toBe(0);
    expect(await code(fs.read(fd, back, 0, back.length + 1))).toBe('EINVAL');
    expect(await kernel.call<Uint8Array>('read', [fd, 2 ** 40, 0], { handle: fs.handle })).toHaveLength(bytes.length);
  });

  test('a listing is told in parts, with names, types or attributes, as the local one', async () => {
    const { kernel } = rig(memoryHost());
    const fs = await kernel.open('none', { type: 'tmpfs', write: true });
    const names = Array.from({ length: 1300 }, (_, i) => `f${i}`);
    await Promise.all(names.map((name) => fs.writeFile(`/${name}`, '')));
    expect((await fs.readdir('/')).sort()).toEqual([...names].sort());
    const typed = await fs.readdir('/', { withFileTypes: true });
    expect(typed).toHaveLength(1300);
    expect(typed[0]).toMatchObject({ type: 'reg' });
    const [first] = await fs.readdir('/', { withStats: true });
    expect(first?.stat).toEqual(await fs.lstat(`/${first?.name}`));
    expect(await code(fs.readdir('/f1'))).toBe('ENOTDIR');
  });
});

describe('cancelling', () => {
  test('a call that has not begun: it never begins', async () => {
    const begun: unknown[] = [];
    const { kernel } = rig(memoryHost(), { note: (_, what) => void begun.push(what) });
    const no = new AbortController();
    const first = kernel.call('note', [1]);
    const second = kernel.call('note', [2], { signal: no.signal });
    no.abort();
    await first;
    expect(await code(second)).toBe('ECANCELED');
    await turns(2);
    expect(begun).toEqual([1]);
  });

  test('work in slices: its finally runs, and the caller does not wait for it', async () => {
    let left = false;
    const { kernel, clock } = rig(memoryHost(), {
      *endless() {
        try {
          for (;;) {
            clock.pass(10);
            yield;
          }
        } finally {
          left = true;
        }
      },
    });
    const no = new AbortController();
    const call = kernel.call('endless', [], { signal: no.signal });
    await turns(3);
    no.abort();
    expect(await code(call)).toBe('ECANCELED');
    await turns(3);
    expect(left).toBe(true);
  });

  test('synchronous work, at its next point of preemption', async () => {
    let steps = 0;
    const no = new AbortController();
    const { kernel, clock } = rig(memoryHost(), {
      long(job) {
        for (; steps < 100; steps++) {
          if (steps === 10) no.abort();
          clock.pass(10);
          job.preempt();
        }
      },
    });
    expect(await code(kernel.call('long', [], { signal: no.signal }))).toBe('ECANCELED');
    expect(steps).toBe(10);
  });

  test('what a cancelled call opened is closed: handles and descriptors', async () => {
    const { kernel, host } = rig(await hostWithImage());
    const no = new AbortController();
    const opening = kernel.open('disk.img', {}, { signal: no.signal });
    await Promise.resolve();
    no.abort();
    expect(await code(opening)).toBe('ECANCELED');
    await turns(20);
    expect(host.openFiles()).toBe(0);

    const fs = await kernel.open('disk.img');
    const first = await fs.opendir('/');
    const gone = new AbortController();
    // Answered already, and the answer is on its way.
    const fd = fs.until(gone.signal).opendir('/');
    queueMicrotask(() => gone.abort());
    const outcome = await code(fd);
    await turns(3);
    expect(await fs.opendir('/')).toBe(outcome === 'ok' ? first + 2 : first + 1);
  });

  test('with a signal that was aborted before sends nothing', async () => {
    const { kernel } = rig(memoryHost(), { never: () => expect.unreachable() });
    expect(await code(kernel.call('never', [], { signal: AbortSignal.abort() }))).toBe('ECANCELED');
  });
});

describe('turns', () => {
  test('short calls beside long work in slices wait for one slice at most', async () => {
    const { kernel, clock } = rig(memoryHost(), {
      *long() {
        for (let i = 0; i < 2000; i++) {
          clock.pass(1);
          yield;
        }
        return 'done';
      },
      short: () => clock.now,
    });
    const long = kernel.call('long');
    const waits: number[] = [];
    for (let i = 0; i < 1000; i++) {
      const asked = clock.now;
      waits.push((await kernel.call<number>('short')) - asked);
      if (i % 10 === 0) await turns(1);
    }
    expect(Math.max(...waits)).toBeLessThanOrEqual(8e6);
    expect(await long).toBe('done');
  });

  test('a thousand calls at once beside long work do not stop it', async () => {
    let slices = 0;
    const { kernel, clock } = rig(memoryHost(), {
      *long() {
        for (; slices < 5; slices++) {
          clock.pass(8);
          yield;
        }
      },
      short: () => {
        clock.pass(1);
        return slices;
      },
    });
    const long = kernel.call('long');
    const seen = await Promise.all(Array.from({ length: 100 }, () => kernel.call<number>('short')));
    await long;
    // A turn for the long one after every eight milliseconds of short ones.
    expect(seen).toEqual([...seen].sort((a, b) => a - b));
    expect(seen).toEqual(seen.map((_, i) => Math.max(0, Math.min(5, Math.floor(i / 8) - 1))));
  });

  test('two pieces of long work share', async () => {
    const order: string[] = [];
    const { kernel, clock } = rig(memoryHost(), {
      *work(_job: Job, name: unknown) {
        for (let i = 0; i < 3; i++) {
          clock.pass(8);
          order.push(String(name));
          yield;
        }
      },
    });
    await Promise.all([kernel.call('work', ['a']), kernel.call('work', ['b'])]);
    expect(order.join('')).toBe('ababab');
  });

  test('preempted work lets calls and slices be answered before it goes on, in the same stretch', async () => {
    const answered: string[] = [];
    const { kernel, clock } = rig(memoryHost(), {
      long(job) {
        for (let i = 0; i < 4; i++) {
          clock.pass(10);
          job.preempt();
        }
        answered.push('long');
      },
      *listing() {
        clock.pass(8);
        yield 'part';
        answered.push('listing');
        return 'whole';
      },
      short: () => void answered.push('short'),
    });
    const parts: unknown[] = [];
    const all = [
      kernel.call('long'),
      kernel.call('short'),
      kernel.call('listing', [], { item: (part) => parts.push(part) }),
    ];
    expect((await Promise.all(all))[2]).toBe('whole');
    expect(answered).toEqual(['short', 'listing', 'long']);
    expect(parts).toEqual(['part']);
  });

  test('an operation that pauses is not changed under: reading goes on, writing waits, each handle keeps its order', async () => {
    const host = await hostWithImage();
    const seen: string[] = [];
    const { kernel, server, clock } = rig(
      host,
      {
        checking(job, number) {
          for (let i = 0; i < 4; i++) {
            clock.pass(10);
            job.pause();
            seen.push(server.handle(Number(number)).readdir('/').join());
          }
        },
        look: () => seen.push('looked'),
        touch: () => seen.push('touched'),
      },
      ['look'],
    );
    const fs = await kernel.open('disk.img', { write: true });
    const [, size, , later] = await Promise.all([
      kernel.call('checking', [fs.handle]),
      fs.stat('/').then(({ size }) => size),
      fs.writeFile('/new', 'x'),
      fs.exists('/new'),
      kernel.call('look'),
      kernel.call('touch'),
    ]);
    expect(size).toBeGreaterThan(0);
    expect(later).toBe(true);
    expect(seen).toEqual(['looked', ...Array<string>(4).fill('lost+found'), 'touched']);
  });

  test('an operation that pauses shares with work in slices that changes nothing; other work waits', async () => {
    const order: string[] = [];
    const { kernel, clock } = rig(
      memoryHost(),
      {
        checking(job) {
          for (let i = 0; i < 6; i++) {
            clock.pass(8);
            order.push('c');
            job.pause();
          }
        },
        *looking(_, name) {
          for (let i = 0; i < 3; i++) {
            clock.pass(8);
            order.push(String(name));
            yield;
          }
        },
        *changing() {
          clock.pass(8);
          order.push('w');
          yield;
        },
      },
      ['looking'],
    );
    const all = ['changing', 'checking', 'looking', 'looking'].map((name, at) => kernel.call(name, [`${at - 1}`]));
    await Promise.all(all);
    expect(order.join('')).toBe('c1c2c1c2c1c2w');
  });

  test('a check in the midst of an edit: who looks has turns, and the edit waits', async () => {
    const order: string[] = [];
    const { kernel, clock } = rig(
      memoryHost(),
      {
        editing(job) {
          for (let i = 0; i < 3; i++) {
            clock.pass(8);
            order.push('e');
            job.preempt();
          }
        },
        checking(job) {
          for (let i = 0; i < 3; i++) {
            clock.pass(8);
            order.push('c');
            job.pause();
          }
        },
        *looking() {
          for (let i = 0; i < 2; i++) {
            clock.pass(8);
            order.push('l');
            yield;
          }
        },
      },
      ['looking'],
    );
    await Promise.all(['editing', 'checking', 'looking'].map((name) => kernel.call(name)));
    expect(order.join('')).toBe('eclclcee');
  });

  test('a check of an image can be cancelled on the way, and leaves nothing open', async () => {
    const { kernel, host, clock } = rig(await hostWithImage());
    const no = new AbortController();
    host.monotonic = () => (clock.now += 5e6);
    const check = kernel.check('disk.img', {}, { signal: no.signal });
    await Promise.resolve();
    no.abort();
    expect(await code(check)).toBe('ECANCELED');
    await turns(20);
    expect(host.openFiles()).toBe(0);
  });
});

describe('the end', () => {
  test('of a client closes what it had open; what was not committed is gone', async () => {
    const host = await hostWithImage();
    const { kernel } = rig(host);
    const fs = await kernel.open('disk.img', { write: true });
    await fs.writeFile('/kept', 'x');
    await fs.commit();
    await fs.writeFile('/lost', 'x');
    await fs.open('/kept');
    await kernel.close();
    expect(await kernel.ended).toBeUndefined();
    expect(host.openFiles()).toBe(0);
    const again = rig(host).kernel;
    const names = await (await again.open('disk.img', { write: true })).readdir('/');
    expect([...names].sort()).toEqual(['kept', 'lost+found']);
  });

  test('of a client while an image is being opened', async () => {
    const { kernel, host } = rig(await hostWithImage());
    const opening = kernel.open('disk.img', { write: true });
    await Promise.resolve();
    await kernel.close();
    expect(await code(opening)).toBe('EBADF');
    expect(await code(kernel.inspect('disk.img'))).toBe('EBADF');
    await turns(20);
    expect(host.openFiles()).toBe(0);
  });

  test('of a client in the midst of its own long work: handles stay open until that is done', async () => {
    const host = await hostWithImage();
    let names: readonly string[] = [];
    const { kernel, server, clock } = rig(host, {
      long(job, number) {
        const fs = server.handle(Number(number));
        void kernel.close();
        clock.pass(10);
        try {
          job.preempt();
        } finally {
          names = fs.readdir('/');
        }
      },
    });
    const fs = await kernel.open('disk.img');
    expect(await code(kernel.call('long', [fs.handle]))).toBe('EBADF');
    await turns(3);
    expect(names).toEqual(['lost+found']);
    expect(host.openFiles()).toBe(0);
  });

  test('of the server fails what waits', async () => {
    const { kernel, server } = rig(memoryHost(), { never: () => new Promise(() => undefined) });
    const call = kernel.call('never');
    await turns(1);
    server.close();
    expect(await code(call)).toBe('EIO');
    expect((await kernel.ended)?.code).toBe('EIO');
    expect(await code(kernel.call('never'))).toBe('EIO');
  });
});

describe('who does not keep to the protocol is not talked to:', () => {
  const call: Message = { kind: 'call', id: 1, handle: 0, name: 'inspect', args: ['disk.img'] };
  const banner: Message = { kind: 'banner', banner: BANNER };

  /** What a server says to these messages, its banner aside, and whether it ends the connection. */
  async function saidTo(messages: readonly unknown[]): Promise<readonly [readonly unknown[], boolean]> {
    const [mine, theirs] = channelPair();
    void new Server(theirs, { host: await hostWithImage(), turn });
    const said: unknown[] = [];
    let isOver = false;
    mine.start(
      (message) => said.push(message),
      () => (isOver = true),
    );
    for (const message of messages) mine.send(message as Message);
    await turns(20);
    mine.close();
    return [said.slice(1), isOver];
  }

  test('one that greets is answered', async () => {
    const [said, isOver] = await saidTo([banner, call]);
    expect(said).toMatchObject([{ kind: 'result', id: 1 }]);
    expect(isOver).toBe(false);
  });

  test.each([
    ['a call before the banner', [call]],
    ['another version', [{ kind: 'banner', banner: 'UKFS-REMOTE-9' }, call]],
    ['two banners', [banner, banner]],
    ['no object', [banner, 'hello']],
    ['an unknown kind', [banner, { kind: 'quit' }]],
    ['a message of the other side', [banner, { kind: 'result', id: 1, value: 2 }]],
    ['a number that is none', [banner, { ...call, id: '1' }]],
    ['arguments that are no list', [banner, { ...call, args: { length: 1 } }]],
    ['a name that is none', [banner, { ...call, name: 3 }]],
    ['a number that is in use', [banner, call, call]],
  ])('%s', async (_, messages) => {
    const [said, isOver] = await saidTo(messages);
    expect(isOver).toBe(true);
    expect(said.length).toBeLessThanOrEqual(1);
  });

  test.each<[string, unknown, string]>([
    ['another version', { kind: 'banner', banner: 'SYSPROXY 2' }, 'EPROGMISMATCH'],
    ['no version', { kind: 'result', id: 1, value: 0 }, 'EPROGMISMATCH'],
    ['what is no message', 17, 'EPROTO'],
  ])('a server that says %s', async (_, first, expected) => {
    const [mine, theirs] = channelPair();
    const kernel = new RemoteKernel(mine);
    const waiting = kernel.call('x');
    let isOver = false;
    theirs.start(
      () => undefined,
      () => (isOver = true),
    );
    (theirs as { send: Channel['send'] }).send(first as Message);
    expect(await code(waiting)).toBe(expected);
    expect((await kernel.ended)?.code).toBe(expected);
    await turns(1);
    expect(isOver).toBe(true);
  });
});
