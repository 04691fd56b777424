/** The terminal as a screen: raw keys, mouse and size come in as events; it is left as it was, whatever ends us. Only for browse. */
import { writeSync } from 'node:fs';
import { constants } from 'node:os';
import { Writable } from 'node:stream';
import { describeError } from './errors.ts';
import { removeCopies } from './host-editor.ts';
import { Decoder } from './tui/input/decoder.ts';
import type { Input } from './tui/input/decoder.ts';
import type { Event } from './tui/model/event.ts';

export interface ScreenDoor {
  /** Where ink writes: whole frames, each line as wide as the screen or shorter. With isPlain: lines, each with its end. */
  readonly frames: NodeJS.WriteStream;
  size(): { readonly columns: number; readonly lines: number };
  /**
   * Take the terminal; what is typed comes as events from now on. `ended`: called when a signal, the terminal's end or a mistake of
   * ours ends us; what it gives back is told on standard error.
   */
  open(dispatch: (event: Event) => void, ended: () => string | undefined): void;
  /** Give it back, as it was. */
  close(): void;
  /** Give it to another program for a while, and take it again. */
  release(): void;
  resume(): void;
  /** Into the clipboard, where the terminal has one (OSC 52). */
  copyText(text: string): void;
  /** On standard error, while the terminal is not ours. */
  say(text: string): void;
  /** As Ctrl-Z: until the shell lets us go on. */
  suspend(): void;
}

const ENTER = '\x1b[?1049h\x1b[H\x1b[2J\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[?2004h';
/** For --plain: pastes are told from keys, and nothing that is on the screen moves. */
const [ENTER_PLAIN, LEAVE_PLAIN] = ['\x1b[?2004h', '\x1b[?2004l'];
const LEAVE = '\x1b[?2004l\x1b[?1006l\x1b[?1000l\x1b[?25h\x1b[?1049l';

/** Terminals that know it show what lies between these at once (DEC private mode 2026). */
const [BEGIN, END] = ['\x1b[?2026h', '\x1b[?2026l'];

/** All that no terminal may get from a frame: what is neither text nor a style (SGR, ECMA-48 §8.3.117). */
const HARMFUL = new RegExp(`(?!${'\x1b'}\\[[\\d;]*m)[\\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069]`, 'gu');

/** The last guard: whoever made the frame, and whatever the image holds. */
const harmless = (line: string): string => line.replace(HARMFUL, '?');

/**
 * Puts frames on the terminal: of each only the lines that differ from what is there, each where it belongs. ink could do that
 * itself, but erases what it has drawn first, or the terminal with all that has scrolled off it.
 */
class Painter {
  readonly #write: (text: string) => void;
  #lines: readonly string[] = [];
  #frame = '';

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Nothing of what is on the terminal is known any more. */
  forget(): void {
    this.#lines = [];
  }

