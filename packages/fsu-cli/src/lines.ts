/** Files in pieces of whole lines, with bounded memory. */

/** A line longer than this is taken as several: an image must not fill our memory. */
const LINE_MAX = 1024 * 1024;

const CHUNK = 256 * 1024;

/**
 * Pieces that end with `delimiter`, but for the last one of a file and those of overlong lines. A piece is a view that the next
 * one overwrites. `read` fills what it is given, at least in part; 0 is the end.
 */
export function* wholeLines(read: (dst: Uint8Array) => number, delimiter: number): Generator<Uint8Array, void> {
  let buffer = new Uint8Array(CHUNK);
  let held = 0;
  for (;;) {
    const n = read(buffer.subarray(held));
    if (n === 0) break;
    const end = buffer.subarray(0, held + n).lastIndexOf(delimiter) + 1;
    held += n;
    if (end > 0) {
      yield buffer.subarray(0, end);
      buffer.copyWithin(0, end, held);
      held -= end;
    } else if (held >= LINE_MAX) {
      yield buffer.subarray(0, held);
      held = 0;
    }
    if (held === buffer.length) {
      const larger = new Uint8Array(Math.min(LINE_MAX, buffer.length * 2));
      larger.set(buffer);
      buffer = larger;
    }
  }
  if (held > 0) yield buffer.subarray(0, held);
}
