/** Images on the browser's desk: one session of them, as the lines of one script would have it. */
import { openedOf } from 'ukfs/remote';
import type { Job, OpenedHandle, Server, Services } from 'ukfs/remote';
import { UsageError } from '../../command.ts';
import { browse } from '../../commands/browse.ts';
import { addressName, Context } from '../../context.ts';
import type { ImageName, Shell } from '../../context.ts';
import { FsError } from 'ukfs';
import { understand } from '../../understand.ts';
import type { Place, PlaceId, StackNode } from '../model/state.ts';
import { stackOf } from './stack.ts';

/** A place, and by which number its calls are made. */
export interface Entered {
  readonly place: Place;
  readonly opened: OpenedHandle;
}

/** The services' types, for both ends: name → what is asked and what is answered. */
export interface DeskServices {
  /** The words of the command line: first of all. */
  start(words: readonly string[]): undefined;
  stack(): readonly StackNode[];
  enter(place: PlaceId): Entered;
}

export class Desk {
  readonly #server: () => Server;
  readonly #shell: Shell;
  #ctx: Context | undefined;
  #image: ImageName | undefined;
  /** Open places: their handles' numbers. */
  readonly #numbers = new Map<PlaceId, number>();

  constructor(server: () => Server, shell: Shell) {
    this.#server = server;
    this.#shell = shell;
  }

  services(): Services {
    return {
      start: (_, words) => this.#start(stringsIn(words)),
      stack: () => this.#stack(),
      enter: (_: Job, place) => this.#enter(String(place)),
    };
  }

  async #start(words: readonly string[]): Promise<undefined> {
    const { settings, args } = await understand(browse, { program: 'fsu browse', words }, this.#shell);
    const ctx = new Context({ program: 'fsu browse', shell: this.#shell, settings, schema: 'fsu.browse', words });
    const [target] = ctx.targets(args.operands);
    if (target === undefined) throw new UsageError('no image given');
    this.#ctx = ctx;
    this.#image = target.image;
    return undefined;
  }

  async #stack(): Promise<readonly StackNode[]> {
    const { ctx, image } = this.#started();
    return stackOf(image, await ctx.inspect(image));
  }

  async #enter(id: PlaceId): Promise<Entered> {
    const { ctx } = this.#started();
    const { image } = addressName(id, this.#shell);
    const fs = await ctx.images.open(image);
    const server = this.#server();
    const number = this.#numbers.get(id) ?? server.adopt(fs);
    this.#numbers.set(id, number);
    const opened = openedOf(number, fs);
    return { opened, place: { id, label: image.text, type: fs.type, readOnly: undefined } };
  }

  #started(): { readonly ctx: Context; readonly image: ImageName } {
    if (this.#ctx === undefined || this.#image === undefined) throw new FsError('EINVAL', { what: 'not started' });
    return { ctx: this.#ctx, image: this.#image };
  }
}

const stringsIn = (value: unknown): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : [];
