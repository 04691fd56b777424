/** The browser without a terminal and without a kernel: a small tree of names answers its questions. */
import { describe, expect, test } from 'vitest';
import { keyBindings } from '../keys/index.ts';
import { frameOf } from '../render/frame.ts';
import { widthOf } from '../render/line.ts';
import { listLines } from '../render/lists.ts';
import type { AnswerEvent, Ask, Conflict } from './ask.ts';
import type { Effect, Event } from './event.ts';
import { layoutOf, listHeight } from './layout.ts';
import { namesShown } from './listing.ts';
import { newState } from './newstate.ts';
import { beginning } from './moving.ts';
import { listed } from './order.ts';
import { activeTab, currentRow } from './state.ts';
import type { Row, State } from './state.ts';
import type { Step } from './step.ts';
import { actions, update } from './update.ts';

type Tree = Readonly<Record<string, readonly string[]>>;

const tree: Tree = {
  '/': [
    'etc/',
    'home/',
    'README',
    '.hidden',
    'boot/',
    'with space',
    'ünïcode',
    '日本語のファイル',
    'esc\x1b[31m',
    'new\nline',
    'b\udc80d',
  ],
  '/etc': ['hosts', 'passwd', 'ssh/'],
  '/etc/ssh': ['config'],
  '/home': [],
  '/boot': ['vmlinuz'],
};

/** As the kernel's side tells of a directory. */
function listEvents(rows: readonly Row[], token: number): readonly AnswerEvent[] {
  const events: AnswerEvent[] = [];
  const work = listed([rows]);
  for (let step = work.next(); ; step = work.next()) {
    if (step.done === true) return [...events, { kind: 'answer', what: 'list', token, value: step.value }];
    events.push({ kind: 'part', what: 'list', token, value: step.value });
  }
}

function rowOf(name: string, at: number): Row {
  const isDir = name.endsWith('/');
  return {
    name: isDir ? name.slice(0, -1) : name,
    type: isDir ? 'dir' : name.startsWith('link') ? 'lnk' : 'reg',
    size: at * 1000,
    bytes: at * 1024,
    mtime: { sec: at, nsec: 0 },
    mode: 0o644,
    uid: 0,
    gid: 0,
    nlink: 1,
    ino: at + 10,
  };
}

/** A browser whose questions are answered at once, or when answer() is called. */
class Fake {
  state: State;
  readonly asked: { readonly ask: Ask; readonly token: number }[] = [];
  readonly effects: Effect[] = [];
  readonly #tree: Tree;

  constructor(files = tree, size = { columns: 100, lines: 20 }) {
    this.#tree = files;
    this.state = newState({ image: 'disk.img', look: { colors: 16, unicode: true }, ...size });
    this.#take(beginning(this.state));
  }

