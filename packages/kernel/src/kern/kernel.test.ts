import { describe, expect, it } from 'vitest';
import { memoryHost } from '../hypercall/memory.ts';
import { serviceKey, type Component } from './component.ts';
import { AssertionError } from './assert.ts';
import { FsError } from './errno.ts';
import { OpenFile } from './filedesc.ts';
import { Kernel, parseMemlimit } from './kernel.ts';
import { Lwproc, RF } from './lwproc.ts';

const code = (fn: () => unknown): string => {
  try {
    fn();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'nothing thrown';
};

class Counted extends OpenFile {
  closed = 0;
  override close(): void {
    this.closed++;
  }
}

describe('boot', () => {
  const named = (name: string, cls: Component['class'], order: string[]): Component => ({
    name,
    class: cls,
    init: () => void order.push(name),
    fini: () => void order.push(`-${name}`),
  });

  it('constructs components by class, in given order within one, and finishes them in reverse', () => {
    const order: string[] = [];
    const k = new Kernel(memoryHost());
    k.start([
      named('post', 'POSTINIT', order),
      named('dev', 'FACTION_DEV', order),
      named('a', 'KERN', order),
      named('b', 'KERN', order),
      named('vfs', 'FACTION_VFS', order),
    ]);
    k.halt();
    k.halt();
    expect(order).toEqual(['a', 'b', 'vfs', 'dev', 'post', '-post', '-dev', '-vfs', '-b', '-a']);
  });

  it('refuses a component given twice, and a second start', () => {
    expect(code(() => new Kernel(memoryHost()).start([named('x', 'KERN', []), named('x', 'VFS', [])]))).toBe('EEXIST');
    const k = new Kernel(memoryHost());
    k.start([]);
    expect(() => k.start([])).toThrow(AssertionError);
  });

  it('refuses a host of another interface version', () => {
    const host = memoryHost();
    Object.defineProperty(host, 'version', { value: 99 });
    expect(code(() => new Kernel(host))).toBe('EPROGMISMATCH');
  });

  it('shares nothing between two kernels', () => {
    const key = serviceKey<number>('n');
    const [a, b] = [new Kernel(memoryHost()), new Kernel(memoryHost())];
    a.services.provide(key, 1);
    expect(code(() => b.service(key))).toBe('ENODEV');
    expect(code(() => a.services.provide(key, 2))).toBe('EEXIST');
  });

  it.each([
    ['64m', 67108864],
    ['2G', 2147483648],
    ['2048k', 2097152],
    [undefined, 536870912],
  ])('RUMP_MEMLIMIT=%s', (text, bytes) => {
    expect(parseMemlimit(text)).toBe(bytes);
  });
  it.each(['x', '1', '-5m', '1.5m', '1t'])('RUMP_MEMLIMIT=%s is EINVAL', (text) => {
    expect(code(() => parseMemlimit(text))).toBe('EINVAL');
  });

  it('describes itself through sysctl', () => {
    const { sysctl } = new Kernel(memoryHost());
    const k = new Kernel(memoryHost());
    k.start([]);
    expect(k.sysctl.get('kern.ostype')).toBe('ukfs');
    expect(k.sysctl.names('hw')).toEqual(['hw.ncpu', 'hw.pagesize', 'hw.usermem']);
    expect(code(() => k.sysctl.get('kern.nothing'))).toBe('ENOENT');
    expect(code(() => k.sysctl.set('kern.ostype', 'x'))).toBe('EPERM');
    expect(sysctl.names()).toEqual([]);
  });
});

describe('modules', () => {
  const module = (name: string, log: string[], requires: string[] = []) => ({
    name,
    aliases: [`${name}fs`],
    requires,
    load: async () => ({ init: () => void log.push(`+${name}`), fini: () => void log.push(`-${name}`) }),
  });

  it('load once by name or alias, with what they require, and unload again', async () => {
    const { modules } = new Kernel(memoryHost());
    const log: string[] = [];
    modules.register(module('base', log));
    modules.register(module('top', log, ['base']));
    await modules.load('topfs');
    await modules.load('top');
    expect(log).toEqual(['+base', '+top']);
    await expect(modules.init('top')).rejects.toMatchObject({ code: 'EEXIST' });
    modules.fini('topfs');
    expect(code(() => modules.fini('top'))).toBe('ENOENT');
    await expect(modules.load('unknown')).rejects.toMatchObject({ code: 'ENODEV' });
    expect(code(() => modules.register(module('top', log)))).toBe('EEXIST');
  });
});

describe('lwproc', () => {
  it('rfork shares, copies or empties the descriptors', () => {
    const lwproc = new Lwproc();
    const parent = lwproc.rfork(RF.CFDG);
    const file = new Counted();
    parent.proc.fds.add(file);
    const shared = lwproc.rfork(0);
    expect(shared.proc.fds).toBe(parent.proc.fds);
    lwproc.switch(parent);
    const copied = lwproc.rfork(RF.FDG);
    expect(copied.proc.fds.openCount).toBe(1);
    expect(lwproc.rfork(RF.CFDG).proc.fds.openCount).toBe(0);
    lwproc.releaselwp();
    for (const lwp of [parent, shared]) {
      lwproc.switch(lwp);
      lwproc.releaselwp();
    }
    expect(file.closed).toBe(0);
    lwproc.switch(copied);
    lwproc.releaselwp();
    expect(file.closed).toBe(1);
    expect(code(() => lwproc.rfork(RF.FDG | RF.CFDG))).toBe('EINVAL');
  });

  it('without a current lwp calls act for process 1; releasing then is a panic', () => {
    const lwproc = new Lwproc();
    expect(lwproc.curlwp).toBeUndefined();
    expect(lwproc.curproc.pid).toBe(1);
    expect(() => lwproc.releaselwp()).toThrow(AssertionError);
    const lwp = lwproc.rfork();
    expect(lwproc.curproc).toBe(lwp.proc);
    lwproc.switch(undefined);
    expect(lwproc.curproc.pid).toBe(1);
    expect(code(() => lwproc.newlwp(4711))).toBe('ESRCH');
  });

  it('a process goes with its last lwp', () => {
    const lwproc = new Lwproc();
    const first = lwproc.rfork();
    const { pid } = first.proc;
    for (let i = 0; i < 127; i++) lwproc.newlwp(pid);
    for (const lwp of [...first.proc.lwps]) {
      expect(lwproc.find(pid)).toBeDefined();
      lwproc.switch(lwp);
      lwproc.releaselwp();
    }
    expect(lwproc.find(pid)).toBeUndefined();
  });
});
