/** Bytes cut into rows; rows like the one before are told as one. */

export interface RowSink {
  row(bytes: Uint8Array, offset: number): void;
  /** Rows follow that are like the last one. */
  squeezed(): void;
  /** A row with all those like it behind it, when their number is known. */
  run(bytes: Uint8Array, offset: number, rows: number): void;
  /** `hasRows`: there was something. */
  end(offset: number, hasRows: boolean): void;
}

export class HexRows {
  readonly #sink: RowSink;
  readonly #squeeze: boolean;
  readonly #row: Uint8Array;
  readonly #last: Uint8Array;
  #held = 0;
  #offset: number;
  readonly #start: number;
  #lastOffset = 0;
  /** Rows like the last one, itself included. */
  #same = 0;

  constructor(sink: RowSink, how: { readonly rowBytes: number; readonly offset: number; readonly squeeze: boolean }) {
    this.#sink = sink;
    this.#squeeze = how.squeeze;
    this.#offset = how.offset;
    this.#start = how.offset;
    this.#row = new Uint8Array(how.rowBytes);
    this.#last = new Uint8Array(how.rowBytes);
  }

  add(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length;) {
      const n = Math.min(this.#row.length - this.#held, bytes.length - at);
      this.#row.set(bytes.subarray(at, at + n), this.#held);
      this.#held += n;
      at += n;
      if (this.#held === this.#row.length) this.#complete();
    }
  }

  #complete(): void {
    const row = this.#row.subarray(0, this.#held);
    const isWhole = this.#held === this.#row.length;
    if (this.#squeeze && isWhole && this.#same > 0 && isEqual(row, this.#last)) {
      if (this.#same++ === 1) this.#sink.squeezed();
    } else {
      this.#endRun();
      this.#sink.row(row, this.#offset);
      this.#last.set(row);
      this.#lastOffset = this.#offset;
      this.#same = isWhole ? 1 : 0;
      if (!isWhole) this.#sink.run(row, this.#offset, 1);
    }
    this.#offset += this.#held;
    this.#held = 0;
  }

  #endRun(): void {
    if (this.#same > 0) this.#sink.run(this.#last, this.#lastOffset, this.#same);
    this.#same = 0;
  }

  end(): void {
    const hasRows = this.#offset > this.#start || this.#held > 0;
    if (this.#held > 0) this.#complete();
    this.#endRun();
    this.#sink.end(this.#offset, hasRows);
  }
}

function isEqual(a: Uint8Array, b: Uint8Array): boolean {
  for (let i = 0; i < a.length; i++) if (a[i] !== b[i]) return false;
  return true;
}
