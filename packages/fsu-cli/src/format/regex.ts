/**
 * POSIX regular expressions (XBD chapter 9, with GNU's extensions) as JavaScript's.
 *
 * What is made uses no flag and no look-around unless the pattern itself asks for it: V8 can then match it in linear time, when
 * the host has told it to where trying again and again takes too long. For texts beyond ASCII there is a second expression,
 * in which a code point of two UTF-16 units is one character; a byte that is no UTF-8 is a character, too.
 *
 * It differs from POSIX in one thing: of alternatives the first that leads to a match is taken, not the longest.
 */
import { FsError } from 'ukfs';
import { charClass } from './charclass.ts';

export type RegexSyntax = 'basic' | 'extended' | 'emacs';

interface RegexOptions {
  readonly syntax: RegexSyntax;
  readonly ignoreCase?: boolean;
  /** The whole text must match. */
  readonly whole?: boolean;
  /** No letter, digit or underscore may stand before or behind the match. */
  readonly word?: boolean;
}

/** The two expressions of a pattern; made when first needed. */
export class Regex {
  readonly #source: (wide: boolean) => string;
  readonly #flags: string;
  #ascii: RegExp | undefined;
  #wide: RegExp | undefined;

  /** Errors: EINVAL, what is wrong with the pattern. `patterns`: alternatives. */
  constructor(patterns: readonly string[], options: RegexOptions) {
    const parsed = patterns.map((pattern) => new Translator(pattern, options));
    const backward = parsed.some((translator) => translator.refersBack);
    this.#source = (wide) => frame(parsed.map((translator) => translator.source(wide)).join('|'), options, wide);
    // A back reference means what was matched, in whatever case.
    this.#flags = backward && options.ignoreCase === true ? 'gi' : 'g';
    this.#ascii = this.#compile(false);
  }

  #compile(wide: boolean): RegExp {
    try {
      return new RegExp(this.#source(wide), this.#flags);
    } catch (thrown) {
      if (!(thrown instanceof SyntaxError)) throw thrown;
      throw new FsError('EINVAL', { what: 'regular expression too large' }, { cause: thrown });
    }
  }

