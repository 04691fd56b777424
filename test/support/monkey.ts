/** Somebody who presses the keys of the browser at random, and looks at what it shows after each of them. */
import { setImmediate as turn } from 'node:timers/promises';
import { nameFromBytes } from 'ukfs';
import { keyBindings } from '../../packages/fsu-cli/src/tui/keys/index.ts';
import { activeTab, HOST } from '../../packages/fsu-cli/src/tui/model/state.ts';
import type { State } from '../../packages/fsu-cli/src/tui/model/state.ts';
import { lineInput } from '../../packages/fsu-cli/src/tui/model/lineinput.ts';
import { layoutOf } from '../../packages/fsu-cli/src/tui/model/layout.ts';
import { spoken } from '../../packages/fsu-cli/src/tui/plain.ts';
import { frameOf } from '../../packages/fsu-cli/src/tui/render/frame.ts';
import { widthOf } from '../../packages/fsu-cli/src/tui/render/line.ts';
import type { Line } from '../../packages/fsu-cli/src/tui/render/line.ts';
import type { Browsing } from '../cli/browsing.ts';
import type { Rng } from './rng.ts';

/** All bytes that a name can have, in names of 32; and what is hard to show, to type or to quote. */
export const HOSTILE_NAMES: readonly string[] = [
  ...Array.from({ length: 8 }, (_, at) =>
    nameFromBytes(
      Uint8Array.from({ length: 32 }, (__, n) => at * 32 + n).filter((byte) => byte !== 0 && byte !== 0x2f),
    ),
  ),
  nameFromBytes(new Uint8Array(255).fill(0xff)),
  nameFromBytes(Uint8Array.of(0xed, 0xa0, 0x80, 0x41)),
  'n'.repeat(255),
  '日'.repeat(85),
  'é'.repeat(127),
  'e\u0301\u0327\u20dd'.repeat(20),
  '\u202eevil\u2066x\u2069',
  'שלום عالم',
  '👩‍👩‍👧‍👦🇩🇪',
  '\u200b\u200d\ufeff\u2028\u2029',
  '-rf',
  '--',
  '--image',
  '~',
  '*?[a]{b,c}',
  '$(x) `y` "q" \'r\' \\',
  '#hash; & | > < (x)',
  'a:b',
  ' lead and trail ',
  '\n',
  '\\',
  "'",
];

/** No key takes longer, whatever the machine has to do besides. */
const LONGEST_MS = 30_000;
/** Processor time for which nothing else is answered. */
const LONGEST_TURN_MS = 3000;
/** All of a file, or of a tree: others are answered meanwhile, and nobody has to wait for them. */
const SEARCHES: ReadonlySet<string> = new Set(['seek', 'find', 'grep', 'compare', 'contents', 'usage', 'below']);
const PATIENCE_MS = 100;

/** Where the host's files are shown, only these: nobody leaves the directory that was made for it. */
const HOST_KEYS: readonly string[] = [
  ...['j', 'k', 'enter', 'space', 'C-a', 'v', 'y', 'x', 'p', 'F5', 'F6', 'tab', 'd d', 'i', 'o', 'e', 'a', 't', ']'],
  ...['P', 'w', 'u', 'U', 'C-c', 'escape', '/', 'f', ', s', 'T', 'C', 'D', 'I', 'r', 'c m', 'm', "'", 'Y'],
];
const inLists = keyBindings.filter(({ in: where }) => where === 'list' || where === 'everywhere');
const keysOf = (bindings: typeof keyBindings): readonly string[] => bindings.flatMap(({ keys }) => keys);

const EDITING_KEYS: readonly string[] = [
  ...[
    'F7',
    'a',
    'A',
    'L',
    'r',
    'd d',
    'y',
    'y',
    'x',
    'p',
    'p',
    'p',
    'F5',
    'F6',
    'e',
    'c m',
    'c o',
    'c t',
    'c x',
    'c s',
  ],
  ...['u', 'u', 'U', 'w', 'w', 'tab', 'tab', ':', 'enter', 'enter', 'h', 'h', 'j', 'j', 'G', 'k', 'space', 'Z'],
];

const DIRS = ['/', '/dir', '/dir/sub', '/big', '/absent', '/file', '/etc'];
const COMMANDS = [
  ...['ls -la', 'ls -R /', 'stat *', 'rm -r dir', 'cp -a dir copy', 'mv file dir', 'find / -name f*', 'du -a', 'df'],
  ...['cat file', 'put -R dir /', 'put file /put', 'get / out', 'get -f file got', 'mkdir -p a/b/c', 'touch a b c'],
  ...['truncate -s 100M file', 'truncate -s 0 file', 'chmod -R 0 /', 'chown -R 1:1 /', 'xattr list file', 'tar -c /'],
  ...['ln file hard', 'echo x', 'cd /dir; rm *', 'nonsense', "'", 'write new < file', 'rm -rf /', 'sync', 'set -x', ''],
];

