import { expect, test } from 'vitest';
import { Cooker } from './cook.ts';
import type { CookOptions } from './cook.ts';

const plain: CookOptions = {
  numberAll: false,
  numberFilled: false,
  squeeze: false,
  ends: false,
  tabs: false,
  visible: false,
};

/** Through a cooker in pieces of every size, which must all agree. */
function cook(input: string, options: Partial<CookOptions>): string {
  const bytes = Buffer.from(input, 'latin1');
  const results = [1, 2, 3, bytes.length].map((piece) => {
    const out: Buffer[] = [];
    const cooker = new Cooker({ ...plain, ...options }, (chunk, length) =>
      out.push(Buffer.from(chunk.slice(0, length))),
    );
    for (let i = 0; i < bytes.length; i += piece)
      cooker.write(bytes.subarray(i, i + piece), Math.min(piece, bytes.length - i));
    cooker.flush();
    return Buffer.concat(out).toString('latin1');
  });
  expect(new Set(results).size).toBe(1);
  return results[0] ?? '';
}

test.each([
  ['-n', { numberAll: true }, 'a\n\nb', '     1\ta\n     2\t\n     3\tb'],
  ['-b', { numberFilled: true }, 'a\n\nb\n', '     1\ta\n\n     2\tb\n'],
  ['-be', { numberFilled: true, ends: true, visible: true }, 'a\n\nb\n', '     1\ta$\n      \t$\n     2\tb$\n'],
  ['-s', { squeeze: true }, '\n\n\na\n\n\nb\n\n', '\na\n\nb\n\n'],
  ['-sn', { squeeze: true, numberAll: true }, 'a\n\n\nb\n', '     1\ta\n     2\t\n     3\tb\n'],
  ['-E', { ends: true }, 'a\n\n', 'a$\n$\n'],
  ['-T', { tabs: true }, 'a\tb\x01', 'a^Ib\x01'],
  ['-v', { visible: true }, '\x00\x1f\t\x7f\x80\x9f\xa0\xff\n', '^@^_\t^?M-^@M-^_M- M-^?\n'],
  ['-t', { visible: true, tabs: true }, '\t\x8a', '^IM-^J'],
] as const)('cat %s', (_, options, input, output) => {
  expect(cook(input, options)).toBe(output);
});

test('a large file goes through in bounded pieces', () => {
  let pieces = 0;
  let bytes = 0;
  const cooker = new Cooker({ ...plain, visible: true }, (_, length) => {
    pieces += 1;
    bytes += length;
    expect(length).toBeLessThanOrEqual(64 * 1024);
  });
  const block = new Uint8Array(100_000).fill(0x80);
  cooker.write(block, block.length);
  cooker.flush();
  expect(bytes).toBe(400_000);
  expect(pieces).toBeGreaterThan(5);
});
