/**
 * What terminals send, as keys, pastes and the mouse: ECMA-48 control sequences with the parameters that xterm gives them
 * (ctlseqs: "PC-Style Function Keys", "Bracketed Paste Mode", "Mouse Tracking" 1000 and 1006). Sequences may come in pieces.
 */
import type { Key } from '../model/event.ts';

export type Input =
  | { readonly kind: 'key'; readonly key: Key }
  | { readonly kind: 'paste'; readonly text: string }
  /** Cells count from 0. */
  | { readonly kind: 'press'; readonly column: number; readonly line: number }
  | { readonly kind: 'wheel'; readonly column: number; readonly line: number; readonly lines: number };

const ESC = '\x1b';
const PASTE_END = '\x1b[201~';
/** More than this is no paste that a line could want, and no sequence that a terminal sends. */
const MOST = { paste: 1 << 20, sequence: 64 } as const;
const WHEEL_LINES = 3;

const finals: Readonly<Record<string, string>> = {
  A: 'up',
  B: 'down',
  C: 'right',
  D: 'left',
  F: 'end',
  H: 'home',
  P: 'F1',
  Q: 'F2',
  R: 'F3',
  S: 'F4',
  M: 'enter',
};

const tildes: Readonly<Record<string, string>> = {
  1: 'home',
  2: 'insert',
  3: 'delete',
  4: 'end',
  5: 'pageup',
  6: 'pagedown',
  7: 'home',
  8: 'end',
  11: 'F1',
  12: 'F2',
  13: 'F3',
  14: 'F4',
  15: 'F5',
  17: 'F6',
  18: 'F7',
  19: 'F8',
  20: 'F9',
  21: 'F10',
  23: 'F11',
  24: 'F12',
};

const controls: Readonly<Record<string, Key>> = {
  '\0': 'C-space',
  '\b': 'backspace',
  '\t': 'tab',
  '\n': 'enter',
  '\r': 'enter',
  '\x1c': 'C-\\',
  '\x1d': 'C-]',
  '\x1e': 'C-^',
  '\x1f': 'C-_',
  ' ': 'space',
  '\x7f': 'backspace',
};

const COMPLETE = new RegExp(`^${ESC}\\[([0-?]*)([ -/]*)([@-~])`);
const BEGUN = new RegExp(`^${ESC}\\[[0-?]*[ -/]*`);
/** The Linux console's F1 to F5. */
const CONSOLE = new RegExp(`^${ESC}\\[\\[([A-E])`);

interface Taken {
  readonly inputs: readonly Input[];
  /** Characters that were used; 0: more must come first. */
  readonly length: number;
}

const key = (name: Key, length: number): Taken => ({ inputs: [{ kind: 'key', key: name }], length });
const nothing = (length: number): Taken => ({ inputs: [], length });

export class Decoder {
  #pending = '';
  #paste: string | undefined;

  /** Something has begun that is a key by itself if nothing follows. */
  get isWaiting(): boolean {
    return this.#pending !== '' && this.#paste === undefined;
  }

  push(text: string): Input[] {
    this.#pending += text;
    return this.#take(false);
  }

  /** Nothing has followed: what is there is all. */
  flush(): Input[] {
    return this.#paste === undefined ? this.#take(true) : [];
  }

