/**
 * open(): from an address to a handle. Everything asynchronous of the library happens here: the host, the probes' further
 * tables and the file system's code are loaded when it turns out that they are needed.
 */
import { FsError } from '@ukfs/kernel';
import type { FileSystemModule, FileSystemType, Host, MountOptions, StageOptions } from '@ukfs/kernel';
import { filesystems, loadLabels, loadRecover } from '@ukfs/kernel/all';
import type { PartitionTable, RecoverAction, RecoverOptions, RecoverReport } from '@ukfs/kernel/all';
import { formatAddress, wholeDisk } from './address.ts';
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
import type { Disk, KernelSession } from './session.ts';
import { defaultHost, leave, whereIs } from './where.ts';
import type { Where } from './where.ts';

export const knowledge: Knowledge = { modules: filesystems, loadLabels };

/**
 * Open an image. Errors: those of the host (ENOENT, EACCES …); SelectionError; NotRecognisedError; UnsupportedError (a
 * feature of the image); CorruptError; EBUSY (locked or in use); EROFS; EINVAL (an option, an address).
 */
export const open = (address: AddressLike, options: OpenOptions = {}): Promise<Ukfs> => openHandle(address, options);

async function openHandle(address: AddressLike, options: OpenOptions): Promise<FsHandle> {
  const where = await whereIs(address, options, openHandle);
  try {
    return await openAt(where);
  } catch (e) {
    leave(where);
    throw named(e, where);
  }
}

/** What is in an image: its partitions and what each holds. Nothing is mounted. Errors: of the host. */
export async function inspect(address: AddressLike, options: OpenOptions = {}): Promise<ImageReport> {
  const where = await whereIs(address, { ...options, write: false }, openHandle);
  const { session } = where;
  try {
    const disk = session.openDisk(where.image, { write: false });
    try {
      return await reportOf(formatAddress(wholeDisk(where.address)), mediumOf(disk));
    } finally {
      session.closeDisk(disk);
    }
  } finally {
    leave(where);
  }
}

/**
 * Check the file system at an address without mounting it, and repair what `repair` allows: as one transaction, which is
 * committed when no error is left and thrown away otherwise.
 * Errors: as open(); UnsupportedError the type cannot be checked.
 */
export async function check(address: AddressLike, options: CheckImageOptions = {}): Promise<CheckReport> {
  const { repair = 'none', report = () => undefined, pause, ...rest } = options;
  const where = await whereIs(address, { ...rest, write: repair !== 'none' }, openHandle);
  try {
    return await checkAt(where, { repair, report, pause });
  } catch (e) {
    throw named(e, where);
  } finally {
    leave(where);
  }
}

/** The error with the image's name. */
function named(e: unknown, { address }: Where): unknown {
  if (e instanceof FsError) e.context.image ??= address.image;
  return e;
}

async function checkAt(
  { session, image, parts, options }: Where,
  {
    repair,
    report,
    pause,
  }: Required<Pick<CheckImageOptions, 'repair' | 'report'>> & { readonly pause: CheckImageOptions['pause'] },
): Promise<CheckReport> {
  const wanted = options.type === undefined ? undefined : moduleNamed(options.type);
  const disk = session.openDisk(image, stageOptions(options, mountWords(options)));
  try {
    const { place, content } = await choose(mediumOf(disk), { image, selectors: parts, type: wanted?.name }, knowledge);
    const module = wanted ?? content?.module;
    if (module === undefined) throw new FsError('ENODEV', { op: 'check', path: image });
    const type = await loadType(session, module);
    const { summary, changed } = session.check(disk, type, {
      offset: place.offset,
      sizeBytes: place.medium.sizeBytes,
      repair,
      report,
      ...(pause === undefined ? {} : { pause }),
    });
    return { ...summary, type: type.name, changed };
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

export const mediumOf = ({ stage }: Disk): Medium =>
  cachedMedium((dst, offset) => stage.read(dst, offset), stage.sizeBytes);

async function openAt(where: Where): Promise<FsHandle> {
  const { session, options } = where;
  const wanted = options.type === undefined ? undefined : moduleNamed(options.type);
  const wish = { where, words: mountWords(options) };
  // Types that are never found on a disk have no probe; only their code tells whether they need one all the same.
  if (wanted !== undefined && wanted.probe === undefined) {
    const type = await loadType(session, wanted);
    if (!type.traits.needsDevice) return start({ ...wish, type, disk: undefined, place: nowhere });
  }
  return openImage({ ...wish, wanted });
}

interface Wish {
  readonly where: Where;
  readonly words: MountWords;
}

async function openImage(wish: Wish & { readonly wanted: FileSystemModule | undefined }): Promise<FsHandle> {
  const { where, words, wanted } = wish;
  const { session, image, parts, options } = where;
  const disk = session.openDisk(image, stageOptions(options, words));
  try {
    // Its first user is the one that locked it.
    if (disk.writable && !disk.stage.dryRun && disk.users === 1) await options.locked?.(bytesOfDisk(session, disk));
    const { place, content } = await choose(mediumOf(disk), { image, selectors: parts, type: wanted?.name }, knowledge);
    const module = wanted ?? content?.module;
    if (module === undefined) throw new FsError('ENODEV', { op: 'open', path: image });
    return start({ ...wish, type: await loadType(session, module), disk, place });
  } catch (e) {
    session.closeDisk(disk);
    throw e;
  }
}

const nowhere: Place = wholeImage({ read: () => new Uint8Array(0), sizeBytes: 0 });

/** Mount, make the handle's process, hand it over. */
function start(
  wish: Wish & { readonly type: FileSystemType; readonly disk: Disk | undefined; readonly place: Place },
): FsHandle {
  const { where, words, type, disk, place } = wish;
  const { session, address, options, within } = where;
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
      return new FsHandle(session, { address, device, mounted, options, within });
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
