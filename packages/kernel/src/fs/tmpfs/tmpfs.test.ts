/** VOPs of tmpfs called directly: what the system calls never let through, and that a failure changes nothing. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Mount } from '../../vfs/mount.ts';
import type { MountOptions } from '../../vfs/vfsops.ts';
import { vget, vrele, type Vnode } from '../../vfs/vnode.ts';
import { CHUNK, FileData } from './data.ts';
import { Budget } from './budget.ts';
import { tmpfs } from './index.ts';
import { parseOptions } from './options.ts';

const file = { type: 'reg', mode: 0o644, uid: 0, gid: 0 } as const;
const directory = { type: 'dir', mode: 0o755, uid: 0, gid: 0 } as const;
let clock = 1000;
let mp: Mount;
let root: Vnode;

function mount(options: MountOptions): Mount {
  const made = new Mount({
    type: tmpfs,
    readOnly: false,
    options,
    from: 'tmpfs',
    services: {
      now: () => ({ sec: ++clock, nsec: 5 }),
      random: () => {},
      log: () => {},
      desiredVnodes: 10,
    },
  });
  tmpfs.mount(made);
  return made;
}

const statvfs = () => tmpfs.statvfs(mp);
const names = (dvp: Vnode) => dvp.ops.readdir(dvp, 0, 1000).map((e) => e.name);
const found = (dvp: Vnode, name: string) => dvp.ops.lookup(dvp, name)!;
const code = (fn: () => unknown): string => {
  try {
    fn();
  } catch (e) {
    return (e as { code: string }).code;
  }
  return 'no error';
};

beforeEach(() => {
  mp = mount({ size: '64k', nodes: '8' });
  root = tmpfs.root(mp);
});
afterEach(() => {
  vrele(root);
  for (const vp of mp.vnodes.values()) expect(vp.usecount, `vnode ${vp.ino} is still referenced`).toBe(0);
});

describe('tmpfs VOPs', () => {
  it('give all space and nodes back when files go', () => {
    const before = statvfs();
    const vp = root.ops.create(root, 'a', file);
    expect(vp.ops.write(vp, new Uint8Array(3 * CHUNK), 100)).toBe(3 * CHUNK);
    vp.ops.setextattr(vp, 'user.x', new Uint8Array(100));
    const link = root.ops.symlink(root, 'l', { ...file, type: 'lnk' }, 'somewhere/else');
    const dir = root.ops.mkdir(root, 'd', directory);
    expect(statvfs().freeFiles).toBe(before.freeFiles - 3);
    expect(statvfs().freeBlocks).toBeLessThan(before.freeBlocks - 3);
    for (const [name, v] of [
      ['a', vp],
      ['l', link],
    ] as const)
      root.ops.remove(root, v, name, found(root, name).slot);
    root.ops.rmdir(root, dir, 'd', undefined);
    // One reference from create and one from found(); the space goes with the last.
    expect(statvfs().freeFiles).toBe(before.freeFiles - 3);
    for (const v of [vp, vp, link, link, dir]) vrele(v);
    expect(statvfs()).toEqual(before);
  });

  it('a failed creation takes neither node nor space nor name', () => {
    const before = statvfs();
    for (let i = 0; i < 7; i++) vrele(root.ops.create(root, `f${i}`, file));
    const full = { ...statvfs(), names: names(root), attr: root.ops.getattr(root) };
    expect(code(() => root.ops.create(root, 'more', file))).toBe('ENOSPC');
    expect(code(() => root.ops.mkdir(root, 'more', directory))).toBe('ENOSPC');
    expect(code(() => root.ops.symlink(root, 'more', { ...file, type: 'lnk' }, 'x'))).toBe('ENOSPC');
    expect({ ...statvfs(), names: names(root), attr: root.ops.getattr(root) }).toEqual(full);
    for (let i = 0; i < 7; i++) {
      const { vp, slot } = found(root, `f${i}`);
      root.ops.remove(root, vp, `f${i}`, slot);
      vrele(vp);
    }
    expect(statvfs()).toEqual(before);
  });

  it('a name that does not fit into the space is refused before the node is made', () => {
    const vp = root.ops.create(root, 'a', file);
    vp.ops.write(vp, new Uint8Array(15 * CHUNK), 0);
    for (let i = 0; i < 12; i++) vp.ops.setextattr(vp, `user.${i}`, new Uint8Array(310));
    const before = { ...statvfs(), names: names(root) };
    expect(code(() => root.ops.create(root, 'n'.repeat(255), file))).toBe('ENOSPC');
    expect(code(() => root.ops.link(root, vp, 'n'.repeat(255)))).toBe('ENOSPC');
    expect(vp.ops.getattr(vp).nlink).toBe(1);
    expect({ ...statvfs(), names: names(root) }).toEqual(before);
    vrele(vp);
  });

  it('nothing can be made in a removed directory, and it has no entries and no parent', () => {
    const dir = root.ops.mkdir(root, 'd', directory);
    root.ops.rmdir(root, dir, 'd', undefined);
    expect(code(() => dir.ops.create(dir, 'x', file))).toBe('ENOENT');
    expect(dir.ops.readdir(dir, 0, 10)).toEqual([]);
    expect(dir.ops.lookup(dir, '..')).toBeUndefined();
    expect(dir.ops.getattr(dir).nlink).toBe(0);
    vrele(dir);
  });

  it('a vnode that was evicted comes back with the same contents', () => {
    const vp = root.ops.create(root, 'a', file);
    vp.ops.write(vp, Uint8Array.of(1, 2, 3), 0);
    const { ino } = vp;
    vrele(vp);
    mp.vnodes.get(ino)!.ops.reclaim(mp.vnodes.get(ino)!);
    mp.vnodes.delete(ino);
    const again = vget(mp, ino);
    const got = new Uint8Array(3);
    expect(again.ops.read(again, got, 0)).toBe(3);
    expect([...got]).toEqual([1, 2, 3]);
    expect(found(root, 'a').vp).toBe(again);
    vrele(again);
    vrele(again);
    expect(code(() => vget(mp, 4711))).toBe('ESTALE');
  });

  it('the wrong kind of node is refused', () => {
    const vp = root.ops.create(root, 'a', file);
    expect(code(() => vp.ops.lookup(vp, 'x'))).toBe('ENOTDIR');
    expect(code(() => root.ops.read(root, new Uint8Array(1), 0))).toBe('EISDIR');
    expect(code(() => root.ops.setattr(root, { size: 0 }))).toBe('EISDIR');
    expect(code(() => vp.ops.readlink(vp))).toBe('EINVAL');
    expect(code(() => vp.ops.bmap(vp, 0, 1))).toBe('EOPNOTSUPP');
    vrele(vp);
  });

  it('values of attributes are copied in and out', () => {
    const vp = root.ops.create(root, 'a', file);
    const value = Uint8Array.of(1, 2);
    vp.ops.setextattr(vp, 'user.x', value);
    value[0] = 9;
    vp.ops.getextattr(vp, 'user.x')![1] = 9;
    expect([...vp.ops.getextattr(vp, 'user.x')!]).toEqual([1, 2]);
    vrele(vp);
  });
});

describe('tmpfs file data', () => {
  const make = () => new FileData(new Budget(1024 * CHUNK));
  const bytesOf = (data: FileData): number[] => {
    const dst = new Uint8Array(data.size).fill(0xee);
    expect(data.read(dst, 0)).toBe(data.size);
    return [...dst];
  };

  it('behaves as a plain array does, over every small pattern of write, cut, grow and punch', () => {
    // A tiny linear congruential generator: the same sequence every time.
    let seed = 1;
    const random = (n: number): number => (seed = (seed * 1103515245 + 12345) % 2147483648) % n;
    for (let round = 0; round < 200; round++) {
      const data = make();
      let model: number[] = [];
      for (let step = 0; step < 12; step++) {
        const offset = random(3 * CHUNK);
        const length = 1 + random(2 * CHUNK);
        const kind = random(4);
        if (kind === 0) {
          data.write(new Uint8Array(length).fill(step + 1), offset);
          while (model.length < offset) model.push(0);
          for (let i = 0; i < length; i++) model[offset + i] = step + 1;
        } else if (kind === 1) {
          data.resize(offset);
          model = model.slice(0, offset);
          while (model.length < offset) model.push(0);
        } else if (kind === 2) {
          data.punch(offset, length);
          model = model.map((b, i) => (i >= offset && i < offset + length ? 0 : b));
        } else data.allocate(offset, length, { keepSize: true });
        expect(data.size).toBe(model.length);
      }
      expect(Buffer.from(bytesOf(data)).equals(Buffer.from(model)), `round ${round}`).toBe(true);
      data.free();
      expect(data.bytes).toBe(0);
    }
  });

  it('a hole of an exabyte costs nothing and is found at once', () => {
    const data = make();
    const far = 2 ** 52;
    data.write(Uint8Array.of(1), 0);
    data.write(Uint8Array.of(2), far);
    expect(data.bytes).toBe(2 * CHUNK);
    expect(data.seek(0, 'data')).toBe(0);
    expect(data.seek(0, 'hole')).toBe(CHUNK);
    expect(data.seek(CHUNK, 'data')).toBe(far);
    expect(data.seek(far, 'hole')).toBe(far + 1);
    expect(data.seek(far + 1, 'data')).toBeUndefined();
    data.resize(1);
    expect(data.bytes).toBe(CHUNK);
  });

  it('a write that runs out of space is short; one that gets none changes nothing', () => {
    const data = new FileData(new Budget(2 * CHUNK));
    expect(data.write(new Uint8Array(3 * CHUNK), 10)).toBe(2 * CHUNK - 10);
    expect(() => data.write(Uint8Array.of(1), 5 * CHUNK)).toThrow('No space');
    expect(data.size).toBe(2 * CHUNK);
    expect(() => data.allocate(0, 3 * CHUNK, { keepSize: false })).toThrow('No space');
    expect(() => data.resize(2 ** 53)).toThrow('File too large');
    expect(data.size).toBe(2 * CHUNK);
  });

  it('cutting gives back what was reserved beyond the end', () => {
    const data = make();
    data.write(Uint8Array.of(1, 2), 0);
    data.allocate(0, 5 * CHUNK, { keepSize: true });
    expect([data.size, data.bytes]).toEqual([2, 5 * CHUNK]);
    data.resize(1);
    expect([data.size, data.bytes]).toEqual([1, CHUNK]);
  });
});

describe('tmpfs options', () => {
  it('take words and letters, and refuse what they do not understand', () => {
    const args = { sizeBytes: 2 ** 20, files: 20, uid: 1, gid: 2, mode: 0o700 };
    expect(parseOptions({ size: '1m', nodes: '20', uid: '1', gid: '2', mode: '0700' })).toEqual(args);
    expect(parseOptions({ s: '1024K', n: '20', u: '1', g: '2', m: '700' })).toEqual(args);
    expect(parseOptions({})).toMatchObject({ sizeBytes: 2 ** 28, uid: 0, gid: 0, mode: 0o1777 });
    for (const bad of [
      { size: '1x' },
      { size: true },
      { nodes: '-1' },
      { uid: 'root' },
      { mode: '8' },
      { size: '99999999t' },
    ] as const)
      expect(code(() => parseOptions(bad))).toBe('EINVAL');
  });
});
