/** What commands that change an image share: one command is one transaction. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import type { Context, ImageName } from './context.ts';
import { safeText } from './format/name.ts';

/**
 * End the edit: make it durable, unless this is a dry run. Whether there was anything to do. Throws what commit() throws;
 * EINTR when somebody wanted the tool to end while signals were held back.
 */
export async function commitEdit(ctx: Context, fs: Ukfs): Promise<boolean> {
  if (ctx.settings.open.dryRun === true) return fs.changes().bytes > 0;
  // Ctrl-C ends whoever fed us, too: the end of our input is not the end of what was to be written.
  await endIfSignalled(ctx, fs);
  return fs.commit().changed;
}

/** A chance to end for who has been working for a while: EINTR, and the edit is discarded. */
export async function endIfSignalled(ctx: Context, fs: Ukfs): Promise<void> {
  await ctx.shell.turn();
  if (fs.session.host.signalled()) throw new FsError('EINTR', { what: 'interrupted: nothing was changed' });
}

/** The same for commands of several steps, of which none happens when one of them failed. What fails is told. */
export async function endEdit(
  ctx: Context,
  fs: Ukfs,
  { image, failed }: { readonly image: ImageName; readonly failed: boolean },
): Promise<boolean> {
  if (failed) {
    // Half of it would be a state that nobody asked for.
    ctx.warn(`${safeText(image.text)}: nothing was changed`);
    return false;
  }
  try {
    return await commitEdit(ctx, fs);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, image);
    return false;
  }
}
