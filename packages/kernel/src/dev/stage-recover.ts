/**
 * What lies beside an image, and what a person may decide about it: `fsu recover` as a library.
 *
 * Opening settles every log that is sound. This is for the others: a log that is damaged, or that does not fit the image
 * any more because the image was copied, replaced or edited by another tool. 'report' changes nothing.
 */
import { CorruptError, FsError } from '../kern/errno.ts';
import type { Host, HostFile } from '../hypercall/hypercall.ts';
import { applyLog } from './log.ts';
import type { LogMatch } from './log.ts';
import { judgeLog, lockImage, logNames, removeIncomplete, removeLog, retireLog } from './stage-open.ts';
import type { LogNames, LogVerdict } from './stage-open.ts';

export type RecoverAction =
  /** Only look. */
  | 'report'
  /** Write the log into the image, also where units were changed by others. EIO when the log itself is damaged. */
  | 'apply'
  /** Remove the log; the image stays as it is, except that one not touched yet gets its old size. */
  | 'discard';

export interface RecoverOptions {
  readonly log?: string;
  /** False: do not ask the host for a lock. */
  readonly lock?: boolean;
}

export interface RecoverReport {
  readonly image: string;
  readonly log: string;
  /** `refused`: opening refuses the image until somebody decides. */
  readonly state: 'none' | 'done' | 'committed' | 'refused';
  /** Why it is refused. */
  readonly problem?: string;
  /** A log that never reached its commit point lies there too. */
  readonly incomplete: boolean;
  /** Present when the log can be read: units by what the image holds of them, and the sizes before and after. */
  readonly units?: { readonly old: number; readonly new: number; readonly marked: number; readonly foreign: number };
  readonly oldSize?: number;
  readonly newSize?: number;
  readonly done: 'nothing' | 'applied' | 'discarded' | 'removed';
}

export function recover(host: Host, path: string, action: RecoverAction, options: RecoverOptions = {}): RecoverReport {
  const real = host.realpath(path);
  const write = action !== 'report';
  const image = host.open(real, { write });
  try {
    if (write) lockImage(host, image, real, options);
    const stat = image.stat();
    const names = logNames(real, stat, options.log);
    if (names === undefined)
      throw new FsError('EINVAL', { path: real, what: 'a block device has a log only with --log' });
    return decide(host, { image, names, path: real, action });
  } finally {
    image.close();
  }
}

interface Case {
  readonly image: HostFile;
  readonly names: LogNames;
  readonly path: string;
  readonly action: RecoverAction;
}

function decide(host: Host, { image, names, path, action }: Case): RecoverReport {
  const incomplete = host.stat(names.fresh, { nofollow: true }) !== undefined;
  const verdict = judgeLog(host, names, { file: image, stat: image.stat() }, { write: action !== 'report' });
  try {
    const report = describe(verdict, { image: path, log: names.log, incomplete });
    if (action === 'report') return report;
    if (incomplete) removeIncomplete(host, names);
    return { ...report, done: act(host, verdict, { image, names, action, incomplete }) };
  } finally {
    if ('committed' in verdict) verdict.committed?.file.close();
  }
}

function describe(
  verdict: LogVerdict,
  where: { readonly image: string; readonly log: string; readonly incomplete: boolean },
): RecoverReport {
  const report: RecoverReport = { ...where, state: verdict.kind, done: 'nothing' };
  if (verdict.kind === 'none' || verdict.kind === 'done') return report;
  const problem = verdict.kind === 'refused' ? { problem: verdict.problem } : {};
  const { committed, match } = verdict;
  if (committed === undefined || match === undefined) return { ...report, ...problem };
  const { oldSize, newSize } = committed.contents;
  return { ...report, ...problem, units: unitsOf(match), oldSize, newSize };
}

const unitsOf = (match: LogMatch): NonNullable<RecoverReport['units']> => ({
  old: match.old,
  new: match.new,
  marked: match.mark,
  foreign: match.foreign,
});

function act(
  host: Host,
  verdict: LogVerdict,
  options: { image: HostFile; names: LogNames; action: RecoverAction; incomplete: boolean },
): RecoverReport['done'] {
  const { image, names } = options;
  if (verdict.kind === 'none') return options.incomplete ? 'removed' : 'nothing';
  if (verdict.kind === 'done') {
    removeLog(host, names);
    return 'removed';
  }
  const { committed, match } = verdict;
  if (options.action === 'discard') {
    const untouched = match !== undefined && match.new + match.mark + match.foreign === 0 && !match.foreignSize;
    if (committed !== undefined && untouched && image.stat().size > committed.contents.oldSize) {
      image.truncate(committed.contents.oldSize);
      image.fsync();
    }
    removeLog(host, names);
    return 'discarded';
  }
  if (committed === undefined) {
    const problem = verdict.kind === 'refused' ? verdict.problem : 'unreadable';
    throw new CorruptError(`transaction log ${names.log} cannot be applied: ${problem}`, { path: names.log });
  }
  host.holdSignals(true);
  try {
    applyLog(image, committed.file, committed.contents);
    retireLog(host, names, committed.file);
  } finally {
    host.holdSignals(false);
  }
  return 'applied';
}
