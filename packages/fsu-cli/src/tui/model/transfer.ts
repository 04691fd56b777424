/** Files on their way: copied, cut and pasted, within a place, between two of them, and from and to the host. */
import { nameToBytes } from 'ukfs';
import type { Transfer } from './ask.ts';
import { changing, onChosen, pathsOf, some } from './chosen.ts';
import { editAll, namedOf, rootPlace } from './editlines.ts';
import { choiceQuestion } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, HOST, pathIn } from './state.ts';
import type { State } from './state.ts';
import { ask, noted, still, withTab } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';
import { addressOf, clear, imageOptions, lineOf } from './words.ts';

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

/** The lines that copy or move; `conflicts`: names that exist at the target, and `how` what becomes of them. */
function transferLines(
  state: State,
  wish: Transfer,
  how: 'overwrite' | 'skip' | 'rename',
  conflicts: readonly string[],
): readonly string[] {
  const { place, paths, isCut, to, dir } = wish;
  const clashes = new Set(conflicts);
  const [meeting, free] = [
    paths.filter((path) => clashes.has(baseName(path))),
    paths.filter((path) => !clashes.has(baseName(path))),
  ];
  const into = (sources: readonly string[], options: readonly string[], target: string): string => {
    const here = to === rootPlace(state) || to === HOST ? [] : imageOptions(namedOf(state, to));
    const named =
      place === to
        ? sources.map((path) => clear(namedOf(state, place), path))
        : sources.map((path) => (place === HOST ? path : addressOf(namedOf(state, place), path)));
    if (to === HOST) {
      const from = place === rootPlace(state) ? [] : imageOptions(namedOf(state, place));
      return lineOf('get', [...from, ...options], [...sources, target]);
    }
    if (place === HOST) return lineOf('put', [...here, ...options], [...sources, target]);
    return lineOf(
      isCut ? 'mv' : 'cp',
      [...here, ...(isCut ? [] : ['-a']), ...options],
      [...named, clear(namedOf(state, to), target)],
    );
  };
  const all = how === 'overwrite' ? paths : free;
  const lines = all.length === 0 ? [] : [into(all, [], dir)];
  if (how !== 'rename') return lines;
  const taken = new Set([...conflicts, ...free.map(baseName)]);
  return [...lines, ...meeting.map((path) => into([path], ['-T'], pathIn(dir, freshName(baseName(path), taken))))];
}

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

const transferIn = (text: string): Transfer => JSON.parse(text) as Transfer;

export const transferPrompts: PromptHandlers = {
  answered: {
    conflict(state, key, { about: [wish = '', ...names] }) {
      const how = ({ o: 'overwrite', s: 'skip', r: 'rename' } as const)[key];
      return how === undefined ? still(state) : editAll(state, transferLines(state, transferIn(wish), how, names));
    },
  },
};

export const transferAnswers: Pick<AnswerHandlers, 'conflicts'> = {
  conflicts: {
    answer(state, { value: { wish, names } }) {
      if (names.length === 0) return editAll(state, transferLines(state, wish, 'overwrite', []));
      return choiceQuestion(
        state,
        'conflict',
        `${some(names)} ${names.length === 1 ? 'exists' : 'exist'} in ${wish.dir}:`,
        [
          { key: 'o', label: 'overwrite' },
          { key: 's', label: 'skip' },
          { key: 'r', label: 'new names' },
          { key: 'escape', label: 'nothing' },
        ],
        [JSON.stringify(wish), ...names],
      );
    },
  },
};
