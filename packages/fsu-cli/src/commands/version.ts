/** version: ours, Node's, and what we were made for. */
import type { Command } from '../command.ts';
import { VERSION } from '../version.ts';

export const version: Command = {
  name: 'version',
  summary: 'Show the version.',
  synopsis: { addresses: '', paths: '' },
  options: [{ flags: '--json', summary: 'one JSON object on standard output' }],
  examples: [],
  image: 'none',
  run(ctx) {
    if (ctx.json === undefined) ctx.out.text(`fsu ${VERSION}\n`);
    else {
      ctx.json.member('fsu', VERSION);
    }
    return ctx.status;
  },
};
