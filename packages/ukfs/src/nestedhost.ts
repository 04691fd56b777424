/**
 * A host whose files are those of an open file system: what is an image in there can be opened as any other image, as deep as images
 * lie in images. Nothing is written through it: whoever wants to change a nested image copies it out.
 */
import { FsError, HYPERCALL_VERSION } from '@ukfs/kernel';
import type { Host, HostFile, HostStat, Stat } from '@ukfs/kernel';
import type { Ukfs } from './handle.ts';

/** What of a file must stay for it to be the same one with the same contents. */
const identityOf = ({ ino, gen, size, mtime }: Stat): string => [ino, gen, size, mtime.sec, mtime.nsec].join(' ');

/** The law, as people are told it. */
export const NESTED_IS_READ = 'an image within an image is only read: copy it out, edit it, and put it back';

export const nestedReadOnly = (op: string, path: string): FsError =>
  new FsError('EROFS', { op, path, what: NESTED_IS_READ });

/**
 * `fs` acts as root. An open file that is not any more what it was (removed, written, taken back) gives EIO, as a disk does that was pulled out: ESTALE is
 * what file systems say of files of their own. Time, chance and the console are `base`'s.
 */
export function nestedHost(fs: Ukfs, base: Host): Host {
  return {
    version: HYPERCALL_VERSION,
    name: 'nested',
    open(path, mode) {
      if (mode.write || mode.create !== undefined) throw nestedReadOnly('open', path);
      return new NestedFile(fs, path);
    },
    stat(path, options = {}) {
      try {
        return hostStatOf(options.nofollow === true ? fs.lstat(path) : fs.stat(path));
      } catch (thrown) {
        if (thrown instanceof FsError && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')) return undefined;
        throw thrown;
      }
    },
    realpath(path) {
      fs.stat(path);
      return path;
    },
    readdir: (path) => fs.readdir(path),
    rename(from) {
      throw nestedReadOnly('rename', from);
    },
    unlink(path) {
      throw nestedReadOnly('unlink', path);
    },
    fsyncDir(path) {
      throw nestedReadOnly('fsync', path);
    },
    freeBytes: () => 0,
    writableDir: () => false,
    lock: () => 'unsupported',
    holder: () => undefined,
    whoami: () => base.whoami(),
    getparam: (name) => base.getparam(name),
    now: () => base.now(),
    monotonic: () => base.monotonic(),
    random: (dst) => base.random(dst),
    salt: (dst) => base.salt(dst),
    console: (text) => base.console(text),
    holdSignals: (held) => base.holdSignals(held),
    signalled: () => base.signalled(),
  };
}

function hostStatOf({ type, size, bytes, dev, ino, nlink, mode, uid, gid, mtime, birthtime }: Stat): HostStat {
  return {
    type: type === 'reg' || type === 'dir' ? type : 'other',
    size,
    allocated: bytes,
    dev: String(dev),
    ino: String(ino),
    nlink,
    mode,
    uid,
    gid,
    mtime,
    birthtime: birthtime ?? { sec: 0, nsec: 0 },
  };
}

/**
 * By its file handle, and open for a moment only: a file that is removed while it is open stays behind as an orphan, and in what is
 * committed meanwhile as well.
 */
class NestedFile implements HostFile {
  readonly #fs: Ukfs;
  readonly #path: string;
  readonly #handle: Uint8Array;
  readonly #identity: string;

  constructor(fs: Ukfs, path: string) {
    this.#fs = fs;
    this.#path = path;
    const stat = fs.stat(path);
    if (stat.type !== 'reg') throw new FsError('EFTYPE', { op: 'open', path, what: 'not a regular file' });
    this.#handle = fs.getfh(path);
    this.#identity = identityOf(stat);
  }

  stat(): HostStat {
    return hostStatOf(this.#opened((_, stat) => stat));
  }

  read(dst: Uint8Array, offset: number): number {
    return this.#opened((fd) => {
      let got = 0;
      for (let n = -1; n !== 0 && got < dst.length; got += n)
        n = this.#fs.read(fd, dst, got, dst.length - got, offset + got);
      return got;
    });
  }

  /** Errors: EIO it is another file by now, or none. */
  #opened<T>(use: (fd: number, stat: Stat) => T): T {
    const fd = this.#open();
    try {
      const stat = this.#fs.fstat(fd);
      if (stat.nlink === 0 || identityOf(stat) !== this.#identity) throw this.#gone();
      return use(fd, stat);
    } finally {
      this.#fs.close(fd);
    }
  }

  #open(): number {
    try {
      return this.#fs.fhopen(this.#handle);
    } catch (thrown) {
      if (thrown instanceof FsError && thrown.code === 'ESTALE') throw this.#gone();
      throw thrown;
    }
  }

  #gone(): FsError {
    return new FsError('EIO', { path: this.#path, what: 'the file that holds this image has changed, or is gone' });
  }

  write(): void {
    throw nestedReadOnly('write', this.#path);
  }
  truncate(): void {
    throw nestedReadOnly('truncate', this.#path);
  }
  fsync(): void {
    // Nothing was written.
  }
  close(): void {
    // Nothing is open.
  }
}
