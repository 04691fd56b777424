/**
 * What a complete kernel is made of: every file system, by name and probe, and the partition tables. Nothing here loads
 * a file system; its module does when an image asks for it.
 */
import type * as Labels from './dev/label/table.ts';
import type * as Recover from './dev/stage-recover.ts';
import { ext2fsModule } from './fs/ext2fs/probe.ts';
import { tmpfsModule } from './fs/tmpfs/probe.ts';
import type { FileSystemModule } from './vfs/vfsops.ts';

/** In order of precedence for images that could be several things: fs-utils' order. */
export const filesystems: readonly FileSystemModule[] = [ext2fsModule, tmpfsModule];

/** Partition tables, loaded when an image may hold one. */
export const loadLabels = (): Promise<typeof Labels> => import('./dev/label/table.ts');
export type { Disk, LabelRead, Partition, PartitionTable } from './dev/label/label.ts';

/** What to do with a log left beside an image, loaded when somebody asks. */
export const loadRecover = (): Promise<typeof Recover> => import('./dev/stage-recover.ts');
export type { RecoverAction, RecoverOptions, RecoverReport } from './dev/stage-recover.ts';
