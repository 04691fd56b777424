/**
 * Errno names and the kernel's error types.
 *
 * Inside the kernel an error is an errno *name*; numbers exist only at borders (FUSE, remote clients), which is why
 * the table holds NetBSD's numbers, the ones native rump system calls returned.
 * Source: NetBSD sys/sys/errno.h via intro(2).
 */
export const Errno = {
  EPERM: 1,
  ENOENT: 2,
  ESRCH: 3,
  EINTR: 4,
  EIO: 5,
  ENXIO: 6,
  E2BIG: 7,
  ENOEXEC: 8,
  EBADF: 9,
  ECHILD: 10,
  EDEADLK: 11,
  ENOMEM: 12,
  EACCES: 13,
  EFAULT: 14,
  ENOTBLK: 15,
  EBUSY: 16,
  EEXIST: 17,
  EXDEV: 18,
  ENODEV: 19,
  ENOTDIR: 20,
  EISDIR: 21,
  EINVAL: 22,
  ENFILE: 23,
  EMFILE: 24,
  ENOTTY: 25,
  ETXTBSY: 26,
  EFBIG: 27,
  ENOSPC: 28,
  ESPIPE: 29,
  EROFS: 30,
  EMLINK: 31,
  EPIPE: 32,
  EDOM: 33,
  ERANGE: 34,
  EAGAIN: 35,
  ELOOP: 62,
  ENAMETOOLONG: 63,
  ENOTEMPTY: 66,
  EDQUOT: 69,
  ESTALE: 70,
  ENOLCK: 77,
  ENOSYS: 78,
  EFTYPE: 79,
  EOVERFLOW: 84,
  EILSEQ: 85,
  ENOTSUP: 86,
  ECANCELED: 87,
  ENOATTR: 93,
  EPROGMISMATCH: 75,
  EOPNOTSUPP: 45,
  EMSGSIZE: 40,
  EPROTO: 96,
} as const;

export type ErrnoName = keyof typeof Errno;

/** What manual pages say about each errno; the text after the path in a tool's message. */
export const errnoText: Readonly<Record<ErrnoName, string>> = {
  EPERM: 'Operation not permitted',
  ENOENT: 'No such file or directory',
  ESRCH: 'No such process',
  EINTR: 'Interrupted system call',
  EIO: 'Input/output error',
  ENXIO: 'Device not configured',
  E2BIG: 'Argument list too long',
  ENOEXEC: 'Exec format error',
  EBADF: 'Bad file descriptor',
  ECHILD: 'No child processes',
  EDEADLK: 'Resource deadlock avoided',
  ENOMEM: 'Cannot allocate memory',
  EACCES: 'Permission denied',
  EFAULT: 'Bad address',
  ENOTBLK: 'Block device required',
  EBUSY: 'Device busy',
  EEXIST: 'File exists',
  EXDEV: 'Cross-device link',
  ENODEV: 'Operation not supported by device',
  ENOTDIR: 'Not a directory',
  EISDIR: 'Is a directory',
  EINVAL: 'Invalid argument',
  ENFILE: 'Too many open files in system',
  EMFILE: 'Too many open files',
  ENOTTY: 'Inappropriate ioctl for device',
  ETXTBSY: 'Text file busy',
  EFBIG: 'File too large',
  ENOSPC: 'No space left on device',
  ESPIPE: 'Illegal seek',
  EROFS: 'Read-only file system',
  EMLINK: 'Too many links',
  EPIPE: 'Broken pipe',
  EDOM: 'Numerical argument out of domain',
  ERANGE: 'Result too large or too small',
  EAGAIN: 'Resource temporarily unavailable',
  ELOOP: 'Too many levels of symbolic links',
  ENAMETOOLONG: 'File name too long',
  ENOTEMPTY: 'Directory not empty',
  EDQUOT: 'Disc quota exceeded',
  ESTALE: 'Stale file handle',
  ENOLCK: 'No locks available',
  ENOSYS: 'Function not implemented',
  EFTYPE: 'Inappropriate file type or format',
  EOVERFLOW: 'Value too large to be stored in data type',
  EILSEQ: 'Illegal byte sequence',
  ENOTSUP: 'Not supported',
  ECANCELED: 'Operation canceled',
  ENOATTR: 'Attribute not found',
  EPROGMISMATCH: 'Program version wrong',
  EOPNOTSUPP: 'Operation not supported',
  EMSGSIZE: 'Message too long',
  EPROTO: 'Protocol error',
};

/** Why something may only be read: it was asked for, the image's state forbids it, or it has what we cannot write. */
export type ReadOnlyCause = 'asked' | 'damaged' | 'unsupported';

/** Where an error happened. Each layer adds what it alone knows: a file system ino and block, the syscall op and path. */
export interface ErrorContext {
  op?: string;
  path?: string;
  /** Host path of the image that `path` lies in; the library knows it. */
  image?: string;
  ino?: number;
  /** Block number in the unit the message names (a file system's own blocks unless it says otherwise). */
  block?: number;
  /** Byte offset on the device. */
  offset?: number;
  /** Free text for a person: "inode block pointer", "feature 0x10000". */
  what?: string;
  /** EROFS only: a person can do different things about each cause. */
  readOnly?: ReadOnlyCause;
}

/** An expected failure with an errno name. Thrown by every system call; `code` is what callers switch on. */
export class FsError extends Error {
  override readonly name: string = 'FsError';
  readonly code: ErrnoName;
  readonly context: ErrorContext;

  constructor(code: ErrnoName, context: ErrorContext = {}, options?: { cause?: unknown }) {
    super(context.what === undefined ? errnoText[code] : context.what, options);
    this.code = code;
    this.context = context;
  }

  /** NetBSD's number, for borders that speak numbers. */
  get errno(): number {
    return Errno[this.code];
  }
}

/** The image breaks its own format's rules: EIO to callers; kind and place for people and tests. */
export class CorruptError extends FsError {
  override readonly name = 'CorruptError';
  constructor(what: string, context: ErrorContext = {}) {
    super('EIO', { ...context, what });
  }
}

/** Nobody is wrong: the format has something we do not do (yet), or refuse to do. Names the feature. */
export class UnsupportedError extends FsError {
  override readonly name = 'UnsupportedError';
  constructor(what: string, context: ErrorContext = {}) {
    super('ENOTSUP', { ...context, what });
  }
}

/** Any thrown value as an FsError; what is not one is our bug or the host's and becomes EIO with its cause kept. */
export function asFsError(thrown: unknown): FsError {
  if (thrown instanceof FsError) return thrown;
  const what = thrown instanceof Error ? thrown.message : String(thrown);
  return new FsError('EIO', { what }, { cause: thrown });
}

/** The same error with context filled in where the thrower did not know it. */
export function withContext(error: FsError, context: ErrorContext): FsError {
  Object.assign(error.context, { ...context, ...error.context });
  return error;
}
