/** edit: a file of an image in the editor of whoever asks. */
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import { addressText } from '../context.ts';
import type { Context } from '../context.ts';
import { Exit } from '../errors.ts';
import { pathMembers } from '../format/json.ts';
import { safeText } from '../format/name.ts';
import { withProgram } from '../outside.ts';

export const edit: Command = {
  name: 'edit',
  summary: 'Edit a file of an image with $VISUAL, $EDITOR or vi; owner, mode and all else stay.',
  synopsis: { addresses: 'ADDRESS', paths: 'PATH' },
  options: [],
  examples: [
    {
      command: 'fsu edit disk.img:/etc/fstab',
      does: 'saved with changes, it is in the image; otherwise nothing happens',
    },
    { command: 'EDITOR=nano fsu_edit disk.img /etc/motd', does: 'a file that is not there is made' },
  ],
  image: 'write',
  run,
};

async function run(ctx: Context, { operands }: Invocation): Promise<number> {
  const [target, more] = operands.length === 0 ? [] : ctx.targets(operands);
  if (target === undefined) throw new UsageError('no file to edit given');
  if (more !== undefined) throw new UsageError(`too many operands: '${more.shown}'`);
  const set = (name: string): string | undefined => {
    const text = ctx.shell.env(name);
    return text === undefined || text.trim() === '' ? undefined : text;
  };
  const editor = set('VISUAL') ?? set('EDITOR') ?? 'vi';
  const done = await withProgram(ctx, target, {
    // The variable may hold words of its own: they are the shell's, as everywhere.
    command: (path) => ['/bin/sh', '-c', `${editor} "$@"`, editor, path],
    mayMake: true,
  });
  if (done === undefined) return ctx.status;
  if (done.status !== 0) {
    ctx.warn(
      `${safeText(addressText(target.image, target.path))}: the editor failed (${done.status}); nothing was changed`,
    );
    return Exit.failed;
  }
  if (ctx.json !== undefined) {
    for (const [name, value] of Object.entries(pathMembers('path', target.path))) ctx.json.member(name, value);
    ctx.json.member('changed', done.changed);
  } else if (!done.changed) ctx.warn(`${safeText(addressText(target.image, target.path))}: not changed`);
  return ctx.status;
}
