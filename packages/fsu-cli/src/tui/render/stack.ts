/** The tree of what the image is made of. */
import { NODE, stackWindow } from '../model/layout.ts';
import type { Area } from '../model/layout.ts';
import { activeTab } from '../model/state.ts';
import type { State } from '../model/state.ts';
import { fitLine, span } from './line.ts';
import type { Line } from './line.ts';

export function stackLines(state: State, area: Area): Line[] {
  const here = activeTab(state).place;
  const { first, count } = stackWindow(state.stackCursor, area);
  // A blank between it and the marks of the list.
  const width = area.width - (area.width < state.columns ? 1 : 0);
  return state.stack.slice(first, first + count).flatMap((node, nth): Line[] => {
    const indent = ' '.repeat(node.depth * 2);
    const isCursor = state.focus === 'stack' && first + nth === state.stackCursor;
    const style = isCursor ? 'cursor' : node.id === here ? 'bold' : node.kind === 'fs' ? 'dir' : 'dim';
    const lines = [
      fitLine([span(`${indent}${node.label}`, style)], width),
      fitLine([span(`${indent}  ${node.detail}`, 'dim')], width),
    ];
    return lines.slice(0, NODE);
  });
}
