/** Partition tables as sfdisk, sgdisk and parted make them, judged by what sfdisk itself reads back. */
import { execFileSync } from 'node:child_process';
import {
  closeSync,
  copyFileSync,
  mkdtempSync,
  openSync,
  readSync,
  rmSync,
  statSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { loadLabels } from '@ukfs/kernel/all';
import type { Disk, PartitionTable } from '@ukfs/kernel/all';
import { requireOracle } from '../../support/oracle.ts';

const { readTable } = await loadLabels();

let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'ukfs-label-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function image(name: string, size: number): string {
  const path = join(dir, name);
  writeFileSync(path, '');
  truncateSync(path, size);
  return path;
}

function withDisk<T>(path: string, use: (disk: Disk) => T): T {
  const fd = openSync(path, 'r');
  try {
    const read = (offset: number, length: number): Uint8Array => {
      const block = new Uint8Array(length);
      return block.subarray(0, readSync(fd, block, 0, length, offset));
    };
    return use({ read, sizeBytes: statSync(path).size });
  } finally {
    closeSync(fd);
  }
}

interface SfdiskTable {
  readonly label: string;
  readonly id: string;
  readonly sectorsize: number;
  readonly partitions: readonly {
    readonly node: string;
    readonly start: number;
    readonly size: number;
    readonly type: string;
    readonly uuid?: string;
    readonly name?: string;
    readonly bootable?: boolean;
  }[];
}

function oracle(path: string): SfdiskTable {
  const json = execFileSync(requireOracle('sfdisk'), ['--json', path], { encoding: 'utf8' });
  return (JSON.parse(json) as { partitiontable: SfdiskTable }).partitiontable;
}

const theirs = (path: string): unknown =>
  oracle(path).partitions.map((p) => ({
    number: Number(p.node.slice(path.length).replace(/^p/, '')),
    offset: p.start * 512,
    sizeBytes: p.size * 512,
    name: p.name ?? '',
    uuid: p.uuid?.toLowerCase(),
    typeId: /^[0-9a-f]{1,2}$/.test(p.type) ? `0x${p.type.padStart(2, '0')}` : p.type.toLowerCase(),
    bootable: p.bootable ?? false,
  }));

const ours = (table: PartitionTable | undefined): unknown =>
  table?.partitions.map(({ number, offset, sizeBytes, name, uuid, typeId, bootable, table: kind }) => ({
    number,
    offset,
    sizeBytes,
    name,
    uuid: kind === 'mbr' ? undefined : uuid,
    typeId,
    bootable,
  }));

const sfdisk = (path: string, script: string, ...args: string[]): void =>
  void execFileSync(requireOracle('sfdisk'), ['--quiet', ...args, path], { input: script });

const MIB = 1024 * 1024;

describe('MBR', () => {
  test('primary and logical partitions made by sfdisk read as sfdisk reads them', () => {
    const path = image('mbr', 256 * MIB);
    sfdisk(path, 'label: dos\n,20M,83\n,30M,c,*\n,,E\n,10M,83\n,20M,82\n,,8e\n');
    expect(withDisk(path, (d) => ours(readTable(d)))).toEqual(theirs(path));
    expect(withDisk(path, readTable)?.partitions).toHaveLength(6);
  });

  test('logical partitions keep their order after one is deleted', () => {
    const path = image('mbr-holes', 256 * MIB);
    sfdisk(path, 'label: dos\n,20M,83\n,,E\n,10M,83\n,20M,82\n,30M,83\n');
    execFileSync(requireOracle('sfdisk'), ['--quiet', '--delete', path, '5'], { stdio: 'ignore' });
    expect(withDisk(path, (d) => ours(readTable(d)))).toEqual(theirs(path));
  });

  test('a table made by parted reads the same', () => {
    const path = image('mbr-parted', 128 * MIB);
    const script =
      'mklabel msdos mkpart primary ext4 1MiB 20MiB mkpart extended 20MiB 100% mkpart logical fat32 21MiB 50MiB mkpart logical ext2 51MiB 90MiB set 1 boot on';
    execFileSync(requireOracle('parted'), ['-s', path, '--', ...script.split(' ')], { stdio: 'ignore' });
    expect(withDisk(path, (d) => ours(readTable(d)))).toEqual(theirs(path));
    expect(withDisk(path, readTable)?.partitions).toHaveLength(4);
  });

  test('a GPT disk is not mistaken for an MBR one, nor the other way round', () => {
    const gpt = image('is-gpt', 64 * MIB);
    sfdisk(gpt, 'label: gpt\n,10M,L\n');
    expect(withDisk(gpt, readTable)).toMatchObject({ kind: 'gpt', partitions: [{ number: 1 }] });
    const mbr = image('is-mbr', 64 * MIB);
    sfdisk(mbr, 'label: dos\n,10M,83\n');
    expect(withDisk(mbr, readTable)).toMatchObject({ kind: 'mbr', partitions: [{ number: 1 }] });
  });
});

