/**
 * Aliases of images, as NetBSD's fs-utils keep them in ~/.fsurc: lines `name:path:fstype[:mntopts[:puffsexec]]`. The file is looked
 * at only where an image's name is no file's. What puffsexec names was a program of NetBSD's; it is not used.
 */
import { UsageError } from './command.ts';

interface Alias {
  readonly image: string;
  readonly mount: { readonly type?: string; readonly options?: string };
}

/** Names that are no path, and that no address could take for a drive. */
export const mayBeAlias = (image: string): boolean => image !== '' && image !== '-' && !/[/\\:]/.test(image);

/** undefined: there is no such alias. UsageError: its line makes no sense. Of several lines the first one counts. */
export function aliasNamed(name: string, text: string | undefined): Alias | undefined {
  if (text === undefined) return undefined;
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    const [alias, path, type, options = ''] = line.trim().split(':');
    if (alias !== name || line.trim().startsWith('#')) continue;
    if (path === undefined || path === '' || type === undefined)
      throw new UsageError(`~/.fsurc:${at + 1}: '${name}' wants NAME:PATH:TYPE[:OPTIONS]`);
    return { image: path, mount: { ...(type === '' ? {} : { type }), ...(options === '' ? {} : { options }) } };
  }
  return undefined;
}
