/** Limits that hold for every file system; a type's own, tighter limits are in its traits. */
/** Bytes in one path component (POSIX NAME_MAX; NetBSD's and Linux's value). */
export const NAME_MAX = 255;
/** Bytes in a path, including the terminating NUL of the C interface (NetBSD, Linux: 1024 and 4096; the larger is kept). */
export const PATH_MAX = 4096;
/** Symbolic links followed in one lookup (NetBSD MAXSYMLINKS is 32, Linux MAXSYMLINKS 40; the larger opens more images). */
export const SYMLOOP_MAX = 40;
/** Largest offset we handle: numbers are exact up to here. */
export const OFFSET_MAX = Number.MAX_SAFE_INTEGER;
/** Processes' descriptor limit. */
export const OPEN_MAX = 65536;
