/** What a row of the key tables is. */
import type { ScreenName } from '../model/state.ts';

export interface KeyBinding {
  /** Any of these does it; several keys one after the other are separated by a blank. */
  readonly keys: readonly string[];
  readonly action: string;
  readonly help: string;
  readonly group: string;
  /** Where: in the lists, in the stack, on another screen, or everywhere. */
  readonly in: 'list' | 'stack' | 'everywhere' | Exclude<ScreenName, 'files'>;
}
