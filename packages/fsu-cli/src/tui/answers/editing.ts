/** Edits, on the other side. */
import { FsError, nameFromBytes } from 'ukfs';
import type { RemoteUkfs } from 'ukfs/remote';
import { pathIn } from '../model/state.ts';
import { lineFromEditor } from './editor.ts';
import type { Answerers } from './index.ts';

export const editingAnswerers: Pick<
  Answerers,
  'run' | 'stop' | 'undo' | 'discard' | 'review' | 'commit' | 'conflicts' | 'saveScript' | 'editor'
> = {
  async run({ line, mayEdit }, { desk, part }) {
    const item = (value: unknown): void => {
      if (isAdvance(value)) part(value);
    };
    const result = await desk.call('run', [line, { mayEdit }], { item });
    const { isStaged, held, needsWord, status, messages, output, isCut } = result;
    const text = nameFromBytes(output).replace(/\n$/, '');
    const lines = text === '' ? [] : text.split('\n');
    const kept = isCut ? [...lines, '(more was printed than is kept)'] : lines;
    return { line, isStaged, held, needsWord, status, messages, output: kept };
  },
  stop: (_, { desk }) => desk.call('stop', []),
  undo: (_, { desk }) => desk.call('undo', []),
  discard: (_, { desk }) => desk.call('discard', []),
  review: (_, { desk, signal }) => desk.call('review', [], { signal }),
  commit: (_, { desk }) => desk.call('commit', []),
  async conflicts({ place, paths, isCut, to, dir }, { desk, signal }) {
    const wish = { place, paths, isCut, to, dir };
    if (wish.to === 'host') return { wish, names: await desk.call('hostNames', [wish.dir, wish.paths.map(baseName)]) };
    const fs = (await desk.fs(wish.to)).until(signal);
    const names: string[] = [];
    for (const name of wish.paths.map(baseName)) if (await isThere(fs, pathIn(wish.dir, name))) names.push(name);
    return { wish, names };
  },
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
  editor: async ({ place, path, options }, { desk, editor }) =>
    lineFromEditor(await desk.fs(place), path, editor, options),
};

const baseName = (path: string): string => path.slice(path.lastIndexOf('/') + 1);

async function isThere(fs: RemoteUkfs, path: string): Promise<boolean> {
  try {
    await fs.lstat(path);
    return true;
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown && thrown.code === 'ENOENT') return false;
    throw thrown;
  }
}

const isAdvance = (value: unknown): value is { readonly files: number; readonly bytes: number } =>
  typeof value === 'object' && value !== null && 'files' in value && 'bytes' in value;
