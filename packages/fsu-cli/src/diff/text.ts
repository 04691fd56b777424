/** diff -u: files that differ as unified text. */
import { nameFromBytes } from 'ukfs';
import type { ComparedEntry, Difference } from 'ukfs';
import type { Clock } from '../format/time.ts';
import { safeText } from '../format/name.ts';
import { readWhole } from '../stream.ts';
import { unifiedHunks } from './unified.ts';

/** Both texts and their lines are held in memory. */
const TEXT_MAX = 16 * 1024 * 1024;
const NEVER = { sec: 0, nsec: 0 };
/** What stands for the side that a file is not on. */
const NO_FILE = '/dev/null';

/** The files' names, for people. */
interface Shown {
  readonly before: string;
  readonly after: string;
}

/** Does it have a text on each side that there is? */
export const isTextual = ({ change, what, before, after }: Difference): boolean =>
  change !== 'type' &&
  [before, after].every((entry) => entry === undefined || entry.stat.type === 'reg') &&
  (change !== 'changed' || what.includes('content'));

/** Piece by piece. Errors: those of reading. */
export function* unifiedText(
  { before, after }: Difference,
  shown: Shown,
  { context, clock }: { readonly context: number; readonly clock: Clock },
): Generator<string> {
  const [a, b] = [bytesOf(before), bytesOf(after)];
  const one = before === undefined ? NO_FILE : safeText(shown.before);
  const other = after === undefined ? NO_FILE : safeText(shown.after);
  if (isBinary(a) || isBinary(b)) yield `Binary files ${one} and ${other} differ\n`;
  else if (a === 'too large' || b === 'too large') yield `Files ${one} and ${other} differ\n`;
  else {
    let isFirst = true;
    for (const hunk of unifiedHunks(nameFromBytes(a), nameFromBytes(b), context)) {
      if (isFirst) yield `--- ${one}\t${timeText(before, clock)}\n+++ ${other}\t${timeText(after, clock)}\n`;
      isFirst = false;
      yield hunk;
    }
  }
}

const timeText = (entry: ComparedEntry | undefined, clock: Clock): string =>
  clock.strftime('%Y-%m-%d %H:%M:%S.%N %z', entry?.stat.mtime ?? NEVER);

const isBinary = (bytes: Uint8Array | 'too large'): boolean => bytes !== 'too large' && bytes.includes(0);

function bytesOf(entry: ComparedEntry | undefined): Uint8Array | 'too large' {
  if (entry === undefined) return new Uint8Array(0);
  if (entry.stat.size > TEXT_MAX) return 'too large';
  const file = entry.dir.open(entry.name);
  try {
    let at = 0;
    const read = (dst: Uint8Array): number => {
      const n = file.read(dst, at);
      at += n;
      return n;
    };
    return readWhole({ read }, TEXT_MAX) ?? 'too large';
  } finally {
    file.close();
  }
}
