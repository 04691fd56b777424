/**
 * The kernel instance, base faction: what every component is handed. It knows no files and no disks; the VFS and device
 * factions attach theirs as services. No module-level state: two kernels in one process share nothing.
 */
import type { Host } from '../hypercall/hypercall.ts';
import { assert } from './assert.ts';
import { orderComponents, Services, type Component, type ServiceKey } from './component.ts';
import { FsError } from './errno.ts';
import { Kauth } from './kauth.ts';
import { KernelLog } from './log.ts';
import { Lwproc } from './lwproc.ts';
import { ModuleTable } from './module.ts';
import { SyscallTable } from './syscall.ts';
import { Sysctl } from './sysctl.ts';
import type { Timespec } from './time.ts';

export const KERNEL_NAME = 'ukfs';
export const KERNEL_VERSION = '0.1.0';
/** The hypercall interface this kernel speaks; kept here because kern must not import hypercall code. */
const HYPERCALL_VERSION = 1;
/** Memory the caches may use when RUMP_MEMLIMIT does not say. */
const DEFAULT_MEMLIMIT = 512 * 1024 * 1024;
/** Below this the buffer cache could not hold one operation's blocks. */
const MIN_MEMLIMIT = 1024 * 1024;

export class Kernel {
  readonly host: Host;
  readonly log: KernelLog;
  readonly sysctl = new Sysctl();
  readonly lwproc = new Lwproc();
  readonly kauth = new Kauth();
  readonly modules = new ModuleTable();
  readonly syscalls = new SyscallTable();
  readonly services = new Services();
  /** Bytes the caches together may use. */
  readonly memlimit: number;
  readonly #clamp: number | undefined;
  #components: readonly Component[] = [];
  #state: 'cold' | 'running' | 'halted' = 'cold';

  constructor(host: Host) {
    if (host.version !== HYPERCALL_VERSION) {
      throw new FsError('EPROGMISMATCH', {
        op: 'boot',
        what: `host interface ${host.version}, kernel ${HYPERCALL_VERSION}`,
      });
    }
    this.host = host;
    this.log = new KernelLog(host);
    this.memlimit = parseMemlimit(host.getparam('RUMP_MEMLIMIT'));
    this.#clamp = parseEpoch(host.getparam('SOURCE_DATE_EPOCH'));
  }

  /** Construct every component. Called once, by boot(). */
  start(components: readonly Component[]): void {
    assert(this.#state === 'cold', 'kernel started twice');
    this.log.verbose(`${KERNEL_NAME} ${KERNEL_VERSION} (host ${this.host.name})`);
    this.log.verbose(`memory limit ${this.memlimit} bytes`);
    this.#components = orderComponents(components);
    this.#describe();
    for (const component of this.#components) {
      component.init(this);
      this.log.verbose(`component ${component.name} (${component.class})`);
    }
    this.#state = 'running';
  }

  /** Take everything down: processes end, components finish in reverse order. */
  halt(): void {
    if (this.#state === 'halted') return;
    this.lwproc.exitAll();
    for (const component of [...this.#components].reverse()) component.fini?.(this);
    this.#state = 'halted';
    this.log.verbose('halted');
  }

  get running(): boolean {
    return this.#state === 'running';
  }

  service<T>(key: ServiceKey<T>): T {
    return this.services.get(key);
  }

  /** The host's clock, never later than SOURCE_DATE_EPOCH when that is set (reproducible-builds.org). */
  now(): Timespec {
    const now = this.host.now();
    return this.#clamp !== undefined && now.sec >= this.#clamp ? { sec: this.#clamp, nsec: 0 } : now;
  }

  #describe(): void {
    const { sysctl, host } = this;
    sysctl.node('kern.ostype', () => KERNEL_NAME);
    sysctl.node('kern.osrelease', () => KERNEL_VERSION);
    sysctl.node('kern.hostname', () => host.getparam('_RUMPUSER_HOSTNAME') ?? 'rump');
    sysctl.node('kern.maxfiles', () => this.lwproc.maxFiles);
    sysctl.node('kern.components', () => this.#components.map((c) => c.name).join(' '));
    sysctl.node('hw.ncpu', () => 1);
    sysctl.node('hw.pagesize', () => 4096);
    sysctl.node('hw.usermem', () => this.memlimit);
  }
}

/** "64m" → bytes. EINVAL for what is not a number with k, m or g, or is too little to run on. */
export function parseMemlimit(text: string | undefined): number {
  if (text === undefined || text === '') return DEFAULT_MEMLIMIT;
  const match = /^(\d+)([kmg]?)$/i.exec(text);
  const scale = { '': 0, k: 10, m: 20, g: 30 }[match?.[2]?.toLowerCase() ?? ''];
  const bytes = Number(match?.[1]) * 2 ** (scale ?? 0);
  if (!(bytes >= MIN_MEMLIMIT)) throw new FsError('EINVAL', { op: 'boot', what: `RUMP_MEMLIMIT=${text}: at least 1m` });
  return bytes;
}

function parseEpoch(text: string | undefined): number | undefined {
  if (text === undefined || text === '') return undefined;
  if (!/^\d+$/.test(text)) throw new FsError('EINVAL', { op: 'boot', what: `SOURCE_DATE_EPOCH=${text}: not a number` });
  return Number(text);
}
