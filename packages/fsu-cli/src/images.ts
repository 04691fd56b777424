/** The images that one tool, or one script, has open: one session for all, so that no image meets itself unawares. */
import { diskMeant, open } from 'ukfs';
import type { OpenOptions, Session, Ukfs } from 'ukfs';
import { commitOrder } from './commitorder.ts';
import type { CommitRule } from './commitorder.ts';
import type { ImageName } from './context.ts';
import type { ImageCopies } from './edit/copies.ts';

export interface OpenImage {
  readonly name: ImageName;
  readonly fs: Ukfs;
  /** Opened to be changed: endEdits() commits it. */
  readonly edited: boolean;
  /** The command that opened it, counted by settle(). */
  readonly age: number;
}

const keyOf = ({ image, selectors }: ImageName): string => JSON.stringify([image, selectors]);

export class Images {
  readonly #options: OpenOptions;
  readonly #open = new Map<string, OpenImage>();
  #age = 0;
  readonly #rules: CommitRule<Ukfs>[] = [];
  #afterCommits: (() => void)[] = [];
  /** Of which a part of the edit is durable already (a script's `commit`). */
  readonly durable = new Set<Ukfs>();
  /** Of what is drawn by lot; set before the first image is opened. */
  seed: string | undefined;
  /** Present when the edit as a whole asks for copies of images. */
  readonly copies: ImageCopies | undefined;

  constructor(options: OpenOptions, copies?: ImageCopies) {
    this.#options = options;
    this.copies = copies;
  }

  /**
   * Open an image, or the handle that is open on it already. Throws what open() throws; EBUSY when it is to be written and is
   * open for reading: a command opens first what it writes. What earlier commands opened of the image is opened again. `trial`: what
   * is written to it is thrown away.
   */
  async open(
    name: ImageName,
    { write = false, trial = false }: { readonly write?: boolean; readonly trial?: boolean } = {},
  ): Promise<Ukfs> {
    const key = keyOf(name);
    const known = this.#open.get(key);
    if (known !== undefined && (known.edited || !write) && !this.#isOutdated(known)) return known.fs;
    if (write) this.#closeReaders(name.image);
    else if (known !== undefined) this.#drop(key, known);
    const { session } = this;
    const opening = trial ? undefined : await this.copies?.opening(name.image, { write, host: session?.host });
    const where = { image: opening?.image ?? name.image, selectors: name.selectors };
    const fs = await open(where, {
      ...name.mount,
      ...this.#options,
      ...(trial ? { dryRun: true } : {}),
      ...opening?.options,
      write,
      ...(this.seed === undefined ? {} : { seed: this.seed }),
      ...(session === undefined ? {} : { session }),
    });
    this.#open.set(key, { name, fs, edited: write && !trial, age: this.#age });
    return fs;
  }

  /** Nobody uses what earlier commands opened of the image to read; while that is open the image cannot be written. */
  #closeReaders(image: string): void {
    for (const [key, one] of this.#open) {
      if (one.name.image === image && !one.edited && one.age < this.#age) this.#drop(key, one);
    }
  }

  /** What lies in an image is opened by each command that reads it: earlier ones may have changed what lies around. */
  #isOutdated({ name, age }: OpenImage): boolean {
    return age < this.#age && diskMeant(name).within !== undefined;
  }

  #drop(key: string, { fs }: OpenImage): void {
    this.#open.delete(key);
    fs.close();
  }

  /** The handle that is open on it. */
  opened(name: ImageName): Ukfs | undefined {
    return this.#open.get(keyOf(name))?.fs;
  }

  /** A command has ended, and another begins: nobody uses the handles that are open at the moment. */
  settle(): void {
    this.#age++;
  }

  /** What is staged is seen in it. */
  get session(): Session | undefined {
    return this.first?.session;
  }

  get first(): Ukfs | undefined {
    return [...this.#open.values()][0]?.fs;
  }

  /** Host files that are open as images. */
  get paths(): readonly string[] {
    return [...this.#open.values()].map(({ name }) => name.image);
  }

  /** What people call the image that is open under this path of the host. */
  nameOf(path: string): string {
    return [...this.#open.values()].find(({ fs }) => fs.address.image === path)?.name.text ?? path;
  }

  /** Those opened for writing, in the order in which they commit: as opened, but for what commitBefore() says. */
  get edited(): readonly OpenImage[] {
    const edited = [...this.#open.values()].filter((image) => image.edited);
    const order = commitOrder(
      edited.map(({ fs }) => fs),
      this.#rules,
    );
    return edited.sort((a, b) => order.indexOf(a.fs) - order.indexOf(b.fs));
  }

  /** What moves from one image to another: the one that it is in afterwards commits first, so that nothing is ever lost. */
  commitBefore(first: Ukfs, second: Ukfs): void {
    if (!this.#rules.some((rule) => rule.first === first && rule.second === second))
      this.#rules.push({ first, second });
  }

  /** What is done once every image is committed, and not at all otherwise: a host file that moved goes. */
  afterCommits(act: () => void): void {
    this.#afterCommits.push(act);
  }

  /** Where afterCommits() has come to; and back to there. */
  get acts(): number {
    return this.#afterCommits.length;
  }

  forgetActs(from: number): void {
    this.#afterCommits.length = from;
  }

  committed(): void {
    const acts = this.#afterCommits;
    this.#afterCommits = [];
    for (const act of acts) act();
  }

  /** Close every image. Throws what close() throws (the image changed while it was read), after closing all. */
  close(): void {
    let first: unknown;
    for (const { fs } of this.#open.values()) {
      try {
        fs.close();
      } catch (thrown) {
        first ??= thrown;
      }
    }
    this.#open.clear();
    try {
      this.copies?.settle();
    } catch (thrown) {
      first ??= thrown;
    }
    if (first !== undefined) throw first;
  }
}
