/**
 * The nodes of rumpfs: files, directories, devices and links in memory, and those that stand for what etfs shows of the host.
 * An inode number is never given again.
 */
import { FsError } from '../kern/errno.ts';
import type { Ino } from '../kern/ids.ts';
import type { Timespec } from '../kern/time.ts';
import type { Mount } from './mount.ts';
import type { NewFile, Rdev, VType } from './vattr.ts';
import { vcache, Vnode } from './vnode.ts';
import type { VnodeOps } from './vnodeops.ts';

/** A host file behind a node: what etfs opens. Positions are bytes in the registered window. */
interface HostNode {
  size(): number;
  read(dst: Uint8Array, offset: number): number;
  write(src: Uint8Array, offset: number): number;
  truncate(size: number): void;
}

/** What etfs answers for a name in rumpfs's root or in a host directory it shows. */
interface EtfsEntry {
  readonly type: VType;
  readonly rdev?: Rdev;
  readonly file?: () => HostNode;
  readonly children?: { lookup(name: string): EtfsEntry | undefined; names(): string[] };
}

export interface EtfsNames {
  /** The registered key that `path` (without leading slashes) is, or lies below of. */
  match(path: string): { readonly key: string; readonly entry: EtfsEntry } | undefined;
}

export interface RumpNode {
  readonly ino: Ino;
  readonly type: VType;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  atime: Timespec;
  mtime: Timespec;
  ctime: Timespec;
  /** Contents of a regular file. */
  data: Uint8Array;
  readonly entries: Map<string, RumpNode>;
  parent: RumpNode | undefined;
  readonly target: string;
  readonly rdev: Rdev | undefined;
  readonly etfs: EtfsEntry | undefined;
}

/** The host file behind a node, if there is one. */
export const hostFile = (node: RumpNode): HostNode | undefined => node.etfs?.file?.();

export class RumpNodes {
  readonly #nodes = new Map<Ino, RumpNode>();
  /** etfs keys seen so far keep their node, so that a key has one inode number. */
  readonly #shown = new Map<string, RumpNode>();
  readonly #opsOf: (node: RumpNode) => VnodeOps<RumpNode>;
  #nextIno = 2;
  #root: RumpNode | undefined;

  constructor(opsOf: (node: RumpNode) => VnodeOps<RumpNode>) {
    this.#opsOf = opsOf;
  }

  get count(): number {
    return this.#nodes.size;
  }

  get root(): RumpNode {
    if (this.#root === undefined) throw new FsError('ESTALE');
    return this.#root;
  }

  makeRoot(mp: Mount): void {
    this.#root = this.#make(mp, { type: 'dir', mode: 0o755, uid: 0, gid: 0 }, undefined);
  }

  #make(mp: Mount, attr: NewFile, parent: RumpNode | undefined, more?: Partial<RumpNode>): RumpNode {
    const now = mp.now();
    const node = {
      ino: this.#nextIno++,
      type: attr.type,
      mode: attr.mode,
      uid: attr.uid,
      gid: attr.gid,
      nlink: attr.type === 'dir' ? 2 : 1,
      atime: now,
      mtime: now,
      ctime: now,
      data: new Uint8Array(0),
      entries: new Map(),
      parent,
      target: '',
      rdev: attr.rdev,
      etfs: undefined,
      ...more,
    };
    this.#nodes.set(node.ino, node);
    return node;
  }

  /** ESTALE. */
  vnodeOf(mp: Mount, ino: Ino): Vnode<RumpNode> {
    const node = this.#nodes.get(ino);
    if (node === undefined) throw new FsError('ESTALE');
    const ops = this.#opsOf(node);
    const isRoot = node === this.#root;
    return new Vnode({ mount: mp, type: node.type, ino, data: node, ops, isRoot, rdev: node.rdev });
  }

  /** The node of what etfs shows under a key. */
  show(mp: Mount, key: string, entry: EtfsEntry, parent: RumpNode): RumpNode {
    const known = this.#shown.get(key);
    if (known !== undefined && known.etfs === entry) return known;
    const attr: NewFile = {
      type: entry.type,
      mode: 0o755,
      uid: 0,
      gid: 0,
      ...(entry.rdev ? { rdev: entry.rdev } : {}),
    };
    const node = this.#make(mp, attr, parent, { etfs: entry });
    this.#shown.set(key, node);
    return node;
  }

  find(dvp: Vnode<RumpNode>, name: string): RumpNode | undefined {
    const node = dvp.data;
    if (name === '..') return node.nlink === 0 ? undefined : (node.parent ?? node);
    if (node.etfs !== undefined) {
      const entry = node.etfs.children?.lookup(name);
      return entry === undefined ? undefined : this.show(dvp.mount, `${node.ino}/${name}`, entry, node);
    }
    return node.entries.get(name);
  }

  add(dvp: Vnode<RumpNode>, name: string, attr: NewFile, more?: Partial<RumpNode>): Vnode<RumpNode> {
    if (dvp.data.etfs !== undefined) throw new FsError('EROFS');
    // Somebody's current directory that was removed takes nothing more.
    if (dvp.data.nlink === 0) throw new FsError('ENOENT');
    const node = this.#make(dvp.mount, attr, dvp.data, more);
    dvp.data.entries.set(name, node);
    if (attr.type === 'dir') dvp.data.nlink++;
    touch(dvp);
    const vp = this.vnodeOf(dvp.mount, node.ino);
    vcache(vp);
    return vp;
  }

  unlink(dvp: Vnode<RumpNode>, vp: Vnode<RumpNode>, name: string): void {
    if (!dvp.data.entries.delete(name)) throw new FsError('EBUSY', { what: 'registered by etfs' });
    vp.data.nlink = 0;
    touch(dvp);
  }

  /** Nobody uses it any more. */
  forget({ ino }: RumpNode): void {
    this.#nodes.delete(ino);
  }
}

/** It was changed now. */
export function touch({ data, mount }: Vnode<RumpNode>): void {
  data.mtime = data.ctime = mount.now();
}
