/**
 * makeFs(): a new file system in an image, which is made when it is not there, and filled in the same transaction: what is
 * half done is never taken for a file system.
 *
 * Over something else it goes in two transactions. The first takes the old one away, the second has the whole place to
 * itself: nothing of the old is needed any more, so that even large contents are written once, in place.
 */
import { FsError, seededHost } from '@ukfs/kernel';
import type { FileSystemType, Host, MkfsReport, MkfsRequest } from '@ukfs/kernel';
import { diskMeant } from './address.ts';
import type { Address, PartSelector } from './address.ts';
import { FsHandle } from './fshandle.ts';
import type { HandleInit } from './fshandle.ts';
import type { AddressLike, CommitResult, OpenOptions, Ukfs } from './handle.ts';
import { nestedReadOnly } from './nestedhost.ts';
import { identify } from './recognise/identify.ts';
import type { Place } from './recognise/identify.ts';
import { BLANK, EMPTY } from './recognise/signatures.ts';
import { placeMeant } from './recognise/select.ts';
import { KernelSession } from './session.ts';
import type { Disk, Mounted } from './session.ts';
import { smallest } from './sizing.ts';
import type { Need, Sized } from './sizing.ts';
import { knowledge, loadType, mediumOf, moduleNamed } from './ukfs.ts';
import { defaultHost, resolve } from './where.ts';

export interface MakeFsOptions extends Pick<OpenOptions, 'host' | 'lock' | 'log' | 'memLimit'> {
  /** Type, or one of its aliases: "ext4". */
  readonly type: string;
  /**
   * Bytes of the image. Default: what the image, or the part of it that is selected, has. `auto`: the least that holds what
   * `fill` puts into it, and so many percent more of blocks and inodes; `fill` then is called several times.
   */
  readonly size?: number | { readonly auto: number };
  /** Words of the type, as docs/fs has them: { label: 'root', features: '^has_journal' }. */
  readonly options?: Readonly<Record<string, string | true>>;
  /** Take away what is recognised there. */
  readonly force?: boolean;
  /** What UUIDs and the like are made from. Default: SOURCE_DATE_EPOCH and the request when that is set, else chance. */
  readonly seed?: string;
  /** Puts files into the new file system before it is committed; when it throws, nothing is left. */
  readonly fill?: (fs: Ukfs) => void;
  /** Bytes of the memory image only, for a trial: plan, and write nothing. */
  readonly dryRun?: boolean;
}

export interface MakeFsReport extends MkfsReport {
  readonly image: string;
  /** Canonical name of the type. */
  readonly type: string;
  /** The image file was made. */
  readonly created: boolean;
  readonly commit: CommitResult | undefined;
}

/**
 * Errors: EEXIST something is recognised there (`force`); EINVAL options, or no size for a new image; ENODEV no such type;
 * EOPNOTSUPP the type cannot be made; ENOSPC `fill` needs more room; those of opening an image for writing.
 */
export async function makeFs(address: AddressLike, options: MakeFsOptions): Promise<MakeFsReport> {
  const outside = options.host ?? (await defaultHost());
  const seed = seedOf(outside, options);
  const host = seed === undefined ? outside : seededHost(outside, seed);
  const session = new KernelSession(host);
  session.handles++;
  try {
    const type = await loadType(session, moduleNamed(options.type));
    const { size: wanted } = options;
    const sized = typeof wanted === 'object' ? await sizeFor(outside, options, { ...wanted, seed }) : undefined;
    const wish = {
      ...options,
      size: sized?.sizeBytes ?? (typeof options.size === 'number' ? options.size : undefined),
    };
    const made = await new Maker(session, type, onHost(resolve(address, outside)), {
      ...wish,
      leastFiles: sized?.files,
    }).run();
    return { ...made, type: type.name };
  } finally {
    session.release();
  }
}

/** A disk of the host, and a part of it. */
interface Target {
  readonly image: string;
  readonly selectors: readonly PartSelector[];
  readonly path: string | undefined;
}

/** EROFS: it lies in an image. */
function onHost({ image, selectors, path }: Address): Target {
  const { within, parts } = diskMeant({ image, selectors });
  if (within !== undefined) throw nestedReadOnly('mkfs', image);
  return { image, selectors: parts, path };
}

