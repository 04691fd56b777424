/**
 * A script's text as commands made of words. docs/script.md has the grammar; it has no loops and no conditions, so that all of a
 * script is read, and its variables are put in, before any of it runs. What a command is, nobody knows here.
 */
import { marked, plainText } from './wild.ts';

/** One command of a script. */
export interface ScriptLine {
  /** Of its first word, from 1. */
  readonly line: number;
  /** `-cmd`: its failure is no failure of the script. */
  readonly ignore: boolean;
  /** Wildcards that were not quoted are marked (wild.ts). */
  readonly words: readonly string[];
  /** Standard input: a here-document's text, or a host file. */
  readonly input: { readonly kind: 'text' | 'file'; readonly text: string } | undefined;
}

/** What is wrong with a line. */
interface Problem {
  readonly line: number;
  readonly message: string;
  /** More text could make it right: an open quotation, a here-document without its end. */
  readonly incomplete: boolean;
}

/** What `set` and assignments change, from line to line. */
interface ScriptState {
  readonly variables: Map<string, string>;
  /** set -u: a variable that is not set is a mistake. */
  unsetIsError: boolean;
  /** set +f: wildcards mean something. */
  wildcards: boolean;
}

export const newState = (variables: Iterable<readonly [string, string]> = []): ScriptState => ({
  variables: new Map(variables),
  unsetIsError: true,
  wildcards: true,
});

/** A here-document whose text follows the line. */
interface Pending {
  readonly line: number;
  readonly end: string;
  readonly isRaw: boolean;
  readonly stripsTabs: boolean;
  /** Has been handed out when the text comes. */
  readonly owner: { input: ScriptLine['input'] };
}

class Mistake extends Error {
  readonly incomplete: boolean;
  readonly line: number;
  constructor(line: number, message: string, incomplete = false) {
    super(message);
    this.line = line;
    this.incomplete = incomplete;
  }
}

/** Characters of a shell's that have no meaning here, and would not have the one that people expect. */
const REFUSED = new Map([
  ['|', 'there are no pipes'],
  ['&', 'nothing runs in the background'],
  ['>', 'output is not redirected; write puts text into files'],
  ['(', 'there are no subshells'],
  [')', 'there are no subshells'],
  ['`', 'commands are not substituted'],
]);

const NAME = /[A-Za-z_][A-Za-z0-9_]*/y;
const ASSIGNMENT = /[A-Za-z_][A-Za-z0-9_]*=/y;

/** Read a script. Assignments and `set` change `state`; every mistake is reported, and its line left out. */
export function readScript(
  text: string,
  state: ScriptState,
): { readonly lines: readonly ScriptLine[]; readonly problems: readonly Problem[] } {
  const reader = new Reader(text, state);
  const lines: ScriptLine[] = [];
  const problems: Problem[] = [];
  while (!reader.atEnd) {
    try {
      const line = reader.command();
      if (line !== undefined) lines.push(line);
    } catch (thrown) {
      if (!(thrown instanceof Mistake)) throw thrown;
      problems.push({ line: thrown.line, message: thrown.message, incomplete: thrown.incomplete });
      reader.skipLine();
    }
  }
  return { lines, problems };
}

class Reader {
  readonly #text: string;
  readonly #state: ScriptState;
  #at = 0;
  #line = 1;
  #pending: Pending[] = [];
  /** The command that is read is complete: what is wrong with it says nothing about what follows. */
  #ended = false;

  constructor(text: string, state: ScriptState) {
    this.#text = text;
    this.#state = state;
  }

