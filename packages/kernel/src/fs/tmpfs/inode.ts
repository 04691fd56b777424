/**
 * The files of a tmpfs. A node lives as long as a name leads to it or its vnode is referenced; its number is never
 * given out again, so a stale handle can never meet another file.
 */
import { assert } from '../../kern/assert.ts';
import { FsError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Timespec } from '../../kern/time.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { NewFile, Rdev, VType } from '../../vfs/vattr.ts';
import type { VnodeOps } from '../../vfs/vnodeops.ts';
import { vcache, Vnode, vref } from '../../vfs/vnode.ts';
import { Budget } from './budget.ts';
import { FileData } from './data.ts';
import { Directory } from './dir.ts';

/** NetBSD's tmpfs root is 2 too. */
export const ROOT_INO: Ino = 2;

/** One mounted tmpfs: mp.data. */
export interface TmpFs {
  readonly mp: Mount;
  readonly space: Budget;
  readonly files: Budget;
  readonly nodes: Map<Ino, TmpNode>;
  nextIno: Ino;
  /** Random: tells this mount from others in file handles. */
  readonly id: Uint8Array;
  /** The table its vnodes get. A test that wants a rule broken puts another here. */
  ops: VnodeOps<TmpNode>;
}

export interface TmpNode {
  readonly fs: TmpFs;
  readonly ino: Ino;
  readonly type: VType;
  readonly rdev: Rdev | undefined;
  mode: number;
  nlink: number;
  uid: number;
  gid: number;
  flags: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  birthtime: Timespec;
  /** Exactly one of the next three is there for a regular file, a directory and a link; none for the others. */
  readonly data: FileData | undefined;
  readonly dir: Directory | undefined;
  readonly target: string | undefined;
  readonly xattrs: Map<string, Uint8Array>;
  /** Its vnode, while one is in memory. */
  vnode: Vnode<TmpNode> | undefined;
}

/** A node without names. Errors: ENOSPC (nodes=), before any change. */
export function newNode(fs: TmpFs, attr: NewFile, target?: string): TmpNode {
  fs.files.take(1);
  const now = fs.mp.now();
  const node: TmpNode = {
    fs,
    ino: fs.nextIno++,
    type: attr.type,
    rdev: attr.rdev,
    mode: attr.mode,
    nlink: 0,
    uid: attr.uid,
    gid: attr.gid,
    flags: 0,
    atime: now,
    mtime: now,
    ctime: now,
    birthtime: now,
    data: attr.type === 'reg' ? new FileData(fs.space) : undefined,
    dir: attr.type === 'dir' ? new Directory(fs.space) : undefined,
    target,
    xattrs: new Map(),
    vnode: undefined,
  };
  fs.nodes.set(node.ino, node);
  return node;
}

/** The node is no more; all it used is given back. */
export function freeNode(node: TmpNode): void {
  const { fs } = node;
  node.data?.free();
  for (const [name, value] of node.xattrs) fs.space.give(xattrCharge(name, value));
  node.xattrs.clear();
  if (node.target !== undefined) fs.space.give(node.target.length);
  assert(node.dir?.isEmpty ?? true, `tmpfs frees directory ${node.ino} with entries`);
  fs.nodes.delete(node.ino);
  fs.files.give(1);
}

export const xattrCharge = (name: string, value: Uint8Array): number => name.length + value.length;

/** A vnode for the node, with one reference, not yet cached. */
export function makeVnode(node: TmpNode): Vnode<TmpNode> {
  const { fs, ino, type, rdev } = node;
  assert(node.vnode === undefined, `tmpfs node ${ino} has a vnode`);
  node.vnode = new Vnode({ mount: fs.mp, type, ino, data: node, ops: fs.ops, isRoot: ino === ROOT_INO, rdev });
  return node.vnode;
}

/** The node's vnode with a reference: the one in memory or a new one. */
export function vnodeOf(node: TmpNode): Vnode<TmpNode> {
  if (node.vnode !== undefined) return vref(node.vnode);
  const vp = makeVnode(node);
  vcache(vp);
  return vp;
}

export function newFs(
  mp: Mount,
  ops: VnodeOps<TmpNode>,
  limits: { readonly sizeBytes: number; readonly files: number },
): TmpFs {
  const id = new Uint8Array(8);
  mp.services.random(id);
  return {
    mp,
    space: new Budget(limits.sizeBytes),
    files: new Budget(limits.files),
    nodes: new Map(),
    nextIno: ROOT_INO,
    id,
    ops,
  };
}

/** The directory in a node. ENOTDIR. */
export function directoryOf(node: TmpNode): Directory {
  if (node.dir === undefined) throw new FsError('ENOTDIR', { ino: node.ino });
  return node.dir;
}

/** The bytes of a regular file. EISDIR, EINVAL. */
export function dataOf(node: TmpNode): FileData {
  if (node.data === undefined) throw new FsError(node.dir === undefined ? 'EINVAL' : 'EISDIR', { ino: node.ino });
  return node.data;
}
