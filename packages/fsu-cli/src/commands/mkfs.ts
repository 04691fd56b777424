/** mkfs: a new file system in an image, wholly or not at all. */
import { FsError, makeFs, populate, untar } from 'ukfs';
import type { CopyReport, MakeFsOptions, MakeFsReport, Ukfs } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Command, Invocation, OptionSpec } from '../command.ts';
import { addressName } from '../context.ts';
import type { Context, ImageName } from '../context.ts';
import { reportMembers, tellLoss } from '../copying.ts';
import { sourceDateEpoch } from '../epoch.ts';
import { Exit } from '../errors.ts';
import { parseBlockUnit } from '../format/size.ts';
import { safeText } from '../format/name.ts';

/** Options of mke2fs and the words of the file-system type that they stand for. */
const LETTERS: readonly (OptionSpec & { readonly word: string })[] = [
  { flags: '-L, --label <label>', summary: 'volume name', word: 'label' },
  { flags: '-U, --uuid <uuid>', summary: 'UUID, random, or clear', word: 'uuid' },
  { flags: '-b, --block-size <bytes>', summary: 'bytes in a block', word: 'block_size' },
  { flags: '-C, --cluster-size <bytes>', summary: 'bytes in a cluster (bigalloc)', word: 'cluster_size' },
  { flags: '-i, --bytes-per-inode <bytes>', summary: 'one inode for so many bytes', word: 'bytes_per_inode' },
  { flags: '-N, --inodes <count>', summary: 'number of inodes', word: 'inodes' },
  { flags: '-I, --inode-size <bytes>', summary: 'bytes in an inode', word: 'inode_size' },
  { flags: '-m, --reserved <percent>', summary: 'blocks kept for root', word: 'reserved' },
  { flags: '-O, --features <list>', summary: 'features; ^ before those to leave out', word: 'features' },
  { flags: '-T, --usage <usage>', summary: 'small, default, big, news, largefile …', word: 'usage' },
  { flags: '-G, --flex-groups <count>', summary: 'groups in a flexible group', word: 'flex_groups' },
  { flags: '-g, --blocks-per-group <count>', summary: 'blocks in a group', word: 'blocks_per_group' },
  { flags: '-r, --revision <number>', summary: 'revision of the format, 0 or 1', word: 'revision' },
  { flags: '-M, --last-mounted <directory>', summary: 'where it was mounted last', word: 'last_mounted' },
  { flags: '-e, --errors <behaviour>', summary: 'continue, remount-ro or panic', word: 'errors' },
];

export const mkfs: Command = {
  name: 'mkfs',
  summary: 'Make a new file system in an image, and the image if there is none.',
  synopsis: { addresses: 'IMAGE [SIZE]', paths: 'IMAGE [SIZE]' },
  options: [
    { flags: '-t, --type <type>', summary: 'ext2, ext3 or ext4 (default)' },
    ...LETTERS.map(({ flags, summary }) => ({ flags, summary })),
    { flags: '-j', summary: 'with a journal' },
    { flags: '-J, --journal <list>', summary: 'size=MiB, fast_commit_size=KiB' },
    { flags: '-E, --extended <list>', summary: 'words of mke2fs -E: stride=, resize=, root_owner=, hash_seed= …' },
    {
      flags: '--from <source>',
      summary: 'fill it: a directory, a tar file (also gzipped), or - for a tar on standard input',
    },
    { flags: '-n, --dry-run', summary: 'only tell what would be made' },
    { flags: '--seed <text>', summary: 'identities (UUID, hash seed …) follow from this text' },
    { flags: '--force', summary: 'over whatever is recognised there' },
    { flags: '--no-lock', summary: 'do without the lock on the image' },
    { flags: '--log <file>', summary: 'where the redo log goes when the image is a block device' },
    { flags: '--json', summary: 'one JSON object on standard output' },
  ],
  examples: [
    { command: 'fsu mkfs disk.img 64M', does: 'a new image with an ext4 file system' },
    { command: 'fsu mkfs -t ext2 -L boot disk.img:1', does: 'in a partition of an image that is there' },
    {
      command: 'fsu mkfs --from rootfs.tar.gz root.img auto+10%',
      does: 'as large as its contents need, and a tenth more',
    },
    { command: 'fsu mkfs --seed 1 -O ^has_journal a.img 1G', does: 'the same bytes each time' },
  ],
  image: 'none',
  run,
};

