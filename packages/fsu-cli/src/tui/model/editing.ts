/**
 * Edits: lines of a script, run one edit after the other. One that has changed something is staged, can be taken back and done again, and is
 * reviewed before a commit. Where lines come from: dialogs.ts, transfer.ts, and what a person types.
 */
import { humanBsd } from '../../format/size.ts';
import { changing } from './chosen.ts';
import { edit, editAll, namedOf, operandFor, placeOptions, refreshed, rootPlace, wordFor } from './editlines.ts';
import { noEdits } from './editing-state.ts';
import type { Editing } from './editing-state.ts';
import { withoutStandings } from './moving.ts';
import { reviewed, reviewedAgain } from './reviewing.ts';
import { asking, choiceQuestion, lineQuestion, yesOrNo } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, currentRow, HOST, pathIn } from './state.ts';
import type { State } from './state.ts';
import { ask, followedBy, noted, still } from './step.ts';
import type { Action, AnswerHandlers, Step } from './step.ts';
import { addressOf, imageOptions, quoted } from './words.ts';

export const editingActions = {
  undo(state: State): Step {
    if (state.editing.token !== 0) return still(noted(state, 'wait for the edit that runs', 'error'));
    if (state.editing.staged.length === 0) return still(noted(state, 'nothing to undo'));
    return ask(state, { what: 'undo' }, (now, token) => ({ ...now, editing: { ...now.editing, token } }));
  },
  redo(state: State): Step {
    const edit = state.editing.undone.at(-1);
    return edit === undefined
      ? still(noted(state, 'nothing to do again'))
      : editAll(state, edit.lines, { isRedo: true });
  },
  discardAll(state: State): Step {
    const { staged } = state.editing;
    if (staged.length === 0) return still(noted(state, 'nothing is staged'));
    return choiceQuestion(
      state,
      'discardAll',
      `throw away ${staged.length} staged ${staged.length === 1 ? 'edit' : 'edits'}?`,
      yesOrNo,
    );
  },
  review(state: State): Step {
    if (state.editing.staged.length === 0) return still(noted(state, 'nothing is staged'));
    return reviewed(state, 0);
  },
  /** Of what was reviewed: not of an edit that runs meanwhile, and not of what nobody has seen yet. */
  commit(state: State): Step {
    const { screen } = state;
    if (screen.name === 'review' && screen.images === undefined)
      return still(noted(state, 'wait for the review', 'error'));
    if (state.editing.token !== 0) return still(noted(state, 'wait for the edit that runs', 'error'));
    if (state.editing.staged.length === 0) return still(noted(state, 'nothing is staged'));
    return ask(noted(state, 'committing …'), { what: 'commit' }, (now, token) => ({
      ...now,
      tasks: [...now.tasks, { token, title: 'commit', progress: '' }],
      editing: { ...now.editing, token },
    }));
  },
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
      row === undefined
        ? undefined
        : `fsu ls -ld ${quoted(addressOf(namedOf(state, tab.place), pathIn(tab.dir, row.name)))}`;
    const text = command ?? look;
    if (text === undefined) return still(state);
    return [noted(state, text), [{ kind: 'copyText', text }]];
  },
  cancelWork(state: State): Step {
    const { token } = state.editing;
    if (token === 0) return still(state);
    return ask(noted(state, 'to be cancelled …'), { what: 'stop' });
  },
} as const satisfies Readonly<Record<string, Action>>;

export const editingPrompts: PromptHandlers = {
  answered: {
    allow: (state, key, { about }) =>
      key === 'y' ? editAll({ ...state, editing: { ...state.editing, isAllowed: true } }, about) : still(state),
    discardAll: (state, key) => (key === 'y' ? ask(state, { what: 'discard' }) : still(state)),
    command: (state, line) => (line.trim() === '' ? still(state) : typed(state, line.trim())),
  },
  completed: {
    command(state, { input: { text, at } }) {
      const { place, dir } = activeTab(state);
      const root = rootPlace(state);
      if (root === undefined) return still(state);
      const around = place === HOST ? { place: root, dir: '/' } : { place, dir };
      return ask(state, { what: 'complete', ...around, line: text.slice(0, at) });
    },
  },
};

/** What all of them begin with. */
function commonBeginning([first = '', ...others]: readonly string[]): string {
  let length = first.length;
  for (const one of others) while (!one.startsWith(first.slice(0, length))) length--;
  return first.slice(0, length);
}

/** What a person types is about what is shown: its paths begin there. No line leaves the next one elsewhere. */
function typed(state: State, text: string): Step {
  const { place, dir } = activeTab(state);
  const root = rootPlace(state) ?? place;
  const way = place === HOST ? '/' : operandFor(state, place, dir, root);
  if (way === '/' && !/\bcd\b/.test(text)) return edit(state, text);
  const there = way === '/' ? '' : `cd ${quoted(way)}; `;
  // Behind a comment the way back needs a line of its own.
  return edit(state, `${there}${text}${text.includes('#') ? '\n' : '; '}cd :/`);
}

export const editingAnswers: Pick<
  AnswerHandlers,
  'run' | 'stop' | 'undo' | 'discard' | 'commit' | 'editor' | 'complete'
