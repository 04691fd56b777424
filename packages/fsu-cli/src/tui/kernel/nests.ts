/** Images that lie in file systems that are open: each is a host of one file, and a place of its own. */
import { inspect, nestedHost, NotRecognisedError, open, parseSelector } from 'ukfs';
import type { Host, Ukfs } from 'ukfs';
import type { PlaceId, StackNode } from '../model/state.ts';
import { stackOf } from './stack.ts';

interface Nest {
  readonly outer: PlaceId;
  readonly path: string;
  readonly selectors: readonly string[];
}

/** What is found in a file: the image and its parts, from the top; none: it is no image. */
export interface Nested {
  readonly outer: PlaceId;
  readonly path: string;
  readonly nodes: readonly StackNode[];
}

export class Nests {
  readonly #nests = new Map<PlaceId, Nest>();
  readonly #open = new Map<PlaceId, Ukfs>();
  readonly #fs: (place: PlaceId) => Ukfs;
  readonly #host: () => Host;

  /** `fs`: the file system of a place that was entered, nested or not, as it is at the time. */
  constructor(fs: (place: PlaceId) => Ukfs, host: () => Host) {
    this.#fs = fs;
    this.#host = host;
  }

  /** Where it lies; undefined: not within another image. */
  within(id: PlaceId): { readonly place: PlaceId; readonly path: string } | undefined {
    const nest = this.#nests.get(id);
    return nest === undefined ? undefined : { place: nest.outer, path: nest.path };
  }

  /** What of an image a file is, recognised by its contents. Errors: those of the outer file system. */
  async look(outer: PlaceId, path: string): Promise<Nested> {
    const nothing = { outer, path, nodes: [] };
    const host = nestedHost(() => this.#fs(outer), this.#host());
    let report;
    try {
      report = await inspect({ image: path }, { host });
    } catch (thrown) {
      if (thrown instanceof NotRecognisedError) return nothing;
      throw thrown;
    }
    const isImage = report.table !== undefined || report.candidates.some(({ type }) => type !== undefined);
    if (!isImage) return nothing;
    // As addresses are written: a file in a file system.
    const name = outer.includes(':') ? `${outer}${path}` : `${outer}:${path}`;
    const nodes = stackOf({ text: name, image: name, selectors: [] }, report);
    for (const { id } of nodes) {
      const selector = id === name ? '' : id.slice(name.length + 1);
      this.#nests.set(id, { outer, path, selectors: selector === '' ? [] : selector.split(':') });
    }
    return { outer, path, nodes };
  }

  /** undefined: the place is not within another image. Errors: those of opening an image; ESTALE. */
  async open(id: PlaceId): Promise<Ukfs | undefined> {
    const nest = this.#nests.get(id);
    if (nest === undefined) return undefined;
    const known = this.#open.get(id);
    if (known !== undefined) return known;
    const { outer, path, selectors } = nest;
    const host = nestedHost(() => this.#fs(outer), this.#host());
    const fs = await open({ image: path, selectors: selectors.map((one) => parseSelector(one)) }, { host });
    this.#open.set(id, fs);
    return fs;
  }
}
