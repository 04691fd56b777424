/**
 * A real terminal to run whole sessions in: a tmux server of the test's own, with nobody's settings, and a shell in it. What is
 * waited for is looked for again and again; nothing here counts on anything taking a certain time.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { requireOracle } from '../support/oracle.ts';
import { sleepSync } from '../support/sleep.ts';
import { afterAll, afterEach } from 'vitest';
import { Workplace } from '../cli/harness.ts';

export interface TerminalOptions {
  readonly columns?: number;
  readonly lines?: number;
  readonly env?: Readonly<Record<string, string>>;
}

/** What the terminal is set to, beside what is on it. */
interface Modes {
  readonly isAlternate: boolean;
  readonly showsCursor: boolean;
  readonly reportsMouse: boolean;
}

/** All of the screen is the program's. */
const SETTINGS = 'set -g status off\nset -g remain-on-exit on\n';

/** Text that is shown reversed (SGR 7), as far as it has no other style. */
const REVERSED = /\x1b\[(?:\d+;)*7m(?:\x1b\[[\d;]*m)*([^\x1b]*)/; // oxlint-disable-line no-control-regex -- it is what is looked for

const PROMPT = 'ready>';
let count = 0;

/** A process that has ended may stay in the table until its new parent asks for it. */
function isRunning(pid: number): boolean {
  try {
    return !/^State:\s*Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}

export class Terminal {
  readonly #tmux: string;
  readonly #socket = `fsu-test-${process.pid}-${++count}`;
  readonly #record: string;
  readonly #settings: string;

  /** Of the test that is running; without tmux it ends here, skipped and counted. */
  constructor(place: Workplace, { columns = 100, lines = 30, env = {} }: TerminalOptions = {}) {
    this.#tmux = requireOracle('tmux');
    this.#record = place.at(`.terminal-${count}`);
    const all = { ...place.env({ TERM: 'xterm-256color', PS1: `${PROMPT} `, ...env }) };
    const vars = Object.entries(all).map(([name, value]) => `${name}=${value}`);
    const shell = ['env', '-i', ...vars, '/bin/bash', '--noprofile', '--norc', '-i'];
    this.#settings = place.at(`.tmux-${count}.conf`);
    writeFileSync(this.#settings, SETTINGS);
    this.#do(['new-session', '-d', '-x', `${columns}`, '-y', `${lines}`, '-c', place.dir, ...shell]);
    this.#do(['pipe-pane', '-O', `cat >>'${this.#record}'`]);
  }

  #do(args: readonly string[]): string {
    return execFileSync(this.#tmux, ['-u', '-f', this.#settings, '-L', this.#socket, ...args], {
      encoding: 'utf8',
      stdio: 'pipe',
      env: { ...process.env, LC_ALL: 'C.UTF-8' },
    });
  }

  /** A line for the shell; it is there once its prompt is. */
  async command(line: string): Promise<void> {
    await this.waitFor(new RegExp(`${PROMPT} *\\s*$`));
    this.type(line);
    this.keys('Enter');
  }

  /** Keys by tmux's names: `Enter`, `Escape`, `C-d`, `Up`, `F5`, `j`. */
  keys(...keys: readonly string[]): void {
    this.#do(['send-keys', '--', ...keys]);
  }

  /** Characters as they are. */
  type(text: string): void {
    this.#do(['send-keys', '-l', '--', text]);
  }

  /** As a person pastes: in brackets, where the program asked for them. */
  paste(text: string): void {
    this.#do(['set-buffer', '--', text, ';', 'paste-buffer', '-p', '-r']);
  }

  /** The lines that are seen, without blanks at their ends; `sgr` leaves colours and the like in. */
  capture({ sgr = false } = {}): string[] {
    const lines = this.#do(['capture-pane', '-p', ...(sgr ? ['-e'] : [])]).split('\n');
    return lines.slice(0, -1).map((line) => line.trimEnd());
  }

  /** Until the screen has it, and is the same for a moment: it is drawn line by line. Its lines as one text. */
  async waitFor(what: string | RegExp, timeout = 15_000): Promise<string> {
    const deadline = performance.now() + timeout;
    let last: string | undefined;
    for (;;) {
      const seen = this.capture().join('\n');
      const isThere = typeof what === 'string' ? seen.includes(what) : what.test(seen);
      if (isThere && (seen === last || performance.now() > deadline)) return seen;
      last = seen;
      if (performance.now() > deadline) throw new Error(`no ${String(what)} within ${timeout} ms on:\n${seen}`);
      await sleep(20);
    }
  }

  /** Until the entry is under the cursor: it is shown reversed, as is the title above. */
  async waitForCursor(name: string, timeout = 15_000): Promise<void> {
    const deadline = performance.now() + timeout;
    for (;;) {
      const [, ...lines] = this.capture({ sgr: true });
      const reversed = lines.flatMap((line) => REVERSED.exec(line)?.[1]?.trim() ?? []);
      if (reversed.some((text) => text.split(/\s/, 1)[0]?.replace(/^\*|[/@|=*]$/g, '') === name)) return;
      if (performance.now() > deadline)
        throw new Error(`the cursor is not on ${name} but on ${reversed.join(', ')}:\n${this.capture().join('\n')}`);
      await sleep(20);
    }
  }

  /** A person's word that the image may be edited, once it is asked for. */
  async agree(): Promise<void> {
    await this.waitFor('edit it?');
    this.keys('y');
  }

  /** A new directory, up to where a person's word is asked for. */
  async makeDir(name: string): Promise<void> {
    this.keys('F7');
    await this.waitFor('new directory');
    this.type(name);
    this.keys('Enter');
  }

  /** Review what is staged, and commit it: so many edits, in which the checker finds nothing. */
  async commit(count: number): Promise<void> {
    this.keys('w');
    await this.waitFor('finds no error that was not there before');
    this.keys('c');
    await this.waitFor(`committed: ${count} ${count === 1 ? 'edit' : 'edits'}`);
  }

  /** Until the screen has it no more. */
  async waitUntilGone(what: string, timeout = 15_000): Promise<void> {
    const deadline = performance.now() + timeout;
    while (this.capture().join('\n').includes(what)) {
      if (performance.now() > deadline) throw new Error(`${what} is still on:\n${this.capture().join('\n')}`);
      await sleep(20);
    }
  }

  modes(): Modes {
    const text = this.#do(['display', '-p', '#{alternate_on} #{cursor_flag} #{mouse_any_flag}']);
    const [alternate, cursor, mouse] = text.trim().split(' ');
    return { isAlternate: alternate === '1', showsCursor: cursor === '1', reportsMouse: mouse === '1' };
  }

  resize(columns: number, lines: number): void {
    this.#do(['resize-window', '-x', `${columns}`, '-y', `${lines}`]);
  }

  /** What `ps` tells of the processes that have this terminal. */
  #ps(columns: string): string[] {
    const tty = this.#do(['display', '-p', '#{pane_tty}']).trim().replace('/dev/', '');
    return execFileSync('ps', ['-t', tty, '-o', columns], { encoding: 'utf8' }).trim().split('\n');
  }

  #processes(): number[] {
    try {
      return this.#ps('pid=').map(Number);
    } catch {
      return [];
    }
  }

  /** To the program that has the terminal. */
  signal(name: string): void {
    const rows = this.#ps('pid=,stat=,args=');
    const [row] = rows
      .map((one) => one.trim().split(/\s+/))
      .filter(([, stat, ...args]) => stat?.includes('+') && args.join(' ').includes('browse'));
    if (row?.[0] === undefined) throw new Error(`no browser among ${rows.join('; ')}`);
    process.kill(Number(row[0]), `SIG${name}`);
  }

  /** Every byte that was written to the terminal, one character each. */
  recorded(): string {
    return existsSync(this.#record) ? readFileSync(this.#record, 'latin1') : '';
  }

  /** The terminal goes, as when its window is closed; back when what ran in it has ended, too. */
  kill(): void {
    const running = this.#processes();
    try {
      this.#do(['kill-server']);
    } catch {
      // It has ended by itself.
    }
    const deadline = performance.now() + 10_000;
    while (running.some(isRunning) && performance.now() < deadline) sleepSync(20);
    for (const file of [this.#record, this.#settings]) rmSync(file, { force: true });
  }
}

/** For the tests of a file: a directory with the tools, and terminals there, which go when their test ends. */
export function terminalPlace(): { readonly place: Workplace; open(options?: TerminalOptions): Terminal } {
  const place = new Workplace();
  const terminals: Terminal[] = [];
  afterEach(() => {
    for (const one of terminals.splice(0)) one.kill();
  });
  afterAll(() => place.remove());
  return {
    place,
    open(options) {
      const made = new Terminal(place, options);
      terminals.push(made);
      return made;
    },
  };
}
