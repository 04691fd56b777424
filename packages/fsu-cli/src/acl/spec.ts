/** Entries as people type them, for setfacl(1): `u:fred:rw,g::r,d:m:rx`. Names become numbers in the image that is changed. */
import type { AclTag } from 'ukfs';
import { UsageError } from '../command.ts';

/** An entry in words. */
export interface Said {
  /** Of the list that new files in the directory take over. */
  readonly isDefault: boolean;
  readonly tag: AclTag;
  /** A user or a group; undefined: none is named. */
  readonly who: string | undefined;
  /** undefined: none are said, where an entry is taken away. */
  readonly perm: Perm | undefined;
}

interface Perm {
  readonly bits: number;
  /** `X`: execution for directories, and where somebody may execute already. */
  readonly maybeExecute: boolean;
}

const kinds: Readonly<Record<string, 'user' | 'group' | 'mask' | 'other'>> = {
  u: 'user',
  user: 'user',
  g: 'group',
  group: 'group',
  m: 'mask',
  mask: 'mask',
  o: 'other',
  other: 'other',
};

/** `needs`: whether entries have permissions (to be set) or none (to be taken away). UsageError. */
export function parseSpec(text: string, needs: 'permissions' | 'no permissions'): readonly Said[] {
  return text
    .split(/[,\n]/)
    .map((part) => part.replace(/\s*#.*$/, '').trim())
    .filter((part) => part !== '')
    .map((part) => {
      const said = parseEntry(part);
      if (said === undefined || (said.perm === undefined) !== (needs === 'no permissions'))
        throw new UsageError(`'${part}' is no entry ${needs === 'permissions' ? 'with' : 'without'} permissions`);
      return said;
    });
}

/** undefined: it is none. */
export function parseEntry(text: string): Said | undefined {
  const words = text.split(':').map((word) => word.trim());
  const isDefault = words[0] === 'd' || words[0] === 'default';
  if (isDefault) words.shift();
  const kind = Object.hasOwn(kinds, words[0] ?? '') ? kinds[words[0] ?? ''] : undefined;
  const rest = words.slice(1);
  // `fred:rw` is a user's, as setfacl has it.
  if (kind === undefined) {
    const [who = '', perm, ...more] = words;
    if (who === '' || more.length > 0) return undefined;
    return withPerm({ isDefault, tag: 'user', who }, perm);
  }
  if (kind === 'user' || kind === 'group') {
    const [who = '', perm, ...more] = rest;
    if (more.length > 0) return undefined;
    const tag = who !== '' ? kind : kind === 'user' ? 'user_obj' : 'group_obj';
    return withPerm({ isDefault, tag, who: who === '' ? undefined : who }, perm);
  }
  // `m:rx` and `m::rx`.
  const plain = rest.length === 2 && rest[0] === '' ? rest.slice(1) : rest;
  return plain.length > 1 ? undefined : withPerm({ isDefault, tag: kind, who: undefined }, plain[0]);
}

function withPerm(said: Omit<Said, 'perm'>, text: string | undefined): Said | undefined {
  if (text === undefined || text === '') return { ...said, perm: undefined };
  const perm = parsePerm(text);
  return perm === undefined ? undefined : { ...said, perm };
}

const permBits: Readonly<Record<string, number>> = { r: 4, w: 2, x: 1 };

function parsePerm(text: string): Perm | undefined {
  if (/^[0-7]$/.test(text)) return { bits: Number(text), maybeExecute: false };
  if (!/^[rwxX-]+$/.test(text)) return undefined;
  const bits = [...text].reduce((all, letter) => all | (permBits[letter] ?? 0), 0);
  return { bits, maybeExecute: text.includes('X') };
}
