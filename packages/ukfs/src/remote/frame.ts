/**
 * Messages over a stream of bytes: frames of a length, a head in JSON and the bytes that the head refers to. docs/remote.md has the
 * format. What JSON cannot say is said by objects with the one member `$`, and what nobody could make sense of elsewhere (functions,
 * classes, cycles) is refused when it is sent.
 */
import { asFsError, FsError } from '@ukfs/kernel';
import type { Channel } from './message.ts';

/** A pipe, a socket: bytes in order, in pieces of any size. */
export interface ByteStream {
  write(bytes: Uint8Array): void;
  /** Called once. `ended` is called once, when nothing more will come, also after end(). */
  start(receive: (bytes: Uint8Array) => void, ended: (why: Error | undefined) => void): void;
  /** What was written goes out; nothing more is wanted. */
  end(): void;
}

/** Bytes of one frame without its length: a peer cannot make us allocate more. */
export const FRAME_MAX = 64 * 1024 * 1024;
/** How deep values may lie in each other. */
const DEPTH_MAX = 64;
const LENGTH_BYTES = 4;

/** A channel over `stream`. A frame that is none ends it, and whoever waits is told EPROTO; EMSGSIZE one that is too long. */
export function frameChannel(stream: ByteStream): Channel {
  let isOver = false;
  let tellEnded: (why: Error | undefined) => void = () => undefined;
  const finish = (why: Error | undefined): void => {
    if (isOver) return;
    isOver = true;
    stream.end();
    tellEnded(why);
  };
  return {
    send(message) {
      const frame = frameOf(message);
      if (!isOver) stream.write(frame);
    },
    start(receive, ended) {
      tellEnded = ended;
      const frames = new Frames();
      stream.start(
        (bytes) => {
          if (isOver) return;
          try {
            for (const body of frames.push(bytes)) {
              receive(messageIn(body));
              if (isOver) return;
            }
          } catch (thrown) {
            // What the receiver throws is a defect of ours and goes on.
            if (!(thrown instanceof FsError)) throw thrown;
            finish(thrown);
          }
        },
        (why) => finish(why ?? (frames.isTorn ? protocol('the stream ends within a frame') : undefined)),
      );
    },
    poll: () => undefined,
    close: () => finish(undefined),
  };
}

const protocol = (what: string): FsError => new FsError('EPROTO', { what });
const tooLong = (length: number): FsError =>
  new FsError('EMSGSIZE', { what: `frame of ${length} bytes, at most ${FRAME_MAX} are allowed` });

// frames

/** From pieces of a stream to the bodies of frames. */
export class Frames {
  #pieces: Uint8Array[] = [];
  #length = 0;

  /** A frame has begun and not ended. */
  get isTorn(): boolean {
    return this.#length > 0;
  }

  /** Errors: EMSGSIZE. */
  *push(bytes: Uint8Array): Generator<Uint8Array> {
    if (bytes.length === 0) return;
    // A Buffer is none of ours: its slices are views, and so would be what callers get.
    this.#pieces.push(new Uint8Array(bytes.buffer, bytes.byteOffset, bytes.length));
    this.#length += bytes.length;
    while (this.#length >= LENGTH_BYTES) {
      const wanted = uint32(this.#gather(LENGTH_BYTES), 0);
      if (wanted > FRAME_MAX) throw tooLong(wanted);
      if (this.#length < LENGTH_BYTES + wanted) return;
      const whole = this.#gather(LENGTH_BYTES + wanted);
      this.#drop(LENGTH_BYTES + wanted);
      yield whole.subarray(LENGTH_BYTES, LENGTH_BYTES + wanted);
    }
  }

  /** The first piece, which has so many bytes: pieces are joined as often as frames begin and end in them, and not more. */
  #gather(count: number): Uint8Array {
    const [first = new Uint8Array(0)] = this.#pieces;
    if (first.length >= count) return first;
    let length = 0;
    let pieces = 0;
    while (length < count) length += this.#pieces[pieces++]?.length ?? 0;
    const joined = new Uint8Array(length);
    let at = 0;
    for (const piece of this.#pieces.splice(0, pieces)) {
      joined.set(piece, at);
      at += piece.length;
    }
    this.#pieces.unshift(joined);
    return joined;
  }

  #drop(count: number): void {
    const [first = new Uint8Array(0)] = this.#pieces;
    if (first.length === count) this.#pieces.shift();
    else this.#pieces[0] = first.subarray(count);
    this.#length -= count;
  }
}

const uint32 = (bytes: Uint8Array, at: number): number =>
  (bytes[at] ?? 0) * 0x100_0000 + (bytes[at + 1] ?? 0) * 0x1_0000 + (bytes[at + 2] ?? 0) * 0x100 + (bytes[at + 3] ?? 0);

function putUint32(bytes: Uint8Array, at: number, value: number): void {
  for (let i = 3, rest = value; i >= 0; i--, rest = Math.floor(rest / 256)) bytes[at + i] = rest % 256;
}

// sending

