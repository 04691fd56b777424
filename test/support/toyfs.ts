/**
 * A file system small enough to be obviously right, for testing the transaction under it.
 *
 * Blocks of 512 bytes: superblock, bitmap (a byte per block), 16 inodes of 256 bytes, data. Files are written whole. The
 * bitmap is cached in memory, as real file systems cache theirs. check() recomputes everything from the disk.
 */
import { crc32c } from '../../packages/kernel/src/kern/checksum/crc32c.ts';
import { getLe32, setLe32 } from '../../packages/kernel/src/kern/struct.ts';
import { FsError } from '../../packages/kernel/src/kern/errno.ts';
import type { BlockDevice } from '../../packages/kernel/src/dev/blockdev.ts';

export const BLOCK = 512;
const MAGIC = 0x59_4f_54_21;
const BITMAP = 1;
const INODES = 2;
const COUNT_INODES = 16;
const INODE_SIZE = 256;
const FIRST_DATA = INODES + (COUNT_INODES * INODE_SIZE) / BLOCK;
const MAX_FILE_BLOCKS = 40;
/** Superblock fields, le32: magic, dirty, blocks, files, generation. */
const [MAGIC_AT, DIRTY_AT, BLOCKS_AT, FILES_AT, GENERATION_AT] = [0, 4, 8, 12, 16];

export type Tree = Map<string, Uint8Array>;

interface Inode {
  readonly index: number;
  readonly name: string;
  readonly size: number;
  readonly crc: number;
  readonly blocks: readonly number[];
}

export class ToyFs {
  readonly #dev: BlockDevice;
  #bitmap: Uint8Array = new Uint8Array(BLOCK);

  /** `lookOnly`: tell the device nothing, for judging it. */
  constructor(dev: BlockDevice, options: { readonly lookOnly?: boolean } = {}) {
    this.#dev = dev;
    this.reload();
    if (!dev.readOnly && options.lookOnly !== true) {
      dev.superblock({
        extent: { offset: 0, length: BLOCK },
        dirtyMark: (old) => {
          if (getLe32(old, MAGIC_AT) !== MAGIC) return undefined;
          setLe32(old, DIRTY_AT, 1);
          return old;
        },
      });
    }
  }

  static format(dev: BlockDevice): void {
    const blocks = Math.floor(dev.sizeBytes / BLOCK);
    for (let b = 0; b < FIRST_DATA; b++) dev.write(new Uint8Array(BLOCK), b * BLOCK);
    const sb = new Uint8Array(BLOCK);
    setLe32(sb, MAGIC_AT, MAGIC);
    setLe32(sb, BLOCKS_AT, blocks);
    dev.write(sb, 0);
    dev.write(new Uint8Array(BLOCK).fill(1, 0, FIRST_DATA), BITMAP * BLOCK);
  }

