import { expect, test } from 'vitest';
import { newState } from './model/newstate.ts';
import { noted } from './model/step.ts';
import { update } from './model/update.ts';
import { spoken } from './plain.ts';

const fresh = newState({
  image: 'disk.img',
  look: { colors: 0, unicode: true, isPlain: true },
  columns: 80,
  lines: 24,
});

test('the first lines', () => {
  expect(spoken(undefined, fresh)).toEqual(['disk.img: ? tells the keys']);
});

test('a note is told once, and nothing of it reaches the terminal but text', () => {
  const now = noted(fresh, 'no \x1b[31m here');
  expect(spoken(fresh, now)).toEqual(['no \\033[31m here']);
  expect(spoken(now, now)).toEqual([]);
});

test('a question, its answer as it was typed, a screen, and back', () => {
  const [asked] = update(fresh, { kind: 'key', key: ':' });
  expect(spoken(fresh, asked)).toEqual([':']);
  const [typed] = update(asked, { kind: 'key', key: 'x' });
  expect(spoken(asked, typed)).toEqual([]);
  const [dropped] = update(typed, { kind: 'key', key: 'escape' });
  expect(spoken(typed, dropped)).toEqual([':x']);
  const [help] = update(fresh, { kind: 'key', key: '?' });
  expect(spoken(fresh, help)[0]).toBe('Moving');
  const [scrolled] = update(help, { kind: 'key', key: 'j' });
  // Only the line that has come into sight.
  expect(spoken(help, scrolled).length).toBeLessThanOrEqual(1);
  const [back] = update(help, { kind: 'key', key: 'q' });
  expect(spoken(help, back)).toEqual(['back in the list']);
});
