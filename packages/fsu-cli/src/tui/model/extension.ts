/** What stands behind the last dot of a name; a dot at its beginning hides the file, and begins none. */
export function extensionOf(name: string): string {
  const dot = name.lastIndexOf('.');
  return dot <= 0 ? '' : name.slice(dot + 1);
}
