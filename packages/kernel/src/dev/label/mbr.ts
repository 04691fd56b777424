/**
 * Master boot record: four primary partitions, and logical ones in a chain inside an extended partition.
 *
 * Sources: docs/fs/mbr.md. Addresses count logical sectors, whose size the table does not tell: 512 unless the disk says
 * otherwise. A GPT disk carries a protective MBR (type 0xee); gpt.ts asks isProtective() and goes first.
 */
import { bytes, le16, le32, struct, u8 } from '../../kern/struct.ts';
import type { Disk, Partition, PartitionTable } from './label.ts';

const MbrEntry = struct('MBR partition entry', 16, [
  [0x00, 'status', u8],
  [0x01, 'firstChs', bytes(3)],
  [0x04, 'type', u8],
  [0x05, 'lastChs', bytes(3)],
  [0x08, 'firstSector', le32],
  [0x0c, 'sectors', le32],
]);

/** The boot record, and each link of the extended chain (which uses two entries). */
const BootRecord = struct('master boot record', 512, [
  [0x000, 'bootCode', bytes(440)],
  [0x1b8, 'diskId', le32],
  [0x1bc, 'reserved', le16],
  [0x1be, 'entries', bytes(64)],
  [0x1fe, 'signature', le16],
]);

const SIGNATURE = 0xaa55;
const PROTECTIVE = 0xee;
const EXTENDED: ReadonlySet<number> = new Set([0x05, 0x0f, 0x85, 0xc5, 0xd5]);
/** Links followed in an extended chain. Linux stops at 100 sectors without data partitions and 256 partitions. */
const MAX_LOGICAL = 256;

/** Words for the types people meet; `type=` takes them. Source: docs/fs/mbr.md. */
const typeWords = new Map<number, string>([
  [0x01, 'fat12'],
  [0x04, 'fat16'],
  [0x06, 'fat16'],
  [0x0e, 'fat16'],
  [0x0b, 'fat32'],
  [0x0c, 'fat32'],
  [0x05, 'extended'],
  [0x0f, 'extended'],
  [0x85, 'extended'],
  [0x07, 'ntfs'],
  [0x27, 'winre'],
  [0x39, 'plan9'],
  [0x82, 'swap'],
  [0x83, 'linux'],
  [0x8e, 'lvm'],
  [0xfd, 'raid'],
  [0x81, 'minix'],
  [0x80, 'minix'],
  [0xa5, 'freebsd'],
  [0xa6, 'openbsd'],
  [0xa9, 'netbsd'],
  [0xaf, 'hfs'],
  [0xa8, 'ufs'],
  [0xbf, 'solaris'],
  [0xeb, 'befs'],
  [0xee, 'gpt'],
  [0xef, 'esp'],
  [0xda, 'data'],
  [0xe8, 'luks'],
  [0x17, 'ntfs'],
  [0x1b, 'fat32'],
  [0x1c, 'fat32'],
  [0x1e, 'fat16'],
  [0x16, 'fat16'],
  [0x11, 'fat12'],
  [0x14, 'fat16'],
  [0xfb, 'vmfs'],
]);

interface Entry {
  readonly bootable: boolean;
  readonly status: number;
  readonly type: number;
  readonly firstSector: number;
  readonly sectors: number;
}

interface Record {
  readonly diskId: number;
  readonly entries: readonly Entry[];
}

function readRecord(disk: Disk, offset: number): Record | undefined {
  const block = disk.read(offset, BootRecord.size);
  if (block.length < BootRecord.size) return undefined;
  const record = BootRecord.at(block, 0);
  if (record.signature !== SIGNATURE) return undefined;
  const entries = [0, 1, 2, 3].map((i) => {
    const { status, type, firstSector, sectors } = MbrEntry.at(record.entries, i * MbrEntry.size);
    return { bootable: status === 0x80, status, type, firstSector, sectors };
  });
  return { diskId: record.diskId, entries };
}

const isUsed = (e: Entry): boolean => e.type !== 0 && e.sectors > 0;

