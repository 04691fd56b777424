/**
 * GUID partition table: a header and an array of entries, both with checksums, at both ends of the disk.
 *
 * Sources: docs/fs/gpt.md. A copy counts only when both its checksums hold. The primary is used if it is good, else the
 * backup, which lies in the last sector. Sectors are 512 or 4096 bytes; the signature's place tells which.
 */
import { crc32 } from '../../kern/checksum/crc32.ts';
import { array, bytes, le16, le32, le64, struct } from '../../kern/struct.ts';
import type { StructView } from '../../kern/struct.ts';
import type { Disk, Partition, PartitionTable } from './label.ts';
import { gptTypeWords } from './gpttypes.ts';
import { isProtective } from './mbr.ts';

const GptHeader = struct('GPT header', 92, [
  [0x00, 'signature', bytes(8)],
  [0x08, 'revision', le32],
  [0x0c, 'headerSize', le32],
  [0x10, 'headerCrc32', le32],
  [0x14, 'reserved', le32],
  [0x18, 'myLba', le64],
  [0x20, 'alternateLba', le64],
  [0x28, 'firstUsableLba', le64],
  [0x30, 'lastUsableLba', le64],
  [0x38, 'diskGuid', bytes(16)],
  [0x48, 'partitionEntryLba', le64],
  [0x50, 'numberOfPartitionEntries', le32],
  [0x54, 'sizeOfPartitionEntry', le32],
  [0x58, 'partitionEntryArrayCrc32', le32],
]);

const GptEntry = struct('GPT partition entry', 128, [
  [0x00, 'partitionTypeGuid', bytes(16)],
  [0x10, 'uniquePartitionGuid', bytes(16)],
  [0x20, 'startingLba', le64],
  [0x28, 'endingLba', le64],
  [0x30, 'attributesLow', le32],
  [0x34, 'attributesHigh', le32],
  [0x38, 'partitionName', array(le16, 36)],
]);

const SIGNATURE = 'EFI PART';
const SECTOR_SIZES = [512, 4096];
const LEGACY_BOOT = 0x4;
const UNUSED = '00000000-0000-0000-0000-000000000000';
/** The standard asks for 16 KiB; tools make up to 1024 entries. More than this is an attack on our memory. */
const MAX_ENTRIES_BYTES = 4 * 1024 * 1024;

interface Table {
  readonly header: StructView<typeof GptHeader>;
  readonly entries: Uint8Array;
  readonly sectorSize: number;
}

/** The table, or undefined when the disk has none (that can be trusted). */
export function readGpt(disk: Disk): PartitionTable | undefined {
  const isGuarded = isProtective(disk);
  const primary = firstOf(sizesOf(disk), (sectorSize) => readTable(disk, sectorSize, sectorSize));
  if (primary !== undefined) {
    const notes = isGuarded ? [] : ['the protective MBR is missing'];
    return tableOf(disk, primary, notes);
  }
  // Without its protective MBR a lone backup is what an older use of the disk left behind.
  const hasSignature = sizesOf(disk).some((size) => isSignature(disk.read(size, 8)));
  if (!isGuarded && !hasSignature) return undefined;
  const backup = firstOf(sizesOf(disk), (sectorSize) =>
    readTable(disk, sectorSize, Math.floor(disk.sizeBytes / sectorSize - 1) * sectorSize),
  );
  return backup === undefined ? undefined : tableOf(disk, backup, ['the primary GPT is damaged; its backup is used']);
}

const sizesOf = (disk: Disk): readonly number[] => (disk.sectorSize === undefined ? SECTOR_SIZES : [disk.sectorSize]);

function firstOf<T, R>(values: readonly T[], make: (value: T) => R | undefined): R | undefined {
  for (const value of values) {
    const made = make(value);
    if (made !== undefined) return made;
  }
  return undefined;
}

const isSignature = (block: Uint8Array): boolean =>
  block.length >= 8 && [...SIGNATURE].every((char, i) => block[i] === char.charCodeAt(0));

