/** cat's options that change the bytes: a state machine over bytes, one table for what each byte looks like. */

export interface CookOptions {
  readonly numberAll: boolean;
  readonly numberFilled: boolean;
  readonly squeeze: boolean;
  readonly ends: boolean;
  readonly tabs: boolean;
  readonly visible: boolean;
}

export const isCooking = (o: CookOptions): boolean =>
  o.numberAll || o.numberFilled || o.squeeze || o.ends || o.tabs || o.visible;

const NL = 0x0a;
const TAB = 0x09;
const DOLLAR = 0x24;
const BLANK = 0x20;
const OUT = 64 * 1024;
/** Most bytes that one input byte can become: a line number of 16 digits, a tab, and M-^X or $ and the line feed. */
const ROOM = 32;

/** ^X, M-x and M-^X of a byte. */
function lookOf(byte: number, o: CookOptions): Uint8Array {
  if (byte === TAB) return Uint8Array.from(o.tabs ? [0x5e, 0x49] : [TAB]);
  if (!o.visible) return Uint8Array.from([byte]);
  const meta = byte >= 0x80 ? [0x4d, 0x2d] : [];
  const low = byte & 0x7f;
  if (low === 0x7f) return Uint8Array.from([...meta, 0x5e, 0x3f]);
  return Uint8Array.from(low < 0x20 ? [...meta, 0x5e, low | 0x40] : [...meta, low]);
}

export class Cooker {
  readonly #o: CookOptions;
  readonly #emit: (bytes: Uint8Array, length: number) => void;
  readonly #looks: readonly Uint8Array[];
  readonly #out = new Uint8Array(OUT);
  #used = 0;
  #line = 0;
  #atStart = true;
  /** The line before was empty, too. */
  #blank = false;

  constructor(options: CookOptions, emit: (bytes: Uint8Array, length: number) => void) {
    this.#o = options;
    this.#emit = emit;
    this.#looks = Array.from({ length: 256 }, (_, byte) => lookOf(byte, options));
  }

  write(bytes: Uint8Array, length: number): void {
    const o = this.#o;
    for (let i = 0; i < length; i++) {
      const byte = bytes[i] ?? 0;
      if (this.#used > OUT - ROOM) this.flush();
      if (byte === NL) {
        this.#lineFeed();
        continue;
      }
      if (this.#atStart) {
        this.#atStart = false;
        this.#blank = false;
        if (o.numberAll || o.numberFilled) this.#number();
      }
      const look = this.#looks[byte];
      if (look === undefined) continue;
      for (let k = 0; k < look.length; k++) this.#out[this.#used++] = look[k] ?? 0;
    }
  }

  #lineFeed(): void {
    const o = this.#o;
    if (this.#atStart) {
      if (o.squeeze && this.#blank) return;
      this.#blank = true;
      if (o.numberAll && !o.numberFilled) this.#number();
      else if (o.numberFilled && o.ends) this.#column('');
    }
    if (o.ends) this.#out[this.#used++] = DOLLAR;
    this.#out[this.#used++] = NL;
    this.#atStart = true;
  }

  #number(): void {
    this.#column(String(++this.#line));
  }

  /** `%6d\t` */
  #column(text: string): void {
    for (let i = text.length; i < 6; i++) this.#out[this.#used++] = BLANK;
    for (let i = 0; i < text.length; i++) this.#out[this.#used++] = text.charCodeAt(i);
    this.#out[this.#used++] = TAB;
  }

  flush(): void {
    this.#emit(this.#out, this.#used);
    this.#used = 0;
  }
}
