/**
 * Edits: what dialogs ask, and the lines of a script that come of it. Lines run one after the other; one that has changed something
 * is staged, can be taken back and done again, and is reviewed before a commit.
 */
import { nameToBytes } from 'ukfs';
import type { Transfer } from './ask.ts';
import { edit, editAll, refreshed, rootPlace, wordFor } from './editlines.ts';
import { noEdits } from './editing-state.ts';
import { lineInput } from './lineinput.ts';
import { asking } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, chosenNames, currentRow, HOST, pathIn } from './state.ts';
import type { PlaceId, State } from './state.ts';
import { ask, followedBy, noted, still, withTab } from './step.ts';
import type { AnswerHandlers, Step } from './step.ts';
import { addressOf, imageOptions, lineOf, quoted } from './words.ts';

type Action = (state: State) => Step;

/** An action that needs a place which can be changed. */
const changing =
  (act: Action): Action =>
  (state) => {
    const { place } = activeTab(state);
    if (place === HOST) return still(noted(state, 'files of the host are only copied here, not changed', 'error'));
    const why = state.places.get(place)?.readOnly;
    return why === undefined ? act(state) : still(noted(state, why, 'error'));
  };

/** An action on what is chosen: the selection, or the entry under the cursor. */
const onChosen =
  (act: (state: State, names: readonly string[]) => Step): Action =>
  (state) => {
    const names = chosenNames(activeTab(state));
    return names.length === 0 ? still(noted(state, 'nothing is chosen', 'error')) : act(state, names);
  };

const pathsOf = (state: State, names: readonly string[]): readonly string[] =>
  names.map((name) => pathIn(activeTab(state).dir, name));

const lineQuestion = (state: State, purpose: string, title: string, text = '', about: readonly string[] = []): Step =>
  still(asking(state, { kind: 'line', purpose, title, input: lineInput(text), about }));

const some = (names: readonly string[]): string => (names.length === 1 ? (names[0] ?? '') : `${names.length} entries`);

