/** Why an image could not be opened, in kinds that a tool maps to its exit status. All are FsErrors. */
import { FsError } from '@ukfs/kernel';
import type { ErrorContext } from '@ukfs/kernel';
import type { Candidate } from './handle.ts';

/** Several file systems and no selector, or a selector that fits none or several. `candidates` are what there is. */
export class SelectionError extends FsError {
  override readonly name: string = 'SelectionError';
  readonly candidates: readonly Candidate[];
  constructor(what: string, candidates: readonly Candidate[], context: ErrorContext = {}) {
    super('EINVAL', { ...context, what });
    this.candidates = candidates;
  }
}

/** Nothing here that we can open. `recognised` names what it is, where that is known. */
export class NotRecognisedError extends FsError {
  override readonly name: string = 'NotRecognisedError';
  readonly recognised: string | undefined;
  constructor(what: string, recognised: string | undefined, context: ErrorContext = {}) {
    super('EFTYPE', { ...context, what });
    this.recognised = recognised;
  }
}

/** Somebody wrote to the image while we read it without a lock: what was read may be of two states. */
export class ImageChangedError extends FsError {
  override readonly name: string = 'ImageChangedError';
  constructor(context: ErrorContext = {}) {
    super('ESTALE', { ...context, what: 'image changed while reading' });
  }
}
