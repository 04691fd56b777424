/** Issue 5, item 3: a text's encoding is guessed, and what is shown of it is fit for a terminal. */
import { describe, expect, test } from 'vitest';
import { encodingOf, lineStart, nextLine, previousLine, textLines } from './text.ts';

const bytesOf = (text: string): Uint8Array => Uint8Array.from(text, (char) => char.charCodeAt(0));
const utf8 = (text: string): Uint8Array => new TextEncoder().encode(text);
const little = (text: string): Uint8Array => bytesOf([...text].map((char) => `${char}\0`).join(''));
const big = (text: string): Uint8Array => bytesOf([...text].map((char) => `\0${char}`).join(''));

describe('the encoding', () => {
  test.each([
    ['ASCII', bytesOf('plain\n')],
    ['UTF-8', utf8('schön\n')],
    ['ISO 8859-1', bytesOf('sch\xf6n und gut\n')],
    ['UTF-16LE', little('schön\n')],
    ['UTF-16BE', big('schön\n')],
  ])('%s', (encoding, bytes) => {
    expect(encodingOf(bytes, true)).toEqual({ encoding, mark: 0 });
    const [line] = textLines(bytes, encodingOf(bytes, true)?.encoding ?? 'ASCII', 10);
    expect(line).toMatch(/^(schön|plain)/);
  });

  test('a byte order mark decides, and is not shown', () => {
    expect(encodingOf(utf8('\ufeffx'), true)).toEqual({ encoding: 'UTF-8', mark: 3 });
    expect(encodingOf(Uint8Array.of(0xff, 0xfe, ...little('ab')), true)).toEqual({ encoding: 'UTF-16LE', mark: 2 });
    expect(encodingOf(Uint8Array.of(0xfe, 0xff, ...big('ab')), true)).toEqual({ encoding: 'UTF-16BE', mark: 2 });
    expect(textLines(Uint8Array.of(0xfe, 0xff, ...big('ab')), 'UTF-16BE', 5)).toEqual(['ab']);
  });

  test('numbers and control characters are no text', () => {
    expect(encodingOf(Uint8Array.of(1, 2, 0, 3, 255), true)).toBeUndefined();
    expect(encodingOf(Uint8Array.of(1, 2, 3, 4, 5, 6), true)).toBeUndefined();
    expect(encodingOf(Uint8Array.of(0xff, 0xfe, 1, 0, 2, 0), true)).toBeUndefined();
  });

  test('a character cut off where reading ends is no reason to doubt UTF-8, at the end of the file it is', () => {
    const cut = utf8(`${'x'.repeat(100)}ö`).subarray(0, -1);
    expect(encodingOf(cut, false)?.encoding).toBe('UTF-8');
    expect(encodingOf(cut, true)?.encoding).toBe('ISO 8859-1');
  });
});

test('control characters are escaped, tabs expanded, long lines cut', () => {
  const lines = textLines(utf8(`a\tb\nred\x1b[31m\x9b\tx\n${'x'.repeat(5000)}\r\nlast`), 'UTF-8', 10);
  expect(lines[0]).toBe('a       b');
  expect(lines[1]).toMatch(/^red\\033\[31m/);
  expect(lines[2]).toHaveLength(1000);
  expect(lines[3]).toBe('last');
  expect(lines.join('')).not.toMatch(/\p{Cc}/u);
});

test('lone surrogates of a UTF-16 text are no characters', () => {
  expect(textLines(Uint8Array.of(0x61, 0, 0x00, 0xd8, 0x62, 0), 'UTF-16LE', 5)).toEqual(['a\ufffdb']);
});

describe('lines', () => {
  test.each([
    ['UTF-8', utf8],
    ['UTF-16LE', little],
    ['UTF-16BE', big],
  ] as const)('forward and back in %s', (encoding, bytesFrom) => {
    const bytes = bytesFrom('one\n\nthree\nlast');
    const unit = encoding === 'UTF-8' ? 1 : 2;
    const starts = [0, 4, 5, 11].map((at) => at * unit);
    for (const [at, start] of starts.entries()) {
      expect(nextLine(bytes, start, encoding)).toBe(starts[at + 1] ?? bytes.length);
      expect(previousLine(bytes, start, encoding)).toBe(starts[at - 1] ?? 0);
    }
    expect(lineStart(bytes, 8 * unit, encoding)).toBe(5 * unit);
  });

  test('without an end they are cut: no step reads without bound', () => {
    const bytes = new Uint8Array(100_000).fill(0x78);
    expect(nextLine(bytes, 10, 'ASCII')).toBe(10 + 4096);
    expect(previousLine(bytes, 50_000, 'ASCII')).toBeGreaterThan(50_000 - 4100);
  });
});
