/**
 * The name cache: per directory, name → inode number, or 0 for a name known not to exist.
 * One owner (the directory's vnode), one place that forgets (cachePurge, called by every call that changes a directory).
 */
import type { Ino } from '../kern/ids.ts';
import type { Vnode } from './vnode.ts';
import { vget } from './vnode.ts';

/** Names remembered per directory; beyond it the directory's cache starts anew. */
const MAX_NAMES = 512;

/** The child's vnode with a reference; undefined: known not to exist; 'unknown': ask the file system. */
export function cacheLookup(dvp: Vnode, name: string): Vnode | undefined | 'unknown' {
  const ino = dvp.names?.get(name);
  if (ino === undefined) return 'unknown';
  return ino === 0 ? undefined : vget(dvp.mount, ino);
}

/** Remember what a lookup found (0: nothing). */
export function cacheEnter(dvp: Vnode, name: string, ino: Ino | 0): void {
  dvp.names ??= new Map();
  if (dvp.names.size >= MAX_NAMES) dvp.names.clear();
  dvp.names.set(name, ino);
}

/** The entry `name` of `dvp` changed. Where names fold case, other spellings changed too. */
export function cachePurge(dvp: Vnode, name: string): void {
  if (dvp.mount.type.traits.caseSensitive && !dvp.foldsNames) dvp.names?.delete(name);
  else dvp.names?.clear();
}
