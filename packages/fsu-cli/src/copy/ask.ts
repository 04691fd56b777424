/** -i and -u: what is there already is asked about, or compared. */
import type { TreeStat } from 'ukfs';
import type { Context } from '../context.ts';
import { safeText } from '../format/name.ts';

const NEWLINE = 10;
const ANSWER_MAX = 1024;

/** May this be replaced? Yes is a line that begins with y, as in POSIX; the end of the input is a no. */
export function ask(ctx: Context, path: string): boolean {
  ctx.shell.err(`${ctx.program}: overwrite '${safeText(path)}'? `);
  const byte = new Uint8Array(1);
  let answer = '';
  // Byte by byte: what follows the line is the answer to another question.
  while (ctx.shell.stdin.read(byte) > 0 && byte[0] !== NEWLINE)
    if (answer.length < ANSWER_MAX) answer += String.fromCharCode(byte[0] ?? 0);
  return /^\s*y/i.test(answer);
}

/** Has the source changed since the file that is there did? */
export const isNewer = ({ mtime: a }: Pick<TreeStat, 'mtime'>, { mtime: b }: Pick<TreeStat, 'mtime'>): boolean =>
  a.sec > b.sec || (a.sec === b.sec && a.nsec > b.nsec);
