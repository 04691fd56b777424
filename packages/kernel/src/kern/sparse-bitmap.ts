/**
 * A bitmap over a range too large to keep whole: pieces of 32,768 bits, made when a bit in them is first set. For bits that
 * lie together, such as the used blocks of a huge image that is mostly empty. Bit numbers may exceed 2^32.
 */
import { clearRange, countSet, findSet, setRange } from './bitmap.ts';

const PIECE_BITS = 32768;

export class SparseBitmap {
  readonly #pieces = new Map<number, Uint8Array>();

  get isEmpty(): boolean {
    return this.#pieces.size === 0;
  }

  test(bit: number): boolean {
    const piece = this.#pieces.get(Math.floor(bit / PIECE_BITS));
    const inPiece = bit % PIECE_BITS;
    return piece !== undefined && ((piece[inPiece >>> 3] ?? 0) & (1 << (inPiece & 7))) !== 0;
  }

  /** Set [start, end). */
  setRange(start: number, end: number): void {
    eachPiece(start, end, (no, from, to) => {
      let piece = this.#pieces.get(no);
      if (piece === undefined) this.#pieces.set(no, (piece = new Uint8Array(PIECE_BITS / 8)));
      setRange(piece, from, to);
    });
  }

  /** Clear [start, end). */
  clearRange(start: number, end: number): void {
    eachPiece(start, end, (no, from, to) => {
      const piece = this.#pieces.get(no);
      if (piece !== undefined) clearRange(piece, from, to);
    });
  }

  /** First set bit of [start, end), or -1. */
  findSet(start: number, end: number): number {
    let found = -1;
    eachPiece(start, end, (no, from, to) => {
      const piece = found < 0 ? this.#pieces.get(no) : undefined;
      const bit = piece === undefined ? -1 : findSet(piece, from, to);
      if (bit >= 0) found = no * PIECE_BITS + bit;
    });
    return found;
  }

  /** How many bits of [start, end) are set. */
  countSet(start: number, end: number): number {
    let count = 0;
    eachPiece(start, end, (no, from, to) => {
      const piece = this.#pieces.get(no);
      if (piece !== undefined) count += countSet(piece, from, to);
    });
    return count;
  }

  /** Bits from `start`, a multiple of 8, on as an ordinary bitmap that fills `dst`. */
  copyTo(dst: Uint8Array, start: number): void {
    eachPiece(start, start + dst.length * 8, (no, from, to) => {
      const piece = this.#pieces.get(no);
      const at = (no * PIECE_BITS + from - start) / 8;
      if (piece === undefined) dst.fill(0, at, at + (to - from) / 8);
      else dst.set(piece.subarray(from / 8, to / 8), at);
    });
  }
}

function eachPiece(start: number, end: number, use: (no: number, from: number, to: number) => void): void {
  for (let at = start; at < end;) {
    const no = Math.floor(at / PIECE_BITS);
    const from = at - no * PIECE_BITS;
    const to = Math.min(PIECE_BITS, end - no * PIECE_BITS);
    use(no, from, to);
    at = no * PIECE_BITS + to;
  }
}
