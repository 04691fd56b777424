/**
 * What is at a place: file systems of ours by their probes, partitions by their tables, anything else by name.
 *
 * Nothing is mounted and nothing is tried: magic decides. The order among file systems is fs-utils' (the order of the
 * modules), so that a hybrid ISO is an ISO; partition tables and the table of names are loaded only where needed.
 */
import type { FileSystemModule, ProbeResult } from '@ukfs/kernel';
import type { Disk, Partition, PartitionTable } from '@ukfs/kernel/all';
import { pieceOf } from './medium.ts';
import type { Medium } from './medium.ts';
import type { Kind } from './signatures.ts';

type LoadLabels = () => Promise<{ readonly readTable: (disk: Disk) => PartitionTable | undefined }>;

export interface Knowledge {
  /** In order of precedence. */
  readonly modules: readonly FileSystemModule[];
  readonly loadLabels: LoadLabels;
}

/** What one place holds, seen as a whole: a file system, or something known by name. */
export interface Content {
  /** Module to mount it with; undefined: we cannot. */
  readonly module: FileSystemModule | undefined;
  readonly kind: Kind;
  readonly description: string;
  readonly advice: string;
  readonly label: string;
  readonly uuid: string;
}

/** A place in an image. */
export interface Place {
  readonly medium: Medium;
  /** Bytes from the start of the image. */
  readonly offset: number;
  /** How it was reached; undefined: not through a partition table. */
  readonly partition: Partition | undefined;
  /** Selectors that lead here, as text: "2", "1:a"; "" for the image itself. */
  readonly selector: string;
}

export const wholeImage = (medium: Medium): Place => ({ medium, offset: 0, partition: undefined, selector: '' });

export function placeOf(parent: Place, partition: Partition): Place {
  return {
    medium: pieceOf(parent.medium, partition.offset, partition.sizeBytes),
    offset: parent.offset + partition.offset,
    partition,
    selector: parent.selector === '' ? String(partition.number) : `${parent.selector}:${partition.number}`,
  };
}

/** A part of a place by bytes: the `off=` selector. */
export function pieceOfPlace(
  parent: Place,
  { offset, length, selector }: { readonly offset: number; readonly length: number; readonly selector: string },
): Place {
  return {
    medium: pieceOf(parent.medium, offset, length),
    offset: parent.offset + offset,
    partition: parent.partition,
    selector: parent.selector === '' ? selector : `${parent.selector}:${selector}`,
  };
}

/** The file system of ours that lies here: the first that is sure, else the first that may be. */
export function probe({ read }: Medium, modules: readonly FileSystemModule[]): Content | undefined {
  let maybe: Content | undefined;
  for (const module of modules) {
    const result = module.probe?.(read);
    if (result === undefined) continue;
    const content = contentOf(module, result);
    if (result.certainty === 'yes') return content;
    maybe ??= content;
  }
  return maybe;
}

const contentOf = (module: FileSystemModule, result: ProbeResult): Content => ({
  module,
  kind: 'fs',
  description: result.description,
  advice: '',
  label: result.label ?? '',
  uuid: result.uuid ?? '',
});

/** Could there be a partition table? Two cheap looks that spare most images the loading of more code. */
function mayHaveTable({ read }: Medium): boolean {
  const [low, high] = read(510, 2);
  return (low === 0x55 && high === 0xaa) || [512, 4096].some((at) => isEfiPart(read(at, 8)));
}

const EFI_PART = [0x45, 0x46, 0x49, 0x20, 0x50, 0x41, 0x52, 0x54];
const isEfiPart = (bytes: Uint8Array): boolean => EFI_PART.every((byte, i) => bytes[i] === byte);

/** The partition table at a place. */
export async function tableAt(place: Place, loadLabels: LoadLabels): Promise<PartitionTable | undefined> {
  if (!mayHaveTable(place.medium)) return undefined;
  const { readTable } = await loadLabels();
  return readTable(place.medium);
}

/** What lies here, by our probes, else by name; undefined when nobody knows. */
async function contentAt(place: Place, knowledge: Knowledge): Promise<Content | undefined> {
  const ours = probe(place.medium, knowledge.modules);
  if (ours !== undefined) return ours;
  const { recognise } = await import('./recognise.ts');
  const { read, sizeBytes } = place.medium;
  const known = recognise(read, sizeBytes);
  if (known === undefined) return undefined;
  const { name: description, ...rest } = known;
  return { module: undefined, description, ...rest };
}

/** A place and what it holds. */
export interface Found {
  readonly place: Place;
  readonly content: Content | undefined;
}

export interface Identified {
  readonly place: Place;
  /** What the place is as a whole; undefined: nothing is known, or it is but a disk with partitions. */
  readonly whole: Content | undefined;
  readonly table: PartitionTable | undefined;
  /** Each partition of the table that can hold something. */
  readonly partitions: readonly Found[];
}

/** Everything at a place. */
export async function identify(place: Place, knowledge: Knowledge): Promise<Identified> {
  const table = await tableAt(place, knowledge.loadLabels);
  if (table === undefined) {
    return { place, whole: await contentAt(place, knowledge), table, partitions: [] };
  }
  const whole = await contentAt(place, knowledge);
  const partitions: Found[] = [];
  for (const partition of table.partitions) {
    if (partition.container) continue;
    const inside = placeOf(place, partition);
    partitions.push({ place: inside, content: await contentAt(inside, knowledge) });
  }
  // The boot sector that the table lies in is not a thing of its own; a file system around the table is.
  return { place, whole: whole?.kind === 'fs' ? whole : undefined, table, partitions };
}

/**
 * The file systems to choose from. A whole-image file system of the ISO kind carries a partition table only so that it
 * boots from a disk too: it is the one. Any other, with partitions that hold file systems, is left over or ambiguous.
 */
export function candidates({ place, whole, partitions }: Identified): Found[] {
  const within = partitions.filter(({ content }) => content?.kind === 'fs');
  if (whole?.kind !== 'fs') return within;
  const itself = { place, content: whole };
  return isHybrid(whole) ? [itself] : [itself, ...within];
}

const isHybrid = ({ module, description }: Content): boolean =>
  module?.name === 'cd9660' || module?.name === 'udf' || /^(ISO 9660|UDF) /.test(description);
