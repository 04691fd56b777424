/** The terminal as a screen: raw keys, mouse and size come in as events; it is left as it was, whatever ends us. Only for browse. */
import { PassThrough, Writable } from 'node:stream';
import { emitKeypressEvents } from 'node:readline';
import type { Event } from './tui/model/event.ts';

export interface ScreenDoor {
  /** Where ink writes: whole frames, each line as wide as the screen or shorter. */
  readonly frames: NodeJS.WriteStream;
  size(): { readonly columns: number; readonly lines: number };
  /** Take the terminal; what is typed comes as events from now on. */
  open(dispatch: (event: Event) => void): void;
  /** Give it back, as it was. */
  close(): void;
  /** Give it to another program for a while, and take it again. */
  release(): void;
  resume(): void;
  /** Into the clipboard, where the terminal has one (OSC 52). */
  copyText(text: string): void;
  /** As Ctrl-Z: until the shell lets us go on. */
  suspend(): void;
}

const ENTER = '\x1b[?1049h\x1b[H\x1b[2J\x1b[?25l\x1b[?1000h\x1b[?1006h\x1b[?2004h';
const LEAVE = '\x1b[?2004l\x1b[?1006l\x1b[?1000l\x1b[?25h\x1b[?1049l';

/** Terminals that know it show what lies between these at once (DEC private mode 2026). */
const [BEGIN, END] = ['\x1b[?2026h', '\x1b[?2026l'];

/**
 * Puts frames on the terminal: of each only the lines that differ from what is there, each where it belongs. ink could do that
 * itself, but erases what it has drawn first, or the terminal with all that has scrolled off it.
 */
class Painter {
  readonly #write: (text: string) => void;
  #lines: readonly string[] = [];

  constructor(write: (text: string) => void) {
    this.#write = write;
  }

  /** Nothing of what is on the terminal is known any more. */
  forget(): void {
    this.#lines = [];
  }

  paint(frame: string): void {
    const lines = frame.split('\n');
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

interface Keypress {
  readonly name?: string;
  readonly sequence?: string;
  readonly ctrl?: boolean;
  readonly meta?: boolean;
  readonly shift?: boolean;
}

/** Node's names of keys as ours. */
function keyOf(text: string | undefined, { name, sequence, ctrl, meta, shift }: Keypress): string | undefined {
  if (name === undefined || (name.length === 1 && ctrl !== true))
    return meta === true ? `M-${name ?? ''}` : (text ?? sequence);
  const known = { return: 'enter', enter: 'enter' }[name] ?? (/^f\d+$/.test(name) ? name.toUpperCase() : name);
  return `${ctrl === true ? 'C-' : ''}${meta === true && name !== 'escape' ? 'M-' : ''}${shift === true && name.length > 1 ? 'S-' : ''}${known}`;
}

export function openScreen(): ScreenDoor {
  const { stdin, stdout } = process;
  const keys = new PassThrough();
  let isOpen = false;
  let dispatch: (event: Event) => void = () => undefined;
  const painter = new Painter((text) => {
    if (isOpen) stdout.write(text);
  });
  const size = () => ({ columns: stdout.columns || 80, lines: stdout.rows || 24 });
  const onData = (chunk: Buffer): void => void keys.write(chunk);
  const onResize = (): void => {
    painter.forget();
    stdout.write('\x1b[2J');
    Object.assign(frames, { columns: size().columns, rows: size().lines });
    frames.emit('resize');
    dispatch({ kind: 'resize', ...size() });
  };
  const frames = Object.assign(
    new Writable({
      decodeStrings: false,
      write(frame: unknown, _, done) {
        if (typeof frame === 'string' && frame !== '') painter.paint(frame);
        done();
      },
    }),
    { columns: size().columns, rows: size().lines, isTTY: true },
  );
  const enter = (): void => {
    if (isOpen) return;
    isOpen = true;
    stdout.write(ENTER);
    stdin.setRawMode(true);
    stdin.on('data', onData);
    stdin.resume();
    stdout.on('resize', onResize);
    process.on('exit', leave);
  };
  const leave = (): void => {
    if (!isOpen) return;
    isOpen = false;
    stdin.off('data', onData);
    stdout.off('resize', onResize);
    process.off('exit', leave);
    stdin.setRawMode(false);
    stdin.pause();
    stdout.write(LEAVE);
  };
  emitKeypressEvents(keys);
  keys.on('keypress', (text: string | undefined, key: Keypress) => {
    const name = keyOf(text, key);
    if (name !== undefined) dispatch({ kind: 'key', key: name === ' ' ? 'space' : name });
  });
  return {
    // Of a terminal ink uses no more than this has.
    frames: frames as unknown as NodeJS.WriteStream,
    size,
    open(to) {
      dispatch = to;
      enter();
    },
    close: leave,
    release: leave,
    resume() {
      enter();
      onResize();
    },
    copyText: (text) => void stdout.write(`\x1b]52;c;${Buffer.from(text).toString('base64')}\x07`),
    suspend: () => undefined,
  };
}
