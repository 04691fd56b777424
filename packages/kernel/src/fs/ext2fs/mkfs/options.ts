/**
 * The words that mkfs takes for ext2, ext3 and ext4, and their reading into typed options. What contradicts itself or the
 * format is refused here, before anything is planned.
 */
import { FsError } from '../../../kern/errno.ts';
import { nameToBytes } from '../../../kern/name.ts';
import type { MkfsRequest } from '../../../vfs/vfsops.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from '../features.ts';
import { HASH } from '../format.ts';
import {
  DEFAULT_BLOCK_SIZE,
  DEFAULT_CLUSTER_BLOCKS,
  DEFAULT_FLEX_GROUPS,
  DEFAULT_INODE_RATIO,
  DEFAULT_INODE_SIZE,
  DEFAULT_MMP_INTERVAL,
  DEFAULT_RESERVED_PERCENT,
  NO_FEATURES,
  USAGES,
  defaultFeatures,
  editFeatures,
  usageOfSize,
  type Ext2Type,
  type FeatureBits,
} from './conf.ts';

/** Word → help. Letters of mke2fs in brackets. */
export const ext2fsMkfsWords = {
  label: 'volume name, at most 16 bytes (-L)',
  uuid: 'UUID, or random, or clear (-U)',
  block_size: 'bytes in a block (-b)',
  cluster_size: 'bytes in a cluster, with bigalloc (-C)',
  bytes_per_inode: 'one inode for so many bytes (-i)',
  inodes: 'number of inodes (-N)',
  inode_size: 'bytes in an inode (-I)',
  reserved: 'percentage of blocks kept for root (-m)',
  features: 'list of features, ^ before those to leave out (-O)',
  usage: 'floppy, small, default, big, huge, news, largefile, largefile4 (-T)',
  journal_size: 'size of the journal in MiB (-J size=)',
  fast_commit_size: 'size of the fast-commit area in KiB (-J fast_commit_size=)',
  flex_groups: 'groups in a flexible group (-G)',
  blocks_per_group: 'blocks, with bigalloc clusters, in a group (-g)',
  revision: '0 or 1 (-r)',
  last_mounted: 'directory that it was last mounted on (-M)',
  errors: 'continue, remount-ro or panic (-e)',
  stride: 'blocks that a RAID disk holds before the next one (-E stride=)',
  stripe_width: 'blocks in a RAID stripe (-E stripe_width=)',
  resize: 'blocks that it may grow to online (-E resize=)',
  lazy_itable_init: '0: write inode tables now; 1: leave them to the kernel (-E lazy_itable_init=)',
  num_backup_sb: '0, 1 or 2 copies with sparse_super2 (-E num_backup_sb=)',
  root_owner: 'UID:GID of the root directory (-E root_owner=)',
  hash_seed: 'UUID that seeds directory hashes (-E hash_seed=)',
  hash_alg: 'legacy, half_md4 or tea',
  packed_meta_blocks: '1: bitmaps, tables and journal at the beginning (-E packed_meta_blocks=)',
  mmp_update_interval: 'seconds (-E mmp_update_interval=)',
  orphan_file_size: 'size of the orphan file in KiB (-E orphan_file_size=)',
  encoding: 'utf8 or utf8-12.1, for casefold (-E encoding=)',
  encoding_flags: 'strict (-E encoding_flags=)',
  quotatype: 'which quotas: usrquota:grpquota:prjquota (-E quotatype=)',
} as const;
type Ext2MkfsWord = keyof typeof ext2fsMkfsWords;

/** How errors found while mounted are met: s_errors. */
const ERRORS: Readonly<Record<string, number>> = { continue: 1, 'remount-ro': 2, panic: 3 };
const HASHES: Readonly<Record<string, number>> = { legacy: HASH.LEGACY, half_md4: HASH.HALF_MD4, tea: HASH.TEA };

