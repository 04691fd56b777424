/** Images on the browser's desk: one session of them, as the lines of one script would have it. */
import { openedOf } from 'ukfs/remote';
import type { OpenedHandle, Server, Services } from 'ukfs/remote';
import { UsageError } from '../../command.ts';
import { browse } from '../../commands/browse.ts';
import { addressName, Context } from '../../context.ts';
import type { ImageName, Shell } from '../../context.ts';
import { FsError, NESTED_IS_READ, NotRecognisedError, ukfsTree } from 'ukfs';
import type { TreeDir, Ukfs, VType } from 'ukfs';
import type { HostListingDoor, HostTrees } from '../../host.ts';
import type { Completions } from '../../host-terminal.ts';
import { commonBuiltins } from '../../script/builtins.ts';
import { completeLine } from '../../script/completing.ts';
import { nestedImage, nestOf } from '../../nest.ts';
import { understand } from '../../understand.ts';
import type { Below, Clashes } from '../model/ask.ts';
import type { Reviewed } from '../model/editing-state.ts';
import type { SearchWay } from '../model/looking-state.ts';
import type { Link } from '../model/links.ts';
import { listed, noNames } from '../model/order.ts';
import type { ByName, Entries } from '../model/order.ts';
import { HOST } from '../model/state.ts';
import type { Place, PlaceId, StackNode } from '../model/state.ts';
import { clashesOf } from './clashes.ts';
import { Edits } from './edits.ts';
import type { LineResult } from './edits.ts';
import { contentsOf } from './contents.ts';
import type { Side } from './contents.ts';
import { belowOf, comparisonOf, detailsOf, findIn, grepIn, inspectionOf, usageOf } from './looks.ts';
import type { Fact, UsageRow } from './looks.ts';
import { linksIn } from './links.ts';
import { seekBackIn, seekIn } from './seek.ts';
import { namedAs } from './named.ts';
import { hostPlace, hostRows } from './hostplace.ts';
import { imageRows } from './imagerows.ts';
import { stackOf } from './stack.ts';

/** A place, and by which number its calls are made. */
export interface Entered {
  readonly place: Place;
  readonly opened: OpenedHandle;
}

/** What is found in a file: the image and its parts, from the top; none: it is no image. */
export interface Nested {
  readonly outer: PlaceId;
  readonly path: string;
  readonly nodes: readonly StackNode[];
}

/** The services' types, for both ends: name → what is asked and what is answered. */
export interface DeskServices {
  /** The words of the command line: first of all. */
  start(words: readonly string[]): {
    readonly place: PlaceId | undefined;
    readonly dir: string;
    /** The host's file that is meant. */
    readonly file: string;
  };
  /** What a file is as an image: its places can be entered then. */
  nest(place: PlaceId, path: string): Nested;
  /** Of another image of the host, when one is named. */
  stack(image?: string): readonly StackNode[];
  enter(place: PlaceId): Entered;
  /** Before isHostDir(), and openList() of the host. */
  enterHost(): Place;
  /** A directory to be read in parts, until it is closed. */
  openList(place: PlaceId, dir: string): number;
  nextEntries(list: number): IteratorResult<Entries, ByName>;
  closeList(list: number): undefined;
  isHostDir(path: string): boolean;
  /** Where links of a directory lead. */
  links(place: PlaceId, dir: string, names: readonly string[]): readonly Link[];
  /** Run lines of a script as one edit; `mayEdit`: a person has said that things may be changed. Parts: how far it is. */
  run(line: string, how: { readonly mayEdit: boolean }): LineResult;
  /** Give up the line or the commit that runs; its own answer tells what came of it. */
  stop(): undefined;
  undo(): undefined;
  discard(): undefined;
  review(): readonly Reviewed[];
  /** Parts: how far it is. */
  commit(): readonly string[];
  /** Where the bytes are, at `from` or later; or last, before it. */
  seek(place: PlaceId, path: string, wanted: Uint8Array, from: number, way: SearchWay): number | undefined;
  details(place: PlaceId, path: string): readonly Fact[];
  inspectPlace(place: PlaceId): readonly Fact[];
  /** Parts: the rows so far. */
  usage(place: PlaceId, dir: string): readonly UsageRow[];
  /** Parts: paths; the answer: how many. */
  find(place: PlaceId, dir: string, text: string): number;
  grep(place: PlaceId, dir: string, text: string): number;
  /** `after` undefined: `before` as it was committed last is compared with what is staged. Parts: differences. */
  compare(before: PlaceId, after: PlaceId | undefined, dir: string): number;
  /** How the contents of a file differ, in lines; the places as for compare(). */
  contents(before: PlaceId, after: PlaceId | undefined, path: string): readonly string[];
  /** What paths of the host are, links not followed; undefined: nothing that can be seen. */
  hostKinds(paths: readonly string[]): readonly (VType | undefined)[];
  /** How much is below the paths; counting ends at a bound. */
  below(place: PlaceId, paths: readonly string[]): Below;
  /** How many names two directories have in common, at any depth; counting ends at a bound. */
  clashes(place: PlaceId, path: string, to: PlaceId, target: string): Clashes;
  /** What the word at the end of a command may become, where paths begin at `dir`. */
  complete(place: PlaceId, dir: string, line: string): Completions;
}

