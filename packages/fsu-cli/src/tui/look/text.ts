/** Bytes as text, where they are: the encoding is guessed from them alone. */

export type Encoding = 'UTF-8' | 'UTF-16LE' | 'UTF-16BE' | 'Latin-1';

/** The encoding of a file that begins like this; undefined: it is no text. `isWhole`: these are all of its bytes. */
export function encodingOf(head: Uint8Array, isWhole: boolean): Encoding | undefined {
  if (head[0] === 0xff && head[1] === 0xfe) return 'UTF-16LE';
  if (head[0] === 0xfe && head[1] === 0xff) return 'UTF-16BE';
  const zeros = [0, 0];
  for (const [at, byte] of head.entries()) if (byte === 0) zeros[at % 2] = (zeros[at % 2] ?? 0) + 1;
  const [even = 0, odd = 0] = zeros;
  const half = head.length / 2;
  // Text of the West has a zero in every second byte.
  if (odd > half * 0.4 && even < half * 0.05) return 'UTF-16LE';
  if (even > half * 0.4 && odd < half * 0.05) return 'UTF-16BE';
  if (even + odd > 0) return undefined;
  if (isUtf8(head, isWhole)) return controls(head) > head.length * 0.05 ? undefined : 'UTF-8';
  return controls(head) > 0 ? undefined : 'Latin-1';
}

/** Characters that text has none of: C0 but tab, line ends, form feed, backspace and escape. */
function controls(bytes: Uint8Array): number {
  let count = 0;
  for (const byte of bytes) if (byte < 0x20 && ![8, 9, 10, 12, 13, 27].includes(byte)) count++;
  return count;
}

/** A character that is cut off at the end is none that is wrong. */
function isUtf8(bytes: Uint8Array, isWhole: boolean): boolean {
  try {
    new TextDecoder('utf-8', { fatal: true }).decode(bytes, { stream: !isWhole });
    return true;
  } catch {
    return false;
  }
}

const labels: Readonly<Record<Encoding, string>> = {
  'UTF-8': 'utf-8',
  'UTF-16LE': 'utf-16le',
  'UTF-16BE': 'utf-16be',
  'Latin-1': 'latin1',
};

/** Lines of text, tabs as blanks. */
export function textLines(bytes: Uint8Array, encoding: Encoding): readonly string[] {
  const text = new TextDecoder(labels[encoding]).decode(bytes);
  return text.split(/\r\n|\n|\r/).map((line) => expanded(line));
}

const TAB = 8;

function expanded(line: string): string {
  if (!line.includes('\t')) return line;
  let made = '';
  for (const part of line.split(/(\t)/)) made += part === '\t' ? ' '.repeat(TAB - (made.length % TAB)) : part;
  return made;
}
