import { nameToBytes } from 'ukfs';
import { expect, test } from 'vitest';
import { parseValue, valueText } from './xattrvalue.ts';

const bytes = (...values: number[]): Uint8Array => Uint8Array.from(values);

test.each([
  ['plain', nameToBytes('plain')],
  ['', bytes()],
  ['"a\\"b\\011\\\\"', nameToBytes('a"b\t\\')],
  ['"\\377"', bytes(255)],
  ['0x00fF', bytes(0, 255)],
  ['0x', bytes()],
  ['0sAP8B', bytes(0, 255, 1)],
  ['0sAA==', bytes(0)],
  ['0sAAE=', bytes(0, 1)],
])('%j is a value', (text, value) => expect(parseValue(text)).toEqual(value));

test.each(['0xabc', '0xgg', '0sAAA', '0s=AAA', '"', '"a', '"a"b"'])('%j is none', (text) =>
  expect(parseValue(text)).toBeUndefined(),
);

test('what is shown is read again', () => {
  const all = Uint8Array.from({ length: 256 }, (_, i) => i);
  for (const how of ['text', 'hex', 'base64', undefined] as const)
    for (const value of [all, bytes(), bytes(9, 10), nameToBytes('0x12'), nameToBytes('"')])
      expect(parseValue(valueText(value, how))).toEqual(value);
});
