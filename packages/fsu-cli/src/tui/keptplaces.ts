/** Places of bookmarks as they are kept with an image, which has another name in another directory. */
import type { KeptBookmark } from '../host-bookmarks.ts';
import { HOST } from './model/state.ts';
import type { Bookmark, PlaceId } from './model/state.ts';

/** As it was typed, and the host's file that is meant. */
export interface ImageNames {
  readonly text: string;
  readonly file: string;
}

/** undefined: it is of another image. */
function partOf(place: PlaceId, { text, file }: ImageNames): string | undefined {
  const base = [file, text].find((one) => place === one || place.startsWith(`${one}:`));
  return place === HOST ? HOST : base === undefined ? undefined : place.slice(base.length);
}

export const kept = (bookmarks: readonly Bookmark[], image: ImageNames): readonly KeptBookmark[] =>
  bookmarks.flatMap(({ name, place, dir }) => {
    const part = partOf(place, image);
    return part === undefined ? [] : [{ name, place: part, dir }];
  });

export const restored = (bookmarks: readonly KeptBookmark[], { text, file }: ImageNames): readonly Bookmark[] =>
  bookmarks.map(({ name, place: part, dir }) => {
    // By an alias the image as a whole has the alias' name.
    const isAlias = part === '' && !text.startsWith(file);
    return { name, place: part === HOST ? HOST : isAlias ? text : `${file}${part}`, dir };
  });
