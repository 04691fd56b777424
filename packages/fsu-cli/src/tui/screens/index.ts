/** Screens that take the place of the lists: what of them is seen, and what keys do there. */
import type { Area } from '../model/layout.ts';
import type { Screen, ScreenName, State } from '../model/state.ts';
import type { Step } from '../model/step.ts';
import type { Line } from '../render/line.ts';
import { contents } from './contents.ts';
import { facts } from './facts.ts';
import { help } from './help.ts';
import { output } from './output.ts';
import { pick } from './pick.ts';
import { review } from './review.ts';
import { view } from './view.ts';

export interface ScreenModule<K extends ScreenName> {
  /** Its lines; what does not fit the area is cut. */
  lines(state: State, screen: Extract<Screen, { readonly name: K }>, area: Area): readonly Line[];
  /** By the names that keys.ts has, where `in` is the screen's name. */
  readonly actions: Readonly<Record<string, (state: State) => Step>>;
}

type ScreenModules = { readonly [K in Exclude<ScreenName, 'files'>]: ScreenModule<K> };

const screens: ScreenModules = { contents, facts, help, output, pick, review, view };

export const screenActions: Readonly<Record<string, (state: State) => Step>> = Object.assign(
  {},
  ...Object.values(screens).map(({ actions }) => actions),
);

/** Lines of the screen that is shown; undefined: the lists are. */
export function screenLines(state: State, area: Area): readonly Line[] | undefined {
  const { screen } = state;
  return screen.name === 'files' ? undefined : linesOf(screen.name, state, area);
}

function linesOf<K extends Exclude<ScreenName, 'files'>>(
  name: K,
  state: State,
  area: Area,
): readonly Line[] | undefined {
  const { screen } = state;
  return isOf(screen, name) ? screens[name].lines(state, screen, area) : undefined;
}

const isOf = <K extends ScreenName>(screen: Screen, name: K): screen is Extract<Screen, { readonly name: K }> =>
  screen.name === name;
