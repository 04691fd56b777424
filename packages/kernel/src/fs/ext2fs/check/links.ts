/** How the tree hangs together: every directory below the root, every `..` right, every inode with the names it counts. */
import type { Ino } from '../../../kern/ids.ts';
import { INCOMPAT, RO_COMPAT } from '../features.ts';
import { FT, INO } from '../format.ts';
import { hasIncompat, hasRoCompat } from '../superblock.ts';
import { removeNames, setDotdot } from './dir-edit.ts';
import { storeRaw } from './inode-case.ts';
import { KIND } from './inode-facts.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';

/** A directory with more counts 1, with dir_nlink. */
const LINK_MAX = 65000;

/** Entries of a table in memory between two pauses. */
const LOOKS_BETWEEN = 1024;

const UNKNOWN = 0;
const ON_THE_WAY = 1;
const REACHED = 2;
const LOST = 3;

export function checkTree(c: Check): void {
  if (c.inodes.type(INO.ROOT) !== FT.DIR) {
    c.report({ code: 'root', message: 'the root is no directory', where: { ino: INO.ROOT } });
  }
  const state = new Uint8Array(c.dirs.count);
  for (let index = 0; index < c.dirs.count; index++) {
    if (index % LOOKS_BETWEEN === 0) c.pause();
    findWayUp(c, index, state);
    checkPlace(c, index);
  }
}

/** Up to the root, to a directory whose fate is known, to one without a name, or round in a circle. */
function findWayUp(c: Check, index: number, state: Uint8Array): void {
  const { dirs } = c;
  const way: number[] = [];
  let fate = LOST;
  for (let at = index; at >= 0;) {
    const known = state[at] ?? UNKNOWN;
    if (dirs.ino(at) === INO.ROOT || known === REACHED) fate = REACHED;
    if (fate === REACHED || known === LOST) break;
    const parent = dirs.parent(at);
    if (known === ON_THE_WAY) {
      const ino = dirs.ino(at);
      c.report({ code: 'dir-loop', message: 'directory that lies within itself', where: { ino } }, () =>
        removeNames(c, parent, ino),
      );
      break;
    }
    state[at] = ON_THE_WAY;
    way.push(at);
    at = parent === 0 ? -1 : dirs.indexOf(parent);
  }
  for (const at of way) state[at] = fate;
}

function checkPlace(c: Check, index: number): void {
  const { dirs } = c;
  const ino = dirs.ino(index);
  if (c.inodes.has(ino, KIND.ORPHAN | KIND.HIDDEN | KIND.DAMAGED)) return;
  const expected = ino === INO.ROOT ? INO.ROOT : dirs.parent(index);
  if (expected === 0) {
    const message = 'directory that nothing leads to';
    c.report({ code: 'dir-unattached', message, where: { ino }, repair: 'safe' }, () => c.lost.push(ino));
    return;
  }
  const found = dirs.dotdot(index);
  if (found === expected || found === 0) return;
  const message = `\`..\` leads to inode ${found}, the entry is in ${expected}`;
  c.report({ code: 'dir-parent', message, where: { ino }, repair: 'safe' }, () => setDotdot(c, ino, expected));
}

/** Names against link counts. */
export function checkLinks(c: Check): void {
  const ignored = KIND.HIDDEN | KIND.EA_INODE | KIND.ORPHAN;
  c.inodes.eachUsed((ino, kind) => {
    if (ino % LOOKS_BETWEEN === 0) c.pause();
    if ((kind & ignored) !== 0 || (ino < c.geo.firstIno && ino !== INO.ROOT)) return;
    const names = c.inodes.names(ino);
    if (names === c.inodes.links(ino) && names > 0 && names <= LINK_MAX && c.inodes.type(ino) !== FT.DIR) return;
    checkNames(c, ino, names);
  });
}

function checkNames(c: Check, ino: Ino, names: number): void {
  const isDirectory = c.inodes.type(ino) === FT.DIR;
  if (isDirectory && isUnattached(c, ino)) return;
  if (names === 0) {
    const message = 'file without a name';
    c.report({ code: 'inode-unattached', message, where: { ino }, repair: 'safe' }, () => c.lost.push(ino));
    return;
  }
  const hasOverflow = hasRoCompat(c.geo, RO_COMPAT.DIR_NLINK);
  const links = c.inodes.links(ino);
  const right = isDirectory && names > LINK_MAX && hasOverflow ? 1 : names;
  if (links === right || (isDirectory && links === 1 && hasOverflow)) return;
  const message = `${links} links are counted, ${names} names are there`;
  c.report({ code: 'inode-links', message, where: { ino }, repair: 'safe' }, () => setLinks(c, ino, right));
}

function setLinks(c: Check, ino: Ino, links: number): void {
  const inode = loadRaw(c, ino);
  inode.nlink = links;
  storeRaw(c, inode);
}

const isUnattached = (c: Check, ino: Ino): boolean => {
  const index = c.dirs.indexOf(ino);
  return ino !== INO.ROOT && (index < 0 || c.dirs.parent(index) === 0);
};

/** Inodes of attribute values count who refers to them, in fields that they do not need for times. */
export function checkAttributeInodes(c: Check): void {
  if (hasIncompat(c.geo, INCOMPAT.EA_INODE)) c.inodes.eachUsed((ino, kind) => checkUnused(c, ino, kind));
  for (const [ino, users] of c.attributeInodes) {
    const where = { ino };
    if (!c.inodes.has(ino, KIND.EA_INODE)) {
      c.report({ code: 'xattr-inode', message: 'inode of an attribute value that holds none', where });
      continue;
    }
    const inode = loadRaw(c, ino);
    const counted = inode.core.ctime * 0x1_0000_0000 + inode.core.version;
    if (counted === users) continue;
    const message = `${counted} references are counted, ${users} are there`;
    c.report({ code: 'xattr-inode-refs', message, where, repair: 'safe' }, () => {
      inode.core.ctime = Math.floor(users / 0x1_0000_0000);
      inode.core.version = users % 0x1_0000_0000;
      storeRaw(c, inode);
    });
  }
}

function checkUnused(c: Check, ino: Ino, kind: number): void {
  if ((kind & KIND.EA_INODE) === 0 || (kind & KIND.HIDDEN) !== 0 || c.attributeInodes.has(ino)) return;
  const message = 'inode of an attribute value that no attribute has';
  c.report({ code: 'xattr-inode-refs', message, where: { ino } }, () => {
    const inode = loadRaw(c, ino);
    inode.raw.fill(0);
    inode.dtime = Math.max(1, c.options.now().sec % 0x1_0000_0000);
    storeRaw(c, inode);
  });
}
