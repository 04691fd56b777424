/** The VFS faction: brings up the VFS, mounts rumpfs as root, fills the system-call table. */
import { DEVSW, Devsw } from '../dev/devsw.ts';
import { serviceKey, type Component } from '../kern/component.ts';
import { rumpfs } from './rumpfs.ts';
import type { EtfsNames } from './rumpnode.ts';
import type { VfsSyscalls } from './sys.ts';
import { fileCalls } from './sys-file.ts';
import { mountCalls } from './sys-mount.ts';
import { nameCalls } from './sys-name.ts';
import { SysContext } from './sysctx.ts';
import { Vfs, VFS } from './vfs.ts';

export const SYS = serviceKey<VfsSyscalls>('vfs system calls');

/** Where etfs answers for names in the root directory; the device faction puts itself in. */
export const ETFS_NAMES = serviceKey<{ names: EtfsNames }>('etfs names');

export const vfsFaction: Component = {
  name: 'rumpvfs',
  class: 'FACTION_VFS',
  init(k) {
    const devsw = new Devsw();
    k.services.provide(DEVSW, devsw);
    const etfs: { names: EtfsNames } = { names: { match: () => undefined } };
    k.services.provide(ETFS_NAMES, etfs);
    const vfs = new Vfs(k);
    k.services.provide(VFS, vfs);
    const root = rumpfs(devsw, { match: (path) => etfs.names.match(path) });
    vfs.attach(root);
    vfs.mountRoot(root);
    const context = new SysContext(vfs);
    const sys: VfsSyscalls = { ...fileCalls(context), ...nameCalls(context), ...mountCalls(context) };
    k.services.provide(SYS, sys);
    k.syscalls.define(sys);
    sys.mkdir('/dev', 0o755);
    unmasked(sys, () => sys.mkdir('/tmp', 0o1777));
  },
  fini(k) {
    const vfs = k.service(VFS);
    for (const mp of [...vfs.mounts].reverse()) if (mp.covered !== undefined) vfs.unmount(mp, { force: true });
  },
};

/** /dev/null and /dev/zero. */
export const memDevices: Component = {
  name: 'mem',
  class: 'VFS',
  init(k) {
    const major = k.service(DEVSW).attachChar({
      name: 'mem',
      read(minor, dst) {
        if (minor !== MEM.zero) return 0;
        dst.fill(0);
        return dst.length;
      },
      write: (_minor, src) => src.length,
    });
    const sys = k.service(SYS);
    unmasked(sys, () => {
      for (const [name, minor] of Object.entries(MEM)) sys.mknod(`/dev/${name}`, 'chr', 0o666, { major, minor });
    });
  },
};

/** Without a umask: a chmod after each call would be a seventh of booting. */
function unmasked(sys: VfsSyscalls, make: () => void): void {
  const mask = sys.umask(0);
  make();
  sys.umask(mask);
}

const MEM = { null: 2, zero: 12 } as const;
