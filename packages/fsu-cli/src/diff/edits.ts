/**
 * Which lines two texts have in common: a shortest edit script by Myers' algorithm in linear space (E. W. Myers, "An O(ND)
 * Difference Algorithm and Its Variations", Algorithmica 1, 1986), which looks for the middle of the path from both ends.
 */

/** For each line of either text: is it not in the other one's, 1, or common, 0? */
interface Edits {
  readonly before: Uint8Array;
  readonly after: Uint8Array;
}

/** More edits than twice this between two ends are not looked for: all between them is replaced. */
const DISTANCE_MAX = 4000;

/** `before`, `after`: lines as numbers, equal ones for equal lines. */
export function editsBetween(before: Int32Array, after: Int32Array, distanceMax = DISTANCE_MAX): Edits {
  const edits: Edits = { before: new Uint8Array(before.length), after: new Uint8Array(after.length) };
  // Lines that the other text has nowhere are in no common sequence: a text that was rewritten costs nothing.
  const a = commonTo(before, new Set(after), edits.before);
  const b = commonTo(after, new Set(before), edits.after);
  const search = new Search(a.lines, b.lines, distanceMax);
  const boxes: Box[] = [{ left: 0, right: a.lines.length, top: 0, bottom: b.lines.length }];
  for (let box = boxes.pop(); box !== undefined; box = boxes.pop()) {
    const { left, right, top, bottom } = search.trimmed(box);
    const middle = left < right && top < bottom ? search.middle({ left, right, top, bottom }) : undefined;
    if (middle === undefined) {
      for (let x = left; x < right; x++) edits.before[a.at[x] as number] = 1;
      for (let y = top; y < bottom; y++) edits.after[b.at[y] as number] = 1;
    } else {
      boxes.push({ left, right: middle.x, top, bottom: middle.y });
      boxes.push({ left: middle.x, right, top: middle.y, bottom });
    }
  }
  return edits;
}

interface Some {
  readonly lines: Int32Array;
  /** Where each of them is in the whole text. */
  readonly at: Int32Array;
}

function commonTo(all: Int32Array, other: ReadonlySet<number>, edited: Uint8Array): Some {
  const at: number[] = [];
  for (const [i, line] of all.entries()) {
    if (other.has(line)) at.push(i);
    else edited[i] = 1;
  }
  return { lines: Int32Array.from(at, (i) => all[i] as number), at: Int32Array.from(at) };
}

/** Lines [left, right) of the one text and [top, bottom) of the other. */
interface Box {
  readonly left: number;
  readonly right: number;
  readonly top: number;
  readonly bottom: number;
}

class Search {
  readonly #a: Int32Array;
  readonly #b: Int32Array;
  readonly #distanceMax: number;
  /** For each diagonal x − y how far x has come, from the start and from the end. */
  readonly #forth: Int32Array;
  readonly #back: Int32Array;
  readonly #zero: number;

  constructor(a: Int32Array, b: Int32Array, distanceMax: number) {
    this.#a = a;
    this.#b = b;
    this.#distanceMax = distanceMax;
    // Diagonals of a box are counted from its corners.
    this.#zero = Math.min(distanceMax, a.length + b.length) + 1;
    this.#forth = new Int32Array(2 * this.#zero + 1);
    this.#back = new Int32Array(2 * this.#zero + 1);
  }

  /** Without the lines at both ends that are the same. */
  trimmed({ left, right, top, bottom }: Box): Box {
    let [l, r, t, b] = [left, right, top, bottom];
    while (l < r && t < b && this.#a[l] === this.#b[t]) {
      l++;
      t++;
    }
    while (l < r && t < b && this.#a[r - 1] === this.#b[b - 1]) {
      r--;
      b--;
    }
    return { left: l, right: r, top: t, bottom: b };
  }

  /** A point on a shortest path, neither of its ends, of a box that is trimmed; undefined: it is too far. */
  middle({ left, right, top, bottom }: Box): { readonly x: number; readonly y: number } | undefined {
    const [width, height] = [right - left, bottom - top];
    const delta = width - height;
    const [forth, back, zero] = [this.#forth, this.#back, this.#zero];
    const [a, b] = [this.#a, this.#b];
    const grid = { width, height, zero };
    const isSame = (x: number, y: number): boolean => a[left + x] === b[top + y];
    const isSameBack = (x: number, y: number): boolean => a[right - 1 - x] === b[bottom - 1 - y];
    const half = Math.ceil((width + height) / 2);
    for (let d = 0; d <= half && d < this.#distanceMax; d++) {
      for (let k = -d; k <= d; k += 2) {
        const x = furthest(forth, { d, k, grid, isSame });
        const opposite = delta - k;
        if (delta % 2 !== 0 && Math.abs(opposite) < d && x + (back[zero + opposite] as number) >= width)
          return { x: left + x, y: top + x - k };
      }
      for (let k = -d; k <= d; k += 2) {
        const x = furthest(back, { d, k, grid, isSame: isSameBack });
        const opposite = delta - k;
        if (delta % 2 === 0 && Math.abs(opposite) <= d && x + (forth[zero + opposite] as number) >= width)
          return { x: right - x, y: bottom - (x - k) };
      }
    }
    return undefined;
  }
}

interface Step {
  readonly d: number;
  readonly k: number;
  readonly grid: { readonly width: number; readonly height: number; readonly zero: number };
  readonly isSame: (x: number, y: number) => boolean;
}

/** No point of the box; more than any path is long away from those that are. */
const NOWHERE = -(2 ** 30);

/** How far x comes on diagonal k with d edits, and then along lines that are the same. */
function furthest(reach: Int32Array, { d, k, grid: { width, height, zero }, isSame }: Step): number {
  const down = k < d ? (reach[zero + k + 1] as number) : NOWHERE;
  const right = k > -d ? (reach[zero + k - 1] as number) + 1 : NOWHERE;
  let x = d === 0 ? 0 : Math.max(down - k <= height ? down : NOWHERE, right <= width ? right : NOWHERE);
  if (x < 0) x = NOWHERE;
  else while (x < width && x - k < height && isSame(x, x - k)) x++;
  reach[zero + k] = x;
  return x;
}
