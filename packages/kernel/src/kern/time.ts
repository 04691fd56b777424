/** Time stamps: seconds since 1970-01-01T00:00:00Z (negative before) and 0..999999999 nanoseconds, both integers. */
export interface Timespec {
  readonly sec: number;
  readonly nsec: number;
}

export const timespecEqual = (a: Timespec, b: Timespec): boolean => a.sec === b.sec && a.nsec === b.nsec;

/** -1, 0 or 1 as `a` is before, at or after `b`. */
export const timespecCompare = (a: Timespec, b: Timespec): number =>
  Math.sign(a.sec - b.sec) || Math.sign(a.nsec - b.nsec);
