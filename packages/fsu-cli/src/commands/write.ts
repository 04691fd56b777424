/** write: standard input, a host file or one of an image, into a file of an image, as one transaction. */
import { FsError, O, writeAll } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { endIfSignalled } from '../edit.ts';
import { parseOctalMode } from '../format/mode.ts';
import { parseBytes } from '../format/size.ts';
import { standardInput } from '../input.ts';
import type { InputSource } from '../input.ts';
import { withHostFile } from '../out.ts';
import { groupId, Owners, userId } from '../owners.ts';
import { outerPlace } from '../place.ts';
import type { Place } from '../place.ts';

export const write: Command = {
  name: 'write',
  summary: 'Write standard input, or another file, to a file of an image: wholly or not at all.',
  synopsis: { addresses: 'ADDRESS [FILE]', paths: 'PATH [FILE]' },
  options: [
    { flags: '-a, --append', summary: 'append instead of replacing' },
    { flags: '--at <offset>', summary: 'overwrite from this byte on; the rest of the file stays' },
    { flags: '-p, --parents', summary: 'make missing directories' },
    { flags: '--mode <octal>', summary: 'permissions (a new file gets 0644)' },
    { flags: '--owner <user>', summary: "owner: a number, or a name in the image's /etc/passwd" },
    { flags: '--group <group>', summary: "group: a number, or a name in the image's /etc/group" },
  ],
  examples: [
    { command: 'echo hello | fsu write disk.img:/etc/motd', does: 'replace a file, or make it' },
    { command: 'fsu write -a disk.img:/var/log/x notes.txt', does: 'append a host file' },
    { command: 'fsu write new.img:/etc/fstab old.img:/etc/fstab', does: 'a file of another image' },
    { command: 'fsu_write disk.img /etc/motd < motd', does: 'the way of fs-utils' },
  ],
  image: 'write',
  outer: (at) => at === 1,
  run,
};

/** Read and staged at a time. */
const BUFFER = 256 * 1024;
/** Written between two looks at whether somebody wants us to end. */
const PATIENCE = 16 * 1024 * 1024;

/** Kept for the next line of a script. */
let spare: Uint8Array | undefined;

interface WriteOptions {
  readonly append: boolean;
  readonly at: number | undefined;
  readonly parents: boolean;
  readonly mode: number | undefined;
  readonly owner: string | undefined;
  readonly group: string | undefined;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readOptions(args);
  const [operand, file, ...more] = args.operands;
  if (operand === undefined) throw new UsageError('no file to write given');
  if (more.length > 0) throw new UsageError(`too many operands: '${more[0] ?? ''}'`);
  const [target] = ctx.targets([operand]);
  if (target === undefined) throw new UsageError('no file to write given');
  // What is written is opened before what is read: both may be the same image.
  const fs = await ctx.tryOpenForWriting(target.image);
  const input = fs === undefined ? undefined : await inputOf(ctx, outerPlace(ctx, file ?? '-'), { fs, target });
  if (fs === undefined || input === undefined) return ctx.status;
  try {
    await transact(ctx, { fs, target, input, options });
  } finally {
    input.close();
  }
  return ctx.status;
}

async function inputOf(ctx: Context, place: Place, dest: Dest): Promise<InputSource | undefined> {
  if (place.kind === 'stream') return standardInput(ctx);
  try {
    return place.kind === 'host' ? await hostInput(ctx, place.path) : await imageInput(ctx, place, dest);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, place.kind === 'host' ? place.path : place);
    return undefined;
  }
}

async function hostInput(ctx: Context, file: string): Promise<InputSource> {
  const reader = (await ctx.shell.host()).openForReading(file);
  return {
    read: (dst) => withHostFile(file, () => reader.read(dst)),
    close: () => reader.close(),
  };
}

