/** Copying out with a manifest, or to a host that cannot hold every name: a directory of the host that keeps the rest. */
import { FsError } from 'ukfs';
import type { Loss, Rdev, TreeAttr, TreeDir, TreeEntry, TreeFile, TreeStat } from 'ukfs';
import { HostNames } from '../hostnames.ts';
import type { HostNaming } from '../hostnames.ts';
import { recordLine } from './record.ts';
import type { ManifestRecord } from './record.ts';

/** Where records go, and what was written there and is not on the host. */
export interface ManifestOut {
  write(line: string): void;
  /** Paths of what the host does not have. */
  readonly absent: Set<string>;
}

export interface Recording {
  /** undefined: names are mapped, and that is all. */
  readonly out: ManifestOut | undefined;
  readonly naming: HostNaming;
}

/** Names that a copy gives to files which are not whole yet. */
const isPassing = (name: string): boolean => name.startsWith('.fsu-new-');

const REFUSALS: readonly string[] = ['EOPNOTSUPP', 'ENOTSUP', 'EPERM', 'EACCES', 'EINVAL', 'ENOSYS'];
const isRefusal = (thrown: unknown): boolean => thrown instanceof FsError && REFUSALS.includes(thrown.code);

/** What is known of an entry before its attributes come. */
interface Begun {
  type: TreeStat['type'];
  rdev?: Rdev | undefined;
  target?: string;
  absent?: boolean;
  link?: string;
  readonly xattrs: Map<string, Uint8Array>;
}

/** `path`: of `dir`, from the manifest's directory ('' is that); undefined: `dir` holds that directory. */
export function recordingTree(dir: TreeDir, path: string | undefined, recording: Recording): TreeDir {
  return new RecordingDir(dir, path, recording);
}

class RecordingDir implements TreeDir {
  readonly #dir: TreeDir;
  readonly #path: string | undefined;
  readonly #to: Recording;
  readonly #names: HostNames;
  readonly #begun = new Map<string, Begun>();
  /** Of files that are to get their name yet. */
  readonly #held = new Map<string, ManifestRecord>();

  constructor(dir: TreeDir, path: string | undefined, recording: Recording) {
    this.#dir = dir;
    this.#path = path;
    this.#to = recording;
    const { naming } = recording;
    this.#names = new HostNames(path === '' ? naming : { rule: naming.rule });
  }

