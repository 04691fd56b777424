/** The manifest's own file, and which directory it is of. */
import { FsError, nameToBytes } from 'ukfs';
import type { Stat, TreeFile, Ukfs } from 'ukfs';
import { baseOf, joinPath, parentOf } from '../../copying.ts';
import type { HostTrees } from '../../host.ts';
import { Manifest } from './read.ts';
import { checkHeader, HEADER, MANIFEST_NAME } from './record.ts';
import type { ManifestRecord } from './record.ts';
import type { ManifestOut } from './write.ts';

/** Text kept before it is written. */
const BUFFER = 64 * 1024;

/** Records go behind those that are there. The file is made with the first of them: its directory may not be there yet. */
export class ManifestFile implements ManifestOut {
  readonly absent = new Set<string>();
  readonly #open: () => { readonly file: TreeFile; readonly size: number };
  #file: TreeFile | undefined;
  #at = 0;
  #text = '';

  constructor(open: () => { readonly file: TreeFile; readonly size: number }) {
    this.#open = open;
  }

  write(line: string): void {
    this.#text += line;
    if (this.#file === undefined || this.#text.length >= BUFFER) this.#flush();
  }

  #flush(): void {
    if (this.#file === undefined) {
      const { file, size } = this.#open();
      this.#file = file;
      this.#at = size;
      if (size === 0) this.#text = HEADER + this.#text;
      else {
        // Whatever else is called so is not ours to write to.
        const head = new Uint8Array(HEADER.length);
        file.read(head, 0);
        checkHeader(new TextDecoder().decode(head));
      }
    }
    const bytes = nameToBytes(this.#text);
    this.#file.write(bytes, this.#at);
    this.#at += bytes.length;
    this.#text = '';
  }

  close(): void {
    if (this.#text !== '') this.#flush();
    this.#file?.close();
  }
}

interface Found {
  readonly manifest: Manifest;
  /** Of the operand's parent directory, as recordedTree() wants it; and of the operand, whose contents are copied. */
  readonly ofParent: string | undefined;
  readonly ofItself: string;
}

/** The manifest for a host path: the one given, or that of the directory, or the one beside it. Errors: ENOENT, EFTYPE. */
export function findManifest(trees: HostTrees, path: string, given: string | undefined): Found {
  const isDir = trees.hostKind(path) === 'dir';
  const inside = joinPath(path, MANIFEST_NAME);
  const name = baseOf(path);
  const beside = { ofParent: '', ofItself: name };
  const own = { ofParent: undefined, ofItself: '' };
  const read = (file: string): Manifest => {
    if (trees.hostKind(file) === 'none')
      throw new FsError('ENOENT', { op: 'copy', path, what: `there is no manifest ${file}` });
    return new Manifest(trees.openHostFile(file, 'read').file);
  };
  if (given !== undefined) {
    const manifest = read(given);
    return { manifest, ...(isDir && manifest.find('.') !== undefined ? own : beside) };
  }
  if (isDir && trees.hostKind(inside) === 'other') return { manifest: read(inside), ...own };
  const file = joinPath(parentOf(path) === '' ? '/' : parentOf(path), MANIFEST_NAME);
  return { manifest: read(file), ...beside };
}

/** The directory whose contents were copied, for it is no entry of them. */
export function rootRecord(fs: Ukfs, path: string): ManifestRecord {
  const { type, mode, uid, gid, atime, mtime, birthtime, flags }: Stat = fs.stat(path);
  const xattrs = new Map<string, Uint8Array>();
  for (const name of fs.traits.xattr ? fs.listxattr(path) : []) {
    const value = fs.getxattr(path, name);
    if (value !== undefined) xattrs.set(name, value);
  }
  const times = { atime, mtime, ...(birthtime === undefined ? {} : { birthtime }) };
  const none = { name: undefined, rdev: undefined, target: undefined, link: undefined, absent: false, untimed: false };
  return { path: '.', type, mode, uid, gid, ...times, flags, xattrs, ...none };
}

/** Give a directory of an image what the manifest says of the one that its contents came from. */
export function applyRoot(fs: Ukfs, path: string, record: ManifestRecord): void {
  const { mode, uid, gid, atime, mtime, birthtime, flags, xattrs } = record;
  if (record.type !== 'dir') throw new FsError('EFTYPE', { op: 'manifest', what: 'its directory is none' });
  if (fs.traits.xattr) for (const [name, value] of xattrs) fs.setxattr(path, name, value);
  if (fs.traits.owners) fs.chown(path, uid ?? -1, gid ?? -1);
  if (mode !== undefined) fs.chmod(path, mode);
  if (birthtime !== undefined) fs.setbirthtime(path, birthtime);
  fs.utimes(path, atime ?? 'omit', mtime ?? 'omit');
  if (flags !== undefined && flags !== 0) fs.chflags(path, flags & fs.traits.flags);
}
