/**
 * What a command works with: its images, its output, its clock. No command touches the process or a file descriptor.
 */
import { FsError, nameFromBytes, nameToBytes } from 'ukfs';
import type { Timespec } from '@ukfs/kernel';
import { formatSelector, inspect, parseAddress, parseSelector } from 'ukfs';
import type { Address, ImageReport, OpenOptions, Ukfs } from 'ukfs';
import { aliasNamed, mayBeAlias } from './aliases.ts';
import { bytesOfEscapes } from './args.ts';
import type { SplitWords } from './args.ts';
import { UsageError } from './command.ts';
import type { GivenOption } from './command.ts';
import { ImageCopies } from './edit/copies.ts';
import { editSettingsOf } from './edit/settings.ts';
import type { EditSettings } from './edit/settings.ts';
import { debugText, describeError, exitStatusOf, hintsOf, jsonErrorOf } from './errors.ts';
import { JsonDocument } from './format/json.ts';
import { isSafeName, safeText, styleName } from './format/name.ts';
import { Clock, hostOffset, utcOffset } from './format/time.ts';
import { adviceOf, nearestPath, nearestSelector } from './hints.ts';
import type { HostArchiveDoor, HostListingDoor, HostPrograms, HostNamesDoor, HostSide, HostTrees } from './host.ts';
import type { Terminal } from './host-terminal.ts';
import { Images } from './images.ts';
import type { TextOut } from './out.ts';
import { noProgress, ProgressTeller, progressWhens } from './progress.ts';
import type { Progress, ProgressWhen } from './progress.ts';
import type { Look } from './tui/model/state.ts';

/** Standard input. */
interface Input {
  readonly isTTY: boolean;
  /** Was the process given none? Reading it then ends at once, as if somebody had meant it to be empty. */
  readonly isClosed: boolean;
  /** Bytes read; 0 at the end. */
  read(dst: Uint8Array): number;
}

/** The world of the process, as host.ts gives it and tests pretend it. */
export interface Shell {
  readonly stdin: Input;
  readonly out: TextOut;
  /** Text to standard error. */
  err(text: string): void;
  /** Is that a terminal? */
  errIsTTY(): boolean;
  env(name: string): string | undefined;
  now(): Timespec;
  /** Let the event loop turn: signals that came during a synchronous stretch are met. */
  turn(): Promise<void>;
  /** Width of the terminal on standard output; undefined when it is none. */
  columns(): number | undefined;
  /** Does this host path name an existing file? */
  isFile(path: string): boolean;
  /** The text of ~/.fsurc; undefined: there is none. */
  aliases(): string | undefined;
  /** Reading and writing host files, for get and for write FILE. */
  host(): Promise<HostSide>;
  /** Trees of host files, for get. */
  trees(): Promise<HostTrees>;
  /** Tar archives of the host, for mkfs and tar. */
  archives(): Promise<HostArchiveDoor>;
  /** Programs of the host, for exec and edit. */
  programs(): Promise<HostPrograms>;
  /** A person to talk to, for sh. */
  terminal(): Promise<Terminal>;
  /** Names in directories of the host, for completion. */
  names(): Promise<HostNamesDoor>;
  /** Directories of the host with what their entries are, for browse. */
  listing(): Promise<HostListingDoor>;
  /** The browser on this terminal; its exit status. */
  browse(words: readonly string[], how: { readonly image: string; readonly look: Look }): Promise<number>;
}

/** One image as the command line names it. */
export interface ImageName {
  /** As typed, selectors included: what messages show. */
  readonly text: string;
  readonly image: string;
  readonly selectors: Address['selectors'];
  /** How an alias of ~/.fsurc mounts it; options on the command line go first. */
  readonly mount?: Pick<OpenOptions, 'type' | 'options'>;
}

/** A file inside an image. */
export interface Target {
  readonly image: ImageName;
  /** A name string. */
  readonly path: string;
  /** As typed: headers and file operands show it. */
  readonly shown: string;
}

