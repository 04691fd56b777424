/**
 * Opening an image: who may write it, and what a log found beside it means (docs/log-format.md, Names and life).
 *
 * Leaves to the stage what happens afterwards. A reader never changes anything here; a writer locks first, then removes
 * logs that nobody needs and applies one that was committed.
 */
import { CorruptError, FsError } from '../kern/errno.ts';
import { timespecEqual } from '../kern/time.ts';
import type { Host, HostFile, HostStat } from '../hypercall/hypercall.ts';
import { LOG_NEW_SUFFIX, LOG_SUFFIX } from './log-format.ts';
import { applyLog, markDone, matchLog, readLog } from './log.ts';
import type { LogContents, LogMatch } from './log.ts';

export interface StageOptions {
  readonly write: boolean;
  /** False: write although the host offers no lock, or without asking it for one (`--no-lock`). */
  readonly lock?: boolean;
  /** Write although the image has several hard links. */
  readonly force?: boolean;
  /** Where the log goes instead of beside the image; block devices need one. */
  readonly log?: string;
  /** Bytes of changes kept in memory before they spill. */
  readonly memLimit?: number;
  /** Stage edits over an image opened read-only: commit() is refused, nothing beside the image is made. */
  readonly dryRun?: boolean;
  /** Read the image alone, whatever log lies beside it. Not for writers. */
  readonly ignoreLog?: boolean;
  /** The medium's sector, 512 to 4096. */
  readonly sectorSize?: number;
}

export interface LogNames {
  readonly log: string;
  readonly fresh: string;
  readonly dir: string;
}

/** A complete log of this image that must be seen through (readers) or applied first (writers). */
export interface CommittedLog {
  readonly file: HostFile;
  readonly contents: LogContents;
}

export interface OpenedImage {
  /** Real path. */
  readonly path: string;
  readonly file: HostFile;
  readonly stat: HostStat;
  /** Undefined for a block device without `log`. */
  readonly names: LogNames | undefined;
  /** Readers only: the committed log, and how its file looked. */
  readonly committed: CommittedLog | undefined;
  readonly logStat: HostStat | undefined;
}

/** Directory part of a host path; knows Windows' spelling by its drive letter or leading backslashes. */
export function hostDirname(path: string): string {
  const windows = /^([A-Za-z]:|\\\\)/.test(path);
  const cut = windows ? Math.max(path.lastIndexOf('/'), path.lastIndexOf('\\')) : path.lastIndexOf('/');
  if (cut < 0) return '.';
  return cut === 0 || (windows && cut === 2) ? path.slice(0, cut + 1) : path.slice(0, cut);
}

export function logNames(path: string, stat: HostStat, log: string | undefined): LogNames | undefined {
  if (log === undefined && stat.type === 'blk') return undefined;
  const name = log ?? path + LOG_SUFFIX;
  return { log: name, fresh: name + LOG_NEW_SUFFIX, dir: hostDirname(name) };
}

/** Same file, same contents, as far as its inode can tell. A block device has no times worth comparing. */
export function sameState(a: HostStat, b: HostStat): boolean {
  if (a.dev !== b.dev || a.ino !== b.ino || a.size !== b.size) return false;
  return a.type === 'blk' || timespecEqual(a.mtime, b.mtime);
}

const changedWhileReading = (path: string): FsError =>
  new FsError('EAGAIN', { path, what: 'image changed while reading' });

/** Refusals carry exit status 4: nothing was touched, and `fsu recover` decides. */
const refused = (names: LogNames, problem: string): CorruptError =>
  new CorruptError(`transaction log ${names.log}: ${problem}; see fsu recover`, { path: names.log });

export type LogVerdict =
  | { readonly kind: 'none' }
  | { readonly kind: 'done' }
  | { readonly kind: 'refused'; readonly problem: string; readonly committed?: CommittedLog; readonly match?: LogMatch }
  | { readonly kind: 'committed'; readonly committed: CommittedLog; readonly match: LogMatch };

