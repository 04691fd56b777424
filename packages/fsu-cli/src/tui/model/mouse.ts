/** What the mouse does: a press chooses, two enter, the wheel scrolls what is under it. */
import type { Event } from './event.ts';
import { hitOf, listHeight } from './layout.ts';
import { walkedTo } from './listing.ts';
import { pickedAt } from './picking.ts';
import type { State } from './state.ts';
import { followedBy, still, withTab } from './step.ts';
import type { Step } from './step.ts';

type Mouse = Extract<Event, { readonly kind: 'mouse' }>;
type Act = (state: State, action: string) => Step;

/** `act` does what a key would. */
export function moused(state: State, event: Mouse, act: Act): Step {
  if (state.prompt !== undefined) return still(state);
  if (state.screen.name === 'files') return overLists(state, event, act);
  if (event.what === 'wheel') return repeated(state, state.screen.name, event.lines, act);
  const now = pickedAt(state, event.line);
  return now !== undefined && event.what === 'double' ? act(now, 'pickGo') : still(now ?? state);
}

function overLists(state: State, { what, column, line, lines }: Mouse, act: Act): Step {
  const hit = hitOf(state, column, line);
  if (hit === undefined) return still(state);
  if (hit.what === 'preview') return what === 'wheel' ? repeated(state, 'preview', lines, act) : still(state);
  if (hit.what === 'node' || hit.what === 'stack') {
    if (what === 'wheel') return repeated(state, 'stack', lines, act);
    const now: State = { ...state, focus: 'stack', stackCursor: hit.what === 'node' ? hit.at : state.stackCursor };
    return what === 'double' && hit.what === 'node' ? act(now, 'stackEnter') : still(now);
  }
  const now: State = { ...state, focus: 'list', active: hit.pane };
  if (what === 'wheel') return still(withTab(now, (tab) => walkedTo(tab, tab.cursor + lines, listHeight(state))));
  if (hit.what === 'pane') return still(now);
  const { at } = hit;
  const chosen = withTab(now, (tab) => walkedTo(tab, at, listHeight(state)));
  return what === 'double' ? act(chosen, 'enter') : still(chosen);
}

/** `helpDown`, `helpUp`: as often as the wheel has turned. */
function repeated(state: State, name: string, lines: number, act: Act): Step {
  const action = `${name}${lines > 0 ? 'Down' : 'Up'}`;
  let step = still(state);
  for (let n = 0; n < Math.min(Math.abs(lines), MOST); n++) step = followedBy(step, (now) => act(now, action));
  return step;
}

/** Of one event: no terminal tells more. */
const MOST = 20;
