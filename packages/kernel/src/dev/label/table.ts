/** Whatever partition table a disk has. */
import { readGpt } from './gpt.ts';
import type { Disk, PartitionTable } from './label.ts';
import { readMbr } from './mbr.ts';

/** The table, or undefined. A GPT hides behind an MBR that protects it, so it is asked first. */
export const readTable = (disk: Disk): PartitionTable | undefined => readGpt(disk) ?? readMbr(disk);
