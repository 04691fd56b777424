/** Repairs in a directory whose blocks and records are sound: where `..` leads, and the names of one inode. */
import type { FsBlock, Ino } from '../../../kern/ids.ts';
import { getLe32, setLe32 } from '../../../kern/struct.ts';
import { dirTailAt, setDirLeafCsum, setDxNodeCsum } from '../csum.ts';
import { isIndexed } from '../dir-read.ts';
import { recLenAt } from '../dirblock.ts';
import { DIRENT_HEADER, DX_ROOT_ENTRIES, IFLAG } from '../format.ts';
import type { Inode } from '../inode.ts';
import { storeRaw } from './inode-case.ts';
import { walkMap } from './map.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';

/** Let `..` of a directory lead to `parent`. */
export function setDotdot(c: Check, ino: Ino, parent: Ino): void {
  const inode = loadRaw(c, ino);
  if (inode.hasFlag(IFLAG.INLINE_DATA)) {
    setLe32(inode.block, 0, parent);
    storeRaw(c, inode);
    return;
  }
  editBlocks(c, inode, (data, isFirst) => {
    if (!isFirst) return false;
    setLe32(data, recLenAt(data, 0), parent);
    return true;
  });
}

/** Take every entry out that leads to `ino`, except `.` and `..`. */
export function removeNames(c: Check, dir: Ino, ino: Ino): void {
  const inode = loadRaw(c, dir);
  if (inode.hasFlag(IFLAG.INLINE_DATA)) return;
  editBlocks(c, inode, (data, isFirst) => {
    let changed = false;
    let record = 0;
    for (let at = 0; at + DIRENT_HEADER <= data.length; record++) {
      if (getLe32(data, at) === ino && !(isFirst && record < 2)) {
        setLe32(data, at, 0);
        changed = true;
      }
      const length = recLenAt(data, at);
      if (length < DIRENT_HEADER) break;
      at += length;
    }
    return changed;
  });
}

function editBlocks(c: Check, inode: Inode, edit: (data: Uint8Array, isFirst: boolean) => boolean): void {
  const { geo } = c;
  const data = new Uint8Array(geo.blockSize);
  const one = (block: FsBlock, isFirst: boolean): void => {
    c.device.read(data, block * geo.blockSize);
    if (!edit(data, isFirst)) return;
    if (isFirst && isIndexed(inode)) setDxNodeCsum(geo, inode.seed, { block: data, entriesAt: DX_ROOT_ENTRIES });
    else if (dirTailAt(data) >= 0) setDirLeafCsum(geo, inode.seed, data);
    c.writeBlock(block, data);
  };
  walkMap(c, inode, {
    run({ fileBlock, block, count }) {
      for (let i = 0; i < count; i++) one(block + i, fileBlock + i === 0);
      return 'keep';
    },
    node: () => 'keep',
    problem: () => undefined,
    changed: () => undefined,
  });
}
