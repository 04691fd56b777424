/**
 * Bookmarks that outlive a session: one file in the user's state directory (XDG Base Directory Specification 0.8), of all images by
 * their real paths. Only for browse; without a place for it nothing is kept.
 */
import * as fs from 'node:fs';
import { dirname, isAbsolute, join } from 'node:path';
import { FsError, nameFromBytes } from 'ukfs';
import { hostError } from './host-files.ts';
import { hostPath } from './host-path.ts';

export interface KeptBookmark {
  readonly name: string;
  /** Which part of the image (`''` the whole, `:2`), or `host`. */
  readonly place: string;
  readonly dir: string;
}

/** By the image's real path. */
type Shelf = Readonly<Record<string, readonly KeptBookmark[]>>;

/** Nobody has more; what is larger is not ours. */
const MAX_BYTES = 1 << 20;

/** undefined: the environment tells no place. */
function shelfFile(): string | undefined {
  const { XDG_STATE_HOME: state, HOME: home, LOCALAPPDATA: local } = process.env;
  const under = (dir: string | undefined, ...below: readonly string[]): string | undefined =>
    dir === undefined || !isAbsolute(dir) ? undefined : join(dir, ...below, 'fsu', 'bookmarks.json');
  if (process.platform === 'win32') return under(local);
  return under(state) ?? under(home, '.local', 'state');
}

/** Those of an image; none when nothing was kept. Errors: EINVAL the file is damaged; those of open(2) and read(2). */
export function readBookmarks(image: string): readonly KeptBookmark[] {
  const file = shelfFile();
  if (file === undefined) return [];
  try {
    return shelfIn(file)[realPath(image)] ?? [];
  } catch (thrown) {
    throw failureOf(thrown, file);
  }
}

/** From now on an image has these. A damaged file is not replaced. Errors: those of reading, and of writing a file. */
export function writeBookmarks(image: string, bookmarks: readonly KeptBookmark[]): void {
  const file = shelfFile();
  if (file === undefined) return;
  const draft = `${file}.${process.pid}`;
  try {
    const shelf = { ...shelfIn(file), [realPath(image)]: bookmarks };
    const kept = Object.fromEntries(Object.entries(shelf).filter(([, those]) => those.length > 0));
    fs.mkdirSync(dirname(file), { recursive: true, mode: 0o700 });
    fs.rmSync(draft, { force: true });
    fs.writeFileSync(draft, `${JSON.stringify(kept, undefined, 2)}\n`, { mode: 0o600, flag: 'wx', flush: true });
    fs.renameSync(draft, file);
  } catch (thrown) {
    throw failureOf(thrown, file);
  }
}

const failureOf = (thrown: unknown, file: string): FsError =>
  thrown instanceof FsError ? thrown : hostError(thrown, file);

const realPath = (image: string): string =>
  nameFromBytes(fs.realpathSync.native(hostPath(image), { encoding: 'buffer' }));

function shelfIn(file: string): Shelf {
  const text = textOf(file);
  if (text === undefined) return {};
  const shelf = parsed(text);
  if (!isShelf(shelf)) throw new FsError('EINVAL', { path: file, what: 'not a file of bookmarks' });
  return shelf;
}

/** undefined: there is none. */
function textOf(file: string): string | undefined {
  const stat = fs.statSync(file, { throwIfNoEntry: false });
  if (stat === undefined) return undefined;
  return stat.isFile() && stat.size <= MAX_BYTES ? fs.readFileSync(file, 'utf8') : '';
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    return undefined;
  }
}

const isShelf = (value: unknown): value is Shelf =>
  typeof value === 'object' &&
  value !== null &&
  Object.values(value).every((those) => Array.isArray(those) && those.every(isBookmark));

const isBookmark = (value: unknown): value is KeptBookmark =>
  typeof value === 'object' &&
  value !== null &&
  ['name', 'place', 'dir'].every((key) => typeof Object.entries(value).find(([one]) => one === key)?.[1] === 'string');