export interface Ext2MkfsOptions {
  readonly features: FeatureBits;
  readonly revision: 0 | 1;
  readonly blockSize: number;
  /** Blocks per cluster: 1 without bigalloc. */
  readonly clusterBlocks: number;
  readonly inodeRatio: number;
  readonly inodes: number | undefined;
  /** Where the ratio gives fewer. */
  readonly leastInodes: number;
  readonly inodeSize: number;
  readonly reservedPercent: number;
  readonly flexGroups: number;
  /** In blocks, or clusters with bigalloc. */
  readonly unitsPerGroup: number | undefined;
  readonly label: Uint8Array;
  readonly lastMounted: Uint8Array;
  readonly uuid: Uint8Array;
  readonly hashSeed: Uint8Array;
  readonly hashVersion: number;
  readonly errors: number;
  readonly stride: number;
  readonly stripeWidth: number;
  /** Blocks. */
  readonly resize: number | undefined;
  readonly lazyTables: boolean;
  readonly backups: 0 | 1 | 2;
  readonly rootOwner: { readonly uid: number; readonly gid: number };
  readonly packed: boolean;
  readonly mmpInterval: number;
  /** Bytes. */
  readonly journalBytes: number | undefined;
  readonly fastCommitBytes: number | undefined;
  readonly orphanBytes: number | undefined;
  readonly encodingFlags: number;
  readonly quotas: readonly ('user' | 'group' | 'project')[];
}

export const has = (f: FeatureBits, set: keyof FeatureBits, bit: number): boolean => (f[set] & bit) >>> 0 !== 0;

const invalid = (what: string): FsError => new FsError('EINVAL', { op: 'mkfs', what });

/** Reads words, each at most once asked for. */
class Words {
  readonly #given: Readonly<Record<string, string | true>>;
  constructor(given: Readonly<Record<string, string | true>>) {
    const unknown = Object.keys(given).find((word) => !Object.hasOwn(ext2fsMkfsWords, word));
    if (unknown !== undefined) throw invalid(`no such option: ${unknown}`);
    this.#given = given;
  }
  text(word: Ext2MkfsWord): string | undefined {
    const value = this.#given[word];
    if (value === true) throw invalid(`${word}: a value is wanted`);
    return value;
  }
  number(word: Ext2MkfsWord, range: { readonly min: number; readonly max: number }): number | undefined {
    const text = this.text(word);
    if (text === undefined) return undefined;
    const n = /^[0-9]{1,15}$/.test(text) ? Number(text) : NaN;
    if (!(n >= range.min && n <= range.max)) {
      throw invalid(`${word}: '${text}' is not a number from ${range.min} to ${range.max}`);
    }
    return n;
  }
  choice<T>(word: Ext2MkfsWord, among: Readonly<Record<string, T>>): T | undefined {
    const text = this.text(word);
    if (text === undefined) return undefined;
    const found = Object.hasOwn(among, text) ? among[text] : undefined;
    if (found === undefined) throw invalid(`${word}: '${text}' is none of ${Object.keys(among).join(', ')}`);
    return found;
  }
  flag(word: Ext2MkfsWord): boolean | undefined {
    return this.choice(word, { '0': false, '1': true });
  }
}

const TWO32 = 0x1_0000_0000;
/** The format's own, lost+found, and what may lie behind it: the orphan file, project quotas. */
const RESERVED_INODES = 13;
const isPowerOf2 = (n: number): boolean => n > 0 && 2 ** Math.round(Math.log2(n)) === n;