  get atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The next command; undefined where there is none before the end of the line. */
  command(): ScriptLine | undefined {
    this.#blanks();
    this.#ended = false;
    const line = this.#line;
    const words: string[] = [];
    const made: { -readonly [K in keyof ScriptLine]: ScriptLine[K] } = { line, ignore: false, words, input: undefined };
    const assigned: (readonly [string, string])[] = [];
    for (; !this.#endsCommand(); this.#blanks()) {
      if (this.#peek() === '<') this.#redirection(made);
      else {
        const name = words.length === 0 ? this.#match(ASSIGNMENT)?.slice(0, -1) : undefined;
        const word = this.#word();
        if (name === undefined) words.push(word);
        else assigned.push([name, plainText(word)]);
      }
    }
    this.#ended = true;
    const [first] = words;
    if (assigned.length > 0) {
      if (first !== undefined) throw new Mistake(line, 'an assignment stands on a line of its own');
      for (const [name, value] of assigned) this.#state.variables.set(name, value);
    }
    if (first === undefined) {
      if (made.input !== undefined) throw new Mistake(line, 'input for no command');
      return undefined;
    }
    if (first.startsWith('-')) {
      made.ignore = true;
      if (first === '-') words.shift();
      else words[0] = first.slice(1);
      if (words.length === 0) throw new Mistake(line, "no command behind '-'");
    }
    if (words[0] === 'set') this.#set(words);
    return made;
  }

  /** After a mistake: go on with the next line. Here-documents of this one are no commands. */
  skipLine(): void {
    if (this.#ended) return;
    const end = this.#text.indexOf('\n', this.#at);
    const rest = this.#text.slice(this.#at, end < 0 ? undefined : end);
    this.#at += rest.length;
    if (end < 0) return;
    for (const [, tabs, word = ''] of rest.matchAll(/<<(-?)[ \t]*(\S+)/g))
      this.#expect(word, tabs === '-', { input: undefined });
    this.#pending = this.#pending.map((one) => ({ ...one, isRaw: true }));
    try {
      this.#newline(rest.endsWith('\r'));
    } catch (thrown) {
      // The first mistake of the line has been told.
      if (!(thrown instanceof Mistake)) throw thrown;
    }
  }

  #peek(): string {
    return this.#text.charAt(this.#at);
  }

  #isNewline(at = this.#at): boolean {
    return this.#text.startsWith('\n', at) || this.#text.startsWith('\r\n', at);
  }

  /** Over the end of the line, and over the here-documents that follow it. */
  #newline(isCrlf: boolean): void {
    this.#at++;
    this.#line++;
    const pending = this.#pending;
    this.#pending = [];
    for (const one of pending) one.owner.input = { kind: 'text', text: this.#hereDocument(one, isCrlf) };
  }

  /** Blanks and continued lines. */
  #blanks(): void {
    for (;;) {
      const char = this.#peek();
      if (char === ' ' || char === '\t') this.#at++;
      else if (char === '\\' && this.#isNewline(this.#at + 1)) this.#continued();
      else return;
    }
  }

