/** Scrolling on screens that are longer than the terminal: the same actions for each, under its name. */
import { layoutOf } from '../model/layout.ts';
import type { Screen, State } from '../model/state.ts';
import { still } from '../model/step.ts';
import type { Step } from '../model/step.ts';

type Scrolled = Extract<Screen, { readonly top: number }>;

/** `helpDown`, `helpUp`, `helpPageDown`, … for a screen called help. */
export function scrolling(
  name: Scrolled['name'],
  length: (state: State) => number,
): Readonly<Record<string, (state: State) => Step>> {
  const by =
    (lines: (height: number, state: State) => number) =>
    (state: State): Step => {
      const { screen } = state;
      if (screen.name !== name || !('top' in screen)) return still(state);
      const { height } = layoutOf(state).middle;
      const top = Math.max(0, Math.min(screen.top + lines(height, state), length(state) - height));
      return still({ ...state, screen: { ...screen, top } });
    };
  return {
    [`${name}Down`]: by(() => 1),
    [`${name}Up`]: by(() => -1),
    [`${name}PageDown`]: by((height) => height - 1),
    [`${name}PageUp`]: by((height) => 1 - height),
    [`${name}First`]: by(() => -Infinity),
    [`${name}Last`]: by((_, state) => length(state)),
  };
}
