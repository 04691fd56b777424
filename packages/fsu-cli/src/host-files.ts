/** The host's files, for the commands that read or write them; and its hash. Loaded only by those. */
import { createHash } from 'node:crypto';
import * as fs from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { asFsError, Errno, FsError } from 'ukfs';
import type { ErrnoName } from '@ukfs/kernel';
import { hostPath } from './host-path.ts';
import { TextOut } from './out.ts';

/** A host file open for reading. */
interface HostReader {
  /** Bytes read; 0 at the end. */
  read(dst: Uint8Array): number;
  close(): void;
}

/** A host file that is being written anew. */
export interface HostWriter {
  /** A name string's bytes. */
  text(text: string): void;
  close(): void;
}

type HashName = 'sha256' | 'sha1' | 'sha224' | 'sha384' | 'sha512' | 'md5' | 'ripemd160' | 'blake2b512';

interface Hash {
  update(bytes: Uint8Array): void;
  /** Lower-case hexadecimal. */
  digest(): string;
}

/** A host file that lines are appended to. */
interface HostAppender {
  write(bytes: Uint8Array): void;
  /** Make durable what was written. */
  sync(): void;
  close(): void;
}

export interface HostSide {
  openForReading(path: string): HostReader;
  /** What is there already is replaced. */
  openForOverwriting(path: string): HostWriter;
  /** Makes the file when there is none. */
  openForAppending(path: string): HostAppender;
  /** A copy that shares its blocks with the file, under a new name; false: the host cannot, and nothing was made. */
  clone(from: string, to: string): boolean;
  sha256(): Hash;
  hash(algorithm: HashName): Hash;
  /** From now on, no regular expression without look-around or back references takes more than linear time. */
  boundRegexes(): void;
}

const isErrno = (code: string): code is ErrnoName => code in Errno;

/** node:fs's error as an FsError with its errno. */
export function hostError(thrown: unknown, path: string): FsError {
  const code = thrown instanceof Error && 'code' in thrown ? String(thrown.code) : '';
  if (!isErrno(code)) return asFsError(thrown);
  return new FsError(code, { path }, { cause: thrown });
}

export const hostSide: HostSide = {
  openForReading(path) {
    try {
      const fd = fs.openSync(hostPath(path), 'r');
      return {
        read(dst) {
          try {
            return fs.readSync(fd, dst, 0, dst.length, null);
          } catch (thrown) {
            throw hostError(thrown, path);
          }
        },
        close: () => fs.closeSync(fd),
      };
    } catch (thrown) {
      throw hostError(thrown, path);
    }
  },
  openForOverwriting(path) {
    try {
      const fd = fs.openSync(hostPath(path), 'w');
      const out = new TextOut({
        isTTY: false,
        write(bytes, length) {
          try {
            for (let done = 0; done < length;) done += fs.writeSync(fd, bytes, done, length - done);
          } catch (thrown) {
            throw hostError(thrown, path);
          }
        },
      });
      return {
        text: (text) => out.text(text),
        close() {
          out.flush();
          fs.closeSync(fd);
        },
      };
    } catch (thrown) {
      throw hostError(thrown, path);
    }
  },
  openForAppending(path) {
    const attempt = <T>(act: () => T): T => {
      try {
        return act();
      } catch (thrown) {
        throw hostError(thrown, path);
      }
    };
    const fd = attempt(() => fs.openSync(hostPath(path), 'a', 0o666));
    return {
      write: (bytes) =>
        attempt(() => {
          for (let done = 0; done < bytes.length;) done += fs.writeSync(fd, bytes, done, bytes.length - done);
        }),
      sync: () => attempt(() => fs.fsyncSync(fd)),
      close: () => attempt(() => fs.closeSync(fd)),
    };
  },
  clone(from, to) {
    const { COPYFILE_EXCL, COPYFILE_FICLONE_FORCE } = fs.constants;
    try {
      fs.copyFileSync(hostPath(from), hostPath(to), COPYFILE_EXCL | COPYFILE_FICLONE_FORCE);
      return true;
    } catch {
      // Whatever the reason, who copies byte by byte meets it or does without. Some hosts leave an empty file.
      fs.rmSync(hostPath(to), { force: true });
      return false;
    }
  },
  sha256: () => hashOf('sha256'),
  hash: (algorithm) => hashOf(algorithm),
  boundRegexes: () => setFlagsFromString('--enable-experimental-regexp-engine-on-excessive-backtracks'),
};

function hashOf(algorithm: HashName): Hash {
  const hash = createHash(algorithm);
  return {
    update: (bytes) => void hash.update(bytes),
    digest: () => hash.digest('hex'),
  };
}
