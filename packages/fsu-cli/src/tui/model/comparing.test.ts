/** Differences and findings as lists: which are shown, and where one comes from them. */
import { expect, test } from 'vitest';
import type { AnswerEvent } from './ask.ts';
import type { Effect, Event } from './event.ts';
import { newState } from './newstate.ts';
import { shownRows } from './picking.ts';
import type { State } from './state.ts';
import { mapTabs } from './step.ts';
import { update } from './update.ts';

const begun = (): State =>
  mapTabs(newState({ image: 'a.img', look: { colors: 0, unicode: true }, columns: 100, lines: 20 }), (tab) => ({
    ...tab,
    place: 'a.img',
    isComplete: true,
  }));

function after(state: State, ...events: readonly (string | Event)[]): readonly [State, readonly Effect[]] {
  let now = state;
  const effects: Effect[] = [];
  for (const event of events) {
    const [next, more] = update(now, typeof event === 'string' ? { kind: 'key', key: event } : event);
    now = next;
    effects.push(...more);
  }
  return [now, effects];
}

const asks = (effects: readonly Effect[]) => effects.flatMap((effect) => (effect.kind === 'ask' ? [effect.ask] : []));
const paths = ({ screen }: State): readonly string[] =>
  screen.name === 'pick' ? shownRows(screen).map(({ path }) => path) : [];

/** A list of differences between a.img and b.img. */
function compared(): State {
  const [state] = after(begun(), 'C', ...'b.img', 'enter');
  const row = (path: string, change: string, isFile = false) => ({ path, change, what: '', isFile });
  const value = [row('/new', 'added'), row('/old', 'removed'), row('/text', 'changed', true), row('/odd', 'type')];
  const event: AnswerEvent = { kind: 'part', what: 'compare', token: state.token, value };
  return after(state, event)[0];
}

test('with one list and nothing staged C asks for the other image', () => {
  const [asked] = after(begun(), 'C');
  expect(asked.prompt?.title).toBe('compare with image: ');
  const [, effects] = after(asked, ...'b.img', 'enter');
  expect(asks(effects)).toContainEqual({ what: 'compare', before: 'a.img', after: 'b.img', dir: '/' });
});

test('only those added, removed or changed; the same key brings all back', () => {
  const state = compared();
  expect(paths(state)).toHaveLength(4);
  expect(paths(after(state, '+')[0])).toEqual(['/new']);
  expect(paths(after(state, '-')[0])).toEqual(['/old']);
  expect(paths(after(state, '~')[0])).toEqual(['/text', '/odd']);
  expect(paths(after(state, '~', '~')[0])).toHaveLength(4);
  expect(paths(after(state, '~', '+')[0])).toEqual(['/new']);
});

test('Enter: how contents differ, and back; otherwise to the side that has it', () => {
  const state = compared();
  const [asked, effects] = after(state, 'j', 'j', 'enter');
  expect(asks(effects)).toEqual([{ what: 'contents', before: 'a.img', after: 'b.img', path: '/text' }]);
  const [shown] = after(asked, { kind: 'answer', what: 'contents', token: asked.token, value: ['-a', '+b'] });
  expect(shown.screen).toMatchObject({ name: 'contents', lines: ['-a', '+b'] });
  expect(after(shown, 'q')[0].screen).toMatchObject({ name: 'pick', cursor: 2 });
  expect(asks(after(state, 'enter')[1])).toContainEqual({ what: 'list', place: 'b.img', dir: '/' });
  expect(asks(after(state, 'j', 'enter')[1])).toContainEqual({ what: 'list', place: 'a.img', dir: '/' });
});

test('space by size or by bytes on disk, the largest first, and so it stays on the way down', () => {
  const [asked] = after(begun(), 'D');
  const sum = (name: string, allocated: number, apparent: number) => ({
    name,
    isDir: true,
    allocated,
    apparent,
    entries: 1,
  });
  const value = [sum('small', 1000, 9000), sum('large', 8000, 10)];
  const [state] = after(asked, { kind: 'answer', what: 'usage', token: asked.token, value });
  expect(paths(state)).toEqual(['/large', '/small']);
  const [other] = after(state, 'a');
  expect(paths(other)).toEqual(['/small', '/large']);
  const [down] = after(other, 'enter');
  expect(down.screen).toMatchObject({ dir: '/small', isApparent: true });
  const [up] = after(after(state, 'j', 'enter')[0], 'h');
  // The cursor is on where one came from.
  const [back] = after(up, { kind: 'answer', what: 'usage', token: up.token, value });
  expect(back.screen).toMatchObject({ dir: '/', cursor: 1 });
});
