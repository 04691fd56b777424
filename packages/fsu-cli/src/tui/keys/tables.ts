/** The keys as tables: of the help overlay, of --help and of the manual page. */
import type { Table } from '../../command.ts';
import type { KeyBinding } from './binding.ts';
import { keyBindings } from './index.ts';
import { typingKeys } from './typing.ts';

/** Of the lists first, which is where one begins. */
export const keyTables: readonly Table[] = keyTablesFrom('list');

/** All of them; those with keys of the place come first. */
export function keyTablesFrom(place: KeyBinding['in']): readonly Table[] {
  const titles = [...new Set(keyBindings.map(({ group }) => group))];
  const isOfPlace = (title: string): boolean =>
    keyBindings.some(({ group, in: of }) => group === title && of === place);
  return [...titles.filter(isOfPlace), ...titles.filter((title) => !isOfPlace(title))].map(tableOf).concat(typingKeys);
}

function tableOf(title: string): Table {
  const terms = new Map<string, Set<string>>();
  // What is the same in several places is told once, and so are keys that are told alike.
  for (const { keys, help } of keyBindings.filter(({ group }) => group === title))
    terms.set(help, new Set([...(terms.get(help) ?? []), ...keys]));
  return { title, rows: [...terms].map(([says, keys]) => ({ term: [...keys].join('  '), says })) };
}