interface Task {
  readonly rng: Rng;
  readonly label: string;
  /** Of the host, to be opened besides. */
  readonly images: readonly string[];
  /** A commit is not to be. */
  readonly mayCommit?: boolean;
  /** Most keys edit, on images that are sound; nothing of the host changes, which a script that is run again may read. */
  readonly edits?: boolean;
  /** Called before each commit. */
  readonly commits?: () => void;
}

/** So many edits are worth a commit. */
const ENOUGH = 3;

export class Monkey {
  readonly #browsing: Browsing;
  readonly #task: Task;
  readonly #keys: string[] = [];
  hasCommitted = false;
  pressed = 0;

  constructor(browsing: Browsing, task: Task) {
    this.#browsing = browsing;
    this.#task = task;
    const { rng } = task;
    browsing.editor = (before) =>
      rng.pick([before, new Uint8Array(), new TextEncoder().encode('new\n'), rng.bytes(rng.int(100_000))]);
  }

  story = (): string => `${this.#task.label}; keys: ${JSON.stringify(this.#keys)}`;

  #fail(what: string): never {
    throw new Error(`${what}\n${this.story()}`);
  }

  /** One key, or what a question is answered with; most often what comes of it is waited for. */
  async key(): Promise<void> {
    const { rng } = this.#task;
    const b = this.#browsing;
    const what = rng.int(60);
    if (what === 0) {
      const [columns, lines] = [1 + rng.int(180), 3 + rng.int(50)];
      this.#do(`resize ${columns} ${lines}`, () => b.runtime.dispatch({ kind: 'resize', columns, lines }));
    } else if (what === 1 && activeTab(b.state).place !== HOST) {
      const kind = rng.pick(['press', 'wheel'] as const);
      const [column, line, lines] = [rng.int(180), rng.int(50), rng.int(9) - 4];
      this.#do(`${kind} ${column} ${line} ${lines}`, () =>
        b.runtime.dispatch({ kind: 'mouse', what: kind, column, line, lines }),
      );
    } else if (b.state.prompt !== undefined) this.#answer(b.state.prompt);
    else {
      const at = rng.oneIn(4) ? rng.pick(keysOf(keyBindings)) : rng.pick(this.#likely());
      const isHost = b.state.screen.name === 'files' && activeTab(b.state).place === HOST && b.state.focus === 'list';
      const key = isHost ? rng.pick(HOST_KEYS) : at;
      if (this.#task.edits === true && this.#isForHost(key)) return;
      this.#press(key);
    }
    if (!rng.oneIn(4)) await this.settle();
  }

  /** Would the key put files on the host? */
  #isForHost(key: string): boolean {
    const { state } = this.#browsing;
    const other = state.panes[state.active === 0 ? 1 : 0];
    if (key === 'p') return activeTab(state).place === HOST;
    return (key === 'F5' || key === 'F6') && other?.tabs[other.tab]?.place === HOST;
  }

  /** Keys that mean something where one is. */
  #likely(): readonly string[] {
    const { screen, focus, editing } = this.#browsing.state;
    const { rng } = this.#task;
    if (screen.name === 'review' && this.#task.edits === true) return ['c', 'c', 'c', 'q', 'u', 'U', 'j'];
    if (screen.name === 'files' && editing.staged.length >= ENOUGH && rng.oneIn(4)) return ['w'];
    if (screen.name !== 'files')
      return rng.oneIn(6) ? ['q'] : keysOf(keyBindings.filter((one) => one.in === screen.name));
    if (this.#task.edits === true && !rng.oneIn(8)) return EDITING_KEYS;
    if (focus === 'stack') return keysOf(keyBindings.filter((one) => one.in === 'stack'));
    return rng.oneIn(2) ? ['j', 'G', 'k', 'enter', 'h'] : keysOf(inLists);
  }

  #press(keys: string): void {
    for (const key of keys.split(' ')) {
      const { screen } = this.#browsing.state;
      if (screen.name === 'review' && screen.images !== undefined && key === 'c') {
        if (this.#task.mayCommit === false) continue;
        this.hasCommitted = true;
        this.#task.commits?.();
      }
      this.#do(key, () => this.#browsing.press(key));
    }
  }

  #answer(prompt: NonNullable<State['prompt']>): void {
    const { rng } = this.#task;
    if (rng.oneIn(12)) return this.#press(rng.pick(['escape', 'C-c', 'tab', 'x', 'backspace', 'left', 'C-u', 'ü']));
    if (prompt.kind === 'choice') return this.#press(rng.pick(prompt.choices).key);
    const text = this.#textFor(prompt.purpose, prompt.input.text);
    this.#do(JSON.stringify(text), () => {
      const { state } = this.#browsing;
      this.#browsing.runtime.take([{ ...state, prompt: { ...prompt, input: lineInput(text) } }, []]);
      if (rng.oneIn(10)) this.#browsing.press('tab');
      this.#browsing.press('enter');
    });
  }

  #textFor(purpose: string, offered: string): string {
    const { rng, images } = this.#task;
    if (rng.oneIn(10)) return offered;
    switch (purpose) {
      case 'saveScript':
        return rng.pick(['edits.fsu', 'other.fsu', 'no/such/dir.fsu']);
      case 'openImage':
      case 'compareWith':
        return rng.pick([...images, 'absent.img', 'file', 'dir', 'file:9', ':']);
      case 'command':
        return rng.pick(this.#task.edits === true ? COMMANDS.filter((line) => !line.startsWith('get')) : COMMANDS);
      case 'jump':
        return rng.pick(DIRS);
      case 'changeMode':
        return rng.pick(['0', '7777', 'u+s', 'a=rwx', '99', 'x']);
      case 'changeOwner':
        return rng.pick(['0:0', '4294967295', '4294967296', 'root', ':', '12:34']);
      case 'changeSize':
        return rng.pick(['0', '1', '1M', '+1', '-5', '100G', '9223372036854775808', 'x']);
      case 'changeTime':
        return rng.pick(['1970-01-01T00:00:00Z', '1901-12-13', '2446-05-10', '9999-01-01', 'soon', '@0']);
      case 'changeXattr':
        return rng.pick(['user.a=b', '-user.a', 'user.=', '=', 'trusted.x=y', `user.${'x'.repeat(300)}=1`]);
      case 'changeAcl':
        return rng.pick(['u:1:rw', 'g::x', 'nobody', 'd:u:1:rwx', 'm::r']);
      case 'filter':
      case 'search':
      case 'find':
      case 'grep':
      case 'viewSearch':
      case 'helpFilter':
        return rng.pick(['', 'f', 'e', '\\', '[', '.*', ...HOSTILE_NAMES]);
      default:
        return rng.oneIn(2)
          ? rng.pick(['file', 'dir', 'new', 'new/', '/', '.', '..', '/dir/new', 'a/b'])
          : rng.pick(HOSTILE_NAMES);
    }
  }

  #do(what: string, act: () => void): void {
    this.#keys.push(what);
    this.pressed++;
    const before = this.#browsing.state;
    try {
      act();
    } catch (thrown) {
      this.#fail(`threw: ${thrown instanceof Error ? thrown.stack : String(thrown)}`);
    }
    this.look(before);
  }

  /** Until nothing is on its way; what is shown meanwhile is looked at, too. */
  async settle(longestMs = LONGEST_MS): Promise<void> {
    const b = this.#browsing;
    const start = performance.now();
    for (let quiet = 0; quiet < 6;) {
      const before = b.state;
      const cpu = process.cpuUsage();
      await turn();
      const { user, system } = process.cpuUsage(cpu);
      const turnMs = (user + system) / 1000;
      if (turnMs > LONGEST_TURN_MS) this.#fail(`nothing else happened for ${Math.round(turnMs)} ms`);
      const { editing } = b.state;
      const waitsFor = [...b.unanswered.values()];
      const ms = performance.now() - start;
      if (
        longestMs === LONGEST_MS &&
        ms > PATIENCE_MS &&
        editing.token === 0 &&
        waitsFor.every((name) => SEARCHES.has(name))
      )
        break;
      if (ms > longestMs) this.#fail(`no end after ${Math.round(ms)} ms: ${waitsFor.join(', ')}`);
      quiet = b.state !== before || waitsFor.length > 0 || editing.token !== 0 ? 0 : quiet + 1;
    }
    this.look(undefined);
  }

  /** What is on the screen, and what is read aloud. */
  look(before: State | undefined): void {
    const { state } = this.#browsing;
    const { title, columns, dialog, status } = frameOf(state);
    const width = (line: Line): number => widthOf(line.map(({ text }) => text).join(''));
    const height = columns[0]?.area.height ?? 0;
    const rows = [title, ...dialog, status];
    if (rows.length + height !== Math.max(state.lines, 2 + dialog.length))
      this.#fail(`${rows.length + height} lines of ${state.lines}`);
    for (const line of rows)
      if (width(line) !== state.columns)
        this.#fail(`${width(line)} cells of ${state.columns}: ${JSON.stringify(line)}`);
    if (columns.reduce((sum, { area }) => sum + area.width, 0) !== layoutOf(state).middle.width)
      this.#fail('columns do not fill the screen');
    for (const { area, lines } of columns) {
      if (lines.length !== height) this.#fail(`a column of ${lines.length} lines beside ${height}`);
      for (const line of lines)
        if (width(line) !== area.width) this.#fail(`${width(line)} cells of ${area.width}: ${JSON.stringify(line)}`);
    }
    const shown = [...rows, ...columns.flatMap(({ lines }) => lines)].flat().map(({ text }) => text);
    const aloud = spoken(before, state);
    for (const text of [...shown, ...aloud]) {
      if (/[\p{Cc}\p{Cs}\u2028\u2029\u202a-\u202e\u2066-\u2069]/u.test(text))
        this.#fail(`not fit for a terminal: ${JSON.stringify(text)}`);
      if (text.includes('internal error')) this.#fail(text);
    }
    if (state.over !== undefined) this.#fail(`over: ${state.over}`);
  }
}
