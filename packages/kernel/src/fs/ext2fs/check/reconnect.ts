/**
 * Names for what has none: inodes in use that nothing leads to get the name `#NUMBER` in lost+found. When everything
 * else is right, because making room for names needs the bitmaps.
 */
import { nameToBytes } from '../../../kern/name.ts';
import { dirFind } from '../dir.ts';
import { addEntry, initDirectory, newRecord, setParent } from '../dirwrite.ts';
import { INO } from '../format.ts';
import { loadInode, type Inode } from '../inode.ts';
import { newInode, storeInode } from '../inode-store.ts';
import type { Check } from './state.ts';

const LOST_AND_FOUND = 'lost+found';

/** Errors: ENOSPC, and what the readers say when the image is worse than it looked. */
export function reconnect(c: Check): void {
  if (c.lost.length === 0) return;
  const { mp } = c;
  const found = lostAndFound(c);
  for (const ino of c.lost) {
    const inode = loadInode(mp, ino);
    const { type } = inode;
    if (type === undefined) continue;
    addEntry(found, newRecord(found, ino, { name: nameToBytes(freeName(found, `#${ino}`)), type }));
    if (type !== 'dir') continue;
    setParent(inode, found.ino);
    found.nlink++;
  }
  storeInode(found);
  mp.bufs.flush();
}

function freeName(dir: Inode, wanted: string): string {
  let name = wanted;
  for (let n = 1; dirFind(dir, name) !== undefined; n++) name = `${wanted}.${n}`;
  return name;
}

/** The directory, made if it is not there. */
function lostAndFound(c: Check): Inode {
  const root = loadInode(c.mp, INO.ROOT);
  const known = dirFind(root, LOST_AND_FOUND);
  if (known !== undefined) {
    const there = loadInode(c.mp, known.ino);
    if (there.type === 'dir') return there;
  }
  const made = newInode(root, { type: 'dir', mode: 0o700, uid: 0, gid: 0 });
  initDirectory(made, root.ino);
  made.nlink = 2;
  storeInode(made);
  const name = freeName(root, LOST_AND_FOUND);
  addEntry(root, newRecord(root, made.ino, { name: nameToBytes(name), type: 'dir' }));
  root.nlink++;
  storeInode(root);
  return made;
}