/** Options of imageOptions, gathered. */
export interface ImageSettings {
  readonly open: OpenOptions;
  readonly image: ImageName | undefined;
  /** Of a line of a script: the image of all its lines, and where relative paths begin, which otherwise is the root. */
  readonly script?: { readonly image: ImageName; readonly dir: string };
  readonly bytes: boolean;
  /** `lines`: --jsonl; the document then is the last line and the command writes those before it. */
  readonly json: 'no' | 'document' | 'lines';
  readonly verbose: number;
  /** Of commands that write. */
  readonly edit: EditSettings;
  readonly progress: ProgressWhen;
}

/** Names that were not found for which a tool looks for one like it. */
const SUGGESTED_MAX = 10;

export class Context {
  readonly program: string;
  readonly shell: Shell;
  readonly settings: ImageSettings;
  readonly words: readonly string[];
  readonly out: TextOut;
  /** Present with --json and --jsonl. */
  readonly json: JsonDocument | undefined;
  readonly images: Images;
  readonly progress: Progress;
  /** Of a command that has one status for all that fails. */
  readonly #failed: number | undefined;
  #status = 0;
  /** Images that cannot be opened as asked. */
  readonly #refused = new Set<string>();
  #excused = 0;
  /** Of the operands, when they are addresses. */
  #firstImage: string | undefined;
  #clock: Clock | undefined;
  #suggested = 0;

  constructor(init: {
    readonly program: string;
    readonly shell: Shell;
    readonly settings: ImageSettings;
    readonly schema: string;
    readonly failed?: number | undefined;
    /** The command line behind the program, for the audit trail. */
    readonly words?: readonly string[];
    /** Default: none open yet. Whoever gives them ends and closes them. */
    readonly images?: Images;
    /** Default: as the settings have it. */
    readonly progress?: Progress;
  }) {
    this.program = init.program;
    this.progress = init.progress ?? progressFor(init.settings.progress, init.shell);
    this.shell = quietened(init.shell, this.progress);
    this.settings = init.settings;
    this.words = init.words ?? [];
    this.out = init.shell.out;
    this.#failed = init.failed;
    this.images = init.images ?? imagesFor(init.settings, init.shell, this.progress);
    const { json } = init.settings;
    const schema = json === 'lines' ? `${init.schema}.end` : init.schema;
    this.json = json === 'no' ? undefined : new JsonDocument(schema, (text) => this.out.text(text));
  }

  /** The exit status so far: the worst of what failed. */
  get status(): number {
    return this.#status;
  }

