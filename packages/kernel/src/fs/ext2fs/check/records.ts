/** The records of one directory block, and what each entry leads to. */
import type { FileBlock, FsBlock, Ino } from '../../../kern/ids.ts';
import { nameFromBytes } from '../../../kern/name.ts';
import { getLe32, setLe32 } from '../../../kern/struct.ts';
import { initRecords, recLenAt, recordSize, setRecLen, writeRecord } from '../dirblock.ts';
import { INCOMPAT } from '../features.ts';
import { DIRENT_HEADER, DirEntry, FT, IFLAG, INO } from '../format.ts';
import { groupOfIno, type Inode } from '../inode.ts';
import { hasIncompat } from '../superblock.ts';
import { lookAtAll } from './groups.ts';
import type { HashTree } from './htree.ts';
import { KIND } from './inode-facts.ts';
import type { NameSet } from './name-set.ts';
import type { Check } from './state.ts';

const NAME_LEN = DirEntry.offsetOf('nameLen');
const FILE_TYPE = DirEntry.offsetOf('fileType');
/** The shortest record that holds a name. */
const RECORD_MIN = 12;
/** Names of encrypted directories are whole cipher blocks. */
const CIPHER_NAME_MIN = 16;
const DOT = 0x2e;
const SLASH = 0x2f;

/** A directory as it is gone through. */
export interface DirScan {
  readonly c: Check;
  readonly inode: Inode;
  /** Its place in the table of directories. */
  readonly index: number;
  /** The block at hand was repaired and is to be written. */
  isEdited: boolean;
  tree: HashTree | undefined;
}

interface Records {
  readonly data: Uint8Array;
  readonly fileBlock: FileBlock;
  readonly block: FsBlock;
  readonly start: number;
  readonly end: number;
}

/** Go through the records of [start, end). */
export function checkRecords(scan: DirScan, at: Records): void {
  const { c, inode } = scan;
  const { data, block, fileBlock, start, end } = at;
  const seen = c.names;
  seen.begin(data);
  let record = 0;
  let before = -1;
  for (let from = start; from < end; record++) {
    const length = end - from < DIRENT_HEADER ? 0 : recLenAt(data, from);
    const nameLength = data[from + NAME_LEN] ?? 0;
    // The root of a hash tree has its nodes behind `..`, in what looks like that record.
    const isBad =
      length < RECORD_MIN || (length & 3) !== 0 || from + length > end || DIRENT_HEADER + nameLength > length;
    if (isBad) {
      const told = {
        code: 'dir-record',
        message: `directory record of ${length} bytes at byte ${from}`,
        where: { ino: inode.ino, ...(block === 0 ? {} : { block }) },
      };
      c.report(told, () => {
        cutRecords(data, { start, from, end, before });
        scan.isEdited = true;
      });
      return;
    }
    const isDots = fileBlock === 0 && record < 2;
    if (isDots) checkDots(scan, at, { from, record });
    const ino = getLe32(data, from);
    if (ino !== 0 && (isDots || !takePlain(scan, at, { from, nameLength, ino }))) {
      checkEntry(scan, at, { from, nameLength, isDots, seen });
    }
    before = from;
    from += length;
  }
  if (fileBlock === 0 && record < 2) {
    c.report({ code: 'dir-dots', message: 'directory without `..`', where: { ino: inode.ino } }, () => {
      makeDots(scan, at);
    });
  }
}

/** What is from `from` on cannot be read: it becomes room behind the record before, or one empty record. */
function cutRecords(
  data: Uint8Array,
  at: { readonly start: number; readonly from: number; readonly end: number; readonly before: number },
): void {
  const { from, end, before } = at;
  if (before >= 0) setRecLen(data, before, end - before);
  else initRecords(data, from, end);
}

/** `.` and `..` alone: what else was in the first block has lost its name and will be found a new one. */
function makeDots(scan: DirScan, { data, end }: Records): void {
  const { c, inode, index } = scan;
  const fileType = hasIncompat(c.geo, INCOMPAT.FILETYPE) ? FT.DIR : 0;
  const first = recordSize(1);
  const parent = c.dirs.parent(index) || INO.ROOT;
  data.fill(0, 0, end);
  setRecLen(data, 0, first);
  writeRecord(data, 0, { ino: inode.ino, name: Uint8Array.of(DOT), fileType });
  setRecLen(data, first, end - first);
  writeRecord(data, first, { ino: parent, name: Uint8Array.of(DOT, DOT), fileType });
  scan.isEdited = true;
}

