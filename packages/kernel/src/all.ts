/**
 * What a complete kernel is made of: every file system, by name and probe, and the partition tables. Nothing here loads
 * a file system; its module does when an image asks for it.
 */
import type * as Labels from './dev/label/index.ts';

/** Partition tables, loaded when an image holds no file system as a whole. */
export const loadLabels = (): Promise<typeof Labels> => import('./dev/label/index.ts');
export type { Disk, LabelRead, Partition, PartitionTable } from './dev/label/label.ts';
