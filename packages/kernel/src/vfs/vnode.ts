/**
 * The vnode: one in-core object per file in use, and its life cycle.
 *
 * vget() finds or loads it by (mount, inode number) with one reference for the caller; vref/vrele count. When the count
 * falls to zero VOP_INACTIVE runs; a vnode whose file still exists then stays cached, oldest first, until there are
 * more than desiredVnodes (one that was wanted meanwhile is passed over once); VOP_RECLAIM ends it.
 */
import { assert } from '../kern/assert.ts';
import { FsError } from '../kern/errno.ts';
import type { Ino } from '../kern/ids.ts';
import type { Mount } from './mount.ts';
import type { Rdev, VType } from './vattr.ts';
import type { VnodeOps } from './vnodeops.ts';

export class Vnode<D = unknown> {
  readonly mount: Mount;
  readonly type: VType;
  readonly ino: Ino;
  readonly data: D;
  readonly rdev: Rdev | undefined;
  /** The VOP table; replaced by that of a dead file system when the vnode is revoked. */
  ops: VnodeOps<D>;
  usecount = 1;
  /** Opens for writing, for remounting read-only (EBUSY). */
  writecount = 0;
  /** A file system mounted on this directory. */
  mountedHere: Mount | undefined;
  /** Root of its mount. */
  readonly isRoot: boolean;
  /** A directory in which several spellings lead to one entry, as far as the type does not do that everywhere. */
  readonly foldsNames: boolean;
  revoked = false;
  /** Was taken up again since it lay in the cache unused: a trim passes it over once. */
  wanted = false;
  /** Name cache of a directory: name → inode number, 0 for "known not to exist". Owned by namecache.ts. */
  names: Map<string, Ino> | undefined;

  constructor(init: {
    readonly mount: Mount;
    readonly type: VType;
    readonly ino: Ino;
    readonly data: D;
    readonly ops: VnodeOps<D>;
    readonly isRoot?: boolean;
    readonly rdev?: Rdev | undefined;
    readonly foldsNames?: boolean;
  }) {
    this.mount = init.mount;
    this.type = init.type;
    this.ino = init.ino;
    this.data = init.data;
    this.ops = init.ops;
    this.isRoot = init.isRoot ?? false;
    this.rdev = init.rdev;
    this.foldsNames = init.foldsNames ?? false;
  }
}

/** The vnode of an inode, with one reference. Errors: what the type's loadVnode throws. */
export function vget(mp: Mount, ino: Ino): Vnode {
  const cached = mp.vnodes.get(ino);
  if (cached !== undefined) {
    if (cached.usecount === 0) cached.wanted = true;
    return vref(cached);
  }
  const vp = mp.type.loadVnode(mp, ino);
  vcache(vp);
  return vp;
}

/** Enter a vnode that the type just made (create, mkdir …) into its mount's cache. It keeps its one reference. */
export function vcache(vp: Vnode): void {
  const { vnodes } = vp.mount;
  assert(!vnodes.has(vp.ino), `vnode ${vp.ino} is cached twice`);
  vnodes.set(vp.ino, vp);
  if (vnodes.size >= vp.mount.services.desiredVnodes + TRIM_BATCH) trim(vp.mount);
}

export function vref<V extends Vnode>(vp: V): V {
  vp.usecount++;
  return vp;
}

/** Drop a reference; at the last one VOP_INACTIVE runs, which may write (an unlinked file is freed). */
export function vrele(vp: Vnode): void {
  assert(vp.usecount > 0, `vrele of vnode ${vp.ino} without references`);
  if (--vp.usecount > 0) return;
  if (vp.revoked || vp.ops.inactive(vp)) vgone(vp);
}

/** End an unreferenced vnode. */
export function vgone(vp: Vnode): void {
  assert(vp.usecount === 0, `vgone of busy vnode ${vp.ino}`);
  if (vp.mount.vnodes.get(vp.ino) === vp) vp.mount.vnodes.delete(vp.ino);
  if (!vp.revoked) vp.ops.reclaim(vp);
  vp.names = undefined;
}

/** The file is no more (forced unmount, rollback): holders get ESTALE from now on; their references still count. */
export function vrevoke(vp: Vnode): void {
  if (vp.revoked) return;
  if (vp.mount.vnodes.get(vp.ino) === vp) vp.mount.vnodes.delete(vp.ino);
  vp.ops.reclaim(vp);
  vp.revoked = true;
  vp.names = undefined;
  // An unmount revokes every cached vnode; one that nobody holds needs no answers.
  if (vp.usecount > 0) vp.ops = deadOps(vp.ops);
}

/** Every operation answers ESTALE, except those that end the vnode's life. */
function deadOps<D>(ops: VnodeOps<D>): VnodeOps<D> {
  const stale = (): never => {
    throw new FsError('ESTALE');
  };
  const dead = Object.fromEntries(Object.keys(ops).map((name) => [name, stale]));
  return { ...ops, ...dead, close: () => {}, inactive: () => true, reclaim: () => {} };
}

/** How many more vnodes than desired may gather: each trim walks over the gaps that earlier ones left in the map. */
const TRIM_BATCH = 128;

function trim(mp: Mount): void {
  let excess = mp.vnodes.size - mp.services.desiredVnodes;
  for (const vp of mp.vnodes.values()) {
    if (excess <= 0) return;
    if (vp.usecount > 0) continue;
    if (vp.wanted) {
      // To the young end: the walk meets it again, and takes it then, if all were wanted.
      vp.wanted = false;
      mp.vnodes.delete(vp.ino);
      mp.vnodes.set(vp.ino, vp);
      continue;
    }
    vgone(vp);
    excess--;
  }
}
