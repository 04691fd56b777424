/**
 * The staging block device: one per image, directly on the host file, and what makes every edit a transaction.
 *
 * Writes gather here and reads see them; commit() moves them into the image so that a crash at any moment leaves the old
 * tree or the new one for whoever opens it next. This file decides where uncommitted bytes live (memory, spill file, in
 * place when fresh); stage-open.ts decides who may open an image and what a log found there means, stage-commit.ts the
 * order of a commit. docs/log-format.md, docs/adr/0002.
 */
import { FsError, asFsError } from '../kern/errno.ts';
import type { Host, HostFile } from '../hypercall/hypercall.ts';
import type { BlockDevice, Extent, SuperblockHint, Transaction } from './blockdev.ts';
import { readPadded } from './log.ts';
import { Overlay, PAGE_SIZE, Page, maskRuns, readPages } from './overlay.ts';
import type { ReadBelow } from './overlay.ts';
import {
  commitState,
  discardState,
  freshPages,
  hasChanges,
  mayGoInPlace,
  openSpill,
  placePages,
  spillPages,
  writeInPlace,
  CommitError,
} from './stage-commit.ts';
import type { CommitHow, CommitResult, SpillFile, StageState } from './stage-commit.ts';
import { isUnchanged, openReader, openWriter } from './stage-open.ts';
import type { CommittedLog, OpenedImage, StageOptions } from './stage-open.ts';
import { RangeSet } from './stage-ranges.ts';

export { CommitError } from './stage-commit.ts';
export type { CommitHow, CommitOutcome, CommitProgress, CommitResult } from './stage-commit.ts';
export type { StageOptions } from './stage-open.ts';

export const DEFAULT_MEMLIMIT = 64 * 1024 * 1024;
/** Fresh writes of at least this size go straight into the image once memory has run short. */
const DIRECT_FROM = 16 * 1024;

/** `call` brackets one system call; `explicit` is a person's undo point and also ends freshness. */
type SavepointKind = 'call' | 'explicit';

export interface Stage extends BlockDevice, Transaction {
  /** Real path of the image. */
  readonly path: string;
  /** Equal for two paths to one file, so that it is registered once. */
  readonly identity: string;
  /** True while commit() is refused because the image was opened for a dry run. */
  readonly dryRun: boolean;
  /**
   * Make a dry run a writer, its edits kept: locks the image and checks what opening a writer checks. EAGAIN when the
   * image or its log changed since it was opened, and then nothing has happened.
   */
  promote(): void;

  /** Mark the present state. Cheap: a mark in the undo log. */
  savepoint(kind?: SavepointKind): number;
  /** Return to it; it and all younger ones end. The caller drops its caches and reloads. */
  rollback(id: number): void;
  /** Keep what was done since; it and all younger ones end. */
  release(id: number): void;
  changedSince(id: number): boolean;

  isDirty(): boolean;
  /** Is the host file alone the image: no changes, and no log that a reader sees it through? */
  isPlain(): boolean;
  /** Byte ranges that differ, or may differ, from the last commit; ascending. */
  changes(): Extent[];
  /** Change the image's size; the new part reads as zeros. EINVAL on a block device. */
  resize(sizeBytes: number): void;
  /**
   * Make everything since the last commit durable, as one. Between system calls only: EBUSY inside one.
   * @throws CommitError; what how.gathering() throws
   */
  commit(how?: CommitHow): CommitResult;
  /** Forget everything since the last commit, poison included. */
  discard(): void;
  /** Only discard() and close() work from now on. */
  poison(reason: Error): void;
  /** Readers, at the end: EAGAIN when the image or its log is not what it was. Writers hold the lock and are fine. */
  checkUnchanged(): void;
  /** Discards what is not committed, lets go of the image and its lock. */
  close(): void;
}

export function openStage(host: Host, path: string, options: StageOptions): Stage {
  const sector = options.sectorSize ?? 512;
  if (![512, 1024, 2048, 4096].includes(sector)) throw new FsError('EINVAL', { path, what: `sector size ${sector}` });
  const writes = options.write && options.dryRun !== true;
  return new HostStage(host, writes ? openWriter(host, path, options) : openReader(host, path, options), options);
}

