/** In which order images commit: that in which they were opened, unless a move wants its target before its source. */

/** `first` commits before `second`. */
export interface CommitRule<T> {
  readonly first: T;
  readonly second: T;
}

/**
 * `opened` in an order that keeps the rules. Rules that go in a circle (moves both ways in one script) cannot all be kept: of
 * the images that are left then, the one opened first goes next.
 */
export function commitOrder<T>(opened: readonly T[], rules: readonly CommitRule<T>[]): T[] {
  const left = [...opened];
  const order: T[] = [];
  while (left.length > 0) {
    const waits = (image: T): boolean =>
      rules.some(({ first, second }) => second === image && first !== image && left.includes(first));
    const free = left.findIndex((image) => !waits(image));
    order.push(...left.splice(Math.max(free, 0), 1));
  }
  return order;
}
