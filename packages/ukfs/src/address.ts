/**
 * Addresses: `IMAGE[:SELECTOR]…[/PATH]`, the one spelling of "this file in that file system of that image".
 *
 * The rules that make it unambiguous (docs/ukfs.md has them with examples):
 * 1. A host file of the literal name wins: then the whole text is the image.
 * 2. `X:\` and `X:/` at the start is a Windows drive, unless a host file named by that single letter exists.
 * 3. Every other colon may end the image if what follows reads as selectors and path. The longest image that exists as a
 *    host file wins; if none exists, the shortest (so that the message names what was meant).
 * 4. A path begins at the first `/` after the image's colon. Everything from there on is path, colons too. In selector
 *    values `%2F`, `%3A` and `%25` stand for `/`, `:` and `%`.
 *
 * `file=` leads from a file system into an image that lies in it, with selectors of its own: `disk.img:1:file=vm.img:2/etc`.
 */
import { FsError } from '@ukfs/kernel';

/** One step from a disk to a part of it. Several nest: `disk.img:1:b`. */
export type PartSelector =
  | { readonly kind: 'number'; readonly number: number }
  /** BSD disklabel letter, `a` to `v`. */
  | { readonly kind: 'letter'; readonly letter: string }
  /** GPT name, file-system label, file-system or partition UUID, partition type (word, MBR number or GUID). */
  | { readonly kind: 'name' | 'label' | 'uuid' | 'type'; readonly value: string }
  /** Bytes; without length to the end. */
  | { readonly kind: 'off'; readonly offset: number; readonly length: number | undefined };

/** `file=` goes on into another disk: the image that a file of the file system selected so far is; `path` begins with `/`. */
export type Selector = PartSelector | { readonly kind: 'file'; readonly path: string };

export interface Address {
  /** Host path. */
  readonly image: string;
  readonly selectors: readonly Selector[];
  /** Path inside the image, starting with `/`; undefined when the text has none. */
  readonly path: string | undefined;
}

/** Does this host path name an existing file? */
export type IsFile = (path: string) => boolean;

/** The parts of an address. EINVAL names the selector that makes no sense. */
export function parseAddress(text: string, isFile: IsFile): Address {
  if (text === '') throw new FsError('EINVAL', { op: 'address', what: 'empty image name' });
  const whole: Address = { image: text, selectors: [], path: undefined };
  const splits = colonsOf(text, isFile).map((at) => splitAt(text, at));
  // Without a colon there is nothing to decide, and nothing to ask the host.
  if (splits.length === 0 || isFile(text)) return whole;
  const existing = splits.filter((s) => isFile(s.image));
  const readable = existing.filter((s) => s.bad === undefined).at(-1);
  if (readable !== undefined) return addressOf(readable);
  const bad = existing.at(-1)?.bad;
  if (bad !== undefined) throw badSelector(bad, text);
  const meant = splits.find((s) => s.bad === undefined);
  return meant === undefined ? whole : addressOf(meant);
}

interface Split extends Address {
  /** The first selector that cannot be read. */
  readonly bad: string | undefined;
}

const addressOf = ({ image, selectors, path }: Split): Address => ({ image, selectors, path });

/** Where the image may end: every colon but a drive's. */
function colonsOf(text: string, isFile: IsFile): number[] {
  const colons: number[] = [];
  for (let at = text.indexOf(':'); at >= 0; at = text.indexOf(':', at + 1)) colons.push(at);
  const isDrive = /^[A-Za-z]:[\\/]/.test(text) && !isFile(text.slice(0, 1));
  // An address that starts with a colon has no image there.
  return colons.filter((at) => at > (isDrive ? 1 : 0));
}

function splitAt(text: string, at: number): Split {
  const image = text.slice(0, at);
  const rest = text.slice(at + 1);
  const slash = rest.indexOf('/');
  const words = slash < 0 ? rest : rest.slice(0, slash);
  const path = slash < 0 ? undefined : rest.slice(slash);
  const selectors: Selector[] = [];
  for (const word of words === '' ? [] : words.split(':')) {
    const selector = readSelector(word);
    if (selector === undefined) return { image, selectors, path, bad: word };
    selectors.push(selector);
  }
  return { image, selectors, path, bad: undefined };
}

const badSelector = (word: string, path: string): FsError =>
  new FsError('EINVAL', {
    op: 'address',
    path,
    what: `"${word}" selects nothing; say a number, a letter, name=, label=, uuid=, type=, off= or file=`,
  });

/** A selector as text, for --partition and for `{ image, selectors }`. EINVAL. */
export function parseSelector(text: string): Selector {
  const selector = readSelector(text);
  if (selector === undefined) throw badSelector(text, text);
  return selector;
}

