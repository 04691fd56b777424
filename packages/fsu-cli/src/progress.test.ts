import { describe, expect, test } from 'vitest';
import { ProgressTeller } from './progress.ts';

/** A clock that a test moves, and what was said. */
function world() {
  const said: string[] = [];
  let ms = 0;
  return {
    said,
    pass: (more: number) => void (ms += more),
    err: (text: string) => void said.push(text),
    now: () => ({ sec: Math.floor(ms / 1000), nsec: (ms % 1000) * 1_000_000 }),
  };
}

describe('progress', () => {
  test('a line that is written over: not before half a second, not too often, gone before other text and at the end', () => {
    const w = world();
    const progress = new ProgressTeller(w, 'overwrite');
    progress.bytes(1000);
    w.pass(499);
    progress.files(1);
    expect(w.said).toEqual([]);
    w.pass(1);
    progress.bytes(1024);
    progress.bytes(24);
    expect(w.said).toEqual(['\r\x1b[K1 file, 2.0K, 4.0K/s']);
    progress.hide();
    progress.hide();
    w.pass(200);
    progress.files(1);
    progress.end();
    expect(w.said.slice(1)).toEqual(['\r\x1b[K', '\r\x1b[K2 files, 2.0K, 2.9K/s', '\r\x1b[K']);
  });

  test('lines: one a second, and one at the end, once', () => {
    const w = world();
    const progress = new ProgressTeller(w, 'lines');
    w.pass(600);
    progress.files(3);
    w.pass(900);
    progress.files(1);
    progress.end();
    progress.end();
    expect(w.said).toEqual(['3 files\n', '4 files\n']);
    const quiet = world();
    new ProgressTeller(quiet, 'lines').end();
    expect(quiet.said).toEqual(['nothing yet\n']);
  });

  test('JSON: each line is a document', () => {
    const w = world();
    const progress = new ProgressTeller(w, 'json');
    w.pass(1500);
    progress.bytes(7);
    progress.end();
    expect(w.said.map((line) => JSON.parse(line) as unknown)).toEqual(
      [false, true].map((done) => ({ schema: 'fsu.progress', version: 1, files: 0, bytes: 7, seconds: 1.5, done })),
    );
  });
});
