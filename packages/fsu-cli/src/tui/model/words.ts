/** Words of lines that scripts and shells read: any name comes through. */

/** Needs no quotation anywhere. */
const PLAIN = /^[\w@%+=:,./-]+$/;

/** In single quotes everything stands for itself, line feeds too; only the quote itself has to leave them. */
export const quoted = (word: string): string => (PLAIN.test(word) ? word : `'${word.replaceAll("'", "'\\''")}'`);

/** A line of a script: the verb, its options, and operands, which may begin with anything. */
export const lineOf = (verb: string, options: readonly string[], operands: readonly string[]): string =>
  [verb, ...options, ...(operands.length === 0 ? [] : ['--']), ...operands.map(quoted)].join(' ');

/** A file system, in the parts that commands take: the image's plain file name, and which part of it ('' the whole). */
export interface Named {
  readonly image: string;
  readonly partition: string;
}

/** Options that make a line one on another image than the script's. */
export const imageOptions = ({ image, partition }: Named): readonly string[] => [
  '--image',
  quoted(image),
  ...(partition === '' ? [] : ['--partition', quoted(partition)]),
];

/** A file of a place as one word that also other images' lines understand. */
export const addressOf = ({ image, partition }: Named, path: string): string => `${image}:${partition}${path}`;

/** Text as a here-document behind a command; undefined: it cannot be one, because it has no line feed at its end or holds a NUL or CR. */
export function hereDocument(text: string): string | undefined {
  if (!text.endsWith('\n') || /[\0\r]/.test(text)) return undefined;
  let end = 'END';
  while (text.includes(end)) end += 'D';
  return `<<'${end}'\n${text}${end}`;
}
