/** What may stand at the end of a command line of ours. */
import { fstypes } from 'ukfs';
import type { OpenOptions } from 'ukfs';
import { splitClassic, splitModern } from '../args.ts';
import { optionsOf, shapeOf } from '../command.ts';
import type { Command, GivenOption, OptionShape, OptionSpec } from '../command.ts';
import { commandNames, loadCommand } from '../commands/index.ts';
import { settingsOf } from '../context.ts';
import type { ImageName, Shell } from '../context.ts';
import { completeAddress, completeInside } from './address.ts';
import type { Candidate } from './candidate.ts';
import { completeHostPath } from './hostpath.ts';

interface Request {
  /** `fsu` or `fsu_ls`. */
  readonly program: string;
  /** Those before the cursor's, without the program. */
  readonly words: readonly string[];
  /** The word at the cursor, up to it. */
  readonly word: string;
}

/** Commands of which operands may be files of the host. */
const withHostFiles = new Set([
  'apply',
  'cp',
  'diff',
  'ecp',
  'emv',
  'get',
  'mtree',
  'mv',
  'patch',
  'put',
  'script',
  'tar',
  'write',
]);

const plain = (words: readonly string[], begin: string): Candidate[] =>
  words.filter((word) => word.startsWith(begin)).map((word) => ({ word, says: '', more: false }));

export async function complete({ program, words, word }: Request, shell: Shell): Promise<Candidate[]> {
  const [, named] = /^fsu[_-](.+)$/.exec(program) ?? [];
  const [first, ...others] = words;
  if (named === undefined && first === undefined) return completeVerb(word);
  const name = named ?? first ?? '';
  const command = await loadCommand(name);
  if (command === undefined) return [];
  return new Line(command, {
    classic: named !== undefined,
    words: named === undefined ? others : words,
    word,
    shell,
  }).complete();
}

async function completeVerb(word: string): Promise<Candidate[]> {
  const names = commandNames().filter((name) => name.startsWith(word));
  const commands = await Promise.all(names.map(loadCommand));
  const verbs = names.map((name, i) => ({ word: name, says: commands[i]?.summary ?? '', more: false }));
  return [...verbs, ...(word.startsWith('-') ? plain(['--help', '--version'], word) : [])];
}

class Line {
  readonly #command: Command;
  readonly #specs: readonly OptionSpec[];
  readonly #shapes: readonly OptionShape[];
  readonly #classic: boolean;
  readonly #words: readonly string[];
  readonly #word: string;
  readonly #shell: Shell;

  constructor(
    command: Command,
    line: {
      readonly classic: boolean;
      readonly words: readonly string[];
      readonly word: string;
      readonly shell: Shell;
    },
  ) {
    this.#command = command;
    this.#specs = optionsOf(command);
    this.#shapes = this.#specs.map(shapeOf);
    this.#classic = line.classic && command.image !== 'none';
    this.#words = line.words;
    this.#word = line.word;
    this.#shell = line.shell;
  }

  async complete(): Promise<Candidate[]> {
    const word = this.#word;
    const ended = this.#words.includes('--');
    if (!ended) {
      const equals = word.indexOf('=');
      if (word.startsWith('--') && equals > 0) {
        const values = await this.#values(word.slice(2, equals), word.slice(equals + 1));
        return values.map((one) => ({ ...one, word: word.slice(0, equals + 1) + one.word }));
      }
      const open = this.#openOption();
      if (open !== undefined) return this.#values(open, word);
      if (word.startsWith('-') && word !== '-') return this.#options();
      if (word === '-') return [...this.#options(), ...(await this.#operand())];
    }
    return this.#operand();
  }

  /** Is this an option before the image of `fsu_X`, where letters are fs-utils'? */
  get #beforeImage(): boolean {
    return this.#classic && this.#given.image === undefined;
  }

  /** Name of the option whose value the word at the cursor is. */
  #openOption(): string | undefined {
    const last = this.#words.at(-1);
    if (last === undefined || !last.startsWith('-') || last === '-') return undefined;
    if (last.startsWith('--')) {
      return this.#shapes.find(({ long, takes }) => long === last.slice(2) && takes === 'value')?.long;
    }
    if (this.#beforeImage && /^-[tof]$/.test(last)) return { t: 'type', o: 'options', f: 'image' }[last.slice(1)];
    for (let at = 1; at < last.length; at++) {
      const shape = this.#shapes.find(({ short }) => short === last.charAt(at));
      if (shape?.takes === 'value') return at + 1 === last.length ? (shape.long ?? shape.short) : undefined;
    }
    return undefined;
  }

