/**
 * The hash tree of one directory: nodes as they come by, in the order of the blocks, and the hashes met in each leaf. Held
 * against each other at the end: every block has its one place, nodes are in order, names lie where their hash says.
 * Spec: "Hash Tree Directories".
 */
import type { FileBlock, FsBlock } from '../../../kern/ids.ts';
import { getLe16, getLe32 } from '../../../kern/struct.ts';
import { casefold } from '../casefold.ts';
import { initDirTail, setDirLeafCsum, verifyDxNode } from '../csum.ts';
import { initRecords, recLenAt, recordSize, setRecLen } from '../dirblock.ts';
import { INCOMPAT } from '../features.ts';
import {
  DirTail,
  DX_BLOCK_MASK,
  DX_ENTRY_SIZE,
  DX_NODE_ENTRIES,
  DX_ROOT_ENTRIES,
  DX_ROOT_INFO_OFFSET,
  DxRootInfo,
  DxTail,
  IFLAG,
} from '../format.ts';
import { nameHash } from '../hash.ts';
import { dxRootInfo } from '../htree-lookup.ts';
import type { Inode } from '../inode.ts';
import { hasIncompat } from '../superblock.ts';
import { storeRaw } from './inode-case.ts';
import type { Check } from './state.ts';

const HASH_END = 0x1_0000_0000;

/** What lies in a block of the directory. */
const LEAF = 0;
const NODE = 1;

interface Node {
  readonly entries: Uint32Array;
}

export class HashTree {
  readonly #c: Check;
  readonly #inode: Inode;
  readonly #blocks: number;
  readonly #kinds: Uint8Array;
  /** Lowest and highest hash in each leaf. */
  readonly #low: Float64Array;
  readonly #high: Float64Array;
  readonly #nodes = new Map<FileBlock, Node>();
  #version: number | undefined;
  #levels = 0;
  #isBroken = false;
  #isAbandoned = false;
  /** Blocks of the tree, root and nodes. */
  readonly #places = new Map<FileBlock, FsBlock>();
  readonly #isFolded: boolean;

  constructor(c: Check, inode: Inode, blocks: number) {
    this.#c = c;
    this.#inode = inode;
    this.#blocks = blocks;
    this.#kinds = new Uint8Array(blocks);
    this.#low = new Float64Array(blocks).fill(HASH_END);
    this.#high = new Float64Array(blocks).fill(-1);
    this.#isFolded = inode.hasFlag(IFLAG.CASEFOLD) && hasIncompat(c.geo, INCOMPAT.CASEFOLD);
  }

  /** Is the block of the tree, and no leaf? Nodes look like one empty record. */
  isNode(data: Uint8Array, fileBlock: FileBlock): boolean {
    return fileBlock === 0 || (getLe32(data, 0) === 0 && recLenAt(data, 0) === data.length && this.#hasLimit(data));
  }

  #hasLimit(data: Uint8Array): boolean {
    return getLe16(data, DX_NODE_ENTRIES) === this.#limit(DX_NODE_ENTRIES);
  }

