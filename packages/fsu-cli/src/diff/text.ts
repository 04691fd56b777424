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

interface How {
  readonly context: number;
  readonly clock: Clock;
  /** What a file's bytes are as a text; undefined: they are none. */
  readonly textOf?: (bytes: Uint8Array) => string | undefined;
}

/** Byte for byte, so that the differences are a patch; lines end in one byte, which what has NULs does not promise. */
export const patchableText = (bytes: Uint8Array): string | undefined =>
  bytes.includes(0) ? undefined : nameFromBytes(bytes);

/** Piece by piece; a patch, unless `textOf` says otherwise. Errors: those of reading. */
export function* unifiedText(
  { before, after }: Difference,
  shown: Shown,
  { context, clock, textOf = patchableText }: How,
): Generator<string> {
  const [a, b] = [contentOf(before, textOf), contentOf(after, textOf)];
  const one = before === undefined ? NO_FILE : safeText(shown.before);
  const other = after === undefined ? NO_FILE : safeText(shown.after);
  if (a === 'binary' || b === 'binary') yield `Binary files ${one} and ${other} differ\n`;
  else if (a === 'too large' || b === 'too large') yield `Files ${one} and ${other} differ\n`;
  else {
    let isFirst = true;
    for (const hunk of unifiedHunks(a.text, b.text, context)) {
      if (isFirst) yield `--- ${one}\t${timeText(before, clock)}\n+++ ${other}\t${timeText(after, clock)}\n`;
      isFirst = false;
      yield hunk;
    }
  }
}

const timeText = (entry: ComparedEntry | undefined, clock: Clock): string =>
  clock.strftime('%Y-%m-%d %H:%M:%S.%N %z', entry?.stat.mtime ?? NEVER);

function contentOf(
  entry: ComparedEntry | undefined,
  textOf: NonNullable<How['textOf']>,
): { readonly text: string } | 'binary' | 'too large' {
  const bytes = bytesOf(entry);
  if (bytes === 'too large') return bytes;
  const text = textOf(bytes);
  return text === undefined ? 'binary' : { text };
}

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
