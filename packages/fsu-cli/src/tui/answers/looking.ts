/** Contents, attributes, structures. */
import { compareNames } from '../../format/name.ts';
import type { RemoteUkfs } from 'ukfs/remote';
import { describeError } from '../../errors.ts';
import { humanBsd } from '../../format/size.ts';
import { encodingOf, textLines } from '../look/text.ts';
import { hexLines } from '../look/hex.ts';
import { kindOf, MAGIC_BYTES } from '../look/kinds.ts';
import type { Shown } from '../model/looking-state.ts';
import type { Row } from '../model/state.ts';
import type { Answerers } from './index.ts';

/** Lines of a text that a preview has. */
const LINES = 300;
/** Entries that a preview counts. */
const ENTRIES = 5000;

export const lookingAnswerers: Pick<
  Answerers,
  'preview' | 'nest' | 'window' | 'seek' | 'details' | 'inspect' | 'usage' | 'find' | 'grep' | 'compare' | 'contents'
> = {
  async preview({ place, path, row, width }, { desk, signal }) {
    const fs = (await desk.fs(place)).until(signal);
    return previewOf(fs, { path, row, width });
  },
  async window({ place, path, offset, length }, { desk, signal }) {
    const fs = (await desk.fs(place)).until(signal);
    return readAt(fs, path, { offset, length });
  },
  nest: ({ place, path }, { desk, signal }) => desk.call('nest', [place, path], { signal }),
  seek: ({ place, path, wanted, from, way }, { desk, signal }) =>
    desk.call('seek', [place, path, wanted, from, way], { signal }),
  details: ({ place, path }, { desk, signal }) => desk.call('details', [place, path], { signal }),
  inspect: ({ place }, { desk, signal }) => desk.call('inspectPlace', [place], { signal }),
  usage: ({ place, dir }, { desk, signal, part }) => desk.call('usage', [place, dir], { signal, item: told(part) }),
  find: ({ place, dir, text }, { desk, signal, part }) =>
    desk.call('find', [place, dir, text], { signal, item: told(part) }),
  grep: ({ place, dir, text }, { desk, signal, part }) =>
    desk.call('grep', [place, dir, text], { signal, item: told(part) }),
  async compare({ before, after, dir }, { desk, signal, part }) {
    // It may be an image that nobody has looked at yet.
    if (after !== undefined) await desk.fs(after);
    return desk.call('compare', [before, after, dir], { signal, item: told(part) });
  },
  contents: ({ before, after, path }, { desk, signal }) => desk.call('contents', [before, after, path], { signal }),
};

/** What services tell, as the parts that their questions have. */
const told =
  <T>(part: (value: T) => void) =>
  (value: unknown): void =>
    part(value as T);

interface Wish {
  readonly path: string;
  readonly row: Row;
  readonly width: number;
}

async function previewOf(fs: RemoteUkfs, wish: Wish): Promise<Shown> {
  const { path, row } = wish;
  switch (row.type) {
    case 'dir':
      return directory(fs, path);
    case 'lnk':
      return link(fs, path);
    case 'reg':
      return regular(fs, wish);
    case 'blk':
    case 'chr':
      return {
        title: `${row.type === 'blk' ? 'block' : 'character'} device ${row.rdev?.major ?? '?'}, ${row.rdev?.minor ?? '?'}`,
        lines: [],
      };
    case 'fifo':
      return { title: 'FIFO', lines: [] };
    case 'sock':
      return { title: 'socket', lines: [] };
    default:
      return { title: row.damage ?? 'damaged', lines: [] };
  }
}

async function directory(fs: RemoteUkfs, path: string): Promise<Shown> {
  const fd = await fs.opendir(path);
  const names: string[] = [];
  let bytes = 0;
  let count = 0;
  try {
    while (count < ENTRIES) {
      const entries = await fs.getdentsplus(fd, 1000);
      if (entries.length === 0) break;
      for (const { name, stat, type } of entries) {
        if (name === '.' || name === '..') continue;
        count++;
        bytes += stat?.size ?? 0;
        if (names.length < 200) names.push(type === 'dir' ? `${name}/` : name);
      }
    }
  } finally {
    void fs.close(fd).catch(() => undefined);
  }
  const more = count >= ENTRIES ? 'more than ' : '';
  return {
    title: `${more}${count} ${count === 1 ? 'entry' : 'entries'}, ${humanBsd(bytes)}`,
    lines: names.sort(compareNames),
  };
}

async function link(fs: RemoteUkfs, path: string): Promise<Shown> {
  const target = await fs.readlink(path);
  const kind = target.startsWith('/') ? 'absolute link' : 'link';
  try {
    const { type, size } = await fs.stat(path);
    return {
      title: `${kind} to`,
      lines: [target, '', `which is ${type === 'dir' ? 'a directory' : `${humanBsd(size)} long`}`],
    };
  } catch (thrown) {
    return { title: `broken ${kind} to`, lines: [target, '', describeError(thrown)] };
  }
}

async function regular(fs: RemoteUkfs, { path, row, width }: Wish): Promise<Shown> {
  if (row.size === 0) return { title: 'empty', lines: [] };
  const head = await readAt(fs, path, { offset: 0, length: MAGIC_BYTES });
  const kind = kindOf(head, row.size);
  const guess = encodingOf(head, head.length >= row.size);
  const size = humanBsd(row.size);
  if (guess === undefined)
    return { title: `${kind ?? 'data'}, ${size}`, lines: hexLines(head.subarray(0, 4096), 0, width) };
  const { encoding, mark } = guess;
  const how = `${encoding}${mark > 0 ? ' with a byte order mark' : ''}`;
  return { title: `${kind ?? 'text'}, ${how}, ${size}`, lines: textLines(head.subarray(mark), encoding, LINES) };
}

async function readAt(
  fs: RemoteUkfs,
  path: string,
  { offset, length }: { readonly offset: number; readonly length: number },
): Promise<Uint8Array> {
  const fd = await fs.open(path, 'r');
  try {
    const bytes = new Uint8Array(length);
    let done = 0;
    while (done < length) {
      const n = await fs.read(fd, bytes, done, length - done, offset + done);
      if (n === 0) break;
      done += n;
    }
    return bytes.subarray(0, done);
  } finally {
    void fs.close(fd).catch(() => undefined);
  }
}