  #limit(entriesAt: number): number {
    const { blockSize, metadataCsum } = this.#c.geo;
    return Math.floor((blockSize - entriesAt - (metadataCsum ? DxTail.size : 0)) / DX_ENTRY_SIZE);
  }

  #tell(code: string, message: string, block?: FsBlock): void {
    this.#isBroken = true;
    const where = { ino: this.#inode.ino, ...(block === undefined ? {} : { block }) };
    // Nothing is lost without the tree: all names are in the leaves.
    if (this.#c.report({ code, message, where, repair: 'safe' }, () => undefined)) this.abandon();
  }

  /** The directory will do without its tree: when all blocks were seen. */
  abandon(): void {
    this.#isAbandoned = true;
  }

  /** Blocks of the tree become leaves without names; the first keeps its two. */
  #flatten(): void {
    const { geo } = this.#c;
    for (const [fileBlock, block] of this.#places) {
      const data = new Uint8Array(geo.blockSize);
      const end = geo.blockSize - (geo.metadataCsum ? DirTail.size : 0);
      if (fileBlock === 0) {
        this.#c.device.read(data, block * geo.blockSize);
        const second = recordSize(1);
        setRecLen(data, second, end - second);
        data.fill(0, second + recordSize(2));
      } else initRecords(data, 0, end);
      if (geo.metadataCsum) initDirTail(data);
      setDirLeafCsum(geo, this.#inode.seed, data);
      this.#c.writeBlock(block, data);
    }
    this.#inode.flags &= ~IFLAG.INDEX;
    storeRaw(this.#c, this.#inode);
  }

  node(data: Uint8Array, at: { readonly fileBlock: FileBlock; readonly block: FsBlock }): void {
    const { fileBlock, block } = at;
    const entriesAt = fileBlock === 0 ? DX_ROOT_ENTRIES : DX_NODE_ENTRIES;
    if (fileBlock < this.#blocks) this.#kinds[fileBlock] = NODE;
    this.#places.set(fileBlock, block);
    if (fileBlock === 0 && !this.#root(data)) return;
    if (!verifyDxNode(this.#c.geo, this.#inode.seed, { block: data, entriesAt })) {
      this.#tell('htree-checksum', 'checksum of a hash tree node', block);
    }
    const limit = getLe16(data, entriesAt);
    const count = getLe16(data, entriesAt + 2);
    if (limit !== this.#limit(entriesAt) || count < 1 || count > limit) {
      this.#tell('htree-node', `hash tree node with ${count} entries of ${limit}`, block);
      return;
    }
    const entries = new Uint32Array(count * 2);
    for (let i = 0; i < count; i++) {
      entries[i * 2] = i === 0 ? 0 : getLe32(data, entriesAt + i * DX_ENTRY_SIZE);
      entries[i * 2 + 1] = getLe32(data, entriesAt + i * DX_ENTRY_SIZE + 4) & DX_BLOCK_MASK;
    }
    this.#nodes.set(fileBlock, { entries });
  }

  #root(data: Uint8Array): boolean {
    const info = dxRootInfo(this.#inode, data);
    if (info === undefined) {
      const { hashVersion } = DxRootInfo.at(data, DX_ROOT_INFO_OFFSET);
      this.#tell('htree-root', `hash tree root that makes no sense (hash ${hashVersion})`);
      return false;
    }
    this.#version = info.version;
    this.#levels = info.levels;
    return true;
  }

  /** A name of a leaf. */
  name(fileBlock: FileBlock, name: Uint8Array): void {
    if (this.#version === undefined || fileBlock >= this.#blocks) return;
    const hashed = this.#isFolded ? (casefold(name) ?? name) : name;
    const found = nameHash(hashed, { version: this.#version, seed: this.#c.geo.hashSeed });
    if (found === undefined) return;
    if (found.hash < (this.#low[fileBlock] ?? 0)) this.#low[fileBlock] = found.hash;
    if (found.hash > (this.#high[fileBlock] ?? 0)) this.#high[fileBlock] = found.hash;
  }

  /** All blocks were seen. */
  finish(): void {
    this.#judge();
    if (this.#isAbandoned) this.#flatten();
  }

  #judge(): void {
    if (this.#version === undefined) {
      if (!this.#isBroken) this.#tell('htree-root', 'directory without the root of its hash tree');
      return;
    }
    const placed = new Uint8Array(this.#blocks);
    placed[0] = 1;
    this.#descend(0, { level: 0, from: 0, end: HASH_END, placed });
    if (this.#isBroken) return;
    const lost = placed.indexOf(0);
    if (lost >= 0) this.#tell('htree-lost', `block ${lost} has no place in the hash tree`);
  }

  #descend(
    fileBlock: FileBlock,
    at: { readonly level: number; readonly from: number; readonly end: number; readonly placed: Uint8Array },
  ): void {
    const { level, from, end, placed } = at;
    const entries = this.#nodes.get(fileBlock)?.entries;
    if (entries === undefined) {
      if (!this.#isBroken) this.#tell('htree-node', `block ${fileBlock} is no node of the hash tree`);
      return;
    }
    let before = from;
    const count = entries.length / 2;
    for (let i = 0; i < count; i++) {
      const hash = i === 0 ? from : (entries[i * 2] ?? 0);
      const child = entries[i * 2 + 1] ?? 0;
      const next = i + 1 < count ? (entries[i * 2 + 2] ?? 0) : end;
      if (hash < before || hash > end) this.#tell('htree-order', `hash tree node ${fileBlock} is out of order`);
      before = hash;
      if (child >= this.#blocks || placed[child] === 1) {
        this.#tell(
          'htree-block',
          `hash tree leads to block ${child} ${child < this.#blocks ? 'twice' : 'beyond its end'}`,
        );
        continue;
      }
      placed[child] = 1;
      if (level < this.#levels) this.#descend(child, { level: level + 1, from: hash, end: next, placed });
      else this.#leaf(child, hash, next);
    }
  }

  /** Bit 0 of a bound says that names with this hash began in the leaf before. */
  #leaf(fileBlock: FileBlock, from: number, end: number): void {
    if (this.#kinds[fileBlock] !== LEAF) {
      this.#tell('htree-node', `node ${fileBlock} where the hash tree has its leaves`);
      return;
    }
    const low = this.#low[fileBlock] ?? HASH_END;
    const high = this.#high[fileBlock] ?? -1;
    const first = from - (from % 2);
    const last = end % 2 === 1 ? end : end - 1;
    if (low < first || high > last) this.#tell('htree-hash', `names of block ${fileBlock} belong elsewhere`);
  }
}