/**
 * What chance is to follow from; undefined: from nothing. The same request at the same SOURCE_DATE_EPOCH is to give the same
 * bytes, another request other identities. Trials must meet the chance of the real thing, on which hash trees depend.
 */
function seedOf(host: Host, { seed, type, size = 0, options = {} }: MakeFsOptions): string | undefined {
  if (seed !== undefined) return seed;
  const epoch = host.getparam('SOURCE_DATE_EPOCH');
  if (epoch !== undefined && epoch !== '') {
    const given = Object.entries(options).sort(([a], [b]) => (a < b ? -1 : 1));
    return JSON.stringify([epoch, type, size, given]);
  }
  if (typeof size === 'number') return undefined;
  const bytes = new Uint8Array(16);
  host.random(bytes);
  return bytes.join();
}

type Wish = Omit<MakeFsOptions, 'size'> & {
  readonly size: number | undefined;
  readonly leastFiles: number | undefined;
};

/** EINVAL: there is nothing to fill it with, or the type cannot be made. */
async function sizeFor(
  outside: Host,
  options: MakeFsOptions,
  { auto: more, seed = '' }: { readonly auto: number; readonly seed: string | undefined },
): Promise<Sized> {
  const { fill, type: variant } = options;
  if (fill === undefined) throw new FsError('EINVAL', { op: 'mkfs', what: 'size auto needs contents' });
  const { scratchHost, SCRATCH_IMAGE } = await import('@ukfs/kernel/host/scratch');
  const module = moduleNamed(variant);
  const type = await module.load();
  const { mkfs } = type;
  if (mkfs === undefined) throw new FsError('EOPNOTSUPP', { op: 'mkfs', what: `${type.name} cannot be made` });
  const request = (leastFiles: number): MkfsRequest => ({
    variant,
    options: options.options ?? {},
    blank: true,
    leastFiles,
    now: { sec: 0, nsec: 0 },
    random: () => undefined,
  });
  const address = { image: SCRATCH_IMAGE, selectors: [], path: undefined };
  return smallest({
    more,
    plan: (sizeBytes, files) => mkfs.plan(sizeBytes, request(files)),
    trial(size, leastFiles) {
      const session = new KernelSession(seededHost(scratchHost(outside, size), seed));
      session.handles++;
      let need: Need | undefined;
      const measure = (fs: Ukfs): void => {
        fill(withoutContents(fs));
        fs.sync();
        const { freeBlocks, fragmentSize, freeFiles } = fs.statvfs();
        const empty = mkfs.plan(size, request(leastFiles));
        need = { bytes: empty.freeBytes - freeBlocks * fragmentSize, files: empty.freeFiles - freeFiles };
      };
      try {
        session.rump.attach(type);
        new Maker(session, type, address, { ...options, size, leastFiles, fill: measure }).tryOut();
        return need;
      } catch (e) {
        if (e instanceof FsError && e.code === 'ENOSPC') return undefined;
        throw e;
      } finally {
        session.release();
      }
    },
  });
}

