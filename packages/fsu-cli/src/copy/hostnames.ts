/**
 * Names that a host cannot hold, and what stands for them there: `%XX` for each byte that it cannot have, as in a URL. The map
 * is one to one within a directory, so that the name can be had again.
 */
import { isWellFormedName, nameToBytes } from 'ukfs';

export type HostNameRule = 'posix' | 'windows' | 'mac';

const NAME_MAX = 255;
/** Of a name too long once it is escaped: so much stays, and a number tells it from others. */
const KEPT = 200;

const hex = (byte: number): string => `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;

/** Names of devices, whatever their extension ("Naming Files, Paths, and Namespaces", Win32). */
const DEVICE = /^(con|prn|aux|nul|com[0-9¹²³]|lpt[0-9¹²³])(\.|$)/i;

/** What no name of the host has: bytes of a UTF-8 name, tested one by one. */
const FORBIDDEN: Readonly<Record<HostNameRule, RegExp | undefined>> = {
  posix: undefined,
  // The colon is the slash of its file manager.
  mac: /[:]/,
  // eslint-disable-next-line no-control-regex -- just those
  windows: /[\u0000-\u001f<>:"/\\|?*]/,
};

/** `manifest`: in the directory that has one, its name is taken. */
export interface HostNaming {
  readonly rule: HostNameRule;
  readonly taken?: string | undefined;
}

/** The host's name for one of an image, collisions aside. */
export function hostNameOf(name: string, { rule, taken }: HostNaming): string {
  const forbidden = FORBIDDEN[rule];
  let escaped = '';
  if (forbidden === undefined) escaped = name;
  else if (!isWellFormedName(name)) for (const byte of nameToBytes(name)) escaped += byteText(byte, forbidden);
  else {
    for (const [i, char] of [...name].entries()) {
      const isEscape = char === '%' && /^%[0-9A-F]{2}/i.test([...name].slice(i, i + 3).join(''));
      escaped += isEscape || forbidden.test(char) ? bytesText(char) : char;
    }
  }
  if (rule === 'windows') {
    escaped = escaped.replace(/[. ]$/, (end) => hex(end.charCodeAt(0)));
    if (DEVICE.test(escaped)) escaped = hex(escaped.charCodeAt(0)) + escaped.slice(1);
  }
  if (escaped === taken || (rule !== 'posix' && fold(escaped) === fold(taken ?? '')))
    escaped = `%2E${escaped.slice(1)}`;
  return rule !== 'posix' && nameToBytes(escaped).length > NAME_MAX
    ? `${escaped.slice(0, KEPT)}%~${digest(name)}`
    : escaped;
}

const byteText = (byte: number, forbidden: RegExp): string => {
  const char = String.fromCharCode(byte);
  return byte >= 0x80 || char === '%' || forbidden.test(char) ? hex(byte) : char;
};

const bytesText = (char: string): string => [...nameToBytes(char)].map(hex).join('');

/** FNV-1a: names of one directory that are alike for 200 characters are told apart. */
function digest(name: string): string {
  let hash = 0x811c9dc5;
  for (const byte of nameToBytes(name)) hash = Math.imul(hash ^ byte, 0x01000193) >>> 0;
  return hash.toString(16).padStart(8, '0');
}

/** What a host that does not tell cases (and compositions) apart makes of a name. */
const fold = (name: string): string => name.normalize('NFC').toLowerCase();

/** The names of one directory: those that the host takes for the same get different ones. */
export class HostNames {
  readonly #naming: HostNaming;
  /** Host names by the image's, where they differ or might be taken. */
  readonly #given = new Map<string, string>();
  readonly #folded = new Set<string>();

  constructor(naming: HostNaming) {
    this.#naming = naming;
  }

  of(name: string): string {
    if (this.#naming.rule === 'posix') return hostNameOf(name, this.#naming);
    const known = this.#given.get(name);
    if (known !== undefined) return known;
    let host = hostNameOf(name, this.#naming);
    // One more character is escaped until nobody has the name.
    for (let at = 0; this.#folded.has(fold(host)); at++) host = escapedUpTo(host, at);
    this.#folded.add(fold(host));
    this.#given.set(name, host);
    return host;
  }
}

/** With the first letters escaped, `at` and those before it; a name that has no more gets a mark. */
function escapedUpTo(host: string, at: number): string {
  const chars = host.match(/%[0-9A-F]{2}|[^]/gu) ?? [];
  if (at >= chars.length) return `${host}%~`;
  return chars.map((char, i) => (i > at || char.length === 3 ? char : bytesText(char))).join('');
}
