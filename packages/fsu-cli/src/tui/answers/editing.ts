/** Edits, on the other side. */
import { FsError, nameFromBytes } from 'ukfs';
import type { VType } from 'ukfs';
import type { RemoteUkfs } from 'ukfs/remote';
import type { CommitAdvance, Conflict } from '../model/ask.ts';
import { HOST, pathIn } from '../model/state.ts';
import type { PlaceId } from '../model/state.ts';
import { lineFromEditor } from './editor.ts';
import type { Answerers, Asking } from './index.ts';

export const editingAnswerers: Pick<
  Answerers,
  | 'run'
  | 'stop'
  | 'undo'
  | 'discard'
  | 'review'
  | 'commit'
  | 'conflicts'
  | 'below'
  | 'clashes'
  | 'complete'
  | 'saveScript'
  | 'keepBookmarks'
  | 'editor'
> = {
  async run({ lines, mayEdit }, { desk, part }) {
    const item = (value: unknown): void => {
      if (isAdvance(value)) part(value);
    };
    const result = await desk.call('run', [lines.join('\n'), { mayEdit }], { item });
    const { isStaged, held, needsWord, status, messages, output, isCut } = result;
    const text = nameFromBytes(output).replace(/\n$/, '');
    const printed = text === '' ? [] : text.split('\n');
    const kept = isCut ? [...printed, '(more was printed than is kept)'] : printed;
    return { lines, isStaged, held, needsWord, status, messages, output: kept };
  },
  stop: (_, { desk }) => desk.call('stop', []),
  undo: (_, { desk }) => desk.call('undo', []),
  discard: (_, { desk }) => desk.call('discard', []),
  review: (_, { desk, signal }) => desk.call('review', [], { signal }),
  commit: (_, { desk, part }) =>
    desk.call('commit', [], {
      item: (value) => {
        if (isCommitAdvance(value)) part(value);
      },
    }),
  async conflicts({ place, paths, isCut, to, dir }, { desk, signal }) {
    const names = paths.map(baseName);
    const there = await kindsOf(
      to,
      names.map((name) => pathIn(dir, name)),
      { desk, signal },
    );
    const clashing = paths.filter((_, at) => there[at] !== undefined);
    const sources = await kindsOf(place, clashing, { desk, signal });
    const kindThere = new Map(names.map((name, at) => [name, there[at]]));
    const conflicts = clashing.map((path, at): Conflict => {
      const name = baseName(path);
      const dirs = [sources[at], kindThere.get(name)].filter((kind) => kind === 'dir').length;
      return { name, kind: dirs === 2 ? 'directories' : dirs === 1 ? 'unlike' : 'file' };
    });
    return { wish: { place, paths, isCut, to, dir }, conflicts };
  },
  below: ({ place, paths }, { desk, signal }) => desk.call('below', [place, paths], { signal }),
  clashes: ({ place, path, to, target }, { desk, signal }) =>
    desk.call('clashes', [place, path, to, target], { signal }),
  complete: async ({ place, dir, line }, { desk, signal }) => ({
    line,
    ...(await desk.call('complete', [place, dir, line], { signal })),
  }),
  saveScript({ file, image, lines, mayReplace }, { writeScript }) {
    try {
      writeScript(file, image, lines, mayReplace);
      return Promise.resolve({ file, isSaved: true });
    } catch (thrown) {
      if (!mayReplace && thrown instanceof FsError && thrown.code === 'EEXIST')
        return Promise.resolve({ file, isSaved: false });
      return Promise.reject(thrown instanceof Error ? thrown : new Error(String(thrown)));
    }
  },
  // Not at once: what it throws is an answer, too.
  keepBookmarks: async ({ bookmarks }, { keepBookmarks }) => {
    await Promise.resolve();
    keepBookmarks(bookmarks);
    return undefined;
  },
  editor: async ({ place, path, options }, { desk, editor }) =>
    lineFromEditor(await desk.fs(place), path, editor, options),
};

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

/** What the paths are, links not followed; undefined: nothing. */
async function kindsOf(
  place: PlaceId,
  paths: readonly string[],
  { desk, signal }: Pick<Asking<'conflicts'>, 'desk' | 'signal'>,
): Promise<readonly (VType | undefined)[]> {
  if (place === HOST) return desk.call('hostKinds', [paths]);
  const fs = (await desk.fs(place)).until(signal);
  const kinds: (VType | undefined)[] = [];
  for (const path of paths) kinds.push(await kindIn(fs, path));
  return kinds;
}

async function kindIn(fs: RemoteUkfs, path: string): Promise<VType | undefined> {
  try {
    return (await fs.lstat(path)).type;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return undefined;
    throw thrown;
  }
}

const isAdvance = (value: unknown): value is { readonly files: number; readonly bytes: number } =>
  typeof value === 'object' && value !== null && 'files' in value && 'bytes' in value;

const isCommitAdvance = (value: unknown): value is CommitAdvance =>
  typeof value === 'object' && value !== null && 'into' in value && 'doneBytes' in value && 'totalBytes' in value;
