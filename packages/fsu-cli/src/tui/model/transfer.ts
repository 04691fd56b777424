/** Files on their way: copied, cut and pasted, within a place, between two of them, and from and to the host. */
import { nameToBytes } from 'ukfs';
import type { Conflict, Transfer } from './ask.ts';
import { changing, onChosen, pathsOf, some } from './chosen.ts';
import { editAll, operandFor, optionsFor } from './editlines.ts';
import { askedAbout, choiceQuestion, toldAbout } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, HOST, pathIn } from './state.ts';
import type { PlaceId, State } from './state.ts';
import { ask, noted, still, withTab } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';
import { lineOf } from './words.ts';

export const transferActions = {
  copy: onChosen((state, names) => kept(state, names, false)),
  cut: changing(onChosen((state, names) => kept(state, names, true))),
  paste: pasted,
  copyAcross: onChosen((state, names) => across(state, names, false)),
  moveAcross: changing(onChosen((state, names) => across(state, names, true))),
} as const satisfies Readonly<Record<string, Action>>;

function kept(state: State, names: readonly string[], isCut: boolean): Step {
  const { place } = activeTab(state);
  const clipboard = { place, paths: pathsOf(state, names), isCut };
  const now = {
    ...withTab(state, (tab) => ({ ...tab, selected: new Set<string>() })),
    editing: { ...state.editing, clipboard },
  };
  return still(noted(now, `${some(names)} to be ${isCut ? 'moved' : 'copied'}: p pastes`));
}

function pasted(state: State): Step {
  const { clipboard } = state.editing;
  if (clipboard === undefined) return still(noted(state, 'nothing was copied: y copies, x cuts', 'error'));
  const tab = activeTab(state);
  return transfer(state, { ...clipboard, to: tab.place, dir: tab.dir });
}

/** F5 and F6: into the other list. */
function across(state: State, names: readonly string[], isCut: boolean): Step {
  const other = state.panes[state.active === 0 ? 1 : 0];
  const tab = other?.tabs[other.tab];
  if (tab === undefined) return kept(state, names, isCut);
  return transfer(state, {
    place: activeTab(state).place,
    paths: pathsOf(state, names),
    isCut,
    to: tab.place,
    dir: tab.dir,
  });
}

/** What exists at the target is asked for first: what happens to it is the person's to say. */
function transfer(state: State, wish: Transfer): Step {
  const why = wish.to === HOST ? undefined : state.places.get(wish.to)?.readOnly;
  if (why !== undefined) return still(noted(state, why, 'error'));
  if (wish.to === HOST && wish.place === HOST)
    return still(noted(state, 'from the host to the host: other tools do that', 'error'));
  return ask(state, { what: 'conflicts', ...wish });
}

/** What becomes of a name that exists: the new one takes its place, only what is new inside comes, none does, or both stay. */
type Outcome = 'overwrite' | 'add' | 'skip' | 'rename';

/** The lines that copy or move; `outcomes`: of the names that exist at the target. */
function transferLines(state: State, wish: Transfer, outcomes: ReadonlyMap<string, Outcome>): readonly string[] {
  const { place, paths, isCut, to, dir } = wish;
  const those = (...wanted: readonly (Outcome | undefined)[]): readonly string[] =>
    paths.filter((path) => wanted.includes(outcomes.get(baseName(path))));
  const isMerged = (path: string): boolean => wish.directories?.includes(baseName(path)) === true;
  const whole = those(undefined, 'overwrite');
  // A directory that is there is filled; what is moved into it is gone from where it was afterwards.
  const [merged, others] = [
    isCut && to !== HOST ? whole.filter(isMerged) : [],
    isCut && to !== HOST ? whole.filter((path) => !isMerged(path)) : whole,
  ];
  const taken = new Set([...namesIn(state, to, dir), ...paths.map(baseName)]);
  return [
    ...(others.length === 0 ? [] : [into(state, wish, { sources: others, target: dir })]),
    ...merged.map((path) => {
      const copied = into(state, { ...wish, isCut: false }, { sources: [path], target: dir });
      return `${copied}; ${gone(state, place, [path])}`;
    }),
    ...those('add').map((path) => into(state, wish, { sources: [path], target: dir, options: ['-n'] })),
    ...those('rename').map((path) =>
      into(state, wish, { sources: [path], target: pathIn(dir, freshName(baseName(path), taken)), isName: true }),
    ),
    ...(isCut && to === HOST && those(undefined, 'overwrite', 'rename').length > 0
      ? [gone(state, place, those(undefined, 'overwrite', 'rename'))]
      : []),
  ];
}

