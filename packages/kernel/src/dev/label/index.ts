/** Partition tables. Loaded when an image holds no file system as a whole. */
export { readGpt } from './gpt.ts';
export type { Disk, LabelRead, Partition, PartitionTable } from './label.ts';
export { readMbr } from './mbr.ts';
