import { expect, test } from 'vitest';
import { cut, fit, widthOf } from './line.ts';

test.each(['… ', 'x', '日', 'e\u0301', '👩‍👩‍👧‍👦', '\u0301'])('a megabyte of %j is cut to the screen at once', (piece) => {
  const start = performance.now();
  const text = cut(piece.repeat(1 << 20), 80);
  expect(widthOf(text)).toBeLessThanOrEqual(80);
  expect(text.endsWith('~')).toBe(true);
  expect(widthOf(fit(piece.repeat(1 << 20), 80))).toBe(80);
  expect(performance.now() - start).toBeLessThan(1000);
});