  async #values(option: string, word: string): Promise<Candidate[]> {
    const spec = this.#specs.find((one) => {
      const { long, short } = shapeOf(one);
      return long === option || short === option;
    });
    if (spec?.choices !== undefined) return plain(spec.choices, word);
    const value = spec === undefined ? '' : (shapeOf(spec).value ?? '');
    if (value === 'type') return plain(fstypes({ aliases: true }), word);
    const shell = this.#shell;
    if (value === 'image') return completeHostPath(shell, word, { wanted: 'images', suffix: 'nothing' });
    if (/^(file|source|manifest|script|bundle|archive|out|output)$/.test(value))
      return completeHostPath(shell, word, { wanted: 'files', suffix: 'nothing' });
    if (/^dir(ectory)?$/.test(value))
      return completeHostPath(shell, word, { wanted: 'directories', suffix: 'nothing' });
    return [];
  }

  #options(): Candidate[] {
    const help: OptionSpec = { flags: '--help', summary: 'show this text' };
    return [...this.#specs, help].flatMap((spec) => {
      const { short, long, takes } = shapeOf(spec);
      const spelt = [
        ...(short === undefined || this.#word !== '-' ? [] : [`-${short}`]),
        ...(long === undefined ? [] : [`--${long}${takes === 'value' ? '=' : ''}`]),
      ];
      return spelt
        .filter((one) => one.startsWith(this.#word))
        .map((one) => ({ word: one, says: spec.summary, more: one.endsWith('=') }));
    });
  }

  async #operand(): Promise<Candidate[]> {
    const { name, image } = this.#command;
    const word = this.#word;
    if (image === 'none') {
      if (name === 'help') return this.#given.operands === 0 ? completeVerb(word) : [];
      return name === 'completion' && this.#given.operands === 0 ? plain(['bash', 'zsh', 'fish'], word) : [];
    }
    const { image: inside, open } = this.#given;
    const files = withHostFiles.has(name);
    const wish = { shell: this.#shell, options: open, paths: this.#takesPaths, whole: false } as const;
    if (inside === undefined)
      return completeAddress(word, {
        ...wish,
        host: files && !this.#classic ? 'files' : 'images',
        whole: this.#classic,
      });
    const [paths, host] = await Promise.all([
      this.#command.synopsis.paths === '' ? [] : completeInside(inside, word, open),
      files ? completeAddress(word, { ...wish, host: 'files' }) : [],
    ]);
    return [...paths, ...host];
  }

  /** Do operands name files in the image, or images and their parts alone? */
  get #takesPaths(): boolean {
    return !this.#command.synopsis.addresses.startsWith('IMAGE');
  }

  /** What the words before the cursor's say. */
  get #given(): { readonly image: ImageName | undefined; readonly open: OpenOptions; readonly operands: number } {
    const shapes = (): readonly OptionShape[] => this.#shapes;
    const isGiven = this.#shell.env('FSU_DEVICE') !== undefined;
    // A mount option that waits for its value at the cursor.
    const isOpen = this.#classic && /^-[tosf]$/.test(this.#words.at(-1) ?? '');
    const words = isOpen ? this.#words.slice(0, -1) : this.#words;
    const split = this.#classic ? splitClassic(words, shapes, isGiven) : splitModern(words, shapes);
    const { options, operands } = readLoosely(split.words, this.#shapes);
    const { settings } = settingsOf(options, split, this.#shell);
    const { type, options: mount } = settings.open;
    return {
      image: settings.image,
      open: { ...(type === undefined ? {} : { type }), ...(mount === undefined ? {} : { options: mount }) },
      operands,
    };
  }
}

/** Long options with their values, and how many operands there are; what is unknown is passed over. */
function readLoosely(
  words: readonly string[],
  shapes: readonly OptionShape[],
): { readonly options: readonly GivenOption[]; readonly operands: number } {
  const options: GivenOption[] = [];
  let operands = 0;
  for (let at = 0; at < words.length; at++) {
    const word = words[at] ?? '';
    const [, name, value] = /^--([^=]+)(?:=([\s\S]*))?$/.exec(word) ?? [];
    const shape = shapes.find(({ long }) => long === name);
    if (name !== undefined && shape !== undefined) {
      options.push({ name, value: value ?? (shape.takes === 'value' ? (words[++at] ?? '') : '') });
    } else if (word === '-' || !word.startsWith('-')) operands++;
  }
  return { options, operands };
}
