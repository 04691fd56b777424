/** recover: what an interrupted edit left beside an image, and a decision about it. */
import { FsError } from 'ukfs';
import { recover as settle } from 'ukfs';
import type { RecoverAction, RecoverReport } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, ImageName } from '../context.ts';
import { Exit } from '../errors.ts';
import { safeText } from '../format/name.ts';
import { logText } from './info.ts';

export const recover: Command = {
  name: 'recover',
  summary: 'Report on, apply or discard what an interrupted edit left beside an image.',
  synopsis: { addresses: 'IMAGE...', paths: '' },
  options: [
    { flags: '--apply', summary: 'complete the edit, also where others have changed the image since' },
    { flags: '--discard', summary: 'remove the log; the image stays as it is' },
    { flags: '--log <file>', summary: 'where the log is, if not beside the image' },
    { flags: '--no-lock', summary: 'do without the lock on the image' },
  ],
  examples: [
    { command: 'fsu recover disk.img', does: 'look, and change nothing' },
    { command: 'fsu recover --apply disk.img', does: 'complete the edit' },
  ],
  image: 'read',
  run,
};

async function run(ctx: Context, args: Invocation): Promise<number> {
  const action = actionOf(args);
  ctx.json?.array('images');
  for (const { image } of ctx.targets(args.operands)) {
    try {
      const { log, lock } = ctx.settings.open;
      const options = { ...(log === undefined ? {} : { log }), ...(lock === undefined ? {} : { lock }) };
      tell(ctx, image, await settle(image.image, action, options));
    } catch (thrown) {
      if (!(thrown instanceof FsError)) throw thrown;
      ctx.fail(thrown, image, { opening: true });
    }
  }
  return ctx.status;
}

function actionOf({ options }: Invocation): RecoverAction {
  const apply = options.some(({ name }) => name === 'apply');
  const discard = options.some(({ name }) => name === 'discard');
  if (apply && discard) throw new UsageError('--apply and --discard exclude each other');
  return apply ? 'apply' : discard ? 'discard' : 'report';
}

function tell(ctx: Context, image: ImageName, report: RecoverReport): void {
  // The image is refused by every other command until somebody decides.
  if (report.state === 'refused' && report.done === 'nothing') ctx.raise(Exit.damaged);
  if (ctx.json !== undefined) {
    const { state, problem, incomplete, units, oldSize, newSize, done, log } = report;
    ctx.json.element({ image: image.text, log, state, problem, incomplete, units, oldSize, newSize, done });
    return;
  }
  ctx.out.text(`${safeText(image.text)}: log: ${logText(report)}\n`);
  if (report.units !== undefined) {
    const { old, new: applied, marked, foreign } = report.units;
    ctx.out.text(
      `  ${old + applied + marked + foreign} units: ${old} old, ${applied} new, ${marked} marked, ${foreign} changed by others\n`,
    );
  }
  if (report.done !== 'nothing') ctx.out.text(`  ${report.done}\n`);
  else if (report.state === 'refused') ctx.out.text("  decide with 'fsu recover --apply' or 'fsu recover --discard'\n");
}
