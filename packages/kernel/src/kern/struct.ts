/**
 * On-disk structures as tables: the only home of DataView and of byte order.
 *
 * A table row is [offset, name, field type]; offsets are typed in by hand as in the format's specification, and
 * struct() refuses gaps, overlaps and a wrong total when the module loads. Each table is compiled once into a class
 * whose accessors are straight DataView calls, because interpreting the table for every record costs 5 to 40 times more.
 */
import { FsError } from './errno.ts';
import { structClasses } from './struct-classes.ts';

export interface Field<T> {
  readonly size: number;
  /** JavaScript source of a getter or setter body over `v` (DataView), `a` (byte position) and `x` (new value). */
  readonly getCode: string;
  readonly setCode: string;
  /** Phantom: carries T for inference only. */
  readonly value?: T;
}

const field = <T>(size: number, getCode: string, setCode: string): Field<T> => ({ size, getCode, setCode });

const TWO32 = 4294967296;

export const u8 = field<number>(1, 'v.getUint8(a)', 'v.setUint8(a, x)');
export const le16 = field<number>(2, 'v.getUint16(a, true)', 'v.setUint16(a, x, true)');
export const le32 = field<number>(4, 'v.getUint32(a, true)', 'v.setUint32(a, x, true)');
export const sle32 = field<number>(4, 'v.getInt32(a, true)', 'v.setInt32(a, x, true)');
export const be16 = field<number>(2, 'v.getUint16(a, false)', 'v.setUint16(a, x, false)');
export const be32 = field<number>(4, 'v.getUint32(a, false)', 'v.setUint32(a, x, false)');
/** 64-bit values as checked numbers: reading more than 2^53-1 is EOVERFLOW, never a silently rounded number. */
export const le64 = field<number>(
  8,
  'lib.get64(v.getUint32(a, true), v.getUint32(a + 4, true))',
  'v.setUint32(a, x % 4294967296, true); v.setUint32(a + 4, Math.floor(x / 4294967296), true)',
);
export const be64 = field<number>(
  8,
  'lib.get64(v.getUint32(a + 4, false), v.getUint32(a, false))',
  'v.setUint32(a + 4, x % 4294967296, false); v.setUint32(a, Math.floor(x / 4294967296), false)',
);
/** `n` raw bytes; the getter is a live view of the buffer. */
export const bytes = (n: number): Field<Uint8Array> =>
  field(n, `new Uint8Array(v.buffer, v.byteOffset + a, ${n})`, `lib.setBytes(v, a, x, ${n})`);
/** `n` numbers; the getter copies, so it is for cold paths. */
export const array = (of: Field<number>, n: number): Field<readonly number[]> =>
  field(
    of.size * n,
    `Array.from({ length: ${n} }, (_, i) => { const b = a; { const a = b + i * ${of.size}; return ${of.getCode}; } })`,
    `if (x.length !== ${n}) throw new RangeError('expected ${n} elements');
     { const b = a, xs = x; for (let i = 0; i < ${n}; i++) { const a = b + i * ${of.size}, x = xs[i]; ${of.setCode}; } }`,
  );

const lib = {
  get64(low: number, high: number): number {
    if (high >= 0x200000) throw new FsError('EOVERFLOW', { what: '64-bit field beyond 2^53' });
    return high * TWO32 + low;
  },
  setBytes(v: DataView, a: number, x: Uint8Array, n: number): void {
    if (x.length !== n) throw new RangeError(`expected ${n} bytes`);
    new Uint8Array(v.buffer, v.byteOffset + a, n).set(x);
  },
};

type AnyField = Field<number> | Field<Uint8Array> | Field<readonly number[]>;
export type Row = readonly [offset: number, name: string, field: AnyField];
type ValueOf<F> = F extends Field<infer T> ? T : never;
/** A live view: reading a field reads the buffer, assigning writes it. */
type ViewOf<R extends readonly Row[]> = { -readonly [K in R[number] as K[1]]: ValueOf<K[2]> };

export interface StructType<R extends readonly Row[]> {
  readonly structName: string;
  /** Size in bytes. */
  readonly size: number;
  readonly rows: R;
  /** View of the structure at byte `offset` of `block`. RangeError when it would run past the end: callers bound first. */
  at(block: Uint8Array, offset: number): ViewOf<R>;
  /** Byte offset of a field, for code that checksums around it. */
  offsetOf(name: R[number][1]): number;
}
export type StructView<S> = S extends StructType<infer R> ? ViewOf<R> : never;

