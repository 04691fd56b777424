/** What clients may call: the library's functions, and the calls of a handle, by name, with the shapes of their arguments. */
import { FsError } from '@ukfs/kernel';
import type { Dirent, Flock, PathconfName, Rdev, Timespec } from '@ukfs/kernel';
import type { Selector } from '../address.ts';
import type { AddressLike, CheckImageOptions, MkdirOptions, OpenFlag, RmOptions, Ukfs } from '../handle.ts';
import type { WriteFileOptions } from '../handle.ts';
import { check, inspect, open } from '../ukfs.ts';
import { makeFs } from '../makefs.ts';
import type { MakeFsOptions } from '../makefs.ts';
import { sentEntries } from './failure.ts';
import type { RemoteOpenOptions } from './client.ts';
import type { Job, Server } from './server.ts';
import {
  bytes,
  count,
  dictionary,
  either,
  fitting,
  flag,
  integer,
  list,
  optional,
  record,
  text,
  word,
} from './shapes.ts';
import type { Shape, Shapes } from './shapes.ts';

/** What a client knows of a handle without asking. */
export interface OpenedHandle extends Pick<Ukfs, 'address' | 'device' | 'type' | 'traits'> {
  readonly handle: number;
  readonly readOnly: boolean;
}

export const openedOf = (handle: number, { address, device, type, traits, readOnly }: Ukfs): OpenedHandle => ({
  handle,
  address,
  device,
  type,
  traits,
  readOnly,
});

// Shapes of more than one call

const yes: Shape<true> = { says: 'true', fits: (value) => value === true };
const words = dictionary(either(text, yes));
const flags: Shape<number | OpenFlag> = either(
  integer,
  word('r', 'r+', 'w', 'wx', 'w+', 'wx+', 'a', 'ax', 'a+', 'ax+'),
);
const stamp = record<Timespec>({ sec: integer, nsec: integer });
const newTime = either(stamp, word('now', 'omit'));
const nofollow = optional(record<{ nofollow?: boolean }>({ nofollow: optional(flag) }));
const conf: Shape<PathconfName> = word('linkMax', 'nameMax', 'pathMax', 'noTrunc', 'symlinkMax', 'fileSizeBits');
const lock = record<Flock>({ type: word('read', 'write', 'unlock'), start: integer, length: integer });
const newFile = optional(record<WriteFileOptions>({ mode: optional(integer), flag: optional(flags) }));
const contents = either(bytes, text);

const kindOf = (...kinds: readonly string[]): Shape<never> => ({
  says: kinds.join(' or '),
  fits: (value) => kinds.some((kind) => kind === value),
});
const selector: Shape<Selector> = either(
  either(
    record<{ kind: 'number'; number: number }>({ kind: kindOf('number'), number: integer }),
    record<{ kind: 'letter'; letter: string }>({ kind: kindOf('letter'), letter: text }),
  ),
  either(
    record<{ kind: 'name' | 'label' | 'uuid' | 'type'; value: string }>({
      kind: kindOf('name', 'label', 'uuid', 'type'),
      value: text,
    }),
    either(
      record<{ kind: 'off'; offset: number; length: number | undefined }>({
        kind: kindOf('off'),
        offset: count,
        length: optional(count),
      }),
      record<{ kind: 'file'; path: string }>({ kind: kindOf('file'), path: text }),
    ),
  ),
);
const address: Shape<AddressLike> = either(
  text,
  record<Exclude<AddressLike, string>>({
    image: text,
    selectors: optional(list(either(text, selector))),
    path: optional(text),
  }),
);

const opening: { readonly [K in keyof Required<RemoteOpenOptions>]: Shape<Required<RemoteOpenOptions>[K]> } = {
  write: optional(flag),
  type: optional(text),
  options: optional(either(words, text)),
  uid: optional(integer),
  gid: optional(integer),
  groups: optional(list(integer)),
  umask: optional(integer),
  lock: optional(flag),
  force: optional(flag),
  log: optional(text),
  memLimit: optional(count),
  verify: optional(flag),
  dryRun: optional(flag),
  seed: optional(text),
};
const openOptions = optional(record<RemoteOpenOptions>(opening));

/** What of check()'s options can travel; `report`: findings are told as items. */
export type SentCheckOptions = RemoteOpenOptions &
  Pick<CheckImageOptions, 'repair'> & { readonly report?: boolean | undefined };
const checkOptions = optional(
  record<SentCheckOptions>({
    ...opening,
    repair: optional(word('none', 'safe', 'all')),
    report: optional(flag),
  }),
);

/** What of makeFs()'s options can travel. */
export type RemoteMakeFsOptions = Omit<MakeFsOptions, 'host' | 'fill' | 'size'> & { readonly size?: number };
const makeOptions = record<RemoteMakeFsOptions>({
  type: text,
  size: optional(count),
  options: optional(words),
  force: optional(flag),
  seed: optional(text),
  dryRun: optional(flag),
  lock: optional(flag),
  log: optional(text),
  memLimit: optional(count),
});