describe('GPT', () => {
  test('partitions made by sgdisk read as sfdisk reads them, with holes in the numbers', () => {
    const path = image('gpt', 256 * MIB);
    execFileSync(
      requireOracle('sgdisk'),
      [
        '-o',
        '-n',
        '1:2048:+20M',
        '-t',
        '1:ef00',
        '-c',
        '1:EFI System',
        '-n',
        '7:0:+50M',
        '-t',
        '7:8300',
        '-c',
        '7:wörld ☃',
        '-A',
        '7:set:2',
        '-n',
        '128:0:0',
        '-t',
        '128:8200',
        path,
      ],
      { stdio: 'ignore' },
    );
    expect(
      withDisk(path, (d) => (ours(readTable(d)) as { bootable: boolean }[]).map((p) => ({ ...p, bootable: false }))),
    ).toEqual(theirs(path));
    const table = withDisk(path, readTable);
    expect(table?.partitions.map((p) => [p.number, p.type, p.bootable])).toEqual([
      [1, 'esp', false],
      [7, 'linux', true],
      [128, 'swap', false],
    ]);
    expect(table?.uuid).toBe(oracle(path).id.toLowerCase());
  });

  test('a table made by parted reads the same', () => {
    const path = image('gpt-parted', 128 * MIB);
    const script = 'mklabel gpt mkpart boot fat32 1MiB 20MiB mkpart root ext4 20MiB 100% set 1 esp on';
    execFileSync(requireOracle('parted'), ['-s', path, '--', ...script.split(' ')], { stdio: 'ignore' });
    expect(withDisk(path, (d) => ours(readTable(d)))).toEqual(theirs(path));
  });

  test('sgdisk zaps the primary: the backup gives the same partitions', () => {
    const path = image('gpt-backup', 64 * MIB);
    sfdisk(path, 'label: gpt\nsize=10M, type=L, name="one"\ntype=L, name="two"\n');
    const before = withDisk(path, readTable);
    const copy = join(dir, 'gpt-zapped');
    copyFileSync(path, copy);
    const fd = openSync(copy, 'r+');
    writeSync(fd, new Uint8Array(33 * 512), 0, 33 * 512, 512);
    closeSync(fd);
    const after = withDisk(copy, readTable);
    expect(after?.partitions).toEqual(before?.partitions);
    expect(after?.notes).toEqual(['the primary GPT is damaged; its backup is used']);
    expect(
      execFileSync(requireOracle('sgdisk'), ['-p', copy], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }),
    ).toMatch(/one/);
  });

  test('a disk with 4096-byte sectors', () => {
    requireOracle('loop mount');
    const path = image('gpt-4k', 64 * MIB);
    const loop = execFileSync(requireOracle('losetup'), ['-f', '--show', '-b', '4096', path], {
      encoding: 'utf8',
    }).trim();
    let partitions: SfdiskTable['partitions'];
    try {
      execFileSync(requireOracle('sfdisk'), ['--quiet', loop], {
        input: 'label: gpt\nsize=10M, type=L, name="one"\ntype=U\n',
        stdio: ['pipe', 'ignore', 'ignore'],
      });
      partitions = oracle(loop).partitions;
    } finally {
      execFileSync(requireOracle('losetup'), ['-d', loop]);
    }
    const table = withDisk(path, readTable);
    expect(table?.sectorSize).toBe(4096);
    expect(table?.partitions.map((p) => [p.offset, p.sizeBytes])).toEqual(
      partitions.map((p) => [p.start * 4096, p.size * 4096]),
    );
  });
});
