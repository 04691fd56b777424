/**
 * One quota file: finding the entry of an id, adding one. Its blocks go through the buffer cache like all metadata; it grows
 * like any file, but what it takes itself is nobody's usage. Who is charged what is quota.ts.
 */
import { CorruptError } from '../../kern/errno.ts';
import { getLe32, setLe32 } from '../../kern/struct.ts';
import type { Buf } from '../../vfs/buf.ts';
import { balloc, bfree } from './balloc.ts';
import { bmap } from './bmap.ts';
import { loadInode, type Inode } from './inode.ts';
import { writeInode } from './inode-write.ts';
import {
  QUOTA_BLOCK_SIZE,
  QUOTA_LEVELS,
  QUOTA_MAGIC,
  QUOTA_ROOT,
  QUOTA_VERSION,
  QuotaEntry,
  QuotaHeader,
  QuotaInfo,
  QuotaLeaf,
  type QuotaEntryView,
} from './quota-format.ts';
import { refuseSystem } from './zones.ts';

export type QuotaKind = keyof typeof QUOTA_MAGIC;

const FIRST_ENTRY = QuotaLeaf.size;
/** Upper halves of what is counted, and where they are too large for a number. */
const HIGH_WORDS = [QuotaEntry.offsetOf('inodes') + 4, QuotaEntry.offsetOf('space') + 4] as const;
const HIGH_WORD_END = 0x20_0000;
/** A week, as other tools have it. */
const GRACE_SECONDS = 7 * 24 * 3600;
const ENTRIES = Math.floor((QUOTA_BLOCK_SIZE - FIRST_ENTRY) / QuotaEntry.size);
/** Ids whose entry's place is remembered. */
const PLACES_MAX = 1024;

/** A 1 KiB block in its pinned buffer. */
interface QBlock {
  readonly bp: Buf;
  readonly base: number;
}

export class QuotaFile {
  readonly kind: QuotaKind;
  readonly #ip: Inode;
  /** Where the entries of ids are. */
  readonly #places = new Map<number, { readonly block: number; readonly slot: number }>();