/** Services that change nothing: they go on while a review is under way. */
export const reading: readonly (keyof DeskServices)[] = [
  'details',
  'inspectPlace',
  'seek',
  'usage',
  'find',
  'grep',
  'compare',
  'contents',
  'openList',
  'nextEntries',
  'closeList',
  'isHostDir',
  'stop',
  'links',
  'hostKinds',
  'below',
  'clashes',
];

export class Desk {
  readonly #server: () => Server;
  readonly #shell: Shell;
  #ctx: Context | undefined;
  #image: ImageName | undefined;
  /** The first file system that was entered: what lines mean that name no other. */
  #root: ImageName | undefined;
  #edits: Edits | undefined;
  #listing: HostListingDoor | undefined;
  #trees: HostTrees | undefined;
  /** Open places: their handles' numbers. */
  readonly #numbers = new Map<PlaceId, number>();
  /** Open lists. */
  readonly #lists = new Map<number, Generator<Entries, ByName>>();
  #lastList = 0;

  constructor(server: () => Server, shell: Shell) {
    this.#server = server;
    this.#shell = shell;
  }

  services(): Services {
    return {
      start: (_, words) => this.#start(stringsIn(words)),
      nest: (_, place, path) => this.#nest(String(place), String(path)),
      stack: (_, other) => this.#stack(typeof other === 'string' ? other : undefined),
      enter: (_, place) => this.#enter(String(place)),
      enterHost: () => this.#enterHost(),
      openList: (_, place, dir) => this.#openList(place, String(dir)),
      nextEntries: (_, list) => this.#list(list).next(),
      closeList: (_, list) => this.#closeList(list),
      isHostDir: (_, path) => this.#host().isHostDir(String(path)),
      links: (_, place, dir, names) =>
        linksIn(place === HOST ? this.#host() : this.#fs(place), String(dir), stringsIn(names)),
      run: (job, line, how) =>
        this.#edit((edits) => edits.run(job, String(line), { mayEdit: saysYes(how, 'mayEdit') })),
      stop: () => this.#edits?.stop(),
      undo: (job) => this.#edit((edits) => edits.undo(job)),
      discard: (job) => this.#edit((edits) => edits.discard(job)),
      review: (job) => this.#edit((edits) => edits.review(job)),
      commit: (job) => this.#edit((edits) => edits.commit(job)),
      seek: (_, place, path, wanted, from, way) => {
        const bytes = wanted instanceof Uint8Array ? wanted : new Uint8Array();
        return (way === 'back' ? seekBackIn : seekIn)(this.#fs(place), String(path), bytes, Number(from));
      },
      details: (_, place, path) => detailsOf(this.#fs(place), String(path)),
      inspectPlace: (_, place) => inspectionOf(this.#fs(place)),
      usage: (_, place, dir) => usageOf(this.#fs(place), String(dir)),
      find: (_, place, dir, text) => findIn(this.#fs(place), String(dir), String(text)),
      grep: (_, place, dir, text) => grepIn(this.#fs(place), String(dir), String(text)),
      compare: (_, before, after, dir) =>
        this.#between(before, after, (a, b) => comparisonOf(a.fs, b.fs, String(dir))) ?? 0,
      contents: (_, before, after, path) =>
        this.#between(before, after, (a, b) => contentsOf(a, b, String(path))) ?? [],
      hostKinds: async (_, paths) => {
        const { kindOf } = await this.#shell.listing();
        return stringsIn(paths).map((path) => kindOf(path));
      },
      below: (_, place, paths) => belowOf(this.#fs(place), stringsIn(paths)),
      clashes: (_, place, path, to, target) =>
        clashesOf(
          () => this.#tree(place, String(path)),
          () => this.#tree(to, String(target)),
        ),
      complete: (_, place, dir, line) =>
        completeLine(String(line), {
          dir: String(dir),
          builtins: commonBuiltins.keys(),
          fs: async () => this.#fs(place),
        }),
    };
  }

  /** Places that were open before may be other handles afterwards: an image that is to be written is opened again. */
  async #edit<T>(act: (edits: Edits) => Promise<T>): Promise<T> {
    const { ctx, image } = this.#started();
    this.#edits ??= new Edits(ctx, this.#root ?? image);
    try {
      return await act(this.#edits);
    } finally {
      ctx.images.settle();
      for (const [id, number] of this.#numbers) {
        this.#server().replace(number, await this.#tryOpen(ctx, id));
      }
    }
  }

  /** The error: it cannot be opened any more; whoever looks there is told so, and what was done stays done. */
  async #tryOpen(ctx: Context, id: PlaceId): Promise<Ukfs | FsError> {
    try {
      return await ctx.images.open(addressName(id, this.#shell).image);
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      return thrown;
    }
  }

  async #start(words: readonly string[]): Promise<ReturnType<DeskServices['start']>> {
    const { settings, args } = await understand(browse, { program: 'fsu browse', words }, this.#shell);
    const ctx = new Context({ program: 'fsu browse', shell: this.#shell, settings, schema: 'fsu.browse', words });
    const [target] = ctx.targets(args.operands);
    if (target === undefined) throw new UsageError('no image given');
    this.#ctx = ctx;
    this.#image = target.image;
    const dir = target.path.replace(/(?<=.)\/+$/, '');
    const isWhole = nestOf(target.image).whole.text === target.image.text;
    return { place: isWhole ? undefined : target.image.text, dir, file: target.image.image };
  }

  async #stack(other: string | undefined): Promise<readonly StackNode[]> {
    const { ctx, image: first } = this.#started();
    const image = other === undefined ? first : addressName(other, this.#shell).image;
    return stackOf(image, await ctx.inspect(image));
  }

  async #nest(outer: PlaceId, path: string): Promise<Nested> {
    const image = nestedImage(addressName(outer, this.#shell).image, path);
    try {
      const report = await this.#started().ctx.inspect(image);
      const isImage = report.table !== undefined || report.candidates.some(({ type }) => type !== undefined);
      return { outer, path, nodes: isImage ? stackOf(image, report) : [] };
    } catch (thrown) {
      if (thrown instanceof NotRecognisedError) return { outer, path, nodes: [] };
      throw thrown;
    }
  }

  async #enter(id: PlaceId): Promise<Entered> {
    const { ctx } = this.#started();
    const { image } = addressName(id, this.#shell);
    const fs = await ctx.images.open(image);
    this.#root ??= image;
    const { around } = nestOf(image);
    const place = { id, label: id, type: fs.type, named: namedAs(image) };
    return {
      opened: openedOf(this.#numbered(id, fs), fs),
      place:
        around === undefined
          ? { ...place, readOnly: undefined }
          : { ...place, readOnly: NESTED_IS_READ, within: { place: around.image.text, path: around.path } },
    };
  }

  #numbered(id: PlaceId, fs: Ukfs): number {
    const server = this.#server();
    const known = this.#numbers.get(id);
    if (known !== undefined) server.replace(known, fs);
    const number = known ?? server.adopt(fs);
    this.#numbers.set(id, number);
    return number;
  }

  async #enterHost(): Promise<Place> {
    this.#listing = await this.#shell.listing();
    this.#trees = await this.#shell.trees();
    return hostPlace(this.#listing);
  }

  #host(): HostListingDoor {
    if (this.#listing === undefined) throw new FsError('EINVAL', { what: 'the host was not entered' });
    return this.#listing;
  }

  /** A directory of the host or of a place that was entered; whoever asks closes it. Errors: EBADF; those of opendir(3). */
  #tree(place: unknown, path: string): TreeDir {
    return place === HOST && this.#trees !== undefined
      ? this.#trees.hostTree(path, this.#trees.READ_ONLY)
      : ukfsTree(this.#fs(place), path);
  }

  #openList(place: unknown, dir: string): number {
    const rows = place === HOST ? hostRows(this.#host(), dir) : imageRows(this.#fs(place), dir);
    this.#lastList++;
    this.#lists.set(this.#lastList, listed(rows));
    return this.#lastList;
  }

  /** Errors: EBADF. */
  #list(number: unknown): Generator<Entries, ByName> {
    const list = this.#lists.get(Number(number));
    if (list === undefined) throw new FsError('EBADF', { what: 'no list is open under this number' });
    return list;
  }

  #closeList(number: unknown): undefined {
    const list = this.#list(number);
    this.#lists.delete(Number(number));
    list.return(noNames);
  }

  /** Of a place that was entered. Errors: EBADF. */
  #fs(place: unknown): Ukfs {
    return this.#server().handle(this.#numbers.get(String(place)) ?? -1);
  }

  /** Of two places, or of one as it was committed and as it is; undefined: nothing has been staged. */
  #between<T, R>(
    before: unknown,
    after: unknown,
    act: (before: Side, after: Side) => Generator<T, R>,
  ): Generator<T, R> | undefined {
    const now = { fs: this.#fs(before), label: String(before) };
    if (after !== undefined) return act(now, { fs: this.#fs(after), label: String(after) });
    const committed = now.fs.committed();
    return committed === undefined ? undefined : closing(committed, act({ ...now, fs: committed }, now));
  }

  #started(): { readonly ctx: Context; readonly image: ImageName } {
    if (this.#ctx === undefined || this.#image === undefined) throw new FsError('EINVAL', { what: 'not started' });
    return { ctx: this.#ctx, image: this.#image };
  }
}

function* closing<T, R>(fs: Ukfs, work: Generator<T, R>): Generator<T, R> {
  try {
    return yield* work;
  } finally {
    fs.close();
  }
}

const saysYes = (value: unknown, name: string): boolean =>
  typeof value === 'object' &&
  value !== null &&
  name in value &&
  Object.entries(value).some(([key, is]) => key === name && is === true);

const stringsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