const DEFAULT_TYPE = 'ext4';

interface Wish {
  readonly image: ImageName;
  readonly size: MakeFsOptions['size'];
  readonly type: string;
  readonly words: Readonly<Record<string, string | true>>;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const wish = wishOf(ctx, args);
  const seed = args.options.filter(({ name }) => name === 'seed').at(-1)?.value;
  const { force, lock, log, dryRun } = ctx.settings.open;
  const from = args.options.filter(({ name }) => name === 'from').at(-1)?.value;
  let source: Source | undefined;
  try {
    source = from === undefined ? undefined : await sourceOf(ctx, from);
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    ctx.fail(thrown, from ?? '');
    return ctx.status;
  }
  try {
    const report = await makeFs(
      { image: wish.image.image, selectors: wish.image.selectors },
      {
        type: wish.type,
        options: wish.words,
        ...(wish.size === undefined ? {} : { size: wish.size }),
        ...(seed === undefined ? {} : { seed }),
        ...(source === undefined ? {} : { fill: source.fill }),
        ...(force === undefined ? {} : { force }),
        ...(lock === undefined ? {} : { lock }),
        ...(log === undefined ? {} : { log }),
        ...(dryRun === undefined ? {} : { dryRun }),
      },
    );
    tell(ctx, wish, report, source?.report());
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    const isArchive = ARCHIVE_OPS.has(thrown.context.op ?? '');
    ctx.fail(thrown, isArchive && from !== undefined ? from : wish.image, { opening: true });
    // An option or a size of which nothing can be made: the command line makes no sense.
    if (thrown.code === 'EINVAL' && thrown.context.op === 'mkfs') ctx.raise(Exit.usage);
  } finally {
    source?.close();
  }
  return ctx.status;
}

function wishOf(ctx: Context, args: Invocation): Wish {
  const [operand, sizeWord, ...more] = args.operands;
  if (operand === undefined) throw new UsageError('no image given');
  if (more.length > 0) throw new UsageError(`too many operands: '${more[0] ?? ''}'`);
  const { image, path } = addressName(operand, ctx.shell);
  if (path !== undefined && path !== '/') throw new UsageError(`'${operand}' is a path in an image`);
  const size = sizeWord === undefined ? undefined : sizeOf(sizeWord);
  if (typeof size === 'object' && !args.options.some(({ name }) => name === 'from')) {
    throw new UsageError(`'${sizeWord ?? ''}' needs --from`);
  }
  const type = ctx.settings.open.type ?? DEFAULT_TYPE;
  return { image, size, type, words: wordsOf(args) };
}

/** Bytes, `64M`, `auto`, `auto+10%`. */
function sizeOf(text: string): NonNullable<MakeFsOptions['size']> {
  const [auto, more] = /^auto(?:\+([0-9]{1,4})%)?$/.exec(text) ?? [];
  if (auto !== undefined) return { auto: Number(more ?? 0) };
  const unit = /^\d+$/.test(text) ? Number(text) : undefined;
  if (unit !== undefined && Number.isSafeInteger(unit)) return unit;
  const parsed = parseBlockUnit(text);
  if (parsed?.kind !== 'blocks' || !/^\d/.test(text)) throw new UsageError(`'${text}' is no size`);
  return parsed.size;
}

