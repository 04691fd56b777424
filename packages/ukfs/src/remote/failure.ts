/**
 * Errors as messages: an error keeps its class, its errno name, its place and its cause on the way to another thread. Structured
 * clones would make plain Errors of them.
 */
import { asFsError, CommitError, CorruptError, Errno, FsError, UnsupportedError } from '@ukfs/kernel';
import type { DirentPlus, ErrnoName } from '@ukfs/kernel';
import { ImageChangedError, NotRecognisedError, SelectionError } from '../errors.ts';
import type { Candidate } from '../handle.ts';
import type { Failure, Mishap } from './message.ts';

/** Causes of causes that are told. */
const DEPTH_MAX = 4;

export const failureOf = (thrown: unknown): Failure => taken(asFsError(thrown), DEPTH_MAX);

function taken(error: FsError, depth: number): Failure {
  const { name, code, message, context, cause } = error;
  const why = depth === 0 ? undefined : causeOf(cause, depth - 1);
  return {
    name,
    code,
    message,
    context: { ...context },
    ...moreOf(error),
    ...(why === undefined ? {} : { cause: why }),
  };
}

function causeOf(cause: unknown, depth: number): Failure | Mishap | undefined {
  if (cause instanceof FsError) return taken(cause, depth);
  if (!(cause instanceof Error)) return undefined;
  return { name: cause.name, message: cause.message, stack: cause.stack ?? '' };
}

function moreOf(error: FsError): Pick<Failure, 'more'> {
  if (error instanceof SelectionError) return { more: { candidates: error.candidates } };
  if (error instanceof NotRecognisedError) return { more: { recognised: error.recognised } };
  if (error instanceof CommitError) return { more: { outcome: error.outcome } };
  return {};
}

/** The error that failureOf() took apart. */
export function errorOf(failure: Failure): FsError {
  const error = made(failure);
  // Most say what their context does; whoever worded it otherwise is kept to it.
  if (error.message !== failure.message) error.message = failure.message;
  return error;
}

function made({ name, code, message, context, more = {}, cause }: Failure): FsError {
  const what = context.what ?? message;
  switch (name) {
    case 'CorruptError':
      return new CorruptError(what, context);
    case 'UnsupportedError':
      return new UnsupportedError(what, context);
    case 'SelectionError':
      return new SelectionError(what, candidatesIn(more), context);
    case 'NotRecognisedError':
      return new NotRecognisedError(
        what,
        typeof more['recognised'] === 'string' ? more['recognised'] : undefined,
        context,
      );
    case 'ImageChangedError':
      return new ImageChangedError(context);
  }
  const why = errorFrom(cause);
  const outcome = OUTCOMES.find((one) => one === more['outcome']);
  if (outcome !== undefined && why instanceof FsError) return new CommitError(outcome, why, context.path ?? '');
  return new FsError(isErrno(code) ? code : 'EIO', context, why === undefined ? {} : { cause: why });
}

const OUTCOMES = ['discarded', 'committed', 'unknown'] as const;

const isErrno = (code: unknown): code is ErrnoName => typeof code === 'string' && Object.hasOwn(Errno, code);

function errorFrom(cause: Failure['cause']): Error | undefined {
  if (cause === undefined) return undefined;
  if ('code' in cause) return errorOf(cause);
  return Object.assign(new Error(cause.message), { name: cause.name, stack: cause.stack });
}

const candidatesIn = ({ candidates }: { readonly candidates?: unknown }): readonly Candidate[] =>
  Array.isArray(candidates) ? candidates : [];

/** An entry whose inode is damaged says so by an error, which travels as a failure does. */
export type SentEntry = Omit<DirentPlus, 'error'> & { readonly failure?: Failure };

export const sentEntries = (entries: readonly DirentPlus[]): SentEntry[] =>
  entries.map((entry) => {
    if (entry.error === undefined) return entry;
    const { error, ...rest } = entry;
    return { ...rest, failure: failureOf(error) };
  });

export const entriesFrom = (entries: readonly SentEntry[]): DirentPlus[] =>
  entries.map((entry) => {
    if (entry.failure === undefined) return entry;
    const { failure, ...rest } = entry;
    return { ...rest, error: errorOf(failure) };
  });
