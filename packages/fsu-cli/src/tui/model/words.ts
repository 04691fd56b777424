/** Words of lines that scripts and shells read: any name comes through. */

/** Needs no quotation anywhere. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** In single quotes everything stands for itself, line feeds too; only the quote itself has to leave them. */
export const quoted = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** A line of a script: the verb, its options, and operands, which may begin with anything. */
export const lineOf = (verb: string, options: readonly string[], operands: readonly string[]): string =>
  [verb, ...options, ...(operands.length === 0 ? [] : ['--']), ...operands.map(quoted)].join(' ');

/** Options that make a line one on another image than the script's. */
export function imageOptions(address: string): readonly string[] {
  const { image, partition } = partsOf(address);
  return ['--image', quoted(image), ...(partition === '' ? [] : ['--partition', quoted(partition)])];
}

/** `disk.img:2` taken apart: selectors stand behind the last colons, and hold no slash. */
export function partsOf(address: string): { readonly image: string; readonly partition: string } {
  const [, image = address, partition = ''] = /^(.*?[^:]):((?:[^:/]+)(?::[^:/]+)*)$/s.exec(address) ?? [];
  return { image, partition };
}

/** A file of a place as one word that also other images' lines understand. */
export const addressOf = (place: string, path: string): string =>
  partsOf(place).partition === '' ? `${place}:${path}` : `${place}${path}`;

/** Text as a here-document behind a command; undefined: it cannot be one, because it has no line feed at its end or holds a NUL or CR. */
export function hereDocument(text: string): string | undefined {
  if (!text.endsWith('\n') || /[\0\r]/.test(text)) return undefined;
  let end = 'END';
  while (text.includes(end)) end += 'D';
  return `<<'${end}'\n${text}${end}`;
}

/** `/a:b` could be the address of b in a host's /a: where one could be meant, the path's own is said. */
export const clear = (place: string, path: string): string => (path.includes(':') ? addressOf(place, path) : path);
