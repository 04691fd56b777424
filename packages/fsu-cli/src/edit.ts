/** What commands that change an image share: one command is one transaction. */
import type { Ukfs } from 'ukfs';
import type { Context } from './context.ts';

/** End the edit: make it durable, unless this is a dry run. Whether there was anything to do. Throws what commit() throws. */
export const commitEdit = (ctx: Context, fs: Ukfs): boolean =>
  ctx.settings.open.dryRun === true ? fs.changes().bytes > 0 : fs.commit().changed;
