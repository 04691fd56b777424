/** What of a file's attributes is not as a manifest says, and how to make it so. */
import { FsError, walk } from 'ukfs';
import type { Ukfs } from 'ukfs';
import type { Stat } from '@ukfs/kernel';
import type { Step } from './enforce.ts';
import type { Attributes } from './manifest.ts';

/** Numbers of names, by the image's own passwd and group. */
export interface OwnersOf {
  uid(name: string): number | undefined;
  gid(name: string): number | undefined;
}

interface Wanted {
  readonly attributes: Attributes;
  readonly found: Stat;
  /** The file is written to before its attributes are set. */
  readonly written: boolean;
  readonly owners: OwnersOf;
}

/** In the order in which they have to be done: a change of owner takes set-id bits away, flags may forbid all others. */
export function attributeSteps(fs: Ukfs, path: string, { attributes, found, written, owners }: Wanted): Step[] {
  const { mode, xattrs, flags, mtime } = attributes;
  const steps: Step[] = [];
  const ids = idsOf(attributes, owners);
  const chowns = ownerDiffers(found, ids);
  if (chowns) steps.push({ what: 'owner', act: () => fs.lchown(path, ids.uid ?? -1, ids.gid ?? -1) });
  const wanted = found.type === 'lnk' ? found.mode : (mode ?? found.mode);
  if (wanted !== found.mode) steps.push({ what: 'mode', act: () => fs.lchmod(path, wanted) });
  else if (chowns && found.type !== 'lnk') steps.push({ what: 'owner', act: () => keepMode(fs, path, wanted) });
  for (const [name, value] of xattrs) {
    const now = fs.getxattr(path, name, { nofollow: true });
    if (value === undefined) {
      if (now !== undefined) steps.push({ what: 'xattrs', act: () => fs.removexattr(path, name, { nofollow: true }) });
    } else if (now === undefined || !areSame(now, value)) {
      steps.push({ what: 'xattrs', act: () => fs.setxattr(path, name, value, { nofollow: true }) });
    }
  }
  const isOther = found.mtime.sec !== mtime?.sec || found.mtime.nsec !== mtime.nsec;
  if (mtime !== undefined && (isOther || written))
    steps.push({ what: 'mtime', act: () => fs.lutimes(path, 'omit', mtime) });
  if (flags !== undefined && flags !== found.flags) steps.push({ what: 'flags', act: () => fs.lchflags(path, flags) });
  return steps;
}

function keepMode(fs: Ukfs, path: string, mode: number): void {
  if (fs.lstat(path).mode !== mode) fs.lchmod(path, mode);
}

const areSame = (a: Uint8Array, b: Uint8Array): boolean => a.length === b.length && a.every((byte, i) => byte === b[i]);

interface Ids {
  readonly uid: number | undefined;
  readonly gid: number | undefined;
}

function idsOf({ owner, group }: Attributes, owners: OwnersOf): Ids {
  const look = (name: string | number | undefined, find: (name: string) => number | undefined): number | undefined => {
    if (typeof name !== 'string') return name;
    const id = find(name);
    if (id === undefined) throw new FsError('EINVAL', { what: `the image knows no '${name}'` });
    return id;
  };
  return { uid: look(owner, (name) => owners.uid(name)), gid: look(group, (name) => owners.gid(name)) };
}

const ownerDiffers = (found: Stat, { uid, gid }: Ids): boolean =>
  (uid !== undefined && uid !== found.uid) || (gid !== undefined && gid !== found.gid);

interface Below {
  readonly attributes: Attributes;
  readonly owners: OwnersOf;
  /** The manifest gives this path an owner of its own. */
  hasOwner(path: string): boolean;
}

/** The owner of all that is below a directory. */
export function belowSteps(fs: Ukfs, root: string, { attributes, owners, hasOwner }: Below): Step[] {
  const ids = idsOf(attributes, owners);
  const isOther = ({ path, stat }: Found): boolean => ownerDiffers(stat, ids) && !hasOwner(path);
  if (!someBelow(fs, root, isOther)) return [];
  const act = (): void => {
    someBelow(fs, root, (found) => {
      const { path, stat } = found;
      if (!isOther(found)) return false;
      fs.lchown(path, ids.uid ?? -1, ids.gid ?? -1);
      if (stat.type !== 'lnk') keepMode(fs, path, stat.mode);
      return false;
    });
  };
  return [{ what: 'owner below', act }];
}

interface Found {
  readonly path: string;
  readonly stat: Stat;
}

/** Shows each entry below; true as soon as one is told so. */
function someBelow(fs: Ukfs, root: string, look: (found: Found) => boolean): boolean {
  for (const { path, depth, stat, error } of walk(fs, root, { crossMounts: false })) {
    if (error !== undefined) throw error;
    if (depth > 0 && stat !== undefined && look({ path, stat })) return true;
  }
  return false;
}