export const editingActions = {
  rename: changing((state) => {
    const row = currentRow(activeTab(state));
    return row === undefined ? still(state) : lineQuestion(state, 'rename', 'rename to: ', row.name, [row.name]);
  }),
  create: changing((state) => lineQuestion(state, 'create', 'new file, or directory with a / at its end: ')),
  makeDir: changing((state) => lineQuestion(state, 'makeDir', 'new directory: ')),
  makeLink: changing((state) => {
    const row = currentRow(activeTab(state));
    return lineQuestion(state, 'linkTarget', 'new symbolic link, to: ', row === undefined ? '' : row.name);
  }),
  remove: changing(
    onChosen((state, names) =>
      still(
        asking(state, {
          kind: 'choice',
          purpose: 'remove',
          title: `delete ${some(names)}?`,
          choices: [
            { key: 'y', label: 'yes' },
            { key: 'n', label: 'no' },
          ],
          text: [],
          about: pathsOf(state, names),
        }),
      ),
    ),
  ),
  copy: onChosen((state, names) => kept(state, names, false)),
  cut: changing(onChosen((state, names) => kept(state, names, true))),
  paste: pasted,
  copyAcross: onChosen((state, names) => across(state, names, false)),
  moveAcross: changing(onChosen((state, names) => across(state, names, true))),
  changeMode: changing(
    onChosen((state, names) => {
      const row = currentRow(activeTab(state));
      const mode = ((row?.mode ?? 0) & 0o7777).toString(8).padStart(4, '0');
      return lineQuestion(state, 'changeMode', 'chmod: ', mode, pathsOf(state, names));
    }),
  ),
  changeOwner: changing(
    onChosen((state, names) => {
      const row = currentRow(activeTab(state));
      return lineQuestion(
        state,
        'changeOwner',
        'chown: ',
        row === undefined ? '' : `${row.uid}:${row.gid}`,
        pathsOf(state, names),
      );
    }),
  ),
  changeTime: changing(
    onChosen((state, names) => {
      const sec = currentRow(activeTab(state))?.mtime.sec ?? 0;
      const time = new Date(sec * 1000).toISOString().replace(/\.000Z$/, 'Z');
      return lineQuestion(state, 'changeTime', 'modified at: ', time, pathsOf(state, names));
    }),
  ),
  changeXattr: changing(
    onChosen((state, names) =>
      lineQuestion(
        state,
        'changeXattr',
        'attribute NAME=VALUE, or -NAME to remove it: ',
        'user.',
        pathsOf(state, names),
      ),
    ),
  ),
  changeAcl: changing(
    onChosen((state, names) =>
      lineQuestion(state, 'changeAcl', 'ACL entries to set (u:bob:rw,g:staff:r): ', '', pathsOf(state, names)),
    ),
  ),
  undo(state: State): Step {
    if (state.editing.token !== 0) return still(noted(state, 'wait for the edit that runs', 'error'));
    if (state.editing.staged.length === 0) return still(noted(state, 'nothing to undo'));
    return ask(state, { what: 'undo' }, (now, token) => ({ ...now, editing: { ...now.editing, token } }));
  },
  redo(state: State): Step {
    const line = state.editing.undone.at(-1)?.line;
    return line === undefined ? still(noted(state, 'nothing to do again')) : edit(state, line, { isRedo: true });
  },
  discardAll(state: State): Step {
    const { staged } = state.editing;
    if (staged.length === 0) return still(noted(state, 'nothing is staged'));
    return still(
      asking(state, {
        kind: 'choice',
        purpose: 'discardAll',
        title: `throw away ${staged.length} staged ${staged.length === 1 ? 'edit' : 'edits'}?`,
        choices: [
          { key: 'y', label: 'yes' },
          { key: 'n', label: 'no' },
        ],
        text: [],
        about: [],
      }),
    );
  },
  review(state: State): Step {
    if (state.editing.staged.length === 0) return still(noted(state, 'nothing is staged'));
    const screen = { name: 'review', top: 0, images: undefined } as const;
    return ask({ ...state, screen }, { what: 'review' });
  },
  commit: (state: State): Step =>
    state.editing.staged.length === 0
      ? still(noted(state, 'nothing is staged'))
      : ask(noted(state, 'committing …'), { what: 'commit' }, (now, token) => ({
          ...now,
          editing: { ...now.editing, token },
        })),
  command: (state: State): Step => lineQuestion(state, 'command', ':'),
  editFile: changing((state) => {
    const tab = activeTab(state);
    const row = currentRow(tab);
    if (row?.type !== 'reg') return still(noted(state, 'only a regular file can be edited', 'error'));
    return ask(noted(state, 'in the editor …'), {
      what: 'editor',
      place: tab.place,
      path: pathIn(tab.dir, row.name),
      options: placeOptions(state),
    });
  }),
  shellCommand(state: State): Step {
    const { command } = state.editing;
    const tab = activeTab(state);
    const row = currentRow(tab);
    const look =
      row === undefined ? undefined : `fsu ls -ld ${quoted(addressOf(tab.place, pathIn(tab.dir, row.name)))}`;
    const text = command ?? look;
    if (text === undefined) return still(state);
    return [noted(state, text), [{ kind: 'copyText', text }]];
  },
  saveScript: (state: State): Step =>
    state.editing.staged.length === 0
      ? still(noted(state, 'nothing is staged'))
      : lineQuestion(state, 'saveScript', 'save the edits as a script: ', 'edits.fsu'),
  cancelWork(state: State): Step {
    const { token } = state.editing;
    if (token === 0) return still(state);
    return ask({ ...noted(state, 'to be cancelled …'), editing: { ...state.editing, waiting: [] } }, { what: 'stop' });
  },
  quit(state: State): Step {
    const { staged } = state.editing;
    if (state.over !== undefined)
      return staged.length === 0 ? [state, [{ kind: 'quit', status: 1 }]] : still(askOver(state, state.over));
    if (staged.length === 0) return [state, [{ kind: 'quit', status: 0 }]];
    return still(
      asking(state, {
        kind: 'choice',
        purpose: 'quit',
        title: `${staged.length} staged ${staged.length === 1 ? 'edit is' : 'edits are'} not committed:`,
        choices: [
          { key: 'w', label: 'review' },
          { key: 's', label: 'save as a script' },
          { key: 'd', label: 'discard and quit' },
          { key: 'escape', label: 'stay' },
        ],
        text: [],
        about: [],
      }),
    );
  },
} as const;

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