/** EINVAL naming the word that is wrong. */
export function readOptions(request: MkfsRequest, sizeBytes: number): Ext2MkfsOptions {
  const words = new Words(request.options);
  const revision = words.number('revision', { min: 0, max: 1 }) === 0 ? 0 : 1;
  const usages = usagesOf(words.text('usage') ?? usageOfSize(sizeBytes));
  const blockSize =
    words.number('block_size', { min: 1024, max: 65536 }) ??
    usages.reduce((size, usage) => usage.blockSize ?? size, DEFAULT_BLOCK_SIZE);
  if (!isPowerOf2(blockSize)) throw invalid(`block_size: ${blockSize} is no power of two`);
  const type = typeOf(request.variant);
  const asked = words.text('features') ?? '';
  if (revision === 0 && asked !== '' && asked !== 'none') throw invalid('features: revision 0 has none');
  const features = implied(editFeatures(revision === 0 ? NO_FEATURES : defaultFeatures(type), asked), words);
  const inodeSize = inodeSizeOf(words, { revision, blockSize });
  const clusterBlocks = clusterBlocksOf(words, features, blockSize);
  const quotas = quotasOf(words, features);
  const options: Ext2MkfsOptions = {
    features,
    revision,
    blockSize,
    clusterBlocks,
    inodeRatio:
      words.number('bytes_per_inode', { min: 1024, max: 4 * 1024 * 65536 }) ??
      Math.max(
        blockSize * clusterBlocks,
        usages.reduce((ratio, usage) => usage.inodeRatio ?? ratio, DEFAULT_INODE_RATIO),
      ),
    inodes: words.number('inodes', { min: 1, max: TWO32 - 1 }),
    leastInodes:
      request.leastFiles === undefined || words.text('bytes_per_inode') !== undefined
        ? 0
        : request.leastFiles + RESERVED_INODES,
    inodeSize,
    reservedPercent: percentOf(words),
    flexGroups: flexGroupsOf(words, features),
    unitsPerGroup: unitsPerGroupOf(words, blockSize),
    label: field(words, 'label', 16),
    lastMounted: field(words, 'last_mounted', 64),
    ...identityOf(words, request),
    hashVersion: words.choice('hash_alg', HASHES) ?? HASH.HALF_MD4,
    errors: words.choice('errors', ERRORS) ?? 1,
    stride: words.number('stride', { min: 1, max: 65535 }) ?? 0,
    stripeWidth: words.number('stripe_width', { min: 1, max: TWO32 - 1 }) ?? 0,
    resize: words.number('resize', { min: 1, max: TWO32 - 1 }),
    lazyTables: words.flag('lazy_itable_init') ?? true,
    backups: words.choice('num_backup_sb', { '0': 0, '1': 1, '2': 2 } as const) ?? 2,
    rootOwner: ownerOf(words),
    packed: words.flag('packed_meta_blocks') ?? false,
    mmpInterval: words.number('mmp_update_interval', { min: 1, max: 300 }) ?? DEFAULT_MMP_INTERVAL,
    journalBytes: kibibytes(words.number('journal_size', { min: 1, max: 1024 * 1024 * 16 }), 1024),
    fastCommitBytes: kibibytes(words.number('fast_commit_size', { min: 1, max: 1024 * 1024 * 16 }), 1),
    orphanBytes: kibibytes(words.number('orphan_file_size', { min: 1, max: 1024 * 1024 }), 1),
    encodingFlags: words.choice('encoding_flags', { strict: 1, 'no-strict': 0 }) ?? 0,
    quotas,
  };
  words.choice('encoding', { utf8: 1, 'utf8-12.1': 1 });
  checkTogether(options);
  return options;
}

const kibibytes = (n: number | undefined, times: number): number | undefined =>
  n === undefined ? undefined : n * times * 1024;

function typeOf(variant: string): Ext2Type {
  if (variant === 'ext3' || variant === 'ext4') return variant;
  return 'ext2';
}

function usagesOf(list: string): { readonly blockSize?: number; readonly inodeRatio?: number }[] {
  return list.split(',').map((word) => {
    const usage = Object.hasOwn(USAGES, word) ? USAGES[word] : undefined;
    if (usage === undefined) throw invalid(`usage: '${word}' is none of ${Object.keys(USAGES).join(', ')}`);
    return usage;
  });
}

/** What options say about features. */
function implied(features: FeatureBits, words: Words): FeatureBits {
  let { compat } = features;
  let { roCompat } = features;
  if (words.text('journal_size') !== undefined) compat |= COMPAT.HAS_JOURNAL;
  if (words.text('resize') !== undefined) compat |= COMPAT.RESIZE_INODE;
  if ((roCompat & RO_COMPAT.METADATA_CSUM) !== 0) roCompat &= ~RO_COMPAT.GDT_CSUM;
  return { ...features, compat, roCompat: roCompat >>> 0 };
}