  /** The last frame once more, where it was forgotten. */
  again(): void {
    if (this.#lines.length === 0) this.paint(this.#frame);
  }

  paint(frame: string): void {
    this.#frame = frame;
    const lines = frame.split('\n').map(harmless);
    const changes: string[] = [];
    for (let at = 0; at < Math.max(lines.length, this.#lines.length); at++) {
      const line = lines[at];
      // Erased first: a line that is as wide as the screen leaves the cursor on its last cell.
      if (line !== this.#lines[at]) changes.push(`\x1b[${at + 1};1H\x1b[K${line ?? ''}`);
    }
    this.#lines = lines;
    if (changes.length > 0) this.#write(`${BEGIN}${changes.join('')}${END}`);
  }
}

/** So long after ESC something more of a sequence may come; a person sees none of it. */
const ESCAPE_MS = 40;
/** Two presses of the mouse at one place within this are a double one. */
const DOUBLE_MS = 400;

/** Bytes from the terminal as events. */
class Keyboard {
  readonly #tell: (event: Event) => void;
  readonly #decoder = new Decoder();
  readonly #text = new TextDecoder();
  #timer: NodeJS.Timeout | undefined;
  #last = { at: Number.NEGATIVE_INFINITY, column: -1, line: -1 };

  constructor(tell: (event: Event) => void) {
    this.#tell = tell;
  }

  push(chunk: Uint8Array): void {
    clearTimeout(this.#timer);
    this.#take(this.#decoder.push(this.#text.decode(chunk, { stream: true })));
    if (this.#decoder.isWaiting) this.#timer = setTimeout(() => this.#take(this.#decoder.flush()), ESCAPE_MS);
  }

  #take(inputs: readonly Input[]): void {
    for (const input of inputs) this.#tell(this.#eventOf(input));
  }

  #eventOf(input: Input): Event {
    switch (input.kind) {
      case 'key':
      case 'paste':
        return input;
      case 'wheel':
        return { ...input, kind: 'mouse', what: 'wheel' };
      case 'press': {
        const { column, line } = input;
        const at = performance.now();
        const isDouble = at - this.#last.at < DOUBLE_MS && this.#last.column === column && this.#last.line === line;
        // A third press begins anew.
        this.#last = { at: isDouble ? Number.NEGATIVE_INFINITY : at, column, line };
        return { kind: 'mouse', what: isDouble ? 'double' : 'press', column, line, lines: 0 };
      }
    }
  }
}

/** That end us, if nothing is done about them. */
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

/** `isPlain`: what is written are lines that stay, not frames. */
export function openScreen({ isPlain = false }: { readonly isPlain?: boolean } = {}): ScreenDoor {
  const { stdin, stdout } = process;
  let isOpen = false;
  let dispatch: (event: Event) => void = () => undefined;
  let ended: () => string | undefined = () => undefined;
  const painter = new Painter((text) => {
    if (isOpen) stdout.write(text);
  });
  const keyboard = new Keyboard((event) => dispatch(event));
  const size = () => ({ columns: stdout.columns || 80, lines: stdout.rows || 24 });
  const onData = (chunk: Uint8Array): void => keyboard.push(chunk);
  const onResize = (): void => {
    painter.forget();
    if (!isPlain) stdout.write('\x1b[2J');
    Object.assign(frames, { columns: size().columns, rows: size().lines });
    frames.emit('resize');
    dispatch({ kind: 'resize', ...size() });
    painter.again();
  };
  const frames = Object.assign(
    new Writable({
      decodeStrings: false,
      write(frame: unknown, _, done) {
        if (typeof frame === 'string' && frame !== '') {
          if (!isPlain) painter.paint(frame);
          else if (isOpen) stdout.write(frame.replace(/[^\n]+/g, harmless).replaceAll('\n', '\r\n'));
        }
        done();
      },
    }),
    { columns: size().columns, rows: size().lines, isTTY: true },
  );
  const takeTerminal = (): void => {
    if (isOpen) return;
    isOpen = true;
    stdout.write(isPlain ? ENTER_PLAIN : ENTER);
    stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.resume();
    stdout.on('resize', onResize);
  };
  const giveTerminal = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stdin.off('data', onData);
    stdout.off('resize', onResize);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(isPlain ? LEAVE_PLAIN : LEAVE);
  };
  const comeBack = (): void => {
    takeTerminal();
    onResize();
  };
  const suspend = (): void => {
    giveTerminal();
    // To all of our job, as the terminal would. Where nobody could let us go on (no job control), it does nothing, and we go on.
    process.off('SIGTSTP', suspend);
    process.kill(0, 'SIGTSTP');
    setImmediate(() => {
      process.on('SIGTSTP', suspend);
      comeBack();
    });
  };
  // Stopped by others: whoever had the terminal meanwhile, it is ours again.
  const onContinue = (): void => {
    if (!isOpen) return;
    giveTerminal();
    comeBack();
  };
  /** Nothing more is read or shown. */
  const endAll = (): void => {
    unwatch();
    giveTerminal();
    const words = ended();
    removeCopies();
    if (words === undefined) return;
    try {
      writeSync(process.stderr.fd, words);
    } catch {
      // Nobody is there to be told.
    }
  };
  const onSignal = (name: NodeJS.Signals): void => {
    endAll();
    // What ended us is to be seen by who started us. A shell makes 128 and the number of it, as do we if it does not come.
    process.kill(process.pid, name);
    setTimeout(() => process.exit(128 + constants.signals[name]), 100);
  };
  /** A mistake of ours: said in one line, on a terminal that shows it. */
  const onMistake = (thrown: unknown): void => {
    endAll();
    process.stderr.write(`fsu browse: ${describeError(thrown)}\n`);
    if (process.env['FSU_DEBUG'] !== undefined && thrown instanceof Error) process.stderr.write(`${thrown.stack}\n`);
    process.exit(1);
  };
  /** The terminal is gone. Not exit(): Node would put it into its old mode, and abort because that fails. */
  const onHangup = (): void => {
    isOpen = false;
    endAll();
    process.kill(process.pid, 'SIGHUP');
  };
  const watch = (): void => {
    for (const name of ENDING) process.on(name, onSignal);
    process.on('SIGTSTP', suspend);
    process.on('SIGCONT', onContinue);
    process.on('uncaughtException', onMistake);
    process.on('unhandledRejection', onMistake);
    process.on('exit', giveTerminal);
    stdin.on('end', onHangup);
    stdout.on('error', onHangup);
  };
  const unwatch = (): void => {
    for (const name of ENDING) process.off(name, onSignal);
    process.off('SIGTSTP', suspend);
    process.off('SIGCONT', onContinue);
    process.off('uncaughtException', onMistake);
    process.off('unhandledRejection', onMistake);
    process.off('exit', giveTerminal);
    stdin.off('end', onHangup);
  };
  return {
    // Of a terminal ink uses no more than this has.
    frames: frames as unknown as NodeJS.WriteStream,
    size,
    open(to, atEnd) {
      [dispatch, ended] = [to, atEnd];
      watch();
      takeTerminal();
    },
    close() {
      unwatch();
      giveTerminal();
    },
    release: giveTerminal,
    resume: comeBack,
    say: (text) => void process.stderr.write(text),
    copyText: (text) => void stdout.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`),
    suspend,
  };
}
