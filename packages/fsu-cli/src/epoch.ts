/** SOURCE_DATE_EPOCH: what is made for others is to be the same today and next year (reproducible-builds.org). */
import type { Timespec } from '@ukfs/kernel';
import type { Context } from './context.ts';

/** No file is told to have changed later; undefined: they may. */
export function sourceDateEpoch(ctx: Context): Timespec | undefined {
  const epoch = ctx.shell.env('SOURCE_DATE_EPOCH');
  return epoch !== undefined && /^[0-9]{1,15}$/.test(epoch) ? { sec: Number(epoch), nsec: 0 } : undefined;
}
