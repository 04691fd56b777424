/**
 * A command line as a person types it into a shell, and a word as it goes back into that line: quotes and backslashes of
 * POSIX shells, and the characters at which bash's readline begins a new word (COMP_WORDBREAKS), the colon among them.
 */

export interface TypedWord {
  /** Without quotes and backslashes. */
  readonly value: string;
  /** The quote that is still open at the end. */
  readonly quote: '' | '"' | "'";
  /** How much of `value` stands before the place that readline will replace. */
  readonly kept: number;
}

/** The words up to the cursor; the last one, perhaps empty, is the one at the cursor. */
export function typedWords(line: string, breaks: string): TypedWord[] {
  const words: TypedWord[] = [];
  let value = '';
  let kept = 0;
  let quote: TypedWord['quote'] = '';
  let begun = false;
  const begin = (): void => {
    value = '';
    kept = 0;
    begun = false;
  };
  for (let at = 0; at < line.length; at++) {
    const char = line.charAt(at);
    if (quote === '' && /\s/.test(char)) {
      if (begun) words.push({ value, quote, kept });
      begin();
      continue;
    }
    begun = true;
    if (char === quote) quote = '';
    else if (quote === '' && (char === '"' || char === "'")) quote = char;
    else if (char === '\\' && isEscape(quote, line.charAt(at + 1))) {
      value += line.charAt(++at);
      continue;
    } else {
      value += char;
      if (quote !== '' || !breaks.includes(char)) continue;
    }
    // Behind a break character, an opened quote or a closed one.
    kept = value.length;
  }
  return [...words, { value, quote, kept }];
}

/** In double quotes a backslash is one but before these. */
const isEscape = (quote: TypedWord['quote'], next: string): boolean =>
  quote === '' ? next !== '' : quote === '"' && next !== '' && '$`"\\\n'.includes(next);

/** Characters that an unquoted word may hold as they are. */
const PLAIN = /[\w/.:=,@%+^~-]/;

/** Text as it is typed behind the quote that is open. */
export function quoted(text: string, quote: TypedWord['quote']): string {
  if (quote === "'") return text.replaceAll("'", "'\\''");
  if (quote === '"') return text.replace(/[$`"\\]/g, '\\$&');
  let out = '';
  for (const char of text) {
    const code = char.charCodeAt(0);
    if (code < 0x20 || code === 0x7f) out += `$'\\${code.toString(8).padStart(3, '0')}'`;
    // The byte that is no UTF-8 (kernel name.ts).
    else if (/\p{Cs}/u.test(char)) out += `$'\\${(code & 0xff).toString(8)}'`;
    else out += PLAIN.test(char) || code > 0x7f ? char : `\\${char}`;
  }
  return out;
}
