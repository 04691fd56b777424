/** Where the symbolic links lead that are seen in the lists: asked for as they come into sight, nobody waits for it. */
import { listHeight } from './layout.ts';
import type { State, Tab } from './state.ts';
import { ask, followedBy, mapTabs, still } from './step.ts';
import type { AnswerHandlers, Step } from './step.ts';

export interface Link {
  readonly name: string;
  readonly target: string;
  /** Nothing is there. */
  readonly isBroken: boolean;
}

/** Of a list. */
export interface Links {
  /** By name; of a list that is read again, as they were, until they are known again. */
  readonly known: ReadonlyMap<string, Link>;
  /** Names that were asked for since the list was read. */
  readonly asked: ReadonlySet<string>;
  /** Of the question that is under way; 0: none is. */
  readonly token: number;
}

export const noLinks: Links = { known: new Map(), asked: new Set(), token: 0 };

/** The list is another: all that is seen is asked for again. */
export const unasked = (links: Links): Links => ({ ...links, asked: new Set(), token: 0 });

/** After each event: what has come into sight is asked for. */
export function withLinks(step: Step): Step {
  return followedBy(step, (state) =>
    state.screen.name === 'files'
      ? state.panes.reduce<Step>(
          (before, { tabs, tab }) => followedBy(before, (now) => askedIn(now, tabs[tab])),
          still(state),
        )
      : still(state),
  );
}

function askedIn(state: State, tab: Tab | undefined): Step {
  // One question at a time: who scrolls fast is not followed row by row.
  if (tab === undefined || tab.isStale || tab.links.token !== 0) return still(state);
  const names = Array.from(tab.shown.subarray(tab.top, tab.top + listHeight(state))).flatMap((at) => {
    const row = tab.rows[at];
    return row?.type === 'lnk' && !tab.links.asked.has(row.name) ? [row.name] : [];
  });
  if (names.length === 0) return still(state);
  return ask(state, { what: 'links', place: tab.place, dir: tab.dir, names }, (now, token) =>
    mapTabs(now, (one) =>
      one === tab ? { ...one, links: { ...one.links, token, asked: new Set([...one.links.asked, ...names]) } } : one,
    ),
  );
}

const inAsking = (state: State, token: number, change: (links: Links) => Links): Step =>
  still(mapTabs(state, (tab) => (tab.links.token === token ? { ...tab, links: change(tab.links) } : tab)));

export const linkAnswers: Pick<AnswerHandlers, 'links'> = {
  links: {
    answer: (state, { token, value }) =>
      inAsking(state, token, (links) => ({
        ...links,
        token: 0,
        known: new Map([...links.known, ...value.map((link) => [link.name, link] as const)]),
      })),
    // What is wrong with the directory, its list says.
    failed: (state, { token }) => inAsking(state, token, (links) => ({ ...links, token: 0 })),
  },
};
