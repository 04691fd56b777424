/** One directory entry, as VOP_READDIR gives it. `.` and `..` are included where the format has them or implies them. */
import type { Ino } from '../kern/ids.ts';
import type { VType } from './vattr.ts';

export interface Dirent {
  readonly name: string;
  readonly ino: Ino;
  /** undefined when the format does not record types in directories. */
  readonly type: VType | undefined;
  /** Cookie that continues after this entry; stable while the entry exists. */
  readonly next: number;
}
