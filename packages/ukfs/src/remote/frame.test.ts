/** Frames carry what they are given, in pieces of any size; what is no frame ends the connection. */
import { isDeepStrictEqual } from 'node:util';
import { FsError } from '@ukfs/kernel';
import { describe, expect, test } from 'vitest';
import { FRAME_MAX, frameChannel, frameOf, Frames, messageIn } from './frame.ts';
import type { ByteStream } from './frame.ts';
import type { Message } from './message.ts';

/** mulberry32 */
function chance(seed: number): () => number {
  let a = seed;
  return () => {
    a = (a + 0x6d2b79f5) | 0;
    let t = Math.imul(a ^ (a >>> 15), 1 | a);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

const back = (value: unknown): unknown => messageIn(frameOf(value).subarray(4));

const NAMES = ['a', '1', '$', '__proto__', 'constructor', 'pairs', '', '\ud800', '語'];

function randomValue(random: () => number, depth: number): unknown {
  const pick = <T>(list: readonly T[]): T => list[Math.floor(random() * list.length)] as T;
  const count = Math.floor(random() * 5);
  switch (Math.floor(random() * (depth > 0 ? 9 : 7))) {
    case 0:
      return pick([0, -0, Number.NaN, Infinity, -Infinity, 1.5, 2 ** 53 - 1, -(2 ** 31), 5e-324]);
    case 1:
      return pick([undefined, null, true, false]);
    case 2:
      return pick([0n, -1n, 2n ** 64n, -(10n ** 300n)]);
    case 3:
      return String.fromCharCode(...Array.from({ length: count }, () => Math.floor(random() * 0x1_0000)));
    case 4:
      return Uint8Array.from({ length: Math.floor(random() * 300) }, () => random() * 256);
    case 5:
      return pick(NAMES);
    case 6:
      return Math.floor(random() * 2 ** 40);
    case 7:
      return Array.from({ length: count }, () => randomValue(random, depth - 1));
    default:
      return Object.fromEntries(Array.from({ length: count }, () => [pick(NAMES), randomValue(random, depth - 1)]));
  }
}

describe('a value that went by a frame is the value it was', () => {
  test.each([
    [undefined],
    [-0],
    [Number.NaN],
    [2n ** 64n - 1n],
    ['a\udc80b'],
    [{ a: undefined }],
    [{ $: 'undefined' }],
    [{ $: { $: [1, 2] } }],
    [JSON.parse('{"__proto__": {"x": 1}, "constructor": 2}')],
    [{ b: Uint8Array.of(1), 1: Uint8Array.of(2, 3), empty: new Uint8Array(0) }],
    [Object.assign([], { 1: 1 })],
  ])('value %#', (value) => {
    // An array's hole is read as undefined.
    expect(back(value)).toStrictEqual(Array.isArray(value) ? [...value] : value);
  });

  test('a thousand of them, by lot, in pieces of any size', () => {
    const random = chance(20261126);
    for (let round = 0; round < 20; round++) {
      const values = Array.from({ length: 50 }, () => randomValue(random, 4));
      const stream = joined(values.map(frameOf));
      const frames = new Frames();
      const heard: unknown[] = [];
      for (let at = 0; at < stream.length;) {
        const length = 1 + Math.floor(random() ** 4 * 2000);
        // A piece that is used again by whoever reads the stream must not matter once it was read.
        for (const body of frames.push(stream.slice(at, at + length))) heard.push(messageIn(body));
        at += length;
      }
      // vitest's own comparison asks objects for their constructor, which here may be a member.
      expect(isDeepStrictEqual(heard, values)).toBe(true);
      expect(frames.isTorn).toBe(false);
    }
  });

  test('bytes are copies, and no Buffers, whatever the stream gives', () => {
    const sent = Buffer.from(frameOf([Uint8Array.of(1, 2, 3)]));
    const [body = new Uint8Array(0)] = new Frames().push(sent);
    const [bytes] = messageIn(body) as [Uint8Array];
    expect(bytes.constructor).toBe(Uint8Array);
    sent.fill(0);
    expect([...bytes]).toEqual([1, 2, 3]);
  });

  test('names do not reach prototypes', () => {
    const value = back(JSON.parse('{"__proto__": {"admin": true}}')) as Record<string, unknown>;
    expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
    expect(value['admin']).toBeUndefined();
  });
});

describe('what cannot be said is refused by who says it:', () => {
  const circle: unknown[] = [];
  circle.push(circle);
  test.each<[string, unknown]>([
    ['a function', () => 1],
    ['a symbol', Symbol('x')],
    ['a date', new Date(0)],
    ['a map', new Map()],
    ['an error', new FsError('EIO')],
    ['other arrays of numbers', new Float64Array(2)],
    ['a circle', circle],
  ])('%s', (_, value) => {
    expect(() => frameOf({ value })).toThrow(expect.objectContaining({ code: 'EINVAL' }));
  });

  test('more than a frame holds', () => {
    const half = new Uint8Array(FRAME_MAX / 2);
    expect(() => frameOf([half, half])).toThrow(expect.objectContaining({ code: 'EMSGSIZE' }));
  });
});

describe('what is no frame is EPROTO:', () => {
  const body = (head: string, more: readonly number[] = [], length = head.length): Uint8Array =>
    Uint8Array.of(0, 0, length >> 8, length & 255, ...new TextEncoder().encode(head), ...more);

  test.each<[string, Uint8Array]>([
    ['nothing', new Uint8Array(0)],
    ['a head beyond the end', body('{}', [], 9)],
    ['no JSON', body('{')],
    ['no UTF-8', body('', [0xff], 1)],
    ['a special value of no kind', body('{"$":"odd"}')],
    ['a number that is no bigint', body('{"$":"n1e9"}')],
    ['bytes beyond the end', body('{"$":[0,2]}', [1])],
    ['bytes before the start', body('{"$":[-1,1]}', [1])],
    ['bytes of half a place', body('{"$":[0.5,1]}', [1])],
    ['bytes that are taken twice', body('[{"$":[0,1]},{"$":[0,1]}]', [1])],
    ['bytes that nothing refers to', body('{}', [1])],
    ['pairs that are none', body('{"$":{"pairs":[1]}}')],
    ['values too deep', body('['.repeat(200) + ']'.repeat(200))],
    ['values very deep', body('['.repeat(30_000) + ']'.repeat(30_000))],
  ])('%s', (_, bytes) => {
    expect(() => messageIn(bytes)).toThrow(expect.objectContaining({ code: 'EPROTO' }));
  });

  test('any byte of a frame changed: a value or EPROTO, and nothing else', () => {
    const random = chance(7);
    const frame = frameOf({ kind: 'call', id: 1, args: ['/a', Uint8Array.of(1, 2, 3), { $: -0 }] });
    let wrong = 0;
    for (let round = 0; round < 3000; round++) {
      const bytes = frame.slice(4);
      bytes[Math.floor(random() * bytes.length)] = random() * 256;
      try {
        messageIn(bytes);
      } catch (thrown) {
        if (!(thrown instanceof FsError)) throw thrown;
        expect(thrown.code).toBe('EPROTO');
        wrong++;
      }
    }
    expect(wrong).toBeGreaterThan(500);
  });
});

describe('a channel', () => {
  interface Wire extends ByteStream {
    readonly written: Uint8Array[];
    isEnded: boolean;
    come(bytes: Uint8Array): void;
    gone(why?: Error): void;
  }

  function wire(): Wire {
    let receive: (bytes: Uint8Array) => void = () => undefined;
    let ended: (why: Error | undefined) => void = () => undefined;
    return {
      written: [],
      isEnded: false,
      write(bytes) {
        this.written.push(bytes);
      },
      start: (to, toEnded) => void ([receive, ended] = [to, toEnded]),
      end() {
        this.isEnded = true;
      },
      come: (bytes) => receive(bytes),
      gone: (why) => ended(why),
    };
  }

  function opened(): {
    readonly on: Wire;
    readonly heard: unknown[];
    readonly ends: unknown[];
    send(m: Message): void;
  } {
    const on = wire();
    const channel = frameChannel(on);
    const heard: unknown[] = [];
    const ends: unknown[] = [];
    channel.start(
      (message) => heard.push(message),
      (why) => ends.push(why instanceof FsError ? why.code : why),
    );
    return { on, heard, ends, send: (message) => channel.send(message) };
  }

  const message: Message = { kind: 'cancel', id: 3 };

  test('sends and receives', () => {
    const { on, heard, ends, send } = opened();
    send(message);
    on.come(joined(on.written));
    on.gone();
    expect([heard, ends, on.isEnded]).toEqual([[message], [undefined], true]);
    send(message);
    expect(on.written).toHaveLength(1);
  });

  test.each<[string, Uint8Array, string]>([
    ['garbage', Uint8Array.of(0, 0, 0, 4, 255, 255, 255, 255), 'EPROTO'],
    ['a frame that is too long', Uint8Array.of(255, 255, 255, 255), 'EMSGSIZE'],
  ])('%s ends it, and nothing behind it is heard', (_, bytes, expected) => {
    const { on, heard, ends } = opened();
    on.come(joined([frameOf(message), bytes, frameOf(message)]));
    on.come(frameOf(message));
    on.gone();
    expect([heard, ends, on.isEnded]).toEqual([[message], [expected], true]);
  });

  test('a stream that ends within a frame is EPROTO', () => {
    const { on, heard, ends } = opened();
    on.come(frameOf(message).subarray(0, 9));
    on.gone();
    expect([heard, ends]).toEqual([[], ['EPROTO']]);
  });
});

function joined(parts: readonly Uint8Array[]): Uint8Array {
  const all = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    all.set(part, at);
    at += part.length;
  }
  return all;
}