  #take(isAll: boolean): Input[] {
    const inputs: Input[] = [];
    while (this.#pending !== '') {
      const taken = this.#paste === undefined ? this.#one(isAll) : this.#pasted(this.#paste);
      if (taken.length === 0) break;
      this.#pending = this.#pending.slice(taken.length);
      inputs.push(...taken.inputs);
    }
    return inputs;
  }

  /** All up to the end of the paste, but for what may be the beginning of its end. */
  #pasted(before: string): Taken {
    const end = this.#pending.indexOf(PASTE_END);
    if (end < 0) {
      let kept = Math.min(PASTE_END.length - 1, this.#pending.length);
      while (kept > 0 && !PASTE_END.startsWith(this.#pending.slice(-kept))) kept--;
      const length = this.#pending.length - kept;
      this.#paste = (before + this.#pending.slice(0, length)).slice(0, MOST.paste);
      return nothing(length);
    }
    this.#paste = undefined;
    const text = (before + this.#pending.slice(0, end)).slice(0, MOST.paste);
    return { inputs: [{ kind: 'paste', text }], length: end + PASTE_END.length };
  }

  #one(isAll: boolean): Taken {
    const text = this.#pending;
    if (!text.startsWith(ESC)) {
      const char = String.fromCodePoint(text.codePointAt(0) ?? 0);
      return key(keyOf(char), char.length);
    }
    const second = text[1];
    if (second === undefined) return isAll ? key('escape', 1) : nothing(0);
    if (second === '[') return this.#sequence(text, isAll);
    if (second === 'O') return singleShift(text, isAll);
    if (second === ESC) return key('escape', 1);
    const char = String.fromCodePoint(text.codePointAt(1) ?? 0);
    return key(`M-${keyOf(char)}`, 1 + char.length);
  }

  #sequence(text: string, isAll: boolean): Taken {
    const console = CONSOLE.exec(text);
    if (console !== null) return key(`F${(console[1] ?? 'A').charCodeAt(0) - 0x40}`, console[0].length);
    if (text === '\x1b[[') return nothing(isAll ? text.length : 0);
    const match = COMPLETE.exec(text);
    if (match === null) {
      if (BEGUN.exec(text)?.[0] === text) {
        if (isAll && text === '\x1b[') return key('M-[', 2);
        return isAll || text.length > MOST.sequence ? nothing(text.length) : nothing(0);
      }
      // No sequence after all: what has come of it is dropped.
      return nothing(BEGUN.exec(text)?.[0].length ?? 1);
    }
    const [all, params = '', , final = ''] = match;
    if (params === '200' && final === '~') {
      this.#paste = '';
      return nothing(all.length);
    }
    if (params.startsWith('<')) return { inputs: mouse(params.slice(1), final), length: all.length };
    // The mouse of terminals without 1006: three bytes follow.
    if (params === '' && final === 'M')
      return text.length < all.length + 3 && !isAll ? nothing(0) : nothing(all.length + 3);
    const name = named(params, final);
    return name === undefined ? nothing(all.length) : key(name, all.length);
  }
}

/** ESC O x: what keypads and F1 to F4 send in application mode. */
function singleShift(text: string, isAll: boolean): Taken {
  const final = text[2];
  if (final === undefined) return isAll ? key('M-O', 2) : nothing(0);
  const name = finals[final];
  return name === undefined ? nothing(3) : key(name, 3);
}

/** A character as a key: `a`, `C-a`, `enter`. */
function keyOf(char: string): Key {
  const known = controls[char];
  if (known !== undefined) return known;
  const code = char.charCodeAt(0);
  return code < 0x20 ? `C-${String.fromCharCode(code + 0x60)}` : char;
}

function named(params: string, final: string): Key | undefined {
  const [first = '', modifiers = '1'] = params.split(';');
  if (final === 'Z') return 'S-tab';
  const name = final === '~' ? tildes[first] : finals[final];
  if (name === undefined) return undefined;
  // One more than a sum of 1 (shift), 2 (alt), 4 (control).
  const bits = Math.max(0, Number(modifiers) - 1);
  return `${(bits & 4) === 0 ? '' : 'C-'}${(bits & 2) === 0 ? '' : 'M-'}${(bits & 1) === 0 ? '' : 'S-'}${name}`;
}

/** `button;column;line`, M when pressed; cells count from 1. */
function mouse(params: string, final: string): readonly Input[] {
  const [button, column, line] = params.split(';').map(Number);
  if (final !== 'M' || button === undefined || !isCell(column) || !isCell(line)) return [];
  const where = { column: column - 1, line: line - 1 };
  // Shift, meta and control add 4, 8, 16; a wheel's buttons begin at 64, and 32 says that it moves.
  const plain = button & ~0b1_1100;
  if (plain === 0) return [{ kind: 'press', ...where }];
  if (plain === 64 || plain === 65)
    return [{ kind: 'wheel', ...where, lines: plain === 64 ? -WHEEL_LINES : WHEEL_LINES }];
  return [];
}

const isCell = (cell: number | undefined): cell is number => cell !== undefined && Number.isInteger(cell) && cell > 0;