/** Is the first sector a GPT's protective (or hybrid) MBR? */
export function isProtective(disk: Disk): boolean {
  return readRecord(disk, 0)?.entries.some((e) => e.type === PROTECTIVE) ?? false;
}

/** The table, or undefined when the first sector is none: a boot sector of a FAT has the same signature. */
export function readMbr(disk: Disk): PartitionTable | undefined {
  const record = readRecord(disk, 0);
  if (record === undefined || !isTable(record, disk)) return undefined;
  const notes: string[] = [];
  const sectorSize = disk.sectorSize ?? 512;
  const table = { disk, sectorSize, diskId: record.diskId, notes };
  const partitions = record.entries.flatMap((e, i) => (isUsed(e) ? [partitionOf(table, e, i + 1, 0)] : []));
  const extended = record.entries.find((e) => EXTENDED.has(e.type) && isUsed(e));
  if (extended !== undefined) partitions.push(...readLogical(table, extended));
  return { kind: 'mbr', sectorSize, uuid: hex8(record.diskId), partitions, notes };
}

/** Boot code where a table would be shows itself by its status bytes, or by entries that start nowhere. */
function isTable(record: Record, disk: Disk): boolean {
  const used = record.entries.filter(isUsed);
  const sectorSize = disk.sectorSize ?? 512;
  return (
    used.length > 0 &&
    record.entries.every((e) => e.status === 0 || e.status === 0x80) &&
    used.some((e) => e.firstSector > 0 && e.firstSector * sectorSize < disk.sizeBytes)
  );
}

interface Context {
  readonly disk: Disk;
  readonly sectorSize: number;
  readonly diskId: number;
  readonly notes: string[];
}

/** `base`: sector that the entry's address counts from. */
function partitionOf(table: Context, entry: Entry, number: number, base: number): Partition {
  const { disk, sectorSize, diskId, notes } = table;
  const offset = (base + entry.firstSector) * sectorSize;
  const sizeBytes = entry.sectors * sectorSize;
  if (offset + sizeBytes > disk.sizeBytes) notes.push(`partition ${number} runs past the end of the image`);
  return {
    table: 'mbr',
    number,
    offset,
    sizeBytes,
    name: '',
    uuid: `${hex8(diskId)}-${number.toString(16).padStart(2, '0')}`,
    typeId: `0x${entry.type.toString(16).padStart(2, '0')}`,
    type: typeWords.get(entry.type) ?? '',
    bootable: entry.bootable,
    container: EXTENDED.has(entry.type),
  };
}

const hex8 = (n: number): string => n.toString(16).padStart(8, '0');

/**
 * The chain of an extended partition. Each link's first data entry counts from the link, its extended entry (the next
 * link) from the start of the whole extended partition. A link outside of that, a loop or a missing signature ends the
 * chain with a note.
 */
function readLogical(table: Context, extended: Entry): Partition[] {
  const { disk, sectorSize, notes } = table;
  const found: Partition[] = [];
  const seen = new Set<number>();
  for (let link = extended.firstSector; ;) {
    if (seen.has(link) || seen.size >= MAX_LOGICAL) {
      notes.push(
        `the chain of logical partitions ${seen.has(link) ? 'loops' : 'is too long'} after partition ${found.length + 4}`,
      );
      return found;
    }
    seen.add(link);
    const record = readRecord(disk, link * sectorSize);
    if (record === undefined) {
      notes.push(`the chain of logical partitions is broken after partition ${found.length + 4}`);
      return found;
    }
    const data = record.entries.find((e) => isUsed(e) && !EXTENDED.has(e.type));
    if (data !== undefined) found.push(partitionOf(table, data, found.length + 5, link));
    const next = record.entries.find((e) => isUsed(e) && EXTENDED.has(e.type));
    if (next === undefined) return found;
    if (next.firstSector >= extended.sectors) {
      notes.push(`the chain of logical partitions leaves its extended partition after partition ${found.length + 4}`);
      return found;
    }
    link = extended.firstSector + next.firstSector;
  }
}
