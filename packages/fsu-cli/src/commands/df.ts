/** df: space and inodes of the file systems in images, in the manner of NetBSD's df. */
import type { Statvfs } from '@ukfs/kernel';
import { diskMeant, FsError, SelectionError } from 'ukfs';
import type { Ukfs } from 'ukfs';
import { variantOf } from '../variant.ts';
import type { Command, Invocation } from '../command.ts';
import type { Context, ImageName } from '../context.ts';
import { withSelector } from '../context.ts';
import { displayWidth, safeText } from '../format/name.ts';
import { blockHeader, humanBsd, parseBlockUnit } from '../format/size.ts';
import { alignedRows } from '../format/table.ts';

export const df: Command = {
  name: 'df',
  summary: 'Show the space in use and free in images.',
  synopsis: { addresses: 'IMAGE...', paths: '' },
  options: [
    { flags: '-a', summary: 'ignored: every file system named is shown' },
    { flags: '-G', summary: 'all of statvfs(2)' },
    { flags: '-g', summary: 'in GiB' },
    { flags: '-h, --human-readable', summary: 'sizes with K, M, G …' },
    { flags: '-H, --si', summary: 'as -h in powers of 1000' },
    { flags: '-i, --inodes', summary: 'inodes too' },
    { flags: '-k', summary: 'in KiB' },
    { flags: '-l', summary: 'ignored: images are local' },
    { flags: '-m', summary: 'in MiB' },
    { flags: '-n', summary: 'ignored: there is nothing to wait for' },
    { flags: '-P, --portability', summary: "POSIX's format" },
    { flags: '-T, --print-type', summary: 'the type of the file system too' },
    { flags: '-t <types>', summary: 'only these types, or noTYPE,TYPE: all others (fsu_df: after the image)' },
  ],
  examples: [
    { command: 'fsu df -h disk.img', does: 'every file system in the image' },
    { command: 'fsu df --json disk.img:2', does: 'one of them, for programs' },
  ],
  image: 'read',
  run,
};

interface DfOptions {
  readonly blockSize: number;
  readonly human: 'no' | 'binary' | 'si';
  readonly inodes: boolean;
  readonly posix: boolean;
  readonly dump: boolean;
  readonly type: boolean;
  /** Only some types are wanted. */
  readonly picks: boolean;
  isWanted(type: string, variant: string): boolean;
}

interface Row {
  readonly image: ImageName;
  readonly fs: Statvfs;
  /** The name that people know: "ext4", where the type is ext2fs. '': nobody asked. */
  readonly variant: string;
}

async function run(ctx: Context, args: Invocation): Promise<number> {
  const options = readOptions(ctx, args);
  // It takes another look at all groups.
  const asksForType = options.type || options.dump || options.picks || ctx.json !== undefined;
  const rows: Row[] = [];
  const targets = ctx.targets(args.operands);
  for (const { image, path } of targets) {
    for (const { name, handle } of await handlesOf(ctx, image)) {
      try {
        const fs = handle.statvfs(path);
        const variant = asksForType ? variantOf(handle) : '';
        if (options.isWanted(fs.fstypename, variant)) rows.push({ image: name, fs, variant });
      } catch (thrown) {
        ctx.fail(thrown, name);
      }
    }
  }
  const [first] = targets;
  if (options.picks && rows.length === 0 && ctx.status === 0 && first !== undefined) {
    ctx.fail(new FsError('ENOENT', { op: 'df', what: 'no file system is of a type that was asked for' }), first.image);
  }
  if (ctx.json !== undefined) tellJson(ctx, rows);
  else if (options.dump) for (const row of rows) ctx.out.text(dumpOf(row));
  else if (rows.length > 0) for (const line of tableOf(rows, options)) ctx.out.text(`${line}\n`);
  return ctx.status;
}

/** The file system an address means, or all of an image whose address chooses none. */
async function handlesOf(ctx: Context, image: ImageName): Promise<{ name: ImageName; handle: Ukfs }[]> {
  try {
    return [{ name: image, handle: await ctx.images.open(image) }];
  } catch (thrown) {
    if (!(thrown instanceof SelectionError) || diskMeant(image).parts.length > 0 || thrown.candidates.length === 0) {
      ctx.fail(thrown, image, { opening: true });
      return [];
    }
    const handles: { name: ImageName; handle: Ukfs }[] = [];
    for (const candidate of thrown.candidates) {
      if (candidate.type === undefined) continue;
      const name = withSelector(image, candidate.selector);
      const handle = await ctx.tryOpen(name);
      if (handle !== undefined) handles.push({ name, handle });
    }
    return handles;
  }
}