  /** Errors: CorruptError when it is none. */
  constructor(kind: QuotaKind, ip: Inode) {
    this.kind = kind;
    this.#ip = ip;
    this.#with(0, ({ bp, base }) => {
      const header = QuotaHeader.at(bp.data, base);
      if (header.magic !== QUOTA_MAGIC[kind] || header.version !== QUOTA_VERSION)
        throw new CorruptError(`${kind} quota file`, { ino: ip.ino });
    });
  }

  get ino(): number {
    return this.#ip.ino;
  }

  /** The disk below went back in time. */
  reload(): void {
    this.#places.clear();
    this.#ip.replace(loadInode(this.#ip.mp, this.ino));
  }

  /** Change the entry of an id, made first if there is none. Errors: ENOSPC, CorruptError. */
  update(id: number, change: (entry: QuotaEntryView) => void): void {
    const known = this.#places.get(id);
    const place = known ?? this.#find(id) ?? this.#insert(id);
    if (known === undefined) {
      if (this.#places.size >= PLACES_MAX) this.#places.clear();
      this.#places.set(id, place);
    }
    this.#with(place.block, ({ bp, base }) => {
      const at = base + FIRST_ENTRY + place.slot * QuotaEntry.size;
      const entry = QuotaEntry.at(bp.data, at);
      if (entry.id !== id) throw this.#corrupt('entry', place.block);
      change(entry);
      // All zeros would mean that the entry is free.
      if (isFree(bp.data, at)) entry.inodeTime = 1;
      this.#changed(bp);
    });
  }

  /** Seconds that usage may stay above a soft limit. */
  grace(): { readonly block: number; readonly inode: number } {
    return this.#withInfo((info) => ({ block: info.blockGrace, inode: info.inodeGrace }));
  }

  /** Every entry, in the order of ids. CorruptError where the tree is none. */
  *entries(): Generator<{ readonly id: number; readonly space: number; readonly inodes: number }> {
    const blocks = this.#withInfo((info) => {
      const { blocks: all, freeBlock, freeEntry } = info;
      const spare = this.#ip.size - all * QUOTA_BLOCK_SIZE;
      const fits = spare >= 0 && spare < Math.max(QUOTA_BLOCK_SIZE, this.#ip.geo.blockSize);
      const isSound = all > QUOTA_ROOT && fits && freeBlock < all && freeEntry < all;
      if (!isSound) throw this.#corrupt('info', 0);
      return all;
    });
    yield* this.#below({ node: QUOTA_ROOT, level: 0, prefix: 0, blocks, seen: new Set([QUOTA_ROOT]) });
  }

  *#below(at: {
    readonly node: number;
    readonly level: number;
    readonly prefix: number;
    readonly blocks: number;
    readonly seen: Set<number>;
  }): Generator<{ readonly id: number; readonly space: number; readonly inodes: number }> {
    const { node, level, prefix, blocks, seen } = at;
    for (let byte = 0; byte < 256; byte++) {
      const child = this.#with(node, ({ bp, base }) => getLe32(bp.data, base + 4 * byte));
      if (child === 0) continue;
      const id = (prefix * 256 + byte) >>> 0;
      if (child <= QUOTA_ROOT || child >= blocks) throw this.#corrupt(`pointer to ${child}`, node);
      if (level < QUOTA_LEVELS - 1) {
        if (seen.has(child)) throw this.#corrupt(`second pointer to ${child}`, node);
        seen.add(child);
        yield* this.#below({ node: child, level: level + 1, prefix: id, blocks, seen });
        continue;
      }
      const slot = this.#slot(child, (data, place) => QuotaEntry.at(data, place).id === id && !isFree(data, place));
      if (slot === undefined) throw this.#corrupt(`no entry of ${id}`, child);
      yield this.#with(child, ({ bp, base }) => {
        const place = base + FIRST_ENTRY + slot * QuotaEntry.size;
        // Usage beyond what a number holds is wrong whatever it is.
        const isWild = HIGH_WORDS.some((offset) => getLe32(bp.data, place + offset) >= HIGH_WORD_END);
        if (isWild) return { id, space: Infinity, inodes: Infinity };
        const { space, inodes } = QuotaEntry.at(bp.data, place);
        return { id, space, inodes };
      });
    }
  }

  /** Make an empty tree in the file's first blocks, which it has. */
  static format(kind: QuotaKind, ip: Inode): void {
    const { mp, geo } = ip;
    const first = Math.ceil((QUOTA_BLOCK_SIZE * (QUOTA_ROOT + 1)) / geo.blockSize);
    for (let fileBlock = 0; fileBlock < first; fileBlock++) {
      const run = balloc(ip, fileBlock, 1);
      const bp = mp.bufs.newblk(run.block);
      if (fileBlock === 0) {
        Object.assign(QuotaHeader.at(bp.data, 0), { magic: QUOTA_MAGIC[kind], version: QUOTA_VERSION });
        Object.assign(QuotaInfo.at(bp.data, QuotaHeader.size), {
          blockGrace: GRACE_SECONDS,
          inodeGrace: GRACE_SECONDS,
          blocks: QUOTA_ROOT + 1,
        });
      }
      mp.bufs.bdwrite(bp);
    }
    bfree(ip, { from: first, to: Number.MAX_SAFE_INTEGER });
    ip.size = QUOTA_BLOCK_SIZE * (QUOTA_ROOT + 1);
    writeInode(ip);
  }

  #corrupt(what: string, block: number): CorruptError {
    return new CorruptError(`${this.kind} quota file: ${what} in block ${block}`, { ino: this.ino });
  }

  #changed(bp: Buf): void {
    this.#ip.mp.bufs.markDirty(bp);
  }

  /** A block of the file, pinned for `use`. */
  #with<T>(block: number, use: (block: QBlock) => T): T {
    const { mp, geo } = this.#ip;
    const offset = block * QUOTA_BLOCK_SIZE;
    if (offset + QUOTA_BLOCK_SIZE > this.#ip.size) throw this.#corrupt('end', block);
    const fileBlock = Math.floor(offset / geo.blockSize);
    const { block: at } = bmap(this.#ip, fileBlock, 1);
    if (at === undefined) throw this.#corrupt('hole', block);
    refuseSystem(mp, { block: at, count: 1 }, this.ino);
    const bp = mp.bufs.bread(at);
    try {
      return use({ bp, base: offset % geo.blockSize });
    } finally {
      mp.bufs.brelse(bp);
    }
  }

  #withInfo<T>(use: (info: ReturnType<typeof QuotaInfo.at>, bp: Buf) => T): T {
    return this.#with(0, ({ bp, base }) => use(QuotaInfo.at(bp.data, base + QuotaHeader.size), bp));
  }

  /** The number in the tree node `node` for this level's byte of `id`. */
  #child(node: number, id: number, level: number): number {
    return this.#with(node, ({ bp, base }) => {
      const child = getLe32(bp.data, base + 4 * byteOf(id, level));
      if (child !== 0 && child <= QUOTA_ROOT) throw this.#corrupt(`pointer to ${child}`, node);
      return child;
    });
  }

  #find(id: number): { block: number; slot: number } | undefined {
    let block = QUOTA_ROOT;
    for (let level = 0; level < QUOTA_LEVELS; level++) {
      block = this.#child(block, id, level);
      if (block === 0) return undefined;
    }
    const slot = this.#slot(block, (data, at) => QuotaEntry.at(data, at).id === id && !isFree(data, at));
    if (slot === undefined) throw this.#corrupt(`no entry of ${id}`, block);
    return { block, slot };
  }

  #slot(block: number, matches: (data: Uint8Array, at: number) => boolean): number | undefined {
    return this.#with(block, ({ bp, base }) => {
      for (let slot = 0; slot < ENTRIES; slot++) {
        if (matches(bp.data, base + FIRST_ENTRY + slot * QuotaEntry.size)) return slot;
      }
      return undefined;
    });
  }

  #insert(id: number): { block: number; slot: number } {
    const place = this.#newEntry(id);
    let node = QUOTA_ROOT;
    for (let level = 0; level < QUOTA_LEVELS; level++) {
      let child = this.#child(node, id, level);
      if (child === 0) {
        child = level === QUOTA_LEVELS - 1 ? place.block : this.#newBlock();
        const to = child;
        this.#with(node, ({ bp, base }) => {
          setLe32(bp.data, base + 4 * byteOf(id, level), to);
          this.#changed(bp);
        });
      }
      node = child;
    }
    return place;
  }

  /** A slot in a leaf that has room, its id written. */
  #newEntry(id: number): { block: number; slot: number } {
    let block = this.#withInfo((info) => info.freeEntry);
    if (block === 0) {
      block = this.#newBlock();
      const first = block;
      this.#withInfo((info, bp) => {
        info.freeEntry = first;
        this.#changed(bp);
      });
    }
    const slot = this.#slot(block, isFree);
    if (slot === undefined) throw this.#corrupt('no room', block);
    const next = this.#with(block, ({ bp, base }) => {
      const leaf = QuotaLeaf.at(bp.data, base);
      const entry = QuotaEntry.at(bp.data, base + FIRST_ENTRY + slot * QuotaEntry.size);
      entry.id = id;
      if (id === 0) entry.inodeTime = 1;
      leaf.entries += 1;
      this.#changed(bp);
      if (leaf.entries < ENTRIES) return undefined;
      // Full: it leaves the list, whose first it was.
      const { nextFree } = leaf;
      leaf.nextFree = 0;
      leaf.prevFree = 0;
      return nextFree;
    });
    if (next !== undefined) this.#setFirstFree(next);
    return { block, slot };
  }

  #setFirstFree(block: number): void {
    this.#withInfo((info, bp) => {
      info.freeEntry = block;
      this.#changed(bp);
    });
    if (block === 0) return;
    this.#with(block, ({ bp, base }) => {
      QuotaLeaf.at(bp.data, base).prevFree = 0;
      this.#changed(bp);
    });
  }

  /** A block of zeros: one that was freed, or one more at the end. Errors: ENOSPC. */
  #newBlock(): number {
    const free = this.#withInfo((info) => info.freeBlock);
    const block = free === 0 ? this.#appendBlock() : free;
    const next = this.#with(block, ({ bp, base }) => {
      const { nextFree } = QuotaLeaf.at(bp.data, base);
      bp.data.fill(0, base, base + QUOTA_BLOCK_SIZE);
      this.#changed(bp);
      return nextFree;
    });
    if (free !== 0)
      this.#withInfo((info, bp) => {
        info.freeBlock = next;
        this.#changed(bp);
      });
    return block;
  }

  #appendBlock(): number {
    const ip = this.#ip;
    const block = this.#withInfo((info, bp) => {
      this.#changed(bp);
      return info.blocks++;
    });
    const end = (block + 1) * QUOTA_BLOCK_SIZE;
    const fileBlock = Math.floor((end - 1) / ip.geo.blockSize);
    const run = balloc(ip, fileBlock, 1);
    if (run.isNew) ip.mp.bufs.bdwrite(ip.mp.bufs.newblk(run.block));
    if (end > ip.size) ip.size = end;
    writeInode(ip);
    return block;
  }
}

const byteOf = (id: number, level: number): number => (id >>> (8 * (QUOTA_LEVELS - 1 - level))) & 0xff;

const isFree = (data: Uint8Array, at: number): boolean =>
  data.subarray(at, at + QuotaEntry.size).every((byte) => byte === 0);
