/** From a thrown value to what a person reads and the shell gets: the only place that words failures. */
import { CommitError, CorruptError, errnoText, FsError, UnsupportedError } from 'ukfs';
import { ImageChangedError, NotRecognisedError, SelectionError } from 'ukfs';
import type { ErrnoName } from '@ukfs/kernel';
import type { JsonError } from './format/json.ts';
import { safeLines, safeText } from './format/name.ts';
import { StreamError } from './out.ts';

/** docs/cli.md has the table. `pipe` is 128 + SIGPIPE, as a shell shows a tool that lost its reader. */
export const Exit = {
  done: 0,
  failed: 1,
  usage: 2,
  unsupported: 3,
  damaged: 4,
  busy: 5,
  noSpace: 6,
  interrupted: 130,
  pipe: 141,
} as const;

export function exitStatusOf(thrown: unknown, opening: boolean): number {
  if (!(thrown instanceof FsError)) return Exit.failed;
  if (thrown instanceof SelectionError) return Exit.usage;
  if (thrown instanceof NotRecognisedError || thrown instanceof UnsupportedError) return Exit.unsupported;
  if (thrown instanceof CorruptError) return Exit.damaged;
  if (thrown instanceof ImageChangedError) return Exit.failed;
  // Not as it was: the edit is there, in image and log together.
  if (thrown instanceof CommitError && thrown.outcome !== 'discarded') return Exit.failed;
  if (thrown.code === 'EINTR') return Exit.interrupted;
  if (thrown.code === 'ENOSPC' || thrown.code === 'EDQUOT') return Exit.noSpace;
  if (thrown.context.readOnly === 'damaged') return Exit.damaged;
  if (thrown.context.readOnly === 'unsupported') return Exit.unsupported;
  if (opening && (thrown.code === 'EBUSY' || thrown.code === 'ENOLCK' || thrown.code === 'ETXTBSY')) return Exit.busy;
  if (opening && (thrown.code === 'ENODEV' || thrown.code === 'EFTYPE')) return Exit.unsupported;
  return Exit.failed;
}

/** What stands behind the path in a message: one line, without control characters. */
export function describeError(thrown: unknown): string {
  if (thrown instanceof StreamError)
    return thrown.what ?? (isErrno(thrown.code) ? errnoText[thrown.code] : safeLines(thrown.message));
  if (!(thrown instanceof FsError)) return `internal error: ${safeLines(messageOf(thrown))}`;
  const text = thrown.context.what ?? (isSpecialFile(thrown) ? noContents : errnoText[thrown.code]);
  if (thrown instanceof CorruptError) return safeLines(`damaged: ${text}${placeText(thrown)}`);
  if (thrown instanceof UnsupportedError) return safeLines(`not supported: ${text}${placeText(thrown)}`);
  return safeLines(text);
}

const isErrno = (code: string): code is ErrnoName => code in errnoText;

/** Opening a FIFO, a device or a socket of an image: there is nobody at its other end. */
const isSpecialFile = ({ code, context }: FsError): boolean =>
  (code === 'ENXIO' || code === 'EOPNOTSUPP') && context.op === 'open' && context.path !== context.image;
const noContents = 'a device, FIFO or socket has no contents in an image';

const messageOf = (thrown: unknown): string => (thrown instanceof Error ? thrown.message : String(thrown));

function placeText({ context: { ino, block, offset } }: FsError): string {
  const words = [
    ...(ino === undefined ? [] : [`inode ${ino}`]),
    ...(block === undefined ? [] : [`block ${block}`]),
    ...(offset === undefined ? [] : [`byte ${offset}`]),
  ];
  return words.length === 0 ? '' : ` (${words.join(', ')})`;
}

/** Lines that help: the file systems to choose from. */
export function hintsOf(thrown: unknown): readonly string[] {
  return thrown instanceof SelectionError ? thrown.message.split('\n').slice(1).map(safeText) : [];
}

export function jsonErrorOf(thrown: unknown, path: string | undefined): JsonError {
  const message = describeError(thrown);
  const errno = thrown instanceof StreamError ? thrown.code : 'EIO';
  if (!(thrown instanceof FsError)) return { errno, op: undefined, path, place: undefined, message };
  const { op, ino, block, offset } = thrown.context;
  const place = {
    ...(ino === undefined ? {} : { ino }),
    ...(block === undefined ? {} : { block }),
    ...(offset === undefined ? {} : { offset }),
  };
  return { errno: thrown.code, op, path, place: Object.keys(place).length === 0 ? undefined : place, message };
}

/** With FSU_DEBUG: the whole story, for people who mend us. */
export function debugText(thrown: unknown): string {
  if (!(thrown instanceof Error)) return String(thrown);
  const cause = thrown.cause === undefined ? '' : `\ncaused by ${debugText(thrown.cause)}`;
  const context = thrown instanceof FsError ? ` ${JSON.stringify(thrown.context)}` : '';
  return `${thrown.stack ?? thrown.message}${context}${cause}`;
}
