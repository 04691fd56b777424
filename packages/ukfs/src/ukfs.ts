/**
 * open(): from an address to a handle. Everything asynchronous of the library happens here: the host, the probes' further
 * tables and the file system's code are loaded when it turns out that they are needed.
 */
import { FsError, seededHost } from '@ukfs/kernel';
import type { FileSystemModule, FileSystemType, Host, MountOptions, StageOptions } from '@ukfs/kernel';
import { filesystems, loadLabels, loadRecover } from '@ukfs/kernel/all';
import type { PartitionTable, RecoverAction, RecoverOptions, RecoverReport } from '@ukfs/kernel/all';
import { parseAddress, parseSelector } from './address.ts';
import type { Address } from './address.ts';
import { FsHandle } from './fshandle.ts';
import type {
  AddressLike,
  CheckImageOptions,
  CheckReport,
  DeviceInfo,
  ImageReport,
  OpenOptions,
  Ukfs,
} from './handle.ts';
import { bytesOfDisk } from './imagebytes.ts';
import { candidateOf, choose } from './recognise/select.ts';
import { identify, wholeImage } from './recognise/identify.ts';
import type { Found, Knowledge, Place } from './recognise/identify.ts';
import { cachedMedium } from './recognise/medium.ts';
import type { Medium } from './recognise/medium.ts';
import { KernelSession } from './session.ts';
import type { Disk } from './session.ts';

export const knowledge: Knowledge = { modules: filesystems, loadLabels };

/**
 * Open an image. Errors: those of the host (ENOENT, EACCES …); SelectionError; NotRecognisedError; UnsupportedError (a
 * feature of the image); CorruptError; EBUSY (locked or in use); EROFS; EINVAL (an option, an address).
 */
export async function open(address: AddressLike, options: OpenOptions = {}): Promise<Ukfs> {
  const session = await sessionFor(options);
  session.handles++;
  try {
    return await openIn(session, address, options);
  } catch (e) {
    session.release();
    throw e;
  }
}

/** What is in an image: its partitions and what each holds. Nothing is mounted. Errors: of the host. */
export async function inspect(address: AddressLike, options: OpenOptions = {}): Promise<ImageReport> {
  const session = await sessionFor(options);
  session.handles++;
  try {
    const { image } = resolve(address, session.host);
    const disk = session.openDisk(image, { write: false });
    try {
      return await reportOf(image, mediumOf(disk));
    } finally {
      session.closeDisk(disk);
    }
  } finally {
    session.release();
  }
}

/**
 * Check the file system at an address without mounting it, and repair what `repair` allows: as one transaction, which is
 * committed when no error is left and thrown away otherwise.
 * Errors: as open(); UnsupportedError the type cannot be checked.
 */
export async function check(address: AddressLike, options: CheckImageOptions = {}): Promise<CheckReport> {
  const { repair = 'none', report = () => undefined, pause, ...rest } = options;
  const session = await sessionFor(rest);
  session.handles++;
  try {
    const place = resolve(address, session.host);
    return await checkIn(session, place, { options: { ...rest, write: repair !== 'none' }, repair, report, pause });
  } finally {
    session.release();
  }
}

async function checkIn(
  session: KernelSession,
  address: Address,
  wish: { readonly options: OpenOptions; readonly pause: CheckImageOptions['pause'] } & Required<
    Pick<CheckImageOptions, 'repair' | 'report'>
  >,
): Promise<CheckReport> {
  const { options, repair, report, pause } = wish;
  const wanted = options.type === undefined ? undefined : moduleNamed(options.type);
  const disk = session.openDisk(address.image, stageOptions(options, mountWords(options)));
  try {
    const choice = { image: address.image, selectors: address.selectors, type: wanted?.name };
    const { place, content } = await choose(mediumOf(disk), choice, knowledge);
    const module = wanted ?? content?.module;
    if (module === undefined) throw new FsError('ENODEV', { op: 'check', path: address.image });
    const type = await loadType(session, module);
    const where = { offset: place.offset, sizeBytes: place.medium.sizeBytes };
    const { summary, changed } = session.check(disk, type, {
      ...where,
      repair,
      report,
      ...(pause === undefined ? {} : { pause }),
    });
    return { ...summary, type: type.name, changed };
  } catch (e) {
    if (e instanceof FsError) e.context.image ??= address.image;
    throw e;
  } finally {
    session.closeDisk(disk);
  }
}