/** `/a:b` could be the address of b in a host's /a: where one could be meant, the path's own is said. */
const clear = (place: PlaceId, path: string): string => (path.includes(':') ? addressOf(place, path) : path);

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** The line that copies or moves; `names` of those at the target that are left out, `fresh`: new names for some. */
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
    const here = to === rootPlace(state) || to === HOST ? [] : imageOptions(to);
    const named =
      place === to
        ? sources.map((path) => clear(place, path))
        : sources.map((path) => (place === HOST ? path : addressOf(place, path)));
    if (to === HOST) {
      const from = place === rootPlace(state) ? [] : imageOptions(place);
      return lineOf('get', [...from, ...options.filter((one) => one !== '-R')], [...sources, target]);
    }
    if (place === HOST) return lineOf('put', [...here, ...options.filter((one) => one !== '-R')], [...sources, target]);
    return lineOf(isCut ? 'mv' : 'cp', [...here, ...(isCut ? [] : ['-a']), ...options], [...named, clear(to, target)]);
  };
  const all = how === 'overwrite' ? paths : free;
  const lines = all.length === 0 ? [] : [into(all, [], dir)];
  if (how !== 'rename') return lines;
  const taken = new Set([...conflicts, ...free.map(baseName)]);
  return [...lines, ...meeting.map((path) => into([path], ['-T'], pathIn(dir, freshName(baseName(path), taken))))];
}

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

const isTaken = (state: State, name: string): boolean =>
  activeTab(state).rows.some((row) => row.name === name.replace(/\/+$/, ''));

const dirOf = (state: State): string => activeTab(state).dir;

/** A line on the place that is shown. */
function here(state: State, verb: string, options: readonly string[], operands: readonly string[]): string {
  return lineOf(verb, [...placeOptions(state), ...options], operands);
}

function placeOptions(state: State): readonly string[] {
  const { place } = activeTab(state);
  return place === rootPlace(state) ? [] : imageOptions(place);
}

/** What is made is where the cursor will be. */
const going = (state: State, name: string): State =>
  withTab(state, (tab) => ({ ...tab, goal: name.replace(/\/+$/, '') }));

export const editingPrompts: PromptHandlers = {
  answered: {
    allow: (state, key, { about }) =>
      key === 'y' ? editAll({ ...state, editing: { ...state.editing, isAllowed: true } }, about) : still(state),
    rename(state, name, { about: [old = ''] }) {
      if (name === '' || name === old) return still(state);
      if (isTaken(state, name)) return still(noted(state, `${name} exists`, 'error'));
      const target = name.startsWith('/') ? name : pathIn(dirOf(state), name);
      return edit(
        going(state, name),
        here(
          state,
          'mv',
          ['-n', '-T'],
          [clear(activeTab(state).place, pathIn(dirOf(state), old)), clear(activeTab(state).place, target)],
        ),
      );
    },
    create(state, name) {
      if (name === '') return still(state);
      if (isTaken(state, name)) return still(noted(state, `${name} exists`, 'error'));
      const path = name.startsWith('/') ? name : pathIn(dirOf(state), name);
      return edit(
        going(state, name),
        path.endsWith('/') ? here(state, 'mkdir', [], [path]) : here(state, 'touch', [], [path]),
      );
    },
    makeDir: (state, name) =>
      name === ''
        ? still(state)
        : edit(
            going(state, name),
            here(state, 'mkdir', [], [name.startsWith('/') ? name : pathIn(dirOf(state), name)]),
          ),
    linkTarget: (state, target) =>
      target === '' ? still(state) : lineQuestion(state, 'linkName', `name of the link to ${target}: `, '', [target]),
    linkName: (state, name, { about: [target = ''] }) =>
      name === ''
        ? still(state)
        : edit(going(state, name), here(state, 'ln', ['-s', '-T'], [target, pathIn(dirOf(state), name)])),
    remove: (state, key, { about }) => (key === 'y' ? edit(state, here(state, 'rm', ['-r'], about)) : still(state)),
    changeMode: (state, mode, { about }) =>
      mode === '' ? still(state) : edit(state, here(state, 'chmod', [], [mode, ...about])),
    changeOwner: (state, owner, { about }) =>
      owner === '' ? still(state) : edit(state, here(state, 'chown', ['-h'], [owner, ...about])),
    changeTime: (state, time, { about }) =>
      time === '' ? still(state) : edit(state, here(state, 'touch', ['-h', '-m', '-d', quoted(time)], about)),
    changeXattr(state, text, { about }) {
      if (text === '' || text === 'user.') return still(state);
      if (text.startsWith('-'))
        return edit(state, here(state, 'xattr', ['-h', quoted(`--name=${text.slice(1)}`)], ['rm', ...about]));
      const at = text.indexOf('=');
      if (at <= 0) return still(noted(state, 'NAME=VALUE, or -NAME', 'error'));
      return edit(
        state,
        here(
          state,
          'xattr',
          ['-h', quoted(`--name=${text.slice(0, at)}`), quoted(`--value=${text.slice(at + 1)}`)],
          ['set', ...about],
        ),
      );
    },
    changeAcl: (state, entries, { about }) =>
      entries === '' ? still(state) : edit(state, here(state, 'acl', ['-m', quoted(entries)], ['set', ...about])),
    discardAll: (state, key) => (key === 'y' ? ask(state, { what: 'discard' }) : still(state)),
    command: (state, line) => (line.trim() === '' ? still(state) : typed(state, line.trim())),
    saveScript: (state, file) => (file === '' ? still(state) : saved(state, file, false)),
    replaceScript: (state, key, { about: [file = ''] }) => (key === 'y' ? saved(state, file, true) : still(state)),
    over: (state, key) => (key === 's' ? editingActions.saveScript(state) : [state, [{ kind: 'quit', status: 1 }]]),
    quit(state, key) {
      if (key === 'd') return [state, [{ kind: 'quit', status: 0 }]];
      if (key === 's') return editingActions.saveScript(state);
      return key === 'w' ? editingActions.review(state) : still(state);
    },
    conflict(state, key, { about: [wish = '', ...names] }) {
      const how = ({ o: 'overwrite', s: 'skip', r: 'rename' } as const)[key];
      return how === undefined ? still(state) : editAll(state, transferLines(state, transferIn(wish), how, names));
    },
  },
};

