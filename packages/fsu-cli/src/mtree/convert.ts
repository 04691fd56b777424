/** mtree -C and -D: a specification as it is, a line for each file. */
import { mtreeEntries } from 'ukfs';
import type { Context } from '../context.ts';
import type { MtreeOptions } from './options.ts';
import { shownPath } from './write.ts';

export function convertSpecification(ctx: Context, lines: Iterable<string>, options: MtreeOptions): void {
  ctx.json?.array('entries');
  for (const { path, keywords } of mtreeEntries(lines)) {
    const kept = [...keywords].filter(([keyword]) => !options.removed.has(keyword));
    if (ctx.json !== undefined) {
      ctx.json.element({ path, keywords: Object.fromEntries(kept) });
      continue;
    }
    const words = kept.map(([keyword, value]) => (value === '' ? keyword : `${keyword}=${value}`));
    const name = shownPath(path);
    ctx.out.text(`${(options.namesLast ? [...words, name] : [name, ...words]).join(' ')}\n`);
  }
}