> = {
  complete: {
    answer(state, { value: { line, words, instead } }) {
      const { prompt } = state;
      // More was typed meanwhile.
      if (prompt?.kind !== 'line' || prompt.purpose !== 'command') return still(state);
      const { text, at } = prompt.input;
      if (text.slice(0, at) !== line || words.length === 0) return still(state);
      const word = commonBeginning(words);
      if (word.length <= instead.length && words.length > 1) return still(asking(state, { ...prompt, hints: words }));
      const head = line.slice(0, line.length - instead.length) + word;
      return still(asking(state, { ...prompt, input: { text: head + text.slice(at), at: head.length }, hints: [] }));
    },
    failed: still,
  },
  run: {
    part: (state, { token, value: { files, bytes } }) =>
      still(progressed(state, token, `${files} files, ${bytes} bytes`)),
    answer(state, { token, value: { lines, needsWord, isStaged, held, status, messages, output } }) {
      const { editing } = state;
      const { tasks } = ended(state, token);
      if (needsWord) return wordFor({ ...state, tasks, editing: { ...editing, token: 0 } }, lines);
      const done: State = {
        ...state,
        tasks,
        editing: {
          ...editing,
          token: 0,
          held,
          command: status === 0 ? shellCommandOf(state, lines.join('\n')) : editing.command,
          ...(isStaged
            ? {
                staged: [...editing.staged, { lines }],
                undone: editing.isRedo ? editing.undone.slice(0, -1) : [],
                clipboard: editing.clipboard?.isCut === true ? undefined : editing.clipboard,
              }
            : {}),
        },
      };
      // An image that is opened to be changed has its journal replayed.
      const told = tell(held.length === editing.held.length ? done : withoutStandings(done), {
        // What changes no image is seen nowhere but here.
        messages:
          isStaged || status !== 0 || messages.length + output.length > 0 ? messages : [`done: ${lines.join('; ')}`],
        output,
        status,
      });
      // What changes no image may have changed the host; and an image that could not be opened to be changed is looked at afresh.
      return followedBy(refreshed(told), status === 0 ? reviewedAgain : still);
    },
    failed(state, { token, message }) {
      const now = ended(state, token);
      return refreshed(noted({ ...now, editing: { ...now.editing, token: 0 } }, message, 'error'));
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
        refreshed(noted(now, last === undefined ? 'nothing to undo' : `taken back: ${last.lines.join('; ')}`)),
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
          { ...state, screen: { name: 'files' }, editing: nothingStaged(state.editing) },
          'all staged edits are gone',
        ),
      ),
  },
  commit: {
    part: (state, { token, value: { into, doneBytes, totalBytes } }) =>
      still(progressed(state, token, `into the ${into}, ${humanBsd(doneBytes)} of ${humanBsd(totalBytes)}`)),
    answer(state, { token, value }) {
      const count = state.editing.staged.length;
      const now = withoutStandings(ended(state, token));
      const said = `committed: ${count} ${count === 1 ? 'edit' : 'edits'}${value.length === 0 ? '' : `; ${value.join('; ')}`}`;
      return refreshed(noted({ ...now, screen: { name: 'files' }, editing: nothingStaged(state.editing) }, said));
    },
    failed: (state, { token, message }) =>
      still(noted({ ...ended(state, token), editing: { ...state.editing, token: 0 } }, message, 'error')),
  },
  editor: {
    answer(state, { value: line }) {
      return line === undefined ? still(noted(state, 'not changed')) : edit(state, line);
    },
  },
};

const progressed = (state: State, token: number, progress: string): State => ({
  ...state,
  tasks: state.tasks.map((task) => (task.token === token ? { ...task, progress } : task)),
});

const ended = (state: State, token: number): State => ({
  ...state,
  tasks: state.tasks.filter((task) => task.token !== token),
});

/** What was staged is durable, or gone; what a person has said, and what is open, stays. */
const nothingStaged = ({ isAllowed, held }: Editing): Editing => ({ ...noEdits, isAllowed, held });

/** Where an image is given, shells' commands take no operand for an address. */
const ADDRESSES = /^(?:cp|diff|mv) .*:/s;
/** Outside of quotes nothing but words and a file to read: shells take it as scripts do. */
const isForShells = (line: string): boolean =>
  !ADDRESSES.test(line) &&
  /^(?!(?:cd|echo|pwd|set) )[a-z][\w@%+=:,./ <-]*$/.test((line.split('\n', 1)[0] ?? '').replace(/'[^']*'|\\'/g, ''));

/** As a shell would do it: the line that ran, on the image that it is about; or a script, where shells would take it otherwise. */
function shellCommandOf(state: State, line: string): string {
  const image = imageOptions(namedOf(state, rootPlace(state) ?? state.image));
  const isHereDocument = /<<'[A-Z]+'\n/.test(line);
  if (!isForShells(line) || (line.includes('\n') && !isHereDocument && !/'[^']*\n/.test(line)))
    return ['fsu', 'script', ...image, '-c', quoted(line)].join(' ');
  const [, verb = '', rest = ''] = /^(\S+)(.*)$/s.exec(line) ?? [];
  return `fsu ${[verb, ...(rest.startsWith(' --image ') ? [] : image)].join(' ')}${rest}`;
}

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
