/**
 * How an edit ends. Commands change images and say what failed; none of them commits. Whoever ran them does, here: one
 * command, or one script, is one transaction for each image, and none of it happens when something failed.
 */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import type { Context, ImageName } from './context.ts';
import { Exit } from './errors.ts';
import { pathMembers } from './format/json.ts';
import { safeText } from './format/name.ts';

/** Make durable what the command changed, image by image; or, when anything failed, throw it all away. */
export async function endEdits(ctx: Context): Promise<void> {
  const { edited } = ctx.images;
  if (edited.length === 0) return;
  ctx.json?.array('images');
  for (const { name, fs } of edited) {
    const changed = await endEdit(ctx, fs, name);
    ctx.json?.element({ ...pathMembers('image', name.text), changed, dryRun: ctx.settings.open.dryRun === true });
  }
}

async function endEdit(ctx: Context, fs: Ukfs, name: ImageName): Promise<boolean> {
  if (ctx.status !== 0) {
    // Half of it would be a state that nobody asked for.
    if (ctx.status !== Exit.interrupted && isChanged(fs)) ctx.warn(`${safeText(name.text)}: nothing was changed`);
    return false;
  }
  try {
    if (ctx.settings.open.dryRun === true) return fs.changes().bytes > 0;
    // Ctrl-C ends whoever fed us, too: the end of our input is not the end of what was to be written.
    await endIfSignalled(ctx, fs);
    return fs.commit().changed;
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, name);
    return false;
  }
}

/** Is there anything to take back, so far as can be told? */
function isChanged(fs: Ukfs): boolean {
  try {
    return fs.changes().bytes > 0;
  } catch (thrown) {
    if (thrown instanceof FsError) return false;
    throw thrown;
  }
}

/** A chance to end for who has been working for a while: EINTR, and the edit is discarded. */
export async function endIfSignalled(ctx: Context, fs: Ukfs): Promise<void> {
  await ctx.shell.turn();
  if (fs.session.host.signalled()) throw new FsError('EINTR', { what: 'interrupted: nothing was changed' });
}