  #host(name: string): string {
    return this.#path === undefined ? name : this.#names.of(name);
  }

  /** As the manifest has it. */
  #pathOf(name: string): string {
    if (this.#path === undefined) return '.';
    return this.#path === '' ? this.#host(name) : `${this.#path}/${this.#host(name)}`;
  }

  #begin(name: string): Begun {
    let begun = this.#begun.get(name);
    if (begun === undefined) this.#begun.set(name, (begun = { type: 'dir', xattrs: new Map() }));
    return begun;
  }

  #record(name: string, attr: TreeAttr, losses: readonly Loss[]): readonly Loss[] {
    const { type, rdev, target, absent = false, link, xattrs } = this.#begin(name);
    this.#begun.delete(name);
    const untimed = losses.includes('times');
    const path = this.#pathOf(name);
    const base = { ...attr, path, name: undefined, type, rdev, target, absent, link, xattrs, untimed };
    if (isPassing(name)) this.#held.set(name, base);
    else this.#emit(name, base);
    const isMapped = this.#host(name) !== name && !isPassing(name);
    return [...(this.#to.out === undefined ? losses : []), ...(isMapped ? ['name' as const] : [])];
  }

  #emit(name: string, record: ManifestRecord): void {
    const { out } = this.#to;
    if (out === undefined) return;
    const path = this.#pathOf(name);
    if (record.absent) out.absent.add(path);
    else out.absent.delete(path);
    out.write(recordLine({ ...record, path, name: this.#host(name) === name ? undefined : name }));
  }

  list(): Iterable<TreeEntry | { readonly name: string; readonly error: Error }> {
    return this.#dir.list();
  }
  lstat(name: string): TreeStat | undefined {
    return this.#dir.lstat(this.#host(name));
  }
  opendir(name: string): TreeDir {
    const path = this.#path === undefined ? '' : this.#pathOf(name);
    return new RecordingDir(this.#dir.opendir(this.#host(name)), path, this.#to);
  }
  open(name: string): TreeFile {
    return this.#dir.open(this.#host(name));
  }
  readlink(name: string): string {
    return this.#dir.readlink(this.#host(name));
  }
  xattrs(name: string): ReadonlyMap<string, Uint8Array> {
    return this.#dir.xattrs(this.#host(name));
  }

  create(name: string, mode?: number): TreeFile {
    const host = this.#host(name);
    const file = mode === undefined ? this.#dir.create(host) : this.#dir.create(host, mode);
    this.#begin(name).type = 'reg';
    return {
      read: (dst, offset) => file.read(dst, offset),
      write: (src, offset) => file.write(src, offset),
      truncate: (size) => file.truncate(size),
      data: () => file.data(),
      setattr: (attr) => this.#record(name, attr, file.setattr(attr)),
      close: () => file.close(),
    };
  }

  mkdir(name: string): void {
    this.#dir.mkdir(this.#host(name));
  }

  symlink(target: string, name: string): void {
    this.#make(name, { type: 'lnk', target }, (host) => this.#dir.symlink(target, host));
  }

  mknod(name: string, type: 'chr' | 'blk' | 'fifo' | 'sock', rdev: Rdev | undefined): void {
    this.#make(name, { type, rdev }, (host) => this.#dir.mknod(host, type, rdev));
  }

  /** What the host refuses is in the manifest alone. */
  #make(name: string, what: Omit<Begun, 'xattrs'>, make: (host: string) => void): void {
    let absent = false;
    try {
      make(this.#host(name));
    } catch (thrown) {
      if (this.#to.out === undefined || !isRefusal(thrown)) throw thrown;
      absent = true;
    }
    // The target of a link that is there is there, too.
    const { target, ...rest } = what;
    Object.assign(this.#begin(name), rest, { absent }, absent && target !== undefined ? { target } : {});
  }

  link(from: TreeDir, existing: string, name: string): void {
    if (!(from instanceof RecordingDir)) throw new FsError('EXDEV', { op: 'link', path: name });
    const path = from.#pathOf(existing);
    if (this.#to.out?.absent.has(path) === true) {
      this.#emit(name, { ...EMPTY, path: '', type: 'fifo', absent: true, link: path });
      return;
    }
    try {
      this.#dir.link(from.#dir, from.#host(existing), this.#host(name));
    } catch (thrown) {
      // The copy makes another file then; this is what it was.
      if (this.#to.out !== undefined) this.#begin(name).link = path;
      throw thrown;
    }
    // Which of them is met first when it is read back is the host's choice.
    const type = this.#dir.lstat(this.#host(name))?.type ?? 'reg';
    this.#emit(name, { ...EMPTY, path: '', type, absent: false, link: path });
  }

  setattr(name: string, attr: TreeAttr): readonly Loss[] {
    const { absent = false } = this.#begin(name);
    return this.#record(name, attr, absent ? [] : this.#dir.setattr(this.#host(name), attr));
  }

  setxattr(name: string, attribute: string, value: Uint8Array): void {
    const begun = this.#begin(name);
    begun.xattrs.set(attribute, value);
    if (begun.absent === true) return;
    try {
      this.#dir.setxattr(this.#host(name), attribute, value);
    } catch (thrown) {
      if (this.#to.out === undefined || !isRefusal(thrown)) throw thrown;
    }
  }

  unlink(name: string): void {
    this.#begun.delete(name);
    this.#held.delete(name);
    if (this.#dir.lstat(this.#host(name)) !== undefined) this.#dir.unlink(this.#host(name));
  }

  rename(name: string, target: string): void {
    const record = this.#held.get(name);
    this.#held.delete(name);
    if (record?.absent === true) this.unlink(target);
    else this.#dir.rename?.(this.#host(name), this.#host(target));
    if (record !== undefined) this.#emit(target, record);
  }

  rmdir(name: string): void {
    this.#dir.rmdir(this.#host(name));
  }

  close(): void {
    // An image's own files may be called so.
    for (const [name, record] of this.#held) this.#emit(name, record);
    this.#held.clear();
    this.#dir.close();
  }
}

const EMPTY: Omit<ManifestRecord, 'path' | 'type' | 'link' | 'absent'> = {
  name: undefined,
  rdev: undefined,
  target: undefined,
  xattrs: new Map(),
  untimed: false,
};