function inodeSizeOf(words: Words, { revision, blockSize }: { revision: 0 | 1; blockSize: number }): number {
  const given = words.number('inode_size', { min: 128, max: blockSize });
  if (given !== undefined && !isPowerOf2(given)) throw invalid(`inode_size: ${given} is no power of two`);
  if (revision === 0 && given !== undefined && given !== 128) throw invalid('inode_size: revision 0 has 128 bytes');
  return given ?? (revision === 0 ? 128 : DEFAULT_INODE_SIZE);
}

function clusterBlocksOf(words: Words, features: FeatureBits, blockSize: number): number {
  const size = words.number('cluster_size', { min: 1024, max: 512 * 1024 * 1024 });
  if (!has(features, 'roCompat', RO_COMPAT.BIGALLOC)) {
    if (size !== undefined) throw invalid('cluster_size: the feature bigalloc is wanted with it');
    return 1;
  }
  if (size === undefined) return DEFAULT_CLUSTER_BLOCKS;
  if (!isPowerOf2(size) || size <= blockSize) {
    throw invalid(`cluster_size: ${size} is no power of two greater than the block size`);
  }
  return size / blockSize;
}

function percentOf(words: Words): number {
  const text = words.text('reserved');
  if (text === undefined) return DEFAULT_RESERVED_PERCENT;
  const n = /^[0-9]{1,2}(\.[0-9]{1,6})?$/.test(text) ? Number(text) : NaN;
  if (!(n >= 0 && n <= 50)) throw invalid(`reserved: '${text}' is no percentage from 0 to 50`);
  return n;
}

function flexGroupsOf(words: Words, features: FeatureBits): number {
  const given = words.number('flex_groups', { min: 1, max: 2 ** 31 });
  if (!has(features, 'incompat', INCOMPAT.FLEX_BG)) {
    if (given !== undefined) throw invalid('flex_groups: the feature flex_bg is wanted with it');
    return 1;
  }
  if (given !== undefined && !isPowerOf2(given)) throw invalid(`flex_groups: ${given} is no power of two`);
  return given ?? DEFAULT_FLEX_GROUPS;
}

function unitsPerGroupOf(words: Words, blockSize: number): number | undefined {
  const given = words.number('blocks_per_group', { min: 256, max: blockSize * 8 });
  if (given !== undefined && given % 8 !== 0) throw invalid('blocks_per_group: must be a multiple of 8');
  return given;
}

function field(words: Words, word: 'label' | 'last_mounted', size: number): Uint8Array {
  const bytes = nameToBytes(words.text(word) ?? '');
  if (bytes.length > size) throw invalid(`${word}: at most ${size} bytes`);
  const padded = new Uint8Array(size);
  padded.set(bytes);
  return padded;
}

/** UUID and hash seed: given, or of the request's chance, always in this order. */
function identityOf(words: Words, request: MkfsRequest): { uuid: Uint8Array; hashSeed: Uint8Array } {
  const [uuid, hashSeed] = (['uuid', 'hash_seed'] as const).map((word) => {
    const chance = randomUuid(request);
    const text = words.text(word);
    if (text === undefined || text === 'random' || text === 'time') return chance;
    if (text === 'clear' || text === 'null') return new Uint8Array(16);
    const digits = text.replaceAll('-', '');
    if (!/^[0-9a-fA-F]{32}$/.test(digits) || !/^[0-9a-fA-F]{8}-?([0-9a-fA-F]{4}-?){3}[0-9a-fA-F]{12}$/.test(text)) {
      throw invalid(`${word}: '${text}' is no UUID`);
    }
    return Uint8Array.from({ length: 16 }, (_, i) => parseInt(digits.slice(2 * i, 2 * i + 2), 16));
  });
  return { uuid: uuid ?? new Uint8Array(16), hashSeed: hashSeed ?? new Uint8Array(16) };
}