const saved = (state: State, file: string, mayReplace: boolean): Step =>
  ask(state, {
    what: 'saveScript',
    file,
    image: state.image,
    lines: state.editing.staged.map(({ line }) => line),
    mayReplace,
  });

const askOver = (state: State, why: string): State =>
  asking(state, {
    kind: 'choice',
    purpose: 'over',
    title: `${state.editing.staged.length} staged, not committed; the kernel has ended:`,
    text: [why],
    choices: [
      { key: 's', label: 'save as a script' },
      { key: 'q', label: 'quit' },
    ],
    about: [],
  });

/** The kernel's thread is gone: nothing runs any more, what is staged can still be saved. */
export function ended(state: State, why: string): State {
  const editing = { ...state.editing, waiting: [], token: 0 };
  const over = noted({ ...state, over: why, tasks: [], prompt: undefined, editing }, why, 'error');
  return editing.staged.length === 0 ? over : askOver(over, why);
}

/** What a person types is about what is shown: its relative paths begin there. */
function typed(state: State, text: string): Step {
  const { place, dir } = activeTab(state);
  const root = rootPlace(state);
  if (place === HOST || place === root) {
    if (place === HOST || dir === '/') return edit(state, text);
    // Behind a comment the way back needs a line of its own.
    return edit(state, `cd ${quoted(dir)}; ${text}${text.includes('#') ? '\n' : '; '}cd /`);
  }
  const verb = /^-?[^\s;]+/.exec(text)?.[0] ?? '';
  if (/[;\n]/.test(text))
    return still(noted(state, 'one command at a time: this is not the first file system', 'error'));
  return edit(state, [verb, ...imageOptions(place), text.slice(verb.length).trim()].join(' ').trim());
}

const transferIn = (text: string): Transfer => JSON.parse(text) as Transfer;

export const editingAnswers: Pick<
  AnswerHandlers,
  'run' | 'stop' | 'undo' | 'discard' | 'review' | 'commit' | 'conflicts' | 'saveScript' | 'editor'
