/** What clients may call: the library's functions, and the calls of a handle, by name. Types hold the two ends together (client.ts). */
import { FsError } from '@ukfs/kernel';
import type { Ukfs } from '../handle.ts';
import { check, inspect, open } from '../ukfs.ts';
import { makeFs } from '../makefs.ts';
import type { Server } from './server.ts';

type Args = readonly unknown[];

/** The client's types say what the arguments are (client.ts); the calls themselves look at what they are given. */
const typed = <T extends Args>(args: Args): T => args as T;

const record = (value: unknown): object => (typeof value === 'object' && value !== null ? value : {});

/** What a client knows of a handle without asking. */
export interface OpenedHandle extends Pick<Ukfs, 'address' | 'device' | 'type'> {
  readonly handle: number;
  readonly readOnly: boolean;
}

export const openedOf = (handle: number, { address, device, type, readOnly }: Ukfs): OpenedHandle => ({
  handle,
  address,
  device,
  type,
  readOnly,
});

export const kernelCalls: Readonly<Record<string, (server: Server, args: Args) => unknown>> = {
  open: async (server, [address, options]) => {
    const fs = await open(...typed<Parameters<typeof open>>([address, { ...record(options), host: server.host }]));
    return openedOf(server.adopt(fs), fs);
  },
  inspect: (server, [address, options]) =>
    inspect(...typed<Parameters<typeof inspect>>([address, { ...record(options), host: server.host }])),
  check: (server, [address, options]) =>
    check(...typed<Parameters<typeof check>>([address, { ...record(options), host: server.host }])),
  makeFs: (server, [image, options]) =>
    makeFs(...typed<Parameters<typeof makeFs>>([image, { ...record(options), host: server.host }])),
};

/** Those that are called as they are: names of methods of Ukfs whose arguments and results can be cloned. */
const plainCalls = [
  'checkWritable',
  'open',
  'lseek',
  'dup',
  'fstat',
  'ftruncate',
  'fchmod',
  'fchown',
  'futimes',
  'fchflags',
  'fsync',
  'fchdir',
  'fstatvfs',
  'fpathconf',
  'setlk',
  'getlk',
  'fallocate',
  'punch',
  'readdir',
  'opendir',
  'getdents',
  'getdentsplus',
  'stat',
  'lstat',
  'exists',
  'access',
  'mkdir',
  'rmdir',
  'unlink',
  'rm',
  'rename',
  'link',
  'symlink',
  'readlink',
  'mknod',
  'mkfifo',
  'truncate',
  'chmod',
  'lchmod',
  'chown',
  'lchown',
  'utimes',
  'lutimes',
  'setbirthtime',
  'chflags',
  'lchflags',
  'pathconf',
  'getxattr',
  'setxattr',
  'listxattr',
  'removexattr',
  'bmap',
  'getfh',
  'fhopen',
  'readFile',
  'writeFile',
  'appendFile',
  'chdir',
  'getcwd',
  'umask',
  'setcred',
  'statvfs',
  'fsinfo',
  'check',
  'verify',
  'sync',
  'commit',
  'discard',
  'savepoint',
  'rollback',
  'releaseSavepoint',
  'changes',
  'changedFiles',
  'write',
] as const satisfies readonly (keyof Ukfs)[];

interface Of {
  readonly server: Server;
  /** The client's number of the handle. */
  readonly number: number;
}

type HandleCall = (of: Of, fs: Ukfs, args: Args) => unknown;

const plain =
  (name: (typeof plainCalls)[number]): HandleCall =>
  (_, fs, args) => {
    const call: unknown = fs[name];
    if (typeof call !== 'function') throw new FsError('ENOSYS', { what: name });
    return call.apply(fs, args);
  };

export const handleCalls: Readonly<Record<string, HandleCall>> = {
  ...Object.fromEntries(plainCalls.map((name) => [name, plain(name)])),
  /** (fd, length, position?): the bytes. */
  read: (_, fs, args) => {
    const [fd, length, position] = typed<[number, number, number | undefined]>(args);
    const buffer = new Uint8Array(Math.min(length, READ_MAX));
    return buffer.subarray(0, fs.read(fd, buffer, 0, buffer.length, position));
  },
  /** (fd): the descriptor; (): the handle. */
  close: ({ server, number }, fs, [fd]) => {
    if (typeof fd === 'number') fs.close(fd);
    else {
      server.replace(number, undefined);
      fs.close();
    }
  },
  readOnly: (_, fs) => fs.readOnly,
  committed: ({ server }, fs) => {
    const before = fs.committed();
    return before === undefined ? undefined : openedOf(server.adopt(before), before);
  },
};

/** Bytes of one answer: a client cannot make us allocate what it likes. */
const READ_MAX = 16 * 1024 * 1024;
