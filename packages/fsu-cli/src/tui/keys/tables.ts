/** The keys as tables: of the help overlay, of --help and of the manual page. */
import type { Table } from '../../command.ts';
import { keyBindings } from './index.ts';

const groups = [...new Set(keyBindings.map(({ group }) => group))];

export const keyTables: readonly Table[] = groups.map((title) => {
  const members = keyBindings.filter(({ group }) => group === title);
  // What is the same in the lists and in the tree is told once.
  const rows = new Map(members.map(({ keys, help }) => [keys.join('  '), help]));
  return { title, rows: [...rows].map(([term, says]) => ({ term, says })) };
});
