/**
 * Whole disks, from the address to the file: partition tables by sfdisk and sgdisk, file systems by mke2fs; what we read is
 * what the kernel reads, and what we commit passes e2fsck and is what the kernel then reads.
 */
import {
  closeSync,
  copyFileSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  readSync,
  rmSync,
  truncateSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'vitest';
import { memoryHost, type MemoryHost } from '@ukfs/kernel/host/memory';
import * as ukfs from 'ukfs';
import {
  copyContents,
  copyTree,
  FsError,
  ImageChangedError,
  inspect,
  SelectionError,
  ukfsTree,
  walk,
  type Ukfs,
} from 'ukfs';
import { assertClean, mustRun } from '../../support/e2fsprogs.ts';
import { mke2fs } from '../../support/ext-images.ts';
import { kernelTree } from '../../support/kernel-tree.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { makeSampleTree, smallTree } from '../../support/sample-tree.ts';
import { compareTrees, type TreeEntry } from '../../support/tree.ts';
import { ukfsEntries } from '../../support/ukfs-tree.ts';

const MIB = 1024 * 1024;
const ROOT = { offset: 33 * MIB, size: 48 * MIB };

let dir = '';
const disks = { gpt: '', mbr: '' };

/** A disk of 96 MiB: swap, a small ext2 and an ext4 with a sample tree, the latter two at 16 and 33 MiB. */
function makeDisk(name: string, partition: (image: string) => void): string {
  const image = join(dir, name);
  writeFileSync(image, '');
  truncateSync(image, 96 * MIB);
  partition(image);
  const tree = join(dir, 'tree');
  mke2fs(['-t', 'ext2', '-L', 'boot', '-b', '1024', '-E', `offset=${16 * MIB}`, image, '8M']);
  mke2fs(['-t', 'ext4', '-L', 'root', '-b', '4096', '-d', tree, '-E', `offset=${ROOT.offset}`, image, '48M']);
  return image;
}

/** The partition as an image of its own, for tools that know no offset. */
function extract(image: string, { offset, size }: { readonly offset: number; readonly size: number }): string {
  const part = join(dir, 'part.img');
  const piece = new Uint8Array(size);
  const [source, target] = [openSync(image, 'r'), openSync(part, 'w')];
  readSync(source, piece, 0, size, offset);
  writeSync(target, piece);
  closeSync(source);
  closeSync(target);
  return part;
}

/** Handles that a test left open, when it failed: the lock of one must not fail the next. */
const opened: Ukfs[] = [];
const open: typeof ukfs.open = async (...args) => {
  const fs = await ukfs.open(...args);
  opened.push(fs);
  return fs;
};
afterEach(() => opened.splice(0).forEach((fs) => fs.close()));

const compare = (ours: readonly TreeEntry[], theirs: readonly TreeEntry[]): string[] =>
  compareTrees(ours, theirs, { names: ['ukfs', 'kernel'], ignore: ['flags'] });

describe.skipIf(lacksOracle('mke2fs', 'sgdisk', 'sfdisk', 'loop mount'))('whole disks', () => {
  beforeAll(() => {
    dir = mkdtempSync(join(tmpdir(), 'ukfs-disk-'));
    const tree = join(dir, 'tree');
    mkdirSync(tree);
    makeSampleTree(tree, { ...smallTree, symlinkMax: 1000 });
    disks.gpt = makeDisk(
      'gpt.img',
      (image) =>
        void mustRun('sgdisk', [
          '-o',
          '-n',
          '1:2048:+4M',
          '-t',
          '1:8200',
          '-n',
          '2:32768:+8M',
          '-c',
          '2:boot_a',
          '-n',
          '3:67584:+48M',
          '-t',
          '3:8304',
          '-c',
          '3:root_a',
          image,
        ]),
    );
    disks.mbr = makeDisk(
      'mbr.img',
      (image) =>
        void mustRun('sfdisk', ['--quiet', image], {
          input:
            'label: dos\nstart=2048, size=4M, type=82\nstart=16384, size=75M, type=5\nstart=32768, size=8M, type=83\nstart=67584, size=48M, type=83, bootable\n',
        }),
    );
  });
  afterAll(() => rmSync(dir, { recursive: true, force: true }));

  const copyOf = (image: string): string => {
    const copy = join(dir, 'copy.img');
    copyFileSync(image, copy);
    return copy;
  };

  test.each([
    ['gpt', '2', '3', 'root-x86-64'],
    ['mbr', '5', '6', 'linux'],
  ] as const)('%s: inspect() lists what is there, open() asks which', async (kind, boot, root, type) => {
    const { table, candidates, notes } = await inspect(disks[kind]);
    expect([table, notes]).toEqual([kind, []]);
    expect(candidates.map((c) => [c.selector, c.type, c.description, c.label])).toEqual([
      ['1', undefined, 'blank image', ''],
      [boot, 'ext2fs', 'ext2 file system', 'boot'],
      [root, 'ext2fs', 'ext4 file system', 'root'],
    ]);
    expect(candidates[2]?.device).toMatchObject({ offset: ROOT.offset, sizeBytes: ROOT.size, partition: { type } });
    await expect(open(disks[kind])).rejects.toThrow(SelectionError);
  });

  test.each([
    ['gpt', ['3', 'name=root_a', 'label=root', 'type=root-x86-64', `off=${ROOT.offset}`, `off=33MiB,48MiB`]],
    ['mbr', ['6', 'label=root', 'off=33M']],
  ] as const)('%s: every selector leads to the same tree, and it is the kernel’s', async (kind, selectors) => {
    const theirs = kernelTree(disks[kind], { options: [`offset=${ROOT.offset}`, `sizelimit=${ROOT.size}`] });
    for (const [i, selector] of selectors.entries()) {
      const fs = await open(`${disks[kind]}:${selector}/`);
      if (i === 0) expect(compare(ukfsEntries(fs), theirs)).toEqual([]);
      expect(fs.fsinfo().label).toBe('root');
      expect(fs.readOnly).toBe(true);
      fs.close();
    }
  });

  test.each(['gpt', 'mbr'] as const)('%s: edits are nowhere before commit() and everywhere after', async (kind) => {
    const image = copyOf(disks[kind]);
    const before = readFileSync(image);
    const fs = await open(`${image}:label=root`, { write: true });
    edit(fs);
    const ours = ukfsEntries(fs);
    expect(Buffer.compare(readFileSync(image), before)).toBe(0);
    const changed = fs
      .changedFiles()
      .filter(({ path }) => !path.startsWith('/new/name'))
      .map(({ path, change }) => `${change} ${path}`);
    expect(changed).toEqual(
      [
        'added /added',
        `metadata ${existing(fs, 0)}`,
        `content ${existing(fs, 1)}`,
        'added /moved',
        'added /moved/here',
        'added /moved/here/file',
        'added /new',
        'added /new/link',
        'added /new/sparse',
        'added /renamed',
        'removed /lost+found',
      ].sort(byPath),
    );
    expect(fs.commit()).toMatchObject({ changed: true });
    expect(fs.changes()).toEqual({ bytes: 0, extents: [] });
    expect(fs.commit()).toMatchObject({ changed: false });
    fs.close();
    const part = extract(image, ROOT);
    assertClean(part);
    expect(compare(ours, kernelTree(part))).toEqual([]);
    const after = readFileSync(image);
    expect(Buffer.compare(after.subarray(0, ROOT.offset), before.subarray(0, ROOT.offset))).toBe(0);
    expect(Buffer.compare(after.subarray(ROOT.offset + ROOT.size), before.subarray(ROOT.offset + ROOT.size))).toBe(0);
  });

  test('discarded, rolled back and dry-run edits leave the image as it was, byte for byte', async () => {
    const image = copyOf(disks.gpt);
    const before = readFileSync(image);
    const discarded = await open(`${image}:3`, { write: true });
    const tree = ukfsEntries(discarded);
    edit(discarded);
    discarded.discard();
    expect(compareTrees(ukfsEntries(discarded), tree)).toEqual([]);
    const mark = discarded.savepoint();
    edit(discarded);
    discarded.rollback(mark);
    expect(compareTrees(ukfsEntries(discarded), tree)).toEqual([]);
    expect(discarded.changedFiles()).toEqual([]);
    edit(discarded);
    discarded.close();
    const dry = await open(`${image}:3`, { dryRun: true });
    edit(dry);
    expect(dry.changedFiles().length).toBeGreaterThan(3);
    expect(() => dry.commit()).toThrow(expect.objectContaining({ code: 'EROFS' }));
    dry.close();
    expect(Buffer.compare(readFileSync(image), before)).toBe(0);
  });

  test('handles of one session share the transaction of an image', async () => {
    const image = copyOf(disks.mbr);
    const root = await open(`${image}:6`, { write: true });
    const boot = await open(`${image}:5`, { write: true, session: root.session });
    const again = await open(`${image}:6`, { write: true, session: root.session });
    root.writeFile('/a', 'a');
    boot.writeFile('/b', 'b');
    expect(again.readFile('/a', 'utf8')).toBe('a');
    again.close();
    boot.commit();
    boot.close();
    root.close();
    for (const [selector, name] of [
      ['6', '/a'],
      ['5', '/b'],
    ] as const) {
      const fs = await open(`${image}:${selector}`);
      expect(fs.exists(name)).toBe(true);
      fs.close();
    }
  });

  test('a second writer is refused while the first has the image', async () => {
    const image = copyOf(disks.gpt);
    const first = await open(`${image}:3`, { write: true });
    await expect(open(`${image}:2`, { write: true })).rejects.toMatchObject({ code: 'EBUSY', context: { image } });
    const reader = await open(`${image}:2`);
    reader.close();
    first.close();
    (await open(`${image}:2`, { write: true })).close();
  });

  test('close() of a reader tells that the image changed meanwhile', async () => {
    const image = copyOf(disks.gpt);
    const fs = await open(`${image}:3`);
    fs.readdir('/');
    utimesSync(image, 1, 1);
    expect(() => fs.close()).toThrow(ImageChangedError);
    fs.close();
  });

  test('an identity of one’s own meets the image’s permissions', async () => {
    const fs = await open(`${copyOf(disks.gpt)}:3`, { write: true, uid: 1234, gid: 1234 });
    expect(() => fs.mkdir('/mine')).toThrow(expect.objectContaining({ code: 'EACCES' }));
    fs.close();
  });

  test('a tree copied to another image is the same tree', async () => {
    const image = copyOf(disks.mbr);
    const target = join(dir, 'target.img');
    mke2fs(['-t', 'ext4', '-b', '4096', target, '64M']);
    const [from, to] = [await open(`${image}:6`), await open(target, { write: true, umask: 0 })];
    const report = copyContents(ukfsTree(from, '/'), ukfsTree(to, '/'));
    expect(report).toMatchObject({ failures: 0 });
    const xattrs = takesXattrs(to);
    expect(report.losses.map(({ loss }) => loss)).toEqual(xattrs ? [] : ['extended attribute']);
    // What a copy does not keep, and what a directory's own layout decides.
    const ignore = ['ino', 'ctime', 'btime', ...(xattrs ? [] : (['xattrs'] as const))] as const;
    const [left, right] = [ukfsEntries(from), ukfsEntries(to)].map((entries) =>
      entries.filter(({ path }) => path !== '/').map((e) => (e.type === 'dir' ? { ...e, size: 0 } : e)),
    );
    expect(compareTrees(left ?? [], right ?? [], { ignore })).toEqual([]);
    to.commit();
    to.close();
    from.close();
    assertClean(target);
  });

  test('copyTree() copies one file over another', async () => {
    const fs = await open(`${copyOf(disks.gpt)}:3`, { write: true });
    fs.writeFile('/one', 'one');
    const root = ukfsTree(fs, '/');
    copyTree({ dir: root, name: 'one' }, { dir: root, name: 'two' });
    expect(fs.readFile('/two', 'utf8')).toBe('one');
    fs.close();
  });

  describe('on a host in memory', () => {
    const hostWith = (image: string): MemoryHost => {
      const host = memoryHost();
      host.put('/disk.img', readFileSync(image));
      return host;
    };
    const small = (...args: readonly string[]): string => {
      const image = join(dir, 'small.img');
      rmSync(image, { force: true });
      mke2fs([...args, image, '8M']);
      return image;
    };

    test('a commit whose apply fails is told so, and done by whoever opens the image next', async () => {
      const host = hostWith(small('-t', 'ext4'));
      const fs = await open('/disk.img', { write: true, host });
      fs.writeFile('/kept', 'kept');
      host.fault = (op, path) => {
        if (op === 'write' && path === '/disk.img') throw new FsError('EIO');
      };
      expect(() => fs.commit()).toThrow(/committed, not yet applied/);
      expect(() => fs.stat('/kept')).toThrow(/handle is closed/);
      fs.close();
      host.fault = undefined;
      expect(host.openFiles()).toBe(0);
      const reader = await open('/disk.img', { host });
      expect(reader.readFile('/kept', 'utf8')).toBe('kept');
      reader.close();
      expect(host.list()).toEqual(['/disk.img', '/disk.img.fsu-log']);
      const writer = await open('/disk.img', { write: true, host });
      writer.close();
      expect(host.list()).toEqual(['/disk.img']);
    });

    test('a commit that fails before its point changes nothing, and the handle lives on', async () => {
      const host = hostWith(small('-t', 'ext4'));
      const before = host.get('/disk.img');
      const fs = await open('/disk.img', { write: true, host });
      fs.writeFile('/lost', 'lost');
      host.fault = (op) => {
        if (op === 'create') throw new FsError('ENOSPC');
      };
      expect(() => fs.commit()).toThrow(expect.objectContaining({ code: 'ENOSPC' }));
      host.fault = undefined;
      expect(Buffer.compare(host.get('/disk.img'), before)).toBe(0);
      expect(fs.exists('/lost')).toBe(false);
      fs.writeFile('/kept', 'kept');
      expect(fs.commit().changed).toBe(true);
      fs.close();
    });

    test('reading makes no changing call on the host', async () => {
      const host = hostWith(small('-t', 'ext4'));
      const fs = await open('/disk.img', { host });
      expect(fs.readdir('/')).toEqual(['lost+found']);
      fs.close();
      expect([host.changes, host.openFiles(), host.list()]).toEqual([0, 0, ['/disk.img']]);
    });

    test('an image that must not be written says why, and force writes it all the same', async () => {
      const image = small('-t', 'ext2');
      mustRun('debugfs', ['-w', '-R', 'set_super_value state 0', image]);
      const host = hostWith(image);
      const fs = await open('/disk.img', { write: true, host });
      expect(fs.readOnly).toBe(true);
      expect(() => fs.mkdir('/x')).toThrow(
        expect.objectContaining({
          code: 'EROFS',
          context: expect.objectContaining({ what: expect.stringMatching(/^read-only file system: .*force/) }),
        }),
      );
      fs.close();
      const forced = await open('/disk.img', { write: true, force: true, host });
      forced.mkdir('/x');
      forced.commit();
      forced.close();
    });

    test('an image that shrinks under its partition table gives errors where it is cut, and no more', async () => {
      const host = memoryHost();
      host.put('/disk.img', readFileSync(disks.gpt).subarray(0, ROOT.offset + 4 * MIB));
      const report = await inspect('/disk.img', { host });
      expect(report.notes.length + report.candidates.length).toBeGreaterThan(0);
      const fs = await open('/disk.img:3', { host });
      expect(fs.device.sizeBytes).toBe(4 * MIB);
      const failed = [...walk(fs, '/')].filter(({ error }) => error !== undefined);
      expect(failed.length).toBeGreaterThan(0);
      fs.close();
      expect(host.openFiles()).toBe(0);
    });
  });

  const byPath = (a: string, b: string): number => (a.slice(a.indexOf('/')) < b.slice(b.indexOf('/')) ? -1 : 1);

  /** Writing extended attributes is the last thing a type learns. */
  function takesXattrs(fs: Ukfs): boolean {
    const name = '/probe-xattr';
    fs.writeFile(name, '');
    try {
      fs.setxattr(name, 'user.probe', Uint8Array.of(1));
      return true;
    } catch (e) {
      if (e instanceof FsError && e.code === 'EOPNOTSUPP') return false;
      throw e;
    } finally {
      fs.unlink(name);
    }
  }

  /** Small files of the sample tree, the same each time. */
  function existing(fs: Ukfs, i: number): string {
    const files = [...walk(fs, '/')].filter(
      ({ path, stat }) =>
        stat?.type === 'reg' &&
        stat.nlink === 1 &&
        stat.size > 10 &&
        stat.size < 2000 &&
        !/^\/(new|added|moved|renamed)/.test(path),
    );
    return files.map(({ path }) => path).sort()[i] ?? '';
  }

  function edit(fs: Ukfs): void {
    fs.rmdir('/lost+found');
    fs.mkdir('/new/dir', { recursive: true });
    fs.writeFile('/new/dir/file', 'contents '.repeat(50_000));
    fs.writeFile('/added', 'x');
    for (let i = 0; i < 300; i++) fs.writeFile(`/new/${'name'.repeat(20)}${i}`, String(i));
    fs.rename('/new/dir/file', '/renamed');
    fs.link('/renamed', '/new/dir/file');
    fs.symlink('../renamed', '/new/link');
    if (takesXattrs(fs)) fs.setxattr('/renamed', 'user.note', new TextEncoder().encode('hello'));
    fs.chown('/renamed', 1000, 1001);
    fs.utimes('/renamed', { sec: 1, nsec: 2 }, { sec: 3, nsec: 4 });
    const fd = fs.open('/new/sparse', 'w');
    fs.write(fd, new Uint8Array(5000).fill(9), 0, 5000, 10_000_000);
    fs.ftruncate(fd, 20_000_000);
    fs.close(fd);
    fs.rm(`/new/${'name'.repeat(20)}7`);
    fs.mkdir('/moved');
    fs.rename('/new/dir', '/moved/here');
    fs.chmod(existing(fs, 0), 0o4711);
    fs.appendFile(existing(fs, 1), 'one more line');
  }
});