const gone = (state: State, place: PlaceId, paths: readonly string[]): string =>
  lineOf('rm', [...optionsFor(state, place), '-r'], paths);

/** One line; `isName`: the target is the new name, not where it goes. */
function into(
  state: State,
  { place, isCut, to }: Transfer,
  {
    sources,
    target,
    options = [],
    isName = false,
  }: {
    readonly sources: readonly string[];
    readonly target: string;
    readonly options?: readonly string[];
    readonly isName?: boolean;
  },
): string {
  if (to === HOST) return lineOf('get', [...optionsFor(state, place), ...options], [...sources, target]);
  const here = optionsFor(state, to);
  if (place === HOST) return lineOf('put', [...here, '-R', ...options], [...sources, target]);
  return lineOf(
    isCut ? 'mv' : 'cp',
    [...here, ...(isCut ? [] : ['-a']), ...options, ...(isName ? ['-T'] : [])],
    [...sources.map((path) => operandFor(state, place, path, to)), operandFor(state, to, target, to)],
  );
}

/** What a directory has that is seen in some list. */
const namesIn = (state: State, place: PlaceId, dir: string): readonly string[] =>
  state.panes
    .flatMap(({ tabs }) => tabs)
    .filter((tab) => tab.place === place && tab.dir === dir)
    .flatMap(({ rows }) => rows.map(({ name }) => name));

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** Bytes of a name, in every file system there is here. */
const NAME_MAX = 255;

/** Name and suffix, the name shortened where both are too long; not within a character. */
function fitting(name: string, suffix: string): string {
  const chars = Array.from(name);
  while (nameToBytes(chars.join('') + suffix).length > NAME_MAX) chars.pop();
  return chars.join('') + suffix;
}

/** `hosts` → `hosts.1`; the new name is taken from then on. */
function freshName(name: string, taken: Set<string>): string {
  for (let n = 1; ; n++) {
    const fresh = fitting(name, `.${n}`);
    if (taken.has(fresh)) continue;
    taken.add(fresh);
    return fresh;
  }
}

/** What was asked so far about the names that exist at the target. */
interface Asked {
  readonly wish: Transfer;
  readonly conflicts: readonly Conflict[];
  readonly outcomes: readonly Outcome[];
  /** For all that follow, where it can be. */
  readonly always: Outcome | undefined;
}

/** By key; the capital letter is for all that follow. */
const choices: Readonly<Record<string, Outcome>> = { o: 'overwrite', n: 'add', s: 'skip', r: 'rename' };

const labels: Readonly<Record<Conflict['kind'], Readonly<Partial<Record<Outcome, string>>>>> = {
  file: { overwrite: 'overwrite', skip: 'skip', rename: 'new name' },
  directories: { overwrite: 'merge and overwrite', add: 'merge and keep', skip: 'skip', rename: 'new name' },
  unlike: { skip: 'skip', rename: 'new name' },
};

/** From one file system to another: only a move that is one line commits them in the order in which nothing is lost. */
const isApart = ({ place, isCut, to }: Transfer): boolean => isCut && to !== HOST && place !== to;

const explained = ({ name, kind }: Conflict, wish: Transfer): readonly string[] => {
  if (kind === 'file') return [];
  if (kind === 'unlike') return [`${name}: one is a directory, the other is not; neither takes the place of the other`];
  if (isApart(wish))
    return [`${name}/ is a directory in both: what is copied there goes into it, what is moved does not`];
  return [
    `${name}/ is a directory in both: what is in it goes into the one that is there, and the rest of that stays`,
    wish.isCut
      ? 'files in it that have the same name: o overwrites those that are there'
      : 'files in it that have the same name: o overwrites those that are there, n keeps them',
  ];
};

