/** How the contents of a file differ between two file systems. */
import { FsError, ukfsTree } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { patchableText, unifiedText } from '../../diff/text.ts';
import { Clock, utcOffset } from '../../format/time.ts';
import { hexLines } from '../look/hex.ts';
import { decoded, encodingOf } from '../look/text.ts';
import { filled, nextData } from './seek.ts';

/** A file system, and what people call it. */
export interface Side {
  readonly fs: Ukfs;
  readonly label: string;
}

const CONTEXT = 3;
const PIECE = 128 * 1024;
/** Bytes of a line of numbers, and of all that are shown; a line of that width has so many. */
const ACROSS = 16;
const WIDTH = 80;
const SHOWN = 4 * ACROSS;

const clock = new Clock(utcOffset, 0);

/** Unified text; of what is no text the first byte that differs, with those about it. In slices. Errors: those of reading. */
export function* contentsOf(before: Side, after: Side, path: string): Generator<undefined, readonly string[]> {
  const at = yield* firstDifference(before.fs, after.fs, path);
  if (at === undefined) return ['the contents are the same'];
  const [a, b] = [entryOf(before.fs, path), entryOf(after.fs, path)];
  let text = '';
  try {
    const difference = { path, change: 'changed', what: ['content'], before: a, after: b, within: false } as const;
    const shown = { before: `${before.label}:${path}`, after: `${after.label}:${path}` };
    for (const piece of unifiedText(difference, shown, { context: CONTEXT, clock, textOf: readableText })) {
      text += piece;
      yield;
    }
  } finally {
    a.dir.close();
    b.dir.close();
  }
  // A line that says that they differ is all that diff has for what is no text.
  if (text.startsWith('--- ')) return text.replace(/\n$/, '').split('\n');
  return [
    `the first byte that differs is number ${at}, counted from 0`,
    ...[before, after].flatMap((side) => [
      '',
      `${side.label}:${path}, ${side.fs.stat(path).size} bytes`,
      ...bytesAbout(side.fs, path, at),
    ]),
  ];
}

/** UTF-16 as its characters: what is shown here is read by people, and no patch. */
function readableText(bytes: Uint8Array): string | undefined {
  const guess = encodingOf(bytes, true);
  if (guess?.encoding !== 'UTF-16LE' && guess?.encoding !== 'UTF-16BE') return patchableText(bytes);
  return decoded(bytes.subarray(guess.mark), guess.encoding);
}

function entryOf(fs: Ukfs, path: string) {
  const slash = path.lastIndexOf('/');
  const dir = ukfsTree(fs, path.slice(0, slash) || '/');
  const name = path.slice(slash + 1);
  const stat = dir.lstat(name);
  if (stat === undefined) throw new FsError('ENOENT', { path });
  return { dir, name, stat, linkTo: undefined };
}

/** Where two files differ first; the end of the shorter one counts. What both have as holes is not read. */
export function* firstDifference(before: Ukfs, after: Ukfs, path: string): Generator<undefined, number | undefined> {
  const sizes = [before.stat(path).size, after.stat(path).size] as const;
  const end = Math.min(...sizes);
  const [a, b] = [before.open(path), after.open(path)];
  try {
    const [left, right] = [new Uint8Array(PIECE), new Uint8Array(PIECE)];
    for (let at = 0; at < end; at += PIECE) {
      at = Math.min(nextData(before, a, at) ?? end, nextData(after, b, at) ?? end);
      const got = Math.min(filled(before, a, left, at), filled(after, b, right, at), Math.max(0, end - at));
      for (let n = 0; n < got; n++) if (left[n] !== right[n]) return at + n;
      yield;
    }
    return sizes[0] === sizes[1] ? undefined : end;
  } finally {
    before.close(a);
    after.close(b);
  }
}

function bytesAbout(fs: Ukfs, path: string, at: number): readonly string[] {
  const start = Math.max(0, at - (at % ACROSS) - ACROSS);
  const bytes = new Uint8Array(SHOWN);
  const fd = fs.open(path);
  try {
    return hexLines(bytes.subarray(0, filled(fs, fd, bytes, start)), start, WIDTH);
  } finally {
    fs.close(fd);
  }
}