type KernelCall = (server: Server, job: Job, args: readonly unknown[]) => unknown;

/** Calls of handle 0. */
export const kernelCalls: Readonly<Record<string, KernelCall>> = {
  open: async (server, job, args) => {
    const [where, options = {}] = fitting<[AddressLike, RemoteOpenOptions?]>('open', [address, openOptions], args);
    const fs = await open(where, { ...options, host: server.host });
    if (!job.isCancelled()) return openedOf(server.adopt(fs), fs);
    fs.close();
    throw new FsError('ECANCELED', { op: 'open', what: 'cancelled' });
  },
  inspect: (server, _, args) => {
    const [where, options = {}] = fitting<[AddressLike, RemoteOpenOptions?]>('inspect', [address, openOptions], args);
    return inspect(where, { ...options, host: server.host });
  },
  check: (server, job, args) => {
    const [where, options = {}] = fitting<[AddressLike, SentCheckOptions?]>('check', [address, checkOptions], args);
    const { report = false, ...rest } = options;
    return check(where, {
      ...rest,
      host: server.host,
      pause: () => job.pause(),
      ...(report ? { report: (finding) => job.tell(finding) } : {}),
    });
  },
  makeFs: (server, _, args) => {
    const [where, options] = fitting<[AddressLike, RemoteMakeFsOptions]>('makeFs', [address, makeOptions], args);
    return makeFs(where, { ...options, host: server.host });
  },
};

/** Methods of Ukfs that change nothing: they may be answered in the midst of an operation that must see nothing change. */
const reading = {
  checkWritable: [],
  fstat: [integer],
  fstatvfs: [integer],
  fpathconf: [integer, conf],
  getlk: [integer, lock],
  lseek: [integer, integer, integer],
  stat: [text],
  lstat: [text],
  exists: [text],
  access: [text, optional(integer)],
  readlink: [text],
  pathconf: [text, conf],
  getxattr: [text, text, nofollow],
  listxattr: [text, nofollow],
  bmap: [text],
  getfh: [text],
  getdents: [integer, optional(count)],
  opendir: [text],
  dup: [integer],
  fchdir: [integer],
  chdir: [text],
  getcwd: [],
  statvfs: [optional(text)],
  fsinfo: [optional(text)],
} as const satisfies Partial<Methods>;

const writing = {
  open: [text, optional(flags), optional(integer)],
  write: [integer, bytes, optional(count), optional(count), optional(count)],
  ftruncate: [integer, optional(count)],
  fchmod: [integer, integer],
  fchown: [integer, integer, integer],
  futimes: [integer, newTime, newTime],
  fchflags: [integer, integer],
  fsync: [integer],
  setlk: [integer, lock],
  fallocate: [integer, count, count],
  punch: [integer, count, count],
  mkdir: [
    text,
    optional(either(integer, record<MkdirOptions>({ recursive: optional(flag), mode: optional(integer) }))),
  ],
  rmdir: [text],
  unlink: [text],
  rm: [text, optional(record<RmOptions>({ recursive: optional(flag), force: optional(flag) }))],
  rename: [
    text,
    text,
    optional(
      record<{ noreplace?: boolean; exchange?: boolean }>({ noreplace: optional(flag), exchange: optional(flag) }),
    ),
  ],
  link: [text, text, optional(record<{ follow?: boolean }>({ follow: optional(flag) }))],
  symlink: [text, text],
  mknod: [
    text,
    word('chr', 'blk', 'fifo', 'sock', 'reg'),
    integer,
    optional(record<Rdev>({ major: integer, minor: integer })),
  ],
  mkfifo: [text, optional(integer)],
  truncate: [text, optional(count)],
  chmod: [text, integer],
  lchmod: [text, integer],
  chown: [text, integer, integer],
  lchown: [text, integer, integer],
  utimes: [text, newTime, newTime],
  lutimes: [text, newTime, newTime],
  setbirthtime: [text, stamp, nofollow],
  chflags: [text, integer],
  lchflags: [text, integer],
  setxattr: [text, text, bytes, nofollow],
  removexattr: [text, text, nofollow],
  fhopen: [bytes, optional(flags)],
  writeFile: [text, contents, newFile],
  appendFile: [text, contents, newFile],
  umask: [integer],
  setcred: [
    record<{ uid: number; gid: number; groups?: readonly number[] }>({
      uid: integer,
      gid: integer,
      groups: optional(list(integer)),
    }),
  ],
  sync: [],
  discard: [],
  savepoint: [],
  rollback: [integer],
  releaseSavepoint: [integer],
  changes: [],
  changedFiles: [],
} as const satisfies Partial<Methods>;

type Methods = {
  readonly [K in keyof Ukfs as Ukfs[K] extends (...args: never) => unknown ? K : never]: Ukfs[K] extends (
    ...args: infer P
  ) => unknown
    ? Shapes<P>
    : never;
};

