/** The tar format as data. Sources: POSIX pax(1), "ustar Interchange Format"; GNU tar manual, "Basic Tar Format". */

export const BLOCK = 512;

export type Field = readonly [at: number, length: number];

/** Fields of a header block: offset and length. POSIX "ustar Header Block". */
export const FIELD = {
  name: [0, 100],
  mode: [100, 8],
  uid: [108, 8],
  gid: [116, 8],
  size: [124, 12],
  mtime: [136, 12],
  checksum: [148, 8],
  linkname: [157, 100],
  /** With the version behind it. */
  magic: [257, 8],
  uname: [265, 32],
  gname: [297, 32],
  devmajor: [329, 8],
  devminor: [337, 8],
  prefix: [345, 155],
  gnuSparse: [386, 96],
  gnuExtended: [482, 1],
  gnuRealSize: [483, 12],
} as const satisfies Readonly<Record<string, Field>>;
export const TYPE_AT = 156;

/** What an entry is; `link` is another name of one before it. */
export type TarType = 'reg' | 'dir' | 'lnk' | 'link' | 'chr' | 'blk' | 'fifo';

export type TarFormat = 'pax' | 'ustar' | 'gnu';

/** Where the header of a file with holes says that it lies, so that a tar which knows no holes makes a mess elsewhere. */
export const SPARSE_DIR = 'GNUSparseFile.0';

/** From the end of something so long to the next block. */
export const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;