  /** Drop the cache: after a rollback. */
  reload(): void {
    this.#bitmap = this.#block(BITMAP);
    if (getLe32(this.#block(0), MAGIC_AT) !== MAGIC) throw new FsError('EFTYPE', { what: 'not a toyfs' });
  }

  /** Write a whole file. Old blocks are released, new ones are fresh unless there is only released space left. */
  write(name: string, bytes: Uint8Array): void {
    const old = this.#find(name);
    if (old !== undefined) this.#free(old.blocks);
    const index = old?.index ?? this.#inodes().findIndex((inode) => inode === undefined);
    if (index < 0) throw new FsError('ENOSPC');
    const blocks = this.#alloc(Math.ceil(bytes.length / BLOCK));
    const padded = new Uint8Array(blocks.length * BLOCK);
    padded.set(bytes);
    for (let first = 0, end = 1; first < blocks.length; first = end++) {
      while (blocks[end] === (blocks[first] ?? 0) + end - first) end++;
      this.#dev.write(padded.subarray(first * BLOCK, end * BLOCK), (blocks[first] ?? 0) * BLOCK);
    }
    this.#storeInode(index, { index, name, size: bytes.length, crc: crc32c(0, bytes), blocks });
    this.#storeCounts(old === undefined ? 1 : 0);
  }

  remove(name: string): void {
    const inode = this.#find(name);
    if (inode === undefined) throw new FsError('ENOENT');
    this.#free(inode.blocks);
    this.#storeInode(inode.index, undefined);
    this.#storeCounts(-1);
  }

  /** The device has got another size: use it. */
  resized(): void {
    const sb = this.#block(0);
    setLe32(sb, BLOCKS_AT, Math.floor(this.#dev.sizeBytes / BLOCK));
    this.#dev.write(sb, 0);
  }

  tree(): Tree {
    const files = this.#inodes().filter((inode) => inode !== undefined);
    return new Map(files.map((inode) => [inode.name, this.#contents(inode)]));
  }

  isDirty(): boolean {
    return getLe32(this.#block(0), DIRTY_AT) !== 0;
  }

  /** Everything that is wrong, from the disk alone. */
  check(): string[] {
    const wrong: string[] = [];
    const sb = this.#block(0);
    const blocks = getLe32(sb, BLOCKS_AT);
    if (getLe32(sb, DIRTY_AT) !== 0) wrong.push('dirty');
    if (blocks * BLOCK > this.#dev.sizeBytes) return [...wrong, `${blocks} blocks on a smaller device`];
    const owner = new Map<number, string>();
    const files = this.#inodes().filter((inode) => inode !== undefined);
    if (files.length !== getLe32(sb, FILES_AT))
      wrong.push(`${files.length} files, superblock says ${getLe32(sb, FILES_AT)}`);
    for (const inode of files) {
      for (const block of inode.blocks) {
        if (block < FIRST_DATA || block >= blocks) wrong.push(`${inode.name}: block ${block}`);
        if (owner.has(block)) wrong.push(`block ${block} is in ${inode.name} and ${owner.get(block)}`);
        owner.set(block, inode.name);
      }
      if (wrong.length === 0 && crc32c(0, this.#contents(inode)) !== inode.crc) wrong.push(`${inode.name}: contents`);
    }
    const bitmap = this.#block(BITMAP);
    for (let b = FIRST_DATA; b < Math.min(blocks, BLOCK); b++) {
      if ((bitmap[b] === 1) !== owner.has(b)) wrong.push(`bitmap of block ${b}`);
    }
    return wrong;
  }

  #block(no: number): Uint8Array {
    const bytes = new Uint8Array(BLOCK);
    this.#dev.read(bytes, no * BLOCK);
    return bytes;
  }

  #alloc(count: number): number[] {
    const limit = Math.min(getLe32(this.#block(0), BLOCKS_AT), BLOCK);
    const free: number[] = [];
    for (let b = FIRST_DATA; b < limit; b++) if (this.#bitmap[b] === 0) free.push(b);
    const extentOf = (b: number) => ({ offset: b * BLOCK, length: BLOCK });
    const isReleased = (b: number): boolean => this.#dev.isReleased(extentOf(b));
    const order = [...free.filter((b) => !isReleased(b)), ...free.filter(isReleased)];
    if (count > order.length || count > MAX_FILE_BLOCKS) throw new FsError('ENOSPC');
    const chosen = order.slice(0, count);
    for (const b of chosen) {
      this.#bitmap[b] = 1;
      if (!isReleased(b)) this.#dev.fresh(extentOf(b));
    }
    this.#dev.write(this.#bitmap, BITMAP * BLOCK);
    return chosen;
  }

  #free(blocks: readonly number[]): void {
    for (const b of blocks) {
      this.#bitmap[b] = 0;
      this.#dev.released({ offset: b * BLOCK, length: BLOCK });
    }
    this.#dev.write(this.#bitmap, BITMAP * BLOCK);
  }

  #inodes(): (Inode | undefined)[] {
    const table = new Uint8Array(COUNT_INODES * INODE_SIZE);
    this.#dev.read(table, INODES * BLOCK);
    return Array.from({ length: COUNT_INODES }, (_, index) => {
      const at = index * INODE_SIZE;
      const nameLength = table[at] ?? 0;
      if (nameLength === 0) return undefined;
      const size = getLe32(table, at + 32);
      const countBlocks = Math.min(Math.ceil(size / BLOCK), MAX_FILE_BLOCKS);
      return {
        index,
        name: new TextDecoder().decode(table.subarray(at + 1, at + 1 + nameLength)),
        size,
        crc: getLe32(table, at + 36),
        blocks: Array.from({ length: countBlocks }, (_, i) => getLe32(table, at + 40 + i * 4)),
      };
    });
  }

  #find(name: string): Inode | undefined {
    return this.#inodes().find((inode) => inode?.name === name);
  }

  #storeInode(index: number, inode: Inode | undefined): void {
    const bytes = new Uint8Array(INODE_SIZE);
    if (inode !== undefined) {
      const name = new TextEncoder().encode(inode.name);
      bytes[0] = name.length;
      bytes.set(name, 1);
      setLe32(bytes, 32, inode.size);
      setLe32(bytes, 36, inode.crc);
      inode.blocks.forEach((block, i) => setLe32(bytes, 40 + i * 4, block));
    }
    this.#dev.write(bytes, INODES * BLOCK + index * INODE_SIZE);
  }

  #storeCounts(filesAdded: number): void {
    const sb = this.#block(0);
    setLe32(sb, FILES_AT, getLe32(sb, FILES_AT) + filesAdded);
    setLe32(sb, GENERATION_AT, getLe32(sb, GENERATION_AT) + 1);
    this.#dev.write(sb, 0);
  }

  #contents(inode: Inode): Uint8Array {
    const bytes = new Uint8Array(inode.blocks.length * BLOCK);
    inode.blocks.forEach((block, i) => {
      if ((block + 1) * BLOCK > this.#dev.sizeBytes) return;
      this.#dev.read(bytes.subarray(i * BLOCK, (i + 1) * BLOCK), block * BLOCK);
    });
    return bytes.subarray(0, inode.size);
  }
}

/** Trees as text that compares and prints well. */
export const treeText = (tree: Tree): string =>
  [...tree]
    .map(([name, bytes]) => `${name}:${bytes.length}:${crc32c(0, bytes).toString(16)}`)
    .sort()
    .join(' ');

/** The tree on a device, or what is wrong with it. */
export function judge(dev: BlockDevice): string {
  const fs = new ToyFs(dev, { lookOnly: true });
  const wrong = fs.check();
  return wrong.length > 0 ? `BAD ${wrong.join('; ')}` : treeText(fs.tree());
}
