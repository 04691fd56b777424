/**
 * The journal's own superblock, and what the file system's says of it. What lies in a dirty log was judged when it was
 * replayed (journal.ts of the folder above). Spec: "Journal (jbd2)".
 */
import { FsError } from '../../../kern/errno.ts';
import { bmap } from '../bmap.ts';
import { COMPAT, INCOMPAT } from '../features.ts';
import { INO, type SuperblockView } from '../format.ts';
import { logBlockAddress, openLog } from '../journal.ts';
import { JBD2, JBD2_MAGIC, JOURNAL_DEFAULT_FC_BLOCKS, JOURNAL_INCOMPAT, JournalSuperblock } from '../journal-format.ts';
import { hasCompat, withSuperblock } from '../superblock.ts';
import { storeRaw } from './inode-case.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';
import { editSuper } from './super-edit.ts';

/** Users of a journal within the file system: that one. */
const USERS_MAX = 1;
/** Blocks of a log, those of fast commits apart. */
const BLOCKS_MIN = 1024;

export function checkJournal(c: Check): void {
  checkReserved(c);
  const hasJournal = hasCompat(c.geo, COMPAT.HAS_JOURNAL);
  const bad = (message: string, fix?: () => void): void => void c.report({ code: 'journal', message }, fix);
  const [isNamed, hasUuid] = withSuperblock(c.mp, (sb) => [
    sb.journalInum !== 0,
    sb.journalUuid.some((byte) => byte !== 0),
  ]);
  if (!hasJournal) {
    if (isNamed || hasUuid) bad('a journal is named, without the feature', () => editSuper(c.mp, forgetJournal));
    return;
  }
  if (c.geo.journalInum === 0) {
    if (hasUuid) {
      c.report({ code: 'journal-external', severity: 'note', message: 'the journal is on another device' });
    } else bad('no journal is named', () => dropJournal(c));
    return;
  }
  if (hasUuid) {
    bad('a journal in the file system and one on another device are named', () =>
      editSuper(c.mp, (sb) => sb.journalUuid.fill(0)),
    );
  }
  try {
    checkLog(c, bad);
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
    bad(e.message, () => {
      if (!emptyJournal(c)) dropJournal(c);
    });
  }
}

/** Inode 8 is the journal or nothing. */
function checkReserved(c: Check): void {
  if (c.geo.journalInum === INO.JOURNAL) return;
  const inode = c.attempt('journal', { ino: INO.JOURNAL }, () => loadRaw(c, INO.JOURNAL));
  if (inode === undefined || (inode.mode === 0 && inode.block.every((byte) => byte === 0))) return;
  const hasJournal = hasCompat(c.geo, COMPAT.HAS_JOURNAL);
  c.report(
    { code: 'journal', message: 'inode 8 holds a journal that is not in use', where: { ino: INO.JOURNAL } },
    () => {
      if (hasJournal && inode.type === 'reg') editSuper(c.mp, (sb) => (sb.journalInum = INO.JOURNAL));
      else {
        inode.raw.fill(0);
        storeRaw(c, inode);
      }
    },
  );
}

function forgetJournal(sb: SuperblockView): void {
  sb.featureCompat &= ~COMPAT.HAS_JOURNAL;
  sb.featureIncompat &= ~INCOMPAT.RECOVER;
  sb.journalInum = 0;
  sb.journalDev = 0;
  sb.journalUuid.fill(0);
}

/** Do without: ext3 becomes ext2. What the inode held is free. */
function dropJournal(c: Check): void {
  const { journalInum } = c.geo;
  editSuper(c.mp, forgetJournal);
  if (journalInum === 0 || journalInum > c.geo.inodes) return;
  const isItsOwn = journalInum < c.geo.firstIno;
  if (!isItsOwn) return;
  const inode = loadRaw(c, journalInum);
  inode.raw.fill(0);
  storeRaw(c, inode);
}

/** A new superblock for a journal whose inode is sound; false when it is not. */
function emptyJournal(c: Check): boolean {
  const { geo, device } = c;
  try {
    const inode = loadRaw(c, geo.journalInum);
    const total = Math.floor(inode.size / geo.blockSize);
    if (inode.type !== 'reg' || inode.nlink === 0 || total < BLOCKS_MIN || total > geo.blocks) return false;
    for (let block = 0; block < total;) {
      const run = bmap(inode, block, total - block);
      if (run.block === undefined) return false;
      block += run.count;
    }
    const raw = new Uint8Array(geo.blockSize);
    const sb = JournalSuperblock.at(raw, 0);
    Object.assign(sb, { magic: JBD2_MAGIC, blocktype: JBD2.SUPERBLOCK_V2, blocksize: geo.blockSize, maxlen: total });
    Object.assign(sb, { first: 1, sequence: 1, start: 0, nrUsers: 1, uuid: geo.uuid });
    const { block } = bmap(inode, 0, 1);
    if (block === undefined) return false;
    c.mp.bufs.invalidate(block, 1);
    device.write(raw, block * geo.blockSize);
    editSuper(c.mp, (edited) => (edited.featureIncompat &= ~INCOMPAT.RECOVER));
    return true;
  } catch (e) {
    if (e instanceof FsError && e.code === 'EIO') return false;
    throw e;
  }
}

function checkLog(c: Check, tell: (message: string, fix?: () => void) => void): void {
  const bad = (message: string): void =>
    tell(message, () => {
      if (!emptyJournal(c)) dropJournal(c);
    });
  const log = openLog(c.mp);
  const where = logBlockAddress(log, 0);
  const raw = new Uint8Array(c.geo.blockSize);
  c.device.read(raw, where * c.geo.blockSize);
  const sb = JournalSuperblock.at(raw, 0);
  const isV2 = sb.blocktype === JBD2.SUPERBLOCK_V2;
  if (isV2 && sb.nrUsers > USERS_MAX) bad(`journal of ${sb.nrUsers} users`);
  const hasFastCommits = (sb.featureIncompat & JOURNAL_INCOMPAT.FAST_COMMIT) !== 0;
  const blocks = log.total - (sb.numFcBlks || JOURNAL_DEFAULT_FC_BLOCKS);
  if (isV2 && hasFastCommits && blocks >= 0 && blocks < BLOCKS_MIN) {
    bad(`journal of ${log.total} blocks, fast commits among them`);
  }
  if (log.errno !== 0) {
    c.report({ code: 'journal-errno', severity: 'note', message: `the journal notes error ${log.errno}` });
  }
  // Blocks in a hole would be found missing only when the log comes to them.
  for (let block = 0; block < log.total; block += 1) logBlockAddress(log, block);
  if (log.inode.ino !== INO.JOURNAL && log.inode.ino < c.geo.firstIno) bad(`journal in inode ${log.inode.ino}`);
}