  /** A global expression for the text, positioned at its beginning. */
  for(isAscii: boolean): RegExp {
    const expression = isAscii ? (this.#ascii ??= this.#compile(false)) : (this.#wide ??= this.#compile(true));
    expression.lastIndex = 0;
    return expression;
  }

  test(text: string): boolean {
    return this.for(isAscii(text)).test(text);
  }
}

export function isAscii(text: string): boolean {
  for (let i = 0; i < text.length; i++) if (text.charCodeAt(i) > 0x7f) return false;
  return true;
}

function frame(source: string, { whole = false, word = false }: RegexOptions, wide: boolean): string {
  if (whole) return `^(?:${source})$`;
  if (!word) return source;
  const set = classSource([wordRanges(wide)]);
  return `(?<![${set}])(?:${source})(?![${set}])`;
}

type Range = readonly [from: number, to: number];
type Ranges = readonly Range[];

/** Any one character. */
const anyChar = (wide: boolean): string =>
  wide ? '(?:[\\ud800-\\udbff][\\udc00-\\udfff]|[^\\ud800-\\udbff]|[\\ud800-\\udbff])' : '[^]';

const known = new Map<RegExp, Ranges>();

/** UTF-16 units that a property holds for; surrogates are none of them. */
function rangesOf(property: RegExp, wide: boolean): Ranges {
  let ranges = known.get(property);
  if (ranges === undefined) {
    const found: [number, number][] = [];
    for (let unit = 0; unit < 0x10000; unit++) {
      if ((unit >= 0xd800 && unit < 0xe000) || !property.test(String.fromCharCode(unit))) continue;
      const last = found.at(-1);
      if (last?.[1] === unit - 1) last[1] = unit;
      else found.push([unit, unit]);
    }
    ranges = found;
    known.set(property, ranges);
  }
  return wide
    ? ranges
    : ranges.filter(([from]) => from < 0x80).map(([from, to]) => [from, Math.min(to, 0x7f)] as const);
}

const WORD = /[\p{L}\p{N}_]/u;
const SPACE = /\s/;
const wordRanges = (wide: boolean): Ranges => rangesOf(WORD, wide);

const unitText = (unit: number): string => `\\u${unit.toString(16).padStart(4, '0')}`;
const classSource = (sets: readonly Ranges[]): string =>
  sets
    .flat()
    .map(([from, to]) => (from === to ? unitText(from) : `${unitText(from)}-${unitText(to)}`))
    .join('');

/** A range of more characters is not looked at one by one for their other case. */
const FOLD_MAX = 2048;

/** The range and, if the case does not matter, what its characters are in the other. */
function folded(range: Range, ignoreCase: boolean): Ranges {
  if (!ignoreCase || range[1] - range[0] >= FOLD_MAX) return [range];
  const all: Range[] = [range];
  for (let unit = range[0]; unit <= range[1]; unit++) {
    const char = String.fromCharCode(unit);
    for (const other of [char.toLowerCase(), char.toUpperCase()])
      if (other.length === 1 && other !== char) all.push([other.charCodeAt(0), other.charCodeAt(0)]);
  }
  return all;
}

const isSurrogate = (char: string): boolean => char.length > 1;

/** What one pattern says, kept as pieces of which some depend on the text. */
class Translator {
  readonly #chars: readonly string[];
  readonly #options: RegexOptions;
  readonly #pieces: ((wide: boolean) => string)[] = [];
  #at = 0;
  #groups = 0;
  readonly #open: number[] = [];
  /** Groups that are closed: only those can be referred to. */
  readonly #closed = new Set<number>();
  /** Is there something that `*` could repeat? */
  #repeatable = false;
  /** Is it repeated already? */
  #isRepeated = false;
  #atStart = true;
  refersBack = false;

  constructor(pattern: string, options: RegexOptions) {
    this.#chars = [...pattern];
    this.#options = options;
    while (this.#at < this.#chars.length) this.#step();
    if (this.#open.length > 0) throw bad('unmatched ( or \\(');
  }

  source(wide: boolean): string {
    return this.#pieces.map((piece) => piece(wide)).join('');
  }

  #fixed(source: string): void {
    this.#pieces.push(() => source);
  }

  #atom(piece: (wide: boolean) => string): void {
    this.#pieces.push(piece);
    this.#repeatable = true;
    this.#isRepeated = false;
    this.#atStart = false;
  }

  #assertion(source: (wide: boolean) => string): void {
    this.#pieces.push(source);
    this.#repeatable = false;
  }

