/**
 * The map of one file, walked whole: every extent or pointer checked, every block claimed. What is found is told to the
 * caller as words, because what a damaged map means differs by file; who repairs has entries taken out on the spot, which
 * leaves a hole. Spec: "The Contents of inode.i_block".
 */
import { CorruptError } from '../../../kern/errno.ts';
import type { FileBlock, FsBlock } from '../../../kern/ids.ts';
import { getLe32, setLe32 } from '../../../kern/struct.ts';
import { setExtentBlockCsum, verifyExtentBlock } from '../csum.ts';
import {
  checkNode,
  childOf,
  closeEntries,
  depthOf,
  entriesOf,
  firstOf,
  initNode,
  maxOf,
  nodeCapacity,
  runOf,
  setFirst,
} from '../extent-node.ts';
import { I_BLOCK_OFFSET, IFLAG, NDIR_BLOCKS } from '../format.ts';
import type { Inode } from '../inode.ts';
import type { Check } from './state.ts';

/** A node may leave two entries' room for its checksum unused. */
const SLACK_ENTRIES = 2;
const EXTENT_END = 0x1_0000_0000;

/** What becomes of an entry of the map. */
type Fate = 'keep' | 'drop';

interface MapUse {
  /** A run of the file's own blocks. */
  readonly run: (run: {
    readonly fileBlock: FileBlock;
    readonly block: FsBlock;
    readonly count: number;
    readonly unwritten: boolean;
  }) => Fate;
  /** A block of the map itself; `skip`: do not look into it (one that is claimed already may lead round in circles). */
  readonly node: (block: FsBlock) => Fate | 'skip';
  /** `fix` takes the entry out, or puts the value right. */
  readonly problem: (problem: MapProblem, fix: () => void) => void;
  /** The inode itself was changed by a fix. */
  readonly changed: () => void;
}

interface MapProblem {
  readonly code: string;
  readonly message: string;
  readonly block?: FsBlock;
}

/** Walk the map that lies in i_block. */
export function walkMap(c: Check, inode: Inode, use: MapUse): void {
  if (inode.hasFlag(IFLAG.EXTENTS)) {
    walkNode(c, inode, { node: inode.block, use, range: { from: 0, end: EXTENT_END } });
  } else walkPointers(c, inode, use);
}

// extents

interface NodeRange {
  readonly block?: FsBlock;
  readonly depth?: number;
  /** File blocks that the parent gives to this node; without a parent all. */
  readonly from: FileBlock;
  readonly end: FileBlock;
  /** The parent's entry is to say that the node begins here. */
  readonly moved?: (first: FileBlock) => void;
}

interface NodeAt {
  readonly node: Uint8Array;
  readonly use: MapUse;
  readonly range: NodeRange;
}

/** `drop`: nothing of the node is of use, or nothing is left in it. */
function walkNode(c: Check, inode: Inode, at: NodeAt): Fate {
  const { node, use, range } = at;
  const { block, from } = range;
  const where = block === undefined ? {} : { block };
  const outcome: { fate: Fate } = { fate: 'keep' };
  const drop = (): void => void (outcome.fate = 'drop');
  const header = headerProblem(inode, at);
  if (header !== undefined) {
    use.problem({ code: 'extent-header', message: header, ...where }, drop);
    if (outcome.fate === 'drop' && block === undefined) {
      initNode(node, 0);
      use.changed();
    }
    return outcome.fate;
  }
  const editing: Editing = { isEdited: false };
  if (block !== undefined && !verifyExtentBlock(c.geo, inode.seed, node)) {
    use.problem({ code: 'extent-checksum', message: 'checksum of an extent block', ...where }, () => {
      editing.isEdited = true;
    });
  }
  if (block !== undefined && entriesOf(node) > 0 && firstOf(node, 0) !== from) {
    const message = 'extent node that begins elsewhere than its parent says';
    use.problem({ code: 'extent-index', message, ...where }, () => range.moved?.(firstOf(node, 0)));
  }
  const before = entriesOf(node);
  if (depthOf(node) === 0) walkLeaf(c, at, editing);
  else walkIndex(c, inode, { ...at, editing });
  if (editing.isEdited) finishEdit(c, inode, at);
  return before > 0 && entriesOf(node) === 0 ? 'drop' : 'keep';
}

interface Editing {
  isEdited: boolean;
}

function headerProblem(inode: Inode, { node, range }: NodeAt): string | undefined {
  const { block, depth } = range;
  try {
    checkNode(node, {
      ino: inode.ino,
      ...(block === undefined ? {} : { block }),
      ...(depth === undefined ? {} : { depth }),
    });
  } catch (e) {
    if (!(e instanceof CorruptError)) throw e;
    return e.message;
  }
  if (maxOf(node) < nodeCapacity(node.length) - SLACK_ENTRIES) {
    return 'extent node that says it is smaller than its space';
  }
  return depthOf(node) > 0 && entriesOf(node) === 0 ? 'extent index without entries' : undefined;
}

function finishEdit(c: Check, inode: Inode, { node, use, range }: NodeAt): void {
  if (range.block === undefined) {
    if (entriesOf(node) === 0) initNode(node, 0);
    use.changed();
    return;
  }
  setExtentBlockCsum(c.geo, inode.seed, node);
  c.device.write(node, range.block * c.geo.blockSize);
}