interface Of {
  readonly server: Server;
  /** The client's number of the handle. */
  readonly number: number;
  readonly job: Job;
}

interface HandleCall {
  readonly reads: boolean;
  run(of: Of, fs: Ukfs, args: readonly unknown[]): unknown;
}

/** Called as they are: their arguments and results can be cloned. */
const plain = (shapes: Readonly<Partial<Record<keyof Ukfs, readonly Shape<unknown>[]>>>, reads: boolean) =>
  Object.entries(shapes).map(([name, shape]): [string, HandleCall] => [
    name,
    { reads, run: (_, fs, args) => method(fs, name).apply(fs, [...fitting(name, shape, args)]) },
  ]);

/** The name is one of the tables above. */
function method(fs: Ukfs, name: string): (...args: readonly unknown[]) => unknown {
  const call: unknown = Reflect.get(fs, name);
  if (typeof call !== 'function') throw new FsError('ENOSYS', { op: name });
  return call as (...args: readonly unknown[]) => unknown;
}

const readsBy = (run: HandleCall['run']): HandleCall => ({ reads: true, run });
const writesBy = (run: HandleCall['run']): HandleCall => ({ reads: false, run });

/** Bytes of one answer: a client cannot make us allocate what it likes. */
const READ_MAX = 16 * 1024 * 1024;
/** Entries of one item. */
const BATCH = 512;

export const handleCalls: Readonly<Record<string, HandleCall>> = {
  ...Object.fromEntries([...plain(reading, true), ...plain(writing, false)]),
  /** (fd, length, position?): the bytes, at most READ_MAX of them. */
  read: readsBy((_, fs, args) => {
    const shapes: Shapes<[number, number, number?]> = [integer, count, optional(count)];
    const [fd, length, position] = fitting('read', shapes, args);
    const buffer = new Uint8Array(Math.min(length, READ_MAX));
    const n = fs.read(fd, buffer, 0, buffer.length, position);
    // A view would take all of its buffer along.
    return n === buffer.length ? buffer : buffer.slice(0, n);
  }),
  readFile: readsBy((_, fs, args) => {
    const shapes: Shapes<[string, 'utf8'?]> = [text, optional(word('utf8'))];
    const [path, encoding] = fitting('readFile', shapes, args);
    if (encoding !== undefined) return fs.readFile(path, encoding);
    const whole = fs.readFile(path);
    return whole.length === whole.buffer.byteLength ? whole : whole.slice();
  }),
  getdentsplus: readsBy((_, fs, args) => {
    const [fd, max] = fitting<[number, number?]>('getdentsplus', [integer, optional(count)], args);
    return sentEntries(fs.getdentsplus(fd, max));
  }),
  /** (path, what): entries by the hundred as items, so that others have their turn; how many. */
  readdir: readsBy((_, fs, args) => {
    const shapes: Shapes<[string, 'names' | 'types' | 'stats']> = [text, word('names', 'types', 'stats')];
    return entriesOf(fs, ...fitting('readdir', shapes, args));
  }),
  /** (fd): the descriptor; (): the handle. */
  close: writesBy(({ server, number }, fs, args) => {
    const [fd] = fitting<[number?]>('close', [optional(integer)], args);
    if (fd !== undefined) return fs.close(fd);
    server.forget(number);
    return fs.close();
  }),
  readOnly: readsBy((_, fs, args) => {
    fitting('readOnly', [], args);
    return fs.readOnly;
  }),
  check: writesBy(({ job }, fs, args) => {
    fitting('check', [], args);
    return fs.check({ pause: () => job.pause() });
  }),
  verify: writesBy(({ job }, fs, args) => {
    fitting('verify', [], args);
    return fs.verify({ pause: () => job.pause() });
  }),
  /** Whole: who cancelled it would not know whether it was in time. */
  commit: writesBy(({ job }, fs, args) => {
    fitting('commit', [], args);
    return fs.commit({ gathering: () => job.share(), applying: () => job.share() });
  }),
  committed: writesBy(({ server }, fs, args) => {
    fitting('committed', [], args);
    const before = fs.committed();
    return before === undefined ? undefined : openedOf(server.adopt(before), before);
  }),
};

function* entriesOf(fs: Ukfs, path: string, what: 'names' | 'types' | 'stats'): Generator<unknown, number> {
  const fd = fs.opendir(path);
  const isChild = ({ name }: Dirent): boolean => name !== '.' && name !== '..';
  try {
    for (let told = 0; ;) {
      const plus = what === 'stats' ? fs.getdentsplus(fd, BATCH) : undefined;
      const some = plus ?? fs.getdents(fd, BATCH);
      if (some.length === 0) return told;
      const children = some.filter(isChild);
      told += children.length;
      if (plus !== undefined) yield sentEntries(plus.filter(isChild));
      else yield what === 'names' ? children.map(({ name }) => name) : children;
    }
  } finally {
    fs.close(fd);
  }
}
