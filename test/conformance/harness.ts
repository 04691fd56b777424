/**
 * Runs one case on one fresh file system, and what every case ends with: no descriptor left open, everything unmounts
 * (so no vnode is held), the image passes its judge, and after mounting again the tree is the same.
 */
import assert from 'node:assert/strict';
import { O, RF, type Cred, type VfsSyscalls } from '@ukfs/kernel';
import type { Instance, Variant } from '../support/adapters.ts';
import { contentDigest } from '../support/tree.ts';
import { exists, names, outcome, readFd, removeTree, type Case, type Ctx } from './suite.ts';

/** Descriptors that a case may have leaked are looked for up to here. */
const FD_PROBE = 16;
/** Blocks that the root directory may keep of what it grew by. */
const KEPT_BLOCKS = 128;
/** Files up to this size are digested whole in the closing comparison. */
const DIGEST_MAX = 16 * 1024 * 1024;

export interface RunOptions {
  /** Puts broken calls in the place of sound ones (broken.test.ts). */
  readonly wrapSys?: (sys: VfsSyscalls) => VfsSyscalls;
}

export async function runCase(variant: Variant, test: Case, options: RunOptions = {}): Promise<void> {
  const instance = await variant.newfs();
  const { k, mnt } = instance;
  const sys = options.wrapSys === undefined ? k.sys : options.wrapSys(k.sys);
  let ctx: Ctx | undefined;
  try {
    instance.mount();
    const fresh = k.sys.statvfs(mnt);
    k.lwproc.rfork(RF.CFDG);
    const main = k.lwproc.curlwp;
    sys.chdir(mnt);
    ctx = context(instance, variant, sys);
    test.run(ctx);
    assert.equal(k.lwproc.curlwp, main, 'the case ends in the process it began in');
    for (let fd = 0; fd < FD_PROBE; fd++) {
      assert.notEqual(
        outcome(() => sys.fstat(fd)),
        'ok',
        `descriptor ${fd} was left open`,
      );
    }
    sys.chdir('/');
    k.lwproc.releaselwp();
    finish(instance, variant, sys, fresh);
  } finally {
    k.halt();
  }
}

function finish(
  instance: Instance,
  variant: Variant,
  sys: VfsSyscalls,
  fresh: { readonly freeBlocks: number; readonly freeFiles: number },
): void {
  const { traits } = variant;
  const { mnt, k } = instance;
  if (!traits.mounted) return;
  if (k.sys.statvfs(mnt).readOnly) {
    if (traits.persistent) {
      instance.unmount();
      instance.mount();
    } else instance.update({ readOnly: false });
  }
  if (traits.persistent) {
    const before = snapshot(sys, mnt);
    instance.unmount();
    instance.check();
    instance.mount();
    assert.deepEqual(snapshot(sys, mnt), before, 'the tree after mounting again');
  }
  for (const name of names(sys, mnt)) if (name !== 'lost+found') removeTree(sys, `${mnt}/${name}`);
  const { freeBlocks, freeFiles } = k.sys.statvfs(mnt);
  if (traits.countsFiles) assert.equal(freeFiles, fresh.freeFiles, 'free files after everything was removed');
  // A directory that grew need not shrink, so a disk may keep a few blocks.
  const lost = fresh.freeBlocks - freeBlocks;
  assert.ok(
    lost === 0 || (traits.persistent && lost > 0 && lost <= KEPT_BLOCKS),
    `${lost} blocks lost after all was removed`,
  );
  instance.unmount();
}

function context(instance: Instance, { traits }: Variant, sys: VfsSyscalls): Ctx {
  const { k, host, mnt } = instance;
  const away = (fn: () => void): void => {
    sys.chdir('/');
    fn();
    sys.chdir(mnt);
  };
  return {
    k,
    sys,
    host,
    traits,
    mnt,
    remount({ readOnly = false } = {}) {
      if (!traits.mounted) return;
      away(() => {
        if (!traits.persistent) return instance.update({ readOnly });
        instance.unmount();
        instance.check();
        instance.mount({ readOnly });
      });
    },
    update: (to) => instance.update(to),
    mount: () => instance.mount(),
    unmount() {
      sys.chdir('/');
      instance.unmount();
    },
    as<T>(who: Cred | number, fn: () => T): T {
      const me = k.lwproc.curlwp;
      k.lwproc.rfork(RF.CFDG);
      try {
        const cred = typeof who === 'number' ? { uid: who, gid: who, groups: [who] } : who;
        if (cred.uid !== 0) sys.setcred(cred);
        return fn();
      } finally {
        k.lwproc.releaselwp();
        k.lwproc.switch(me);
      }
    },
    tick(seconds = 10) {
      host.time = { sec: host.time.sec + seconds, nsec: (host.time.nsec + 7_654_321) % 1_000_000_000 };
      return host.time;
    },
  };
}

interface Entry {
  readonly path: string;
  readonly [field: string]: unknown;
}

/** The whole tree, without access times and device number. */
export function snapshot(sys: VfsSyscalls, root: string): Entry[] {
  const out: Entry[] = [];
  const visit = (path: string): void => {
    const { atime: _atime, dev: _dev, ...stat } = sys.lstat(path);
    const entry: Record<string, unknown> & { path: string } = { path, ...stat };
    if (stat.type === 'lnk') entry['target'] = sys.readlink(path);
    if (stat.type === 'reg') entry['digest'] = digest(sys, path, stat.size);
    if (stat.type === 'reg' || stat.type === 'dir') entry['xattrs'] = xattrs(sys, path);
    out.push(entry);
    if (stat.type === 'dir') for (const name of names(sys, path).sort()) visit(`${path}/${name}`);
  };
  if (exists(sys, root)) visit(root);
  return out;
}

function digest(sys: VfsSyscalls, path: string, size: number): unknown {
  const fd = sys.open(path, O.RDONLY);
  try {
    // Of a huge sparse file the two ends are enough here; its space is compared with the attributes.
    if (size > DIGEST_MAX)
      return [readFd(sys, fd, 65536, 0), readFd(sys, fd, 65536, size - 65536)].map((d) =>
        contentDigest(d.length, [{ offset: 0, data: d }]),
      );
    return contentDigest(size, [{ offset: 0, data: readFd(sys, fd, size, 0) }]);
  } finally {
    sys.close(fd);
  }
}

function xattrs(sys: VfsSyscalls, path: string): unknown {
  let list: string[] = [];
  if (outcome(() => void (list = sys.listxattr(path))) !== 'ok') return undefined;
  return list.sort().map((name) => [name, Array.from(sys.getxattr(path, name) ?? [])]);
}
