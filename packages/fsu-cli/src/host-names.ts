/** Names in directories of the host, for completion. Loaded only by that. */
import * as fs from 'node:fs';
import { nameFromBytes, nameToBytes } from 'ukfs';

interface HostName {
  readonly name: string;
  /** Links are followed. */
  readonly isDir: boolean;
}

/** `dir` as typed: '' is the current directory. A directory that cannot be read offers nothing. */
export function* namesIn(dir: string): Generator<HostName> {
  const place = Buffer.from(nameToBytes(dir === '' ? './' : `${dir}/`));
  for (const entry of entriesOf(place)) {
    const isDirectory = entry.isSymbolicLink() ? leadsToDir(Buffer.concat([place, entry.name])) : entry.isDirectory();
    yield { name: nameFromBytes(entry.name), isDir: isDirectory };
  }
}

function entriesOf(place: Buffer): readonly fs.Dirent<Buffer>[] {
  try {
    return fs.readdirSync(place, { withFileTypes: true, encoding: 'buffer' });
  } catch (thrown) {
    if (thrown instanceof Error && 'code' in thrown) return [];
    throw thrown;
  }
}

const leadsToDir = (path: Buffer): boolean => fs.statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