async function imageInput(ctx: Context, source: Target, dest: Dest): Promise<InputSource | undefined> {
  const fs = await ctx.tryOpen(source.image);
  if (fs === undefined) return undefined;
  if (isSameFile(fs, source.path, dest)) throw new FsError('EINVAL', { what: 'input and output are the same file' });
  const fd = fs.open(source.path);
  return { read: (dst) => fs.read(fd, dst), close: () => fs.close(fd) };
}

/** Appending a file to itself would never end; emptied first, it would be lost. */
function isSameFile(fs: Ukfs, path: string, { fs: into, target }: Dest): boolean {
  if (fs.session !== into.session || !into.exists(target.path)) return false;
  const [a, b] = [fs.stat(path), into.stat(target.path)];
  return a.dev === b.dev && a.ino === b.ino;
}

interface Dest {
  readonly fs: Ukfs;
  readonly target: Target;
}

interface Job {
  readonly fs: Ukfs;
  readonly target: Target;
  readonly input: InputSource;
  readonly options: WriteOptions;
}

async function transact(ctx: Context, job: Job): Promise<void> {
  const { target } = job;
  try {
    const bytes = await writeFile(ctx, job);
    ctx.json?.path('path', target.path);
    ctx.json?.member('bytes', bytes);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, target);
  }
}

/** Bytes written. */
async function writeFile(ctx: Context, { fs, target, input, options }: Job): Promise<number> {
  const { path } = target;
  if (options.parents) makeParents(fs, path);
  const how = options.append ? O.APPEND : options.at === undefined ? O.TRUNC : 0;
  const fd = fs.open(path, O.WRONLY | O.CREAT | how, 0o666);
  try {
    let done = 0;
    const buffer = spare ?? new Uint8Array(BUFFER);
    spare = undefined;
    for (let n = fill(input, buffer); n > 0; n = fill(input, buffer)) {
      writeAll(fs, fd, buffer, { length: n, position: options.at === undefined ? undefined : options.at + done });
      done += n;
      ctx.progress.bytes(n);
      if (done % PATIENCE < n) await endIfSignalled(ctx, fs);
    }
    spare = buffer;
    const owners = new Owners(fs);
    const uid = options.owner === undefined ? -1 : userId(owners, options.owner);
    const gid = options.group === undefined ? -1 : groupId(owners, options.group);
    if (uid !== -1 || gid !== -1) fs.fchown(fd, uid, gid);
    if (options.mode !== undefined) fs.fchmod(fd, options.mode);
    return done;
  } finally {
    fs.close(fd);
  }
}

/** A pipe gives small pieces: gather them, so that the file is laid out in large runs. */
function fill(input: InputSource, buffer: Uint8Array): number {
  let used = 0;
  while (used < buffer.length) {
    const n = input.read(buffer.subarray(used));
    if (n === 0) break;
    used += n;
  }
  return used;
}

function makeParents(fs: Ukfs, path: string): void {
  const slash = path.replace(/\/+$/, '').lastIndexOf('/');
  if (slash > 0) fs.mkdir(path.slice(0, slash), { recursive: true });
}

function readOptions(args: Invocation): WriteOptions {
  const last = (name: string): string | undefined => args.options.filter((o) => o.name === name).at(-1)?.value;
  const has = (name: string): boolean => args.options.some((o) => o.name === name);
  const modeWord = last('mode');
  const mode = modeWord === undefined ? undefined : parseOctalMode(modeWord);
  if (modeWord !== undefined && mode === undefined) throw new UsageError(`--mode: '${modeWord}' is no octal mode`);
  const atWord = last('at');
  const at = atWord === undefined ? undefined : parseBytes(atWord);
  if (atWord !== undefined && at === undefined) throw new UsageError(`--at: '${atWord}' is no offset`);
  if (has('append') && at !== undefined) throw new UsageError('--append and --at exclude each other');
  return { append: has('append'), at, parents: has('parents'), mode, owner: last('owner'), group: last('group') };
}
