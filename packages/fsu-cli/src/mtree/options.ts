/** The options of mtree: NetBSD's letters. */
import { UsageError } from '../command.ts';
import type { Invocation, OptionSpec } from '../command.ts';
import { keywordsOf } from './keywords.ts';
import type { Keyword } from './keywords.ts';
import { Given } from '../given.ts';

export const mtreeOptionSpecs: readonly OptionSpec[] = [
  { flags: '-c', summary: 'print the specification of a tree' },
  { flags: '-C', summary: 'print the specification that is read, a line for each file' },
  { flags: '-D', summary: 'as -C, with the names last' },
  {
    flags: '-f <spec>',
    summary: 'verify by this specification (default: standard input) (fsu_mtree: after the image)',
  },
  { flags: '-p <path>', summary: 'the tree, as seen from the address; default the address itself' },
  { flags: '-k <keywords>', summary: '-c: these keywords, and type' },
  { flags: '-K <keywords>', summary: '-c: these keywords, too; all' },
  { flags: '-R <keywords>', summary: 'not these keywords' },
  { flags: '-n', summary: '-c: no comment at the head' },
  { flags: '-d', summary: 'directories only' },
  { flags: '-e', summary: 'say nothing of files that the specification does not have' },
  { flags: '-r', summary: 'remove files that the specification does not have' },
  { flags: '-u', summary: 'set what differs; make missing directories, links and devices' },
  { flags: '-U', summary: 'as -u; what could be set is no difference' },
  { flags: '-t', summary: 'times are set as well, as without it (fsu_mtree: after the image)' },
  { flags: '-x', summary: 'stay in one file system' },
  { flags: '-P', summary: 'follow no symbolic links, as without it' },
  { flags: '-X <file>', summary: 'leave out what the patterns in a host file match, one a line' },
];

export interface MtreeOptions {
  readonly mode: 'create' | 'convert' | 'verify';
  readonly namesLast: boolean;
  readonly spec: string | undefined;
  readonly path: string | undefined;
  readonly keywords: readonly Keyword[];
  readonly removed: ReadonlySet<string>;
  readonly comments: boolean;
  readonly directoriesOnly: boolean;
  readonly extras: 'tell' | 'ignore' | 'remove';
  readonly update: boolean;
  readonly forgive: boolean;
  readonly oneFileSystem: boolean;
  readonly excludeFrom: readonly string[];
}

export function mtreeOptionsOf({ options }: Invocation): MtreeOptions {
  const given = new Given({ options });
  const lists = options.flatMap(({ name, value }) =>
    name === 'k' || name === 'K' || name === 'R' ? [{ name, value } as const] : [],
  );
  const keywords = keywordsOf(lists);
  if (given.has('c') && given.has('C', 'D', 'u', 'U', 'r', 'f'))
    throw new UsageError('-c prints a specification: -C, -D, -f, -r, -u and -U need one');
  if (given.has('e') && given.has('r')) throw new UsageError('-e and -r exclude each other');
  const all = keywordsOf([{ name: 'k', value: 'all' }]);
  const kept = keywordsOf([{ name: 'k', value: 'all' }, ...lists.filter(({ name }) => name === 'R')]);
  return {
    mode: given.has('c') ? 'create' : given.has('C', 'D') ? 'convert' : 'verify',
    namesLast: given.has('D'),
    spec: given.value('f'),
    path: given.value('p'),
    keywords,
    removed: new Set(all.filter((keyword) => !kept.includes(keyword))),
    comments: !given.has('n'),
    directoriesOnly: given.has('d'),
    extras: given.has('r') ? 'remove' : given.has('e') ? 'ignore' : 'tell',
    update: given.has('u', 'U'),
    forgive: given.has('U'),
    oneFileSystem: given.has('x'),
    excludeFrom: options.filter(({ name }) => name === 'X').map(({ value }) => value),
  };
}
