/**
 * A host whose files are those of an open file system: what is an image in there can be opened as any other image, as deep as images
 * lie in images. Nothing is written through it: whoever wants to change a nested image copies it out.
 */
import { FsError, HYPERCALL_VERSION } from '@ukfs/kernel';
import type { Host, HostFile, HostStat, Stat } from '@ukfs/kernel';
import type { Ukfs } from './handle.ts';

/** What of a file must stay for it to be the same one with the same contents. */
const identityOf = ({ ino, gen, size, mtime }: Stat): string => [ino, gen, size, mtime.sec, mtime.nsec].join(' ');

const readOnly = (op: string, path: string): FsError =>
  new FsError('EROFS', { op, path, what: 'a file within an image is only read' });

/**
 * `fs` gives the handle at the time of a call: it may become another one, on the same image. An open file that is not any more what it
 * was (removed, written, taken back) gives ESTALE. Time, chance and the console are `base`'s.
 */
export function nestedHost(fs: () => Ukfs, base: Host): Host {
  return {
    version: HYPERCALL_VERSION,
    name: 'nested',
    open(path, mode) {
      if (mode.write || mode.create !== undefined) throw readOnly('open', path);
      return new NestedFile(fs, path);
    },
    stat(path, options = {}) {
      try {
        return hostStatOf(options.nofollow === true ? fs().lstat(path) : fs().stat(path));
      } catch (thrown) {
        if (thrown instanceof FsError && (thrown.code === 'ENOENT' || thrown.code === 'ENOTDIR')) return undefined;
        throw thrown;
      }
    },
    realpath(path) {
      fs().stat(path);
      return path;
    },
    readdir: (path) => fs().readdir(path),
    rename(from) {
      throw readOnly('rename', from);
    },
    unlink(path) {
      throw readOnly('unlink', path);
    },
    fsyncDir(path) {
      throw readOnly('fsync', path);
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

class NestedFile implements HostFile {
  readonly #fs: () => Ukfs;
  readonly #path: string;
  readonly #identity: string;
  #opened: { readonly fs: Ukfs; readonly fd: number };

  constructor(fs: () => Ukfs, path: string) {
    this.#fs = fs;
    this.#path = path;
    const now = fs();
    this.#opened = { fs: now, fd: now.open(path) };
    const stat = now.fstat(this.#opened.fd);
    this.#identity = identityOf(stat);
    if (stat.type === 'reg') return;
    this.close();
    throw new FsError('EFTYPE', { op: 'open', path, what: 'not a regular file' });
  }

  stat(): HostStat {
    return hostStatOf(this.#same());
  }

  read(dst: Uint8Array, offset: number): number {
    this.#same();
    const { fs, fd } = this.#opened;
    let got = 0;
    for (let n = -1; n !== 0 && got < dst.length; got += n) n = fs.read(fd, dst, got, dst.length - got, offset + got);
    return got;
  }

  /** Errors: ESTALE it is another file by now, or none. */
  #same(): Stat {
    const stat = this.#attributes();
    if (stat !== undefined && stat.nlink > 0 && identityOf(stat) === this.#identity) return stat;
    throw new FsError('ESTALE', { path: this.#path, what: 'the file that holds this image has changed, or is gone' });
  }

  #attributes(): Stat | undefined {
    const fs = this.#fs();
    try {
      if (fs !== this.#opened.fs) this.#opened = { fs, fd: fs.open(this.#path) };
      return fs.fstat(this.#opened.fd);
    } catch (thrown) {
      if (thrown instanceof FsError && gone.has(thrown.code)) return undefined;
      throw thrown;
    }
  }

  write(): void {
    throw readOnly('write', this.#path);
  }
  truncate(): void {
    throw readOnly('truncate', this.#path);
  }
  fsync(): void {
    // Nothing was written.
  }

  close(): void {
    const { fs, fd } = this.#opened;
    try {
      fs.close(fd);
    } catch (thrown) {
      // The handle it was opened on has been closed, and with it all that was open there.
      if (!(thrown instanceof FsError)) throw thrown;
    }
  }
}

const gone: ReadonlySet<string> = new Set(['ENOENT', 'ENOTDIR', 'ESTALE', 'EBADF', 'ELOOP']);
