/** find's expression: from words to one function of a file, and to what the walk must know of it. */
import type { Timespec } from 'ukfs';
import { UsageError } from '../command.ts';
import type { RegexSyntax } from '../format/regex.ts';
import { suggestion } from '../suggest.ts';
import { makers, newer, numberTest } from './tests.ts';
import type { Test, TestSurroundings } from './tests.ts';
import { arityOf, isNumberWord, primaryNames } from './words.ts';

/** What an expression has done with a file; the command does it. */
export interface Actions extends Omit<TestSurroundings, 'now' | 'syntax'> {
  readonly now: Timespec;
  /** The first second of tomorrow. */
  readonly endOfToday: Timespec;
  print(how: 'line' | 'nul' | 'xargs' | 'long', file?: string): Test;
  printf(format: string, file?: string): Test;
  remove(): Test;
  /** Ends the search: throws. */
  quit(status: number): never;
}

/** The walk's part of an expression. */
export interface FindPlan {
  readonly test: Test;
  /** Does the first thing asked of each file need attributes? */
  readonly looksFirst: boolean;
  readonly depthFirst: boolean;
  readonly oneFileSystem: boolean;
  readonly followAll: boolean;
  readonly minDepth: number;
  readonly maxDepth: number;
  readonly removes: boolean;
}

interface Node {
  readonly test: Test;
  readonly looks: boolean;
}

const syntaxes: Readonly<Record<string, RegexSyntax>> = {
  emacs: 'emacs',
  'findutils-default': 'emacs',
  grep: 'basic',
  'posix-basic': 'basic',
  ed: 'basic',
  sed: 'basic',
  egrep: 'extended',
  awk: 'extended',
  gnuawk: 'extended',
  'posix-awk': 'extended',
  'posix-egrep': 'extended',
  'posix-extended': 'extended',
};

const REFUSED = new Set(['-exec', '-execdir', '-ok', '-okdir']);

export function parseFind(words: readonly string[], actions: Actions, extended: boolean): FindPlan {
  return new FindParser(words, actions, extended).plan();
}

class FindParser {
  readonly #words: readonly string[];
  readonly #actions: Actions;
  #at = 0;
  #syntax: RegexSyntax;
  #now: Timespec;
  #acts = false;
  #depthFirst = false;
  #oneFileSystem = false;
  #followAll = false;
  #minDepth = 0;
  #maxDepth = Infinity;
  #removes = false;
  #prunes = false;

  constructor(words: readonly string[], actions: Actions, extended: boolean) {
    this.#words = words;
    this.#actions = actions;
    this.#syntax = extended ? 'extended' : 'emacs';
    this.#now = actions.now;
  }

  plan(): FindPlan {
    let node: Node = { test: () => true, looks: false };
    if (this.#words.length > 0) node = this.#list();
    if (this.#at < this.#words.length) throw new UsageError(`too many ')'`);
    if (this.#removes && this.#prunes) throw new UsageError('-prune does nothing where -delete goes depth first');
    const implied = this.#acts ? undefined : this.#actions.print('line');
    const { test } = node;
    return {
      test: implied === undefined ? test : (file) => test(file) && implied(file),
      looksFirst: node.looks,
      depthFirst: this.#depthFirst,
      oneFileSystem: this.#oneFileSystem,
      followAll: this.#followAll,
      minDepth: this.#minDepth,
      maxDepth: this.#maxDepth,
      removes: this.#removes,
    };
  }

  #accept(...words: readonly string[]): boolean {
    const word = this.#words[this.#at];
    if (word === undefined || !words.includes(word)) return false;
    this.#at++;
    return true;
  }

  /** `a , b`: both, and what the second says. */
  #list(): Node {
    let left = this.#either();
    while (this.#accept(',')) {
      const [first, second] = [left.test, this.#either()];
      const { test } = second;
      left = { looks: left.looks, test: (file) => (first(file), test(file)) };
    }
    return left;
  }

  #either(): Node {
    let left = this.#both();
    while (this.#accept('-o', '-or')) {
      const first = left.test;
      const { test } = this.#both();
      left = { looks: left.looks, test: (file) => first(file) || test(file) };
    }
    return left;
  }

  #both(): Node {
    let left = this.#not();
    for (;;) {
      const word = this.#words[this.#at];
      if (word === undefined || ['-o', '-or', ')', ','].includes(word)) return left;
      this.#accept('-a', '-and');
      const first = left.test;
      const { test } = this.#not();
      left = { looks: left.looks, test: (file) => first(file) && test(file) };
    }
  }

