/** Standard input as what a command writes into an image. */
import type { Context } from './context.ts';
import { STDIN, StreamError } from './out.ts';

export interface InputSource {
  read(dst: Uint8Array): number;
  close(): void;
}

/** undefined: there is none, which has been said. */
export function standardInput(ctx: Context): InputSource | undefined {
  const { stdin } = ctx.shell;
  if (stdin.isClosed) {
    const what = 'closed, so there is nothing to write; for an empty file say < /dev/null';
    ctx.fail(new StreamError(STDIN, 'EBADF', undefined, what), STDIN);
    return undefined;
  }
  if (stdin.isTTY) ctx.warn('reading standard input; end it with Ctrl-D');
  return { read: (dst) => stdin.read(dst), close: () => undefined };
}
