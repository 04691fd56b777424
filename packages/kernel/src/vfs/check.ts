/**
 * Checking a file system that nobody has mounted: what every type's checker takes and tells. The types' own checkers
 * decide what is wrong; the caller decides what is repaired, and shows it.
 */
import type { Timespec } from '../kern/time.ts';

/** Where something was found; each member as far as it is known. */
export interface FindingPlace {
  readonly ino?: number;
  /** In blocks of the file system. */
  readonly block?: number;
  readonly group?: number;
  /** Of an entry of the directory `ino`. */
  readonly name?: string;
}

export interface Finding {
  /** Stable word for programs: `inode-checksum`. */
  readonly code: string;
  /** A note is worth knowing and breaks no rule of the format. */
  readonly severity: 'note' | 'error';
  readonly where: FindingPlace;
  /** Words for a person, without the place. */
  readonly message: string;
  /**
   * `safe`: follows from what else is on the disk and loses nothing; `risky`: somebody's data or name may be lost;
   * `none`: nothing is known that helps.
   */
  readonly repair: 'safe' | 'risky' | 'none';
  /** It was repaired just now: the device holds the result. */
  readonly repaired: boolean;
}

export interface CheckOptions {
  /** Which repairs to make, on the device that was given. `none` writes nothing. */
  readonly repair: 'none' | 'safe' | 'all';
  /** Told of each finding as it is met; nothing is collected. */
  readonly report: (finding: Finding) => void;
  /** Now and chance, as the host has them: repairs stamp and number what they make. */
  readonly now: () => Timespec;
  readonly random: (dst: Uint8Array) => void;
  /**
   * Called again and again, at most some milliseconds apart, between two pieces of the work: what it throws ends the check.
   * Nothing may change the device meanwhile.
   */
  readonly pause?: () => void;
  /** Bytes that cached blocks may take; default 8 MiB. */
  readonly cacheBytes?: number;
}

export interface CheckSummary {
  /** What it is: "ext4". */
  readonly variant: string;
  /** Errors met, those repaired among them; notes apart. */
  readonly errors: number;
  readonly notes: number;
  readonly repaired: number;
  /** Errors that are still there. */
  readonly left: number;
  /** Ordered name → count: what the file system holds. */
  readonly statistics: Readonly<Record<string, number>>;
}
