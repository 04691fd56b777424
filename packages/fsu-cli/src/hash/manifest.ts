/** Lines of a manifest: as sha256sum writes and reads them, and BSD's `SHA256 (path) = …`. */

export const algorithms = ['sha256', 'sha1', 'sha224', 'sha384', 'sha512', 'md5', 'b2'] as const;
export type Algorithm = (typeof algorithms)[number];

/** As BSD's lines name them. */
const labels: Readonly<Record<Algorithm, string>> = {
  sha256: 'SHA256',
  sha1: 'SHA1',
  sha224: 'SHA224',
  sha384: 'SHA384',
  sha512: 'SHA512',
  md5: 'MD5',
  b2: 'BLAKE2b',
};

/** Hexadecimal digits of a sum, where they tell the algorithm. */
const algorithmOfDigits: Readonly<Record<number, Algorithm>> = {
  32: 'md5',
  40: 'sha1',
  56: 'sha224',
  64: 'sha256',
  96: 'sha384',
  128: 'sha512',
};

export interface ManifestLine {
  readonly algorithm: Algorithm;
  /** Lower-case hexadecimal. */
  readonly sum: string;
  readonly name: string;
}

const escapes: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\\': '\\\\' };
const meant: Readonly<Record<string, string>> = { n: '\n', r: '\r', '\\': '\\' };

/** One line, its end included. A name that would break the line is escaped, which a backslash in front tells. */
export function manifestLine(
  { algorithm, sum, name }: ManifestLine,
  how: { readonly tag: boolean; readonly binary: boolean; readonly end: '\n' | '\0' },
): string {
  const needsEscape = how.end === '\n' && /[\n\r\\]/.test(name);
  const shown = needsEscape ? name.replace(/[\n\r\\]/g, (char) => escapes[char] ?? char) : name;
  const text = how.tag ? `${labels[algorithm]} (${shown}) = ${sum}` : `${sum} ${how.binary ? '*' : ' '}${shown}`;
  return `${needsEscape ? '\\' : ''}${text}${how.end}`;
}

/** undefined: it is no line of a manifest. `chosen`: what a line means that does not say. */
export function parseManifestLine(line: string, chosen: Algorithm | undefined): ManifestLine | undefined {
  const isEscaped = line.startsWith('\\');
  const text = isEscaped ? line.slice(1) : line;
  const nameOf = (name: string): string =>
    isEscaped ? name.replace(/\\([nr\\])/g, (_, char: string) => meant[char] ?? '') : name;
  const [, label, tagged, taggedSum] = /^([A-Z0-9a-z]+) \((.*)\) = ([0-9a-fA-F]+)$/s.exec(text) ?? [];
  if (label !== undefined && tagged !== undefined && taggedSum !== undefined) {
    const algorithm = algorithms.find((known) => labels[known] === label);
    return algorithm === undefined ? undefined : { algorithm, sum: taggedSum.toLowerCase(), name: nameOf(tagged) };
  }
  const [, sum, name] = /^([0-9a-fA-F]+) [ *](.+)$/s.exec(text) ?? [];
  if (sum === undefined || name === undefined) return undefined;
  const byLength = algorithmOfDigits[sum.length];
  if (chosen !== undefined && sum.length !== digitsOf(chosen)) return undefined;
  const algorithm = chosen ?? byLength;
  return algorithm === undefined ? undefined : { algorithm, sum: sum.toLowerCase(), name: nameOf(name) };
}

function digitsOf(algorithm: Algorithm): number {
  if (algorithm === 'b2') return 128;
  return Number(Object.entries(algorithmOfDigits).find(([, known]) => known === algorithm)?.[0]);
}