/** RFC 4122, version 4. */
function randomUuid(request: MkfsRequest): Uint8Array {
  const uuid = new Uint8Array(16);
  request.random(uuid);
  uuid[6] = ((uuid[6] ?? 0) & 0x0f) | 0x40;
  uuid[8] = ((uuid[8] ?? 0) & 0x3f) | 0x80;
  return uuid;
}

function ownerOf(words: Words): { readonly uid: number; readonly gid: number } {
  const text = words.text('root_owner');
  const [, uid = '0', gid = '0'] = /^([0-9]{1,10}):([0-9]{1,10})$/.exec(text ?? '0:0') ?? ['', 'x', 'x'];
  const owner = { uid: Number(uid), gid: Number(gid) };
  if (!(owner.uid < TWO32 && owner.gid < TWO32)) throw invalid(`root_owner: '${text ?? ''}' is no UID:GID`);
  return owner;
}

function quotasOf(words: Words, features: FeatureBits): ('user' | 'group' | 'project')[] {
  if (!has(features, 'roCompat', RO_COMPAT.QUOTA)) return [];
  const text = words.text('quotatype');
  const hasProjects = has(features, 'roCompat', RO_COMPAT.PROJECT);
  if (text === undefined) return hasProjects ? ['user', 'group', 'project'] : ['user', 'group'];
  const kinds = { usrquota: 'user', grpquota: 'group', prjquota: 'project' } as const;
  const unknown = text.split(/[:,]/).find((word) => !Object.hasOwn(kinds, word));
  if (unknown !== undefined) throw invalid(`quotatype: '${unknown}' is none of ${Object.keys(kinds).join(', ')}`);
  return Object.entries(kinds)
    .filter(([word]) => text.split(/[:,]/).includes(word))
    .map(([, kind]) => kind);
}

/** Options that exclude or need each other. EINVAL. */
function checkTogether(o: Ext2MkfsOptions): void {
  const on = (set: keyof FeatureBits, bit: number): boolean => has(o.features, set, bit);
  const hasExtents = on('incompat', INCOMPAT.EXTENTS);
  const hasJournal = on('compat', COMPAT.HAS_JOURNAL);
  const resizes = on('compat', COMPAT.RESIZE_INODE);
  const rules: readonly [boolean, string][] = [
    [o.clusterBlocks > 1 && !hasExtents, 'bigalloc needs the feature extent'],
    [on('incompat', INCOMPAT.BIT64) && !hasExtents, '64bit needs the feature extent'],
    [resizes && on('incompat', INCOMPAT.META_BG), 'resize_inode and meta_bg exclude each other'],
    [
      resizes && !on('roCompat', RO_COMPAT.SPARSE_SUPER) && !on('compat', COMPAT.SPARSE_SUPER2),
      'resize_inode needs the feature sparse_super',
    ],
    [
      on('incompat', INCOMPAT.CSUM_SEED) && !on('roCompat', RO_COMPAT.METADATA_CSUM),
      'metadata_csum_seed needs the feature metadata_csum',
    ],
    [on('compat', COMPAT.ORPHAN_FILE) && !hasJournal, 'orphan_file needs the feature has_journal'],
    [on('compat', COMPAT.FAST_COMMIT) && !hasJournal, 'fast_commit needs the feature has_journal'],
    [on('incompat', INCOMPAT.INLINE_DATA) && o.inodeSize < 256, 'inline_data needs inodes of 256 bytes'],
    [on('roCompat', RO_COMPAT.PROJECT) && o.inodeSize < 256, 'project needs inodes of 256 bytes'],
    [o.quotas.includes('project') && !on('roCompat', RO_COMPAT.PROJECT), 'prjquota needs the feature project'],
    [o.packed && !on('incompat', INCOMPAT.FLEX_BG), 'packed_meta_blocks needs the feature flex_bg'],
    [o.revision === 0 && o.resize !== undefined, 'resize: revision 0 has no resize_inode'],
    [o.revision === 0 && hasJournal, 'a journal needs revision 1'],
  ];
  const broken = rules.find(([isBroken]) => isBroken);
  if (broken !== undefined) throw invalid(broken[1]);
}
