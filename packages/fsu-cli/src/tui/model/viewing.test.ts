/** Issue 5, item 3: the pager, on a file that answers from memory. */
import { expect, test } from 'vitest';
import { frameOf } from '../render/frame.ts';
import type { Effect } from './event.ts';
import { newState } from './newstate.ts';
import { noNames } from './order.ts';
import { beginning } from './moving.ts';
import type { Row, State } from './state.ts';
import { update } from './update.ts';

/** A browser with one file, whose questions are answered at once. */
class Pager {
  state: State;
  /** The most bytes that were asked for at once. */
  most = 0;
  readonly #bytes: Uint8Array;

  constructor(bytes: Uint8Array) {
    this.#bytes = bytes;
    const start = newState({ image: 'disk.img', look: { colors: 0, unicode: true }, columns: 79, lines: 13 });
    [this.state] = beginning(start);
    const row: Row = {
      name: 'file',
      type: 'reg',
      size: bytes.length,
      bytes: 0,
      mtime: { sec: 0, nsec: 0 },
      mode: 0o644,
      uid: 0,
      gid: 0,
      nlink: 1,
      ino: 12,
    };
    const node = { id: 'disk.img', depth: 0, kind: 'fs', label: 'disk.img', detail: 'ext4', advice: '' } as const;
    [this.state] = update(this.state, { kind: 'answer', what: 'stack', token: this.state.token, value: [node] });
    const place = { id: 'disk.img', label: 'disk.img', type: 'ext2fs', readOnly: undefined };
    [this.state] = update(this.state, { kind: 'answer', what: 'enter', token: this.state.token, value: place });
    const value = { rows: [row], byName: { ...noNames, others: Uint32Array.of(0) } };
    [this.state] = update(this.state, { kind: 'part', what: 'list', token: this.state.token, value });
    this.keys('o');
  }

  keys(...keys: readonly string[]): this {
    for (const key of keys) this.#take(update(this.state, { kind: 'key', key }));
    return this;
  }

  #take([state, effects]: readonly [State, readonly Effect[]]): void {
    this.state = state;
    for (const effect of effects) {
      if (effect.kind !== 'ask') continue;
      const { ask, token } = effect;
      if (ask.what === 'window') {
        this.most = Math.max(this.most, ask.length);
        const value = this.#bytes.slice(ask.offset, ask.offset + ask.length);
        this.#take(update(this.state, { kind: 'answer', what: 'window', token, value }));
      } else if (ask.what === 'seek') {
        const text = new TextDecoder('latin1').decode(this.#bytes);
        const wanted = new TextDecoder('latin1').decode(ask.wanted);
        const at = ask.way === 'back' ? text.slice(0, ask.from).lastIndexOf(wanted) : text.indexOf(wanted, ask.from);
        this.#take(update(this.state, { kind: 'answer', what: 'seek', token, value: at < 0 ? undefined : at }));
      }
    }
  }

  get lines(): readonly string[] {
    const [column] = frameOf(this.state).columns;
    return (column?.lines ?? []).map((line) =>
      line
        .map(({ text }) => text)
        .join('')
        .trimEnd(),
    );
  }
}

const numbered = (count: number): Uint8Array =>
  new TextEncoder().encode(Array.from({ length: count }, (_, at) => `line ${at}\n`).join(''));

test('lines go by one by one, back and forth, and to both ends', () => {
  const pager = new Pager(numbered(50_000));
  expect(pager.lines[0]).toBe('/file  ASCII  0% of 526K');
  expect(pager.lines.slice(1)).toEqual(Array.from({ length: 10 }, (_, at) => `line ${at}`));
  expect(pager.keys('j', 'j').lines[1]).toBe('line 2');
  expect(pager.keys('k').lines[1]).toBe('line 1');
  expect(pager.keys('k', 'k', 'k').lines[1]).toBe('line 0');
  expect(pager.keys('G').lines.slice(1)).toEqual(Array.from({ length: 10 }, (_, at) => `line ${49_990 + at}`));
  expect(pager.keys('k').lines[1]).toBe('line 49989');
  expect(pager.keys('g', 'g').lines[1]).toBe('line 0');
  for (let page = 0; page < 2000; page++) pager.keys('space');
  expect(pager.lines[1]).toBe('line 18000');
  for (let page = 0; page < 1000; page++) pager.keys('pageup');
  expect(pager.lines[1]).toBe('line 9000');
  expect(pager.most).toBeLessThanOrEqual(64 * 1024);
});

test('search goes to the line, the next one to the one after, and says when there is none', () => {
  const pager = new Pager(numbered(50_000));
  pager.keys('/', ...'7777', 'enter');
  expect(pager.lines[1]).toBe('line 7777');
  expect(pager.keys('n').lines[1]).toBe('line 17777');
  expect(pager.keys('n', 'n', 'n').lines[1]).toBe('line 47777');
  expect(pager.keys('n').lines[0]).toContain('no 7777 from here on');
});

test('N goes back to the place before, also among numbers, and says when there is none', () => {
  const pager = new Pager(numbered(50_000));
  pager.keys('/', ...'7777', 'enter', 'n', 'n');
  expect(pager.lines[1]).toBe('line 27777');
  expect(pager.keys('N').lines[1]).toBe('line 17777');
  expect(pager.keys('N').lines[1]).toBe('line 7777');
  expect(pager.keys('N').lines[0]).toContain('no 7777 before here');
  expect(pager.keys('n').lines[1]).toBe('line 17777');
  expect(pager.keys('x', 'N').lines.slice(1, 3).join('')).toMatch(/7777/);
  expect(pager.keys('N').lines[0]).toContain('no 7777 before here');
});

test('what is no text is numbers, and text can be seen as such', () => {
  const bytes = Uint8Array.from({ length: 1000 }, (_, at) => at % 256);
  const pager = new Pager(bytes);
  expect(pager.lines[0]).toContain('hexadecimal');
  expect(pager.lines[1]).toMatch(/^00000000 {2}00 01 02/);
  expect(pager.keys('G').lines.at(-1)).toMatch(/^000003e0 /);
  const text = new Pager(numbered(100)).keys('x');
  expect(text.lines[1]).toMatch(/^00000000 {2}6c 69 6e 65 20 30 0a/);
  expect(text.keys('j', 'x').lines[1]).toBe('line 2');
});

test('nothing raw is shown', () => {
  const pager = new Pager(
    new TextEncoder().encode('red \x1b[31m and more of it, so that it is a text at all, with words'),
  );
  expect(pager.lines[1]).toContain('red \\033[31m and');
});

test('a file that has become empty, and one that is, are no trouble', () => {
  const pager = new Pager(new Uint8Array());
  expect(pager.keys('j', 'k', 'G', 'x', 'n').lines).toHaveLength(11);
});
