/** What commands that change an image share: one command is one transaction. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import type { Context, ImageName } from './context.ts';
import { safeText } from './format/name.ts';

/** End the edit: make it durable, unless this is a dry run. Whether there was anything to do. Throws what commit() throws. */
export const commitEdit = (ctx: Context, fs: Ukfs): boolean =>
  ctx.settings.open.dryRun === true ? fs.changes().bytes > 0 : fs.commit().changed;

/** The same for commands of several steps, of which none happens when one of them failed. What fails is told. */
export function endEdit(ctx: Context, fs: Ukfs, image: ImageName, { failed }: { readonly failed: boolean }): boolean {
  if (failed) {
    // Half of it would be a state that nobody asked for.
    ctx.warn(`${safeText(image.text)}: nothing was changed`);
    return false;
  }
  try {
    return commitEdit(ctx, fs);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, image);
    return false;
  }
}
