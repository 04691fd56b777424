/** The bytes of a file of the model: chunks that exist where something was written, so that a file may be huge. */
const CHUNK = 4096;

export class Content {
  size = 0;
  /** Never changed in place, so that a copy of a file shares them. */
  readonly #chunks: Map<number, Uint8Array>;

  constructor(chunks: Map<number, Uint8Array> = new Map<number, Uint8Array>(), size = 0) {
    this.#chunks = chunks;
    this.size = size;
  }

  copy(): Content {
    return new Content(new Map(this.#chunks), this.size);
  }

  read(offset: number, length: number): Uint8Array {
    const out = new Uint8Array(Math.max(0, Math.min(length, this.size - offset)));
    for (const { index, from, to } of pieces(offset, out.length)) {
      const chunk = this.#chunks.get(index);
      if (chunk !== undefined) out.set(chunk.subarray(from, to), index * CHUNK + from - offset);
    }
    return out;
  }

  write(bytes: Uint8Array, offset: number): void {
    for (const { index, from, to } of pieces(offset, bytes.length)) {
      const chunk = this.#chunks.get(index)?.slice() ?? new Uint8Array(CHUNK);
      const at = index * CHUNK + from - offset;
      chunk.set(bytes.subarray(at, at + to - from), from);
      this.#chunks.set(index, chunk);
    }
    if (bytes.length > 0) this.size = Math.max(this.size, offset + bytes.length);
  }

  resize(size: number): void {
    if (size < this.size) this.zero(size, this.size - size);
    this.size = size;
  }

  /** Zeros, as far as the file goes. */
  zero(offset: number, length: number): void {
    const end = Math.min(offset + length, this.size);
    for (const index of [...this.#chunks.keys()]) {
      const from = Math.max(0, offset - index * CHUNK);
      const to = Math.min(CHUNK, end - index * CHUNK);
      if (from >= to) continue;
      const chunk = this.#chunks.get(index)?.slice();
      if (chunk === undefined || (from === 0 && to === CHUNK)) this.#chunks.delete(index);
      else this.#chunks.set(index, chunk.fill(0, from, to));
    }
  }

  /** Ranges outside which all is zero, ascending. */
  *data(): Generator<{ readonly offset: number; readonly data: Uint8Array }> {
    for (const index of [...this.#chunks.keys()].sort((a, b) => a - b)) {
      const offset = index * CHUNK;
      // Of a chunk that was cut off nothing is left but zeros.
      if (offset < this.size) yield { offset, data: this.read(offset, CHUNK) };
    }
  }
}

function* pieces(offset: number, length: number): Generator<{ index: number; from: number; to: number }> {
  for (let at = offset; at < offset + length;) {
    const index = Math.floor(at / CHUNK);
    const to = Math.min(CHUNK, offset + length - index * CHUNK);
    yield { index, from: at - index * CHUNK, to };
    at = index * CHUNK + to;
  }
}