/** Pages of a committed log that nobody applied yet: a reader sees the image through them. */
function pagesOfLog({ file, contents }: CommittedLog, unitSize: number): Map<number, Page> {
  const pages = new Map<number, Page>();
  const perLogUnit = contents.unitSize / unitSize;
  for (const entries of [contents.units, contents.superblocks]) {
    for (let i = 0; i < entries.length; i++) {
      for (let part = 0; part < perLogUnit; part++) {
        const target = (entries.targets[i] ?? 0) + part * unitSize;
        const no = Math.floor(target / PAGE_SIZE);
        let page = pages.get(no);
        if (page === undefined) {
          pages.set(no, (page = new Page(no, 0)));
          page.file = file;
          page.at = new Float64Array(PAGE_SIZE / unitSize);
        }
        const unit = (target % PAGE_SIZE) / unitSize;
        page.mask |= 1 << unit;
        if (page.at !== undefined) page.at[unit] = (entries.ats[i] ?? 0) + part * unitSize;
      }
    }
  }
  return pages;
}

class HostStage implements Stage {
  readonly path: string;
  readonly identity: string;
  readonly sectorSize: number;
  readonly readOnly: boolean;
  readonly #s: StageState;
  readonly #options: StageOptions;
  readonly #memLimit: number;
  #opened: OpenedImage;
  #dryRun: boolean;
  /** A committed log that nobody applied yet: it lies between the overlay and the file. */
  #logPages: ReadonlyMap<number, Page> | undefined;
  /** A promoted dry run's spill file: pages may still be in it. */
  #scratchFile: HostFile | undefined;
  /** True while every read can go straight to the host file. */
  #plain: boolean;
  /** Once memory ran short, large fresh writes no longer pass through it. */
  #streaming = false;
  /** Largest size in this transaction: what lies below it may hold old bytes. */
  #largest: number;
  #ended: FsError | undefined;
  #poison: FsError | undefined;

