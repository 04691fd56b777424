/** The character classes of patterns, `[:alpha:]` (POSIX.1-2017 XBD 7.3.1), by Unicode's properties. */

/** Members, as between the brackets of a regular expression. */
const members: Readonly<Record<string, string>> = {
  alnum: String.raw`\p{L}\p{N}`,
  alpha: String.raw`\p{L}`,
  blank: String.raw` \t`,
  cntrl: String.raw`\p{Cc}`,
  digit: '0-9',
  graph: String.raw`^\p{Z}\p{C}`,
  lower: String.raw`\p{Ll}`,
  print: String.raw`^\p{C}\p{Zl}\p{Zp}`,
  punct: String.raw`\p{P}\p{S}`,
  space: String.raw`\s`,
  upper: String.raw`\p{Lu}`,
  xdigit: '0-9A-Fa-f',
};

/** Made when asked for: together they take V8 half a millisecond, and most starts of a tool meet none. */
const made = new Map<string, RegExp>();

/** Tests one character; the same object for the same name. undefined: there is no such class. */
export function charClass(name: string): RegExp | undefined {
  const own = Object.hasOwn(members, name) ? members[name] : undefined;
  if (own === undefined) return undefined;
  const test = made.get(name) ?? new RegExp(`[${own}]`, 'u');
  made.set(name, test);
  return test;
}
