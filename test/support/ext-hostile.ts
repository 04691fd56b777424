/**
 * Small ext2/3/4 images with one of everything, and where each structure of format.ts and journal-format.ts lies in them,
 * with the checksums that cover it. Made by mke2fs and debugfs; damaged by hostile.ts.
 */
import {
  closeSync,
  ftruncateSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { crc32c } from '../../packages/kernel/src/kern/checksum/crc32c.ts';
import {
  array,
  getBe32,
  getLe16,
  getLe32,
  le32,
  setBe32,
  setLe32,
  struct,
  type Row,
  type StructType,
} from '../../packages/kernel/src/kern/struct.ts';
import { ramDisk } from '../../packages/kernel/src/dev/ramdisk.ts';
import { bmap } from '../../packages/kernel/src/fs/ext2fs/bmap.ts';
import {
  setBitmapCsum,
  setDirLeafCsum,
  setDxNodeCsum,
  setExtentBlockCsum,
  setInodeCsum,
  setOrphanBlockCsum,
  setXattrBlockCsum,
  inodeSeed,
} from '../../packages/kernel/src/fs/ext2fs/csum.ts';
import type { Ext2Mount } from '../../packages/kernel/src/fs/ext2fs/ext2mount.ts';
import { RO_COMPAT } from '../../packages/kernel/src/fs/ext2fs/features.ts';
import * as format from '../../packages/kernel/src/fs/ext2fs/format.ts';
import { Group, groupChecksum } from '../../packages/kernel/src/fs/ext2fs/group.ts';
import { ext2fs } from '../../packages/kernel/src/fs/ext2fs/index.ts';
import { inodeLocation, loadInode } from '../../packages/kernel/src/fs/ext2fs/inode.ts';
import {
  journalSuperblockChecksum,
  logBlockAddress,
  openLog,
  scanLog,
  type Log,
} from '../../packages/kernel/src/fs/ext2fs/journal.ts';
import * as journal from '../../packages/kernel/src/fs/ext2fs/journal-format.ts';
import * as quota from '../../packages/kernel/src/fs/ext2fs/quota-format.ts';
import {
  descBlockLocation,
  superblockChecksum,
  type Geometry,
} from '../../packages/kernel/src/fs/ext2fs/superblock.ts';
import { BufCache } from '../../packages/kernel/src/vfs/buf.ts';
import { Mount } from '../../packages/kernel/src/vfs/mount.ts';
import { vrele, type Vnode } from '../../packages/kernel/src/vfs/vnode.ts';
import { debugfs, mustRun } from './e2fsprogs.ts';
import { mke2fs } from './ext-images.ts';
import type { HostileFormat, Mutation, Place, Survey } from './hostile.ts';

const { IFLAG } = format;

export interface HostileRow {
  readonly name: string;
  readonly mke2fsArgs: readonly string[];
  readonly sizeBytes: number;
  /** Version of the dirty journal that debugfs leaves, undefined: none. */
  readonly journal?: 'v1' | 'v3';
  /** Names in `big`: enough for an index of two levels, of one, or for none. */
  readonly bigNames: number;
  /** Records of a fast commit behind the log. */
  readonly fastCommit?: boolean;
  readonly tree: 'full' | 'small';
  /** Switched on at the end: the tools wait for seconds before they open such an image. */
  readonly mmp?: boolean;
}

const KiB = 1024;
const MiB = 1024 * KiB;

export const hostileRows: readonly HostileRow[] = [
  {
    name: 'ext2 1k',
    mke2fsArgs: ['-t', 'ext2', '-b', '1024', '-I', '128', '-g', '1024', '-N', '96'],
    sizeBytes: 2 * MiB,
    bigNames: 24,
    tree: 'full',
  },
  {
    name: 'ext3 1k, dirty journal',
    mke2fsArgs: ['-t', 'ext3', '-b', '1024', '-I', '128', '-N', '96', '-J', 'size=1'],
    sizeBytes: 2560 * KiB,
    journal: 'v1',
    bigNames: 24,
    tree: 'small',
  },
  {
    name: 'ext4 1k, dirty journal',
    mke2fsArgs: ['-t', 'ext4', '-b', '1024', '-I', '256', '-N', '96', '-g', '2048', '-J', 'size=1'],
    sizeBytes: 3 * MiB,
    journal: 'v3',
    bigNames: 24,
    tree: 'small',
  },
  {
    name: 'ext4 1k, dirty journal with a fast commit',
    mke2fsArgs: [
      ...['-t', 'ext4', '-b', '1024', '-I', '256', '-N', '96', '-J', 'size=2,fast_commit_size=16'],
      ...['-O', 'fast_commit'],
    ],
    sizeBytes: 6 * MiB,
    journal: 'v3',
    fastCommit: true,
    bigNames: 4,
    tree: 'small',
  },
  {
    name: 'ext4 1k, inline_data, ea_inode, bigalloc',
    mke2fsArgs: [
      ...['-t', 'ext4', '-b', '1024', '-I', '256', '-N', '96', '-C', '4096'],
      ...['-O', 'inline_data,ea_inode,bigalloc,^has_journal'],
    ],
    sizeBytes: 2 * MiB,
    bigNames: 24,
    tree: 'full',
  },
  {
    name: 'ext4 1k, no checksums, deep index',
    mke2fsArgs: [
      ...['-t', 'ext4', '-b', '1024', '-I', '128', '-N', '600'],
      ...['-O', '^has_journal,^metadata_csum,^resize_inode,uninit_bg,large_dir'],
    ],
    sizeBytes: 2 * MiB,
    bigNames: 500,
    tree: 'full',
  },
  {
    name: 'ext4 4k',
    mke2fsArgs: ['-t', 'ext4', '-b', '4096', '-N', '128', '-O', '^has_journal'],
    sizeBytes: 2 * MiB,
    bigNames: 80,
    tree: 'full',
  },
  {
    name: 'ext4 1k, mmp, orphan file, meta_bg, checksum seed',
    mke2fsArgs: [
      ...['-t', 'ext4', '-b', '1024', '-N', '96', '-J', 'size=1', '-g', '1024'],
      ...['-O', 'orphan_file,meta_bg,^resize_inode,metadata_csum_seed'],
    ],
    sizeBytes: 3 * MiB,
    mmp: true,
    bigNames: 24,
    tree: 'full',
  },
  {
    name: 'ext4 1k, quota',
    mke2fsArgs: [
      ...['-t', 'ext4', '-b', '1024', '-N', '96', '-O', 'quota,project,^has_journal'],
      ...['-E', 'quotatype=usrquota:grpquota:prjquota'],
    ],
    sizeBytes: 2 * MiB,
    bigNames: 4,
    tree: 'small',
  },
];

/** The image's bytes. */
export function makeHostileImage(row: HostileRow): Uint8Array {
  const dir = mkdtempSync(join(tmpdir(), 'ukfs-hostile-'));
  try {
    const image = join(dir, 'image');
    const fd = openSync(image, 'wx', 0o600);
    ftruncateSync(fd, row.sizeBytes);
    closeSync(fd);
    const tree = join(dir, 'tree');
    makeTree(tree, row);
    mke2fs([...row.mke2fsArgs, '-d', tree, image]);
    const large = join(dir, 'large');
    writeFileSync(large, Buffer.alloc(700, 'a large value '));
    writeFileSync(`${large}r`, Buffer.alloc(3000, 'a value with an inode of its own '));
    const hasEaInode = row.mke2fsArgs.some((arg) => arg.includes('ea_inode'));
    debugfs(
      image,
      [
        'ea_set /file user.small value',
        'ea_set /dir user.small value',
        `ea_set -f ${large} /file user.large`,
        `ea_set -f ${large} /two user.large`,
        ...(hasEaInode ? [`ea_set -f ${large}r /file user.larger`] : []),
        'mknod /fifo p',
        'mknod /char c 300 5',
      ],
      { write: true },
    );
    mustRun('e2fsck', ['-fyD', image], { allowed: [0, 1] });
    if (row.journal !== undefined) dirtyJournal(row, image, dir);
    if (row.mmp === true) mustRun('tune2fs', ['-O', 'mmp', image]);
    const bytes = new Uint8Array(readFileSync(image));
    if (row.fastCommit === true) addFastCommit(bytes);
    return bytes;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

function makeTree(root: string, { bigNames, tree }: HostileRow): void {
  mkdirSync(root);
  mkdirSync(join(root, 'dir'));
  mkdirSync(join(root, 'dir', 'sub'));
  mkdirSync(join(root, 'inline-dir'));
  mkdirSync(join(root, 'big'));
  for (let i = 0; i < bigNames; i++)
    symlinkSync('x', join(root, 'big', `${i}-`.padEnd(bigNames > 100 ? 240 : 150, 'n')));
  writeFileSync(join(root, 'file'), Buffer.alloc(3000, 'file'));
  writeFileSync(join(root, 'two'), Buffer.alloc(100, 'two'));
  writeFileSync(join(root, 'tiny'), 'tiny');
  writeFileSync(join(root, 'dir', 'a'), 'in dir');
  writeFileSync(join(root, 'inline-dir', 'b'), '');
  symlinkSync('dir/a', join(root, 'link'));
  symlinkSync('l'.repeat(130), join(root, 'long-link'));
  const last = tree === 'full' ? 70 * MiB : 400 * KiB;
  sparse(join(root, 'sparse'), [0, 8 * KiB, 300 * KiB, last]);
  // Every other 4 KiB: more extents than fit in the inode.
  sparse(
    join(root, 'frag'),
    Array.from({ length: tree === 'full' ? 12 : 6 }, (_, i) => i * 8 * KiB),
  );
}

function sparse(path: string, offsets: readonly number[]): void {
  const fd = openSync(path, 'wx', 0o644);
  for (const offset of offsets) writeSync(fd, Buffer.alloc(4096, 'data'), 0, 4096, offset);
  closeSync(fd);
}

/** Two transactions with three blocks, one of them escaped, and a revoke record. */
function dirtyJournal({ journal: version }: HostileRow, image: string, dir: string): void {
  const blocks = debugfs(image, ['bmap /file 0', 'bmap /file 1', 'bmap /frag 0']).map((answer) => answer.trim());
  const [first = '', second = '', third = ''] = blocks;
  const plain = join(dir, 'plain');
  const escaped = join(dir, 'escaped');
  writeFileSync(plain, Buffer.alloc(1024, 'from the log '));
  writeFileSync(escaped, Buffer.alloc(1024, Buffer.from([0xc0, 0x3b, 0x39, 0x98, 1, 2, 3])));
  debugfs(
    image,
    [
      version === 'v3' ? 'journal_open -c -v 3' : 'journal_open',
      `journal_write -b ${first},${third} ${plain}`,
      `journal_write -b ${second} ${escaped}`,
      `journal_write -r ${third}`,
      'journal_close',
    ],
    { write: true },
  );
}

/** What each kind of record says, and where the first block of fast commits lies. */
function fastCommitAt(mp: Mount<Ext2Mount>): { readonly at: number; readonly tid: number; readonly log: Log } {
  const log = openLog(mp);
  return { at: logBlockAddress(log, log.fcFirst) * mp.blockSize, tid: scanLog(log).endSequence, log };
}

/** Every kind of record once, as one fast commit behind the log's last transaction. */
function addFastCommit(image: Uint8Array): void {
  const before = open(image).mp;
  const sbAt =
    (bmap(loadInode(before, before.data.geo.journalInum, { unlinked: true }), 0, 1).block ?? 0) * before.blockSize;
  const sb = journal.JournalSuperblock.at(image, sbAt);
  sb.featureIncompat |= journal.JOURNAL_INCOMPAT.FAST_COMMIT;
  sb.numFcBlks = 16;
  sealJournalSuperblock(image, sbAt);
  const { mp } = open(image);
  const { geo } = mp.data;
  const { at, tid } = fastCommitAt(mp);
  const [file, two, frag] = ['file', 'two', 'frag'].map((name) => lookupIno(mp, name) ?? 0) as [number, number, number];
  const made = geo.inodes - 3;
  const rawOf = (ino: number): Uint8Array => loadInode(mp, ino).raw;
  const newRaw = rawOf(two).slice();
  format.InodeCore.at(newRaw, 0).fileAclLo = 0;
  let here = at;
  const record = (tag: number, length: number, fill: (value: number) => void): void => {
    Object.assign(journal.FcTag.at(image, here), { tag, len: length });
    fill(here + 4);
    here += 4 + length;
  };
  const inode = (ino: number, raw: Uint8Array): void =>
    record(journal.FC.INODE, 4 + raw.length, (value) => {
      journal.FcInode.at(image, value).ino = ino;
      image.set(raw, value + 4);
    });
  const entry = (tag: number, ino: number, name: string): void =>
    record(tag, 8 + name.length, (value) => {
      Object.assign(journal.FcDentry.at(image, value), { parentIno: format.INO.ROOT, ino });
      image.set(new TextEncoder().encode(name), value + 8);
    });
  record(journal.FC.HEAD, 8, (value) => Object.assign(journal.FcHead.at(image, value), { features: 0, tid }));
  inode(made, newRaw);
  entry(journal.FC.CREAT, made, 'fc-made');
  inode(frag, rawOf(frag));
  record(journal.FC.ADD_RANGE, 16, (value) => {
    journal.FcAddRange.at(image, value).ino = frag;
    Object.assign(format.Extent.at(image, value + 4), { block: 200, len: 2, startHi: 0, startLo: geo.blocks - 9 });
  });
  record(journal.FC.DEL_RANGE, 12, (value) =>
    Object.assign(journal.FcDelRange.at(image, value), { ino: frag, lblk: 1, len: 9 }),
  );
  entry(journal.FC.LINK, file, 'fc-link');
  entry(journal.FC.UNLINK, two, 'two');
  record(journal.FC.TAIL, 8, (value) => (journal.FcTail.at(image, value).tid = tid));
  sealFastCommit(image, at, here);
}

/** The tail is the last record; its checksum covers all before itself. */
function sealFastCommit(image: Uint8Array, at: number, end: number): void {
  setLe32(image, end - 4, crc32c(0, image, at, end - 4));
}

function sealJournalSuperblock(image: Uint8Array, at: number): void {
  const sb = journal.JournalSuperblock.at(image, at);
  if ((sb.featureIncompat & (journal.JOURNAL_INCOMPAT.CSUM_V2 | journal.JOURNAL_INCOMPAT.CSUM_V3)) === 0) return;
  sb.checksum = journalSuperblockChecksum(image.subarray(at, at + 1024));
}

/**
 * Damage that takes more than one field: maps that lead back into themselves, so that a small image claims work without
 * end. Made on an image of blocks of 1 KiB.
 */
export function traps(image: Uint8Array): Mutation[] {
  const { mp } = open(image);
  const { geo } = mp.data;
  const inoOf = (path: string): number => lookupIno(mp, path) ?? 0;
  const inodeAt = (ino: number): number => {
    const { block, offset } = inodeLocation(mp, ino);
    return block * geo.blockSize + offset;
  };
  const freeBlock = geo.blocks - 2;
  /** Let a file have `size` bytes, which a block of pointers to itself maps. */
  const circular = (bytes: Uint8Array, ino: number, size: number): void => {
    const at = inodeAt(ino);
    const core = format.InodeCore.at(bytes, at);
    core.flags &= ~(IFLAG.EXTENTS | IFLAG.INLINE_DATA);
    core.sizeLo = size % 2 ** 32;
    core.sizeHigh = Math.floor(size / 2 ** 32);
    const pointers = Array.from({ length: 15 }, () => freeBlock);
    BlockMap.at(bytes, at + format.I_BLOCK_OFFSET).pointers = pointers;
    for (let i = 0; i < geo.blockSize; i += 4) setLe32(bytes, freeBlock * geo.blockSize + i, freeBlock);
    setInodeCsum(geo, inodeSeed(geo, ino, core.generation), bytes.subarray(at, at + geo.inodeSize));
  };
  const made: Mutation[] = [
    {
      field: 'trap',
      label: 'trap: a file mapped by pointers to themselves',
      apply: (b) => circular(b, inoOf('file'), 2 ** 34),
    },
    {
      field: 'trap',
      label: 'trap: a directory mapped by pointers to themselves',
      apply: (b) => circular(b, inoOf('dir'), 2 ** 31),
    },
    {
      field: 'trap',
      label: 'trap: a file mapped by pointers to an empty block',
      apply(bytes) {
        circular(bytes, inoOf('file'), 2 ** 34);
        const [two, one] = [freeBlock - 1, freeBlock - 2];
        for (let i = 0; i < geo.blockSize; i += 4) {
          setLe32(bytes, freeBlock * geo.blockSize + i, two);
          setLe32(bytes, two * geo.blockSize + i, one);
          setLe32(bytes, one * geo.blockSize + i, 0);
        }
      },
    },
  ];
  if (geo.journalInum !== 0) {
    made.push({
      field: 'trap',
      label: 'trap: a journal of the same block over and over',
      apply(bytes) {
        const log = loadInode(mp, geo.journalInum, { unlinked: true });
        const sbAt = (bmap(log, 0, 1).block ?? 0) * geo.blockSize;
        circular(bytes, geo.journalInum, 2 ** 34);
        const at = inodeAt(geo.journalInum);
        // Block 0 of the log stays; all others are one block of revoke records.
        setLe32(bytes, at + format.I_BLOCK_OFFSET, sbAt / geo.blockSize);
        const sb = journal.JournalSuperblock.at(bytes, sbAt);
        Object.assign(sb, {
          featureIncompat: 1,
          featureCompat: 0,
          checksum: 0,
          maxlen: 2 ** 24,
          first: 1,
          start: 2 ** 20,
          sequence: 7,
        });
        const here = freeBlock * geo.blockSize;
        Object.assign(journal.RevokeHeader.at(bytes, here), {
          magic: journal.JBD2_MAGIC,
          blocktype: 5,
          sequence: 7,
          count: 1024,
        });
        format.Superblock.at(bytes, 1024).featureIncompat |= 4;
        const raw = bytes.subarray(1024, 2048);
        if (geo.metadataCsum) format.Superblock.at(raw, 0).checksum = superblockChecksum(raw);
        setInodeCsum(geo, inodeSeed(geo, geo.journalInum, log.gen), bytes.subarray(at, at + geo.inodeSize));
        // The pointers of that block must still lead to itself: the last level does, through the first one's entries.
        setLe32(bytes, at + format.I_BLOCK_OFFSET + 4 * 14, freeBlock - 1);
        for (const [block, to] of [
          [freeBlock - 1, freeBlock - 2],
          [freeBlock - 2, freeBlock - 3],
          [freeBlock - 3, freeBlock],
        ] as const) {
          for (let i = 0; i < geo.blockSize; i += 4) setLe32(bytes, block * geo.blockSize + i, to);
        }
        setInodeCsum(geo, inodeSeed(geo, geo.journalInum, log.gen), bytes.subarray(at, at + geo.inodeSize));
      },
    });
  }
  const big = loadInode(mp, inoOf('big'));
  if (big.hasFlag(IFLAG.INDEX)) {
    const root = (bmap(big, 0, 1).block ?? 0) * geo.blockSize;
    const seal = (bytes: Uint8Array): void =>
      setDxNodeCsum(geo, big.seed, {
        block: bytes.subarray(root, root + geo.blockSize),
        entriesAt: format.DX_ROOT_ENTRIES,
      });
    for (const levels of [0, 1, 2]) {
      made.push({
        field: 'trap',
        label: `trap: an index of ${levels} levels that leads to its own root`,
        apply(bytes) {
          format.DxRootInfo.at(bytes, root + format.DX_ROOT_INFO_OFFSET).indirectLevels = levels;
          const { count } = format.DxCountLimit.at(bytes, root + format.DX_ROOT_ENTRIES);
          for (let i = 0; i < count; i++) setLe32(bytes, root + format.DX_ROOT_ENTRIES + 8 * i + 4, 0);
          // What stands where a node below would have its count is sound as one.
          format.DxCountLimit.at(bytes, root + format.DX_NODE_ENTRIES).limit = 1;
          seal(bytes);
        },
      });
    }
  }
  return made;
}

// where everything lies

/** Not structures of the format's tables, but pointers and bits all the same. */
export const BlockMap = struct('block map in the inode', 60, [[0, 'pointers', array(le32, 15)]]);
export const PointerBlock = struct('first pointers of a block', 16, [[0, 'pointers', array(le32, 4)]]);
export const BitmapStart = struct('first bits of a bitmap', 8, [[0, 'bits', array(le32, 2)]]);

/** Everything in the image, found with our own reader of the undamaged image. */
export function surveyExt(image: Uint8Array): Survey {
  return new Surveyor(open(image).mp, image).survey();
}

function open(image: Uint8Array): { readonly mp: Mount<Ext2Mount> } {
  const device = ramDisk(image, { readOnly: true });
  const cache = new BufCache(16 << 20);
  const mp = new Mount<Ext2Mount>({
    type: ext2fs,
    device,
    bufs: (blockSize) => cache.open(device, blockSize),
    readOnly: true,
    options: { noload: true },
    from: 'survey',
    services: { now: () => ({ sec: 0, nsec: 0 }), random: (dst) => dst.fill(4), log: () => {}, desiredVnodes: 64 },
  });
  ext2fs.mount(mp);
  return { mp };
}

function lookupIno(mp: Mount<Ext2Mount>, path: string): number | undefined {
  let vp: Vnode = ext2fs.root(mp);
  for (const name of path.split('/').filter((part) => part !== '')) {
    const found = vp.ops.lookup(vp, name);
    vrele(vp);
    if (found === undefined) return undefined;
    vp = found.vp;
  }
  vrele(vp);
  return vp.ino;
}

type Seal = (image: Uint8Array) => void;
type Table = StructType<readonly Row[]>;

class Surveyor {
  readonly #mp: Mount<Ext2Mount>;
  readonly #geo: Geometry;
  readonly #image: Uint8Array;
  readonly #places: Place[] = [];
  readonly #hot: { start: number; end: number }[] = [];
  readonly #inodesSeen = new Set<number>();

  constructor(mp: Mount<Ext2Mount>, image: Uint8Array) {
    this.#mp = mp;
    this.#geo = mp.data.geo;
    this.#image = image;
  }

  survey(): Survey {
    const { blocks, inodes } = this.#geo;
    this.#superblock();
    const { groups } = this.#geo;
    for (const group of new Set([0, 1, groups - 1])) if (group < groups) this.#group(group);
    for (const path of [
      '',
      'dir',
      'big',
      'inline-dir',
      'file',
      'two',
      'tiny',
      'sparse',
      'frag',
      'link',
      'long-link',
      'char',
      'dir/a',
    ]) {
      const ino = lookupIno(this.#mp, path);
      if (ino !== undefined) this.#inode(ino, `/${path}`);
    }
    if (this.#geo.orphanFileInum !== 0) this.#orphanFile();
    if (this.#geo.mmpBlock !== 0) this.#mmp();
    if ((this.#geo.roCompat & RO_COMPAT.QUOTA) !== 0) this.#quota();
    if (this.#geo.journalInum !== 0) this.#journal();
    return { places: this.#places, limits: { outOfRange: [blocks, blocks - 1, inodes + 1] }, hot: this.#hot };
  }

  #add(label: string, table: Table, at: { offset: number; self?: readonly number[]; seal?: Seal | undefined }): void {
    const { offset, self = [], seal = () => {} } = at;
    this.#places.push({ label: `${label}: ${table.structName}`, table, offset, self, seal });
    this.#hot.push({ start: offset, end: offset + table.size });
  }

  #superblock(): void {
    const offset = format.SUPERBLOCK_OFFSET;
    const { metadataCsum } = this.#geo;
    const seal: Seal = (bytes) => {
      const raw = bytes.subarray(offset, offset + format.SUPERBLOCK_SIZE);
      if (metadataCsum) format.Superblock.at(raw, 0).checksum = superblockChecksum(raw);
    };
    this.#add('superblock', format.Superblock, { offset, seal });
  }

  #groupAt(group: number): number {
    const { descPerBlock, descSize, blockSize } = this.#geo;
    const block = descBlockLocation(this.#geo, this.#mp.data.sbOffset, Math.floor(group / descPerBlock));
    return block * blockSize + (group % descPerBlock) * descSize;
  }

  #sealGroup(group: number): Seal {
    const geo = this.#geo;
    const offset = this.#groupAt(group);
    return (bytes) => {
      if (!geo.metadataCsum && !geo.gdtCsum) return;
      format.GroupDesc.at(bytes, offset).checksum = groupChecksum(geo, group, bytes, offset);
    };
  }

  #group(group: number): void {
    const geo = this.#geo;
    const offset = this.#groupAt(group);
    const seal = this.#sealGroup(group);
    const self = [Math.floor(offset / geo.blockSize)];
    this.#add(`group ${group}`, format.GroupDesc, { offset, self, seal });
    if (geo.descSize >= 64) this.#add(`group ${group}`, format.GroupDescHigh, { offset: offset + 32, self, seal });
    const g = new Group(this.#image, offset, geo.descSize);
    for (const [kind, block] of [
      ['block', g.blockBitmap],
      ['inode', g.inodeBitmap],
    ] as const) {
      const at = block * geo.blockSize;
      const sealMap: Seal = (bytes) => {
        const desc = bytes.subarray(offset, offset + geo.descSize);
        setBitmapCsum(geo, kind, { map: bytes.subarray(at, at + geo.blockSize), desc });
        // The count goes along, or the bitmap would be refused for that alone.
        let free = 0;
        const bits =
          kind === 'block'
            ? Math.min(geo.blocksPerGroup, geo.blocks - geo.firstDataBlock - group * geo.blocksPerGroup)
            : geo.inodesPerGroup;
        for (let bit = 0; bit < bits; bit++) free += (((bytes[at + (bit >> 3)] ?? 0) >> (bit & 7)) & 1) ^ 1;
        const now = new Group(bytes, offset, geo.descSize);
        if (kind === 'block') now.freeBlocks = free;
        else now.freeInodes = free;
        seal(bytes);
      };
      this.#add(`group ${group} ${kind} bitmap`, BitmapStart, { offset: at, self, seal: sealMap });
    }
  }

  #sealInode(ino: number): { offset: number; seal: Seal; block: number; seedOf: (bytes: Uint8Array) => number } {
    const geo = this.#geo;
    const { block, offset: inBlock } = inodeLocation(this.#mp, ino);
    const offset = block * geo.blockSize + inBlock;
    const seedOf = (bytes: Uint8Array): number => inodeSeed(geo, ino, format.InodeCore.at(bytes, offset).generation);
    const seal: Seal = (bytes) => setInodeCsum(geo, seedOf(bytes), bytes.subarray(offset, offset + geo.inodeSize));
    return { offset, seal, block, seedOf };
  }

  #inode(ino: number, path: string): void {
    if (this.#inodesSeen.has(ino)) return;
    this.#inodesSeen.add(ino);
    const geo = this.#geo;
    const { offset, seal, block, seedOf } = this.#sealInode(ino);
    const label = `inode ${ino} ${path}`;
    const self = [ino, block];
    this.#add(label, format.InodeCore, { offset, self, seal });
    if (geo.inodeSize > 128) this.#add(label, format.InodeExtra, { offset: offset + 128, self, seal });
    const inode = loadInode(this.#mp, ino, { unlinked: true });
    const iblock = offset + format.I_BLOCK_OFFSET;
    if (inode.hasFlag(IFLAG.INLINE_DATA)) {
      if (inode.type === 'dir') this.#add(label, format.DirEntry, { offset: iblock + 4, self, seal });
    } else if (inode.hasFlag(IFLAG.EXTENTS)) this.#extentNode(label, iblock, { bytes: 60, self, seal, seedOf });
    else if (inode.type === 'reg' || inode.type === 'dir' || inode.type === 'chr')
      this.#blockMap(label, iblock, { self, seal });
    if (inode.type === 'dir' && !inode.hasFlag(IFLAG.INLINE_DATA)) this.#directory(ino, path, seedOf);
    // Attributes
    const start = offset + 128 + inode.extraIsize;
    if (
      inode.extraIsize > 0 &&
      start + 8 <= offset + geo.inodeSize &&
      getLe32(this.#image, start) === format.XATTR_MAGIC
    ) {
      this.#add(label, format.XattrIbodyHeader, { offset: start, self, seal });
      this.#xattrEntries(label, start + 4, { self, seal });
    }
    if (inode.fileAcl !== 0) {
      const at = inode.fileAcl * geo.blockSize;
      const sealBlock: Seal = (bytes) => setXattrBlockCsum(geo, inode.fileAcl, bytes.subarray(at, at + geo.blockSize));
      const where = { self: [inode.fileAcl, ino], seal: sealBlock };
      this.#add(`${label} attribute block`, format.XattrHeader, { offset: at, ...where });
      this.#xattrEntries(`${label} attribute block`, at + format.XattrHeader.size, where);
    }
  }

  #xattrEntries(label: string, start: number, where: { self: readonly number[]; seal: Seal }): void {
    let at = start;
    for (let i = 0; i < 4 && getLe32(this.#image, at) !== 0; i++) {
      this.#add(`${label} attribute ${i}`, format.XattrEntry, { offset: at, ...where });
      const { nameLen, valueInum } = format.XattrEntry.at(this.#image, at);
      if (valueInum !== 0) this.#inode(valueInum, '(attribute value)');
      at += (format.XATTR_ENTRY_SIZE + nameLen + 3) & ~3;
    }
  }

  #extentNode(
    label: string,
    offset: number,
    node: { bytes: number; self: readonly number[]; seal: Seal; seedOf: (bytes: Uint8Array) => number },
  ): void {
    const geo = this.#geo;
    const { self, seal, seedOf } = node;
    this.#add(label, format.ExtentHeader, { offset, self, seal });
    const { entries, depth, max } = format.ExtentHeader.at(this.#image, offset);
    for (const i of new Set([0, 1, entries - 1])) {
      if (i < 0 || i >= entries) continue;
      const at = offset + 12 + 12 * i;
      this.#add(`${label} entry ${i}`, depth > 0 ? format.ExtentIndex : format.Extent, { offset: at, self, seal });
      if (depth === 0 || i > 1) continue;
      const child = format.ExtentIndex.at(this.#image, at).leafLo;
      const childAt = child * geo.blockSize;
      const sealChild: Seal = (bytes) =>
        setExtentBlockCsum(geo, seedOf(bytes), bytes.subarray(childAt, childAt + geo.blockSize));
      this.#extentNode(`${label} block ${child}`, childAt, {
        bytes: geo.blockSize,
        self: [child, ...self],
        seal: sealChild,
        seedOf,
      });
    }
    const tail = offset + 12 + 12 * max;
    if (node.bytes > 60 && geo.metadataCsum) this.#add(label, format.ExtentTail, { offset: tail, self });
  }

  #blockMap(label: string, offset: number, { self, seal }: { self: readonly number[]; seal: Seal }): void {
    this.#add(label, BlockMap, { offset, self, seal });
    for (let level = 1; level <= 3; level++) {
      let block = getLe32(this.#image, offset + 4 * (11 + level));
      for (let down = level; down > 0 && block !== 0 && block < this.#geo.blocks; down--) {
        const at = block * this.#geo.blockSize;
        this.#add(`${label} pointer block ${block}, level ${down} of ${level}`, PointerBlock, {
          offset: at,
          self: [block, ...self],
        });
        block = getLe32(this.#image, at);
      }
    }
    // Slots 11 to 14 by themselves: the table's array has only its ends tried.
    for (const slot of [12, 13]) {
      const one = struct(`block map slot ${slot}`, 4, [[0, 'pointer', le32]]);
      this.#add(label, one, { offset: offset + 4 * slot, self, seal });
    }
  }

  #directory(ino: number, path: string, seedOf: (bytes: Uint8Array) => number): void {
    const geo = this.#geo;
    const inode = loadInode(this.#mp, ino);
    const blocks = Math.ceil(inode.size / geo.blockSize);
    const isIndexed = inode.hasFlag(IFLAG.INDEX);
    let [nodes, leaves] = [0, 0];
    for (let fileBlock = 0; fileBlock < blocks; fileBlock++) {
      const { block } = bmap(inode, fileBlock, 1);
      if (block === undefined) continue;
      const at = block * geo.blockSize;
      const label = `directory ${path} block ${fileBlock}`;
      const self = [fileBlock, ino, block];
      const bytesOf = (bytes: Uint8Array): Uint8Array => bytes.subarray(at, at + geo.blockSize);
      const isNode =
        isIndexed && fileBlock > 0 && getLe32(this.#image, at) === 0 && getLe16(this.#image, at + 4) === geo.blockSize;
      if (isIndexed && (fileBlock === 0 || isNode)) {
        if (isNode && nodes++ > 0) continue;
        const entriesAt = fileBlock === 0 ? format.DX_ROOT_ENTRIES : format.DX_NODE_ENTRIES;
        const seal: Seal = (bytes) => setDxNodeCsum(geo, seedOf(bytes), { block: bytesOf(bytes), entriesAt });
        this.#add(label, format.DirEntry, { offset: at, self, seal });
        if (fileBlock === 0) {
          this.#add(`${label} ..`, format.DirEntry, { offset: at + 12, self, seal });
          this.#add(label, format.DxRootInfo, { offset: at + format.DX_ROOT_INFO_OFFSET, self, seal });
        }
        this.#add(label, format.DxCountLimit, { offset: at + entriesAt, self, seal });
        const { count, limit } = format.DxCountLimit.at(this.#image, at + entriesAt);
        for (const i of new Set([0, 1, count - 1])) {
          this.#add(`${label} index ${i}`, format.DxEntry, { offset: at + entriesAt + 8 * i, self, seal });
        }
        if (geo.metadataCsum) this.#add(label, format.DxTail, { offset: at + entriesAt + 8 * limit, self });
        continue;
      }
      if (leaves++ > 1) continue;
      const seal: Seal = (bytes) => setDirLeafCsum(geo, seedOf(bytes), bytesOf(bytes));
      let record = 0;
      for (let i = 0; record < geo.blockSize && i < 60; i++) {
        const recLen = getLe16(this.#image, at + record + 4);
        const isLast = record + recLen >= geo.blockSize - 12;
        if (i < 3 || isLast) this.#add(`${label} byte ${record}`, format.DirEntry, { offset: at + record, self, seal });
        record += recLen;
        if (isLast) break;
      }
      if (geo.metadataCsum) this.#add(label, format.DirTail, { offset: at + geo.blockSize - 12, self, seal });
    }
  }

  #orphanFile(): void {
    const geo = this.#geo;
    const ino = geo.orphanFileInum;
    this.#inode(ino, '(orphan file)');
    const inode = loadInode(this.#mp, ino, { unlinked: true });
    const { block } = bmap(inode, 0, 1);
    if (block === undefined) return;
    const at = block * geo.blockSize;
    const { seedOf } = this.#sealInode(ino);
    const seal: Seal = (bytes) =>
      setOrphanBlockCsum(geo, seedOf(bytes), { fsBlock: block, block: bytes.subarray(at, at + geo.blockSize) });
    const self = [block, ino];
    this.#add('orphan file', format.OrphanBlockTail, { offset: at + geo.blockSize - 8, self, seal });
    this.#add('orphan file', PointerBlock, { offset: at, self: [...self, 12, 13], seal });
  }

  /** The user quota file: its blocks are 1 KiB, as the file system's are where there is one. */
  #quota(): void {
    const ino = format.INO.USR_QUOTA;
    this.#inode(ino, '(user quota)');
    const inode = loadInode(this.#mp, ino);
    const at = (block: number): number => (bmap(inode, block, 1).block ?? 0) * this.#geo.blockSize;
    this.#add('quota file', quota.QuotaHeader, { offset: at(0) });
    this.#add('quota file', quota.QuotaInfo, { offset: at(0) + quota.QuotaHeader.size, self: [1, 5] });
    for (let level = 0; level < quota.QUOTA_LEVELS; level++)
      this.#add(`quota tree, level ${level}`, PointerBlock, { offset: at(quota.QUOTA_ROOT + level), self: [1, 2] });
    const leaf = at(quota.QUOTA_ROOT + quota.QUOTA_LEVELS);
    this.#add('quota file', quota.QuotaLeaf, { offset: leaf, self: [5] });
    this.#add('quota file', quota.QuotaEntry, { offset: leaf + quota.QuotaLeaf.size });
  }

  #mmp(): void {
    const geo = this.#geo;
    const at = geo.mmpBlock * geo.blockSize;
    const end = format.MmpBlock.offsetOf('checksum');
    const seal: Seal = (bytes) => {
      if (geo.metadataCsum) format.MmpBlock.at(bytes, at).checksum = crc32c(geo.csumSeed, bytes, at, at + end);
    };
    this.#add('mmp', format.MmpBlock, { offset: at, self: [geo.mmpBlock], seal });
  }

  // the journal

  #fastCommit(): void {
    const { at } = fastCommitAt(this.#mp);
    const tables: Record<number, Table> = {
      [journal.FC.HEAD]: journal.FcHead,
      [journal.FC.INODE]: journal.FcInode,
      [journal.FC.CREAT]: journal.FcDentry,
      [journal.FC.LINK]: journal.FcDentry,
      [journal.FC.UNLINK]: journal.FcDentry,
      [journal.FC.ADD_RANGE]: journal.FcAddRange,
      [journal.FC.DEL_RANGE]: journal.FcDelRange,
      [journal.FC.TAIL]: journal.FcTail,
    };
    const starts: number[] = [];
    let end = at;
    for (let tag = 0; tag !== journal.FC.TAIL;) {
      const view = journal.FcTag.at(this.#image, end);
      tag = view.tag;
      starts.push(end);
      end += 4 + view.len;
    }
    const where = {
      self: [2, 11, Math.floor(at / this.#geo.blockSize)],
      seal: (bytes: Uint8Array) => sealFastCommit(bytes, at, end),
    };
    for (const start of starts) {
      const { tag, len } = journal.FcTag.at(this.#image, start);
      const label = `fast commit record ${tag} at ${start - at}`;
      this.#add(label, journal.FcTag, { offset: start, ...where });
      const table = tables[tag];
      if (table !== undefined) this.#add(label, table, { offset: start + 4, ...where });
      if (tag === journal.FC.ADD_RANGE) this.#add(label, format.Extent, { offset: start + 8, ...where });
      if (tag === journal.FC.INODE && len >= 132) this.#add(label, format.InodeCore, { offset: start + 8, ...where });
    }
  }

  #journal(): void {
    const geo = this.#geo;
    const ino = geo.journalInum;
    this.#inode(ino, '(journal)');
    const inode = loadInode(this.#mp, ino, { unlinked: true });
    const addressOf = (logBlock: number): number => (bmap(inode, logBlock, 1).block ?? 0) * geo.blockSize;
    const at = addressOf(0);
    const sb = journal.JournalSuperblock.at(this.#image, at);
    const isV3 = (sb.featureIncompat & journal.JOURNAL_INCOMPAT.CSUM_V3) !== 0;
    const crcAround = (seed: number, data: Uint8Array, hole: number): number =>
      crc32c(crc32c(crc32c(seed, data, 0, hole), new Uint8Array(4)), data, hole + 4);
    const sealWith =
      (start: number, size: number, hole: number, seedOf: (bytes: Uint8Array) => number): Seal =>
      (bytes) => {
        if (!isV3) return;
        const data = bytes.subarray(start, start + size);
        setBe32(data, hole, crcAround(seedOf(bytes), data, hole));
      };
    const seedOf = (bytes: Uint8Array): number => crc32c(0xffffffff, journal.JournalSuperblock.at(bytes, at).uuid);
    const sealSb: Seal = (bytes) => sealJournalSuperblock(bytes, at);
    this.#add('journal superblock', journal.JournalSuperblock, {
      offset: at,
      self: [sb.first, sb.start],
      seal: sealSb,
    });
    if (sb.start === 0) return;
    if ((sb.featureIncompat & journal.JOURNAL_INCOMPAT.FAST_COMMIT) !== 0) this.#fastCommit();
    for (let logBlock = sb.start; logBlock < sb.maxlen; logBlock++) {
      const here = addressOf(logBlock);
      // Blocks of data lie between those of the log.
      if (getBe32(this.#image, here) !== journal.JBD2_MAGIC) continue;
      const label = `journal block ${logBlock}`;
      const self = [logBlock, here / geo.blockSize];
      const tail = sealWith(here, geo.blockSize, geo.blockSize - 4, seedOf);
      const type = getBe32(this.#image, here + 4);
      if (type === journal.JBD2.DESCRIPTOR) {
        this.#add(label, journal.JournalHeader, { offset: here, self, seal: tail });
        const table: Table = isV3 ? journal.BlockTag3 : journal.BlockTag;
        this.#add(`${label} tag 0`, table, { offset: here + 12, self, seal: tail });
        this.#add(`${label} tag 1`, table, { offset: here + 12 + table.size + 16, self, seal: tail });
        if (isV3) this.#add(label, journal.JournalBlockTail, { offset: here + geo.blockSize - 4, self });
      } else if (type === journal.JBD2.REVOKE) {
        this.#add(label, journal.RevokeHeader, { offset: here, self, seal: tail });
        this.#add(label, PointerBlock, { offset: here + 16, self, seal: tail });
      } else if (type === journal.JBD2.COMMIT) {
        const seal = sealWith(here, geo.blockSize, journal.CommitHeader.offsetOf('chksum'), seedOf);
        this.#add(label, journal.CommitHeader, { offset: here, self, seal });
      } else return;
    }
  }
}

const tableNames = (module: Readonly<Record<string, unknown>>): string[] =>
  Object.values(module).flatMap((value) =>
    typeof value === 'object' && value !== null && 'structName' in value ? [String(value.structName)] : [],
  );

export const extHostile: HostileFormat = {
  type: ext2fs,
  oracles: ['mke2fs', 'debugfs', 'e2fsck', 'tune2fs'],
  images: hostileRows.map((row) => ({
    name: row.name,
    make: () => makeHostileImage(row),
    ...(row.mke2fsArgs.includes('1024') ? { traps } : {}),
  })),
  survey: surveyExt,
  tables: [...tableNames(format), ...tableNames(journal), ...tableNames(quota)],
  // Encrypted and casefolded directories, which no tool makes without a kernel.
  excused: ['ext4 directory entry hash'],
};
