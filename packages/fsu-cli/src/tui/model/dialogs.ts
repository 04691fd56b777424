/** What is asked before an entry is made, renamed, removed or given other attributes; and the line that comes of it. */
import { humanBsd } from '../../format/size.ts';
import { changing, onChosen, pathsOf, pathTyped, some } from './chosen.ts';
import { edit, operandFor, placeOptions } from './editlines.ts';
import { lineInput, nameInput, offered } from './lineinput.ts';
import { askedAbout, choiceQuestion, lineQuestion, toldAbout, yesOrNo } from './prompt.ts';
import type { PromptHandlers } from './prompt.ts';
import { activeTab, currentRow, pathIn } from './state.ts';
import type { State } from './state.ts';
import { noted, still, withTab } from './step.ts';
import type { Action, AnswerHandlers } from './step.ts';
import { lineOf, quoted } from './words.ts';

export const dialogActions = {
  rename: changing((state) => {
    const row = currentRow(activeTab(state));
    return row === undefined
      ? still(state)
      : lineQuestion(state, 'rename', 'rename to: ', nameInput(row.name), [row.name]);
  }),
  create: changing((state) => lineQuestion(state, 'create', 'new file, or directory with a / at its end: ')),
  makeDir: changing((state) => lineQuestion(state, 'makeDir', 'new directory: ')),
  makeLink: changing((state) => {
    const row = currentRow(activeTab(state));
    return lineQuestion(state, 'linkTarget', 'new symbolic link, to: ', offered(row?.name ?? ''));
  }),
  makeHardLink: changing((state) => {
    const row = currentRow(activeTab(state));
    if (row === undefined) return still(state);
    if (row.type === 'dir') return still(noted(state, 'a directory has no second name', 'error'));
    return lineQuestion(state, 'hardLinkName', `another name for ${row.name}: `, nameInput(row.name), [row.name]);
  }),
  remove: changing(
    onChosen((state, names) => {
      const tab = activeTab(state);
      const paths = pathsOf(state, names);
      const asked = choiceQuestion(state, 'remove', `delete ${some(names)}?`, yesOrNo, paths);
      const chosen = new Set(names);
      const isTree = tab.rows.some(({ name, type }) => type === 'dir' && chosen.has(name));
      // How much goes with a directory is told when it is known; the answer need not wait for it.
      return isTree ? askedAbout(asked, { what: 'below', place: tab.place, paths }) : asked;
    }),
  ),
  changeMode: changing(
    onChosen((state, names) => {
      const row = currentRow(activeTab(state));
      const mode = ((row?.mode ?? 0) & 0o7777).toString(8).padStart(4, '0');
      return lineQuestion(state, 'changeMode', 'chmod: ', offered(mode), pathsOf(state, names));
    }),
  ),
  changeSize: changing(
    onChosen((state, names) => {
      const row = currentRow(activeTab(state));
      return lineQuestion(
        state,
        'changeSize',
        'size (0, 64K, +1M): ',
        offered(row?.type === 'reg' ? `${row.size}` : ''),
        pathsOf(state, names),
      );
    }),
  ),
  changeOwner: changing(
    onChosen((state, names) => {
      const row = currentRow(activeTab(state));
      return lineQuestion(
        state,
        'changeOwner',
        'chown: ',
        offered(row === undefined ? '' : `${row.uid}:${row.gid}`),
        pathsOf(state, names),
      );
    }),
  ),
  changeTime: changing(
    onChosen((state, names) => {
      const sec = currentRow(activeTab(state))?.mtime.sec ?? 0;
      const time = new Date(sec * 1000).toISOString().replace(/\.000Z$/, 'Z');
      return lineQuestion(state, 'changeTime', 'modified at: ', offered(time), pathsOf(state, names));
    }),
  ),
  changeXattr: changing(
    onChosen((state, names) =>
      lineQuestion(
        state,
        'changeXattr',
        'attribute NAME=VALUE, or -NAME to remove it: ',
        lineInput('user.'),
        pathsOf(state, names),
      ),
    ),
  ),
  changeAcl: changing(
    onChosen((state, names) =>
      lineQuestion(state, 'changeAcl', 'ACL entries to set (u:bob:rw,g:staff:r): ', lineInput(), pathsOf(state, names)),
    ),
  ),
} as const satisfies Readonly<Record<string, Action>>;

const isTaken = (state: State, name: string): boolean =>
  activeTab(state).rows.some((row) => row.name === name.replace(/\/+$/, ''));

const dirOf = (state: State): string => activeTab(state).dir;

/** A line on the place that is shown. */
function here(state: State, verb: string, options: readonly string[], operands: readonly string[]): string {
  return lineOf(verb, [...placeOptions(state), ...options], operands);
}

/** What is made is where the cursor will be. */
const going = (state: State, name: string): State =>
  withTab(state, (tab) => ({ ...tab, goal: name.replace(/\/+$/, '') }));

export const dialogPrompts: PromptHandlers = {
  answered: {
    rename(state, name, { about: [old = ''] }) {
      if (name === '' || name === old) return still(state);
      if (isTaken(state, name)) return still(noted(state, `${name} exists`, 'error'));
      const { place } = activeTab(state);
      const paths = [pathIn(dirOf(state), old), pathTyped(state, name)];
      return edit(
        going(state, name),
        here(
          state,
          'mv',
          ['-n', '-T'],
          paths.map((path) => operandFor(state, place, path, place)),
        ),
      );
    },
    create(state, name) {
      if (name === '') return still(state);
      if (isTaken(state, name)) return still(noted(state, `${name} exists`, 'error'));
      const path = pathTyped(state, name);
      return edit(
        going(state, name),
        path.endsWith('/') ? here(state, 'mkdir', [], [path]) : here(state, 'touch', [], [path]),
      );
    },
    makeDir: (state, name) =>
      name === '' ? still(state) : edit(going(state, name), here(state, 'mkdir', [], [pathTyped(state, name)])),
    linkTarget: (state, target) =>
      target === ''
        ? still(state)
        : lineQuestion(state, 'linkName', `name of the link to ${target}: `, lineInput(), [target]),
    linkName: (state, name, { about: [target = ''] }) =>
      name === ''
        ? still(state)
        : edit(going(state, name), here(state, 'ln', ['-s', '-T'], [target, pathIn(dirOf(state), name)])),
    hardLinkName(state, name, { about: [old = ''] }) {
      if (name === '' || name === old) return still(state);
      if (isTaken(state, name)) return still(noted(state, `${name} exists`, 'error'));
      return edit(going(state, name), here(state, 'ln', ['-T'], [pathIn(dirOf(state), old), pathTyped(state, name)]));
    },
    changeSize: (state, size, { about }) =>
      size === '' ? still(state) : edit(state, here(state, 'truncate', ['-s', quoted(size)], about)),
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
  },
};

export const dialogAnswers: Pick<AnswerHandlers, 'below'> = {
  below: {
    answer(state, { token, value: { entries, bytes, isMore } }) {
      const what = `${entries} ${entries === 1 ? 'entry' : 'entries'} below`;
      const all = isMore ? `more than ${what}` : `${what}, ${humanBsd(bytes)} in all`;
      return toldAbout(state, token, (prompt) => ({ ...prompt, title: `${prompt.title} ${all}:` }));
    },
    failed: still,
  },
};