  #take([state, effects]: Step): void {
    this.state = state;
    for (const effect of effects) {
      if (effect.kind === 'ask') this.asked.push(effect);
      else this.effects.push(effect);
    }
  }

  event(event: Event): this {
    this.#take(update(this.state, event));
    this.answer();
    return this;
  }

  keys(...keys: readonly string[]): this {
    for (const key of keys) this.event({ kind: 'key', key });
    return this;
  }

  /** Somebody else has the image. */
  isBusy = false;

  /** Bookmarks that are kept. */
  kept: readonly string[] = [];

  /** Answers wait. */
  holds = false;
  /** What exists where files are to go. */
  conflicts: readonly Conflict[] = [];

  /** The question of that name alone is answered. */
  answerOne(what: Ask['what']): void {
    const at = this.asked.findIndex(({ ask }) => ask.what === what);
    for (const { ask, token } of this.asked.splice(at, 1))
      for (const event of this.#answers(ask, token)) this.#take(update(this.state, event));
  }

  answer(): void {
    if (this.holds) return;
    for (let one = this.asked.shift(); one !== undefined; one = this.asked.shift())
      for (const event of this.#answers(one.ask, one.token)) this.#take(update(this.state, event));
  }

  #answers(ask: Ask, token: number): readonly AnswerEvent[] {
    const named = { image: 'disk.img', partition: '' };
    switch (ask.what) {
      case 'stack':
        return [
          {
            kind: 'answer',
            what: 'stack',
            token,
            value: [
              { id: ask.image ?? 'disk.img', depth: 0, kind: 'fs', label: 'disk.img', detail: 'ext4', advice: '' },
              {
                id: 'disk.img:2',
                depth: 1,
                kind: 'other',
                label: '2',
                detail: 'swap',
                advice: 'swap is no file system',
              },
            ],
          },
        ];
      case 'enter':
        return [
          {
            kind: 'answer',
            what: 'enter',
            token,
            value: {
              id: ask.place,
              label: ask.place,
              type: 'ext2fs',
              readOnly: undefined,
              named: { ...named, image: ask.place },
            },
          },
        ];
      case 'list': {
        const names = this.#tree[ask.dir];
        if (names === undefined)
          return [{ kind: 'failed', what: 'list', token, message: 'No such file or directory', status: 1 }];
        return listEvents(names.map(rowOf), token);
      }
      case 'follow':
        return [
          {
            kind: 'answer',
            what: 'follow',
            token,
            value: { ...ask, isDir: this.#tree[ask.path] !== undefined },
          },
        ];
      case 'run':
        return [
          {
            kind: 'answer',
            what: 'run',
            token,
            value: {
              lines: ask.lines,
              isStaged: ask.mayEdit && !this.isBusy,
              held: ask.mayEdit && !this.isBusy ? [named] : [],
              needsWord: !ask.mayEdit,
              status: this.isBusy ? 1 : 0,
              messages: this.isBusy ? ['busy'] : [],
              output: [],
            },
          },
        ];
      case 'keepBookmarks':
        this.kept = ask.bookmarks.map(({ dir }) => dir);
        return [{ kind: 'answer', what: 'keepBookmarks', token, value: undefined }];
      case 'undo':
      case 'discard':
        return [{ kind: 'answer', what: ask.what, token, value: undefined }];
      case 'conflicts':
        return [{ kind: 'answer', what: 'conflicts', token, value: { wish: ask, conflicts: this.conflicts } }];
      case 'below': {
        const value = { entries: 1, bytes: 5000, isMore: false };
        return [{ kind: 'answer', what: 'below', token, value }];
      }
      case 'links': {
        const value = ask.names.map((name) => ({ name, target: `/to\n${name}`, isBroken: name === 'link1' }));
        return [{ kind: 'answer', what: 'links', token, value }];
      }
      case 'clashes':
        return [{ kind: 'answer', what: 'clashes', token, value: { names: 12, isMore: false } }];
      case 'complete': {
        const words = ['mkdir ', 'mkfifo ', 'mknod '].filter((word) => word.startsWith(ask.line));
        return [{ kind: 'answer', what: 'complete', token, value: { line: ask.line, words, instead: ask.line } }];
      }
      default:
        return [{ kind: 'failed', what: ask.what, token, message: 'not here', status: 1 }];
    }
  }

  get quits(): readonly Effect[] {
    return this.effects.filter(({ kind }) => kind === 'quit');
  }

  get names(): readonly string[] {
    return namesShown(activeTab(this.state));
  }

  get lines(): readonly string[] {
    return this.state.editing.staged.flatMap(({ lines }) => lines);
  }
}

const begun = (...args: ConstructorParameters<typeof Fake>): Fake => {
  const fake = new Fake(...args);
  fake.answer();
  return fake;
};

test('every key of the tables leads to an action of the model', () => {
  expect(keyBindings.filter(({ action }) => actions[action] === undefined)).toEqual([]);
});

test('no two keys of one place mean different things, and none hides a combination', () => {
  const seen = new Map<string, string>();
  const clashes: string[] = [];
  for (const { keys, action, in: where } of keyBindings) {
    for (const key of keys) {
      for (const place of where === 'everywhere' ? ['list', 'stack', 'help', 'review', 'output'] : [where]) {
        const other = seen.get(`${place} ${key}`);
        if (other !== undefined && other !== action) clashes.push(`${place}: ${key} is ${other} and ${action}`);
        seen.set(`${place} ${key}`, action);
      }
    }
  }
  for (const key of seen.keys())
    if (key.split(' ').length === 3 && seen.has(key.slice(0, key.lastIndexOf(' '))))
      clashes.push(`${key} is never reached`);
  expect(clashes).toEqual([]);
});

describe('moving', () => {
  test('directories come first, then names', () => {
    expect(begun().names.slice(0, 4)).toEqual(['boot', 'etc', 'home', '.hidden']);
  });

  test('into a directory and back: the cursor is where one came from', () => {
    const fake = begun().keys('j', 'l');
    expect([activeTab(fake.state).dir, fake.names]).toEqual(['/etc', ['ssh', 'hosts', 'passwd']]);
    fake.keys('h');
    expect(currentRow(activeTab(fake.state))?.name).toBe('etc');
  });

  test('a path that was jumped to; its parent has the cursor on it', () => {
    const fake = begun().keys('g', 'p', ...'/etc/ssh', 'enter');
    expect(fake.names).toEqual(['config']);
    fake.keys('h');
    expect(currentRow(activeTab(fake.state))?.name).toBe('ssh');
  });

  test('the parent has the cursor on where one came from, whatever it was on before', () => {
    const fake = begun().keys('j', 'j', 'g', 'p', ...'/boot', 'enter', 'h');
    expect(currentRow(activeTab(fake.state))?.name).toBe('boot');
  });

  test('a path may have dots in it, and be that of a file', () => {
    const fake = begun().keys('g', 'p', ...'/home/./..//etc/ssh/../hosts', 'enter');
    expect([activeTab(fake.state).dir, currentRow(activeTab(fake.state))?.name]).toEqual(['/etc', 'hosts']);
  });

  test('a path that does not begin at the root begins here', () => {
    const fake = begun().keys('g', 'e', 'g', 'p', ...'ssh', 'enter');
    expect(activeTab(fake.state).dir).toBe('/etc/ssh');
  });

  test('a directory that cannot be read says why', () => {
    const fake = begun({ '/': ['etc/'] }).keys('g', 'e');
    expect(activeTab(fake.state).failure).toBe('No such file or directory');
  });

  test('filter as you type; Escape brings all back, the cursor stays on its entry', () => {
    const fake = begun().keys('f', 'e', 't');
    expect(fake.names).toEqual(['etc']);
    fake.keys('escape');
    expect([fake.names.length, currentRow(activeTab(fake.state))?.name]).toEqual([11, 'etc']);
  });

  test('a filter at the end of a long list: what is left fills the window', () => {
    const fake = begun({ '/': Array.from({ length: 100 }, (_, at) => `file-${at}`) }).keys('G', 'f', '9');
    expect([fake.names.length, activeTab(fake.state).cursor, activeTab(fake.state).top]).toEqual([19, 18, 2]);
  });

  test('search goes on around the end', () => {
    const fake = begun().keys('/', ...'README', 'enter', '/', ...'etc', 'enter');
    expect(currentRow(activeTab(fake.state))?.name).toBe('etc');
  });

  test('sorted by size, and the other way round, directories first', () => {
    const fake = begun().keys(',', 's');
    expect(fake.names.slice(3, 5)).toEqual(['b\udc80d', 'new\nline']);
    fake.keys(',', 'r');
    expect(fake.names.slice(3, 5)).toEqual(['README', '.hidden']);
  });

  test('hidden files', () => {
    expect(begun().keys('.').names).not.toContain('.hidden');
  });

  test('bookmarks: made, listed, gone to, dropped', () => {
    const fake = begun().keys('g', 'e', 'm', 'enter', 'g', 'h', 'm', ...'people', 'enter', 'g', '/');
    fake.keys("'");
    expect(fake.state.screen).toMatchObject({ name: 'pick', rows: [{ path: '/etc' }, { path: '/home' }] });
    expect(fake.kept).toEqual(['/etc', '/home']);
    fake.keys('j', 'enter');
    expect([fake.state.screen.name, activeTab(fake.state).dir]).toEqual(['files', '/home']);
    fake.keys("'", 'd', 'd', 'enter');
    expect([fake.state.screen.name, activeTab(fake.state).dir]).toEqual(['files', '/home']);
    expect(fake.kept).toEqual(['/home']);
    fake.keys("'", 'd', 'd', "'");
    expect(fake.kept).toEqual([]);
    expect([fake.state.screen.name, fake.state.note?.kind]).toEqual(['files', 'error']);
  });

  test('selecting: one, a range in either direction, with Shift, the others, all, none', () => {
    const fake = begun();
    const chosen = (): number[] =>
      fake.names.flatMap((name, at) => (activeTab(fake.state).selected.has(name) ? [at] : []));
    fake.keys('space');
    expect(chosen()).toEqual([0]);
    fake.keys('j', 'V', 'j', 'j', 'V');
    expect(chosen()).toEqual([0, 2, 3, 4]);
    fake.keys('escape', 'V', 'k', 'k', 'V');
    expect(chosen()).toEqual([2, 3, 4]);
    fake.keys('S-down', 'S-down', 'v');
    expect(chosen()).toEqual([0, 1, 5, 6, 7, 8, 9, 10]);
    fake.keys('C-a');
    expect(chosen().length).toBe(11);
    fake.keys('escape');
    expect(chosen()).toEqual([]);
  });

  test('a directory of 100,000 entries: every step of the model is short, only lines that are seen are made', () => {
    const files = { '/': Array.from({ length: 100_000 }, (_, at) => `file-${(at * 7919) % 100_000}`) };
    const fake = begun(files);
    expect(fake.names.length).toBe(100_000);
    const start = process.cpuUsage();
    for (let n = 0; n < 200; n++) {
      fake.keys(n % 2 === 0 ? 'C-f' : 'j');
      frameOf(fake.state);
    }
    // Of the processor, which other work on the machine takes nothing from.
    const { user, system } = process.cpuUsage(start);
    expect((user + system) / 200).toBeLessThan(8000);
    fake.keys('G');
    expect(currentRow(activeTab(fake.state))?.name).toBe('file-99999');
  });
});

describe('symbolic links', () => {
  const shown = (fake: Fake): readonly string[] =>
    frameOf(fake.state)
      .columns[1]?.lines.slice(1)
      .map((line) =>
        line
          .map(({ text }) => text)
          .join('')
          .trimEnd(),
      ) ?? [];

  test('tell where they lead, cleaned as names are; broken ones are marked', () => {
    const fake = begun({ '/': ['a', 'link1', 'link2'] });
    expect(shown(fake).map((line) => line.replace(/ +\d\S*$/, '').trim())).toEqual([
      'a',
      'link1! -> /to\\nlink1',
      'link2@ -> /to\\nlink2',
      ...Array.from({ length: 14 }, () => ''),
    ]);
  });

  test('only those that are seen are asked for, as they come into sight, one question at a time', () => {
    const fake = new Fake({ '/': Array.from({ length: 100 }, (_, at) => `link${100 + at}`) });
    const links = (): readonly (readonly string[])[] =>
      fake.asked.flatMap(({ ask }) => (ask.what === 'links' ? [ask.names] : []));
    for (const what of ['stack', 'enter', 'list'] as const) fake.answerOne(what);
    expect(links()).toEqual([Array.from({ length: 17 }, (_, at) => `link${100 + at}`)]);
    fake.holds = true;
    fake.keys('j', 'G');
    expect([links().length, currentRow(activeTab(fake.state))?.name]).toEqual([1, 'link199']);
    fake.answerOne('links');
    expect(links()).toEqual([Array.from({ length: 17 }, (_, at) => `link${183 + at}`)]);
  });

  test('a list that is read again has them as they were until they are known again', () => {
    const fake = begun({ '/': ['link2'] }).keys('F7', ...'d', 'enter', 'y');
    fake.holds = true;
    fake.keys('F7', ...'e', 'enter');
    fake.answerOne('run');
    fake.answerOne('list');
    expect(fake.asked.map(({ ask }) => ask.what)).toContain('links');
    expect(shown(fake)[0]).toContain('link2@ -> ');
  });

  test('where there is no room for it, where it leads is left out', () => {
    const fake = begun({ '/': [`link${'k'.repeat(40)}`] }, { columns: 40, lines: 10 });
    expect(shown(fake).join()).not.toContain('->');
  });
});

describe('layout', () => {
  const at = (fake: Fake, what: 'press' | 'double' | 'wheel', column: number, line: number, lines = 0): Fake =>
    fake.event({ kind: 'mouse', what, column, line, lines });

  test('mouse: a press chooses, two enter, the wheel scrolls', () => {
    const fake = begun();
    at(fake, 'press', 25, 3);
    expect(currentRow(activeTab(fake.state))?.name).toBe('etc');
    at(fake, 'double', 25, 3);
    expect(activeTab(fake.state).dir).toBe('/etc');
    at(fake, 'wheel', 25, 3, 2);
    expect(currentRow(activeTab(fake.state))?.name).toBe('passwd');
    at(fake, 'press', 2, 4);
    expect([fake.state.focus, fake.state.stackCursor]).toEqual(['stack', 1]);
    at(fake, 'press', 25, 2);
    expect([fake.state.focus, currentRow(activeTab(fake.state))?.name]).toEqual(['list', 'ssh']);
  });

  test('mouse: findings, too', () => {
    const fake = begun().keys('g', 'e', 'm', 'enter', 'g', 'h', 'm', 'enter', "'");
    at(fake, 'press', 5, 3);
    expect(fake.state.screen).toMatchObject({ name: 'pick', cursor: 1 });
    at(fake, 'press', 5, 9);
    expect(fake.state.screen).toMatchObject({ name: 'pick', cursor: 1 });
    at(fake, 'double', 5, 2);
    expect([fake.state.screen.name, activeTab(fake.state).dir]).toEqual(['files', '/etc']);
  });

  test('the tree: Tab goes there, what cannot be entered says why, Enter enters', () => {
    const fake = begun().keys('tab', 'down', 'enter');
    expect([fake.state.focus, fake.state.note?.text]).toEqual(['stack', 'swap is no file system']);
    fake.keys('down', 'enter');
    expect([fake.state.focus, activeTab(fake.state).place]).toEqual(['list', 'host']);
    fake.keys('-');
    expect(activeTab(fake.state).place).toBe('disk.img');
  });

  test('below 80 columns the tree takes the place of the list while it has the focus', () => {
    const fake = begun(tree, { columns: 60, lines: 12 });
    expect(frameOf(fake.state).columns.length).toBe(1);
    fake.keys('T');
    const text = frameOf(fake.state).columns.flatMap(({ lines }) => lines.flat().map((one) => one.text.trim()));
    expect(text).toContain('swap');
  });

  test('two panes: the second begins at the host, Tab goes between them', () => {
    const fake = begun().keys('P');
    expect(fake.state.panes.map(({ tabs }) => tabs[0]?.place)).toEqual(['disk.img', 'host']);
    expect(fake.state.active).toBe(1);
    fake.keys('tab', 'j', 'enter');
    expect(fake.state.panes.map(({ tabs }) => tabs[0]?.dir)).toEqual(['/etc', '/']);
    fake.keys('P');
    expect([fake.state.panes.length, activeTab(fake.state).dir]).toEqual([1, '/etc']);
  });

  test('another image joins the tree and is entered', () => {
    const fake = begun().keys('O', ...'other.img', 'enter');
    expect(fake.state.stack.map(({ id }) => id)).toEqual(['disk.img', 'disk.img:2', 'other.img', 'host']);
    expect(activeTab(fake.state).place).toBe('other.img');
  });

  test('tabs have directories of their own', () => {
    const fake = begun().keys('t', 'g', 'e', 't', '1');
    expect(activeTab(fake.state).dir).toBe('/');
    fake.keys(']');
    expect(activeTab(fake.state).dir).toBe('/etc');
    fake.keys('C-w', 'C-w', 'C-w');
    expect(fake.state.panes[0].tabs.length).toBe(1);
  });

  test('back and forward', () => {
    const fake = begun().keys('g', 'e', 'g', 'h', '-');
    expect(activeTab(fake.state).dir).toBe('/etc');
    fake.keys('-');
    expect(activeTab(fake.state).dir).toBe('/');
    fake.keys('=', '=');
    expect(activeTab(fake.state).dir).toBe('/home');
  });

  test('a link is entered when it leads to a directory', () => {
    const fake = begun({ '/': ['link', 'link2'], '/link': ['inside'] }).keys('enter');
    expect(fake.names).toEqual(['inside']);
    fake.keys('h', 'j', 'enter');
    expect([activeTab(fake.state).dir, fake.state.note?.text]).toEqual(['/', 'the link does not lead to a directory']);
  });
});

describe('editing', () => {
  test('nothing is changed before a person has said so once', () => {
    const fake = begun().keys('F7', ...'d', 'enter');
    expect(fake.lines).toEqual([]);
    fake.keys('y');
    expect(fake.lines).toEqual(['mkdir -- /d']);
    fake.keys('F7', ...'e', 'enter');
    expect(fake.lines).toEqual(['mkdir -- /d', 'mkdir -- /e']);
  });

  test('the title says RO until something could really be edited', () => {
    const fake = begun();
    const title = (): string =>
      frameOf(fake.state)
        .title.map(({ text }) => text)
        .join('')
        .trim();
    fake.isBusy = true;
    fake.keys('F7', ...'d', 'enter', 'y');
    expect([fake.state.note?.text, title()]).toEqual(['busy', 'disk.img ext2fs  RO']);
    fake.isBusy = false;
    fake.keys('F7', ...'d', 'enter');
    expect(title()).toBe('disk.img ext2fs  STAGED 1');
    fake.keys('Z', 'y');
    expect(title()).toBe('disk.img ext2fs  RW');
  });

  test('names are quoted, whatever they are', () => {
    const fake = begun().keys('/', ...'new', 'enter', 'd', 'd', 'y', 'y');
    fake.keys('/', ...'esc', 'enter', 'd', 'd', 'y');
    expect(fake.lines).toEqual(["rm -r -- '/new\nline'", "rm -r -- '/esc\x1b[31m'"]);
  });

  test('what was made or renamed has the cursor; a key pressed meanwhile moves it, and there it stays', () => {
    const files: Record<string, readonly string[]> = { ...tree, '/': ['etc/', 'README'] };
    const fake = begun(files);
    files['/'] = ['etc/', 'README', 'made/'];
    fake.keys('F7', ...'made', 'enter', 'y');
    expect(currentRow(activeTab(fake.state))?.name).toBe('made');
    files['/'] = ['etc/', 'README', 'made/', 'later/'];
    fake.keys('F7', ...'later');
    fake.holds = true;
    fake.keys('enter');
    fake.answerOne('run');
    fake.keys('G');
    fake.holds = false;
    fake.answer();
    expect(currentRow(activeTab(fake.state))?.name).toBe('README');
  });

  test('undo and redo', () => {
    const fake = begun().keys('F7', ...'a', 'enter', 'y', 'F7', ...'b', 'enter', 'u', 'u', 'U');
    expect([fake.lines, fake.state.editing.undone.flatMap(({ lines }) => lines)]).toEqual([
      ['mkdir -- /a'],
      ['mkdir -- /b'],
    ]);
    fake.keys('F7', ...'c', 'enter');
    expect([fake.lines, fake.state.editing.undone]).toEqual([['mkdir -- /a', 'mkdir -- /c'], []]);
  });

  test('a paste that takes several lines is one edit: it is undone and done again as one, the script has its lines', () => {
    const fake = begun({ '/': ['d/', 'a', 'b'], '/d': [] }).keys('C-a', 'y', 'enter');
    fake.conflicts = [{ name: 'b', kind: 'file' }];
    fake.keys('p', 'r', 'y');
    const lines = ['cp -a -- /d /a /d', 'cp -a -T -- /b /d/b.1'];
    expect(fake.state.editing.staged).toEqual([{ lines }]);
    fake.keys('u');
    expect([fake.lines, fake.state.editing.undone, fake.state.note?.text]).toEqual([
      [],
      [{ lines }],
      `taken back: ${lines.join('; ')}`,
    ]);
    fake.keys('U');
    expect([fake.state.editing.staged, fake.state.editing.undone]).toEqual([[{ lines }], []]);
    fake.holds = true;
    fake.keys('S', 'enter');
    expect(fake.asked.map(({ ask }) => ask)).toMatchObject([{ what: 'saveScript', lines }]);
  });

  test('copy, paste, cut, paste', () => {
    const fake = begun().keys('/', ...'README', 'enter', 'y', 'g', 'e', 'p', 'y');
    expect(fake.lines).toEqual(['cp -a -- /README /etc']);
    fake.keys('/', ...'hosts', 'enter', 'x', 'g', 'h', 'p');
    expect(fake.lines[1]).toBe('mv -- /etc/hosts /home');
  });

  test('names that exist: each is asked for, a capital letter is for all that follow', () => {
    const fake = begun({ '/': ['d/', 'e/', 'a', 'b', 'c', 'x'], '/d': [] }).keys('C-a', 'y', 'enter');
    fake.conflicts = [
      { name: 'a', kind: 'file' },
      { name: 'b', kind: 'file' },
      { name: 'e', kind: 'directories' },
      { name: 'c', kind: 'unlike' },
    ];
    fake.keys('p');
    expect(fake.state.prompt?.title).toBe('a exists in /d (1 of 4):');
    fake.keys('s', 'O');
    expect(fake.state.prompt?.title).toBe('c exists in /d (4 of 4):');
    fake.keys('r', 'y');
    expect(fake.lines).toEqual(['cp -a -- /d /e /b /x /d', 'cp -a -T -- /c /d/c.1']);
  });

  test('a directory meets a directory: merged, as the question says; what is moved is gone from where it was', () => {
    const fake = begun().keys('/', ...'home', 'enter', 'y', 'g', 'e');
    fake.conflicts = [{ name: 'home', kind: 'directories' }];
    fake.keys('p');
    const { prompt } = fake.state;
    expect(prompt?.kind === 'choice' && prompt.choices.map(({ key }) => key)).toEqual(['o', 'n', 's', 'r', 'escape']);
    expect(prompt?.kind === 'choice' && prompt.text.join()).toContain('is a directory in both');
    fake.keys('n', 'y', 'g', '/', '/', ...'home', 'enter', 'x', 'g', 'e', 'p');
    const moving = fake.state.prompt;
    expect(moving?.kind === 'choice' && moving.choices.map(({ key }) => key)).toEqual(['o', 's', 'r', 'escape']);
    fake.keys('o');
    expect(fake.lines).toEqual(['cp -a -n -- /home /etc', 'cp -a -- /home /etc; rm -r -- /home']);
  });

  test('how many names clash in it is told when it is known, and not wanted any more after the answer', () => {
    const fake = begun().keys('/', ...'home', 'enter', 'y', 'g', 'e');
    fake.conflicts = [{ name: 'home', kind: 'directories' }];
    const text = (): string => (fake.state.prompt?.kind === 'choice' ? (fake.state.prompt.text.at(-1) ?? '') : '');
    fake.keys('p');
    expect(text()).toBe('names that are in both: 12');
    fake.keys('escape');
    fake.holds = true;
    fake.keys('p');
    fake.answerOne('conflicts');
    expect(text()).toBe('names that are in both: …');
    const [asked] = fake.asked.splice(0);
    expect(asked?.ask).toEqual({
      what: 'clashes',
      place: 'disk.img',
      path: '/home',
      to: 'disk.img',
      target: '/etc/home',
    });
    fake.keys('s');
    expect(fake.effects.at(-1)).toEqual({ kind: 'cancel', token: asked?.token });
  });

  test('a directory that is moved to another file system does not become one with what is there', () => {
    const fake = begun({ '/': ['d/', 'a'] }).keys('P', 'O', ...'other.img', 'enter', 'tab');
    fake.conflicts = [{ name: 'd', kind: 'directories' }];
    fake.keys('F6');
    const { prompt } = fake.state;
    expect(prompt?.kind === 'choice' && prompt.choices.map(({ key }) => key)).toEqual(['s', 'r', 'escape']);
    fake.keys('r', 'y', 'F5', 'n');
    expect(fake.lines).toEqual(['mv --image other.img -T -- :/d /d.1', 'cp --image other.img -a -n -- :/d /']);
  });

  test('a new name is none that the directory has', () => {
    const fake = begun({ '/': ['d/', 'a'], '/d': ['a', 'a.1', 'a.2'] }).keys('j', 'y', 'k', 'enter');
    fake.conflicts = [{ name: 'a', kind: 'file' }];
    fake.keys('p', 'r', 'y');
    expect(fake.lines).toEqual(['cp -a -T -- /a /d/a.3']);
  });

  test('from and to the host: directories come whole, what is moved out is removed', () => {
    const fake = begun({ '/': ['d/', 'a'] }).keys('P', 'F5', 'y');
    fake.keys('tab', 'F6');
    expect(fake.lines).toEqual(['put -R -- /d /', 'get -- /d /', 'rm -r -- /d']);
  });

  test('how much goes with a directory is told when it is known', () => {
    const fake = begun();
    fake.holds = true;
    fake.keys('j', 'd', 'd');
    expect(fake.state.prompt?.title).toBe('delete etc?');
    fake.holds = false;
    fake.answer();
    expect(fake.state.prompt?.title).toBe('delete etc? 1 entry below, 4.9K in all:');
  });

  test('what a question offers is shown reversed until a key says what becomes of it', () => {
    const reversed = (fake: Fake): readonly string[] =>
      frameOf(fake.state).status.flatMap(({ text, style }) => (style === 'cursor' ? [text] : []));
    const fake = begun().keys('/', ...'README', 'enter', 'c', 'm');
    expect(reversed(fake)).toEqual(['0644']);
    fake.keys('left');
    expect(reversed(fake)).toEqual(['4']);
    fake.keys('escape', 'r');
    expect(reversed(fake)).toEqual([' ']);
    fake.keys('.', 'o', 'enter', 'y');
    expect(fake.lines).toEqual(['mv -n -T -- /README /README.o']);
  });

  test('of a long line that is typed the part around the cursor is seen', () => {
    const fake = begun().keys('F7', ...'x'.repeat(300), 'left', 'left', 'left', 'y');
    const { status } = frameOf(fake.state);
    const text = status.map((one) => one.text).join('');
    expect(status.find(({ style }) => style === 'cursor')?.text).toBe('x');
    expect(widthOf(text)).toBe(fake.state.columns);
    expect(text).toMatch(/^new directory: ~x+yx~$/);
    const start = fake.keys('home');
    expect(
      frameOf(start.state)
        .status.map((one) => one.text)
        .join(''),
    ).toMatch(/^new directory: x+~$/);
  });

  test('what has happened is told whole, in as many lines as it takes', () => {
    const fake = begun();
    const words = Array.from({ length: 60 }, (_, at) => `word${at}`);
    const told = (lines: number): readonly string[] => {
      const { dialog, status, columns } = frameOf({
        ...fake.state,
        lines,
        note: { text: words.join(' '), kind: 'error' },
      });
      expect((columns[0]?.lines.length ?? 0) + dialog.length).toBe(lines - 2);
      return [...dialog, status].map((line) => line.map(({ text }) => text).join(''));
    };
    expect(told(30).join('').trim().split(/ +/)).toEqual(words);
    const few = told(5);
    expect(few.length).toBe(3);
    expect(few.join('').startsWith('word0 word1 ')).toBe(true);
  });

  test('sizes and second names', () => {
    const fake = begun().keys('/', ...'README', 'enter', 'c', 's', ...'+1M', 'enter', 'y');
    fake.keys('L', 'C-u', ...'other', 'enter', 'g', 'g', 'L');
    expect(fake.lines).toEqual(['truncate -s +1M -- /README', 'ln -T -- /README /other']);
    expect(fake.state.note?.text).toBe('a directory has no second name');
  });

  test('Tab completes a command, and tells what it may become', () => {
    const fake = begun().keys(':', 'm', 'tab', 'tab');
    const { prompt } = fake.state;
    expect(prompt?.kind === 'line' && [prompt.input, prompt.hints]).toEqual([
      { text: 'mk', at: 2 },
      ['mkdir ', 'mkfifo ', 'mknod '],
    ]);
    expect(frameOf(fake.state).dialog.length).toBe(1);
    fake.keys('d', 'tab', ...'x', 'enter', 'y');
    expect(fake.lines).toEqual(['mkdir x']);
  });

  test.each([
    ['mkdir x', 'fsu mkdir --image disk.img x'],
    ['rm /etc/*', "fsu script --image disk.img -c 'rm /etc/*'"],
    ["chmod 600 'it'\\''s'", "fsu chmod --image disk.img 600 'it'\\''s'"],
    ['mkdir a; mkdir b', "fsu script --image disk.img -c 'mkdir a; mkdir b'"],
  ])('the shell command of %s', (line, expected) => {
    const fake = begun().keys(':', ...line, 'enter', 'y', 'Y');
    expect(fake.effects.at(-1)).toEqual({ kind: 'copyText', text: expected });
  });

  test('the shell command of what was typed in a directory', () => {
    const fake = begun().keys('j', 'enter', ':', ...'rm hosts', 'enter', 'y', 'Y');
    const text = "fsu script --image disk.img -c 'cd /etc; rm hosts; cd :/'";
    expect(fake.effects.at(-1)).toEqual({ kind: 'copyText', text });
  });

  test('the kernel’s thread ends: the screen says so, what is staged can be saved as a script, nothing else is asked', () => {
    const fake = begun().keys('F7', ...'a', 'enter', 'y');
    fake.event({ kind: 'ended', why: 'the kernel has ended: out of memory' });
    expect([fake.state.prompt?.kind, fake.state.tasks]).toEqual(['choice', []]);
    fake.holds = true;
    fake.keys('s', 'enter');
    expect(fake.asked.map(({ ask }) => ask)).toMatchObject([
      { what: 'saveScript', file: 'edits.fsu', lines: ['mkdir -- /a'] },
    ]);
    fake.asked.length = 0;
    fake.keys('u', 'l', 'F7', ...'b', 'enter');
    expect([fake.asked, fake.lines]).toEqual([[], ['mkdir -- /a']]);
    fake.keys('q', 'q');
    expect(fake.quits).toEqual([{ kind: 'quit', status: 1 }]);
  });

  test('what is staged is asked for before one leaves', () => {
    const fake = begun().keys('F7', ...'a', 'enter', 'y', 'q');
    expect([fake.state.prompt?.title, fake.quits]).toEqual(['1 staged edit is not committed:', []]);
    fake.keys('d');
    expect(fake.quits).toEqual([{ kind: 'quit', status: 0 }]);
  });
});

test('a list in which nothing is open has no path and no count', () => {
  const state = newState({ image: 'disk.img', look: { colors: 0, unicode: true }, columns: 80, lines: 24 });
  const text = [
    listLines(state, { tab: activeTab(state), area: { top: 0, left: 0, width: 30, height: 5 }, isActive: true }),
  ]
    .flat(2)
    .map((span) => span.text)
    .join('');
  expect(text.trim()).toBe('');
});

/** Park and Miller's minimal standard generator: the same keys each time. */
function random(seed: number): (below: number) => number {
  let now = seed;
  return (below) => {
    now = (now * 48_271) % 2_147_483_647;
    return now % below;
  };
}

test.each([1, 2, 3, 4])(
  '20,000 keys at random, seed %i: frames fill the screen, cursors stay in their lists',
  (seed) => {
    const next = random(seed);
    const fake = begun();
    const keys = [
      ...new Set(keyBindings.flatMap((binding) => binding.keys.flatMap((one) => one.split(' ')))),
      'enter',
      'escape',
      'a',
      'ü',
      'backspace',
      'y',
      'n',
    ].filter((key) => key !== 'S');
    for (let n = 0; n < 5000; n++) {
      const what = next(40);
      if (what === 0) fake.event({ kind: 'resize', columns: 1 + next(200), lines: 1 + next(60) });
      else if (what === 1)
        fake.event({
          kind: 'mouse',
          what: (['press', 'double', 'wheel'] as const)[next(3)] ?? 'press',
          column: next(200),
          line: next(60),
          lines: next(9) - 4,
        });
      else fake.keys(keys[next(keys.length)] ?? 'j');
      const { state } = fake;
      const tab = activeTab(state);
      expect(tab.cursor).toBeGreaterThanOrEqual(0);
      expect(tab.cursor).toBeLessThan(Math.max(1, tab.shown.length));
      expect(tab.top).toBeLessThanOrEqual(tab.cursor);
      if (tab.shown.length > 0) expect(tab.cursor - tab.top).toBeLessThan(listHeight(state));
      if (n % 20 > 0) continue;
      const { title, columns, status } = frameOf(state);
      const width = (line: typeof title): number => widthOf(line.map(({ text }) => text).join(''));
      expect([width(title), width(status)]).toEqual([state.columns, state.columns]);
      for (const { area, lines } of columns) {
        expect(lines.length).toBe(area.height);
        expect(new Set(lines.map(width))).toEqual(new Set([area.width]));
        expect(lines.flat().some(({ text }) => /\p{Cc}/u.test(text))).toBe(false);
      }
      expect(columns.reduce((sum, { area }) => sum + area.width, 0)).toBe(layoutOf(state).middle.width);
    }
  },
);
