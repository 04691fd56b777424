/** Rules about the lines of a file. Pure. */

export interface LineRules {
  /** Lines that match become `line`, in which $1 … $9 are the match's groups. */
  readonly replace: readonly { readonly match: RegExp; readonly line: string }[];
  /** Lines that are one of these, or match, go. */
  readonly absent: readonly (string | RegExp)[];
  /** Lines that are to be there; missing ones are added at the end. */
  readonly ensure: readonly string[];
}

/** The text by the rules; the text itself when it obeys them. */
export function obeyingLines(text: string, { replace, absent, ensure }: LineRules): string {
  const isEnded = text === '' || text.endsWith('\n');
  const lines = text === '' ? [] : (isEnded ? text.slice(0, -1) : text).split('\n');
  const kept = lines
    .map((line) => replace.reduce((now, rule) => (rule.match.test(now) ? replaced(now, rule) : now), line))
    .filter((line) => !absent.some((rule) => (typeof rule === 'string' ? rule === line : rule.test(line))));
  const there = new Set(kept);
  const missing = ensure.filter((line) => !there.has(line));
  const now = [...kept, ...missing];
  if (now.length === 0) return '';
  return now.join('\n') + (isEnded || missing.length > 0 ? '\n' : '');
}

/** The whole line, with the groups of its first match. */
function replaced(text: string, { match, line }: LineRules['replace'][number]): string {
  const groups = match.exec(text) ?? [];
  return line.replace(/\$(\d|\$)/g, (_all, what: string) => (what === '$' ? '$' : (groups[Number(what)] ?? '')));
}