/** One copy, with all its checks. */
function readTable(disk: Disk, sectorSize: number, at: number): Table | undefined {
  if (at < sectorSize || at + sectorSize > disk.sizeBytes) return undefined;
  // A copy: the checksum is taken with its own field zero.
  const block = disk.read(at, sectorSize).slice();
  if (block.length < sectorSize || !isSignature(block)) return undefined;
  const header = GptHeader.at(block, 0);
  if (header.headerSize < GptHeader.size || header.headerSize > sectorSize) return undefined;
  const crc = header.headerCrc32;
  header.headerCrc32 = 0;
  if (crc32(block.subarray(0, header.headerSize)) !== crc) return undefined;
  const entries = readEntries(disk, header, { sectorSize, at });
  return entries === undefined ? undefined : { header, entries, sectorSize };
}

function readEntries(
  disk: Disk,
  header: Table['header'],
  { sectorSize, at }: { readonly sectorSize: number; readonly at: number },
): Uint8Array | undefined {
  const entrySize = header.sizeOfPartitionEntry;
  const length = header.numberOfPartitionEntries * entrySize;
  if (entrySize < GptEntry.size || entrySize % 8 !== 0 || length > MAX_ENTRIES_BYTES) return undefined;
  const [myLba, entriesLba] = [lba(() => header.myLba), lba(() => header.partitionEntryLba)];
  if (myLba !== at / sectorSize || entriesLba === undefined) return undefined;
  const offset = entriesLba * sectorSize;
  if (offset + length > disk.sizeBytes) return undefined;
  const entries = disk.read(offset, length);
  return entries.length === length && crc32(entries) === header.partitionEntryArrayCrc32 ? entries : undefined;
}

/** A 64-bit sector number; undefined when no disk is that large. */
function lba(get: () => number): number | undefined {
  try {
    const value = get();
    return Number.isSafeInteger(value * 4096) ? value : undefined;
  } catch {
    // The accessor refuses what a number cannot hold.
    return undefined;
  }
}

function tableOf(disk: Disk, { header, entries, sectorSize }: Table, notes: string[]): PartitionTable {
  const partitions: Partition[] = [];
  for (let i = 0; i < header.numberOfPartitionEntries; i++) {
    const entry = GptEntry.at(entries, i * header.sizeOfPartitionEntry);
    const typeId = guid(entry.partitionTypeGuid);
    if (typeId === UNUSED) continue;
    const [first, last] = [lba(() => entry.startingLba), lba(() => entry.endingLba)];
    if (first === undefined || last === undefined || last < first || first === 0) {
      notes.push(`partition ${i + 1} has no sensible place`);
      continue;
    }
    const offset = first * sectorSize;
    const sizeBytes = (last - first + 1) * sectorSize;
    if (offset + sizeBytes > disk.sizeBytes) notes.push(`partition ${i + 1} runs past the end of the image`);
    partitions.push({
      table: 'gpt',
      number: i + 1,
      offset,
      sizeBytes,
      name: nameOf(entry.partitionName),
      uuid: guid(entry.uniquePartitionGuid),
      typeId,
      type: gptTypeWords.get(typeId) ?? '',
      bootable: (entry.attributesLow & LEGACY_BOOT) !== 0,
      container: false,
    });
  }
  return { kind: 'gpt', sectorSize, uuid: guid(header.diskGuid), partitions, notes };
}

/** UTF-16, up to the first NUL. */
function nameOf(units: readonly number[]): string {
  const end = units.indexOf(0);
  return String.fromCharCode(...(end < 0 ? units : units.slice(0, end)));
}

/** Text of a GUID: the first three groups are little-endian numbers, the rest bytes. */
export function guid(raw: Uint8Array): string {
  const hex = Array.from(raw, (byte) => byte.toString(16).padStart(2, '0'));
  const order = [3, 2, 1, 0, -1, 5, 4, -1, 7, 6, -1, 8, 9, -1, 10, 11, 12, 13, 14, 15];
  return order.map((i) => (i < 0 ? '-' : (hex[i] ?? ''))).join('');
}
