/**
 * Seeded operations on an image and on a model in memory: after each the image can be judged, from time to time every name
 * and every byte is compared.
 */
import { readdirSync, readFileSync, readlinkSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { FsError } from '../../../packages/kernel/src/kern/errno.ts';
import { mustRun } from '../../support/e2fsprogs.ts';
import type { Rng } from '../../support/rng.ts';
import type { Rig } from './rig.ts';

interface Node {
  readonly type: 'reg' | 'dir' | 'lnk';
  data: Uint8Array;
  readonly target?: string;
  readonly xattrs: Map<string, Uint8Array>;
  owner?: { readonly mode: number; readonly uid: number; readonly gid: number };
}

const NOTHING = new Uint8Array(0);
const newNode = (type: Node['type'], target?: string): Node => ({
  type,
  data: NOTHING,
  xattrs: new Map(),
  ...(target === undefined ? {} : { target }),
});
const WEIGHTS: readonly (readonly [name: Operation, weight: number])[] = [
  ['create', 8],
  ['write', 14],
  ['append', 10],
  ['truncate', 10],
  ['punch', 6],
  ['allocate', 6],
  ['mkdir', 6],
  ['symlink', 4],
  ['link', 4],
  ['unlink', 8],
  ['rmdir', 4],
  ['rename', 12],
  ['exchange', 4],
  ['attributes', 4],
  ['setxattr', 6],
  ['removexattr', 3],
  ['many', 3],
  ['fewer', 1],
  ['remount', 2],
];
const TOTAL = WEIGHTS.reduce((sum, [, weight]) => sum + weight, 0);

export type Operation =
  | 'create'
  | 'write'
  | 'append'
  | 'truncate'
  | 'punch'
  | 'allocate'
  | 'mkdir'
  | 'symlink'
  | 'link'
  | 'unlink'
  | 'rmdir'
  | 'rename'
  | 'exchange'
  | 'attributes'
  | 'setxattr'
  | 'removexattr'
  | 'many'
  | 'fewer'
  | 'remount';

export class WriteModel {
  readonly rig: Rig;
  readonly rng: Rng;
  /** Path (the root is '') to what is there. Hard links share their node. */
  readonly tree = new Map<string, Node>([['', newNode('dir')]]);
  #names = 0;

  /** What the long part of names is made of. */
  readonly #letters: readonly string[];

  constructor(rig: Rig, rng: Rng, letters = 'abcdefghij') {
    this.rig = rig;
    this.rng = rng;
    this.#letters = [...letters];
  }

  /** One random operation; what it was. */
  step(): string {
    let r = this.rng.int(TOTAL);
    for (const [name, weight] of WEIGHTS) {
      if (r < weight) return `${name} ${this.run(name)}`;
      r -= weight;
    }
    return '';
  }

  /** One operation of a kind, on random files; '' when there is nothing to do it to. */
  run(operation: Operation): string {
    return this.#operations[operation]() ?? '';
  }

  readonly #operations: Readonly<Record<Operation, () => string | undefined>> = {
    create: () => {
      const path = this.#newPath();
      this.rig.make(path, 'reg');
      this.tree.set(path, newNode('reg'));
      return path;
    },
    write: () =>
      this.#onFile((path, node) => {
        const offset = this.rng.oneIn(3) ? this.rng.int(600_000) : this.rng.int(node.data.length + 1);
        return this.#write(path, node, offset);
      }),
    append: () => this.#onFile((path, node) => this.#write(path, node, node.data.length)),
    truncate: () =>
      this.#onFile((path, node) => {
        const size = this.rng.oneIn(2) ? this.rng.int(node.data.length + 1) : this.rng.int(500_000);
        this.rig.truncate(path, size);
        node.data = resized(node.data.subarray(0, size), size);
        return `${path} ${size}`;
      }),
    punch: () =>
      this.#onFile((path, node) => {
        if (node.data.length === 0) return undefined;
        const offset = this.rng.int(node.data.length);
        const length = 1 + this.rng.int(node.data.length);
        this.rig.on(path, (vp) => vp.ops.punch(vp, offset, length));
        node.data = node.data.slice();
        node.data.fill(0, offset, offset + length);
        return `${path} ${offset} ${length}`;
      }),
    allocate: () =>
      this.#onFile((path, node) => {
        const [offset, length, keepSize] = [this.rng.int(300_000), 1 + this.rng.int(200_000), this.rng.oneIn(2)];
        try {
          this.rig.on(path, (vp) => vp.ops.allocate(vp, offset, length, { keepSize }));
        } catch (e) {
          if (e instanceof FsError && e.code === 'EOPNOTSUPP') return undefined;
          throw e;
        }
        if (!keepSize) node.data = resized(node.data, Math.max(node.data.length, offset + length));
        return `${path} ${offset} ${length} ${keepSize}`;
      }),
    mkdir: () => {
      const path = this.#newPath();
      this.rig.make(path, 'dir');
      this.tree.set(path, newNode('dir'));
      return path;
    },
    symlink: () => {
      const path = this.#newPath();
      const target = 't'.repeat(1 + this.rng.int(this.rng.oneIn(2) ? 59 : 300));
      this.rig.make(path, 'lnk', { target });
      this.tree.set(path, newNode('lnk', target));
      return path;
    },
    link: () => {
      const from = this.#pick((_, node) => node.type !== 'dir');
      if (from === undefined) return undefined;
      const path = this.#newPath();
      this.rig.link(from, path);
      this.tree.set(path, this.#node(from));
      return `${from} ${path}`;
    },
    unlink: () => this.#remove((_, node) => node.type !== 'dir'),
    rmdir: () => this.#remove((path, node) => node.type === 'dir' && path !== '' && this.#below(path).length === 0),
    rename: () => this.#rename(),
    exchange: () => this.#exchange(),
    attributes: () => {
      const path = this.#pick((_, node) => node.type !== 'lnk');
      if (path === undefined) return undefined;
      const attr = {
        mode: this.rng.int(0o10000),
        uid: this.rng.next(),
        gid: this.rng.int(0x20000),
        mtime: { sec: this.rng.int(0x1_0000_0000), nsec: this.rng.int(1_000_000_000) },
      };
      this.rig.on(path, (vp) => vp.ops.setattr(vp, attr));
      this.rig.on(path, (vp) => {
        const got = vp.ops.getattr(vp);
        if (got.mode !== attr.mode || got.uid !== attr.uid || got.gid !== attr.gid)
          throw new Error('attributes differ');
      });
      this.#node(path).owner = attr;
      return path;
    },
    setxattr: () => {
      const path = this.#pick((_, node) => node.type !== 'lnk');
      if (path === undefined) return undefined;
      const name = `${this.rng.oneIn(2) ? 'user' : 'trusted'}.${'name'.repeat(1 + this.rng.int(5))}${this.rng.int(4)}`;
      const value = this.rng.oneIn(8) ? this.#largeValue() : this.rng.bytes(this.rng.int(this.rng.oneIn(3) ? 400 : 40));
      try {
        this.rig.on(path, (vp) => vp.ops.setextattr(vp, name, value));
      } catch (e) {
        // More than a block and the inode hold; and revision 0 has none at all.
        if (e instanceof FsError && (e.code === 'ENOSPC' || e.code === 'EOPNOTSUPP')) return undefined;
        throw e;
      }
      this.#node(path).xattrs.set(name, value);
      return `${path} ${name} ${value.length}`;
    },
    removexattr: () => {
      const path = this.#pick((_, node) => node.xattrs.size > 0);
      if (path === undefined) return undefined;
      const name = this.rng.pick([...this.#node(path).xattrs.keys()]);
      this.rig.on(path, (vp) => vp.ops.deleteextattr(vp, name));
      this.#node(path).xattrs.delete(name);
      return `${path} ${name}`;
    },
    many: () => {
      const dir = this.#directory();
      const count = 1 + this.rng.int(60);
      for (let i = 0; i < count; i++) {
        const path = this.#newPath(dir);
        this.rig.make(path, 'reg');
        this.tree.set(path, newNode('reg'));
      }
      return `${dir} ${count}`;
    },
    fewer: () => {
      for (const [path, node] of [...this.tree]) {
        if (node.type !== 'reg' || node.data.length > 0 || this.rng.oneIn(2)) continue;
        this.rig.unlink(path);
        this.tree.delete(path);
      }
      return undefined;
    },
    remount: () => {
      this.rig.remount();
      return undefined;
    },
  };

  /** Throws unless every name, every target and every byte on the image is the model's. */
  compare(): void {
    for (const [path, node] of this.tree) {
      if (node.type !== 'lnk') this.#compareXattrs(path, node);
      if (node.type === 'dir') {
        const names = [...this.tree.keys()].filter((p) => p !== '' && p.slice(0, p.lastIndexOf('/')) === path);
        const wanted = names.map((p) => p.slice(p.lastIndexOf('/') + 1)).concat('.', '..');
        if (path === '') wanted.push('lost+found');
        if (wanted.sort().join('/') !== this.rig.names(path === '' ? '/' : path).join('/')) {
          throw new Error(`names in ${path}/ differ`);
        }
      } else if (node.type === 'lnk') {
        const target = this.rig.on(path, (vp) => vp.ops.readlink(vp));
        if (target !== node.target) throw new Error(`target of ${path} differs`);
      } else {
        const data = this.rig.read(path);
        if (data.length !== node.data.length) throw new Error(`${path}: ${data.length} bytes, not ${node.data.length}`);
        const at = data.findIndex((byte, i) => byte !== node.data[i]);
        if (at >= 0) throw new Error(`${path}: byte ${at} differs`);
      }
    }
  }

  /** The same through the host's own file system: `dir` is where the kernel mounted the image. */
  compareMounted(dir: string): void {
    const xattrs = mountedXattrs(dir);
    const found = new Set(['', '/lost+found', ...walkMounted(dir, '')]);
    for (const [path, node] of this.tree) {
      if (!found.delete(path)) throw new Error(`the kernel does not see ${path}`);
      const at = join(dir, path);
      if (node.type === 'lnk') {
        if (readlinkSync(at) !== node.target) throw new Error(`the kernel sees another target of ${path}`);
        continue;
      }
      const { mode, uid, gid } = statSync(at);
      const { owner } = node;
      if (owner !== undefined && ((mode & 0o7777) !== owner.mode || uid !== owner.uid || gid !== owner.gid))
        throw new Error(`the kernel sees another mode or owner of ${path}`);
      if (node.type === 'reg' && !readFileSync(at).equals(node.data))
        throw new Error(`the kernel reads other bytes of ${path}`);
      const wanted = [...node.xattrs].map(([name, value]) => `${name}=${Buffer.from(value).toString('hex')}`);
      if ((xattrs.get(at) ?? []).sort().join() !== wanted.sort().join())
        throw new Error(`the kernel sees other attributes of ${path}`);
    }
    found.delete('/lost+found');
    if (found.size > 0) throw new Error(`the kernel sees more: ${[...found].join(' ')}`);
  }

  #compareXattrs(path: string, node: Node): void {
    this.rig.on(path, (vp) => {
      const names = vp.ops.listextattr(vp).sort().join();
      if (names !== [...node.xattrs.keys()].sort().join()) throw new Error(`attributes of ${path} differ: ${names}`);
      for (const [name, value] of node.xattrs) {
        const got = vp.ops.getextattr(vp, name);
        if (got?.join() !== value.join()) throw new Error(`attribute ${name} of ${path} differs`);
      }
    });
  }

  #write(path: string, node: Node, offset: number): string {
    const limit = [100, 5_000, 50_000, 400_000][this.rng.int(4)] ?? 100;
    const data = new Uint8Array(1 + this.rng.int(limit));
    const first = this.rng.int(256);
    for (let i = 0; i < data.length; i++) data[i] = (first + i * 17 + (i >>> 8)) & 0xff;
    const written = this.rig.write(path, data, offset);
    node.data = resized(node.data, Math.max(node.data.length, offset + written));
    node.data.set(data.subarray(0, written), offset);
    return `${path} ${offset} ${data.length}`;
  }

  /** One of few, so that several files have the same: most images have no place for it, some share one. */
  #largeValue(): Uint8Array {
    const size = [700, 3000, 20_000][this.rng.int(3)] ?? 700;
    return Uint8Array.from({ length: size }, (_, i) => (size + i * 7) & 0xff);
  }

  #remove(which: (path: string, node: Node) => boolean): string | undefined {
    const path = this.#pick(which);
    if (path === undefined) return undefined;
    this.rig.unlink(path);
    this.tree.delete(path);
    return path;
  }

  #rename(): string | undefined {
    const from = this.#pick((path) => path !== '');
    if (from === undefined) return undefined;
    const node = this.#node(from);
    const dir = this.#pick((path, other) => other.type === 'dir' && path !== from && !path.startsWith(`${from}/`));
    if (dir === undefined) return undefined;
    const fits = (path: string, other: Node): boolean =>
      node.type === 'dir' ? other.type === 'dir' && this.#below(path).length === 0 : other.type !== 'dir';
    const victim = this.rng.oneIn(3)
      ? this.#pick((path, other) => path !== '' && other !== node && !related(path, from) && fits(path, other))
      : undefined;
    const to = victim ?? this.#newPath(dir);
    this.rig.rename(from, to);
    this.#move([[from, to]]);
    return `${from} ${to}`;
  }

  #exchange(): string | undefined {
    const a = this.#pick((path) => path !== '');
    if (a === undefined) return undefined;
    const b = this.#pick((path, node) => path !== '' && node !== this.#node(a) && !related(path, a));
    if (b === undefined) return undefined;
    this.rig.rename(a, b, { exchange: true });
    this.#move([
      [a, b],
      [b, a],
    ]);
    return `${a} ${b}`;
  }

  #move(moves: readonly (readonly [from: string, to: string])[]): void {
    const moved = moves.flatMap(([from, to]) =>
      [from, ...this.#below(from)].map((path) => [path, to + path.slice(from.length), this.#node(path)] as const),
    );
    for (const [path] of moved) this.tree.delete(path);
    for (const [, path, node] of moved) this.tree.set(path, node);
  }

  #node(path: string): Node {
    const node = this.tree.get(path);
    if (node === undefined) throw new Error(`no ${path} in the model`);
    return node;
  }

  #onFile(use: (path: string, node: Node) => string | undefined): string | undefined {
    const path = this.#pick((_, node) => node.type === 'reg');
    return path === undefined ? undefined : use(path, this.#node(path));
  }

  #pick(which: (path: string, node: Node) => boolean): string | undefined {
    const paths = [...this.tree].filter(([path, node]) => which(path, node)).map(([path]) => path);
    return paths.length === 0 ? undefined : this.rng.pick(paths);
  }

  #directory(): string {
    return this.#pick((_, node) => node.type === 'dir') ?? '';
  }

  #newPath(dir = this.#directory()): string {
    const length = this.rng.int(180);
    let long = '';
    for (let i = 0; long.length < length && Buffer.byteLength(long) < 230; i++)
      long += this.#letters[i % this.#letters.length] ?? '';
    return `${dir}/n${this.#names++}-${long}`;
  }

  #below(path: string): string[] {
    return [...this.tree.keys()].filter((other) => other.startsWith(`${path}/`));
  }
}

const related = (a: string, b: string): boolean => a === b || a.startsWith(`${b}/`) || b.startsWith(`${a}/`);

function resized(data: Uint8Array, length: number): Uint8Array {
  const out = new Uint8Array(length);
  out.set(data);
  return out;
}

function* walkMounted(root: string, path: string): Generator<string> {
  for (const entry of readdirSync(join(root, path), { withFileTypes: true })) {
    const below = `${path}/${entry.name}`;
    yield below;
    if (entry.isDirectory()) yield* walkMounted(root, below);
  }
}

/** Path to "name=hexadecimal value" of each attribute. */
function mountedXattrs(dir: string): Map<string, string[]> {
  const all = new Map<string, string[]>();
  for (const part of mustRun('getfattr', ['-Rhd', '-m-', '-ehex', '--absolute-names', dir]).split('\n\n')) {
    const [head = '', ...lines] = part.trim().split('\n');
    // An empty value is shown as the name alone.
    all.set(
      head.replace('# file: ', ''),
      lines.map((line) => (line.includes('=') ? line.replace('=0x', '=') : `${line}=`)),
    );
  }
  return all;
}