/** The first two records of a directory are `.` and `..`. */
function checkDots(
  scan: DirScan,
  at: Records,
  { from, record }: { readonly from: number; readonly record: number },
): void {
  const { c, inode, index } = scan;
  const { data } = at;
  const ino = getLe32(data, from);
  const name = record === 0 ? '.' : '..';
  const isNamed =
    ino !== 0 &&
    data[from + NAME_LEN] === name.length &&
    data[from + DIRENT_HEADER] === DOT &&
    (record === 0 || data[from + DIRENT_HEADER + 1] === DOT);
  const where = { ino: inode.ino };
  if (!isNamed) {
    c.report({ code: 'dir-dots', message: `entry ${record + 1} of a directory is not \`${name}\``, where }, () => {
      makeDots(scan, at);
    });
    return;
  }
  if (data[from + DIRENT_HEADER + name.length] !== 0) {
    c.report({ code: 'dir-dots', message: `\`${name}\` is not ended by a zero`, where, repair: 'safe' }, () => {
      data[from + DIRENT_HEADER + name.length] = 0;
      scan.isEdited = true;
    });
  }
  if (record === 1) c.dirs.setDotdot(index, ino);
  else if (ino !== inode.ino) {
    c.report({ code: 'dir-dots', message: `\`.\` leads to inode ${ino}`, where, repair: 'safe' }, () => {
      setLe32(data, from, inode.ino);
      scan.isEdited = true;
    });
  }
}

/**
 * An entry with nothing to say about it is taken in at once; false: look closer. Most of all entries go this way, so
 * nothing is allocated on it.
 */
function takePlain(
  { c, inode, tree }: DirScan,
  { data, fileBlock }: Records,
  { from, nameLength, ino }: { readonly from: number; readonly nameLength: number; readonly ino: Ino },
): boolean {
  if (ino < c.geo.firstIno || ino > c.geo.inodes || nameLength === 0 || !c.hasFileTypes) return false;
  const kind = c.inodes.kind(ino);
  // A type and nothing else, and not that of a directory.
  if (kind === 0 || kind > FT.LNK || kind === FT.DIR || data[from + FILE_TYPE] !== kind) return false;
  if (inode.hasFlag(IFLAG.ENCRYPT) || inode.hasFlag(IFLAG.CASEFOLD)) return false;
  const nameAt = from + DIRENT_HEADER;
  if (data[nameAt] === DOT && nameLength <= 2) return false;
  if (!c.names.addPlain(nameAt, nameLength)) return false;
  tree?.name(fileBlock, data.subarray(nameAt, nameAt + nameLength));
  c.inodes.addName(ino);
  return true;
}

interface MoreTold {
  readonly severity?: 'note' | 'error';
  readonly repair?: 'safe' | 'risky';
  readonly fix?: () => void;
}
type Tell = (code: string, message: string, more?: MoreTold) => void;

interface EntryAt {
  readonly from: number;
  readonly nameLength: number;
  readonly isDots: boolean;
  readonly seen: NameSet;
}

