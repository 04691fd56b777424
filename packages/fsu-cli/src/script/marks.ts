/** A mark in the edits of all images, for a line whose failure takes back that line alone. */
import type { Ukfs } from 'ukfs';
import type { Images } from '../images.ts';

export class Marks {
  readonly #images: Images;
  readonly #marks: readonly { readonly fs: Ukfs; readonly mark: number }[];

  readonly #acts: number;

  constructor(images: Images) {
    this.#images = images;
    this.#acts = images.acts;
    this.#marks = images.edited.map(({ fs }) => ({ fs, mark: fs.savepoint() }));
  }

  end(how: 'keep' | 'take back'): void {
    // Handles on one image share its marks: the last one made is the first to go.
    for (const { fs, mark } of this.#marks.toReversed()) {
      if (how === 'keep') fs.releaseSavepoint(mark);
      else fs.rollback(mark);
    }
    if (how === 'keep') return;
    this.#images.forgetActs(this.#acts);
    // Images that this very line opened first; another part of an image that was open has been taken back with it.
    const before = new Set(this.#marks.map(({ fs }) => fs.address.image));
    for (const { fs } of this.#images.edited) if (!before.has(fs.address.image)) fs.discard();
  }
}
