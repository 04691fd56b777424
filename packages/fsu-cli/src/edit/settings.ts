/** What the options of every command that writes (command.ts `writeOptions`) say of the edit as a whole. */
import { UsageError } from '../command.ts';
import type { GivenOption } from '../command.ts';

export interface EditSettings {
  /** Check before the commit, all images before the first is committed. */
  readonly verify: boolean;
  /** Where the audit trail is appended to; `-`: standard error. */
  readonly audit: string | undefined;
  /** Suffix of the copy of an image that is kept. */
  readonly backup: string | undefined;
  /** The copy that is edited instead of the image. */
  readonly output: string | undefined;
  /** --force, which also lets `output` take the place of a file. */
  readonly replace: boolean;
}

const NAMES = new Set(['verify', 'audit', 'backup', 'output']);

/** Takes the options of its own out of those given; the rest is others'. UsageError. */
export function editSettingsOf(
  given: readonly GivenOption[],
  isWriter: boolean,
): { readonly edit: EditSettings; readonly others: readonly GivenOption[] } {
  // A command that only reads may have options of these names with a meaning of its own.
  const own = isWriter ? given.filter(({ name }) => NAMES.has(name)) : [];
  const last = (name: string): string | undefined => own.filter((option) => option.name === name).at(-1)?.value;
  const [backup, output, audit] = [last('backup'), last('output'), last('audit')];
  if (backup !== undefined && output !== undefined) {
    throw new UsageError('--backup and --output exclude each other: the image stays as it is with --output');
  }
  if (backup === '' || backup?.includes('/') === true) throw new UsageError(`--backup: '${backup}' is no suffix`);
  if (output === '') throw new UsageError('--output needs the name of a file');
  if (audit === '') throw new UsageError('--audit needs the name of a file');
  return {
    edit: { verify: own.some(({ name }) => name === 'verify'), audit, backup, output, replace: isForced(given) },
    others: given.filter((option) => !own.includes(option)),
  };
}

const isForced = (given: readonly GivenOption[]): boolean => given.some(({ name }) => name === 'force');
