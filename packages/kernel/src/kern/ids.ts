/** Kinds of number. Aliases, not brands: they document a signature; units are also in the names (`offsetInBlock`). */
/** Inode number. */
export type Ino = number;
/** Block on the device, in the file system's own block size. */
export type FsBlock = number;
/** Block within a file, counted from its start in the file system's block size. */
export type FileBlock = number;
/** Byte count or byte offset; always a safe integer. */
export type Bytes = number;
