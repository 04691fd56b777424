/** How the tree hangs together: every directory below the root, every `..` right, every inode with the names it counts. */
import { RO_COMPAT } from '../features.ts';
import { FT, INO } from '../format.ts';
import { hasRoCompat } from '../superblock.ts';
import { KIND } from './inode-facts.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';

/** A directory with more counts 1, with dir_nlink. */
const LINK_MAX = 65000;

export function checkTree(c: Check): void {
  if (c.inodes.type(INO.ROOT) !== FT.DIR) {
    c.report({ code: 'root', message: 'the root is no directory', where: { ino: INO.ROOT } });
  }
  const reached = new Uint8Array(c.dirs.count);
  for (let index = 0; index < c.dirs.count; index++) checkPlace(c, index, reached);
}

const UNKNOWN = 0;
const ON_THE_WAY = 1;
const REACHED = 2;
const LOST = 3;

function checkPlace(c: Check, index: number, state: Uint8Array): void {
  const { dirs } = c;
  // Up to the root, or to a directory whose fate is known.
  const way: number[] = [];
  let fate = LOST;
  for (let at = index; ;) {
    const known = state[at] ?? UNKNOWN;
    if (dirs.ino(at) === INO.ROOT) fate = REACHED;
    if (known === REACHED || known === LOST) fate = known;
    if (fate === REACHED || known !== UNKNOWN) break;
    state[at] = ON_THE_WAY;
    way.push(at);
    const parent = dirs.parent(at);
    const next = parent === 0 ? -1 : dirs.indexOf(parent);
    if (next < 0) break;
    at = next;
  }
  for (const at of way) state[at] = fate;
  const ino = dirs.ino(index);
  if (c.inodes.has(ino, KIND.ORPHAN | KIND.HIDDEN | KIND.DAMAGED)) return;
  const expected = ino === INO.ROOT ? INO.ROOT : dirs.parent(index);
  if (fate === LOST && (expected === 0 || way.at(-1) === at0(way, index))) {
    if (expected === 0)
      c.report({ code: 'dir-unattached', message: 'directory that nothing leads to', where: { ino } });
  }
  if (expected !== 0 && dirs.dotdot(index) !== expected && dirs.dotdot(index) !== 0) {
    c.report({
      code: 'dir-parent',
      message: `\`..\` leads to inode ${dirs.dotdot(index)}, the entry is in ${expected}`,
      where: { ino },
    });
  }
}

const at0 = (way: readonly number[], index: number): number => way[0] ?? index;

/** Names against link counts. */
export function checkLinks(c: Check): void {
  for (const ino of c.inodes.used()) {
    const kind = c.inodes.kind(ino);
    if ((ino < c.geo.firstIno && ino !== INO.ROOT) || (kind & (KIND.HIDDEN | KIND.EA_INODE | KIND.ORPHAN)) !== 0)
      continue;
    const names = c.inodes.names(ino);
    const isDirectory = c.inodes.type(ino) === FT.DIR;
    if (names === 0 || (isDirectory && isUnattached(c, ino))) {
      if (!isDirectory) c.report({ code: 'inode-unattached', message: 'file without a name', where: { ino } });
      continue;
    }
    const links = c.inodes.links(ino);
    const counted = isDirectory && names > LINK_MAX && hasRoCompat(c.geo, RO_COMPAT.DIR_NLINK) ? 1 : names;
    if (links === counted || (isDirectory && links === 1 && hasRoCompat(c.geo, RO_COMPAT.DIR_NLINK))) continue;
    c.report({ code: 'inode-links', message: `${links} links are counted, ${names} names are there`, where: { ino } });
  }
}

/** Inodes of attribute values count who refers to them, in fields that they do not need for times. */
export function checkAttributeInodes(c: Check): void {
  for (const [ino, users] of c.attributeInodes) {
    if (!c.inodes.has(ino, KIND.EA_INODE)) {
      c.report({ code: 'xattr-inode', message: 'inode of an attribute value that holds none', where: { ino } });
      continue;
    }
    const { ctime, version } = loadRaw(c, ino).core;
    const counted = ctime * 0x1_0000_0000 + version;
    if (counted === users) continue;
    c.report({
      code: 'xattr-inode-refs',
      message: `${counted} references are counted, ${users} are there`,
      where: { ino },
    });
  }
}

const isUnattached = (c: Check, ino: number): boolean => {
  const index = c.dirs.indexOf(ino);
  return ino !== INO.ROOT && (index < 0 || c.dirs.parent(index) === 0);
};