/** What is moved is gone from where it was: nothing of it can stay behind. */
const canBe = (outcome: Outcome, { kind }: Conflict, wish: Transfer): boolean =>
  kind !== 'directories' || !((outcome === 'add' && wish.isCut) || (outcome === 'overwrite' && isApart(wish)));

/** The next name that exists; none is left: the lines run. */
function askedNext(state: State, asked: Asked): Step {
  const { wish, conflicts, outcomes, always } = asked;
  const at = outcomes.length;
  const conflict = conflicts[at];
  if (conflict === undefined) {
    const found = new Map(conflicts.map(({ name }, nth) => [name, outcomes[nth] ?? 'skip']));
    return editAll(state, transferLines(state, wish, found));
  }
  const offered = Object.entries(choices).flatMap(([key, outcome]) => {
    const label = labels[conflict.kind][outcome];
    return label === undefined || !canBe(outcome, conflict, wish) ? [] : [{ key, outcome, label }];
  });
  if (always !== undefined && offered.some(({ outcome }) => outcome === always))
    return askedNext(state, { ...asked, outcomes: [...outcomes, always] });
  const path = wish.paths.find((one) => baseName(one) === conflict.name);
  // What nothing happens to need not be counted.
  const isMerging =
    path !== undefined && conflict.kind === 'directories' && offered.some(({ outcome }) => merges(outcome));
  const count = conflicts.length === 1 ? '' : ` (${at + 1} of ${conflicts.length})`;
  const more = at + 1 < conflicts.length;
  const choice = choiceQuestion(
    state,
    'conflict',
    `${conflict.name} exists in ${wish.dir}${count}:`,
    [
      ...offered.map(({ key, label }) => ({ key, label })),
      ...(more ? offered.map(({ key, label }) => ({ key: key.toUpperCase(), label: `${label} all` })) : []),
      { key: 'escape', label: 'nothing' },
    ],
    [JSON.stringify(asked)],
    [...explained(conflict, wish), ...(isMerging ? [`${IN_BOTH}…`] : [])],
  );
  if (!isMerging) return choice;
  const target = pathIn(wish.dir, conflict.name);
  return askedAbout(choice, { what: 'clashes', place: wish.place, path, to: wish.to, target });
}

const merges = (outcome: Outcome): boolean => outcome === 'overwrite' || outcome === 'add';

/** The last line of what is explained: how many. */
const IN_BOTH = 'names that are in both: ';

const counted = (state: State, token: number, count: string): Step =>
  toldAbout(state, token, (prompt) => ({ ...prompt, text: [...prompt.text.slice(0, -1), `${IN_BOTH}${count}`] }));

const askedIn = (text: string): Asked => JSON.parse(text) as Asked;

export const transferPrompts: PromptHandlers = {
  answered: {
    conflict(state, key, { about: [text = ''] }) {
      const asked = askedIn(text);
      const outcome = choices[key.toLowerCase()];
      if (outcome === undefined) return still(state);
      const always = key === key.toLowerCase() ? asked.always : outcome;
      return askedNext(state, { ...asked, always, outcomes: [...asked.outcomes, outcome] });
    },
  },
};

export const transferAnswers: Pick<AnswerHandlers, 'conflicts' | 'clashes'> = {
  clashes: {
    answer: (state, { token, value: { names, isMore } }) =>
      counted(state, token, isMore ? `more than ${names}` : `${names}`),
    failed: (state, { token, message }) => counted(state, token, message),
  },
  conflicts: {
    answer(state, { value: { wish, conflicts } }) {
      const directories = conflicts.filter(({ kind }) => kind === 'directories').map(({ name }) => name);
      return askedNext(state, { wish: { ...wish, directories }, conflicts, outcomes: [], always: undefined });
    },
  },
};