  #continued(): void {
    this.#at = this.#text.indexOf('\n', this.#at) + 1;
    this.#line++;
  }

  /** At the end of a command: over it, and true. */
  #endsCommand(): boolean {
    if (this.#peek() === '#') {
      const end = this.#text.indexOf('\n', this.#at);
      this.#at = end < 0 ? this.#text.length : end;
      if (this.#text.charAt(this.#at - 1) === '\r') this.#at--;
    }
    if (this.atEnd) {
      const [first] = this.#pending;
      if (first !== undefined) throw this.#unended(first);
      return true;
    }
    if (this.#peek() === ';') {
      this.#at++;
      return true;
    }
    if (!this.#isNewline()) return false;
    const isCrlf = this.#peek() === '\r';
    if (isCrlf) this.#at++;
    this.#newline(isCrlf);
    return true;
  }

  #match(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const found = pattern.exec(this.#text)?.[0];
    if (found !== undefined) this.#at += found.length;
    return found;
  }

  /** A word to its end; unquoted wildcards are marked. */
  #word(): string {
    let word = '';
    for (;;) {
      const plain = this.#match(PLAIN);
      if (plain !== undefined) word += plain;
      const char = this.#peek();
      switch (char) {
        case '':
        case ' ':
        case '\t':
        case '\n':
        case ';':
        case '<':
          return word;
        case '\r':
          if (this.#isNewline()) return word;
          word += char;
          this.#at++;
          break;
        case "'":
          word += this.#singleQuoted();
          break;
        case '"':
          word += this.#doubleQuoted();
          break;
        case '\\':
          if (this.#isNewline(this.#at + 1)) this.#continued();
          else if (this.#at + 1 >= this.#text.length) throw new Mistake(this.#line, "nothing behind '\\'", true);
          else {
            word += this.#text.charAt(this.#at + 1);
            this.#at += 2;
          }
          break;
        case '$':
          word += this.#variable();
          break;
        case '*':
        case '?':
        case '[':
          word += this.#state.wildcards ? marked(char) : char;
          this.#at++;
          break;
        case '\0':
          throw new Mistake(this.#line, 'a NUL byte: a script is text');
        default:
          throw new Mistake(this.#line, `'${char}' has to be quoted: ${REFUSED.get(char) ?? 'it means nothing here'}`);
      }
    }
  }

  #singleQuoted(): string {
    const line = this.#line;
    const end = this.#text.indexOf("'", this.#at + 1);
    if (end < 0) throw this.#open(line, "a quotation (') without end");
    return this.#inside(end);
  }

  /** The text up to `end`, which is a quotation's. */
  #inside(end: number): string {
    const text = this.#text.slice(this.#at + 1, end);
    if (text.includes('\0')) throw new Mistake(this.#line, 'a NUL byte: a script is text');
    this.#line += linesIn(text);
    this.#at = end + 1;
    return text;
  }

  #doubleQuoted(): string {
    const line = this.#line;
    let text = '';
    this.#at++;
    for (;;) {
      text += this.#match(IN_QUOTES) ?? '';
      const char = this.#peek();
      if (char === '') throw this.#open(line, 'a quotation (") without end');
      if (char === '"') {
        this.#at++;
        return text;
      }
      if (char === '\0') throw new Mistake(this.#line, 'a NUL byte: a script is text');
      if (char === '\n') {
        this.#line++;
        text += char;
        this.#at++;
      } else text += this.#escapeOrVariable('"\\$`');
    }
  }

  /** At `\` or `$` where a quotation or a here-document is read. `escaped`: what a backslash takes its meaning from. */
  #escapeOrVariable(escaped: string): string {
    if (this.#peek() === '$') return this.#variable();
    if (this.#isNewline(this.#at + 1)) {
      this.#continued();
      return '';
    }
    const next = this.#text.charAt(this.#at + 1);
    const takes = next !== '' && escaped.includes(next);
    this.#at += takes ? 2 : 1;
    return takes ? next : '\\';
  }

  /** Everything from an open quotation on was taken for its text. */
  #open(line: number, what: string): Mistake {
    this.#at = this.#text.length;
    this.#pending = [];
    return new Mistake(line, what, true);
  }

  /** `$NAME`, `${NAME}`, `${NAME:-word}`; a `$` before anything else stands for itself. */
  #variable(): string {
    this.#at++;
    const line = this.#line;
    const simple = this.#match(NAME);
    if (simple !== undefined) return this.#valueOf(simple, line);
    if (this.#peek() === '(') throw new Mistake(line, "'$(' has to be quoted: commands are not substituted");
    if (this.#peek() !== '{') return '$';
    this.#at++;
    const name = this.#match(NAME);
    if (name === undefined) throw new Mistake(line, "no name behind '${'");
    if (this.#peek() === '}') {
      this.#at++;
      return this.#valueOf(name, line);
    }
    if (!this.#text.startsWith(':-', this.#at))
      throw new Mistake(line, `'\${${name}…': there is \${NAME} and \${NAME:-word}`);
    this.#at += 2;
    const value = this.#state.variables.get(name) ?? '';
    const otherwise = this.#defaultWord(line);
    return value === '' ? otherwise : value;
  }

  /** The word of `${NAME:-word}`, to its brace. */
  #defaultWord(line: number): string {
    let text = '';
    for (;;) {
      text += this.#match(IN_BRACES) ?? '';
      const char = this.#peek();
      if (char === '' || char === '\n') throw this.#open(line, "'${' without its '}'");
      if (char === '}') {
        this.#at++;
        return text;
      }
      if (char === "'") text += this.#singleQuoted();
      else if (char === '"') text += this.#doubleQuoted();
      else text += this.#escapeOrVariable('}\'"\\$');
    }
  }

  #valueOf(name: string, line: number): string {
    const value = this.#state.variables.get(name);
    if (value === undefined && this.#state.unsetIsError)
      throw new Mistake(
        line,
        `$${name} is not set; --set ${name}=… sets it, --env ${name} takes it from the environment`,
      );
    return value ?? '';
  }

  /** `<< END`, `<<- END`, `< FILE`. */
  #redirection(made: { input: ScriptLine['input'] }): void {
    const line = this.#line;
    const operator = this.#match(/<<-|<<|</y) ?? '';
    if (made.input !== undefined) throw new Mistake(line, 'a command has one standard input');
    this.#blanks();
    const start = this.#at;
    if (operator === '<') {
      const file = plainText(this.#word());
      if (this.#at === start) throw new Mistake(line, "no file behind '<'");
      made.input = { kind: 'file', text: file };
      return;
    }
    const end = this.#match(/(?:[^\s;<'"\\]|\\.|'[^'\n]*'|"[^"\n]*")+/y);
    if (end === undefined) throw new Mistake(line, `no word behind '${operator}'`);
    made.input = { kind: 'text', text: '' };
    this.#expect(end, operator === '<<-', made);
  }

  /** A here-document is to follow this line. */
  #expect(typed: string, stripsTabs: boolean, owner: Pending['owner']): void {
    const isRaw = /['"\\]/.test(typed);
    const end = isRaw ? typed.replace(/\\(.)|['"]/g, '$1') : typed;
    this.#pending.push({ line: this.#line, end, isRaw, stripsTabs, owner });
  }

  /** The text up to the line that is the here-document's end word. */
  #hereDocument(one: Pending, isCrlf: boolean): string {
    const raw: string[] = [];
    const first = this.#line;
    for (;;) {
      if (this.atEnd) throw this.#unended(one);
      const stop = this.#text.indexOf('\n', this.#at);
      let line = this.#text.slice(this.#at, stop < 0 ? this.#text.length : stop);
      this.#at = stop < 0 ? this.#text.length : stop + 1;
      this.#line++;
      // A file whose lines end in CR LF means line feeds, here as well.
      if (isCrlf && line.endsWith('\r')) line = line.slice(0, -1);
      if (one.stripsTabs) line = line.replace(/^\t+/, '');
      if (line === one.end) break;
      raw.push(line);
    }
    const text = raw.length === 0 ? '' : `${raw.join('\n')}\n`;
    return one.isRaw || !/[\\$]/.test(text) ? text : new Reader(text, this.#state).#expanded(first);
  }

  /** All of the text as a here-document's, whose first line is `line`. */
  #expanded(line: number): string {
    this.#line = line;
    let text = '';
    while (!this.atEnd) {
      const plain = this.#match(IN_DOCUMENT);
      if (plain === undefined) text += this.#escapeOrVariable('\\$`');
      else {
        this.#line += linesIn(plain);
        text += plain;
      }
    }
    return text;
  }

  #unended({ line, end }: Pending): Mistake {
    return this.#open(line, `the here-document's end '${end}' does not come`);
  }

  /** The part of `set` that concerns reading. */
  #set(words: readonly string[]): void {
    for (const word of words.slice(1)) {
      const letters = /^[-+]([efux]+)$/.exec(word)?.[1];
      if (letters === undefined)
        throw new Mistake(this.#line, `set: '${plainText(word)}': there is -e, -f, -u, -x, and + for off`);
      if (letters.includes('u')) this.#state.unsetIsError = word.startsWith('-');
      if (letters.includes('f')) this.#state.wildcards = word.startsWith('+');
    }
  }
}

/** Runs of characters that mean themselves: in a word, in double quotes, in `${…:-…}`, in a here-document. */
const PLAIN = /[^ \t\n\r'"\\$*?[;<|&>()`\0]+/y;
const IN_QUOTES = /[^"\\$\n\0]+/y;
const IN_BRACES = /[^}'"\\$\n]+/y;
const IN_DOCUMENT = /[^\\$]+/y;

function linesIn(text: string): number {
  let count = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) count++;
  return count;
}