/** Look at the log's name and judge what is there against the image. An open `committed` is the caller's to close. */
export function judgeLog(
  host: Host,
  names: LogNames,
  image: { readonly file: HostFile; readonly stat: HostStat },
  options: { readonly write: boolean },
): LogVerdict {
  const stat = host.stat(names.log, { nofollow: true });
  if (stat === undefined) return { kind: 'none' };
  const problem = strangeFile(host, stat, image.stat);
  if (problem !== undefined) return { kind: 'refused', problem };
  const file = host.open(names.log, { write: options.write, nofollow: true });
  let keep = false;
  try {
    const found = readLog(file);
    if (found.state === 'done') return { kind: 'done' };
    if (found.state === 'damaged') return { kind: 'refused', problem: `damaged (${found.problem})` };
    const committed = { file, contents: found.contents };
    const match = matchLog(image.file, found.contents);
    keep = true;
    if (!found.isOf(image.stat)) return { kind: 'refused', problem: 'it belongs to another file', committed, match };
    if (match.foreignSize) return { kind: 'refused', problem: 'the image has another size', committed, match };
    if (match.foreign > 0) {
      const units = match.old + match.new + match.mark + match.foreign;
      return {
        kind: 'refused',
        problem: `${match.foreign} of ${units} units were changed by others`,
        committed,
        match,
      };
    }
    return { kind: 'committed', committed, match };
  } finally {
    if (!keep) file.close();
  }
}

function strangeFile(host: Host, log: HostStat, image: HostStat): string | undefined {
  if (log.type !== 'reg') return 'not a regular file';
  if (log.nlink !== 1) return 'has several hard links';
  const us = host.whoami();
  return us === undefined || log.uid === us.uid || log.uid === image.uid ? undefined : 'belongs to another user';
}

function statImage(host: Host, path: string): HostStat {
  const stat = host.stat(path);
  if (stat === undefined) throw new FsError('ENOENT', { op: 'open', path });
  if (stat.type === 'dir') throw new FsError('EISDIR', { op: 'open', path });
  if (stat.type !== 'reg' && stat.type !== 'blk') throw new FsError('EFTYPE', { op: 'open', path });
  return stat;
}

/** Open for reading. What changes between looking at the log and at the image is looked at once more. */
export function openReader(host: Host, path: string, options: StageOptions): OpenedImage {
  for (let attempt = 0; attempt < 2; attempt++) {
    const real = host.realpath(path);
    const before = statImage(host, real);
    const file = host.open(real, { write: false });
    let committed: CommittedLog | undefined;
    try {
      const names = logNames(real, before, options.log);
      if (names === undefined || options.ignoreLog === true) {
        return { path: real, file, stat: file.stat(), names: undefined, committed, logStat: undefined };
      }
      const logStat = host.stat(names.log, { nofollow: true });
      const stat = file.stat();
      const verdict = judgeIfThere(host, names, { file, stat }, logStat);
      if (verdict.kind === 'committed') committed = verdict.committed;
      else if (verdict.kind === 'refused') verdict.committed?.file.close();
      const settled = sameState(before, stat) && isUnchanged(host, { path: real, names, stat, logStat });
      if (settled && verdict.kind === 'refused') throw refused(names, verdict.problem);
      if (settled) return { path: real, file, stat, names, committed, logStat };
    } catch (thrown) {
      committed?.file.close();
      file.close();
      throw thrown;
    }
    committed?.file.close();
    file.close();
  }
  throw changedWhileReading(path);
}

function judgeIfThere(
  host: Host,
  names: LogNames,
  image: { file: HostFile; stat: HostStat },
  logStat: HostStat | undefined,
): LogVerdict {
  if (logStat === undefined) return { kind: 'none' };
  try {
    return judgeLog(host, names, image, { write: false });
  } catch (thrown) {
    // Its writer retired it meanwhile; isUnchanged() will see that.
    if (thrown instanceof FsError && thrown.code === 'ENOENT') return { kind: 'none' };
    throw thrown;
  }
}

type Seen = Pick<OpenedImage, 'path' | 'names' | 'stat' | 'logStat'>;

/** True when the path still leads to the image as it was seen, with the log as it was seen. */
export function isUnchanged(host: Host, seen: Seen): boolean {
  const now = host.stat(seen.path, { nofollow: true });
  if (now === undefined || !sameState(now, seen.stat)) return false;
  if (seen.names === undefined) return true;
  const log = host.stat(seen.names.log, { nofollow: true });
  if (log === undefined || seen.logStat === undefined) return log === seen.logStat;
  return sameState(log, seen.logStat);
}