  #step(): void {
    const { syntax } = this.#options;
    const char = this.#chars[this.#at++] ?? '';
    if (char === '\\') return this.#escaped();
    if (char === '[') return this.#atom(this.#bracket());
    if (char === '.') return this.#atom(anyChar);
    if (char === '*') return this.#repeated('*');
    if (syntax !== 'basic' && (char === '+' || char === '?')) return this.#repeated(char);
    if (syntax === 'extended') {
      if (char === '(') return this.#openGroup();
      if (char === ')' && this.#open.length > 0) return this.#closeGroup();
      if (char === '|') return this.#alternative();
      if (char === '{') return this.#interval('{', '}');
    }
    if (char === '^' && (syntax === 'extended' || this.#atStart)) return this.#assertion(() => '^');
    if (char === '$' && (syntax === 'extended' || this.#endsHere())) return this.#assertion(() => '$');
    this.#literal(char);
  }

  #escaped(): void {
    const { syntax } = this.#options;
    const char = this.#chars[this.#at++];
    if (char === undefined) throw bad('trailing backslash');
    if (syntax !== 'extended') {
      if (char === '(') return this.#openGroup();
      if (char === ')') return this.#closeGroup();
      if (char === '|') return this.#alternative();
    }
    if (syntax === 'basic') {
      if (char === '+' || char === '?') return this.#repeated(char);
      if (char === '{') return this.#interval('\\{', '\\}');
    }
    if (/[1-9]/.test(char)) return this.#backReference(Number(char));
    const inSet = (property: RegExp, negated: boolean): void =>
      this.#atom((wide) => setSource([rangesOf(property, wide)], [], negated, wide));
    if (char === 'w' || char === 'W') return inSet(WORD, char === 'W');
    if (char === 's' || char === 'S') return inSet(SPACE, char === 'S');
    const word = (wide: boolean): string => `[${classSource([wordRanges(wide)])}]`;
    if (char === '<') return this.#assertion((wide) => `(?<!${word(wide)})(?=${word(wide)})`);
    if (char === '>') return this.#assertion((wide) => `(?<=${word(wide)})(?!${word(wide)})`);
    if (char === 'b')
      return this.#assertion((wide) =>
        wide ? `(?:(?<!${word(true)})(?=${word(true)})|(?<=${word(true)})(?!${word(true)}))` : '\\b',
      );
    if (char === 'B')
      return this.#assertion((wide) =>
        wide ? `(?:(?<!${word(true)})(?!${word(true)})|(?<=${word(true)})(?=${word(true)}))` : '\\B',
      );
    if (char === '`') return this.#assertion(() => '^');
    if (char === "'") return this.#assertion(() => '$');
    this.#literal(char);
  }

  #literal(char: string): void {
    const { ignoreCase = false } = this.#options;
    if (isSurrogate(char)) {
      const units = quotedUnits(char);
      return this.#atom(() => `(?:${units})`);
    }
    const unit = char.charCodeAt(0);
    const ranges = folded([unit, unit], ignoreCase);
    this.#atom(() => (ranges.length > 1 ? `[${classSource([ranges])}]` : quoted(char)));
  }

  #repeated(sign: string): void {
    // At the beginning it stands for itself, as POSIX has it for basic and GNU for all.
    if (!this.#repeatable) {
      if (this.#pieces.length > 0 && !this.#atStart) throw bad(`nothing to repeat before ${sign}`);
      return this.#literal(sign);
    }
    this.#quantify(sign);
  }