/** Names of the file-system types that open() knows. */
export const fstypes = (options: { readonly aliases?: boolean } = {}): string[] =>
  filesystems.flatMap(({ name, aliases }) => (options.aliases === true ? [name, ...aliases] : [name]));

/**
 * What lies beside an image that an interrupted edit left, and what a person decides about it; 'report' changes nothing.
 * Errors: EIO the log is damaged and cannot be applied; EBUSY.
 */
export async function recover(
  image: string,
  action: RecoverAction,
  options: RecoverOptions & { readonly host?: Host } = {},
): Promise<RecoverReport> {
  const { host, ...rest } = options;
  const { recover: settle } = await loadRecover();
  return settle(host ?? (await defaultHost()), image, action, rest);
}

async function sessionFor(options: OpenOptions): Promise<KernelSession> {
  const { session, host, seed } = options;
  if (session instanceof KernelSession) return session;
  if (session !== undefined) throw new FsError('EINVAL', { op: 'open', what: 'session of another library' });
  const outside = host ?? (await defaultHost());
  return new KernelSession(seed === undefined ? outside : seededHost(outside, seed));
}

export async function defaultHost(): Promise<Host> {
  const { nodeHost } = await import('@ukfs/kernel/host/node');
  return nodeHost();
}

/** An address in parts, whichever way it was given. */
export function resolve(address: AddressLike, host: Host): Address {
  if (typeof address === 'string') return parseAddress(address, (path) => isImage(host, path));
  const selectors = (address.selectors ?? []).map((s) => (typeof s === 'string' ? parseSelector(s) : s));
  return { image: address.image, selectors, path: address.path };
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

export const mediumOf = ({ stage }: Disk): Medium =>
  cachedMedium((dst, offset) => stage.read(dst, offset), stage.sizeBytes);

async function openIn(session: KernelSession, like: AddressLike, options: OpenOptions): Promise<Ukfs> {
  const address = resolve(like, session.host);
  try {
    const wanted = options.type === undefined ? undefined : moduleNamed(options.type);
    const wish = { address, options, words: mountWords(options) };
    // Types that are never found on a disk have no probe; only their code tells whether they need one all the same.
    if (wanted !== undefined && wanted.probe === undefined) {
      const type = await loadType(session, wanted);
      if (!type.traits.needsDevice) return start(session, { ...wish, type, disk: undefined, place: nowhere });
    }
    return await openImage(session, { ...wish, wanted });
  } catch (e) {
    if (e instanceof FsError) e.context.image ??= address.image;
    throw e;
  }
}

interface Wish {
  readonly address: Address;
  readonly options: OpenOptions;
  readonly words: MountWords;
}

async function openImage(
  session: KernelSession,
  wish: Wish & { readonly wanted: FileSystemModule | undefined },
): Promise<Ukfs> {
  const { address, options, words, wanted } = wish;
  const disk = session.openDisk(address.image, stageOptions(options, words));
  try {
    // Its first user is the one that locked it.
    if (disk.writable && !disk.stage.dryRun && disk.users === 1) await options.locked?.(bytesOfDisk(session, disk));
    const choice = { image: address.image, selectors: address.selectors, type: wanted?.name };
    const { place, content } = await choose(mediumOf(disk), choice, knowledge);
    const module = wanted ?? content?.module;
    if (module === undefined) throw new FsError('ENODEV', { op: 'open', path: address.image });
    return start(session, { ...wish, type: await loadType(session, module), disk, place });
  } catch (e) {
    session.closeDisk(disk);
    throw e;
  }
}

const nowhere: Place = wholeImage({ read: () => new Uint8Array(0), sizeBytes: 0 });

/** Mount, make the handle's process, hand it over. */
function start(
  session: KernelSession,
  wish: Wish & { readonly type: FileSystemType; readonly disk: Disk | undefined; readonly place: Place },
): Ukfs {
  const { address, options, words, type, disk, place } = wish;
  const edits = disk === undefined ? !words.readOnly : disk.writable && !words.readOnly;
  return session.asKernel(() => {
    const mounted = session.mount(disk, type, {
      offset: place.offset,
      sizeBytes: place.medium.sizeBytes,
      readOnly: !edits,
      options: options.force === true && 'force' in type.options ? { force: true, ...words.options } : words.options,
    });
    const device: DeviceInfo = {
      offset: place.offset,
      sizeBytes: place.medium.sizeBytes,
      sectorSize: disk?.stage.sectorSize ?? 512,
      partition: place.partition,
    };
    try {
      return new FsHandle(session, { address, device, mounted, options });
    } catch (e) {
      session.unmount(mounted);
      throw e;
    }
  });
}

/** ENODEV: no such type. */
export function moduleNamed(name: string): FileSystemModule {
  const module = filesystems.find((m) => m.name === name || m.aliases.includes(name));
  if (module === undefined) throw new FsError('ENODEV', { op: 'open', what: `${name}: file system not supported` });
  return module;
}

export async function loadType(session: KernelSession, module: FileSystemModule): Promise<FileSystemType> {
  await session.rump.modules.load(module.name);
  return module.load();
}

interface MountWords {
  readonly readOnly: boolean;
  readonly options: MountOptions;
}

/** mount(8) words that every type takes and that mean nothing here: nobody executes, dumps or logs on a mount of ours. */
const IDLE_WORDS: ReadonlySet<string> = new Set(
  'rw auto coredump dev exec suid hidden symperm async sync atime devmtime union rump userquota groupquota'.split(' '),
);

function mountWords({ options = {} }: OpenOptions): MountWords {
  const all = typeof options === 'string' ? parseWords(options) : options;
  const isReadOnly = 'ro' in all || 'rdonly' in all;
  const own = Object.entries(all).filter(([word]) => word !== 'ro' && word !== 'rdonly' && !isIdle(word));
  return { readOnly: isReadOnly, options: Object.fromEntries(own) };
}

const isIdle = (word: string): boolean =>
  IDLE_WORDS.has(word) || (word.startsWith('no') && IDLE_WORDS.has(word.slice(2)));

/** "ro,sb=8193" */
function parseWords(text: string): MountOptions {
  const entries = text.split(',').filter((word) => word !== '');
  return Object.fromEntries(
    entries.map((word): [string, string | true] => {
      const equals = word.indexOf('=');
      return equals < 0 ? [word, true] : [word.slice(0, equals), word.slice(equals + 1)];
    }),
  );
}

function stageOptions(options: OpenOptions, { readOnly }: MountWords): StageOptions {
  const { write = false, dryRun = false, lock, force, log, memLimit } = options;
  return {
    write: (write || dryRun) && !readOnly,
    dryRun,
    ...(lock === undefined ? {} : { lock }),
    ...(force === undefined ? {} : { force }),
    ...(log === undefined ? {} : { log }),
    ...(memLimit === undefined ? {} : { memLimit }),
  };
}

/** How deep partition tables may nest: a disklabel in an MBR partition, and once more for good measure. */
const MAX_NESTING = 3;

async function reportOf(image: string, medium: Medium): Promise<ImageReport> {
  const notes: string[] = [];
  const found: Found[] = [];
  const collect = async (place: Place, depth: number): Promise<PartitionTable | undefined> => {
    const { whole, table, partitions } = await identify(place, knowledge);
    if (whole !== undefined && depth === 0) found.push({ place, content: whole });
    notes.push(...(table?.notes ?? []).map((note) => (place.selector === '' ? note : `${place.selector}: ${note}`)));
    for (const one of partitions) {
      found.push(one);
      if (depth < MAX_NESTING && one.content?.kind !== 'fs') await collect(one.place, depth + 1);
    }
    return table;
  };
  const table = await collect(wholeImage(medium), 0);
  return { image, sizeBytes: medium.sizeBytes, table: table?.kind, notes, candidates: found.map(candidateOf) };
}
