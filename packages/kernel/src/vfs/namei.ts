/**
 * The only path walker: components, `.` and `..`, symbolic links (bounded), mount points, root directories, limits.
 *
 * File systems answer lookup(dvp, name) for one name and know no paths. Permission to search each directory is checked
 * here. Source of the rules: NetBSD namei(9), POSIX.1-2024 §4.16 Pathname Resolution.
 */
import type { Cred } from '../kern/cred.ts';
import { CorruptError, FsError } from '../kern/errno.ts';
import { PATH_MAX, SYMLOOP_MAX } from '../kern/limits.ts';
import { nameByteLength } from '../kern/name.ts';
import { cacheEnter, cacheLookup } from './namecache.ts';
import { ACCESS, type Slot } from './vnodeops.ts';
import { vref, vrele, type Vnode } from './vnode.ts';

/** Where a walk starts and for whom. */
export interface NameiContext {
  /** Root of the process (chroot) and current directory. */
  readonly rdir: Vnode;
  readonly cdir: Vnode;
  readonly cred: Cred;
}

export interface NameiOptions {
  /** Follow a symbolic link in the last component (trailing slashes always do). */
  readonly follow: boolean;
  /** The caller will change the last component's entry: its slot is needed, the name cache is no answer. */
  readonly modify?: boolean;
}

/** What the last component was, when it is not an ordinary name. */
type LastKind = 'name' | 'dot' | 'dotdot' | 'root';

/**
 * The result holds a reference on dvp and, when present, on vp; the caller drops both.
 * For `.`, `..` and `/` dvp is vp's own directory as walked and there is no slot.
 */
export interface Namei {
  readonly dvp: Vnode;
  /** Whoever lets go of it earlier sets it to undefined. */
  vp: Vnode | undefined;
  readonly name: string;
  readonly slot: Slot;
  readonly kind: LastKind;
  /** The path ended in a slash: only a directory will do. */
  readonly mustBeDirectory: boolean;
}

/** Errors: ENOENT (a directory on the way, or an empty path), ENOTDIR, EACCES, ELOOP, ENAMETOOLONG, EINVAL (NUL), EIO. */
export function namei(ctx: NameiContext, path: string, options: NameiOptions): Namei {
  if (path === '') throw new FsError('ENOENT');
  if (path.length >= PATH_MAX / 4 && nameByteLength(path) >= PATH_MAX) throw new FsError('ENAMETOOLONG');
  if (path.includes('\0')) throw new FsError('EINVAL', { what: 'path with a NUL byte' });

  let rest = path;
  let links = 0;
  let dvp = vref(rest.startsWith('/') ? ctx.rdir : ctx.cdir);
  try {
    for (;;) {
      // One component: skip slashes, take the name, see whether anything but slashes follows it.
      let start = 0;
      while (rest[start] === '/') start++;
      if (start === rest.length)
        return { dvp, vp: vref(dvp), name: '/', slot: undefined, kind: 'root', mustBeDirectory: true };
      const key = dvp.isRoot ? dvp.mount.type.lookupKey?.(dvp.mount, rest.slice(start)) : undefined;
      let end = key === undefined ? rest.indexOf('/', start) : start + key.length;
      if (end < 0) end = rest.length;
      const name = rest.slice(start, end);
      let next = end;
      while (rest[next] === '/') next++;
      const last = next === rest.length;
      const trailing = last && next > end;
      rest = rest.slice(next);

      if (key === undefined) searchable(dvp, ctx.cred);
      if (name === '.' || name === '..') {
        const vp = name === '.' ? vref(dvp) : parent(ctx, dvp);
        if (last) {
          const kind = name === '.' ? 'dot' : 'dotdot';
          return { dvp, vp, name, slot: undefined, kind, mustBeDirectory: true };
        }
        vrele(dvp);
        dvp = vp;
        continue;
      }
      const { nameMaxBytes } = dvp.mount.type.traits;
      if (key === undefined && name.length * 3 > nameMaxBytes && nameByteLength(name) > nameMaxBytes) {
        throw new FsError('ENAMETOOLONG');
      }

      const found: { vp: Vnode; slot?: Slot } | undefined = key ?? lookup(dvp, name, last && options.modify === true);
      if (found === undefined) {
        if (!last) throw new FsError('ENOENT');
        return { dvp, vp: undefined, name, slot: undefined, kind: 'name', mustBeDirectory: trailing };
      }
      let { vp } = found;
      let target: string | undefined;
      try {
        if (vp.type === 'lnk' && (!last || options.follow || trailing)) target = readTarget(vp, ++links);
        else {
          vp = crossMounts(vp);
          if ((!last || trailing) && vp.type !== 'dir') throw new FsError('ENOTDIR');
        }
      } catch (e) {
        vrele(vp);
        throw e;
      }
      if (target !== undefined) {
        vrele(vp);
        rest = joinTarget(target, rest, last, trailing);
        if (target.startsWith('/')) {
          vrele(dvp);
          dvp = vref(ctx.rdir);
        }
        continue;
      }
      if (last) return { dvp, vp, name, slot: found.slot, kind: 'name', mustBeDirectory: trailing };
      vrele(dvp);
      dvp = vp;
    }
  } catch (e) {
    vrele(dvp);
    throw e;
  }
}

