/** Why an image could not be opened, in kinds that a tool maps to its exit status. All are FsErrors. */
import { FsError } from '@ukfs/kernel';
import type { ErrorContext } from '@ukfs/kernel';
import type { Candidate } from './handle.ts';

/**
 * Several file systems and no selector, or a selector that fits none or several. `candidates` are what there is; the
 * message lists them, `context.what` is its first line.
 */
export class SelectionError extends FsError {
  override readonly name: string = 'SelectionError';
  readonly candidates: readonly Candidate[];
  constructor(what: string, candidates: readonly Candidate[], context: ErrorContext = {}) {
    super('EINVAL', { ...context, what });
    this.candidates = candidates;
    this.message = [what, ...candidates.map((one) => `  ${describeCandidate(one)}`)].join('\n');
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
    super('EAGAIN', { ...context, what: 'image changed while reading' });
  }
}

/** One line: how to select it, how large, what it is, and its label or partition's name. */
export function describeCandidate({ selector, device, description, label }: Candidate): string {
  const { partition, sizeBytes } = device;
  const kind = description === '' ? partition?.type || partition?.typeId || 'unknown' : description;
  const name = label || (partition?.name ?? '');
  const title = name === '' ? '' : ` "${printable(name)}"`;
  return `${selector === '' ? ':off=0' : `:${selector}`}  ${formatSize(sizeBytes)}  ${printable(kind)}${title}`;
}

/** Labels come from the image: nothing of them may drive a terminal. */
const printable = (text: string): string => text.replace(/[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}"]/gu, '?');

function formatSize(bytes: number): string {
  const units = ['B', 'KiB', 'MiB', 'GiB', 'TiB'];
  let size = bytes;
  let unit = 0;
  for (; size >= 1024 && unit + 1 < units.length; unit++) size /= 1024;
  return `${Number.isInteger(size) || size >= 100 ? Math.round(size) : size.toFixed(1)} ${units[unit] ?? ''}`;
}
