/**
 * The tools' one door to the host: descriptors, environment, arguments; and host files for get and write. What a listing
 * needs is node:fs alone; everything else is loaded when first used.
 */
import * as fs from 'node:fs';
import { nameFromBytes } from 'ukfs';
import type { Shell } from './context.ts';
import type * as HostArchives from './host-archive.ts';
import type * as HostListing from './host-listing.ts';
import type * as HostNames from './host-names.ts';
import { hostPath } from './host-path.ts';
import type * as HostProgram from './host-program.ts';
import type * as HostTree from './host-tree.ts';
import { ClosedPipeError, STDIN, STDOUT, StreamError, TextOut } from './out.ts';
import type { Sink } from './out.ts';

export type { HostSide } from './host-files.ts';
/** The host's trees, for copies. */
export type HostTrees = typeof HostTree;
export type { HostTreeOptions } from './host-tree.ts';

/** Names in the host's directories, for completion. */
export type HostNamesDoor = Pick<typeof HostNames, 'namesIn'>;

/** The host's directories, for the browser. */
export type HostListingDoor = Pick<
  typeof HostListing,
  'exists' | 'hostEntries' | 'isHostDir' | 'kindOf' | 'readlink' | 'workingDir'
>;

/** The host's programs, for exec and edit. */
export type HostPrograms = Pick<typeof HostProgram, 'makeScratch' | 'runProgram'>;

/** The host's archives, for mkfs and tar. */
export type HostArchiveDoor = Pick<typeof HostArchives, 'createArchive' | 'gzipSink' | 'openArchive' | 'sniffed'>;

const codeOf = (thrown: unknown): string =>
  thrown instanceof Error && 'code' in thrown && typeof thrown.code === 'string' ? thrown.code : '';

const streamError = (stream: string, thrown: unknown): unknown =>
  codeOf(thrown) === '' ? thrown : new StreamError(stream, codeOf(thrown), thrown);

/** A non-blocking descriptor is not ready: give its other end a moment. */
let waiter: Int32Array | undefined;
function waitABit(): void {
  waiter ??= new Int32Array(new SharedArrayBuffer(4));
  Atomics.wait(waiter, 0, 0, 2);
}

/** All of `bytes[0, length)` to the descriptor. */
function writeAll(fd: number, bytes: Uint8Array, length: number): void {
  for (let done = 0; done < length;) {
    try {
      done += fs.writeSync(fd, bytes, done, length - done);
    } catch (thrown) {
      const code = codeOf(thrown);
      if (code === 'EAGAIN') waitABit();
      else if (code === 'EPIPE' || code === 'EOF') throw new ClosedPipeError('closed pipe', { cause: thrown });
      else if (code !== 'EINTR') throw streamError(STDOUT, thrown);
    }
  }
}

/** Linux's memory devices, /dev/null among them (Documentation/admin-guide/devices.txt). */
const MEMORY_MAJOR = 1;

/** Loading tty.isatty costs 3 ms: only a character device can be a terminal, and /dev/null is none. */
function isTerminal(fd: number): boolean {
  try {
    const stat = fs.fstatSync(fd);
    if (!stat.isCharacterDevice()) return false;
    if (process.platform === 'linux' && Math.floor(stat.rdev / 256) === MEMORY_MAJOR) return false;
  } catch (thrown) {
    if (codeOf(thrown) === '') throw thrown;
    return false;
  }
  return process.getBuiltinModule('node:tty').isatty(fd);
}

const devNull = '/dev/null';

class Descriptor implements Sink {
  readonly fd: number;
  #isTTY: boolean | undefined;

  constructor(fd: number) {
    this.fd = fd;
  }

