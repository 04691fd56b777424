/** Putting paths together. Taking them apart to look something up is the kernel's business (namei). */

export const joinPath = (dir: string, name: string): string => (dir.endsWith('/') ? `${dir}${name}` : `${dir}/${name}`);

/** The path without its last component; undefined when there is none to leave out. */
export function parentOf(path: string): string | undefined {
  const slash = path.lastIndexOf('/');
  const parent = path.slice(0, Math.max(0, slash)).replace(/\/+$/, '');
  return parent === '' ? undefined : parent;
}

/** The last component; empty for "/". */
export function baseOf(path: string): string {
  const trimmed = path.replace(/\/+$/, '');
  return trimmed.slice(trimmed.lastIndexOf('/') + 1);
}
