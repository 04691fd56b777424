import { describe, expect, it } from 'vitest';
import { FsError } from './errno.ts';
import {
  array,
  be16,
  be32,
  be64,
  bytes,
  getBe64,
  getLe64,
  le16,
  le32,
  le64,
  setLe64,
  sle32,
  struct,
  u8,
} from './struct.ts';

const Sample = struct('sample', 40, [
  [0x00, 'byte', u8],
  [0x01, 'pad', bytes(1)],
  [0x02, 'half', le16],
  [0x04, 'word', le32],
  [0x08, 'signed', sle32],
  [0x0c, 'bigHalf', be16],
  [0x0e, 'list', array(le16, 3)],
  [0x14, 'bigWord', be32],
  [0x18, 'wide', le64],
  [0x20, 'bigWide', be64],
]);

describe('struct', () => {
  it('reads and writes each field at its offset in its byte order', () => {
    const block = new Uint8Array(48);
    const view = Sample.at(block, 4);
    view.byte = 0x11;
    view.half = 0x2233;
    view.word = 0xdeadbeef;
    view.signed = -2;
    view.bigHalf = 0x4455;
    view.list = [1, 2, 0xffff];
    view.bigWord = 0x01020304;
    view.wide = 0x0001_0203_0405_0607 / 1;
    view.bigWide = 5;
    expect([...block.subarray(4, 12)]).toEqual([0x11, 0, 0x33, 0x22, 0xef, 0xbe, 0xad, 0xde]);
    expect([...block.subarray(16, 18)]).toEqual([0x44, 0x55]);
    expect([...block.subarray(24, 28)]).toEqual([1, 2, 3, 4]);
    expect([...block.subarray(36, 44)]).toEqual([0, 0, 0, 0, 0, 0, 0, 5]);
    expect(view.signed).toBe(-2);
    expect(view.word).toBe(0xdeadbeef);
    expect(view.list).toEqual([1, 2, 0xffff]);
    expect(view.wide).toBe(0x0001_0203_0405_0607);
    expect(Sample.offsetOf('bigWord')).toBe(0x14);
  });

  it('refuses gaps, overlaps and a wrong total when the table is made', () => {
    expect(() =>
      struct('gap', 8, [
        [0, 'a', le32],
        [5, 'b', u8],
      ]),
    ).toThrow(/gap\.b/);
    expect(() =>
      struct('overlap', 8, [
        [0, 'a', le32],
        [2, 'b', le32],
      ]),
    ).toThrow(/overlap\.b/);
    expect(() => struct('short', 8, [[0, 'a', le32]])).toThrow(/end at 4/);
  });

  it('refuses a view that runs past the block, and raw bytes of another length', () => {
    expect(() => Sample.at(new Uint8Array(39), 0)).toThrow(RangeError);
    expect(() => Sample.at(new Uint8Array(48), 9)).toThrow(RangeError);
    expect(() => (Sample.at(new Uint8Array(40), 0).pad = new Uint8Array(2))).toThrow(RangeError);
  });

  it('gives 64-bit values exactly or not at all', () => {
    const block = new Uint8Array(8);
    setLe64(block, 0, Number.MAX_SAFE_INTEGER);
    expect(getLe64(block, 0)).toBe(Number.MAX_SAFE_INTEGER);
    block[7] = 0xff;
    expect(() => getLe64(block, 0)).toThrow(FsError);
    expect(() => getBe64(new Uint8Array(8).fill(0xff), 0)).toThrow(/2\^53/);
  });

  it('sees the buffer it was made on, also through a subarray', () => {
    const whole = new Uint8Array(100);
    const part = whole.subarray(20, 60);
    Sample.at(part, 0).word = 7;
    expect(whole[24]).toBe(7);
  });
});