  raise(status: number): void {
    if (status > this.#status) this.#status = status;
  }

  /** Something failed of which the edit does not depend: it is the exit status, and no reason to throw the edit away. */
  excuse(status: number): void {
    if (status > this.#excused) this.#excused = status;
  }

  get excused(): number {
    return this.#excused;
  }

  /** Local time as TZ has it. */
  get clock(): Clock {
    const utc = /^(UTC|GMT|Etc\/UTC|)0?$/.test(this.shell.env('TZ') ?? 'local');
    this.#clock ??= new Clock(utc ? utcOffset : hostOffset, this.shell.now().sec);
    return this.#clock;
  }

  /** One line on standard error, with our name. */
  warn(text: string): void {
    this.out.flush();
    this.shell.err(`${this.program}: ${text}\n`);
  }

  /** Say what went wrong with a file or an image, and remember that something did. */
  fail(thrown: unknown, where: Target | ImageName | string, options: { readonly opening?: boolean } = {}): void {
    const opening = options.opening === true;
    this.raise(this.#failed ?? exitStatusOf(thrown, opening));
    const [place, text] = [`${safeText(whereText(where))}: `, describeError(thrown)];
    // What the host refuses names its file itself, which may be this one.
    this.warn(text.startsWith(place) ? text : `${place}${text}`);
    const advice = this.#adviceOn(thrown, where, opening);
    for (const line of [...hintsOf(thrown), ...advice.map((line) => `  ${line}`)]) this.shell.err(`${line}\n`);
    if (this.shell.env('FSU_DEBUG') !== undefined) this.shell.err(`${debugText(thrown)}\n`);
    this.json?.error({ ...jsonErrorOf(thrown, pathOf(where)), hint: advice[0] });
  }

  /** What to do now, or what may have been meant. */
  #adviceOn(thrown: unknown, where: Target | ImageName | string, opening: boolean): readonly string[] {
    const advice = adviceOf(thrown, this.program);
    const meant = typeof where === 'string' ? undefined : this.#meantBy(where, thrown, opening);
    return [
      ...(advice === undefined ? [] : [advice]),
      ...(meant === undefined ? [] : [`did you mean '${safeText(meant)}'?`]),
    ];
  }

  /** A file name for people: escaped where a terminal would obey it, and always in messages. */
  shownName(name: string): string {
    return this.out.isTTY && !isSafeName(name) ? styleName(name, 'cstyle') : name;
  }

  /**
   * The files that operands mean. With an image given (fsu_X, --image, FSU_DEVICE) they are paths in it, otherwise each
   * is an address; without operands the image's root, if there is an image. UsageError.
   */
  targets(operands: readonly string[]): Target[] {
    const { image } = this.settings;
    if (image === undefined) {
      if (operands.length === 0) throw new UsageError('no image given');
      const targets = operands.map((operand) => this.addressTarget(operand));
      this.#firstImage ??= targets[0]?.image.text;
      return targets;
    }
    const { dir = '/' } = this.settings.script ?? {};
    if (operands.length === 0) return [{ image, path: dir, shown: dir }];
    return operands.map(
      (operand) => this.scriptTarget(operand) ?? { image, path: this.#inDir(this.#path(operand)), shown: operand },
    );
  }

  /** `:/PATH` in a script: of the script's own image, whatever it is called and whichever image the line is on. */
  scriptTarget(operand: string): Target | undefined {
    const { script } = this.settings;
    if (script === undefined || !namesScriptImage(operand)) return undefined;
    return { image: script.image, path: this.#path(operand.slice(1)), shown: operand };
  }

  /** The file an address names; the image's root when it has no path. UsageError. */
  addressTarget(operand: string): Target {
    const { image, path = '/' } = addressName(operand, this.shell);
    return { image, path: this.#path(path), shown: operand };
  }

  #inDir(path: string): string {
    const { script } = this.settings;
    return script === undefined || path.startsWith('/') ? path : `${script.dir === '/' ? '' : script.dir}/${path}`;
  }

  #path(text: string): string {
    if (text === '') return '/';
    if (!this.settings.bytes) return text;
    return nameFromBytes(bytesOfEscapes(text, nameToBytes));
  }

  /** The image open for reading; undefined: it cannot be, which has been said. */
  async tryOpen(name: ImageName): Promise<Ukfs | undefined> {
    if (this.#refused.has(name.text)) return undefined;
    try {
      return await this.images.open(name);
    } catch (thrown) {
      this.#refuse(thrown, name, { opening: true });
      return undefined;
    }
  }

  /** Said once, however many operands are in the image. */
  #refuse(thrown: unknown, name: ImageName, options: { readonly opening: boolean }): void {
    this.fail(thrown, name, options);
    this.#refused.add(name.text);
  }

  /** Spellings that other tools have: `disk.img/etc`; and an image once, with paths in it behind. */
  #meantBy(where: Target | ImageName, thrown: unknown, opening: boolean): string | undefined {
    if (!(thrown instanceof FsError)) return undefined;
    if ('path' in where) return thrown.code === 'ENOENT' ? this.#nearest(where) : undefined;
    if (!opening || where.selectors.length > 0) return undefined;
    const { image } = where;
    if (thrown.code === 'ENOTDIR') {
      for (let at = image.lastIndexOf('/'); at > 0; at = image.lastIndexOf('/', at - 1)) {
        if (this.shell.isFile(image.slice(0, at))) return `${image.slice(0, at)}:${image.slice(at)}`;
      }
    }
    const first = this.#firstImage;
    const isPath = image.startsWith('/') && ['ENOENT', 'EISDIR', 'EFTYPE'].includes(thrown.code);
    return isPath && first !== undefined && first !== image ? `${first}:${image}` : undefined;
  }

  #nearest({ image, path }: Target): string | undefined {
    // Each costs the reading of a directory: a few help, a thousand do not.
    const fs = this.#suggested < SUGGESTED_MAX ? this.images.opened(image) : undefined;
    if (fs === undefined) return undefined;
    this.#suggested++;
    const near = nearestPath(fs, path);
    return near === undefined ? undefined : addressText(image, near);
  }

  /**
   * The image open for changes, which endEdits() commits; an image that may only be read is a failure as well. A command opens
   * what it writes before what it reads: the two may be one image. `trial`: what is done to it is thrown away.
   */
  async tryOpenForWriting(name: ImageName, { trial = false } = {}): Promise<Ukfs | undefined> {
    if (this.#refused.has(name.text)) return undefined;
    let fs: Ukfs;
    try {
      fs = await this.images.open(name, { write: true, trial });
    } catch (thrown) {
      if (thrown instanceof UsageError) throw thrown;
      this.#refuse(thrown, name, { opening: true });
      return undefined;
    }
    try {
      fs.checkWritable();
      return fs;
    } catch (thrown) {
      this.#refuse(thrown, name, { opening: false });
      return undefined;
    }
  }

  async inspect(name: ImageName): Promise<ImageReport> {
    const { session } = this.images;
    const shared = session === undefined ? {} : { session };
    return inspect(
      { image: name.image, selectors: name.selectors },
      { ...name.mount, ...this.settings.open, ...shared },
    );
  }

  /** The image that an error names, or the first one opened: for messages that concern no file. */
  imageOf(thrown: unknown): string {
    const named = thrown instanceof FsError ? thrown.context.image : undefined;
    const image = named ?? this.images.first?.address.image;
    return this.settings.image?.text ?? (image === undefined ? 'image' : this.images.nameOf(image));
  }
}

function progressFor(when: ProgressWhen, shell: Shell): Progress {
  if (when === 'never') return noProgress;
  if (when === 'json') return new ProgressTeller(shell, 'json');
  if (shell.errIsTTY()) return new ProgressTeller(shell, 'overwrite');
  return when === 'always' ? new ProgressTeller(shell, 'lines') : noProgress;
}

/** A shell that takes the line of progress away before anything else is said. */
function quietened(shell: Shell, progress: Progress): Shell {
  if (progress === noProgress) return shell;
  shell.out.beforeWrite = () => progress.hide();
  return {
    ...shell,
    err(text) {
      progress.hide();
      shell.err(text);
    },
  };
}

function imagesFor({ open, edit }: ImageSettings, shell: Shell, progress: Progress): Images {
  const wantsCopies = (edit.output !== undefined || edit.backup !== undefined) && open.dryRun !== true;
  return wantsCopies ? new Images(open, new ImageCopies(edit, { shell, progress })) : new Images(open);
}

const whereText = (where: Target | ImageName | string): string =>
  typeof where === 'string' ? where : 'path' in where ? addressText(where.image, where.path) : where.text;

const pathOf = (where: Target | ImageName | string): string =>
  typeof where === 'string' ? where : 'path' in where ? where.path : where.text;

/** `disk.img:2/etc/x`: how messages name a file. */
export function addressText(image: ImageName, path: string): string {
  const inside = path.startsWith('/') ? path : `/${path}`;
  return image.selectors.length === 0 ? `${image.text}:${inside}` : `${image.text}${inside}`;
}

/** An address as typed, taken apart; the image may be an alias. UsageError when a selector or an alias makes no sense. */
export function addressName(
  text: string,
  shell: Pick<Shell, 'isFile' | 'aliases'>,
): { readonly image: ImageName; readonly path: string | undefined } {
  const { image, selectors, path } = asUsage(() => parseAddress(text, (name) => shell.isFile(name)), text);
  const alias = mayBeAlias(image) && !shell.isFile(image) ? aliasNamed(image, shell.aliases()) : undefined;
  const named = imageName(image, selectors);
  return { image: alias === undefined ? named : { ...named, ...alias }, path };
}

function imageName(image: string, selectors: Address['selectors']): ImageName {
  const steps = selectors.map(formatSelector).join(':');
  return { text: steps === '' ? image : `${image}:${steps}`, image, selectors };
}

/** A word that is no address or selector is a usage error. */
function asUsage<T>(act: () => T, typed = ''): T {
  try {
    return act();
  } catch (thrown) {
    if (thrown instanceof FsError && thrown.code === 'EINVAL') {
      const near = nearestSelector(typed);
      const meant = near === undefined ? '' : `; did you mean '${near}'?`;
      throw new UsageError(`${describeError(thrown)}${meant}`, { cause: thrown });
    }
    throw thrown;
  }
}

/** What the image options, fs-utils' mount words and the FSU_ variables say together. UsageError. */
export function settingsOf(
  given: readonly GivenOption[],
  split: Pick<SplitWords, 'image' | 'mount'> & { readonly given?: ImageName | undefined; readonly writes?: boolean },
  shell: Shell,
): { readonly settings: ImageSettings; readonly rest: readonly GivenOption[]; readonly path: string | undefined } {
  const rest: GivenOption[] = [];
  const lists: string[] = [...split.mount.options];
  const partitions: string[] = [];
  const flags = new Set<string>();
  let type = split.mount.type;
  let plain: string | undefined;
  let log: string | undefined;
  let progress: ProgressWhen = 'auto';
  const { edit, others } = editSettingsOf(given, split.writes === true);
  for (const option of others) {
    if (option.name === 'type') type = option.value;
    else if (option.name === 'options') lists.push(option.value);
    else if (option.name === 'image') plain = option.value;
    else if (option.name === 'partition') partitions.push(...option.value.split(':'));
    else if (option.name === 'log') log = option.value;
    else if (option.name === 'progress') progress = progressWhens.find((when) => when === option.value) ?? 'always';
    else if (FLAGS.has(option.name)) flags.add(option.name);
    else rest.push(option);
  }
  type ??= shell.env('FSU_TYPE');
  if (lists.length === 0) lists.push(...[shell.env('FSU_MNTOPTS') ?? ''].filter((list) => list !== ''));
  const named = chosenImage(plain, split, shell);
  if (partitions.length > 0 && named === undefined) throw new UsageError('--partition needs --image');
  const selectors = [
    ...(named?.image.selectors ?? []),
    ...partitions.map((text) => asUsage(() => parseSelector(text), `:${text}`)),
  ];
  const open: OpenOptions = {
    ...(type === undefined ? {} : { type }),
    ...(lists.length === 0 ? {} : { options: lists.join(',') }),
    ...(flags.has('force') ? { force: true } : {}),
    ...(flags.has('no-lock') ? { lock: false } : {}),
    ...(flags.has('dry-run') ? { dryRun: true } : {}),
    ...(log === undefined ? {} : { log }),
  };
  return {
    settings: {
      open,
      image:
        named === undefined || partitions.length === 0
          ? named?.image
          : { ...named.image, ...imageName(named.image.image, selectors) },
      bytes: flags.has('bytes'),
      json: flags.has('jsonl') ? 'lines' : flags.has('json') ? 'document' : 'no',
      verbose: split.mount.verbose,
      edit,
      progress,
    },
    rest,
    path: named?.path,
  };
}

/** Options that only say yes. */
const FLAGS = new Set(['force', 'no-lock', 'dry-run', 'bytes', 'json', 'jsonl']);

type NamedImage = { readonly image: ImageName; readonly path: string | undefined };

function chosenImage(
  plain: string | undefined,
  split: Pick<SplitWords, 'image'> & { readonly given?: ImageName | undefined },
  shell: Shell,
): NamedImage | undefined {
  if (plain !== undefined) return { image: imageName(plain, []), path: undefined };
  if (split.image?.literal === true) return { image: imageName(split.image.text, []), path: undefined };
  if (split.image === undefined && split.given !== undefined) return { image: split.given, path: undefined };
  const text = split.image?.text ?? shell.env('FSU_DEVICE');
  return text === undefined ? undefined : addressName(text, shell);
}

/** An address without an image, which in a script means the script's own. */
export const namesScriptImage = (operand: string): boolean => operand.startsWith(':/');

/** The same image, a part of it chosen. */
export function withSelector(name: ImageName, selector: string): ImageName {
  const steps =
    selector === '' ? [{ kind: 'off', offset: 0, length: undefined } as const] : selector.split(':').map(parseSelector);
  const text = [name.text, ...steps.map(formatSelector)].join(':');
  return { ...name, text, selectors: [...name.selectors, ...steps] };
}
