/** Fields of a manifest's entries: from a value with its place to what it means. ManifestError. */
import { nameToBytes } from 'ukfs';
import { parseBase64 } from '../format/base64.ts';
import type { Timespec } from '@ukfs/kernel';
import { flagBits } from '../format/flags.ts';
import { ManifestError } from './yaml.ts';
import type { Place, Value } from './yaml.ts';

const fail = (at: Place, message: string): never => {
  throw new ManifestError(at, message);
};

export function textOf(value: Value, what: string): string {
  if (value.kind !== 'scalar' || typeof value.value !== 'string') return fail(value.at, `${what} is a text`);
  return value.value;
}

/** As textOf, but `0644` and `true` are texts as well. */
export function wordOf(value: Value, what: string): string {
  if (value.kind !== 'scalar' || value.value === undefined) return fail(value.at, `${what} is a word`);
  return typeof value.value === 'string' ? value.value : value.source;
}

export function truthOf(value: Value, what: string): boolean {
  if (value.kind !== 'scalar' || typeof value.value !== 'boolean') return fail(value.at, `${what} is true or false`);
  return value.value;
}

export function countOf(value: Value, what: string): number {
  const number = value.kind === 'scalar' ? value.value : undefined;
  if (typeof number !== 'number' || !Number.isInteger(number) || number < 0 || number > 0xffffffff)
    return fail(value.at, `${what} is a number from 0`);
  return number;
}

/** Permissions are octal however they are written: 0644, 644, "0644", 0o644. */
export function modeOf(value: Value): number {
  const word = wordOf(value, 'mode');
  if (!/^(0o?)?[0-7]{1,4}$/.test(word)) return fail(value.at, `mode '${word}' is not octal`);
  return Number.parseInt(word.replace('o', ''), 8);
}

/** A name, looked up in the image later, or a number. */
export function ownerOf(value: Value, what: string): string | number {
  const word = wordOf(value, what);
  if (/^\d{1,10}$/.test(word) && Number(word) <= 0xffffffff) return Number(word);
  if (word === '' || /[\s:]/.test(word)) return fail(value.at, `${what} is a name or a number`);
  return word;
}

/** RFC 3339, or seconds since 1970. */
export function timeOf(value: Value): Timespec {
  const word = wordOf(value, 'mtime');
  if (/^-?\d{1,12}$/.test(word)) return { sec: Number(word), nsec: 0 };
  const parts = /^(\d{4}-\d\d-\d\d)[Tt ](\d\d:\d\d:\d\d)(?:\.(\d{1,9}))?([Zz]|[+-]\d\d:\d\d)$/.exec(word);
  const ms = parts === null ? Number.NaN : Date.parse(`${parts[1]}T${parts[2]}${(parts[4] ?? 'Z').toUpperCase()}`);
  if (Number.isNaN(ms)) return fail(value.at, `mtime '${word}' is not like 2026-01-31T12:00:00Z`);
  return { sec: ms / 1000, nsec: Number((parts?.[3] ?? '').padEnd(9, '0')) };
}

/** chflags(1) words, as a list or with commas. */
export function flagsOf(value: Value): number {
  const words =
    value.kind === 'list' ? value.items.map((item) => wordOf(item, 'a flag')) : wordOf(value, 'flags').split(',');
  let flags = 0;
  for (const word of words.map((given) => given.trim()).filter((given) => given !== '')) {
    const { set, clear } = flagBits(word) ?? { set: 0, clear: 0 };
    if (set === 0 || clear !== 0) return fail(value.at, `no flag is called '${word}'`);
    flags |= set;
  }
  return flags >>> 0;
}

export function bytesOfBase64(value: Value, what: string): Uint8Array {
  return parseBase64(wordOf(value, what).replace(/\s+/g, '')) ?? fail(value.at, `${what} is base64`);
}

/** Attributes by name: a text, `{base64: …}`, or null for one that is not to be there. */
export function xattrsOf(value: Value): ReadonlyMap<string, Uint8Array | undefined> {
  if (value.kind !== 'map') return fail(value.at, 'xattrs is names with values');
  return new Map(
    value.members.map(({ key, value: given }) => {
      if (!/^[a-z]+\../s.test(key)) return fail(given.at, `'${key}' is no attribute's name, such as user.note`);
      return [key, xattrValue(given)] as const;
    }),
  );
}

function xattrValue(value: Value): Uint8Array | undefined {
  if (value.kind === 'scalar') return value.value === undefined ? undefined : nameToBytes(wordOf(value, 'its value'));
  const [only, more] = value.kind === 'map' ? value.members : [];
  if (only?.key !== 'base64' || more !== undefined) return fail(value.at, 'a value is a text, null, or base64: …');
  return bytesOfBase64(only.value, 'base64');
}
