/** Lists as getfacl(1) shows them. */
import { sortedAcl } from 'ukfs';
import type { AclEntry, AclTag, Stat } from 'ukfs';
import type { Owners } from '../owners.ts';
import { find, hasNamed } from './entries.ts';
import type { Lists } from './lists.ts';

export interface TextOptions {
  readonly numeric: boolean;
  readonly header: boolean;
  readonly access: boolean;
  readonly inherited: boolean;
  /** Comments about what the mask leaves: always, where it takes something, never. */
  readonly effective: 'all' | 'some' | 'none';
  /** Comments in a column, for people; otherwise one tab before each. */
  readonly aligned: boolean;
}

const words: Readonly<Record<AclTag, string>> = {
  user_obj: 'user',
  user: 'user',
  group_obj: 'group',
  group: 'group',
  mask: 'mask',
  other: 'other',
};

const permText = (perm: number): string =>
  `${(perm & 4) === 0 ? '-' : 'r'}${(perm & 2) === 0 ? '-' : 'w'}${(perm & 1) === 0 ? '-' : 'x'}`;

/** `user:bob:rw-`; `user` and `group` name those that have a name. */
export function entryText(
  { tag, id, perm }: AclEntry,
  { user, group }: { readonly user: (id: number) => string; readonly group: (id: number) => string },
): string {
  const who = tag === 'user' ? user(id) : tag === 'group' ? group(id) : '';
  return `${words[tag]}:${who}:${permText(perm)}`;
}

/** `shown`: the file's name as the header has it. */
export function listsText(
  file: { readonly shown: string; readonly stat: Stat; readonly lists: Lists },
  owners: Owners,
  options: TextOptions,
): string {
  const { stat, lists } = file;
  const lines: string[] = [];
  const user = (id: number): string => (options.numeric ? undefined : owners.user(id)) ?? String(id);
  const group = (id: number): string => (options.numeric ? undefined : owners.group(id)) ?? String(id);
  if (options.header) {
    lines.push(`# file: ${file.shown}`, `# owner: ${user(stat.uid)}`, `# group: ${group(stat.gid)}`);
    const bits = [0o4000, 0o2000, 0o1000].map((bit) => (stat.mode & bit) !== 0);
    if (bits.includes(true))
      lines.push(`# flags: ${['s', 's', 't'].map((c, i) => (bits[i] === true ? c : '-')).join('')}`);
  }
  const list = (entries: readonly AclEntry[], prefix: string): void => {
    const mask = find(entries, 'mask')?.perm ?? 7;
    for (const { tag, id, perm } of sortedAcl(entries)) {
      const text = `${prefix}${entryText({ tag, id, perm }, { user, group })}`;
      lines.push(text + effectiveText(text, { tag, perm, mask, isMasked: hasNamed(entries) }, options));
    }
  };
  if (options.access) list(lists.access, '');
  if (options.inherited) list(lists.inherited, 'default:');
  return `${lines.join('\n')}\n\n`;
}

const TAB = 8;
/** Comments begin at this tab stop, or one tab behind a longer text. */
const STOPS = 4;

function effectiveText(
  text: string,
  { tag, perm, mask, isMasked }: { tag: AclTag; perm: number; mask: number; isMasked: boolean },
  { effective: when, aligned }: TextOptions,
): string {
  if (tag !== 'user' && tag !== 'group' && tag !== 'group_obj') return '';
  if (when === 'none' || (when === 'some' && (perm & mask) === perm) || (!isMasked && mask === 7 && when !== 'all'))
    return '';
  const tabs = aligned ? Math.max(1, STOPS - Math.floor(text.length / TAB)) : 1;
  return `${'\t'.repeat(tabs)}#effective:${permText(perm & mask)}`;
}
