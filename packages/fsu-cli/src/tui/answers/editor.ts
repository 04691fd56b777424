/** A file of an image in a person's editor: what was changed becomes a line of the script. */
import { FsError, nameFromBytes } from 'ukfs';
import type { RemoteUkfs } from 'ukfs/remote';
import type { EditedCopy } from '../../host-editor.ts';
import { hereDocument, quoted } from '../model/words.ts';

/** What the terminal's side offers: it is the editor's for a while. */
export interface EditorDoor {
  edit(name: string, pieces: AsyncIterable<Uint8Array>): Promise<EditedCopy>;
}

const PIECE = 1 << 20;
/** Text up to here goes into the script itself; all else stays a file beside it. */
const INLINE_MAX = 64 * 1024;

/** The line that writes the new contents; undefined: they are the old ones. */
export async function lineFromEditor(
  fs: RemoteUkfs,
  path: string,
  door: EditorDoor,
  options: readonly string[],
): Promise<string | undefined> {
  const name = path.slice(path.lastIndexOf('/') + 1);
  const copy = await door.edit(name, piecesOf(fs, path));
  if (copy.status !== 0) {
    copy.remove();
    throw new FsError('ECANCELED', { what: `the editor failed (${copy.status}); nothing was changed` });
  }
  if (!copy.isChanged) {
    copy.remove();
    return undefined;
  }
  const verb = ['write', ...options, '--', quoted(path)].join(' ');
  const contents = copy.contents(INLINE_MAX);
  const text = contents === undefined ? undefined : hereDocument(nameFromBytes(contents));
  if (text === undefined) return `${verb} < ${quoted(copy.path)}`;
  copy.remove();
  return `${verb} ${text}`;
}

async function* piecesOf(fs: RemoteUkfs, path: string): AsyncGenerator<Uint8Array> {
  const fd = await fs.open(path, 'r');
  try {
    for (;;) {
      const buffer = new Uint8Array(PIECE);
      const n = await fs.read(fd, buffer);
      if (n === 0) return;
      yield buffer.subarray(0, n);
    }
  } finally {
    await fs.close(fd);
  }
}