function checkEntry(scan: DirScan, at: Records, entry: EntryAt): void {
  const { c, inode } = scan;
  const { data } = at;
  const { from, nameLength, isDots } = entry;
  const ino = getLe32(data, from);
  const tell: Tell = (code, message, more = {}) => {
    const nameAt = from + DIRENT_HEADER;
    const name = nameFromBytes(data, nameAt, nameAt + nameLength);
    // The name goes, unless there is something better. `..` of a directory is put right when its place is known.
    const drop = isDots
      ? () => setLe32(data, from, isDots && from === 0 ? inode.ino : INO.ROOT)
      : () => setLe32(data, from, 0);
    const { fix = drop, severity = 'error', repair = 'risky' } = more;
    c.report({ code, message, severity, repair, where: { ino: inode.ino, name } }, () => {
      fix();
      scan.isEdited = true;
    });
  };
  if (ino > c.geo.inodes || (ino < c.geo.firstIno && ino !== INO.ROOT)) {
    tell('entry-inode', `entry leads to inode ${ino}`);
    return;
  }
  if (!isDots) {
    checkName(scan, data, { ...entry, tell });
    scan.tree?.name(at.fileBlock, data.subarray(from + DIRENT_HEADER, from + DIRENT_HEADER + nameLength));
  }
  if (!c.inodes.isUsed(ino)) {
    if (isSkipped(c, ino)) {
      const group = groupOfIno(c.geo, ino);
      const message = `inode ${ino} has a name, and its group says that it was never used`;
      c.report({ code: 'group-unused-inodes', message, where: { group }, repair: 'safe' }, () => lookAtAll(c, group));
      return;
    }
    tell('entry-unused', `entry leads to inode ${ino}, which is not in use`);
    return;
  }
  c.inodes.addName(ino);
  const type = c.inodes.type(ino);
  checkType(c, { data, at: from + FILE_TYPE, type, tell });
  if (isDots) return;
  if (c.inodes.has(ino, KIND.HIDDEN | KIND.EA_INODE))
    tell('entry-inode', `entry leads to inode ${ino}, which has no name`);
  if (ino === INO.ROOT) tell('entry-root', 'entry leads to the root');
  else if (type === FT.DIR) noteParent(scan, ino, tell);
}

/** Was the inode not looked at? Then nothing is known of it. */
const isSkipped = (c: Check, ino: Ino): boolean =>
  (ino - 1) % c.geo.inodesPerGroup >= (c.groups.inodesInUse[groupOfIno(c.geo, ino)] ?? 0);

function checkName(scan: DirScan, data: Uint8Array, at: EntryAt & { readonly tell: Tell }): void {
  const { from, nameLength, seen, tell } = at;
  const nameAt = from + DIRENT_HEADER;
  if (nameLength === 0) {
    tell('entry-name', 'entry without a name');
    return;
  }
  if (scan.inode.hasFlag(IFLAG.ENCRYPT)) {
    if (nameLength < CIPHER_NAME_MIN) tell('entry-name', `encrypted name of ${nameLength} bytes`);
  } else {
    let isBad = false;
    for (let i = nameAt; i < nameAt + nameLength; i++) if (data[i] === SLASH || data[i] === 0) isBad = true;
    if (isBad) tell('entry-name', 'name with a slash or a zero');
    const isDot = data[nameAt] === DOT && (nameLength === 1 || (nameLength === 2 && data[nameAt + 1] === DOT));
    if (isDot) tell('entry-dots', 'second `.` or `..`');
  }
  if (!seen.add(nameAt, nameLength)) tell('entry-twice', 'name that occurs twice');
}

function checkType(
  c: Check,
  entry: { readonly data: Uint8Array; readonly at: number; readonly type: number; readonly tell: Tell },
): void {
  const { data, at, type, tell } = entry;
  const stored = data[at] ?? 0;
  const put = (right: number): MoreTold => ({ repair: 'safe', fix: () => void (data[at] = right) });
  if (!hasIncompat(c.geo, INCOMPAT.FILETYPE)) {
    if (stored !== 0) tell('entry-type', `entry with file type ${stored}, without the feature`, put(0));
  } else if (stored === FT.UNKNOWN) {
    tell('entry-no-type', `entry without a file type, of an inode of type ${type}`, { severity: 'note' });
  } else if (type !== KIND.UNKNOWN && stored !== type) {
    tell('entry-type', `entry says file type ${stored}, the inode is of type ${type}`, put(type));
  }
}

/** A directory has one name. */
function noteParent(scan: DirScan, ino: Ino, tell: Tell): void {
  const { c, inode } = scan;
  const index = c.dirs.indexOf(ino);
  if (index < 0) return;
  if (ino === inode.ino) tell('entry-dots', 'directory in itself');
  else if (c.dirs.parent(index) !== 0) tell('dir-links', `second name of directory ${ino}`);
  else c.dirs.setParent(index, inode.ino);
}
