/** Completion of a path of the host: image files first. */
import type { Shell } from '../context.ts';
import { CANDIDATES_MAX } from './candidate.ts';
import type { Candidate } from './candidate.ts';

/** How files that hold disks and file systems are commonly called. */
const IMAGE = /\.(img|image|raw|iso|bin|dd|fs|ext[234]|ffs|ufs|fat|vfat|qcow2?|vdi|vhdx?|vmdk|wic|hdd|disk|sdcard)$/i;

const looksLikeImage = (path: string): boolean => IMAGE.test(path);

/**
 * `images`: directories and what is called like an image, or all files where nothing is. `suffix`: what may follow the name of an
 * image in the same word.
 */
export async function completeHostPath(
  shell: Shell,
  word: string,
  { wanted, suffix }: { readonly wanted: 'images' | 'files' | 'directories'; readonly suffix: 'more' | 'nothing' },
): Promise<Candidate[]> {
  const typed = word.slice(0, word.lastIndexOf('/') + 1);
  const begin = word.slice(typed.length);
  const found: Candidate[] = [];
  for (const { name, isDir } of (await shell.names()).namesIn(inHome(shell, typed))) {
    if (!name.startsWith(begin) || (begin === '' && name.startsWith('.'))) continue;
    if (wanted === 'directories' && !isDir) continue;
    const more = isDir || (suffix === 'more' && looksLikeImage(name));
    found.push({ word: `${typed}${name}${isDir ? '/' : ''}`, says: '', more });
    if (found.length === CANDIDATES_MAX) break;
  }
  const likely =
    wanted === 'images' ? found.filter((one) => one.word.endsWith('/') || looksLikeImage(one.word)) : found;
  return (likely.length > 0 ? likely : found).sort((a, b) => (a.word < b.word ? -1 : 1));
}

/** `~/x` reaches us as it was typed. */
export function inHome(shell: Shell, path: string): string {
  const home = shell.env('HOME');
  return path.startsWith('~/') && home !== undefined ? home + path.slice(1) : path;
}
