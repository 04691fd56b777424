/** The keys' tables: the same in the overlay and on the manual page. */
import { expect, test } from 'vitest';
import { browse } from '../../commands/browse.ts';
import { commandPage } from '../../help/man.ts';
import { helpOf } from '../../parser.ts';
import { keyBindings } from '../keys/index.ts';
import { newState } from '../model/newstate.ts';
import { update } from '../model/update.ts';
import type { State } from '../model/state.ts';
import { help } from './help.ts';

const start = newState({ image: 'disk.img', look: { colors: 0, unicode: true }, columns: 100, lines: 20 });
const press = (state: State, ...keys: readonly string[]): State =>
  keys.reduce((now, key) => update(now, { kind: 'key', key })[0], state);

function seen(state: State): readonly string[] {
  if (state.screen.name !== 'help') return [];
  const area = { left: 0, top: 0, width: 100, height: 1000 };
  return help.lines(state, state.screen, area).map((line) => line.map(({ text }) => text).join(''));
}

test('each key is in the overlay, in --help and on the manual page', () => {
  const overlay = seen(press(start, '?')).join('\n');
  const text = helpOf(browse, 'fsu browse');
  const page = commandPage(browse).replaceAll('\\', '');
  for (const { keys, help: says } of keyBindings) {
    const term = keys.join('  ');
    expect(overlay).toContain(term);
    expect(overlay).toContain(says);
    expect(text).toContain(`  ${term} `);
    expect(text).toContain(says);
    expect(page).toContain(says.replaceAll('\\', ''));
  }
});

test('the overlay is filtered as one types, and whole again afterwards', () => {
  const asked = press(start, '?', '/', 'u', 'n', 'd', 'o');
  expect(seen(asked).filter((line) => line.startsWith('  '))).toEqual([expect.stringContaining('undo the last edit')]);
  expect(seen(press(asked, 'enter'))).toEqual(seen(asked));
  expect(seen(press(asked, 'escape'))).toEqual(seen(press(start, '?')));
});