/** The directory above, stopping at the process's root and stepping down from the roots of mounts. */
function parent(ctx: NameiContext, dvp: Vnode): Vnode {
  let vp = dvp;
  while (vp !== ctx.rdir && vp.isRoot) {
    const { covered } = vp.mount;
    if (covered === undefined) return vref(vp);
    vp = covered;
  }
  if (vp === ctx.rdir) return vref(vp);
  // What a removed directory still says of its parent means nothing.
  if (vp.ops.getattr(vp).nlink === 0) throw new FsError('ENOENT');
  const found = vp.ops.lookup(vp, '..');
  if (found === undefined) throw new FsError('ENOENT');
  if (found.vp.type !== 'dir') {
    vrele(found.vp);
    throw new CorruptError('`..` is not a directory', { ino: vp.ino });
  }
  return crossMounts(found.vp);
}

/** One name in one directory, through the name cache unless the entry's slot is needed. The vnode carries a reference. */
function lookup(dvp: Vnode, name: string, wantSlot: boolean): { vp: Vnode; slot: Slot } | undefined {
  if (!wantSlot) {
    const cached = cacheLookup(dvp, name);
    if (cached !== 'unknown') return cached === undefined ? undefined : { vp: cached, slot: undefined };
  }
  const found = dvp.ops.lookup(dvp, name);
  if (!dvp.mount.type.uncached) cacheEnter(dvp, name, found === undefined ? 0 : found.vp.ino);
  return found;
}

/** From a covered directory to the root of what is mounted there. Consumes and returns a reference. */
function crossMounts(vp: Vnode): Vnode {
  let at = vp;
  while (at.mountedHere !== undefined) {
    const root = at.mountedHere.type.root(at.mountedHere);
    vrele(at);
    at = root;
  }
  return at;
}

function searchable(dvp: Vnode, cred: Cred): void {
  if (dvp.type !== 'dir') throw new FsError('ENOTDIR');
  if (cred.uid !== 0) dvp.ops.access(dvp, ACCESS.EXEC, cred);
}

function readTarget(vp: Vnode, links: number): string {
  if (links > SYMLOOP_MAX) throw new FsError('ELOOP');
  const target = vp.ops.readlink(vp);
  if (target === '') throw new FsError('ENOENT');
  return target;
}

function joinTarget(target: string, rest: string, last: boolean, trailing: boolean): string {
  const joined = last ? (trailing ? `${target}/` : target) : `${target}/${rest}`;
  if (nameByteLength(joined) >= PATH_MAX) throw new FsError('ENAMETOOLONG');
  return joined;
}