function walkIndex(c: Check, inode: Inode, at: NodeAt & { readonly editing: Editing }): void {
  const { node, use, range, editing } = at;
  const depth = depthOf(node);
  let next = range.block === undefined ? 0 : range.from;
  for (let i = 0; i < entriesOf(node);) {
    const from = firstOf(node, i);
    const block = childOf(node, i);
    const end = i + 1 < entriesOf(node) ? firstOf(node, i + 1) : range.end;
    let fate: Fate = 'keep';
    const tell = (code: string, message: string): void =>
      use.problem({ code, message, block }, () => void (fate = 'drop'));
    if (from < next || end <= from) tell('extent-order', `extent index ${i} is out of order`);
    else if (!c.isOnDisk(block)) tell('extent-range', 'extent node outside the file system');
    else {
      next = from + 1;
      const look = use.node(block);
      const index = i;
      const moved = (first: FileBlock): void => {
        setFirst(node, index, first);
        editing.isEdited = true;
      };
      if (look === 'drop') fate = 'drop';
      else if (look === 'keep') {
        fate = walkChild(c, inode, { use, range: { block, depth: depth - 1, from, end, moved } });
      }
    }
    if (fate === 'keep') i++;
    else {
      closeEntries(node, i, i + 1);
      editing.isEdited = true;
    }
  }
}

function walkChild(
  c: Check,
  inode: Inode,
  { use, range }: { readonly use: MapUse; readonly range: NodeRange & { readonly block: FsBlock } },
): Fate {
  c.pause();
  const bp = c.mp.bufs.bread(range.block);
  try {
    return walkNode(c, inode, { node: bp.data, use, range });
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

function walkLeaf(c: Check, { node, use, range }: NodeAt, editing: Editing): void {
  let next = range.from;
  for (let i = 0; i < entriesOf(node);) {
    const run = runOf(node, i);
    const { fileBlock, block, count } = run;
    let fate: Fate = 'keep';
    const tell = (code: string, message: string): void =>
      use.problem({ code, message, block }, () => void (fate = 'drop'));
    if (count === 0) tell('extent-length', `extent ${i} of no blocks`);
    else if (!c.isOnDisk(block, count)) tell('extent-range', `extent of ${count} blocks outside the file system`);
    else if (fileBlock < next) tell('extent-order', `extent ${i} is out of order`);
    else if (fileBlock + count > range.end) tell('extent-order', `extent ${i} goes on beyond its node`);
    else {
      next = fileBlock + count;
      fate = use.run(run);
    }
    if (fate === 'keep') i++;
    else {
      closeEntries(node, i, i + 1);
      editing.isEdited = true;
    }
  }
}

// block maps

/** A table of pointers: in the inode, or a block of its own. */
interface Table {
  readonly bytes: Uint8Array;
  readonly base: number;
  /** Its own block; undefined: it lies in the inode. */
  readonly block: FsBlock | undefined;
  isEdited: boolean;
}

const pointerAt = (table: Table, i: number): FsBlock => getLe32(table.bytes, table.base + i * 4);
function clearPointers(table: Table, i: number, count: number): void {
  for (let n = i; n < i + count; n++) setLe32(table.bytes, table.base + n * 4, 0);
  table.isEdited = true;
}

function walkPointers(c: Check, inode: Inode, use: MapUse): void {
  const perBlock = c.geo.blockSize / 4;
  const table: Table = { bytes: inode.raw, base: I_BLOCK_OFFSET, block: undefined, isEdited: false };
  pointers(c, { table, count: NDIR_BLOCKS, fileBlock: 0, use });
  let fileBlock = NDIR_BLOCKS;
  for (let level = 1; level <= 3; level++) {
    subtree(c, { table, index: NDIR_BLOCKS + level - 1, level, fileBlock, use });
    fileBlock += perBlock ** level;
  }
  if (table.isEdited) use.changed();
}

/** The tree that pointer `index` of a table leads to. */
function subtree(
  c: Check,
  at: {
    readonly table: Table;
    readonly index: number;
    readonly level: number;
    readonly fileBlock: FileBlock;
    readonly use: MapUse;
  },
): void {
  const { table, index, level, fileBlock, use } = at;
  const root = pointerAt(table, index);
  if (root === 0) return;
  const drop = (): void => clearPointers(table, index, 1);
  if (!c.isOnDisk(root)) {
    use.problem({ code: 'block-range', message: 'indirect block outside the file system', block: root }, drop);
    return;
  }
  const fate = use.node(root);
  if (fate === 'drop') drop();
  if (fate !== 'keep') return;
  c.pause();
  const perBlock = c.geo.blockSize / 4;
  const bp = c.mp.bufs.bread(root);
  const own: Table = { bytes: bp.data, base: 0, block: root, isEdited: false };
  try {
    if (level === 1) pointers(c, { table: own, count: perBlock, fileBlock, use });
    else {
      const span = perBlock ** (level - 1);
      for (let i = 0; i < perBlock; i++) {
        if (pointerAt(own, i) !== 0)
          subtree(c, { table: own, index: i, level: level - 1, fileBlock: fileBlock + i * span, use });
      }
    }
    if (own.isEdited) c.device.write(own.bytes, root * c.geo.blockSize);
  } finally {
    c.mp.bufs.brelse(bp);
  }
}

/** A row of pointers to blocks of the file, told as runs. */
function pointers(
  c: Check,
  row: { readonly table: Table; readonly count: number; readonly fileBlock: FileBlock; readonly use: MapUse },
): void {
  const { table, count, fileBlock, use } = row;
  for (let i = 0; i < count;) {
    const block = pointerAt(table, i);
    let length = 1;
    if (block !== 0 && !c.isOnDisk(block)) {
      const index = i;
      use.problem({ code: 'block-range', message: 'block outside the file system', block }, () =>
        clearPointers(table, index, 1),
      );
    } else if (block !== 0) {
      while (i + length < count && pointerAt(table, i + length) === block + length && c.isOnDisk(block + length)) {
        length++;
      }
      const fate = use.run({ fileBlock: fileBlock + i, block, count: length, unwritten: false });
      if (fate === 'drop') clearPointers(table, i, length);
    }
    i += length;
  }
}
