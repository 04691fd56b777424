/**
 * How an edit ends. Commands change images and say what failed; none of them commits. Whoever ran them does, here: one
 * command, or one script, is one transaction for each image, and none of it happens when something failed.
 */
import { FsError } from 'ukfs';
import type { CommitHow, CommitResult, Ukfs } from 'ukfs';
import type { Context } from './context.ts';
import { openAudit } from './edit/audit.ts';
import type { AuditTrail } from './edit/audit.ts';
import { extentsOf, linesOf, membersOf, reportOf } from './edit/report.ts';
import { Exit } from './errors.ts';
import { pathMembers } from './format/json.ts';
import type { Json } from './format/json.ts';
import { safeText } from './format/name.ts';
import type { OpenImage } from './images.ts';

/** A script's `commit`: what was changed up to here is durable, whatever comes after it. */
export async function commitEdits(ctx: Context, how?: CommitHow): Promise<void> {
  const { edited } = ctx.images;
  await verifyAll(ctx, edited);
  const audit = await tryOpenAudit(ctx);
  for (const image of edited) {
    if (ctx.status !== 0 || isDry(ctx)) break;
    await attempt(ctx, image, async () => {
      await endIfSignalled(ctx, image.fs);
      if (commit(ctx, image, { audit, isLast: false, how }).changed) ctx.images.durable.add(image.fs);
    });
  }
  audit?.close();
  if (ctx.status === 0 && !isDry(ctx)) ctx.images.committed();
}

/** Make durable what the command changed, image by image; or, when anything failed, throw it all away. */
export async function endEdits(ctx: Context, how?: CommitHow): Promise<void> {
  const { edited } = ctx.images;
  const verified = await verifyAll(ctx, edited);
  const audit = await tryOpenAudit(ctx);
  const before = ctx.status === 0 && !isDry(ctx) ? changedOf(edited) : new Set();
  const isOutputTaken = ctx.out.used;
  ctx.json?.array('images');
  for (const image of edited) {
    const { changed, more = {} } = await endEdit(ctx, image, {
      wasChanged: before.has(image),
      isOutputTaken,
      audit,
      how,
    });
    const told = { changed, dryRun: isDry(ctx), verified: verified.get(image), ...more };
    ctx.json?.element({ ...pathMembers('image', image.name.text), ...told });
  }
  audit?.close();
  if (ctx.status === 0 && !isDry(ctx)) ctx.images.committed();
}

/** undefined: nobody asked for one, there is nothing to commit, or it failed, which has been told. */
async function tryOpenAudit(ctx: Context): Promise<AuditTrail | undefined> {
  if (ctx.status !== 0 || isDry(ctx)) return undefined;
  try {
    return await openAudit(ctx);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, ctx.settings.edit.audit ?? '');
    return undefined;
  }
}

const isDry = (ctx: Context): boolean => ctx.settings.open.dryRun === true;

/** --verify: all images are checked before the first is committed. */
async function verifyAll(ctx: Context, edited: readonly OpenImage[]): Promise<ReadonlyMap<OpenImage, boolean>> {
  const verdicts = new Map<OpenImage, boolean>();
  if (!ctx.settings.edit.verify || ctx.status !== 0) return verdicts;
  for (const image of edited) {
    const isSound = await attempt(ctx, image, () => {
      image.fs.verify();
      return true;
    });
    verdicts.set(image, isSound === true);
  }
  return verdicts;
}

/** Of several file systems in one image, those that change: the first one's commit is that of all. */
function changedOf(edited: readonly OpenImage[]): ReadonlySet<OpenImage> {
  const isShared = ({ name }: OpenImage): boolean =>
    edited.filter((other) => other.name.image === name.image).length > 1;
  return new Set(edited.filter((image) => isShared(image) && extentsOf(image.fs).length > 0));
}

interface Ending {
  readonly changed: boolean;
  readonly more?: { readonly [key: string]: Json };
}

interface Circumstances {
  readonly wasChanged: boolean;
  /** The command's own output is on standard output. */
  readonly isOutputTaken: boolean;
  readonly audit: AuditTrail | undefined;
  readonly how: CommitHow | undefined;
}

async function endEdit(ctx: Context, image: OpenImage, circumstances: Circumstances): Promise<Ending> {
  const { fs, name } = image;
  const wasCommitted = ctx.images.durable.has(fs);
  if (ctx.status !== 0) {
    // Half of it would be a state that nobody asked for.
    const what = wasCommitted ? 'what was changed since the last commit is gone' : 'nothing was changed';
    if (ctx.status !== Exit.interrupted && isChanged(fs)) ctx.warn(`${safeText(name.text)}: ${what}`);
    if (wasCommitted) await attempt(ctx, image, () => ctx.images.copies?.placeOutput());
    return { changed: wasCommitted };
  }
  const ending = await attempt(ctx, image, async () => {
    if (isDry(ctx)) return tellDryRun(ctx, image, circumstances);
    // Ctrl-C ends whoever fed us, too: the end of our input is not the end of what was to be written.
    await endIfSignalled(ctx, fs);
    const { audit, how, wasChanged } = circumstances;
    const { changed, more } = commit(ctx, image, { audit, isLast: true, how });
    return { changed: changed || wasChanged || wasCommitted, ...(more === undefined ? {} : { more }) };
  });
  return ending ?? { changed: false };
}

/** Of an image: of all file systems in it. `isLast`: a copy that is edited gets its name. */
function commit(
  ctx: Context,
  image: OpenImage,
  { audit, isLast, how }: Pick<Circumstances, 'audit' | 'how'> & { readonly isLast: boolean },
): Ending {
  const { fs, name } = image;
  const { copies } = ctx.images;
  // Asked for only where somebody wants to know before: it takes as long as there are changes.
  const isDirty = (copies !== undefined || audit !== undefined) && fs.changes().bytes > 0;
  const backup = isDirty ? copies?.keepBackup(name.image) : undefined;
  const all = ctx.images.edited.filter((other) => other.name.image === name.image);
  const transaction = isDirty ? audit?.intend(all) : undefined;
  let result: CommitResult;
  try {
    result = fs.commit(how);
    if (isLast) copies?.placeOutput();
  } catch (thrown) {
    transaction?.failed(thrown);
    throw thrown;
  }
  const { output } = ctx.settings.edit;
  tellAudit(ctx, image, () => transaction?.committed(result, { durable: isLast || output === undefined }));
  return { changed: result.changed, more: { ...pathMembers('backup', backup), ...pathMembers('output', output) } };
}

/** What cannot be told any more is a failure, and has happened all the same. */
function tellAudit(ctx: Context, { name }: OpenImage, tell: () => void): void {
  try {
    tell();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, name);
  }
}

/** On standard output, unless the command's own output is there. */
function tellDryRun(ctx: Context, { fs, name }: OpenImage, { isOutputTaken }: Circumstances): Ending {
  const report = reportOf(fs);
  if (ctx.json === undefined) {
    const text = [...linesOf(name.text, report)].map((line) => `${line}\n`).join('');
    if (isOutputTaken) ctx.shell.err(text);
    else ctx.out.text(text);
  }
  return { changed: report.bytes > 0, more: membersOf(report) };
}

/** undefined: it failed, which has been told. */
async function attempt<T>(ctx: Context, { name }: OpenImage, act: () => T | Promise<T>): Promise<T | undefined> {
  try {
    return await act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, name);
    return undefined;
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