/** Errors: EINVAL something in it cannot be said; EMSGSIZE. */
export function frameOf(message: unknown): Uint8Array {
  const parts: Parts = { list: [], length: 0 };
  const head = new TextEncoder().encode(JSON.stringify(said(message, parts, 0)));
  const length = LENGTH_BYTES + head.length + parts.length;
  if (length > FRAME_MAX) throw tooLong(length);
  const frame = new Uint8Array(LENGTH_BYTES + length);
  putUint32(frame, 0, length);
  putUint32(frame, LENGTH_BYTES, head.length);
  frame.set(head, 2 * LENGTH_BYTES);
  let at = 2 * LENGTH_BYTES + head.length;
  for (const part of parts.list) {
    frame.set(part, at);
    at += part.length;
  }
  return frame;
}

interface Parts {
  readonly list: Uint8Array[];
  length: number;
}

const refused = (what: string): FsError => new FsError('EINVAL', { what: `cannot travel: ${what}` });

function said(value: unknown, parts: Parts, depth: number): unknown {
  if (depth > DEPTH_MAX) throw refused('values too deep in each other, or a circle');
  switch (typeof value) {
    case 'string':
    case 'boolean':
      return value;
    case 'undefined':
      return { $: 'undefined' };
    case 'bigint':
      return { $: `n${value}` };
    case 'number':
      return Number.isFinite(value) && !Object.is(value, -0) ? value : { $: Object.is(value, -0) ? '-0' : `${value}` };
    case 'object':
      return value === null ? null : saidObject(value, parts, depth + 1);
    default:
      throw refused(`a ${typeof value}`);
  }
}

function saidObject(value: object, parts: Parts, depth: number): unknown {
  if (value instanceof Uint8Array) {
    const at = parts.length;
    parts.list.push(value);
    parts.length += value.length;
    if (parts.length > FRAME_MAX) throw tooLong(parts.length);
    return { $: [at, value.length] };
  }
  // Array.from: holes are undefined.
  if (Array.isArray(value)) return Array.from(value, (one) => said(one, parts, depth));
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype !== Object.prototype && prototype !== null) throw refused(`a ${value.constructor.name}`);
  const entries = Object.entries(value).map(([name, one]): [string, unknown] => [name, said(one, parts, depth)]);
  return Object.hasOwn(value, '$') ? { $: { pairs: entries } } : Object.fromEntries(entries);
}

// receiving

/** Errors: EPROTO. */
export function messageIn(body: Uint8Array): unknown {
  if (body.length < LENGTH_BYTES) throw protocol('frame without a head');
  const end = LENGTH_BYTES + uint32(body, 0);
  if (end > body.length) throw protocol('head beyond the end of its frame');
  // What is taken is counted: a head cannot make more of a frame than there is.
  const bytes: Bytes = { all: body.subarray(end), left: body.length - end };
  try {
    const head: unknown = JSON.parse(
      new TextDecoder('utf-8', { fatal: true }).decode(body.subarray(LENGTH_BYTES, end)),
    );
    const message = heard(head, bytes, 0);
    if (bytes.left > 0) throw protocol('bytes that nothing refers to');
    return message;
  } catch (thrown) {
    if (thrown instanceof FsError) throw thrown;
    throw protocol(`head that is not JSON: ${asFsError(thrown).message}`);
  }
}

interface Bytes {
  readonly all: Uint8Array;
  left: number;
}

const NUMBERS: ReadonlyMap<unknown, number | undefined> = new Map<unknown, number | undefined>([
  ['undefined', undefined],
  ['-0', -0],
  ['NaN', Number.NaN],
  ['Infinity', Infinity],
  ['-Infinity', -Infinity],
]);
/** Digits of a bigint: more would take long to read. */
const BIGINT = /^n-?[0-9]{1,400}$/;

function heard(value: unknown, bytes: Bytes, depth: number): unknown {
  if (depth > DEPTH_MAX) throw protocol('values too deep in each other');
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) return value.map((one) => heard(one, bytes, depth + 1));
  if ('$' in value) return special(value.$, bytes, depth + 1);
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, heard(one, bytes, depth + 1)]));
}

function special(what: unknown, bytes: Bytes, depth: number): unknown {
  if (NUMBERS.has(what)) return NUMBERS.get(what);
  if (typeof what === 'string' && BIGINT.test(what)) return BigInt(what.slice(1));
  if (Array.isArray(what)) return taken(what, bytes);
  if (typeof what === 'object' && what !== null && 'pairs' in what && Array.isArray(what.pairs))
    return Object.fromEntries(
      what.pairs.map((pair: unknown) => {
        if (!Array.isArray(pair) || typeof pair[0] !== 'string') throw protocol('object of no pairs');
        return [pair[0], heard(pair[1], bytes, depth)];
      }),
    );
  throw protocol('special value of no kind');
}

/** A copy: frames share what they were received in. */
function taken([at, length]: readonly unknown[], bytes: Bytes): Uint8Array {
  if (typeof at !== 'number' || typeof length !== 'number') throw protocol('bytes without a place');
  const isWithin = Number.isSafeInteger(at) && Number.isSafeInteger(length) && at >= 0 && length >= 0;
  if (!isWithin || at + length > bytes.all.length || length > bytes.left) throw protocol('bytes outside their frame');
  bytes.left -= length;
  return bytes.all.slice(at, at + length);
}
