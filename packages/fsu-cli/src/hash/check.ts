/** hash -c: the sums of a manifest compared with those of an image, line by line, as sha256sum -c tells it. */
import { FsError, nameFromBytes } from 'ukfs';
import type { Context, Target } from '../context.ts';
import { joinPath } from '../copying.ts';
import { pathMembers } from '../format/json.ts';
import type { HostSide } from '../host-files.ts';
import { wholeLines } from '../lines.ts';
import { withHostFile } from '../out.ts';
import { absolute } from '../starts.ts';
import { parseManifestLine } from './manifest.ts';
import type { Algorithm, ManifestLine } from './manifest.ts';
import type { Sums } from './sums.ts';

interface Check {
  readonly manifest: string;
  readonly host: HostSide;
  readonly sums: Sums;
  readonly chosen: Algorithm | undefined;
  readonly quiet: boolean;
  readonly ignoreMissing: boolean;
  readonly strict: boolean;
  readonly zero: boolean;
  readonly operands: readonly string[];
}

interface Tally {
  ok: number;
  failed: number;
  unreadable: number;
  malformed: number;
}

export async function checkManifest(ctx: Context, check: Check): Promise<number> {
  // Names are as they were printed: paths, or addresses; below a directory when one is given.
  const base = check.operands.length === 0 ? undefined : ctx.targets(check.operands)[0];
  const tally: Tally = { ok: 0, failed: 0, unreadable: 0, malformed: 0 };
  ctx.json?.array('files');
  for (const line of linesOf(ctx, check)) {
    const parsed = parseManifestLine(line, check.chosen);
    if (parsed === undefined) tally.malformed++;
    else await checkLine(ctx, check, { parsed, target: targetOf(ctx, parsed.name, base), tally });
  }
  summarise(ctx, check, tally);
  return ctx.status;
}

function targetOf(ctx: Context, name: string, base: Target | undefined): Target {
  if (base !== undefined)
    return { image: base.image, path: name.startsWith('/') ? name : joinPath(base.path, name), shown: name };
  const { image } = ctx.settings;
  return image === undefined ? ctx.addressTarget(name) : { image, path: name, shown: name };
}

function* linesOf(ctx: Context, { manifest, host, zero }: Check): Generator<string> {
  const reader = manifest === '-' ? undefined : withHostFile(manifest, () => host.openForReading(manifest));
  try {
    const read = (dst: Uint8Array): number =>
      reader === undefined ? ctx.shell.stdin.read(dst) : withHostFile(manifest, () => reader.read(dst));
    const delimiter = zero ? 0 : 10;
    for (const piece of wholeLines(read, delimiter)) {
      const text = nameFromBytes(piece);
      for (const line of text.split(zero ? '\0' : '\n'))
        if (line !== '' && !(line.startsWith('#') && !zero)) yield zero ? line : line.replace(/\r$/, '');
    }
  } finally {
    reader?.close();
  }
}

async function checkLine(
  ctx: Context,
  { sums, quiet, ignoreMissing }: Check,
  { parsed, target, tally }: { readonly parsed: ManifestLine; readonly target: Target; readonly tally: Tally },
): Promise<void> {
  const fs = await ctx.tryOpen(target.image);
  const { algorithm, sum: wanted } = parsed;
  const say = (result: 'ok' | 'failed' | 'unreadable', sum?: string): void => {
    tally[result]++;
    if (ctx.json !== undefined)
      return ctx.json.element({
        ...pathMembers('image', target.image.text),
        ...pathMembers('path', absolute(target.path)),
        algorithm,
        hash: sum,
        wanted,
        result,
      });
    if (result === 'ok' && quiet) return;
    const text = result === 'ok' ? 'OK' : result === 'failed' ? 'FAILED' : 'FAILED open or read';
    ctx.out.text(`${ctx.shownName(target.shown)}: ${text}\n`);
  };
  if (fs === undefined) return say('unreadable');
  try {
    const { digest: sum } = sums.of(fs, target.path, algorithm);
    say(sum === wanted ? 'ok' : 'failed', sum);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    if (ignoreMissing && thrown.code === 'ENOENT') return;
    ctx.fail(thrown, target);
    say('unreadable');
  }
}

const counted = (count: number, one: string, many: string): string => `${count} ${count === 1 ? one : many}`;

function summarise(ctx: Context, { manifest, strict }: Check, { ok, failed, unreadable, malformed }: Tally): void {
  if (malformed > 0) {
    ctx.warn(`WARNING: ${counted(malformed, 'line is', 'lines are')} improperly formatted`);
    if (strict) ctx.raise(1);
  }
  if (unreadable > 0) ctx.warn(`WARNING: ${counted(unreadable, 'listed file', 'listed files')} could not be read`);
  if (failed > 0) ctx.warn(`WARNING: ${counted(failed, 'computed checksum', 'computed checksums')} did NOT match`);
  if (failed > 0 || unreadable > 0) ctx.raise(1);
  if (ok + failed + unreadable > 0) return;
  ctx.fail(new FsError('EFTYPE', { what: 'no file was verified' }), manifest);
}