/** Largest partition number that any table can have; bounds what is typed, not what is read. */
const MAX_NUMBER = 65535;

function readSelector(word: string): Selector | undefined {
  if (/^[1-9]\d*$/.test(word)) return Number(word) <= MAX_NUMBER ? { kind: 'number', number: Number(word) } : undefined;
  if (/^[a-v]$/.test(word)) return { kind: 'letter', letter: word };
  const equals = word.indexOf('=');
  const kind = word.slice(0, Math.max(0, equals));
  const value = decodeValue(word.slice(equals + 1));
  if (value === '') return undefined;
  if (kind === 'name' || kind === 'label' || kind === 'uuid' || kind === 'type') return { kind, value };
  if (kind === 'file') return { kind, path: `/${value.replace(/^\/+/, '')}` };
  return kind === 'off' ? readOffset(value) : undefined;
}

/** `off=START` or, as ukfs's %OFFSET:start,length%, `off=START,LENGTH`. */
function readOffset(value: string): Selector | undefined {
  const [start = '', extent, ...more] = value.split(',');
  const offset = parseSize(start);
  const length = extent === undefined ? undefined : parseSize(extent);
  if (offset === undefined || more.length > 0) return undefined;
  if (extent !== undefined && (length === undefined || length === 0)) return undefined;
  return { kind: 'off', offset, length };
}

const UNITS: Readonly<Record<string, number>> = { '': 1, b: 1, s: 512 };
const PREFIXES = 'kmgt';

/** "1MiB", "1M" (1024), "1MB" (1000), "2048s" (sectors of 512) → bytes; undefined when it is not a size. */
export function parseSize(text: string): number | undefined {
  const [, digits = '', unit = '', binary = '', isByte = ''] = /^(\d+)([kmgts]?)(i?)(b?)$/i.exec(text) ?? [];
  if (digits === '' || (binary !== '' && (isByte === '' || !isPrefix(unit)))) return undefined;
  const power = isPrefix(unit) ? PREFIXES.indexOf(unit.toLowerCase()) + 1 : 0;
  if (power === 0 && unit !== '' && isByte !== '') return undefined;
  const base = isByte !== '' && binary === '' ? 1000 : 1024;
  const bytes = Number(digits) * (power > 0 ? base ** power : (UNITS[unit.toLowerCase()] ?? 1));
  return Number.isSafeInteger(bytes) ? bytes : undefined;
}

const isPrefix = (unit: string): boolean => unit !== '' && PREFIXES.includes(unit.toLowerCase());

const decodeValue = (value: string): string =>
  value.replace(/%(2f|3a|25)/gi, (code) => String.fromCharCode(Number.parseInt(code.slice(1), 16)));
const encodeValue = (value: string): string =>
  value.replace(/[/:%]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`);

export function formatSelector(selector: Selector): string {
  switch (selector.kind) {
    case 'number':
      return String(selector.number);
    case 'letter':
      return selector.letter;
    case 'off':
      return `off=${selector.offset}${selector.length === undefined ? '' : `,${selector.length}`}`;
    case 'file':
      return `file=${encodeValue(selector.path.replace(/^\/+(?=.)/, ''))}`;
    default:
      return `${selector.kind}=${encodeValue(selector.value)}`;
  }
}

/** The address as text; reading it again gives the same parts wherever no file of a longer name stands in the way. */
export function formatAddress({ image, selectors, path }: Address): string {
  const steps = selectors.map(formatSelector).join(':');
  return steps === '' && path === undefined ? image : `${image}:${steps}${path ?? ''}`;
}

/** The disk that an address is about in the end, and what of it. */
interface DiskMeant {
  /** A file of the file system at `outer` is the disk; undefined: a file of the host is. */
  readonly within: { readonly outer: Omit<Address, 'path'>; readonly path: string } | undefined;
  readonly parts: readonly PartSelector[];
}

/** Taken apart at its last `file=`. */
export function diskMeant({ image, selectors }: Omit<Address, 'path'>): DiskMeant {
  const at = selectors.findLastIndex(({ kind }) => kind === 'file');
  const parts = selectors.slice(at + 1).filter((one) => one.kind !== 'file');
  const step = selectors[at];
  if (step?.kind !== 'file') return { within: undefined, parts };
  return { within: { outer: { image, selectors: selectors.slice(0, at) }, path: step.path }, parts };
}

/** The address of that disk as a whole. */
export function wholeDisk({ image, selectors }: Omit<Address, 'path'>): Address {
  return {
    image,
    selectors: selectors.slice(0, selectors.findLastIndex(({ kind }) => kind === 'file') + 1),
    path: undefined,
  };
}
