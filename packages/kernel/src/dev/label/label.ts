/** What every kind of partition table comes down to: slices of a disk, with the words by which people ask for them. */

/** Up to `length` bytes at byte `offset` of the disk; shorter past its end. */
export type LabelRead = (offset: number, length: number) => Uint8Array;

/** A partition, as its table tells it. */
export interface Partition {
  readonly table: 'mbr' | 'gpt' | 'disklabel';
  /** 1 …, as Linux counts: logical partitions of an MBR from 5, GPT entries by their place. Of a disklabel: 1 is `a`. */
  readonly number: number;
  /** Bytes from the start of what holds the table. */
  readonly offset: number;
  readonly sizeBytes: number;
  /** GPT name; empty elsewhere. */
  readonly name: string;
  /** GPT partition GUID in lower case, or as Linux makes one for an MBR: disk id and number. */
  readonly uuid: string;
  /** Type as the table stores it: "0x83", a GUID, or a disklabel's number. */
  readonly typeId: string;
  /** A word for it, as `type=` takes: "linux", "esp", "fat32", "swap"; empty if unknown. */
  readonly type: string;
  /** MBR active flag, GPT legacy-boot attribute. */
  readonly bootable: boolean;
  /** Holds further partitions (an MBR's extended partition) and no file system. */
  readonly container: boolean;
}

export interface PartitionTable {
  readonly kind: 'mbr' | 'gpt' | 'disklabel';
  /** Bytes per unit of the table. */
  readonly sectorSize: number;
  /** GPT disk GUID, MBR disk id in hex. */
  readonly uuid: string;
  readonly partitions: readonly Partition[];
  /** What a person should know: damage that was worked around, partitions past the end of the image. */
  readonly notes: readonly string[];
}

export interface Disk {
  readonly read: LabelRead;
  readonly sizeBytes: number;
  /** Logical sector size where it is known (block devices); images do not say. */
  readonly sectorSize?: number;
}
