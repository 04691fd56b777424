/** What a word may become. */
export interface Candidate {
  /** The whole word, as the shell hands it to a program. A name string. */
  readonly word: string;
  /** For shells that show it; no tabs and line feeds in it. */
  readonly says: string;
  /** There is more to come in this word: no space behind it. */
  readonly more: boolean;
}

/** More than a person reads; whatever an image or a directory holds. */
export const CANDIDATES_MAX = 1000;
