/** The tree of what the image is made of. */
import type { Area } from '../model/layout.ts';
import { activeTab } from '../model/state.ts';
import type { State } from '../model/state.ts';
import { fitLine, span } from './line.ts';
import type { Line } from './line.ts';

export function stackLines(state: State, { width }: Area): Line[] {
  const here = activeTab(state).place;
  return state.stack.flatMap((node, at): Line[] => {
    const indent = ' '.repeat(node.depth * 2);
    const isCursor = state.focus === 'stack' && at === state.stackCursor;
    const style = isCursor ? 'cursor' : node.id === here ? 'bold' : node.kind === 'fs' ? 'dir' : 'dim';
    return [
      fitLine([span(`${indent}${node.label}`, style)], width),
      fitLine([span(`${indent}  ${node.detail}`, 'dim')], width),
    ];
  });
}
