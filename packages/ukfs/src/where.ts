/** Where an address leads: to a file of the host, or of a file system that lies on another disk and is opened for it. */
import { ACCESS, FsError, seededHost } from '@ukfs/kernel';
import type { Host } from '@ukfs/kernel';
import { diskMeant, parseAddress, parseSelector } from './address.ts';
import type { Address, PartSelector } from './address.ts';
import { FsHandle } from './fshandle.ts';
import type { AddressLike, OpenOptions } from './handle.ts';
import { nestedHost, nestedReadOnly } from './nestedhost.ts';
import { KernelSession } from './session.ts';

export interface Where {
  /** Its host has the image; one more handle is counted in it, for who goes on from here. */
  readonly session: KernelSession;
  readonly image: string;
  readonly parts: readonly PartSelector[];
  /** As asked. */
  readonly address: Address;
  readonly options: OpenOptions;
  /** The file system that the image is a file of, open for this alone. */
  readonly within: FsHandle | undefined;
}

/** How deep images may lie in images. */
const NESTED_MAX = 8;

/**
 * `open`: for what lies around. Whoever goes no further calls leave(). Errors: EINVAL the address; of the host; of opening what lies
 * around; ENOENT, ENOTDIR, EFTYPE there is no such file in it; EROFS it was to be written.
 */
export async function whereIs(
  like: AddressLike,
  options: OpenOptions,
  open: (address: AddressLike, options: OpenOptions) => Promise<FsHandle>,
): Promise<Where> {
  const session = await sessionFor(options);
  session.handles++;
  let isCounted = false;
  try {
    const address = resolve(like, session.host);
    const { within, parts } = diskMeant(address);
    if (within === undefined) {
      isCounted = true;
      return { session, image: address.image, parts, address, options, within };
    }
    if (options.write === true) throw nestedReadOnly('open', address.image);
    const outer = await open(within.outer, { ...aroundOf(options), session });
    const { log: _log, ...rest } = options;
    return { ...fileOf(outer, within.path, session.host), parts, address, options: { ...rest, dryRun: false } };
  } finally {
    if (!isCounted) session.release();
  }
}

/** What of the wishes is about what lies around: who looks, and the log of the image. */
function aroundOf({ uid, gid, groups, memLimit, log }: OpenOptions): OpenOptions {
  return {
    ...(uid === undefined ? {} : { uid }),
    ...(gid === undefined ? {} : { gid }),
    ...(groups === undefined ? {} : { groups }),
    ...(memLimit === undefined ? {} : { memLimit }),
    ...(log === undefined ? {} : { log }),
  };
}

/** A kernel of its own for a file of a file system, which it closes when there is no such file. */
function fileOf(outer: FsHandle, path: string, host: Host): Pick<Where, 'session' | 'image' | 'within'> {
  try {
    if (outer.stat(path).type !== 'reg') throw new FsError('EFTYPE', { op: 'open', path, what: 'not a regular file' });
    // Whoever asked may read it, or not; then it is the kernel in it that does.
    outer.access(path, ACCESS.READ);
    outer.setcred({ uid: 0, gid: 0 });
    const session = new KernelSession(nestedHost(outer, host));
    session.handles++;
    return { session, image: path, within: outer };
  } catch (thrown) {
    FsHandle.closeAround(outer);
    throw thrown;
  }
}

/** Whoever asked where it is goes no further. */
export function leave({ session, within }: Where): void {
  session.release();
  if (within !== undefined) FsHandle.closeAround(within);
}

async function sessionFor({ session, host, seed }: OpenOptions): Promise<KernelSession> {
  if (session instanceof KernelSession) return session;
  if (session !== undefined) throw new FsError('EINVAL', { op: 'open', what: 'session of another library' });
  const outside = host ?? (await defaultHost());
  return new KernelSession(seed === undefined ? outside : seededHost(outside, seed));
}

export async function defaultHost(): Promise<Host> {
  const { nodeHost } = await import('@ukfs/kernel/host/node');
  return nodeHost();
}

/** An address in parts, whichever way it was given. Errors: EINVAL; ELOOP images in images without end. */
export function resolve(like: AddressLike, host: Host): Address {
  const address = inParts(like, host);
  if (address.selectors.filter(({ kind }) => kind === 'file').length > NESTED_MAX) {
    const what = `images lie within images more than ${NESTED_MAX} deep there`;
    throw new FsError('ELOOP', { op: 'open', path: address.image, what });
  }
  return address;
}

function inParts(like: AddressLike, host: Host): Address {
  if (typeof like === 'string') return parseAddress(like, (path) => isImage(host, path));
  const selectors = (like.selectors ?? []).map((s) => (typeof s === 'string' ? parseSelector(s) : s));
  return { image: like.image, selectors, path: like.path };
}

function isImage(host: Host, path: string): boolean {
  try {
    const type = host.stat(path)?.type;
    return type === 'reg' || type === 'blk' || type === 'chr';
  } catch (e) {
    // A component that is a file or may not be searched: no image has this name.
    if (e instanceof FsError) return false;
    throw e;
  }
}
