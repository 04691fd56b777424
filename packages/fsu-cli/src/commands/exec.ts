/** exec: a host program on a file of an image, as fs-utils has it: on a copy, which comes back if it changed. */
import { UsageError } from '../command.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context } from '../context.ts';
import { withProgram } from '../outside.ts';
import { pathMembers } from '../format/json.ts';

export const exec: Command = {
  name: 'exec',
  summary: 'Run a host program on a copy of a file of an image; the file becomes what the copy became.',
  synopsis: { addresses: 'PROGRAM [WORD...] ADDRESS', paths: 'PROGRAM [WORD...] PATH' },
  options: [],
  examples: [
    { command: 'fsu exec sed -i s/old/new/ disk.img:/etc/hosts', does: 'an edit by a program of the host' },
    { command: 'fsu exec sort -o {} disk.img:/etc/hosts', does: '{} is the copy, where it is not the last word' },
    { command: 'fsu_exec disk.img wc -l /etc/passwd', does: 'the way of fs-utils' },
  ],
  image: 'write',
  imagePath: 'last',
  takeOwn,
  run,
};

/** Options of ours that take the next word. */
const WITH_VALUE = new Set(['--type', '--options', '--image', '--partition', '--log']);

/** From the program's name on, all words are its own. */
function takeOwn(words: readonly string[]): { readonly words: readonly string[]; readonly own: readonly string[] } {
  let at = 0;
  while (at < words.length && /^-./.test(words[at] ?? '') && words[at] !== '--')
    at += WITH_VALUE.has(words[at] ?? '') ? 2 : 1;
  return { words: words.slice(0, at), own: words.slice(words[at] === '--' ? at + 1 : at) };
}

async function run(ctx: Context, { operands, own }: Invocation): Promise<number> {
  // The path of the address before the program, or else the last word.
  const words = [...own, ...operands];
  const file = words.pop();
  if (file === undefined || words.length === 0) throw new UsageError('say which program, and which file of an image');
  const [target] = ctx.targets([file]);
  if (target === undefined) throw new UsageError('no file given');
  const isPlaced = words.includes('{}');
  const done = await withProgram(ctx, target, {
    command: (path) => (isPlaced ? words.map((word) => (word === '{}' ? path : word)) : [...words, path]),
    mayMake: false,
  });
  if (done === undefined) return ctx.status;
  if (done.status === 127) ctx.warn(`${words[0] ?? ''}: no such program`);
  if (ctx.json !== undefined) {
    for (const [name, value] of Object.entries(pathMembers('path', target.path))) ctx.json.member(name, value);
    ctx.json.member('changed', done.changed);
  }
  return done.status;
}
