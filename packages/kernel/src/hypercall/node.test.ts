import { mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { FsError } from '../kern/errno.ts';
import type { Host } from './hypercall.ts';
import { MemoryHost } from './memory.ts';
import { nodeHost } from './node.ts';

const dir = mkdtempSync(join(tmpdir(), 'ukfs-host-'));
afterAll(() => rmSync(dir, { recursive: true }));

const codeOf = (act: () => unknown): string => {
  try {
    act();
  } catch (e) {
    return e instanceof FsError ? e.code : String(e);
  }
  return 'no error';
};

/** What every host promises; the memory host stands for the real one in most tests, so it is held to the same. */
const hosts: [string, () => { host: Host; dir: string; symlink: (target: string, path: string) => void }][] = [
  ['node', () => ({ host: nodeHost(), dir, symlink: symlinkSync })],
  [
    'memory',
    () => {
      const host = new MemoryHost();
      return { host, dir: '/d', symlink: (target, path) => host.symlink(target, path) };
    },
  ],
];

describe.each(hosts)('%s host', (_name, make) => {
  const { host, dir: at, symlink } = make();

  test('files: created exclusively, written at offsets, holes read as zeros, short only at the end', () => {
    const path = join(at, 'file');
    const file = host.open(path, { write: true, create: 0o600 });
    expect(codeOf(() => host.open(path, { write: true, create: 0o600 }))).toBe('EEXIST');
    file.write(Uint8Array.of(1, 2, 3), 10_000);
    const dst = new Uint8Array(6).fill(9);
    expect(file.read(dst, 9_998)).toBe(5);
    expect([...dst]).toEqual([0, 0, 1, 2, 3, 9]);
    expect(file.read(dst, 20_000)).toBe(0);
    file.truncate(1 << 20);
    const stat = file.stat();
    expect(stat).toMatchObject({ type: 'reg', size: 1 << 20, nlink: 1, mode: 0o600 });
    expect(stat.allocated).toBeLessThan(1 << 20);
    file.fsync();
    host.fsyncDir(at);
    file.close();
    file.close();
    expect(codeOf(() => file.read(dst, 0))).toBe('EBADF');
  });

  test('identity survives a rename; a new file of that name has another', () => {
    const [a, b] = [join(at, 'a'), join(at, 'b')];
    host.open(a, { write: true, create: 0o644 }).close();
    const before = host.stat(a);
    host.rename(a, b);
    expect(host.stat(a)).toBeUndefined();
    expect(host.stat(b)).toMatchObject({ dev: before?.dev, ino: before?.ino, birthtime: before?.birthtime });
    host.open(a, { write: true, create: 0o644 }).close();
    expect(host.stat(a)?.ino).not.toBe(before?.ino);
    expect(host.readdir(at)).toEqual(expect.arrayContaining(['a', 'b']));
    host.unlink(a);
    host.unlink(b);
    expect(codeOf(() => host.unlink(b))).toBe('ENOENT');
  });

  test('links: followed unless told, never created through', () => {
    const [target, link] = [join(at, 'target'), join(at, 'link')];
    symlink(target, link);
    expect(host.stat(link)).toBeUndefined();
    expect(host.stat(link, { nofollow: true })?.type).toBe('other');
    expect(codeOf(() => host.open(link, { write: true, create: 0o644 }))).toBe('EEXIST');
    host.open(target, { write: true, create: 0o644 }).close();
    expect(host.realpath(link)).toBe(host.realpath(target));
    expect(codeOf(() => host.open(link, { write: false, nofollow: true }))).toBe('ELOOP');
    expect(codeOf(() => host.open(join(at, 'none'), { write: false }))).toBe('ENOENT');
    expect(codeOf(() => host.realpath(join(at, 'none')))).toBe('ENOENT');
  });

  test('locks belong to the open file and go with it', () => {
    const path = join(at, 'locked');
    const one = host.open(path, { write: true, create: 0o644 });
    const two = host.open(path, { write: true });
    expect([host.lock(one), host.lock(one), host.lock(two)]).toEqual(['locked', 'locked', 'busy']);
    one.close();
    expect(host.lock(two)).toBe('locked');
    two.close();
  });

  test('salts differ, room is known, a reader cannot write', () => {
    const [a, b] = [new Uint8Array(16), new Uint8Array(16)];
    host.salt(a);
    host.salt(b);
    expect([...a]).not.toEqual([...b]);
    expect(host.freeBytes(at)).toBeGreaterThan(0);
    expect(host.writableDir(at)).toBe(true);
    const path = join(at, 'ro');
    host.open(path, { write: true, create: 0o644 }).close();
    const file = host.open(path, { write: false });
    expect(codeOf(() => file.write(Uint8Array.of(1), 0))).toBe('EBADF');
    file.close();
    expect(host.holder(path)).toBeUndefined();
    host.holdSignals(true);
    host.holdSignals(false);
  });
});

test('names are limited alike on both hosts', () => {
  for (const [host, at] of [
    [nodeHost(), dir],
    [new MemoryHost(), '/d'],
  ] as const) {
    expect(codeOf(() => host.open(join(at, 'n'.repeat(256)), { write: true, create: 0o644 }))).toBe('ENAMETOOLONG');
  }
});

test('a failing host call names operation and path', () => {
  writeFileSync(join(dir, 'plain'), '');
  try {
    nodeHost().open(join(dir, 'plain', 'below'), { write: false });
    expect.unreachable();
  } catch (e) {
    expect(e).toMatchObject({ code: 'ENOTDIR', context: { op: 'open', path: join(dir, 'plain', 'below') } });
  }
});