/** What the file system is filled from. */
interface Source {
  fill(fs: Ukfs): void;
  /** Of the last filling. */
  report(): CopyReport | undefined;
  close(): void;
}

async function sourceOf(ctx: Context, from: string): Promise<Source> {
  const trees = await ctx.shell.trees();
  let last: CopyReport | undefined;
  const report = (): CopyReport | undefined => last;
  if (from !== '-' && trees.hostKind(from) === 'dir') {
    // A tree that was checked out a moment ago is to give the same image as one of last year.
    const latest = sourceDateEpoch(ctx);
    const root = trees.hostDirStat(from);
    const fill = (fs: Ukfs): void => {
      const tree = trees.hostTree(from, READ_ONLY);
      try {
        last = populate(fs, tree, { root, ...(latest === undefined ? {} : { latest }) });
      } finally {
        tree.close();
      }
    };
    return { fill, report, close: () => undefined };
  }
  const { openArchive } = await ctx.shell.archives();
  const archive = await openArchive(from, from === '-' ? ctx.shell.stdin : undefined);
  const fill = (fs: Ukfs): void => {
    // A new file system: its links lead nowhere but into what the archive itself brings.
    last = untar(archive.open(), fs, { followLinks: true });
  };
  return { fill, report, close: () => archive.close() };
}

/** Calls that fail because of what is read, not of the image. */
const ARCHIVE_OPS: ReadonlySet<string> = new Set(['tar', 'gzip']);
const READ_ONLY = { owners: false, specialModes: false, devices: false, xattrs: false } as const;

/** Letters and lists as words of the type; it knows which of them make sense. */
function wordsOf({ options }: Invocation): Record<string, string | true> {
  const words: Record<string, string | true> = {};
  const byName = new Map(LETTERS.map(({ flags, word }) => [/--([a-z-]+)/.exec(flags)?.[1] ?? '', word]));
  for (const { name, value } of options) {
    const word = byName.get(name);
    if (word === 'features') words[word] = words[word] === undefined ? value : `${String(words[word])},${value}`;
    else if (word !== undefined) words[word] = value;
    else if (name === 'j')
      words['features'] = `${words['features'] === undefined ? '' : `${String(words['features'])},`}has_journal`;
    else if (name === 'journal')
      for (const [key, text] of pairs(value)) words[`journal_${key}`.replace('journal_fast', 'fast')] = text;
    else if (name === 'extended') for (const [key, text] of pairs(value)) words[key] = text;
  }
  return words;
}

/** `a=1,b` */
const pairs = (list: string): (readonly [string, string | true])[] =>
  list
    .split(',')
    .filter((part) => part !== '')
    .map((part) => {
      const equals = part.indexOf('=');
      return equals < 0 ? [part, true] : [part.slice(0, equals), part.slice(equals + 1)];
    });

function tell(ctx: Context, { image, type }: Wish, report: MakeFsReport, filled: CopyReport | undefined): void {
  const { uuid, blockSize, sizeBytes, freeBytes, files, freeFiles, notes, created } = report;
  for (const note of notes) ctx.warn(`${safeText(image.text)}: ${note}`);
  for (const loss of filled?.losses ?? []) tellLoss(ctx, image.text, { ...loss, verbose: false });
  if (ctx.json !== undefined) {
    ctx.json.path('image', image.text);
    ctx.json.member('type', type);
    ctx.json.member('uuid', uuid);
    for (const [name, value] of Object.entries({ blockSize, sizeBytes, freeBytes, files, freeFiles, created })) {
      ctx.json.member(name, value);
    }
    ctx.json.member('dryRun', report.commit === undefined);
    ctx.json.member('notes', notes);
    if (filled !== undefined) ctx.json.member('filled', reportMembers(filled));
    return;
  }
  ctx.out.text(
    `${safeText(image.text)}: ${type}, ${sizeBytes} bytes in blocks of ${blockSize}, ${files} inodes, UUID ${uuid}\n`,
  );
}