/** Compile a table. Throws when the module loads if rows leave gaps, overlap, or do not fill `size` bytes. */
export function struct<const R extends readonly Row[]>(structName: string, size: number, rows: R): StructType<R> {
  let end = 0;
  for (const [offset, name, { size: fieldSize }] of rows) {
    if (offset !== end) {
      throw new Error(
        `${structName}.${name}: at 0x${offset.toString(16)}, previous field ends at 0x${end.toString(16)}`,
      );
    }
    end = offset + fieldSize;
  }
  if (end !== size) throw new Error(`${structName}: fields end at ${end}, size is ${size}`);
  type View = ViewOf<R>;
  let View: (new (v: DataView, base: number) => View) | undefined;
  return {
    structName,
    size,
    rows,
    at(block, offset) {
      if (offset < 0 || offset + size > block.length)
        throw new RangeError(`${structName} at ${offset} runs past the block`);
      View ??= compile(`${structName}:${size}`, rows) as new (v: DataView, base: number) => View;
      return new View(dataView(block.buffer), block.byteOffset + offset);
    },
    offsetOf(name) {
      const row = rows.find((r) => r[1] === name);
      if (row === undefined) throw new Error(`${structName} has no field ${name}`);
      return row[0];
    },
  };
}

/** The accessor class of a table. Compiled on first use, so that loading a format costs nothing until it is met. */
function compile(key: string, rows: readonly Row[]): unknown {
  const ready = structClasses[key];
  return ready === undefined ? new Function('lib', classSource(rows))(lib) : ready(lib);
}

/** Body of a function of `lib` that returns the accessor class. */
export function classSource(rows: readonly Row[]): string {
  const accessors = rows.map(([offset, name, f]) => {
    const a = `const v = this.v, a = this.base + ${offset};`;
    return `get ${name}() { ${a} return ${f.getCode}; } set ${name}(x) { ${a} ${f.setCode}; }`;
  });
  return `return class { constructor(v, base) { this.v = v; this.base = base; } ${accessors.join('\n')} }`;
}

/** The buffers seen last, and their views. */
const recentBuffers: ArrayBufferLike[] = [];
const recentViews: DataView[] = [];
const RECENT = 4;
let oldest = 0;

/**
 * A DataView is cheap to make and dear to look up in a WeakMap (100 ns against 2 µs, measured over blocks that are read
 * once): only those of the few buffers that an operation goes to and fro between are kept.
 */
function dataView(buffer: ArrayBufferLike): DataView {
  for (let i = 0; i < RECENT; i++) {
    const view = recentViews[i];
    if (view !== undefined && recentBuffers[i] === buffer) return view;
  }
  const view = new DataView(buffer);
  recentBuffers[oldest] = buffer;
  recentViews[oldest] = view;
  oldest = (oldest + 1) % RECENT;
  return view;
}

/** Scalar access for hot loops and variable-length records. `at` is a byte offset; the caller has bounded it. */
export const getLe16 = (b: Uint8Array, at: number): number => (b[at] as number) | ((b[at + 1] as number) << 8);
export const getLe32 = (b: Uint8Array, at: number): number =>
  ((b[at] as number) | ((b[at + 1] as number) << 8) | ((b[at + 2] as number) << 16) | ((b[at + 3] as number) << 24)) >>>
  0;
export const getBe16 = (b: Uint8Array, at: number): number => ((b[at] as number) << 8) | (b[at + 1] as number);
export const getBe32 = (b: Uint8Array, at: number): number =>
  (((b[at] as number) << 24) | ((b[at + 1] as number) << 16) | ((b[at + 2] as number) << 8) | (b[at + 3] as number)) >>>
  0;
export const getLe64 = (b: Uint8Array, at: number): number => lib.get64(getLe32(b, at), getLe32(b, at + 4));
export const getBe64 = (b: Uint8Array, at: number): number => lib.get64(getBe32(b, at + 4), getBe32(b, at));
export function setLe16(b: Uint8Array, at: number, x: number): void {
  b[at] = x;
  b[at + 1] = x >>> 8;
}
export function setLe32(b: Uint8Array, at: number, x: number): void {
  b[at] = x;
  b[at + 1] = x >>> 8;
  b[at + 2] = x >>> 16;
  b[at + 3] = x >>> 24;
}
export function setLe64(b: Uint8Array, at: number, x: number): void {
  setLe32(b, at, x % TWO32);
  setLe32(b, at + 4, Math.floor(x / TWO32));
}
export function setBe32(b: Uint8Array, at: number, x: number): void {
  b[at] = x >>> 24;
  b[at + 1] = x >>> 16;
  b[at + 2] = x >>> 8;
  b[at + 3] = x;
}
