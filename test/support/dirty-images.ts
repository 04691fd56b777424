/**
 * Images that a crash left: a journal that must be replayed, orphans that must be freed, and the tree that comes out of
 * it by the kernel's own recovery.
 *
 * A copy of the backing file of a mounted image is what a power cut leaves: the log is written, home places are not.
 * EXT4_IOC_SHUTDOWN before it stops the file system at a chosen point, with or without committing what is open, so that
 * the state is always the same. dirty-images.py does the work on the mount.
 */
import { closeSync, ftruncateSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { assertClean, debugfs, dumpe2fs, mustRun } from './e2fsprogs.ts';
import { copyImage, mke2fs } from './ext-images.ts';
import { kernelTree, withKernelMount } from './kernel-tree.ts';
import { findOracle } from './oracle.ts';
import { runPython } from './sample-tree.ts';
import type { TreeEntry } from './tree.ts';

export interface DirtyVariant {
  readonly name: string;
  /** As in ext-images.ts: our mke2fs.conf, then these. */
  readonly mke2fsArgs: readonly string[];
  readonly blockSize: number;
  readonly mountOptions?: readonly string[];
  readonly scenario: 'edits' | 'orphans' | 'wrap' | 'data-journal' | 'fast-commit' | 'fast-commit-mkdir' | 'by-hand';
  /**
   * `logflush` commits what is open and stops, `nologflush` stops at once, `snapshot` copies between transactions;
   * `debugfs` has no crash at all: debugfs writes the log of a clean image.
   */
  readonly ending: 'logflush' | 'nologflush' | 'snapshot' | 'debugfs';
  /** What the log or the superblock must show, or the image is not what it is for. */
  readonly shows: readonly DirtyTrait[];
  /** e2fsck 1.47.0 replays fast commits otherwise than the kernel, and damages the image: the kernel is right. */
  readonly e2fsckAgrees: boolean;
  /** What the kernel recovers is clean by e2fsck. */
  readonly recoversClean: boolean;
  readonly notes: string;
}

export const dirtyTraitNames = [
  'recovery', // the superblock asks for it
  'revoke', // revoke records in what is replayed
  'wrapped', // what is replayed goes over the end of the log
  'escaped', // blocks that begin with the magic number of the log
  'orphans', // inodes without names
  'fast-commit',
  'checksum-v1',
  'checksum-v2',
  'checksum-v3',
  'log-64bit',
  'async-commit',
] as const;
export type DirtyTrait = (typeof dirtyTraitNames)[number];

export interface DirtyImage {
  readonly variant: DirtyVariant;
  /** As the crash left it. Do not write to it: copyImage() it first. */
  readonly image: string;
  /** A copy after the kernel's recovery, clean by e2fsck (but see recoversClean). */
  readonly recovered: string;
  /** The tree of `recovered`, by the kernel. */
  readonly tree: readonly TreeEntry[];
}

const MiB = 1024 * 1024;
const SNAPSHOTS = 3;

type Given = Pick<DirtyVariant, 'name' | 'mke2fsArgs' | 'scenario' | 'ending' | 'notes'> & Partial<DirtyVariant>;

function variant(given: Given): DirtyVariant {
  return {
    blockSize: 4096,
    e2fsckAgrees: true,
    recoversClean: true,
    ...given,
    shows: ['recovery', ...(given.shows ?? [])],
  };
}

const ext4 = (features: string, ...args: string[]): readonly string[] => ['-t', 'ext4', '-O', features, ...args];
const smallLog = ['-J', 'size=4'];

export const dirtyVariants: readonly DirtyVariant[] = [
  variant({
    name: 'ext3-1k',
    mke2fsArgs: ['-t', 'ext3', ...smallLog],
    blockSize: 1024,
    scenario: 'edits',
    ending: 'logflush',
    shows: ['revoke'],
    notes: 'the log as it was first: no checksums, 8-byte tags with UUIDs',
  }),
  variant({
    name: 'ext3-4k-stopped',
    mke2fsArgs: ['-t', 'ext3', ...smallLog],
    scenario: 'edits',
    ending: 'nologflush',
    shows: ['revoke'],
    notes: 'the open transaction is lost',
  }),
  variant({
    name: 'ext3-1k-wrap',
    mke2fsArgs: ['-t', 'ext3', '-J', 'size=1'],
    blockSize: 1024,
    scenario: 'wrap',
    ending: 'nologflush',
    shows: ['revoke', 'wrapped'],
    notes: 'the smallest log, gone round several times',
  }),
  variant({
    name: 'ext4-4k',
    mke2fsArgs: ext4('64bit', ...smallLog),
    mountOptions: [],
    scenario: 'edits',
    ending: 'logflush',
    shows: ['revoke', 'checksum-v3', 'log-64bit'],
    notes: 'what people have: checksums v3, 64-bit tags, delayed allocation',
  }),
  variant({
    name: 'ext4-1k-stopped',
    mke2fsArgs: ext4('64bit', ...smallLog),
    blockSize: 1024,
    scenario: 'edits',
    ending: 'nologflush',
    shows: ['revoke', 'checksum-v3', 'log-64bit'],
    notes: 'the same in 1 KiB blocks; the open transaction is lost',
  }),
  variant({
    name: 'ext4-1k-wrap',
    mke2fsArgs: ext4('64bit', '-J', 'size=1'),
    blockSize: 1024,
    scenario: 'wrap',
    ending: 'nologflush',
    shows: ['revoke', 'wrapped', 'checksum-v3'],
    notes: 'a log with checksums gone round several times',
  }),
  variant({
    name: 'ext4-no-64bit',
    mke2fsArgs: ext4('^64bit', ...smallLog),
    scenario: 'edits',
    ending: 'logflush',
    shows: ['revoke', 'checksum-v3'],
    notes: 'v3 tags, 32-bit block numbers',
  }),
  variant({
    name: 'ext4-64bit-no-csum',
    mke2fsArgs: ext4('64bit,^metadata_csum', ...smallLog),
    blockSize: 1024,
    scenario: 'edits',
    ending: 'logflush',
    shows: ['revoke', 'log-64bit'],
    notes: 'old tags with 64-bit block numbers',
  }),
  variant({
    name: 'ext4-journal-checksum',
    mke2fsArgs: ext4('^metadata_csum', ...smallLog),
    mountOptions: ['nodelalloc', 'journal_checksum'],
    scenario: 'edits',
    ending: 'logflush',
    shows: ['revoke', 'checksum-v1'],
    notes: 'one CRC-32 in each commit block',
  }),
  variant({
    name: 'ext4-async-commit',
    mke2fsArgs: ext4('64bit,^metadata_csum', ...smallLog),
    mountOptions: ['nodelalloc', 'journal_checksum', 'journal_async_commit', 'data=writeback'],
    scenario: 'edits',
    ending: 'logflush',
    shows: ['checksum-v1', 'async-commit'],
    notes: 'commit blocks that do not wait: only the checksum says whether a transaction is whole',
  }),
  variant({
    name: 'ext4-async-commit-v3',
    mke2fsArgs: ext4('64bit', ...smallLog),
    mountOptions: ['nodelalloc', 'journal_async_commit', 'data=writeback'],
    scenario: 'edits',
    ending: 'nologflush',
    shows: ['checksum-v3', 'async-commit'],
    notes: 'the same with checksums v3',
  }),
  variant({
    name: 'ext4-checksum-v2',
    mke2fsArgs: ext4('64bit', ...smallLog),
    scenario: 'by-hand',
    ending: 'debugfs',
    shows: ['revoke', 'escaped', 'checksum-v2', 'log-64bit'],
    notes: 'checksums v2, which kernels of 2012 to 2014 wrote; debugfs still can',
  }),
  variant({
    name: 'ext4-checksum-v2-no-64bit',
    mke2fsArgs: ext4('^64bit', ...smallLog),
    blockSize: 1024,
    scenario: 'by-hand',
    ending: 'debugfs',
    shows: ['revoke', 'escaped', 'checksum-v2'],
    notes: 'the same with 32-bit tags',
  }),
  variant({
    name: 'ext3-data-journal',
    mke2fsArgs: ['-t', 'ext3', ...smallLog],
    blockSize: 1024,
    mountOptions: ['data=journal'],
    scenario: 'data-journal',
    ending: 'nologflush',
    shows: ['escaped'],
    notes: 'contents in the log, some escaped',
  }),
  variant({
    name: 'ext4-data-journal',
    mke2fsArgs: ext4('64bit', ...smallLog),
    mountOptions: ['data=journal'],
    scenario: 'data-journal',
    ending: 'nologflush',
    shows: ['escaped', 'checksum-v3'],
    notes: 'the same with checksums, which are of the unescaped block',
  }),
  variant({
    name: 'ext3-orphans',
    mke2fsArgs: ['-t', 'ext3', ...smallLog],
    blockSize: 1024,
    scenario: 'orphans',
    ending: 'logflush',
    shows: ['orphans'],
    notes: 'orphans in a list that starts in the superblock, known only after replay',
  }),
  variant({
    name: 'ext4-orphans',
    mke2fsArgs: ext4('64bit', ...smallLog),
    scenario: 'orphans',
    ending: 'logflush',
    shows: ['orphans'],
    notes: 'the same on extents',
  }),
  variant({
    name: 'ext4-orphan-file',
    mke2fsArgs: ext4('64bit,orphan_file', ...smallLog),
    scenario: 'orphans',
    ending: 'logflush',
    shows: ['orphans'],
    notes: 'orphans in a file of their own',
  }),
  variant({
    name: 'ext4-fast-commit',
    mke2fsArgs: ext4('64bit,fast_commit', ...smallLog),
    scenario: 'fast-commit',
    ending: 'nologflush',
    shows: ['fast-commit'],
    e2fsckAgrees: false,
    notes: 'a full commit and then only fast ones, stale ones behind them',
  }),
  variant({
    name: 'ext4-fast-commit-1k',
    mke2fsArgs: ext4('64bit,fast_commit', ...smallLog),
    blockSize: 1024,
    scenario: 'fast-commit',
    ending: 'nologflush',
    shows: ['fast-commit'],
    e2fsckAgrees: false,
    notes: 'the same in 1 KiB blocks',
  }),
  variant({
    name: 'ext4-fast-commit-mkdir',
    mke2fsArgs: ext4('64bit,fast_commit', ...smallLog),
    scenario: 'fast-commit-mkdir',
    ending: 'nologflush',
    shows: ['fast-commit'],
    e2fsckAgrees: false,
    recoversClean: false,
    notes: 'a new directory: the kernel (6.18) replays it with wrong nlink (its own, its parent’s) and i_blocks',
  }),
  variant({
    name: 'ext4-fast-commit-inline',
    mke2fsArgs: ext4('64bit,fast_commit,inline_data', ...smallLog),
    scenario: 'fast-commit',
    ending: 'nologflush',
    shows: ['fast-commit'],
    e2fsckAgrees: false,
    notes: 'small files and a directory in their inodes, some of which grow out of them',
  }),
  variant({
    name: 'ext4-fast-commit-ea-inode',
    mke2fsArgs: ext4('64bit,fast_commit,ea_inode', ...smallLog),
    scenario: 'fast-commit',
    ending: 'nologflush',
    shows: ['fast-commit'],
    e2fsckAgrees: false,
    recoversClean: false,
    notes: 'values in inodes of their own, which the kernel (6.18) does not count when it replays their owners',
  }),
  variant({
    name: 'ext4-fast-commit-inline-mkdir',
    mke2fsArgs: ext4('64bit,fast_commit,inline_data', ...smallLog),
    scenario: 'fast-commit-mkdir',
    ending: 'nologflush',
    shows: ['fast-commit'],
    e2fsckAgrees: false,
    recoversClean: false,
    notes: 'a new directory in its inode',
  }),
  variant({
    name: 'ext4-snapshots',
    mke2fsArgs: ext4('64bit', ...smallLog),
    blockSize: 1024,
    scenario: 'edits',
    ending: 'snapshot',
    notes: 'three moments of a file system in use',
  }),
  variant({
    name: 'ext3-snapshots',
    mke2fsArgs: ['-t', 'ext3', ...smallLog],
    scenario: 'edits',
    ending: 'snapshot',
    notes: 'three moments of a file system in use',
  }),
];

/** Make the dirty image of a variant, three for snapshots, and what the kernel recovers from each. */
export function makeDirtyImages(variant: DirtyVariant, { outDir }: { readonly outDir: string }): DirtyImage[] {
  const image = join(outDir, `dirty-${variant.name}.img`);
  rmSync(image, { force: true });
  const fd = openSync(image, 'wx', 0o600);
  ftruncateSync(fd, variant.blockSize === 1024 ? 16 * MiB : 24 * MiB);
  closeSync(fd);
  mke2fs([...variant.mke2fsArgs, '-b', String(variant.blockSize), image]);
  work(variant, image, { scenario: 'base', ending: 'unmount', snapshots: [] });
  if (variant.ending === 'debugfs') {
    writeLog(variant, image);
    return [recover(variant, image)];
  }
  const count = variant.ending === 'snapshot' ? SNAPSHOTS : 1;
  const snapshots = Array.from({ length: count }, (_, index) => join(outDir, `dirty-${variant.name}-${index}.img`));
  work(variant, image, { scenario: variant.scenario, ending: variant.ending, snapshots });
  rmSync(image);
  return snapshots.map((snapshot) => recover(variant, snapshot));
}

const script = fileURLToPath(new URL('dirty-images.py', import.meta.url));

interface Work {
  readonly scenario: string;
  readonly ending: string;
  readonly snapshots: readonly string[];
}

function work({ blockSize, mountOptions = [] }: DirtyVariant, image: string, todo: Work): void {
  withKernelMount(image, { write: true, options: mountOptions }, (dir) =>
    runPython(script, [dir, JSON.stringify({ ...todo, blockSize, image, debugfs: findOracle('debugfs') })]),
  );
}

/** Three blocks of a file go to the log: one as it is, one that must be escaped, and one that is revoked afterwards. */
function writeLog({ blockSize }: DirtyVariant, image: string): void {
  const file = '/keep/file-23';
  const blocks = debugfs(image, [`bmap ${file} 0`, `bmap ${file} 1`, `bmap ${file} 2`]).map((answer) => answer.trim());
  const plain = `${image}.plain`;
  const escaped = `${image}.escaped`;
  writeFileSync(plain, Buffer.alloc(blockSize, 'from the log '));
  writeFileSync(escaped, Buffer.alloc(blockSize, Buffer.from([0xc0, 0x3b, 0x39, 0x98, 1, 2, 3])));
  const [first = '', second = '', third = ''] = blocks;
  debugfs(
    image,
    [
      'journal_open -c -v 2',
      `journal_write -b ${first} ${plain}`,
      `journal_write -b ${second} ${escaped}`,
      `journal_write -b ${third} ${plain}`,
      `journal_write -r ${third}`,
      'journal_close',
    ],
    { write: true },
  );
  rmSync(plain);
  rmSync(escaped);
}

/** The kernel replays the log and frees orphans when it mounts a copy for writing. */
function recover(variant: DirtyVariant, image: string): DirtyImage {
  const recovered = copyImage(image, `${image}.recovered`);
  withKernelMount(recovered, { write: true }, () => undefined);
  if (variant.recoversClean) assertClean(recovered);
  return { variant, image, recovered, tree: kernelTree(recovered) };
}

/** Which of the traits a dirty image has, by the words of dumpe2fs, debugfs and e2fsck. */
export function dirtyTraits(image: string): DirtyTrait[] {
  const fields = dumpe2fs(image);
  const log = fields.get('Journal features') ?? '';
  const [dump = ''] = debugfs(image, ['logdump -a'], { unchecked: true });
  const blocks = [...dump.matchAll(/^Found expected sequence .* at block (\d+)/gm)].map((match) => Number(match[1]));
  const tags = [...dump.matchAll(/ logged at journal block \d+ \(flags 0x([0-9a-f]+)\)/g)];
  const fastCommit = /^tag ADD_RANGE/m.test(dump);
  const has: Readonly<Record<DirtyTrait, boolean>> = {
    recovery: fields.get('Filesystem features')?.includes('needs_recovery') ?? false,
    revoke: / {2}Revoke FS block /.test(dump),
    wrapped: blocks.some((block, index) => block < (blocks[index - 1] ?? 0)),
    // JBD2_FLAG_ESCAPE
    escaped: tags.some((match) => Number.parseInt(match[1] ?? '', 16) % 2 === 1),
    orphans: !fastCommit && /Clearing orphaned inode/.test(recoverByE2fsck(image, `${image}.traits`)),
    'fast-commit': fastCommit,
    'checksum-v1': /journal_checksum( |$)/.test(log),
    'checksum-v2': log.includes('journal_checksum_v2'),
    'checksum-v3': log.includes('journal_checksum_v3'),
    'log-64bit': log.includes('journal_64bit'),
    'async-commit': log.includes('journal_async_commit'),
  };
  rmSync(`${image}.traits`, { force: true });
  return dirtyTraitNames.filter((trait) => has[trait]);
}

/** Let e2fsck replay the log of a copy and repair the rest; what it says. Throws when it could not repair everything. */
export function recoverByE2fsck(image: string, copy: string): string {
  copyImage(image, copy);
  return mustRun('e2fsck', ['-fy', copy], { allowed: [0, 1] });
}
