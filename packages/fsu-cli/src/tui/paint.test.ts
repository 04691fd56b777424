import { expect, test } from 'vitest';
import { paint } from './paint.ts';
import { span } from './render/line.ts';

test('no control character of a text gets through, whoever forgot to escape it', () => {
  const hostile = 'a\x1b[31mb\x07\n\x7f\x9b31mc';
  expect(paint([span(hostile)], { colors: 16, unicode: true })).toBe('a?[31mb????31mc');
  expect(paint([span(hostile, 'dir')], { colors: 16, unicode: true })).toBe('\x1b[1;34ma?[31mb????31mc\x1b[0m');
});

test('without colours there is weight and reversal, and no colour', () => {
  expect(paint([span('a', 'dir'), span('b', 'link'), span('c', 'cursor')], { colors: 0, unicode: true })).toBe(
    '\x1b[1ma\x1b[0mb\x1b[7mc\x1b[0m',
  );
});