  get isTTY(): boolean {
    return (this.#isTTY ??= isTerminal(this.fd));
  }

  /** Node opens /dev/null for reading and writing in the place of a closed descriptor; `< /dev/null` is for reading alone. */
  get isClosed(): boolean {
    try {
      const stat = fs.fstatSync(this.fd);
      if (!stat.isCharacterDevice() || stat.rdev !== fs.statSync(devNull).rdev) return false;
      fs.writeSync(this.fd, new Uint8Array(1), 0, 0);
      return true;
    } catch (thrown) {
      if (codeOf(thrown) === '') throw thrown;
      return false;
    }
  }

  write(bytes: Uint8Array, length: number): void {
    writeAll(this.fd, bytes, length);
  }

  read(dst: Uint8Array): number {
    for (;;) {
      try {
        return fs.readSync(this.fd, dst, 0, dst.length, null);
      } catch (thrown) {
        const code = codeOf(thrown);
        if (code === 'EOF') return 0;
        if (code === 'EAGAIN') waitABit();
        else if (code !== 'EINTR') throw streamError(STDIN, thrown);
      }
    }
  }
}

/** Whatever keeps us from seeing it (no such directory, a name too long), it is not a file to us. */
function exists(path: string): boolean {
  try {
    return fs.statSync(hostPath(path), { throwIfNoEntry: false }) !== undefined;
  } catch (thrown) {
    if (codeOf(thrown) === '') throw thrown;
    return false;
  }
}

const encoder = new TextEncoder();

/** What cannot be read is not there. */
function readAliases(): string | undefined {
  const home = process.env['HOME'];
  if (home === undefined || home === '') return undefined;
  try {
    return fs.readFileSync(`${home}/.fsurc`, 'utf8');
  } catch (thrown) {
    if (codeOf(thrown) === '') throw thrown;
    return undefined;
  }
}

/** The process's own shell. */
export function processShell(): Shell {
  let aliasText: { readonly text: string | undefined } | undefined;
  const stdout = new Descriptor(1);
  return {
    stdin: new Descriptor(0),
    out: new TextOut(stdout),
    err(text) {
      const bytes = encoder.encode(text);
      try {
        writeAll(2, bytes, bytes.length);
      } catch (thrown) {
        // Nobody reads standard error: the exit status still tells.
        if (!(thrown instanceof ClosedPipeError || thrown instanceof StreamError)) throw thrown;
      }
    },
    errIsTTY: () => isTerminal(2),
    env: (name) => process.env[name],
    now() {
      const ms = Date.now();
      return { sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 };
    },
    async turn() {
      // The first may come in the middle of a round that has looked for signals already.
      for (let round = 0; round < 2; round++) await new Promise((resolve) => setImmediate(resolve));
    },
    // A terminal is never made non-blocking by asking for process.stdout; a pipe would be.
    columns: () => (stdout.isTTY ? process.stdout.columns : undefined),
    isFile: exists,
    aliases: () => (aliasText ??= { text: readAliases() }).text,
    host: async () => (await import('./host-files.ts')).hostSide,
    trees: () => import('./host-tree.ts'),
    archives: () => import('./host-archive.ts'),
    programs: () => import('./host-program.ts'),
    terminal: async () => (await import('./host-terminal.ts')).openTerminal(),
    names: () => import('./host-names.ts'),
    listing: () => import('./host-listing.ts'),
    browse: async (words, how) => (await import('./host-browser.ts')).startBrowser(words, how),
  };
}

/**
 * The program's name and its words. Node decodes words as UTF-8 and loses bytes that are none: then they are read again
 * from the kernel, as name strings.
 */
export function commandLine(): { readonly argv0: string; readonly args: readonly string[] } {
  const args = process.argv.slice(2);
  const argv0 = process.argv[1] ?? 'fsu';
  if (!args.some((word) => word.includes('\ufffd'))) return { argv0, args };
  return { argv0, args: rawWords(args) };
}

function rawWords(args: readonly string[]): readonly string[] {
  let bytes: Uint8Array;
  try {
    bytes = fs.readFileSync('/proc/self/cmdline');
  } catch (thrown) {
    if (codeOf(thrown) === '') throw thrown;
    return args;
  }
  const words: string[] = [];
  for (let start = 0; start < bytes.length;) {
    const end = bytes.indexOf(0, start);
    const stop = end < 0 ? bytes.length : end;
    words.push(nameFromBytes(bytes, start, stop));
    start = stop + 1;
  }
  return words.slice(words.length - args.length);
}
