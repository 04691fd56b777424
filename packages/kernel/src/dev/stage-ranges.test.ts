import { expect, test } from 'vitest';
import { RangeSet } from './stage-ranges.ts';
import type { Range } from './stage-ranges.ts';

const numbers = (runs: readonly Range[]): number[] =>
  runs.flatMap(({ start, end }) => Array.from({ length: end - start }, (_, i) => start + i));

test('a set of ranges behaves as the set of its numbers', () => {
  const ranges = new RangeSet();
  const model = new Set<number>();
  let seed = 1;
  const next = (below: number): number => (seed = (seed * 1103515245 + 12345) & 0x7fffffff) % below;
  for (let step = 0; step < 4000; step++) {
    const start = next(60);
    const end = start + next(12);
    const span = numbers([{ start, end }]);
    const inside = span.filter((n) => model.has(n));
    expect(ranges.contains(start, end)).toBe(
      span.length === 0 ? ranges.contains(start, end) : inside.length === span.length,
    );
    expect(span.length > 0 && ranges.overlaps(start, end)).toBe(inside.length > 0);
    expect(numbers(ranges.within(start, end))).toEqual(inside);
    if (next(2) === 0) {
      expect(numbers(ranges.add(start, end))).toEqual(span.filter((n) => !model.has(n)));
      span.forEach((n) => model.add(n));
    } else {
      expect(numbers(ranges.remove(start, end))).toEqual(inside);
      span.forEach((n) => model.delete(n));
    }
    const runs = ranges.runs();
    expect(numbers(runs)).toEqual([...model].sort((a, b) => a - b));
    expect(runs.every(({ start, end }, i) => start < end && (i === 0 || (runs[i - 1]?.end ?? 0) < start))).toBe(true);
    expect(ranges.total()).toBe(model.size);
  }
});
