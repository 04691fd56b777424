/**
 * The journal's own superblock, and what the file system's says of it. What lies in a dirty log was judged when it was
 * replayed (journal.ts of the folder above). Spec: "Journal (jbd2)".
 */
import { FsError } from '../../../kern/errno.ts';
import { COMPAT } from '../features.ts';
import { INO } from '../format.ts';
import { logBlockAddress, openLog } from '../journal.ts';
import { JBD2, JOURNAL_DEFAULT_FC_BLOCKS, JOURNAL_INCOMPAT, JournalSuperblock } from '../journal-format.ts';
import { hasCompat, withSuperblock } from '../superblock.ts';
import type { Check } from './state.ts';

/** Users of an external journal that its superblock has room for. */
const USERS_MAX = 48;
/** Blocks of a log, those of fast commits apart. */
const BLOCKS_MIN = 1024;

export function checkJournal(c: Check): void {
  const hasJournal = hasCompat(c.geo, COMPAT.HAS_JOURNAL);
  const bad = (message: string): void => void c.report({ code: 'journal', message });
  const [isNamed, hasUuid] = withSuperblock(c.mp, (sb) => [
    sb.journalInum !== 0,
    sb.journalUuid.some((byte) => byte !== 0),
  ]);
  if (!hasJournal) {
    if (isNamed || hasUuid) bad('a journal is named, without the feature');
    return;
  }
  if (c.geo.journalInum === 0) {
    if (hasUuid) {
      c.report({ code: 'journal-external', severity: 'note', message: 'the journal is on another device' });
    } else bad('no journal is named');
    return;
  }
  if (hasUuid) bad('a journal in the file system and one on another device are named');
  try {
    checkLog(c, bad);
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
    bad(e.message);
  }
}

function checkLog(c: Check, bad: (message: string) => void): void {
  const log = openLog(c.mp);
  const where = logBlockAddress(log, 0);
  const raw = new Uint8Array(c.geo.blockSize);
  c.device.read(raw, where * c.geo.blockSize);
  const sb = JournalSuperblock.at(raw, 0);
  const isV2 = sb.blocktype === JBD2.SUPERBLOCK_V2;
  if (isV2 && sb.nrUsers > USERS_MAX) bad(`journal of ${sb.nrUsers} users`);
  const hasFastCommits = (sb.featureIncompat & JOURNAL_INCOMPAT.FAST_COMMIT) !== 0;
  if (isV2 && hasFastCommits && log.total - (sb.numFcBlks || JOURNAL_DEFAULT_FC_BLOCKS) < BLOCKS_MIN) {
    bad(`journal of ${log.total} blocks, fast commits among them`);
  }
  if (log.errno !== 0) bad(`the journal notes error ${log.errno}`);
  // Blocks in a hole would be found missing only when the log comes to them.
  for (let block = 0; block < log.total; block += 1) logBlockAddress(log, block);
  if (log.inode.ino !== INO.JOURNAL && log.inode.ino < c.geo.firstIno) bad(`journal in inode ${log.inode.ino}`);
}
