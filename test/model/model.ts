/**
 * A file system in memory that is nothing but its rules: what POSIX, rename(2) and this kernel's manual (vfs/sys.ts) say,
 * written once more and independently of every file system. What cannot be known from outside (is there space for this?)
 * is told by the step's real outcome, and allowed only where it may happen.
 */
import { nameByteLength } from '@ukfs/kernel';
import { Content } from './content.ts';
import type { Traits } from '../conformance/suite.ts';
import { bytesAnswer, namesAnswer, patternBytes, type Outcome, type Step } from './steps.ts';

export interface Time {
  readonly sec: number;
  readonly nsec: number;
}
export type NodeType = 'reg' | 'dir' | 'lnk' | 'chr' | 'blk' | 'fifo' | 'sock';

export interface ModelNode {
  readonly id: number;
  readonly type: NodeType;
  mode: number;
  uid: number;
  gid: number;
  nlink: number;
  readonly rdev?: { readonly major: number; readonly minor: number };
  atime: Time;
  mtime: Time;
  ctime: Time;
  readonly birthtime: Time;
  readonly xattrs: Map<string, Uint8Array>;
  readonly target?: string;
  /** Regular files. */
  readonly content?: Content;
  /** Directories: name → id; and the directory above. */
  readonly entries?: Map<string, number>;
  parent?: number;
}

/** What the world adds to a step: the clock, and what the file system said of it. */
export interface Circumstances {
  readonly now: Time;
  readonly said: Outcome;
  /** Might there be too little space for so many bytes, or for one more file? */
  readonly mayBeFull: (bytes: number) => boolean;
}

/** Source: kern/limits.ts, and what other kernels have. */
const LINKS_FOLLOWED_MAX = 40;
const PATH_BYTES_MAX = 4096;
/** What an attribute takes beside its value, at most: entry, name, padding. */
const XATTR_OVERHEAD = 64;

/** Which call of a step that is two. */
type Phase = 'open' | 'write';

class Refused extends Error {
  readonly code: string;
  readonly answer: string | undefined;
  constructor(code: string, answer?: string) {
    super(code);
    this.code = code;
    this.answer = answer;
  }
}

interface Found {
  readonly dir: ModelNode;
  readonly name: string;
  readonly node: ModelNode | undefined;
}

interface State {
  readonly nodes: Map<number, ModelNode>;
}

export class Model {
  readonly #traits: Traits;
  #nodes = new Map<number, ModelNode>();
  #next = 1;
  readonly #root: number;
  readonly handles = new Map<number, number>();
  #committed: State;
  #savepoints: State[] = [];
  #circumstances: Circumstances = { now: { sec: 0, nsec: 0 }, said: { code: 'ok' }, mayBeFull: () => false };

  constructor(traits: Traits, root: Omit<ModelNode, 'id' | 'type'>) {
    this.#traits = traits;
    const { id } = this.#add({ ...root, type: 'dir', entries: new Map<string, number>() });
    this.#root = id;
    this.node(id).parent = id;
    this.#committed = this.#state();
  }

  /** A file that the fresh image has. */
  adopt(path: string, init: Omit<ModelNode, 'id'>): void {
    const { dir, name } = this.#walk(path, false);
    const node = this.#add(init);
    if (node.type === 'dir') node.parent = dir.id;
    dir.entries?.set(name, node.id);
    this.#committed = this.#state();
  }

