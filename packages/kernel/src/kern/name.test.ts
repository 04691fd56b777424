import { assert, property, uint8Array } from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isWellFormedName, nameByteLength, nameFromBytes, nameToBytes } from './name.ts';

const hex = (text: string): Uint8Array => Uint8Array.from(text.match(/../g) ?? [], (h) => parseInt(h, 16));

describe('file names', () => {
  it.each([
    ['plain', '66696c65', 'file'],
    ['UTF-8 of every length', 'c3bce697a5f09f9880', 'ü日😀'],
    ['an invalid byte', '61ff62', 'a\udcffb'],
    ['a truncated sequence', 'e697', '\udce6\udc97'],
    ['an overlong form', 'c0af', '\udcc0\udcaf'],
    ['a surrogate in UTF-8 (WTF-8)', 'eda080', '\udced\udca0\udc80'],
    ['a byte order mark', 'efbbbf61', '\ufeffa'],
    ['beyond U+10FFFF', 'f4908080', '\udcf4\udc90\udc80\udc80'],
  ])('%s', (_what, bytes, name) => {
    expect(nameFromBytes(hex(bytes))).toBe(name);
    expect(nameToBytes(name)).toEqual(hex(bytes));
    expect(nameByteLength(name)).toBe(bytes.length / 2);
  });

  it('maps any bytes to a name and back', () => {
    assert(
      property(uint8Array({ maxLength: 40 }), (bytes) => {
        const name = nameFromBytes(bytes);
        expect(nameToBytes(name)).toEqual(bytes);
        expect(nameByteLength(name)).toBe(bytes.length);
      }),
      { numRuns: 2000 },
    );
  });

  it('keeps different bytes different', () => {
    expect(nameFromBytes(hex('eda080'))).not.toBe(nameFromBytes(hex('eda081')));
    expect(isWellFormedName('ü😀')).toBe(true);
    expect(isWellFormedName('a\udcff')).toBe(false);
  });
});
