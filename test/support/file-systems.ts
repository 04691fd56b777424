/**
 * Every file system there is, as the harnesses see it: a new one joins them all by one line here.
 * What each can do is in its traits; nothing in the harnesses knows a name.
 */
import type { FileSystemType } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { tmpfs } from '@ukfs/kernel/fs/tmpfs';
import { tmpfsVariant, type Disk, type Variant } from './adapters.ts';
import { extVariants } from './ext-adapter.ts';
import { extDisks } from './ext-disks.ts';
import { extHostile } from './ext-hostile.ts';
import { extMatrix } from './ext-matrix.ts';
import { extToolImages } from './ext-tool-images.ts';
import type { HostileFormat } from './hostile.ts';

export interface Adapter {
  readonly type: FileSystemType;
  /** Tools without which nothing can be tested: to make an image, to judge it. */
  readonly oracles: readonly string[];
  /** Those of the conformance suite, of a type (a broken one, perhaps). */
  variants(type: FileSystemType): readonly Variant[];
  /** Many more, for short runs. */
  matrix(type: FileSystemType): readonly Variant[];
  /** Small ones to be crashed and failed; none, where nothing outlives the kernel. */
  disks(type: FileSystemType): readonly Disk[];
  /** What hostile images are made of. */
  readonly hostile?: HostileFormat;
  /** Images as users have them, for the tools; none, where nothing outlives the kernel. */
  readonly images?: readonly ToolImage[];
  /** How the host's own kernel mounts an image: `mount -t`, and -o for the rules of this kernel. */
  readonly kernel?: { readonly type: string; readonly options: readonly string[] };
}

/** An image for the tools to work on, of some tens of megabytes. */
export interface ToolImage {
  readonly name: string;
  /** A fresh file system, by the platform's mkfs. */
  make(path: string): void;
  /** What the judges have against such an image; undefined when it is clean. */
  complaint(image: Uint8Array): string | undefined;
}

export const fileSystems: readonly Adapter[] = [
  { type: tmpfs, oracles: [], variants: (type) => [tmpfsVariant(type)], matrix: () => [], disks: () => [] },
  {
    type: ext2fs,
    oracles: ['mke2fs', 'e2fsck'],
    variants: (type) => (['ext2', 'ext3', 'ext4'] as const).flatMap((adapter) => extVariants(type, adapter)),
    matrix: extMatrix,
    disks: extDisks,
    hostile: extHostile,
    images: extToolImages,
    // A new file's group is its directory's.
    kernel: { type: 'ext4', options: ['grpid', 'nodev'] },
  },
];

/** Every small disk, and all that is needed to make and judge them. */
export const disks: readonly Disk[] = fileSystems.flatMap(({ type, disks }) => disks(type));
export const diskOracles: readonly string[] = fileSystems
  .filter(({ type, disks }) => disks(type).length > 0)
  .flatMap(({ oracles }) => oracles);