  #not(): Node {
    if (this.#accept('!', '-not')) {
      const { test, looks } = this.#not();
      return { looks, test: (file) => !test(file) };
    }
    if (!this.#accept('(')) return this.#primary();
    const inner = this.#list();
    if (!this.#accept(')')) throw new UsageError("missing ')'");
    return inner;
  }

  #primary(): Node {
    const word = this.#words[this.#at++];
    if (word === undefined) throw new UsageError('the expression ends where something should follow');
    if (word === ')') throw new UsageError("nothing before ')'");
    if (REFUSED.has(word))
      throw new UsageError(`${word}: find runs no programs; 'fsu exec' does, or xargs -0 with what -print0 prints`);
    const arity = word.startsWith('-') ? arityOf(word) : undefined;
    if (arity === undefined) throw unknownPrimary(word);
    const values: string[] = [];
    const count = arity === '?' ? (isNumberWord(this.#words[this.#at]) ? 1 : 0) : arity;
    for (let i = 0; i < count; i++) {
      const value = this.#words[this.#at++];
      if (value === undefined) throw new UsageError(`missing argument to '${word}'`);
      values.push(value);
    }
    const [, of, than] = /^-newer([aBcm])([aBcmt])$/.exec(word) ?? [];
    const around = this.#surroundings();
    if (of !== undefined && than !== undefined)
      return { looks: true, test: newer(of as 'a', than as 'a', values[0] ?? '', around) };
    const name = word.slice(1);
    const maker = Object.hasOwn(makers, name) ? makers[name] : undefined;
    if (maker !== undefined) return { looks: maker.looks, test: maker.make(values[0] ?? '', around) };
    return { looks: LOOKING.has(name), test: this.#special(name, values) };
  }

  #surroundings(): TestSurroundings {
    const actions = this.#actions;
    return {
      now: this.#now,
      syntax: this.#syntax,
      reference: (word) => actions.reference(word),
      moment: (text) => actions.moment(text),
      check: (look) => actions.check(look),
    };
  }

  /** Primaries that act, or that tell the walk something. */
  #special(name: string, [value = '', second = '']: readonly string[]): Test {
    const actions = this.#actions;
    const act = (test: Test): Test => {
      this.#acts = true;
      return test;
    };
    switch (name) {
      case 'print':
        return act(actions.print('line'));
      case 'print0':
        return act(actions.print('nul'));
      case 'printx':
        return act(actions.print('xargs'));
      case 'ls':
        return act(actions.print('long'));
      case 'printf':
        return act(actions.printf(value));
      case 'fprint':
        return act(actions.print('line', value));
      case 'fprint0':
        return act(actions.print('nul', value));
      case 'fls':
        return act(actions.print('long', value));
      case 'fprintf':
        return act(actions.printf(second, value));
      case 'delete':
      case 'rm':
        this.#removes = true;
        this.#depthFirst = true;
        return act(actions.remove());
      case 'quit':
      case 'exit':
        this.#acts ||= name === 'exit';
        return () => actions.quit(value === '' ? 0 : Math.min(255, Math.abs(Number(value))));
      case 'prune':
        this.#prunes = true;
        return (file) => (file.pruned = true);
      default:
        return this.#setting(name, value);
    }
  }

  #setting(name: string, value: string): Test {
    if (name === 'depth' && value !== '') {
      const test = numberTest(value, '-depth');
      return ({ entry }) => test(entry.depth);
    }
    if (name === 'depth' || name === 'd') this.#depthFirst = true;
    else if (name === 'xdev' || name === 'mount') this.#oneFileSystem = true;
    else if (name === 'follow') this.#followAll = true;
    else if (name === 'maxdepth') this.#maxDepth = levels(value, name);
    else if (name === 'mindepth') this.#minDepth = levels(value, name);
    else if (name === 'daystart') this.#now = this.#actions.endOfToday;
    else if (name === 'regextype') {
      const syntax = Object.hasOwn(syntaxes, value) ? syntaxes[value] : undefined;
      if (syntax === undefined)
        throw new UsageError(`-regextype: '${value}' is none of ${Object.keys(syntaxes).join(', ')}`);
      this.#syntax = syntax;
    }
    // What is left (-noleaf, -warn …) means nothing here.
    return () => true;
  }
}

/** Actions that show attributes. */
const LOOKING = new Set(['ls', 'fls']);

function levels(text: string, name: string): number {
  if (!/^\d{1,9}$/.test(text)) throw new UsageError(`-${name}: '${text}' is no number`);
  return Number(text);
}

function unknownPrimary(word: string): UsageError {
  if (!word.startsWith('-')) return new UsageError(`paths must stand before the expression: '${word}'`);
  const near = suggestion(word.slice(1), primaryNames());
  return new UsageError(`unknown primary '${word}'${near === undefined ? '' : `; did you mean '-${near}'?`}`);
}