const percent = (used: number, of: number): string => (of === 0 ? '100%' : `${Math.floor((used * 100) / of)}%`);

function tableOf(rows: readonly Row[], options: DfOptions): string[] {
  const show = (count: number, fragment: number): string => {
    const bytes = count * fragment;
    return options.human === 'no'
      ? String(Math.ceil(bytes / options.blockSize))
      : humanBsd(bytes, options.human === 'si');
  };
  const head = ['Filesystem', ...(options.type ? ['Type'] : []), sizeHeader(options), 'Used'];
  head.push(...(options.posix ? ['Available', 'Capacity'] : ['Avail', '%Cap']));
  if (options.inodes) head.push('iUsed', 'iAvail', '%iCap');
  head.push('Mounted on');
  const lines = rows.map(({ image, fs, variant }) => {
    const used = fs.blocks - fs.freeBlocks;
    const cells = [safeText(image.text), ...(options.type ? [variant] : [])];
    cells.push(show(fs.blocks, fs.fragmentSize), show(used, fs.fragmentSize), show(fs.availBlocks, fs.fragmentSize));
    cells.push(percent(used, used + fs.availBlocks));
    const usedFiles = fs.files - fs.freeFiles;
    if (options.inodes) cells.push(String(usedFiles), String(fs.freeFiles), percent(usedFiles, fs.files));
    return [...cells, '/'];
  });
  if (options.posix) return [head, ...lines].map((cells) => cells.join(' '));
  const right = head.map((_, at) => at).filter((at) => at > (options.type ? 1 : 0) && at + 1 < head.length);
  return alignedRows([head, ...lines], { right, widthOf: displayWidth });
}

function sizeHeader({ human, posix, blockSize }: DfOptions): string {
  if (human !== 'no') return 'Size';
  return posix ? `${blockSize}-blocks` : blockHeader(blockSize);
}

/** -G, after NetBSD's. */
function dumpOf({ image, fs, variant }: Row): string {
  return `${safeText(image.text)} (/): ${fs.blockSize} block size ${fs.fragmentSize} frag size
${fs.blocks} total blocks ${fs.freeBlocks} free blocks ${fs.availBlocks} available
${fs.files} total files ${fs.freeFiles} free files
${fs.nameMax} name length ${variant} fstype ${fs.readOnly ? 'read-only' : 'read-write'}
`;
}

function tellJson(ctx: Context, rows: readonly Row[]): void {
  ctx.json?.array('filesystems');
  for (const { image, fs, variant } of rows) {
    ctx.json?.element({
      image: image.text,
      type: fs.fstypename,
      variant,
      blockSize: fs.blockSize,
      fragmentSize: fs.fragmentSize,
      sizeBytes: fs.blocks * fs.fragmentSize,
      usedBytes: (fs.blocks - fs.freeBlocks) * fs.fragmentSize,
      freeBytes: fs.freeBlocks * fs.fragmentSize,
      availableBytes: fs.availBlocks * fs.fragmentSize,
      files: fs.files,
      freeFiles: fs.freeFiles,
      nameMax: fs.nameMax,
      readOnly: fs.readOnly,
    });
  }
}

function readOptions(ctx: Context, args: Invocation): DfOptions {
  const has = (name: string): boolean => args.options.some((o) => o.name === name);
  const unit = parseBlockUnit(ctx.shell.env('BLOCKSIZE') ?? '512');
  let blockSize = unit?.kind === 'blocks' ? Math.max(512, unit.size) : 512;
  let human: DfOptions['human'] = 'no';
  // The last of them wins.
  for (const { name } of args.options) {
    if (name === 'human-readable') human = 'binary';
    else if (name === 'si') human = 'si';
    else if (name === 'k' || name === 'm' || name === 'g') {
      blockSize = { k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 }[name];
      human = 'no';
    }
  }
  const types = args.options.filter(({ name }) => name === 't').at(-1)?.value;
  const listed = types?.replace(/^no/, '').split(',') ?? [];
  return {
    blockSize,
    human,
    inodes: has('inodes'),
    posix: has('portability'),
    dump: has('G'),
    type: has('print-type'),
    picks: types !== undefined,
    isWanted: (...names) =>
      types === undefined || names.some((name) => listed.includes(name)) !== types.startsWith('no'),
  };
}