/** Open for writing: checks, lock, then whatever an earlier writer left. `seen`: only if it is still as a reader saw it. */
export function openWriter(host: Host, path: string, options: StageOptions, seen?: Seen): OpenedImage {
  const real = host.realpath(path);
  const before = statImage(host, real);
  const names = logNames(real, before, options.log);
  if (names === undefined) {
    throw new FsError('EROFS', { path: real, what: 'a block device is written only with a log elsewhere (--log)' });
  }
  checkPlace(host, real, before, { names, force: options.force === true });
  const file = host.open(real, { write: true });
  try {
    lockImage(host, file, real, options);
    const holder = host.holder(real);
    if (holder !== undefined) throw new FsError('EBUSY', { path: real, what: `image in use: ${holder.detail}` });
    const found = file.stat();
    const now = host.stat(real, { nofollow: true });
    if (now === undefined || now.dev !== found.dev || now.ino !== found.ino) throw changedWhileReading(real);
    if (seen !== undefined && !isUnchanged(host, seen)) throw changedWhileReading(real);
    settleLog(host, names, { file, stat: found });
    return { path: real, file, stat: file.stat(), names, committed: undefined, logStat: undefined };
  } catch (thrown) {
    file.close();
    throw thrown;
  }
}

/** Longest name that common file systems take, in bytes. */
const HOST_NAME_BYTES = 255;

/** What can be refused before any work. */
function checkPlace(
  host: Host,
  path: string,
  stat: HostStat,
  options: { readonly names: LogNames; readonly force: boolean },
): void {
  const { names } = options;
  if (stat.nlink > 1 && stat.type === 'reg' && !options.force) {
    throw new FsError('EMLINK', { path, what: 'image has several hard links (--force writes it anyway)' });
  }
  if (!host.writableDir(names.dir)) {
    // An image that may not be written itself says so.
    host.open(path, { write: true }).close();
    throw new FsError('EACCES', {
      path: names.dir,
      what: `no transaction log can be made in ${names.dir} (see --log)`,
    });
  }
  const name = names.fresh.slice(names.dir.length).replace(/^[/\\]/, '');
  if (new TextEncoder().encode(name).length > HOST_NAME_BYTES) {
    throw new FsError('ENAMETOOLONG', { path: names.fresh, what: 'image name leaves no room for its log (see --log)' });
  }
}

export function lockImage(host: Host, file: HostFile, path: string, options: { readonly lock?: boolean }): void {
  if (options.lock === false) return;
  const answer = host.lock(file);
  if (answer === 'busy') throw new FsError('EBUSY', { path, what: 'image is being written by another program' });
  if (answer === 'unsupported') {
    throw new FsError('ENOLCK', { path, what: 'this host offers no locks (--no-lock writes without)' });
  }
}

/** Under the lock: remove what is incomplete or done, apply what was committed, refuse the rest. */
function settleLog(host: Host, names: LogNames, image: { file: HostFile; stat: HostStat }): void {
  removeIncomplete(host, names);
  const verdict = judgeLog(host, names, image, { write: true });
  if (verdict.kind === 'refused') {
    verdict.committed?.file.close();
    throw refused(names, verdict.problem);
  }
  if (verdict.kind === 'done') removeLog(host, names);
  if (verdict.kind !== 'committed') return;
  host.holdSignals(true);
  try {
    applyLog(image.file, verdict.committed.file, verdict.committed.contents);
    retireLog(host, names, verdict.committed.file);
  } finally {
    verdict.committed.file.close();
    host.holdSignals(false);
  }
}

/** A log that never reached its commit point. A link planted under its name is removed as a name, never followed. */
export function removeIncomplete(host: Host, names: LogNames): void {
  const stat = host.stat(names.fresh, { nofollow: true });
  if (stat === undefined) return;
  if (stat.type === 'dir') throw new FsError('EISDIR', { path: names.fresh });
  host.unlink(names.fresh);
}

export function removeLog(host: Host, names: LogNames): void {
  host.unlink(names.log);
  host.fsyncDir(names.dir);
}

/** The last step of applying (docs/log-format.md), on the open log. */
export function retireLog(host: Host, names: LogNames, file: HostFile): void {
  markDone(file);
  removeLog(host, names);
}