  get root(): ModelNode {
    return this.node(this.#root);
  }

  node(id: number): ModelNode {
    const node = this.#nodes.get(id);
    if (node === undefined) throw new Error(`the model has no node ${id}`);
    return node;
  }

  /** Every path with what is there, directories before what is in them. */
  *paths(): Generator<{ readonly path: string; readonly node: ModelNode }> {
    const todo = [{ path: '/', node: this.root }];
    for (let at = todo.pop(); at !== undefined; at = todo.pop()) {
      yield at;
      for (const [name, id] of at.node.entries ?? []) {
        todo.push({ path: at.path === '/' ? `/${name}` : `${at.path}/${name}`, node: this.node(id) });
      }
    }
  }

  /** What is at a path, links not followed. */
  at(path: string): ModelNode | undefined {
    try {
      return this.#walk(path, false).node;
    } catch (e) {
      if (e instanceof Refused) return undefined;
      throw e;
    }
  }

  /** Do it; what must come of it. */
  run(step: Step, circumstances: Circumstances): Outcome {
    this.#circumstances = circumstances;
    try {
      const answer = this.#do(step);
      return answer === undefined ? { code: 'ok' } : { code: 'ok', answer };
    } catch (e) {
      if (e instanceof Refused) return { code: e.code, ...(e.answer === undefined ? {} : { answer: e.answer }) };
      throw e;
    }
  }

  #do(step: Step): string | number | undefined {
    switch (step.op) {
      case 'create':
        this.#create(step.path, step);
        return undefined;
      case 'write': {
        const node = this.#openForWriting(this.#existing(step.path));
        return this.#write(node, step.offset, step);
      }
      case 'append': {
        const node = this.#openForWriting(this.#existing(step.path));
        return this.#write(node, node.content.size, step);
      }
      case 'replace': {
        const existed = this.#walk(step.path, true).node !== undefined;
        const node = this.#openForWriting(this.#create(step.path, { mode: 0o644, exclusive: false }, 'open'));
        if (existed) this.#resize(node, 0, 'open');
        return this.#write(node, 0, step, 'write');
      }
      case 'truncate': {
        const node = this.#existing(step.path);
        if (node.type === 'dir') throw new Refused('EISDIR');
        if (node.content === undefined) throw new Refused('EINVAL');
        this.#resize({ node, content: node.content }, step.size);
        return undefined;
      }
      case 'punch': {
        const node = this.#openForWriting(this.#existing(step.path));
        if (!this.#traits.punch) throw new Refused('EOPNOTSUPP');
        this.#needs(0);
        node.content.zero(step.offset, step.length);
        this.#touch(node.node, 'data');
        return undefined;
      }
      case 'allocate': {
        const node = this.#openForWriting(this.#existing(step.path));
        if (!this.#traits.allocate) throw new Refused('EOPNOTSUPP');
        this.#needs(step.length);
        node.content.size = Math.max(node.content.size, step.offset + step.length);
        this.#touch(node.node, 'data');
        return undefined;
      }
      case 'mkdir': {
        const place = this.#newPlace(step.path, 'dir');
        this.#needs(0);
        this.#make(place, { type: 'dir', mode: step.mode & 0o7777 & ~0o022 });
        return undefined;
      }
      case 'mknod': {
        const place = this.#newPlace(step.path, step.type);
        this.#needs(0);
        const { major, minor, type } = step;
        const rdev = type === 'chr' || type === 'blk' ? { rdev: { major, minor } } : {};
        this.#make(place, { type, mode: step.mode & 0o7777 & ~0o022, ...rdev });
        return undefined;
      }
      case 'symlink': {
        const place = this.#newPlace(step.path, 'lnk');
        if (step.target.length > this.#traits.symlinkMaxBytes) throw new Refused('ENAMETOOLONG');
        this.#needs(step.target.length);
        this.#make(place, { type: 'lnk', mode: 0o777, target: step.target });
        return undefined;
      }
      case 'link':
        this.#link(step);
        return undefined;
      case 'unlink': {
        const { dir, name, node } = this.#walk(step.path, false);
        if (node === undefined) throw new Refused('ENOENT');
        if (node === this.root) throw new Refused('EBUSY');
        if (node.type === 'dir') throw new Refused('EPERM');
        dir.entries?.delete(name);
        this.#touch(dir, 'data');
        this.#dropName(node);
        return undefined;
      }
      case 'rmdir': {
        const { dir, name, node } = this.#walk(step.path, false);
        if (node === undefined) throw new Refused('ENOENT');
        if (node.entries === undefined) throw new Refused('ENOTDIR');
        if (node === this.root) throw new Refused('EBUSY');
        if (node.entries.size > 0) throw new Refused('ENOTEMPTY');
        dir.entries?.delete(name);
        dir.nlink--;
        this.#touch(dir, 'data');
        this.#nodes.delete(node.id);
        return undefined;
      }
      case 'rename':
        this.#rename(step);
        return undefined;
      case 'chmod': {
        const node = this.#existing(step.path);
        node.mode = step.mode & 0o7777;
        this.#touch(node, 'status');
        return undefined;
      }
      case 'chown': {
        const node = this.#existing(step.path);
        if (step.uid !== -1) node.uid = step.uid;
        if (step.gid !== -1) node.gid = step.gid;
        this.#touch(node, 'status');
        return undefined;
      }
      case 'utimens': {
        const node = this.#existing(step.path);
        node.atime = { sec: step.atime, nsec: step.nsec };
        node.mtime = { sec: step.mtime, nsec: step.nsec };
        this.#touch(node, 'status');
        return undefined;
      }
      case 'setxattr':
        this.#setxattr(step);
        return undefined;
      case 'removexattr': {
        const node = this.#existing(step.path);
        if (!node.xattrs.has(step.name)) throw new Refused('ENOATTR');
        node.xattrs.delete(step.name);
        this.#touch(node, 'status');
        return undefined;
      }
      case 'readdir': {
        const node = this.#existing(step.path);
        if (node.entries === undefined) throw new Refused('ENOTDIR');
        return namesAnswer(node.entries.keys());
      }
      case 'readlink': {
        const { node } = this.#walk(step.path, false);
        if (node === undefined) throw new Refused('ENOENT');
        if (node.target === undefined) throw new Refused('EINVAL');
        return node.target;
      }
      case 'read': {
        const node = this.#existing(step.path);
        if (node.type === 'dir') throw new Refused('EISDIR');
        const { content } = this.#openForWriting(node);
        return bytesAnswer(content.read(step.offset, step.length));
      }
      case 'many':
        return this.#many(step);
      case 'fewer':
        return this.#fewer(step);
      case 'open': {
        if (this.handles.has(step.slot)) throw new Refused('EBUSY');
        const { node } = this.#openForWriting(this.#existing(step.path));
        this.handles.set(step.slot, node.id);
        return undefined;
      }
      case 'close': {
        const id = this.handles.get(step.slot);
        if (id === undefined) throw new Refused('EBADF');
        this.handles.delete(step.slot);
        this.#freeUnused(id);
        return undefined;
      }
      case 'pwrite':
        return this.#write(this.#handle(step.slot), step.offset, step);
      case 'pread':
        return bytesAnswer(this.#handle(step.slot).content.read(step.offset, step.length));
      case 'ftruncate':
        this.#resize(this.#handle(step.slot), step.size);
        return undefined;
      case 'commit':
        this.#commit();
        return undefined;
      case 'discard':
        this.#return(this.#committed);
        this.#savepoints = [];
        return undefined;
      case 'savepoint':
        this.#savepoints.push(this.#state());
        return undefined;
      case 'rollback': {
        const to = this.#savepoints.pop();
        if (to === undefined) throw new Refused('EINVAL');
        this.#return(to);
        return undefined;
      }
      case 'remount':
        this.closeAll();
        return undefined;
      case 'compare':
        if (step.judge) {
          this.closeAll();
          this.#commit();
        }
        return undefined;
    }
  }

  /** Every open file goes; what had no name any more goes with it. */
  closeAll(): void {
    this.handles.clear();
    for (const { id, nlink } of [...this.#nodes.values()]) if (nlink === 0) this.#nodes.delete(id);
  }

  // paths

  #walk(path: string, follow: boolean): Found {
    let dir = this.root;
    let rest = path.split('/').filter((part) => part !== '');
    let links = 0;
    if (rest.length === 0) return { dir, name: '', node: dir };
    for (;;) {
      const name = rest[0] ?? '';
      const last = rest.length === 1;
      if (name === '.') {
        if (last) return { dir, name, node: dir };
        rest = rest.slice(1);
        continue;
      }
      if (nameByteLength(name) > this.#traits.nameMaxBytes) throw new Refused('ENAMETOOLONG');
      const id = dir.entries?.get(name);
      if (id === undefined) {
        if (!last) throw new Refused('ENOENT');
        return { dir, name, node: undefined };
      }
      const node = this.node(id);
      if (node.target !== undefined && (!last || follow)) {
        if (++links > LINKS_FOLLOWED_MAX) throw new Refused('ELOOP');
        rest = [...node.target.split('/').filter((part) => part !== ''), ...rest.slice(1)];
        if (rest.join('/').length >= PATH_BYTES_MAX) throw new Refused('ENAMETOOLONG');
        continue;
      }
      if (last) return { dir, name, node };
      if (node.type !== 'dir') throw new Refused('ENOTDIR');
      dir = node;
      rest = rest.slice(1);
    }
  }

  #existing(path: string): ModelNode {
    const { node } = this.#walk(path, true);
    if (node === undefined) throw new Refused('ENOENT');
    return node;
  }

  /** Where a new entry goes. */
  #newPlace(path: string, type: NodeType): Found {
    const found = this.#walk(path, false);
    if (found.node !== undefined) throw new Refused('EEXIST');
    if (type === 'dir' && found.dir.nlink >= this.#traits.linkMax) throw new Refused('EMLINK');
    return found;
  }

  #handle(slot: number): { readonly node: ModelNode; readonly content: Content } {
    const id = this.handles.get(slot);
    if (id === undefined) throw new Refused('EBADF');
    const node = this.#nodes.get(id);
    if (node?.content === undefined) throw new Refused('ESTALE');
    return { node, content: node.content };
  }

  /** What open(2) for writing says of anything but a regular file. */
  #openForWriting(node: ModelNode): { readonly node: ModelNode; readonly content: Content } {
    if (node.type === 'sock') throw new Refused('EOPNOTSUPP');
    if (node.type === 'dir') throw new Refused('EISDIR');
    if (node.content === undefined) throw new Refused('ENXIO');
    return { node, content: node.content };
  }

  // changes

  #create(
    path: string,
    { mode, exclusive }: { readonly mode: number; readonly exclusive: boolean },
    phase?: Phase,
  ): ModelNode {
    const found = this.#walk(path, !exclusive);
    if (found.node !== undefined) {
      if (exclusive) throw new Refused('EEXIST');
      return this.#openForWriting(found.node).node;
    }
    this.#needs(0, phase);
    return this.#make(found, { type: 'reg', mode: mode & 0o7777 & ~0o022, content: new Content() });
  }

  #add(init: Omit<ModelNode, 'id'>): ModelNode {
    const node: ModelNode = { ...init, id: this.#next++ };
    this.#nodes.set(node.id, node);
    return node;
  }

  #make(place: Found, init: Pick<ModelNode, 'type' | 'mode' | 'rdev' | 'target' | 'content'>): ModelNode {
    const now = this.#stamp(this.#circumstances.now);
    const node = this.#add({
      ...init,
      uid: 0,
      gid: place.dir.gid,
      nlink: init.type === 'dir' ? 2 : 1,
      atime: now,
      mtime: now,
      ctime: now,
      birthtime: now,
      xattrs: new Map(),
      ...(init.type === 'dir' ? { entries: new Map<string, number>(), parent: place.dir.id } : {}),
    });
    place.dir.entries?.set(place.name, node.id);
    if (init.type === 'dir') place.dir.nlink++;
    this.#touch(place.dir, 'data');
    return node;
  }

  /** How much of it is written: all, or as much as the file system says when it may be full. */
  #write(
    { node, content }: { readonly node: ModelNode; readonly content: Content },
    offset: number,
    { seed, length }: { readonly seed: number; readonly length: number },
    phase?: Phase,
  ): number {
    const most = this.#traits.maxFileBytes - offset;
    if (most <= 0 && length > 0) throw new Refused('EFBIG');
    this.#needs(length, phase);
    const { said, mayBeFull } = this.#circumstances;
    const whole = Math.min(length, most);
    const told = typeof said.answer === 'number' && said.code === 'ok' ? said.answer : whole;
    const written = told < whole && told > 0 && mayBeFull(length) ? told : whole;
    if (length === 0) return 0;
    content.write(patternBytes(seed, length).subarray(0, written), offset);
    this.#touch(node, 'data');
    return written;
  }

  #resize(
    { node, content }: { readonly node: ModelNode; readonly content: Content },
    size: number,
    phase?: Phase,
  ): void {
    if (size > this.#traits.maxFileBytes) throw new Refused('EFBIG');
    this.#needs(0, phase);
    content.resize(size);
    this.#touch(node, 'data');
  }

  #link({ from, path }: { readonly from: string; readonly path: string }): void {
    const { node } = this.#walk(from, false);
    if (node === undefined) throw new Refused('ENOENT');
    if (node.type === 'dir') throw new Refused('EPERM');
    const place = this.#newPlace(path, node.type);
    if (node.nlink >= this.#traits.linkMax) throw new Refused('EMLINK');
    this.#needs(0);
    place.dir.entries?.set(place.name, node.id);
    node.nlink++;
    this.#touch(node, 'status');
    this.#touch(place.dir, 'data');
  }

  #rename({ from, path, how }: Extract<Step, { op: 'rename' }>): void {
    const source = this.#walk(from, false);
    const moved = source.node;
    if (moved === undefined) throw new Refused('ENOENT');
    if (moved === this.root) throw new Refused('EBUSY');
    const target = this.#walk(path, false);
    const victim = target.node;
    // Seen from outside, the root's name lies in the file system that it is mounted on.
    if (victim === this.root) throw new Refused('EXDEV');
    if (how === 'exchange' && victim === undefined) throw new Refused('ENOENT');
    if (victim !== undefined && how === 'noreplace') throw new Refused('EEXIST');
    if (victim !== undefined && how === 'plain' && victim !== moved) {
      if (moved.type === 'dir' && victim.type !== 'dir') throw new Refused('ENOTDIR');
      if (moved.type !== 'dir' && victim.type === 'dir') throw new Refused('EISDIR');
    }
    if (victim === moved) return;
    if (source.dir !== target.dir) {
      if (this.#isInside(target.dir, moved)) throw new Refused('EINVAL');
      if (how === 'exchange' && victim !== undefined && this.#isInside(source.dir, victim)) throw new Refused('EINVAL');
    }
    if (how !== 'exchange' && victim?.entries !== undefined && victim.entries.size > 0) throw new Refused('ENOTEMPTY');
    if (victim === undefined) this.#needs(0);
    target.dir.entries?.set(target.name, moved.id);
    if (how === 'exchange' && victim !== undefined) {
      source.dir.entries?.set(source.name, victim.id);
      this.#reparent(victim, target.dir, source.dir);
      this.#touch(victim, 'status');
    } else {
      source.dir.entries?.delete(source.name);
      if (victim?.type === 'dir') {
        target.dir.nlink--;
        this.#nodes.delete(victim.id);
      } else if (victim !== undefined) this.#dropName(victim);
    }
    this.#reparent(moved, source.dir, target.dir);
    this.#touch(moved, 'status');
    this.#touch(source.dir, 'data');
    this.#touch(target.dir, 'data');
  }

  #isInside(dir: ModelNode, above: ModelNode): boolean {
    if (above.type !== 'dir') return false;
    for (let at = dir; at !== this.root; at = this.node(at.parent ?? this.#root)) if (at === above) return true;
    return false;
  }

  #reparent(node: ModelNode, from: ModelNode, to: ModelNode): void {
    if (node.type !== 'dir' || from === to) return;
    node.parent = to.id;
    from.nlink--;
    to.nlink++;
  }

  #setxattr({ path, name, length, seed }: Extract<Step, { op: 'setxattr' }>): void {
    const node = this.#existing(path);
    if (!this.#traits.xattr) throw new Refused('EOPNOTSUPP');
    const { code } = this.#circumstances.said;
    let total = length + XATTR_OVERHEAD + name.length;
    for (const [other, value] of node.xattrs) if (other !== name) total += value.length + other.length + XATTR_OVERHEAD;
    if (code === 'ENOSPC' && total > this.#traits.xattrMaxBytes) throw new Refused('ENOSPC');
    this.#needs(length);
    node.xattrs.set(name, patternBytes(seed, length));
    this.#touch(node, 'status');
  }

  #many({ path, prefix, first, count }: Extract<Step, { op: 'many' }>): number {
    for (let made = 0; made < count; made++) {
      // How many the file system made before it was full says when that was.
      const { said, mayBeFull } = this.#circumstances;
      const told = said.code === 'ok' && typeof said.answer === 'number' ? said.answer : count;
      if (made > 0 && made === told && mayBeFull(0)) return made;
      try {
        const place = this.#newPlace(`${path}/${prefix}${first + made}`, 'reg');
        this.#needs(0);
        this.#make(place, { type: 'reg', mode: 0o600, content: new Content() });
      } catch (e) {
        if (made === 0 || !(e instanceof Refused)) throw e;
        return made;
      }
    }
    return count;
  }

  #fewer({ path, prefix, first, count }: Extract<Step, { op: 'fewer' }>): number {
    let gone = 0;
    for (let i = first; i < first + count; i++) {
      const { dir, name, node } = this.#walk(`${path}/${prefix}${i}`, false);
      if (node === undefined || node.type === 'dir') continue;
      dir.entries?.delete(name);
      this.#touch(dir, 'data');
      this.#dropName(node);
      gone++;
    }
    return gone;
  }

  /** A name of a file, not a directory, is gone. */
  #dropName(node: ModelNode): void {
    node.nlink--;
    this.#touch(node, 'status');
    this.#freeUnused(node.id);
  }

  #freeUnused(id: number): void {
    const node = this.#nodes.get(id);
    if (node?.nlink === 0 && ![...this.handles.values()].includes(id)) this.#nodes.delete(id);
  }

  // states

  #state(): State {
    const copy = (node: ModelNode): ModelNode => ({
      ...node,
      xattrs: new Map(node.xattrs),
      ...(node.content === undefined ? {} : { content: node.content.copy() }),
      ...(node.entries === undefined ? {} : { entries: new Map(node.entries) }),
    });
    return { nodes: new Map([...this.#nodes].map(([id, node]) => [id, copy(node)])) };
  }

  #return(to: State): void {
    this.#nodes = to.nodes;
    // The state stays what it was: what is worked on is a copy.
    this.#nodes = this.#state().nodes;
  }

  #commit(): void {
    this.#committed = this.#state();
    this.#savepoints = [];
  }

  // space and time

  /** ENOSPC is nothing that a model can foresee: the file system says it, where it may be. */
  #needs(bytes: number, phase?: Phase): void {
    const { said, mayBeFull } = this.#circumstances;
    if (said.code === 'ENOSPC' && said.answer === phase && mayBeFull(bytes)) throw new Refused('ENOSPC', phase);
  }

  #touch(node: ModelNode, what: 'data' | 'status'): void {
    const now = this.#stamp(this.#circumstances.now);
    if (what === 'data') node.mtime = now;
    node.ctime = now;
  }

  #stamp({ sec, nsec }: Time): Time {
    const grain = this.#traits.timeGranularityNs;
    if (grain < 1_000_000_000) return { sec, nsec: nsec - (nsec % grain) };
    return { sec: sec - (sec % (grain / 1_000_000_000)), nsec: 0 };
  }
}
