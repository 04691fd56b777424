/** A file that a tool for trees found, as JSON tells it: docs/schemas/fsu.find.entry.json. */
import type { Stat } from 'ukfs';
import { pathMembers, statMembers } from './format/json.ts';
import type { Json } from './format/json.ts';
import type { Owners } from './owners.ts';
import { absolute } from './starts.ts';
import type { TreeStart } from './starts.ts';

interface FoundFile {
  readonly start: Pick<TreeStart, 'image'>;
  readonly owners: Owners;
  readonly path: string;
  readonly depth: number;
  readonly stat: Stat;
  /** Of a symbolic link. */
  readonly target: string | undefined;
}

export function entryMembers(file: FoundFile): { readonly [key: string]: Json } {
  const { start, owners, path, depth, stat, target } = file;
  return {
    ...pathMembers('image', start.image.text),
    ...pathMembers('path', absolute(path)),
    depth,
    ...statMembers(stat),
    owner: owners.user(stat.uid),
    group: owners.group(stat.gid),
    ...pathMembers('target', target),
  };
}
