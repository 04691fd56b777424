/** Where symbolic links of a directory lead. */
import { FsError } from 'ukfs';
import type { Link } from '../model/links.ts';
import { pathIn } from '../model/state.ts';

/** A file system of an image, or the host. */
interface LinkSource {
  readlink(path: string): string;
  /** Links are followed. */
  exists(path: string): boolean;
}

/** What cannot be read is not told. In slices. */
export function* linksIn(
  source: LinkSource,
  dir: string,
  names: readonly string[],
): Generator<undefined, readonly Link[]> {
  const links: Link[] = [];
  for (const name of names) {
    const path = pathIn(dir, name);
    const target = tried(() => source.readlink(path));
    // Links that lead to each other lead nowhere.
    if (target !== undefined) links.push({ name, target, isBroken: tried(() => source.exists(path)) !== true });
    yield;
  }
  return links;
}

function tried<T>(act: () => T): T | undefined {
  try {
    return act();
  } catch (thrown) {
    if (!(thrown instanceof FsError)) throw thrown;
    return undefined;
  }
}
