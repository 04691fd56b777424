/** What something is, by the table of signatures, when it is nothing that we can open. */
import type { ProbeRead } from '@ukfs/kernel';
import { EMPTY, signatures } from './signatures.ts';
import type { Kind, Magic } from './signatures.ts';

interface Recognised {
  readonly name: string;
  readonly kind: Kind;
  readonly advice: string;
  readonly label: string;
  readonly uuid: string;
}

/**
 * What a file of `sizeBytes` that begins with `head` is, by name, where that is a disk image, a volume, a file system that we only know by
 * name, an archive, or compressed; undefined: none of these, or nobody knows.
 */
export function describeHead(head: Uint8Array, sizeBytes: number): string | undefined {
  const found = recognise((offset, length) => head.subarray(offset, offset + length), sizeBytes);
  // Tables are told here where they could not be read; the other rows are what an image is not.
  return found === undefined || found.kind === 'other' || found.kind === 'table' ? undefined : found.name;
}

/** What the medium is, by name; undefined when nobody knows. */
export function recognise(read: ProbeRead, sizeBytes: number): Recognised | undefined {
  if (sizeBytes === 0) {
    return { name: EMPTY, kind: 'other', advice: 'not a file-system image', label: '', uuid: '' };
  }
  const fits = (magic: readonly Magic[]): boolean => magic.every((part) => matches(part, read, sizeBytes));
  const found = signatures.find((s) => s.magic.some(fits) && (s.check?.(read, sizeBytes) ?? true));
  if (found === undefined) return undefined;
  const { name, kind, advice, label, uuid } = found;
  return {
    name,
    kind,
    advice,
    label: label === undefined ? '' : textAt(read, label),
    uuid: uuid === undefined ? '' : uuidAt(read, uuid),
  };
}

function matches([place, wanted]: Magic, read: ProbeRead, sizeBytes: number): boolean {
  const there = read(place < 0 ? sizeBytes + place : place, wanted.length);
  if (there.length < wanted.length) return false;
  for (let i = 0; i < wanted.length; i++) if (there[i] !== wanted.charCodeAt(i)) return false;
  return true;
}

/** How some formats say "no label". */
const NO_LABEL: ReadonlySet<string> = new Set(['NO NAME', 'not named']);

function textAt(read: ProbeRead, [place, length]: readonly [number, number]): string {
  const raw = read(place, length);
  const end = raw.indexOf(0);
  const text = new TextDecoder().decode(end < 0 ? raw : raw.subarray(0, end)).trim();
  return NO_LABEL.has(text) ? '' : text;
}

function uuidAt(read: ProbeRead, place: number): string {
  const hex = Array.from(read(place, 16), (byte) => byte.toString(16).padStart(2, '0')).join('');
  if (hex.length < 32 || /^0+$/.test(hex)) return '';
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
