/** readlink: where symbolic links of an image lead. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { eachTarget } from '../attrs/targets.ts';
import { canonical } from '../canonical.ts';
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, Target } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import { Given } from '../given.ts';

export const readlink: Command = {
  name: 'readlink',
  summary: 'Show where symbolic links of an image lead.',
  synopsis: { addresses: 'ADDRESS...', paths: 'PATH...' },
  options: [
    {
      flags: '-f, --canonicalize',
      summary: 'the path without links, of which the last name may be missing (fsu_readlink: after the image)',
    },
    { flags: '-e, --canonicalize-existing', summary: 'the same, and all of it must be there' },
    { flags: '-m, --canonicalize-missing', summary: 'the same, and none of it need be there' },
    { flags: '-n, --no-newline', summary: 'nothing behind it (of a single operand)' },
    { flags: '-z, --zero', summary: 'NUL behind each instead of a newline' },
  ],
  examples: [
    { command: 'fsu readlink disk.img:/etc/localtime', does: 'what the link holds' },
    { command: 'fsu_readlink disk.img -f /bin/sh', does: 'the file it leads to in the end' },
  ],
  image: 'read',
  run,
};

const FORMS = ['canonicalize', 'canonicalize-existing', 'canonicalize-missing'] as const;

async function run(ctx: Context, args: Invocation): Promise<number> {
  const given = new Given(args);
  if (args.operands.length === 0) throw new UsageError('no link given');
  const form = given.lastOf(...FORMS);
  const isAlone = given.has('no-newline') && args.operands.length === 1;
  const end = isAlone ? '' : given.has('zero') ? '\0' : '\n';
  ctx.json?.array('links');
  const act = (fs: Ukfs, { path }: Target): void => {
    const target = read(fs, path, form);
    if (ctx.json === undefined) ctx.out.text(`${ctx.shownName(target)}${end}`);
    else ctx.json.element({ ...pathMembers('path', path), ...pathMembers('target', target) });
  };
  await eachTarget(ctx, ctx.targets(args.operands), act, { open: 'read' });
  return ctx.status;
}

function read(fs: Ukfs, path: string, form: string | undefined): string {
  if (form === undefined) {
    if (fs.lstat(path).type !== 'lnk') throw new FsError('EINVAL', { what: 'is no symbolic link' });
    return fs.readlink(path);
  }
  const missing = form === 'canonicalize' ? 'last' : form === 'canonicalize-existing' ? 'none' : 'any';
  return canonical(fs, path, missing);
}
