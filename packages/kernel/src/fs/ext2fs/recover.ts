/**
 * Recovery at mount: what to do with the journal. Readers see the replayed state through a ReplayDevice; writers get it
 * written into the stage, the journal emptied and orphans removed, before anything else happens.
 */
import { CorruptError, FsError, UnsupportedError } from '../../kern/errno.ts';
import type { Mount } from '../../vfs/mount.ts';
import { recountFree } from './claim.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { replayFastCommits } from './fc-replay.ts';
import { scanFastCommits, type FcRecord } from './fc-scan.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from './features.ts';
import {
  logBlockAddress,
  journalSuperblockChecksum,
  openLog,
  readCopy,
  scanLog,
  type Log,
  type Replay,
} from './journal.ts';
import { JournalSuperblock } from './journal-format.ts';
import { ReplayDevice } from './replay-device.ts';
import {
  hasCompat,
  hasIncompat,
  hasRoCompat,
  parseSuperblock,
  updateSuperblock,
  withSuperblock,
} from './superblock.ts';

/** Bring a mount to the state that its journal promises. Errors: CorruptError, UnsupportedError. */
export function recover(mp: Mount<Ext2Mount>): void {
  const { geo } = mp.data;
  if (!hasCompat(geo, COMPAT.HAS_JOURNAL)) {
    if (hasIncompat(geo, INCOMPAT.RECOVER)) throw new UnsupportedError('needs_recovery without a journal');
    return;
  }
  const isExternal = geo.journalInum === 0;
  const isDirty = hasIncompat(geo, INCOMPAT.RECOVER);
  if (!isDirty) {
    mp.data.journalState = isExternal ? 'external, clean' : 'clean';
    if (isExternal) mp.keepReadOnly('unsupported', 'the journal is on another device');
    return;
  }
  mp.data.allowFresh = false;
  if (mp.options['noload'] !== undefined) {
    mp.data.journalState = 'needs recovery; ignored (noload)';
    mp.keepReadOnly('asked', 'the journal needs recovery and was left alone (noload)');
    return;
  }
  if (isExternal) {
    const device = withSuperblock(mp, (sb) => sb.journalDev);
    const number = device === 0 ? '' : ` ${device >>> 8}:${device & 0xff}`;
    throw new UnsupportedError(
      `the journal, which needs recovery, is on another device${number}; noload reads without it`,
    );
  }
  const { log, replay, records } = readJournal(mp);
  const fast = records.length === 0 ? '' : `, ${records.length} fast-commit records`;
  if (records.length > 0 && hasRoCompat(geo, RO_COMPAT.QUOTA) && !mp.readOnly)
    mp.keepReadOnly('unsupported', 'feature quota: what fast commits changed would have to be counted');
  const what = `${replay.transactions} transactions, ${replay.copies.size} blocks${fast}`;
  if (mp.readOnly) {
    replayInMemory(mp, log, replay, records);
    mp.data.journalState = `needs recovery; replayed in memory (${what})`;
    mp.notes.push(`the journal was replayed in memory: ${what}`);
  } else {
    replayToDevice(mp, log, replay, records);
    mp.data.journalState = `replayed (${what})`;
    mp.notes.push(`the journal was replayed: ${what}`);
  }
}

/** What there is to replay. What is wrong with it is said together with what helps. */
function readJournal(mp: Mount<Ext2Mount>): { log: Log; replay: Replay; records: FcRecord[] } {
  try {
    const log = openLog(mp);
    const replay = scanLog(log);
    return { log, replay, records: scanFastCommits(log, replay.endSequence) };
  } catch (e) {
    if (!(e instanceof CorruptError)) throw e;
    throw new CorruptError(`${e.message}; -o noload reads without it`, e.context);
  }
}

/** Every number may have changed with the blocks. */
function readAgain(mp: Mount<Ext2Mount>): void {
  mp.data.inodeTables.clear();
  mp.data.zones = undefined;
  const geo = withSuperblock(mp, (_, raw) => parseSuperblock(raw));
  if (geo.blockSize !== mp.blockSize) throw new FsError('EIO', { what: 'the journal changes the block size' });
  mp.data.geo = geo;
}

function replayInMemory(mp: Mount<Ext2Mount>, log: Log, { copies }: Replay, records: readonly FcRecord[]): void {
  const { blockSize } = mp;
  const read = (copy: number, dst: Uint8Array): void => readCopy(log, copy, dst);
  mp.layer((below) => new ReplayDevice({ below, blockSize, copies, readCopy: read }));
  readAgain(mp);
  if (records.length === 0) return;
  replayFastCommits(mp, records);
  mp.bufs.flush();
  mp.data.alloc = undefined;
}

function replayToDevice(mp: Mount<Ext2Mount>, log: Log, replay: Replay, records: readonly FcRecord[]): void {
  const { blockSize, device } = mp;
  const data = new Uint8Array(blockSize);
  for (const [block, copy] of replay.copies) {
    readCopy(log, copy, data);
    device.write(data, block * blockSize);
  }
  mp.bufs.dropAll();
  readAgain(mp);
  if (records.length > 0) replayFastCommits(mp, records);
  recountFree(mp);
  emptyJournal(mp, log, replay);
  updateSuperblock(mp, (sb) => (sb.featureIncompat &= ~INCOMPAT.RECOVER));
  mp.bufs.flush();
  readAgain(mp);
}

/** Nothing to replay any more; transaction numbers go on from where they were. */
function emptyJournal(mp: Mount<Ext2Mount>, log: Log, replay: Replay): void {
  const { blockSize, device } = mp;
  const data = new Uint8Array(blockSize);
  const offset = logBlockAddress(log, 0) * blockSize;
  device.read(data, offset);
  const sb = JournalSuperblock.at(data, 0);
  sb.start = 0;
  sb.sequence = (replay.endSequence + 1) >>> 0;
  if (log.csumVersion >= 2) sb.checksum = journalSuperblockChecksum(data);
  device.write(data, offset);
}
