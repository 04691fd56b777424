/** What is in the files that a new file system is born with, block by block: only blocks that hold anything but zeros. */
import type { Geometry } from '../superblock.ts';
import { initDirTail, inodeSeed, setDirLeafCsum, setOrphanBlockCsum } from '../csum.ts';
import { initRecords, recordSize, setRecLen, writeRecord, type NewRecord } from '../dirblock.ts';
import { INCOMPAT } from '../features.ts';
import { DirTail, FT, GOOD_OLD_FIRST_INO, INO, ORPHAN_BLOCK_MAGIC, OrphanBlockTail } from '../format.ts';
import { JBD2, JBD2_MAGIC, JournalSuperblock } from '../journal-format.ts';
import type { FilePlan } from './files.ts';
import { has } from './options.ts';
import type { MkfsPlan } from './plan.ts';
import { quotaFileBytes, type QuotaKind, type QuotaUse } from './quota.ts';

export interface Content {
  readonly block: number;
  readonly bytes: Uint8Array;
}

export function* blocksOfFile(p: MkfsPlan, geo: Geometry, file: FilePlan): Iterable<Content> {
  if (file.kind === 'resize') return;
  const places = blocksOf(file);
  if (file.kind === 'root' || file.kind === 'lost+found') {
    for (const [index, block] of places) yield { block, bytes: directoryBlock(p, geo, { file, index }) };
  } else if (file.kind === 'journal') {
    yield { block: file.runs[0]?.start ?? 0, bytes: journalSuperblock(p, geo) };
  } else if (file.kind === 'orphan') {
    for (const [, block] of places) yield { block, bytes: orphanBlock(geo, file, block) };
  } else {
    const contents = quotaFileBytes(p.o, file.kind, usesOf(p, file.kind));
    for (const [index, block] of places) {
      const bytes = new Uint8Array(geo.blockSize);
      bytes.set(contents.subarray(index * geo.blockSize, (index + 1) * geo.blockSize));
      yield { block, bytes };
    }
  }
}

function* blocksOf({ runs }: FilePlan): Iterable<readonly [index: number, block: number]> {
  let index = 0;
  for (const { start, end } of runs) for (let block = start; block < end; block++) yield [index++, block];
}

const text = new TextEncoder();

function directoryBlock(
  p: MkfsPlan,
  geo: Geometry,
  { file, index }: { readonly file: FilePlan; readonly index: number },
): Uint8Array {
  const block = new Uint8Array(geo.blockSize);
  const end = geo.metadataCsum ? geo.blockSize - DirTail.size : geo.blockSize;
  const fileType = has(p.o.features, 'incompat', INCOMPAT.FILETYPE) ? FT.DIR : FT.UNKNOWN;
  const entry = (ino: number, name: string): NewRecord => ({ ino, name: text.encode(name), fileType });
  const records = index > 0 ? [] : [entry(file.ino, '.'), entry(INO.ROOT, '..')];
  if (file.kind === 'root') records.push(entry(GOOD_OLD_FIRST_INO, 'lost+found'));
  if (records.length === 0) initRecords(block, 0, end);
  let at = 0;
  records.forEach((record, i) => {
    const size = i === records.length - 1 ? end - at : recordSize(record.name.length);
    writeRecord(block, at, record);
    setRecLen(block, at, size);
    at += size;
  });
  if (geo.metadataCsum) initDirTail(block);
  setDirLeafCsum(geo, inodeSeed(geo, file.ino, 0), block);
  return block;
}

function journalSuperblock({ journal }: MkfsPlan, geo: Geometry): Uint8Array {
  const bytes = new Uint8Array(geo.blockSize);
  const jsb = JournalSuperblock.at(bytes, 0);
  jsb.magic = JBD2_MAGIC;
  jsb.blocktype = JBD2.SUPERBLOCK_V2;
  jsb.blocksize = geo.blockSize;
  jsb.maxlen = journal?.blocks ?? 0;
  jsb.first = 1;
  jsb.sequence = 1;
  jsb.nrUsers = 1;
  jsb.uuid = geo.uuid;
  jsb.numFcBlks = journal?.fastCommitBlocks ?? 0;
  return bytes;
}

function orphanBlock(geo: Geometry, file: FilePlan, block: number): Uint8Array {
  const bytes = new Uint8Array(geo.blockSize);
  OrphanBlockTail.at(bytes, geo.blockSize - OrphanBlockTail.size).magic = ORPHAN_BLOCK_MAGIC;
  setOrphanBlockCsum(geo, inodeSeed(geo, file.ino, 0), { fsBlock: block, block: bytes });
  return bytes;
}

/** Only the root and lost+found count: the others are the format's own. */
function usesOf({ files, o }: MkfsPlan, kind: QuotaKind): QuotaUse[] {
  const uses = new Map<number, QuotaUse>([[0, { id: 0, inodes: 0, space: 0 }]]);
  for (const file of files) {
    if (file.kind !== 'root' && file.kind !== 'lost+found') continue;
    const ids = file.kind === 'root' ? { user: o.rootOwner.uid, group: o.rootOwner.gid } : { user: 0, group: 0 };
    const id = kind === 'project' ? 0 : ids[kind];
    const { inodes, space } = uses.get(id) ?? { inodes: 0, space: 0 };
    uses.set(id, { id, inodes: inodes + 1, space: space + file.sectors * 512 });
  }
  return [...uses.values()];
}
