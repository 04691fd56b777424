/**
 * --audit: what an edit changes, line by line, with the hashes of what was there and of what is. The lines of a transaction
 * are on the disk before its commit; the last one, which alone says that it happened, is written after it. Lines without
 * their last one are of an edit that a crash ended: the hashes tell on which side of the commit point.
 */
import { CommitError, errnoText, FsError, treeChanges } from 'ukfs';
import type { CommitResult, TreeChange, Ukfs } from 'ukfs';
import type { Context } from '../context.ts';
import { sourceDateEpoch } from '../epoch.ts';
import { FileSums } from '../filesums.ts';
import { pathMembers } from '../format/json.ts';
import type { Json } from '../format/json.ts';
import { octalMode } from '../format/mode.ts';
import { rfc3339 } from '../format/time.ts';
import type { HostSide } from '../host.ts';
import type { OpenImage } from '../images.ts';
import { VERSION } from '../version.ts';

type Members = { readonly [key: string]: Json };
type Side = TreeChange['before'];

/** Read and hashed at a time. */
/** Characters gathered for one write. */
const LINES = 64 * 1024;

/** Where the lines go. */
interface Sink {
  write(text: string): void;
  sync(): void;
  close(): void;
}

export interface AuditTrail {
  /** The handles of an image that changes, before its commit: their lines are on the disk when this returns. */
  intend(images: readonly OpenImage[]): Transaction;
  close(): void;
}

interface Transaction {
  /** It was committed. */
  committed(result: CommitResult, how: { readonly durable: boolean }): void;
  /** It was not, or nobody knows. */
  failed(thrown: unknown): void;
}

/** undefined: nobody asked for one. Errors: of the host. */
export async function openAudit(ctx: Context): Promise<AuditTrail | undefined> {
  const { audit } = ctx.settings.edit;
  if (audit === undefined) return undefined;
  for (const { fs } of ctx.images.edited) checkIsOther(fs, audit);
  const host = await ctx.shell.host();
  const sink = audit === '-' ? errorOutput(ctx) : fileSink(host, audit);
  return { intend: (images) => intend(ctx, { host, sink, images }), close: () => sink.close() };
}

function checkIsOther({ session: { host }, address }: Ukfs, audit: string): void {
  const [trail, image] = [host.stat(audit), host.stat(address.image)];
  if (trail === undefined || trail.dev !== image?.dev || trail.ino !== image.ino) return;
  throw new FsError('EINVAL', { op: 'audit', what: 'the audit trail would be written into the image' });
}

const errorOutput = (ctx: Context): Sink => ({
  write: (text) => ctx.shell.err(text),
  sync: () => undefined,
  close: () => undefined,
});

function fileSink(host: HostSide, path: string): Sink {
  const file = host.openForAppending(path);
  const encoder = new TextEncoder();
  return {
    write: (text) => named(path, () => file.write(encoder.encode(text))),
    sync: () => named(path, () => file.sync()),
    close: () => named(path, () => file.close()),
  };
}

/** Who writes to it speaks of the image. */
function named(path: string, act: () => void): void {
  try {
    act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    throw new FsError(thrown.code, { op: 'audit', what: `${path}: ${errnoText[thrown.code]}` }, { cause: thrown });
  }
}

interface Job {
  readonly host: HostSide;
  readonly sink: Sink;
  readonly images: readonly OpenImage[];
}

function intend(ctx: Context, { host, sink, images }: Job): Transaction {
  const [first] = images;
  const { output } = ctx.settings.edit;
  const begin: Members = {
    time: timeOf(ctx),
    ...pathMembers('image', first?.name.image ?? ''),
    ...pathMembers('output', output),
    command: [...ctx.program.split(' '), ...ctx.words],
    tool: `fsu ${VERSION}`,
  };
  const hash = host.sha256();
  hash.update(new TextEncoder().encode(JSON.stringify(begin)));
  // Nothing of chance is in it: with SOURCE_DATE_EPOCH the same edit leaves the same lines.
  const id = hash.digest().slice(0, 16);
  const line = (kind: string, members: Members): string =>
    `${JSON.stringify({ schema: `fsu.audit.${kind}`, version: 1, id, ...members })}\n`;
  sink.write(line('intent', begin));
  let files = 0;
  let text = '';
  for (const image of images) {
    for (const members of changesOf(image, host)) {
      files++;
      text += line('file', members);
      if (text.length < LINES) continue;
      sink.write(text);
      text = '';
    }
  }
  if (text !== '') sink.write(text);
  sink.sync();
  const end = (members: Members): void => {
    sink.write(line('end', { time: timeOf(ctx), files, ...members }));
    sink.sync();
  };
  return {
    committed: ({ bytesLogged, bytesInPlace }, { durable }) =>
      end({ outcome: 'committed', durable, bytes: bytesLogged + bytesInPlace }),
    failed: (thrown) => end(outcomeOf(thrown)),
  };
}

function outcomeOf(thrown: unknown): Members {
  const outcome = thrown instanceof CommitError ? thrown.outcome : 'discarded';
  const errno = thrown instanceof FsError ? thrown.code : 'EIO';
  // "Committed" and an error: image and log together hold it, which the next writer completes.
  const known = { discarded: 'not committed', committed: 'committed, not yet applied', unknown: 'unknown' } as const;
  return { outcome: known[outcome], durable: outcome === 'committed', errno };
}

const timeOf = (ctx: Context): string => rfc3339(sourceDateEpoch(ctx) ?? ctx.shell.now());

function* changesOf({ name, fs }: OpenImage, host: HostSide): Generator<Members> {
  const was = fs.committed();
  if (was === undefined) return;
  const hasher = new Hasher(host);
  try {
    for (const { path, change, before, after } of treeChanges(was, fs)) {
      yield {
        ...pathMembers('image', name.text),
        ...pathMembers('path', path),
        change,
        before: hasher.side(was, path, before),
        after: hasher.side(fs, path, after),
      };
    }
  } finally {
    was.close();
  }
}

class Hasher {
  readonly #host: HostSide;
  readonly #sums = new FileSums();

  constructor(host: HostSide) {
    this.#host = host;
  }

  side(fs: Ukfs, path: string, stat: Side): Members | undefined {
    if (stat === undefined) return undefined;
    const { type, size, mode, uid, gid, mtime, flags, rdev } = stat;
    return {
      type,
      mode: octalMode(mode),
      uid,
      gid,
      ...(type === 'reg' ? { size } : {}),
      mtime: rfc3339(mtime),
      ...(flags === 0 ? {} : { flags }),
      rdev: rdev === undefined ? undefined : { major: rdev.major, minor: rdev.minor },
      ...this.#content(fs, path, type),
    };
  }

  /** What cannot be read is no reason not to change it: the line then says why there is no hash. */
  #content(fs: Ukfs, path: string, type: string): Members {
    try {
      if (type === 'lnk') return pathMembers('target', fs.readlink(path));
      return type === 'reg' ? { sha256: this.#sums.of(fs, path, this.#host.sha256()).digest } : {};
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      return { errno: thrown.code };
    }
  }
}
