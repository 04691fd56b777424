/** Errors as messages: an error keeps its class, its errno name and its place on the way to another thread. */
import { asFsError, CommitError, CorruptError, FsError, UnsupportedError } from '@ukfs/kernel';
import { ImageChangedError, NotRecognisedError, SelectionError } from '../errors.ts';
import type { Candidate } from '../handle.ts';
import type { Failure } from './message.ts';

export function failureOf(thrown: unknown): Failure {
  const error = asFsError(thrown);
  const { name, code, message, context } = error;
  return { name, code, message, context: { ...context }, ...moreOf(error) };
}

function moreOf(error: FsError): Pick<Failure, 'more'> {
  if (error instanceof SelectionError) return { more: { candidates: error.candidates } };
  if (error instanceof NotRecognisedError) return { more: { recognised: error.recognised } };
  if (error instanceof CommitError) return { more: { outcome: error.outcome } };
  return {};
}

/** The error that failureOf() took apart. */
export function errorOf({ name, code, message, context, more = {} }: Failure): FsError {
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
    default:
      return outcomeIn(more) === undefined ? new FsError(code, context) : commitError({ code, message, context, more });
  }
}

const OUTCOMES = ['discarded', 'committed', 'unknown'] as const;

const outcomeIn = (more: NonNullable<Failure['more']>): (typeof OUTCOMES)[number] | undefined =>
  OUTCOMES.find((one) => one === more['outcome']);

/** Its constructor puts the outcome before the cause's words: here they are taken apart again. */
function commitError({ code, message, context, more = {} }: Omit<Failure, 'name'>): CommitError {
  const cause = new FsError(code, { ...context, what: message.slice(message.indexOf(': ') + 2) });
  return new CommitError(outcomeIn(more) ?? 'unknown', cause, context.path ?? '');
}

const candidatesIn = ({ candidates }: { readonly candidates?: unknown }): readonly Candidate[] =>
  Array.isArray(candidates) ? candidates : [];