  constructor(host: Host, opened: OpenedImage, options: StageOptions) {
    this.path = opened.path;
    this.identity = `${opened.stat.dev}:${opened.stat.ino}`;
    this.sectorSize = options.sectorSize ?? 512;
    this.readOnly = !options.write && options.dryRun !== true;
    this.#dryRun = options.dryRun === true;
    this.#opened = opened;
    this.#options = options;
    this.#memLimit = options.memLimit ?? DEFAULT_MEMLIMIT;
    const { file, committed } = opened;
    const logUnit = Math.min(this.sectorSize, committed?.contents.unitSize ?? this.sectorSize);
    if (committed !== undefined) this.#logPages = pagesOfLog(committed, logUnit);
    const fromFile: ReadBelow = (dst, offset) => readPadded(this.#s.image, dst, offset);
    const below: ReadBelow = (dst, offset) => {
      if (this.#logPages === undefined) fromFile(dst, offset);
      else readPages(this.#logPages, logUnit, dst, offset, fromFile);
    };
    const size = committed?.contents.newSize ?? opened.stat.size;
    this.#plain = committed === undefined;
    this.#s = {
      host,
      path: opened.path,
      image: file,
      names: this.readOnly || this.#dryRun ? undefined : opened.names,
      unitSize: this.sectorSize,
      overlay: new Overlay(this.sectorSize, below),
      hints: new Map(),
      fresh: new RangeSet(),
      born: new RangeSet(),
      released: new RangeSet(),
      garbage: new RangeSet(),
      inPlace: new RangeSet(),
      expected: { ...opened.stat, size },
      size,
      spill: undefined,
      unsynced: false,
    };
    this.#largest = Math.max(this.#s.size, opened.stat.size);
  }

  get sizeBytes(): number {
    return this.#s.size;
  }

  get dryRun(): boolean {
    return this.#dryRun;
  }

  promote(): void {
    this.#mayWrite();
    if (!this.#dryRun) return;
    const s = this.#s;
    const reader = this.#opened;
    const opened = openWriter(s.host, this.path, this.#options, reader);
    this.#opened = opened;
    s.image = opened.file;
    s.names = opened.names;
    s.expected = opened.stat;
    this.#scratchFile = s.spill?.file;
    s.spill = undefined;
    // A committed log has just been applied: the file alone is now what was seen through it.
    this.#logPages = undefined;
    reader.committed?.file.close();
    reader.file.close();
    this.#dryRun = false;
  }

  read(dst: Uint8Array, offset: number): void {
    if (this.#ended !== undefined) throw this.#ended;
    if (!(offset >= 0 && offset + dst.length <= this.#s.size)) throw this.#outside('read', offset);
    if (this.#plain) {
      const n = this.#s.image.read(dst, offset);
      if (n < dst.length) dst.fill(0, n);
    } else {
      this.#s.overlay.read(dst, offset);
    }
  }

  write(src: Uint8Array, offset: number): void {
    this.#mayWrite();
    if (!(offset >= 0 && offset + src.length <= this.#s.size)) throw this.#outside('write', offset);
    if (src.length === 0) return;
    this.#plain = false;
    if (!this.#s.garbage.isEmpty) this.#revive(offset, src.length);
    if (this.#streaming && src.length >= DIRECT_FROM && this.#writeDirect(src, offset)) return;
    this.#s.overlay.write(src, offset);
    if (this.#s.overlay.memory > this.#memLimit) this.#relieve();
  }

  fresh(extent: Extent): void {
    this.#mayWrite();
    const { start, end } = this.#inner(extent);
    const s = this.#s;
    for (let at = start; at < end;) {
      const [hole] = s.released.within(at, end);
      const stop = hole?.start ?? end;
      const added = s.fresh.add(at, stop);
      for (const run of added) {
        s.born.add(run.start, run.end);
        s.overlay.onRollback(() => s.garbage.add(run.start, run.end));
      }
      at = hole?.end ?? end;
    }
  }

  released(extent: Extent): void {
    this.#mayWrite();
    const { start, end } = this.#outer(extent);
    const s = this.#s;
    for (const run of s.released.add(start, end)) {
      s.overlay.onRollback(() => s.released.remove(run.start, run.end));
    }
    s.fresh.remove(start, end);
    const inner = this.#inner(extent);
    for (const part of s.born.within(inner.start, inner.end)) {
      for (const run of s.garbage.add(part.start, part.end)) {
        s.overlay.onRollback(() => s.garbage.remove(run.start, run.end));
      }
    }
  }

  isReleased(extent: Extent): boolean {
    if (this.#s.released.isEmpty) return false;
    const { start, end } = this.#outer(extent);
    return this.#s.released.overlaps(start, end);
  }

  superblock(sb: SuperblockHint): void {
    this.#s.hints.set(sb.extent.offset, sb);
  }

  savepoint(kind: SavepointKind = 'call'): number {
    if (kind === 'explicit') this.#s.fresh.clear();
    return this.#s.overlay.savepoint(kind === 'explicit');
  }

  rollback(id: number): void {
    this.#s.overlay.rollback(id);
  }

  release(id: number): void {
    this.#s.overlay.release(id);
  }

  changedSince(id: number): boolean {
    return this.#s.overlay.changedSince(id);
  }

  isDirty(): boolean {
    return hasChanges(this.#s);
  }

  isPlain(): boolean {
    return this.#plain;
  }

  changes(): Extent[] {
    const s = this.#s;
    const units = new RangeSet();
    for (const page of [...s.overlay.pages.values()].sort((a, b) => a.no - b.no)) {
      for (const { start, end } of maskRuns(page.no, page.mask, s.unitSize)) units.add(start, end);
    }
    for (const { start, end } of s.inPlace.runs()) units.add(start, end);
    for (const { start, end } of s.garbage.runs()) units.remove(start, end);
    return units
      .runs()
      .map(({ start, end }) => {
        const offset = start * s.unitSize;
        return { offset, length: Math.min(end * s.unitSize, s.size) - offset };
      })
      .filter(({ length }) => length > 0);
  }

  resize(sizeBytes: number): void {
    this.#mayWrite();
    const s = this.#s;
    if (!Number.isSafeInteger(sizeBytes) || sizeBytes < 0 || this.#opened.stat.type === 'blk') {
      throw new FsError('EINVAL', { op: 'resize', path: this.path });
    }
    const before = s.size;
    s.overlay.onRollback(() => {
      s.size = before;
    });
    s.size = sizeBytes;
    // What was cut off in this transaction must not come back.
    const zeros = new Uint8Array(64 * 1024);
    for (let at = before; at < Math.min(sizeBytes, this.#largest); at += zeros.length) {
      this.write(zeros.subarray(0, Math.min(zeros.length, Math.min(sizeBytes, this.#largest) - at)), at);
    }
    this.#largest = Math.max(this.#largest, sizeBytes);
    this.#plain = false;
  }

  commit(how: CommitHow = {}): CommitResult {
    this.#mayWrite();
    if (this.#dryRun) throw new FsError('EROFS', { op: 'commit', path: this.path, what: 'dry run' });
    if (this.#s.overlay.hasImplicit) throw new FsError('EBUSY', { op: 'commit', path: this.path });
    try {
      const result = commitState(this.#s, how);
      this.#fresh();
      return result;
    } catch (thrown) {
      if (thrown instanceof CommitError) {
        if (thrown.outcome === 'discarded') this.#fresh();
        else this.#end(thrown);
      }
      throw thrown;
    }
  }

  discard(): void {
    if (this.#ended !== undefined) throw this.#ended;
    this.#poison = undefined;
    try {
      discardState(this.#s);
    } finally {
      this.#fresh();
    }
  }

  poison(reason: Error): void {
    this.#poison ??= asFsError(reason);
  }

  checkUnchanged(): void {
    if (this.#s.names !== undefined) return;
    if (isUnchanged(this.#s.host, this.#opened)) return;
    throw new FsError('EAGAIN', { path: this.path, what: 'image changed while reading' });
  }

  close(): void {
    if (this.#ended !== undefined) return;
    try {
      if (!this.readOnly) discardState(this.#s);
    } finally {
      this.#end(new FsError('EBADF', { path: this.path, what: 'image is closed' }));
    }
  }

  /** State of a transaction that has just begun. */
  #fresh(): void {
    this.#plain = this.#logPages === undefined;
    this.#streaming = false;
    this.#largest = Math.max(this.#s.size, this.#s.expected.size);
  }

  #end(error: FsError): void {
    this.#ended = error;
    this.#s.spill?.file.close();
    this.#scratchFile?.close();
    this.#opened.committed?.file.close();
    this.#s.image.close();
  }

  #mayWrite(): void {
    if (this.#ended !== undefined) throw this.#ended;
    if (this.#poison !== undefined) throw this.#poison;
    if (this.readOnly) throw new FsError('EROFS', { path: this.path });
  }

  #outside(op: string, offset: number): FsError {
    return new FsError('EINVAL', { op, offset, path: this.path, what: 'outside the device' });
  }

  /** Units wholly inside an extent. */
  #inner({ offset, length }: Extent): { start: number; end: number } {
    return { start: Math.ceil(offset / this.sectorSize), end: Math.floor((offset + length) / this.sectorSize) };
  }

  /** Units touched by an extent. */
  #outer({ offset, length }: Extent): { start: number; end: number } {
    return { start: Math.floor(offset / this.sectorSize), end: Math.ceil((offset + length) / this.sectorSize) };
  }

  /** What is written is no garbage any more. */
  #revive(offset: number, length: number): void {
    const s = this.#s;
    const { start, end } = this.#outer({ offset, length });
    for (const run of s.garbage.remove(start, end)) {
      s.overlay.onRollback(() => s.garbage.add(run.start, run.end));
    }
  }

  /** A long write of fresh units, none of which holds anything in place yet. */
  #writeDirect(src: Uint8Array, offset: number): boolean {
    const s = this.#s;
    if (this.#dryRun || offset % s.unitSize !== 0 || src.length % s.unitSize !== 0) return false;
    const start = offset / s.unitSize;
    const end = (offset + src.length) / s.unitSize;
    if (!mayGoInPlace(s, start, end) || s.inPlace.overlaps(start, end)) return false;
    writeInPlace(s, src, offset);
    s.overlay.drop(start, end);
    return true;
  }

  /** Memory has run short: fresh pages go in place, the oldest others to the spill file, until half is free. */
  #relieve(): void {
    const s = this.#s;
    this.#streaming = true;
    if (!this.#dryRun) placePages(s, freshPages(s, { again: false }));
    const goal = this.#memLimit / 2;
    if (s.overlay.memory <= goal) return;
    const some = [];
    let left = s.overlay.memory - goal;
    for (const page of s.overlay.pages.values()) {
      if (left <= 0) break;
      if (page.data === undefined) continue;
      some.push(page);
      left -= PAGE_SIZE;
    }
    for (const copy of left > 0 ? s.overlay.undoPages() : []) {
      if (left <= 0) break;
      some.push(copy);
      left -= PAGE_SIZE;
    }
    spillPages(s, this.#dryRun ? this.#scratch() : openSpill(s), some);
  }

  /** A dry run's spill file has no name: it goes with the process. */
  #scratch(): SpillFile {
    const { host } = this.#s;
    if (this.#s.spill !== undefined) return this.#s.spill;
    const salt = new Uint8Array(8);
    host.salt(salt);
    const hex = Array.from(salt, (x) => x.toString(16).padStart(2, '0')).join('');
    const path = `${host.getparam('TMPDIR') ?? '/tmp'}/fsu-scratch-${hex}`;
    const file = host.open(path, { write: true, create: 0o600, nofollow: true });
    host.unlink(path);
    return (this.#s.spill = { file, end: 0 });
  }
}
