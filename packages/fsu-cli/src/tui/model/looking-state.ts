/** What the browser knows of the entry under the cursor. */

export interface Looking {
  /** Of the question for the preview that is shown; 0: none. */
  readonly token: number;
}

export const nothingSeen: Looking = { token: 0 };
