/** When ink takes over. */
import { Writable } from 'node:stream';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { newState } from './model/newstate.ts';
import type { State } from './model/state.ts';
import { PAUSE, showSoon } from './show.ts';

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

test('ink is loaded when keys pause, and draws at the next pause', async () => {
  const begun = newState({ image: 'x.img', look: { colors: 0, unicode: true }, columns: 60, lines: 8 });
  const [pane] = begun.panes;
  const state: State = { ...begun, panes: [{ ...pane, tabs: pane.tabs.map((tab) => ({ ...tab, isComplete: true })) }] };
  const watchers = new Set<() => void>();
  const press = (): void => {
    for (const watcher of watchers) watcher();
  };
  const store = { state, watch: (watcher: () => void) => (watchers.add(watcher), () => watchers.delete(watcher)) };
  const told: string[] = [];
  const inkHides = (): void => void told.push('hidden');
  const hide = showSoon(async () => {
    told.push('loaded');
    return () => (told.push('drawn'), inkHides);
  })(store, new Writable({ write: (_, __, done) => done() }) as unknown as NodeJS.WriteStream);
  for (let n = 0; n < 5; n++) {
    press();
    await vi.advanceTimersByTimeAsync(PAUSE - 1);
    expect(told).toEqual([]);
  }
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toEqual(['loaded']);
  await vi.advanceTimersByTimeAsync(PAUSE - 1);
  press();
  await vi.advanceTimersByTimeAsync(PAUSE - 1);
  expect(told).toEqual(['loaded']);
  await vi.advanceTimersByTimeAsync(1);
  expect(told).toEqual(['loaded', 'drawn']);
  hide();
  expect(told).toEqual(['loaded', 'drawn', 'hidden']);
});
