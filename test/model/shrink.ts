/**
 * Delta debugging (Zeller and Hildebrandt 2002): leave out ever smaller parts of a failing sequence for as long as what is
 * left still fails. The result fails, and, if there were runs enough, not one step of it can be left out.
 */
export interface ShrinkOptions {
  /** Stop after so many runs with what there is. */
  readonly tries: number;
}

export async function shrink<T>(
  items: readonly T[],
  fails: (items: readonly T[]) => Promise<boolean>,
  { tries }: ShrinkOptions,
): Promise<readonly T[]> {
  let left = items;
  let count = 0;
  for (let size = Math.ceil(left.length / 2); left.length > 1;) {
    let shorter = false;
    // From the end: what comes last depends on what was before it.
    for (let at = Math.max(0, left.length - size); ; at = Math.max(0, at - size)) {
      if (count++ === tries) return left;
      const rest = [...left.slice(0, at), ...left.slice(at + size)];
      if (rest.length < left.length && (await fails(rest))) {
        left = rest;
        shorter = true;
      }
      if (at === 0) break;
    }
    if (size > 1) size = Math.ceil(size / 2);
    else if (!shorter) break;
  }
  return left;
}
