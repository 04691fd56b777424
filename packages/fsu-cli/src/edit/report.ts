/**
 * What an edit would change, for --dry-run: files, and places in the image. Only so many of each are listed, and the
 * others counted: an edit of a million files is told in constant memory.
 */
import { treeChanges } from 'ukfs';
import type { ChangedFile, CheckHow, Ukfs } from 'ukfs';
import { pathMembers } from '../format/json.ts';
import type { Json } from '../format/json.ts';
import { safeText } from '../format/name.ts';

/** Listed of each. */
const LIST_MAX = 1000;

type Extents = ReturnType<Ukfs['changes']>['extents'];

interface EditReport {
  readonly files: readonly ChangedFile[];
  readonly filesOmitted: number;
  readonly extents: Extents;
  readonly extentsOmitted: number;
  /** Of all extents. */
  readonly bytes: number;
}

/** Places of the image that an edit changes in the file system of the handle: several can lie in one image. */
export function extentsOf(fs: Ukfs): Extents {
  const { offset, sizeBytes } = fs.device;
  const end = offset + sizeBytes;
  return fs.changes().extents.filter((extent) => extent.offset < end && extent.offset + extent.length > offset);
}

const bytesOf = (extents: Extents): number => extents.reduce((sum, { length }) => sum + length, 0);

export function reportOf(fs: Ukfs, how: CheckHow = {}): EditReport {
  const extents = extentsOf(fs);
  const files: ChangedFile[] = [];
  let count = 0;
  const before = extents.length === 0 ? undefined : fs.committed();
  if (before !== undefined) {
    try {
      for (const { path, change } of treeChanges(before, fs, how)) {
        count++;
        if (files.length < LIST_MAX) files.push({ path, change });
      }
    } finally {
      before.close();
    }
  }
  return {
    files,
    filesOmitted: count - files.length,
    extents: extents.slice(0, LIST_MAX),
    extentsOmitted: Math.max(0, extents.length - LIST_MAX),
    bytes: bytesOf(extents),
  };
}

const some = (n: number, one: string): string => `${n} ${one}${n === 1 ? '' : 's'}`;

/** `image`: as messages name it. */
export function* linesOf(image: string, report: EditReport): Generator<string> {
  const { files, filesOmitted, extents, extentsOmitted, bytes } = report;
  const changes = some(files.length + filesOmitted, 'file');
  const places = some(extents.length + extentsOmitted, 'place');
  yield `${safeText(image)}: would change ${changes}, and ${some(bytes, 'byte')} of the image in ${places}`;
  for (const { path, change } of files) yield `  ${change.padEnd(8)} ${safeText(path)}`;
  if (filesOmitted > 0) yield `  and ${some(filesOmitted, 'more file')}`;
  for (const { offset, length } of extents) yield `  bytes    ${offset}-${offset + length - 1}`;
  if (extentsOmitted > 0) yield `  and ${some(extentsOmitted, 'more place')}`;
}

export function membersOf({ files, filesOmitted, extents, extentsOmitted, bytes }: EditReport): {
  readonly [key: string]: Json;
} {
  return {
    files: files.map(({ path, change }) => ({ ...pathMembers('path', path), change })),
    filesOmitted: filesOmitted === 0 ? undefined : filesOmitted,
    bytes,
    extents: extents.map(({ offset, length }) => ({ offset, length })),
    extentsOmitted: extentsOmitted === 0 ? undefined : extentsOmitted,
  };
}