> = {
  run: {
    part: (state, { token, value: { files, bytes } }) =>
      still({
        ...state,
        tasks: state.tasks.map((task) =>
          task.token === token ? { ...task, progress: `${files} files, ${bytes} bytes` } : task,
        ),
      }),
    answer(state, { token, value: { line, needsWord, isStaged, status, messages, output } }) {
      const { editing } = state;
      const [next, ...waiting] = status === 0 ? editing.waiting : [];
      const tasks = state.tasks.filter((task) => task.token !== token);
      if (needsWord)
        return wordFor({ ...state, tasks, editing: { ...editing, token: 0, waiting: [] } }, [line, ...editing.waiting]);
      const done: State = {
        ...state,
        tasks,
        editing: {
          ...editing,
          token: 0,
          waiting,
          ...(isStaged
            ? {
                staged: [...editing.staged, { line }],
                undone: editing.isRedo ? editing.undone.slice(0, -1) : [],
                command: shellCommandOf(state, line),
                clipboard: editing.clipboard?.isCut === true ? undefined : editing.clipboard,
              }
            : {}),
        },
      };
      const told = tell(done, { messages, output, status });
      const seen: Step = isStaged ? followedBy(refreshed(told), reviewedAgain) : still(told);
      return next === undefined ? seen : followedBy(seen, (now) => edit(now, next, { waiting }));
    },
    failed(state, { token, message }) {
      const tasks = state.tasks.filter((task) => task.token !== token);
      return refreshed(
        noted({ ...state, tasks, editing: { ...state.editing, token: 0, waiting: [] } }, message, 'error'),
      );
    },
  },
  stop: { answer: still },
  undo: {
    answer(state) {
      const { staged, undone } = state.editing;
      const last = staged.at(-1);
      const now = {
        ...state,
        editing: {
          ...state.editing,
          token: 0,
          staged: staged.slice(0, -1),
          undone: last === undefined ? undone : [...undone, last],
        },
      };
      return followedBy(
        refreshed(noted(now, last === undefined ? 'nothing to undo' : `taken back: ${last.line}`)),
        reviewedAgain,
      );
    },
    failed: (state, { message }) =>
      still(noted({ ...state, editing: { ...state.editing, token: 0 } }, message, 'error')),
  },
  discard: {
    answer: (state) =>
      refreshed(
        noted(
          { ...state, screen: { name: 'files' }, editing: { ...noEdits, isAllowed: state.editing.isAllowed } },
          'all staged edits are gone',
        ),
      ),
  },
  review: {
    answer: (state, { value }) =>
      still(state.screen.name === 'review' ? { ...state, screen: { ...state.screen, images: value } } : state),
    failed: (state, { message }) => still(noted({ ...state, screen: { name: 'files' } }, message, 'error')),
  },
  commit: {
    answer(state, { value }) {
      const count = state.editing.staged.length;
      const said = `committed: ${count} ${count === 1 ? 'edit' : 'edits'}${value.length === 0 ? '' : `; ${value.join('; ')}`}`;
      return refreshed(noted({ ...state, screen: { name: 'files' }, editing: { ...noEdits, isAllowed: true } }, said));
    },
    failed: (state, { message }) =>
      still(noted({ ...state, editing: { ...state.editing, token: 0 } }, message, 'error')),
  },
  conflicts: {
    answer(state, { value: { wish, names } }) {
      if (names.length === 0) return editAll(state, transferLines(state, wish, 'overwrite', []));
      return still(
        asking(state, {
          kind: 'choice',
          purpose: 'conflict',
          title: `${some(names)} ${names.length === 1 ? 'exists' : 'exist'} in ${wish.dir}:`,
          choices: [
            { key: 'o', label: 'overwrite' },
            { key: 's', label: 'skip' },
            { key: 'r', label: 'new names' },
            { key: 'escape', label: 'nothing' },
          ],
          text: [],
          about: [JSON.stringify(wish), ...names],
        }),
      );
    },
  },
  saveScript: {
    answer: (state, { value: { file, isSaved } }) =>
      isSaved
        ? still(noted(state, `saved: ${file}`))
        : still(
            asking(state, {
              kind: 'choice',
              purpose: 'replaceScript',
              title: `${file} exists:`,
              text: [],
              choices: [
                { key: 'y', label: 'replace it' },
                { key: 'escape', label: 'nothing' },
              ],
              about: [file],
            }),
          ),
  },
  editor: {
    answer(state, { value: line }) {
      return line === undefined ? still(noted(state, 'not changed')) : edit(state, line);
    },
  },
};

/** The review shows what is staged now; nothing left: there is nothing to review. */
function reviewedAgain(state: State): Step {
  if (state.screen.name !== 'review') return still(state);
  return state.editing.staged.length === 0
    ? still({ ...state, screen: { name: 'files' } })
    : ask({ ...state, screen: { ...state.screen, images: undefined } }, { what: 'review' });
}

/** As a shell would do it: the line that was staged, on the image that it is about. */
const shellCommandOf = (state: State, line: string): string => {
  const [verb = '', ...rest] = line.split(' ');
  return ['fsu', verb, ...(line.includes('--image') ? [] : imageOptions(rootPlace(state) ?? '')), ...rest].join(' ');
};

/** What a line has said: a message as a note, more than that on a screen. */
function tell(
  state: State,
  {
    messages,
    output,
    status,
  }: { readonly messages: readonly string[]; readonly output: readonly string[]; readonly status: number },
): State {
  const lines = [...messages, ...output];
  if (lines.length === 0) return state;
  if (lines.length === 1) return noted(state, lines[0] ?? '', status === 0 ? 'info' : 'error');
  return { ...noted(state, ''), screen: { name: 'output', lines, top: 0 } };
}