  /** What is repeated already becomes a group when it is repeated again: `a**`. */
  #quantify(sign: string): void {
    const last = this.#pieces.pop() ?? (() => '');
    const isRepeated = this.#isRepeated;
    this.#isRepeated = true;
    this.#pieces.push((wide) => {
      const source = last(wide);
      if (!isRepeated) return source + sign;
      // The beginning of a group is another piece; what it repeats at all it repeats any number of times.
      return source.startsWith(')') ? source.replace(/(?<=^\)).*$/, '*') : `(?:${source})${sign}`;
    });
  }

  #interval(open: string, close: string): void {
    const rest = this.#chars.slice(this.#at).join('');
    const end = rest.indexOf(close);
    const [, low = '', comma, high = ''] = /^(\d*)(,?)(\d*)$/.exec(end < 0 ? '?' : rest.slice(0, end)) ?? [];
    if (comma === undefined || (low === '' && comma === '')) {
      if (open === '{') return this.#literal('{');
      throw bad('invalid content of \\{\\}');
    }
    if (!this.#repeatable) throw bad(`nothing to repeat before ${open}`);
    const least = low === '' ? 0 : Number(low);
    const most = high === '' ? (comma === '' ? least : Infinity) : Number(high);
    if (least > most || least > REPEAT_MAX || (most > REPEAT_MAX && most !== Infinity))
      throw bad(`invalid content of ${open}${close}`);
    this.#at += [...rest.slice(0, end + close.length)].length;
    this.#quantify(`{${least},${most === Infinity ? '' : most}}`);
  }

  #openGroup(): void {
    this.#open.push(++this.#groups);
    this.#fixed('(');
    this.#repeatable = false;
    this.#atStart = true;
  }

  #closeGroup(): void {
    const group = this.#open.pop();
    if (group === undefined) throw bad('unmatched ) or \\)');
    this.#closed.add(group);
    this.#atom(() => ')');
  }

  #alternative(): void {
    this.#fixed('|');
    this.#repeatable = false;
    this.#atStart = true;
  }

  #backReference(group: number): void {
    if (!this.#closed.has(group)) throw bad('invalid back reference');
    this.refersBack = true;
    this.#atom(() => `(?:\\${group})`);
  }

  /** `$` of a basic expression is an anchor at its end, or before \) and \|. */
  #endsHere(): boolean {
    const [first, second = ''] = this.#chars.slice(this.#at, this.#at + 2);
    return first === undefined || (first === '\\' && ')|'.includes(second) && second !== '');
  }

  #bracket(): (wide: boolean) => string {
    const chars = this.#chars;
    const negated = chars[this.#at] === '^';
    if (negated) this.#at++;
    const first = this.#at;
    const ranges: Range[] = [];
    const classes: RegExp[] = [];
    const pairs: string[] = [];
    const { ignoreCase = false } = this.#options;
    for (;;) {
      const char = chars[this.#at];
      if (char === undefined) throw bad('unmatched [, [^, [:, [., or [=');
      if (char === ']' && this.#at > first) break;
      const named = char === '[' && chars[this.#at + 1] === ':' ? this.#className() : undefined;
      if (named !== undefined) {
        classes.push(ignoreCase && (named === 'upper' || named === 'lower') ? CASED : propertyOf(named));
        continue;
      }
      const low = this.#member();
      let high = low;
      if (chars[this.#at] === '-' && chars[this.#at + 1] !== ']' && chars[this.#at + 1] !== undefined) {
        this.#at++;
        high = this.#member();
      }
      if (isSurrogate(low) || isSurrogate(high)) {
        if (low !== high) throw bad('a range may not go beyond U+FFFF');
        pairs.push(low);
      } else if (low > high) throw bad('invalid range end');
      else ranges.push(...folded([low.charCodeAt(0), high.charCodeAt(0)], ignoreCase));
    }
    this.#at++;
    return (wide) => setSource([ranges, ...classes.map((property) => rangesOf(property, wide))], pairs, negated, wide);
  }

  #className(): string | undefined {
    const end = this.#chars.indexOf(':', this.#at + 2);
    if (end < 0 || this.#chars[end + 1] !== ']') throw bad('unmatched [, [^, [:, [., or [=');
    const name = this.#chars.slice(this.#at + 2, end).join('');
    this.#at = end + 2;
    return name;
  }

  #member(): string {
    const [char = '', kind = '', member = '', again, close] = this.#chars.slice(this.#at, this.#at + 5);
    if (char === '[' && (kind === '.' || kind === '=')) {
      if (again !== kind || close !== ']') throw bad('invalid collation character');
      this.#at += 5;
      return member;
    }
    this.#at++;
    return char;
  }
}

const REPEAT_MAX = 32767;
const CASED = /[\p{Ll}\p{Lu}]/u;

function propertyOf(name: string): RegExp {
  const property = charClass(name);
  if (property === undefined) throw bad('invalid character class');
  return property;
}

function setSource(sets: readonly Ranges[], pairs: readonly string[], negated: boolean, wide: boolean): string {
  const set = classSource(sets);
  const others = pairs.map(quotedUnits);
  if (!negated) return others.length === 0 ? `[${set}]` : `(?:[${set}]|${others.join('|')})`;
  if (!wide) return `[^${set}]`;
  const not = others.length === 0 ? '' : `(?!${others.join('|')})`;
  return `(?:${not}[\\ud800-\\udbff][\\udc00-\\udfff]|[^${set}\\ud800-\\udbff])`;
}

const quotedUnits = (char: string): string =>
  [...Array(char.length).keys()].map((i) => unitText(char.charCodeAt(i))).join('');
const quoted = (char: string): string => (/[A-Za-z0-9 ]/.test(char) ? char : unitText(char.charCodeAt(0)));

const bad = (what: string): FsError => new FsError('EINVAL', { what: `regular expression: ${what}` });
