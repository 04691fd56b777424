/** Unified differences of texts: POSIX diff(1), "Diff -u or -U Output Format". Texts are name strings, so any bytes are one. */
import { editsBetween } from './edits.ts';

const NO_NEWLINE = '\\ No newline at end of file\n';

/** Hunks with so many lines of context; none: the texts are the same. */
export function* unifiedHunks(before: string, after: string, context: number): Generator<string> {
  const [a, b] = [linesOf(before), linesOf(after)];
  const numbers = new Map<string, number>();
  const numbersOf = (lines: readonly string[]): Int32Array =>
    Int32Array.from(lines, (line) => {
      const known = numbers.get(line) ?? numbers.size;
      numbers.set(line, known);
      return known;
    });
  const edits = editsBetween(numbersOf(a), numbersOf(b));
  let hunk: Change[] = [];
  for (const change of changesOf(edits.before, edits.after)) {
    const last = hunk.at(-1);
    if (last !== undefined && change.a - last.aEnd > 2 * context) {
      yield hunkText(a, b, hunk, context);
      hunk = [];
    }
    hunk.push(change);
  }
  if (hunk.length > 0) yield hunkText(a, b, hunk, context);
}

/** With their line feeds, so that a last line without one is another line. */
function linesOf(text: string): readonly string[] {
  const lines: string[] = [];
  for (let at = 0; at < text.length;) {
    const end = text.indexOf('\n', at);
    const next = end < 0 ? text.length : end + 1;
    lines.push(text.slice(at, next));
    at = next;
  }
  return lines;
}

/** Lines [a, aEnd) become [b, bEnd). */
interface Change {
  readonly a: number;
  readonly aEnd: number;
  readonly b: number;
  readonly bEnd: number;
}

function* changesOf(before: Uint8Array, after: Uint8Array): Generator<Change> {
  let [a, b] = [0, 0];
  while (a < before.length || b < after.length) {
    const start = { a, b };
    while (before[a] === 1) a++;
    while (after[b] === 1) b++;
    if (a > start.a || b > start.b) yield { ...start, aEnd: a, bEnd: b };
    a++;
    b++;
  }
}

function hunkText(a: readonly string[], b: readonly string[], hunk: readonly Change[], context: number): string {
  const [first, last] = [hunk[0], hunk.at(-1)];
  if (first === undefined || last === undefined) return '';
  const lead = Math.min(context, first.a);
  const trail = Math.min(context, a.length - last.aEnd);
  const [aStart, aEnd] = [first.a - lead, last.aEnd + trail];
  const [bStart, bEnd] = [first.b - lead, last.bEnd + trail];
  let text = `@@ -${rangeText(aStart, aEnd)} +${rangeText(bStart, bEnd)} @@\n`;
  const put = (sign: string, lines: readonly string[], from: number, to: number): void => {
    for (let i = from; i < to; i++) {
      const line = lines[i] ?? '';
      text += line.endsWith('\n') ? sign + line : `${sign}${line}\n${NO_NEWLINE}`;
    }
  };
  let at = aStart;
  for (const change of hunk) {
    put(' ', a, at, change.a);
    put('-', a, change.a, change.aEnd);
    put('+', b, change.b, change.bEnd);
    at = change.aEnd;
  }
  put(' ', a, at, aEnd);
  return text;
}

/** Lines are counted from 1; an empty range is behind the line it names. */
function rangeText(start: number, end: number): string {
  const count = end - start;
  return count === 1 ? String(start + 1) : `${count === 0 ? start : start + 1},${count}`;
}
