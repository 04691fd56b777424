/**
 * Fast commits, read: the records at the journal's end that follow its last full transaction. A run of records counts up to
 * the last tail whose checksum holds. What cannot be the end of an interrupted write refuses the image, as the kernel does.
 * Spec: "Fast commits".
 */
import { crc32c } from '../../kern/checksum/crc32c.ts';
import { CorruptError, UnsupportedError } from '../../kern/errno.ts';
import type { FileBlock, Ino } from '../../kern/ids.ts';
import { getLe16, getLe32 } from '../../kern/struct.ts';
import { FC, FcAddRange, FcDelRange, FcDentry, FcHead, FcInode, FcTag, FcTail } from './journal-format.ts';
import { readLogBlock, type Log } from './journal.ts';

/** One change that a replay makes again. */
export type FcRecord =
  | { readonly kind: 'add'; readonly ino: Ino; readonly extent: Uint8Array }
  | { readonly kind: 'delete'; readonly ino: Ino; readonly fileBlock: FileBlock; readonly count: number }
  | { readonly kind: 'create' | 'link' | 'unlink'; readonly parent: Ino; readonly ino: Ino; readonly name: Uint8Array }
  | { readonly kind: 'inode'; readonly ino: Ino; readonly raw: Uint8Array };

/** Bytes that a value has at least; and at most, where its size is fixed. */
const MIN_SIZE = new Map<number, number>([
  [FC.ADD_RANGE, FcAddRange.size],
  [FC.DEL_RANGE, FcDelRange.size],
  [FC.CREAT, FcDentry.size + 1],
  [FC.LINK, FcDentry.size + 1],
  [FC.UNLINK, FcDentry.size + 1],
  [FC.INODE, FcInode.size + 128],
  [FC.PAD, 0],
  [FC.TAIL, FcTail.size],
  [FC.HEAD, FcHead.size],
]);
const NAME_MAX = 255;

/** The records of fast commits that follow transaction number `sequence` - 1. Errors: CorruptError, UnsupportedError. */
export function scanFastCommits(log: Log, sequence: number): FcRecord[] {
  if (log.fcFirst === 0 || log.start === 0) return [];
  const records: FcRecord[] = [];
  let pending: FcRecord[] = [];
  let crc = 0;
  let tags = 0;
  const bad = (what: string): CorruptError => new CorruptError(`fast commit ${what}`, { ino: log.inode.ino });
  for (let block = log.fcFirst; block < log.total; block++) {
    const data = new Uint8Array(log.blockSize);
    readLogBlock(log, block, data);
    if (block === log.fcFirst && getLe16(data, 0) !== FC.HEAD) return [];
    for (let at = 0; at + FcTag.size <= data.length;) {
      const tag = getLe16(data, at);
      const value = at + FcTag.size;
      const end = value + getLe16(data, at + 2);
      const least = MIN_SIZE.get(tag);
      if (least === undefined || end - value < least || end > data.length) {
        // Once something was complete, what follows may be old; before that it must be sound.
        if (records.length > 0 || tags === 0) return records;
        throw bad('record');
      }
      if (tag === FC.HEAD) {
        const { features, tid } = FcHead.at(data, value);
        if (features !== 0) throw new UnsupportedError(`fast commit feature 0x${features.toString(16)}`);
        if (tid !== sequence) return records;
      }
      if (tag === FC.TAIL) {
        const { tid, crc: found } = FcTail.at(data, value);
        crc = crc32c(crc, data, at, value + FcTail.offsetOf('crc'));
        if (tid !== sequence || found !== crc) {
          if (records.length > 0) return records;
          throw bad('checksum');
        }
        records.push(...pending);
        pending = [];
        crc = 0;
      } else {
        crc = crc32c(crc, data, at, end);
        const record = parseRecord(tag, data, value, end);
        if (record !== undefined) pending.push(record);
      }
      tags++;
      at = end;
    }
  }
  return records;
}

function parseRecord(tag: number, data: Uint8Array, at: number, end: number): FcRecord | undefined {
  switch (tag) {
    case FC.ADD_RANGE:
      return { kind: 'add', ino: getLe32(data, at), extent: FcAddRange.at(data, at).extent };
    case FC.DEL_RANGE: {
      const { ino, lblk, len } = FcDelRange.at(data, at);
      return { kind: 'delete', ino, fileBlock: lblk, count: len };
    }
    case FC.CREAT:
    case FC.LINK:
    case FC.UNLINK: {
      const { parentIno, ino } = FcDentry.at(data, at);
      const name = data.subarray(at + FcDentry.size, end);
      if (name.length > NAME_MAX || name.includes(0x2f) || name.includes(0))
        throw new CorruptError('name in a fast commit', { ino });
      return { kind: tag === FC.CREAT ? 'create' : tag === FC.LINK ? 'link' : 'unlink', parent: parentIno, ino, name };
    }
    case FC.INODE:
      return { kind: 'inode', ino: getLe32(data, at), raw: data.subarray(at + FcInode.size, end) };
    default:
      return undefined;
  }
}
