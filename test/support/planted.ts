/**
 * Mistakes planted into any file system from outside: VOPs replaced in every vnode, or the type changed. For the proof that
 * the harnesses find them. (broken.ts breaks tmpfs from inside, for the conformance suite.)
 */
import type { FileSystemType } from '@ukfs/kernel';
import type { Vnode } from '../../packages/kernel/src/vfs/vnode.ts';
import type { VnodeOps } from '../../packages/kernel/src/vfs/vnodeops.ts';

export interface PlantedBug {
  readonly name: string;
  plant(type: FileSystemType): FileSystemType;
}

/** The type whose vnodes have some operations replaced, however they came to be. */
export function withOps(type: FileSystemType, change: (ops: VnodeOps) => Partial<VnodeOps>): FileSystemType {
  const changedOps = new WeakMap<VnodeOps, VnodeOps>();
  const changed = (ops: VnodeOps): VnodeOps => {
    let now = changedOps.get(ops);
    if (now === undefined) changedOps.set(ops, (now = makeOps(ops)));
    return now;
  };
  const plant = <V extends Vnode>(vp: V): V => {
    vp.ops = changed(vp.ops);
    return vp;
  };
  const makeOps = (ops: VnodeOps): VnodeOps => {
    const with1: VnodeOps = { ...ops, ...change(ops) };
    const now: VnodeOps = {
      ...with1,
      create: (...args) => plant(with1.create(...args)),
      mknod: (...args) => plant(with1.mknod(...args)),
      mkdir: (...args) => plant(with1.mkdir(...args)),
      symlink: (...args) => plant(with1.symlink(...args)),
    };
    // What is planted already stays as it is.
    changedOps.set(now, now);
    return now;
  };
  return { ...type, loadVnode: (mp, ino) => plant(type.loadVnode(mp, ino)) };
}

const bug = (name: string, change: (ops: VnodeOps) => Partial<VnodeOps>): PlantedBug => ({
  name,
  plant: (type) => withOps(type, change),
});

/** In any type whose vnodes are loaded by number. */
export const plantedBugs: readonly PlantedBug[] = [
  bug('punching leaves the edges of the range', (ops) => ({
    punch(vp, offset, length) {
      const { blockSize } = vp.mount;
      const from = Math.ceil(offset / blockSize) * blockSize;
      const to = Math.floor((offset + length) / blockSize) * blockSize;
      if (to > from) ops.punch(vp, from, to - from);
      else ops.setattr(vp, { mtime: vp.mount.now() });
    },
  })),
  bug('a long write loses the byte at its twelfth block', (ops) => ({
    write(vp, src, offset) {
      const at = 12 * vp.mount.blockSize - offset;
      if (at < 0 || at >= src.length) return ops.write(vp, src, offset);
      const wrong = src.slice();
      wrong[at] = 0;
      return ops.write(vp, wrong, offset);
    },
  })),
  bug('a file that nobody needs any more keeps its blocks', (ops) => ({
    inactive: (vp) => ops.getattr(vp).nlink === 0,
  })),
  bug('a link does not change the time of the file', (ops) => ({
    link(dvp, vp, name) {
      const { ctime } = ops.getattr(vp);
      ops.link(dvp, vp, name);
      ops.setattr(vp, { ctime });
    },
  })),
  bug('exchange is a plain rename', (ops) => ({ rename: (from, to) => ops.rename(from, to, {}) })),
  bug('a target of exactly 60 bytes loses one', (ops) => ({
    symlink: (dvp, name, attr, target) => ops.symlink(dvp, name, attr, target.length === 60 ? target.slice(1) : target),
  })),
  bug('a value that replaces a longer one keeps its end', (ops) => ({
    setextattr(vp, name, value) {
      const old = ops.getextattr(vp, name);
      if (old === undefined || old.length <= value.length) return ops.setextattr(vp, name, value);
      const both = old.slice();
      both.set(value);
      ops.setextattr(vp, name, both);
    },
  })),
  bug('a directory of many entries lists one twice', (ops) => ({
    readdir(vp, cookie, max) {
      const entries = ops.readdir(vp, cookie, max);
      return entries.length > 40 ? [...entries, ...entries.slice(-1)] : entries;
    },
  })),
  { name: 'nothing is read again after a rollback', plant: (type) => ({ ...type, reload: () => {} }) },
];