/** The handle, but what is written is zeros: as much of them. */
function withoutContents(fs: Ukfs): Ukfs {
  const zeros = new Uint8Array(ZEROS);
  const write: Ukfs['write'] = (fd, buffer, offset = 0, length = buffer.length - offset, position) =>
    fs.write(fd, zeros, 0, Math.min(length, ZEROS), position);
  return new Proxy(fs, {
    get(target, key) {
      if (key === 'write') return write;
      const value: unknown = Reflect.get(target, key);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

const ZEROS = 128 * 1024;

const hostDirname = (path: string): string => path.replace(/[^/\\]*$/, '') || '.';

class Maker {
  readonly #session: KernelSession;
  readonly #type: FileSystemType;
  readonly #address: Target;
  readonly #options: Wish;

  constructor(session: KernelSession, type: FileSystemType, address: Target, options: Wish) {
    this.#session = session;
    this.#type = type;
    this.#address = address;
    this.#options = options;
  }

  async run(): Promise<Omit<MakeFsReport, 'type'>> {
    const { host } = this.#session;
    const { image, selectors } = this.#address;
    if (this.#options.dryRun === true) return this.#plan();
    const created = host.stat(image) === undefined;
    if (created) {
      if (selectors.length > 0) throw new FsError('ENOENT', { op: 'mkfs', path: image });
      this.#create(image, this.#sizeWanted(undefined));
    }
    let isDone = false;
    try {
      const made = await this.#onDisk(created);
      isDone = true;
      return { image, created, ...made };
    } finally {
      if (created && !isDone) host.unlink(image);
    }
  }

  /** On the image that is there, a blank one; nothing is committed. */
  tryOut(): void {
    const session = this.#session;
    const disk = session.openDisk(this.#address.image, { write: true, memLimit: TRIAL_MEMORY });
    try {
      const size = disk.stage.sizeBytes;
      session.asKernel(() => this.#makeAt(disk, { offset: 0, size, blank: true }));
    } finally {
      session.closeDisk(disk);
    }
  }

  /** Options and size are judged before there is a file. */
  #plan(): Omit<MakeFsReport, 'type'> {
    const { image } = this.#address;
    const size = this.#sizeWanted(this.#session.host.stat(image)?.size);
    const report = this.#planned(size);
    return { ...report, image, created: false, commit: undefined };
  }

  #planned(size: number): MkfsReport {
    const { mkfs, name } = this.#type;
    if (mkfs === undefined) throw new FsError('EOPNOTSUPP', { op: 'mkfs', what: `${name} cannot be made` });
    const { host, rump } = this.#session;
    return mkfs.plan(size, { ...this.#request(true), now: rump.now(), random: (dst) => host.random(dst) });
  }

  #request(blank: boolean): Omit<MkfsRequest, 'now' | 'random'> {
    const { type: variant, options = {}, leastFiles } = this.#options;
    return { variant, options, blank, ...(leastFiles === undefined ? {} : { leastFiles }) };
  }

  #sizeWanted(there: number | undefined): number {
    const size = this.#options.size ?? there;
    if (size === undefined) throw new FsError('EINVAL', { op: 'mkfs', what: 'a new image needs a size' });
    if (size === 0) throw new FsError('EINVAL', { op: 'mkfs', what: 'an empty image needs a size' });
    if (!(Number.isSafeInteger(size) && size >= 0)) throw new FsError('EINVAL', { op: 'mkfs', what: `size ${size}` });
    return size;
  }

  /** A hole of the size wanted, once it is known that a file system can be made of it. */
  #create(image: string, size: number): void {
    this.#planOnce(size);
    const { host } = this.#session;
    const file = host.open(image, { write: true, create: 0o666 });
    try {
      file.truncate(size);
      file.fsync();
      host.fsyncDir(hostDirname(image));
    } catch (e) {
      host.unlink(image);
      throw e;
    } finally {
      file.close();
    }
  }

  /** Judge the request without drawing from the chance that making it will draw from. */
  #planOnce(size: number): void {
    const { mkfs, name } = this.#type;
    if (mkfs === undefined) throw new FsError('EOPNOTSUPP', { op: 'mkfs', what: `${name} cannot be made` });
    mkfs.plan(size, { ...this.#request(true), now: this.#session.rump.now(), random: () => undefined });
  }

  async #onDisk(created: boolean): Promise<Omit<MakeFsReport, 'type' | 'image' | 'created'>> {
    const session = this.#session;
    const { lock, log, memLimit, force } = this.#options;
    const disk = session.openDisk(this.#address.image, {
      write: true,
      ...(lock === undefined ? {} : { lock }),
      ...(log === undefined ? {} : { log }),
      ...(memLimit === undefined ? {} : { memLimit }),
      ...(force === undefined ? {} : { force }),
    });
    try {
      const place = await this.#place(disk);
      const isWhole = place.offset === 0 && place.medium.sizeBytes === disk.stage.sizeBytes;
      const isFile = session.host.stat(disk.path)?.type === 'reg';
      const size = this.#sizeWanted(place.medium.sizeBytes);
      if (size > place.medium.sizeBytes && !(isWhole && isFile)) {
        throw new FsError('EINVAL', { op: 'mkfs', what: `there are only ${place.medium.sizeBytes} bytes` });
      }
      this.#planOnce(size);
      if (!created) this.#takeAway(disk, place, { size, blank: isWhole && isFile });
      return session.asKernel(() => this.#make(disk, place, { size, blank: created || (isWhole && isFile) }));
    } finally {
      session.closeDisk(disk);
    }
  }

  /** EEXIST: something is there, and nobody said that it may go. */
  async #place(disk: Disk): Promise<Place> {
    const { image, selectors } = this.#address;
    const place = await placeMeant(mediumOf(disk), { image, selectors, type: undefined }, knowledge);
    if (this.#options.force === true) return place;
    const { whole, table } = await identify(place, knowledge);
    const found = whole?.description ?? (table === undefined ? undefined : `${table.kind} partition table`);
    if (found === undefined || found === BLANK || found === EMPTY) return place;
    throw new FsError('EEXIST', { op: 'mkfs', path: image, what: `there is something already: ${found} (--force)` });
  }

  /** The first transaction: nothing is recognised any more. A file becomes one hole, of the new size. */
  #takeAway(disk: Disk, place: Place, { size, blank }: { readonly size: number; readonly blank: boolean }): void {
    const { rump } = this.#session;
    const { stage } = disk;
    if (blank) {
      stage.resize(0);
      rump.commit(stage);
      stage.resize(size);
    } else {
      const zeros = new Uint8Array(SIGNATURE_BYTES);
      const { sizeBytes } = place.medium;
      for (const from of [0, sizeBytes - SIGNATURE_BYTES]) {
        const start = Math.max(0, from);
        const end = Math.min(sizeBytes, Math.max(0, from) + SIGNATURE_BYTES);
        stage.write(zeros.subarray(0, end - start), place.offset + start);
      }
    }
    rump.commit(stage);
  }

  /** The second one. */
  #make(
    disk: Disk,
    place: Place,
    { size, blank }: { readonly size: number; readonly blank: boolean },
  ): Omit<MakeFsReport, 'type' | 'image' | 'created'> {
    const report = this.#makeAt(disk, { offset: place.offset, size, blank });
    return { ...report, commit: this.#session.rump.commit(disk.stage) };
  }

  #makeAt(disk: Disk, { offset, size, blank }: { offset: number; size: number; blank: boolean }): MkfsReport {
    const { rump } = this.#session;
    const key = '/newfs';
    rump.etfs.register(key, disk.path, 'BLK', { begin: offset, size });
    try {
      const report = rump.mkfs(key, this.#type, this.#request(blank));
      const { fill } = this.#options;
      if (fill !== undefined) this.#fill(disk, { offset, size }, fill);
      return report;
    } finally {
      rump.etfs.remove(key);
    }
  }

  #fill(
    disk: Disk,
    { offset, size }: { readonly offset: number; readonly size: number },
    fill: (fs: Ukfs) => void,
  ): void {
    const session = this.#session;
    const mounted = session.mount(disk, this.#type, { offset, sizeBytes: size, readOnly: false, options: {} });
    const device = { offset, sizeBytes: size, sectorSize: disk.stage.sectorSize, partition: undefined };
    const fs = this.#handle(mounted, { address: this.#address, device, mounted, options: { write: true } });
    disk.users++;
    session.handles++;
    try {
      if (fs.readOnly) {
        const notes = fs.fsinfo().notes.map((note) => note.replace(/^read-only: /, ''));
        throw new FsError('EROFS', { op: 'mkfs', what: `it cannot be filled: ${notes.join('; ')}` });
      }
      fill(fs);
      fs.sync();
    } finally {
      fs.close();
    }
  }

  #handle(mounted: Mounted, init: HandleInit): Ukfs {
    try {
      return new FsHandle(this.#session, init);
    } catch (e) {
      this.#session.unmount(mounted);
      throw e;
    }
  }
}

/** For the stage of a trial, whose image forgets what it need not keep. */
const TRIAL_MEMORY = 8 * 1024 * 1024;
/** Where other systems put their marks, at either end. */
const SIGNATURE_BYTES = 128 * 1024;
