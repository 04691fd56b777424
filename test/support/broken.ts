/**
 * tmpfs with one rule broken at a time, for the proof that the conformance suite finds what it claims to find.
 *
 * A rule is broken in the VOP table of the mount, in the type (traits, statvfs, handles) or in a system call, whichever
 * is the place where the mistake would be made. Everything else stays sound.
 */
import { MNT, O, type FileSystemType, type VfsSyscalls } from '@ukfs/kernel';

/* eslint-disable typescript/no-explicit-any -- reaches into tmpfs's nodes on purpose */
/** tmpfs's insides, as far as the broken rules need them. */
type Ops = Record<string, (...args: any[]) => any>;

export interface BrokenRule {
  readonly rule: string;
  /** Beginnings of the names of the cases that must find it, each of them. */
  readonly foundBy: readonly string[];
  /** VOPs to put in the place of the sound ones. */
  readonly ops?: (ops: Ops) => Ops;
  /** Changes to the type. */
  readonly type?: (type: FileSystemType) => Partial<FileSystemType>;
  readonly sys?: (sys: VfsSyscalls) => Partial<VfsSyscalls>;
}

/** The type with the rule broken. */
export function breakType(type: FileSystemType, rule: BrokenRule): FileSystemType {
  const changed: FileSystemType = { ...type, ...rule.type?.(type) };
  const { mount } = changed;
  return {
    ...changed,
    mount(mp) {
      mount(mp);
      const fs = mp.data as { ops: Ops };
      if (rule.ops !== undefined) fs.ops = { ...fs.ops, ...rule.ops(fs.ops) };
    },
  };
}

export const breakSys = (sys: VfsSyscalls, rule: BrokenRule): VfsSyscalls => ({ ...sys, ...rule.sys?.(sys) });

/** Remove everything in a directory without asking. */
function empty(ops: Ops, vp: any): void {
  for (const { name, type } of ops['readdir']!(vp, 2, 1e6)) {
    const found = ops['lookup']!(vp, name);
    if (type === 'dir') {
      empty(ops, found.vp);
      ops['rmdir']!(vp, found.vp, name, found.slot);
    } else ops['remove']!(vp, found.vp, name, found.slot);
    found.vp.usecount--;
  }
}

/** Run the sound operation, then put fields of a node back. */
function keeping(ops: Ops, op: string, fields: readonly string[], nodeOf: (args: any[]) => any): Ops {
  return {
    [op](...args: any[]) {
      const node = nodeOf(args);
      const before = Object.fromEntries(fields.map((f) => [f, node[f]]));
      const result = ops[op]!(...args);
      Object.assign(node, before);
      return result;
    },
  };
}

const first = (args: any[]): any => args[0].data;

/** Remember what a cut takes away and give it back when the file grows. */
function keepsOldData(ops: Ops): Ops {
  const old = new WeakMap<object, Uint8Array>();
  const giveBack = (vp: any, from: number, to: number): void => {
    const bytes = old.get(vp.data);
    if (bytes !== undefined && to > from) ops['write']!(vp, bytes.subarray(from, to), from);
  };
  return {
    setattr(vp: any, attr: any) {
      const size = vp.data.data?.size ?? 0;
      if (attr.size !== undefined && attr.size < size) {
        const all = new Uint8Array(Math.min(size, 200_000));
        ops['read']!(vp, all, 0);
        old.set(vp.data, all);
      }
      ops['setattr']!(vp, attr);
      if (attr.size !== undefined && attr.size > size) giveBack(vp, size, attr.size);
    },
    write(vp: any, src: Uint8Array, offset: number) {
      const size: number = vp.data.data.size;
      if (offset > size) giveBack(vp, size, offset);
      return ops['write']!(vp, src, offset);
    },
  };
}

/** A hole shows what was in memory before. */
function garbageInHoles(ops: Ops): Ops {
  return {
    read(vp: any, dst: Uint8Array, offset: number) {
      const n: number = ops['read']!(vp, dst, offset);
      for (let at = offset; at < offset + n;) {
        const hole = ops['seek']!(vp, at, 'hole') ?? Infinity;
        if (hole >= offset + n) break;
        const data = ops['seek']!(vp, hole, 'data') ?? Infinity;
        dst.fill(0xa5, hole - offset, Math.min(n, data - offset));
        at = data;
      }
      return n;
    },
  };
}

export const brokenRules: readonly BrokenRule[] = [
  {
    rule: 'rmdir of a non-empty directory succeeds',
    foundBy: ['t_vnops dir_notempty', 'tmpfs/t_rmdir'],
    ops: (ops) => ({
      rmdir(dvp, vp, name, slot) {
        empty(ops, vp);
        ops['rmdir']!(dvp, vp, name, slot);
      },
    }),
  },
  {
    rule: 'link does not raise nlink',
    foundBy: ['tmpfs/t_link', 't_vnops rename_reg_nodir'],
    ops: (ops) => keeping(ops, 'link', ['nlink'], (args) => args[1].data),
  },
  {
    rule: 'unlink does not lower nlink',
    foundBy: ['tmpfs/t_link', 't_io read_after_unlink'],
    ops: (ops) => keeping(ops, 'remove', ['nlink'], (args) => args[1].data),
  },
  {
    rule: '`..` is not rewritten when a directory moves',
    foundBy: ['t_vnops rename_dir', 'rename() of a directory across directories'],
    ops: (ops) => ({
      rename(from, to, flags) {
        const parent = from.vp.data.dir?.parent;
        ops['rename']!(from, to, flags);
        if (parent !== undefined) from.vp.data.dir.parent = parent;
      },
    }),
  },
  {
    rule: "moving a directory leaves the new parent's nlink",
    foundBy: ['t_vnops rename_dir', 'rename() of a directory across directories'],
    ops: (ops) => keeping(ops, 'rename', ['nlink'], (args) => args[1].dvp.data),
  },
  {
    rule: "mkdir forgets the parent's nlink",
    foundBy: ['tmpfs/t_mkdir', 't_vnops rename_dir'],
    ops: (ops) => keeping(ops, 'mkdir', ['nlink'], first),
  },
  {
    rule: "rmdir forgets the parent's nlink",
    foundBy: ['tmpfs/t_rmdir'],
    ops: (ops) => keeping(ops, 'rmdir', ['nlink'], first),
  },
  {
    rule: 'O_EXCL is ignored',
    foundBy: ['t_vnops create_exist'],
    sys: (sys) => ({ open: (path, flags, mode) => sys.open(path, flags & ~O.EXCL, mode) }),
  },
  {
    rule: 'a hole reads garbage',
    foundBy: ['a hole in the middle', 't_io wrrd_after_unlink', 'a sparse file takes space only'],
    ops: garbageInHoles,
  },
  {
    rule: 'truncate keeps old data',
    foundBy: ['t_io overwrite_trunc', 'data cut away by truncate', 't_io shrinkfile'],
    ops: keepsOldData,
  },
  {
    rule: 'write does not update mtime',
    foundBy: ['t_mtime_write mtime_update_on_write'],
    ops: (ops) => keeping(ops, 'write', ['mtime'], first),
  },
  {
    rule: 'O_TRUNC does not update mtime',
    foundBy: ['t_mtime_otrunc otrunc_mtime_update', 'tmpfs/t_times'],
    ops: (ops) => keeping(ops, 'setattr', ['mtime'], first),
  },
  {
    rule: "creating does not update the directory's mtime",
    foundBy: ['tmpfs/t_times'],
    ops: (ops) => keeping(ops, 'create', ['mtime', 'ctime'], first),
  },
  {
    rule: "unlinking does not update the directory's mtime",
    foundBy: ['tmpfs/t_times'],
    ops: (ops) => keeping(ops, 'remove', ['mtime'], first),
  },
  {
    rule: 'rename does not update the mtime of the directory it leaves',
    foundBy: ['tmpfs/t_times'],
    ops: (ops) => keeping(ops, 'rename', ['mtime'], (args) => args[0].dvp.data),
  },
  {
    rule: 'chmod does not update ctime',
    foundBy: ['tmpfs/t_times', 'utimens() sets'],
    ops: (ops) => keeping(ops, 'setattr', ['ctime'], first),
  },
  {
    rule: 'an unlinked open file loses its data',
    foundBy: ['t_io read_after_unlink', 'an unlinked open file keeps'],
    ops: (ops) => ({
      remove(dvp, vp, name, slot) {
        ops['remove']!(dvp, vp, name, slot);
        if (vp.data.nlink === 0) vp.data.data?.resize(0);
      },
    }),
  },
  {
    rule: 'a file that is renamed over loses its data while it is open',
    foundBy: ['rename() over a file that is open'],
    ops: (ops) => ({
      rename(from, to, flags) {
        ops['rename']!(from, to, flags);
        if (flags.exchange !== true) to.found?.vp.data.data?.resize(0);
      },
    }),
  },
  {
    rule: 'readdir counts entries and skips after a removal',
    foundBy: ['readdir while entries are removed', 'readdir that removes each entry'],
    ops: (ops) => ({
      readdir: (vp, cookie, max) =>
        ops['readdir']!(vp, 0, 1e6)
          .slice(cookie, cookie + max)
          .map((e: object, i: number) => ({ ...e, next: cookie + i + 1 })),
    }),
  },
  {
    rule: 'readdir shows the last entry of a page twice',
    foundBy: ['tmpfs/t_readdir', 'getdents() in pages'],
    ops: (ops) => ({
      readdir(vp, cookie, max) {
        const page = ops['readdir']!(vp, cookie, max);
        return [...page, ...page.slice(-1)];
      },
    }),
  },
  {
    rule: 'readdir tells a wrong type',
    foundBy: ['tmpfs/t_readdir'],
    ops: (ops) => ({
      readdir: (vp, cookie, max) => ops['readdir']!(vp, cookie, max).map((e: object) => ({ ...e, type: 'reg' })),
    }),
  },
  {
    rule: "readdir tells the directory's own number for `..`",
    foundBy: ['tmpfs/t_readdir', 'rename() of a directory across directories'],
    ops: (ops) => ({
      readdir: (vp, cookie, max) =>
        ops['readdir']!(vp, cookie, max).map((e: any) => (e.name === '..' ? { ...e, ino: vp.ino + 1 } : e)),
    }),
  },
  {
    rule: 'ENAMETOOLONG is missing',
    foundBy: ['t_vnops create_nametoolong', 't_vnops rename_nametoolong'],
    type: (type) => ({ traits: { ...type.traits, nameMaxBytes: 4000 } }),
    ops: () => ({ pathconf: (_vp, name) => (name === 'nameMax' ? 255 : 1) }),
  },
  {
    rule: 'rename over a non-empty directory succeeds',
    foundBy: ['t_vnops rename_dir', 'tmpfs/t_rename'],
    ops: (ops) => ({
      rename(from, to, flags) {
        if (to.found?.vp.type === 'dir' && flags.exchange !== true) empty(ops, to.found.vp);
        ops['rename']!(from, to, flags);
      },
    }),
  },
  {
    rule: 'the length of a symbolic link is wrong',
    foundBy: ['t_vnops lstat_symlink', 't_vnops symlink_long'],
    ops: (ops) => ({
      getattr(vp) {
        const attr = ops['getattr']!(vp);
        return vp.type === 'lnk' ? { ...attr, size: attr.size + 1 } : attr;
      },
    }),
  },
  {
    rule: 'a long link target is cut',
    foundBy: ['t_vnops symlink_long', 'pathconf() tells the limits'],
    ops: (ops) => ({ symlink: (dvp, name, attr, target) => ops['symlink']!(dvp, name, attr, target.slice(0, 1000)) }),
  },
  {
    rule: 'a hard link shares nothing',
    foundBy: ['tmpfs/t_link', 't_vnops rename_reg_nodir'],
    ops: (ops) => ({
      link(dvp, vp, name) {
        const { type, mode, uid, gid } = vp.data;
        const copy = ops['create']!(dvp, name, { type, mode, uid, gid });
        copy.usecount--;
      },
    }),
  },
  {
    rule: 'chmod drops the sticky bit',
    foundBy: ['every permission bit is kept', 'in a sticky directory'],
    ops: (ops) => ({
      setattr: (vp, attr) =>
        ops['setattr']!(vp, attr.mode === undefined ? attr : { ...attr, mode: attr.mode & ~0o1000 }),
    }),
  },
  {
    rule: 'chown does nothing',
    foundBy: ['t_vnops attrs', 't_unpriv owner'],
    ops: (ops) => keeping(ops, 'setattr', ['uid', 'gid'], first),
  },
  {
    rule: 'large user numbers are cut to 16 bits',
    foundBy: ['large user and group numbers'],
    ops: (ops) => ({
      getattr(vp) {
        const attr = ops['getattr']!(vp);
        return { ...attr, uid: attr.uid & 0xffff };
      },
    }),
  },
  {
    rule: 'append writes at the position',
    foundBy: ['O_APPEND writes at the end', 't_io extendfile_append'],
    sys: (sys) => ({ open: (path, flags, mode) => sys.open(path, flags & ~O.APPEND, mode) }),
  },
  {
    rule: 'times lose their nanoseconds',
    foundBy: ['t_vnops attrs', 'utimens() sets'],
    ops: (ops) => ({
      setattr(vp, attr) {
        const cut = (t: any): any => t && { ...t, nsec: 0 };
        ops['setattr']!(vp, {
          ...attr,
          ...(attr.atime && { atime: cut(attr.atime) }),
          ...(attr.mtime && { mtime: cut(attr.mtime) }),
        });
      },
    }),
  },
  {
    rule: 'times before 1970 become 1970',
    foundBy: ['times before 1970'],
    ops: (ops) => ({
      setattr: (vp, attr) =>
        ops['setattr']!(
          vp,
          attr.mtime === undefined ? attr : { ...attr, mtime: { ...attr.mtime, sec: Math.max(0, attr.mtime.sec) } },
        ),
    }),
  },
  {
    rule: 'extended attributes are lost in a rename',
    foundBy: ['t_extattr extattr_create_unlink', 'rename() to a longer'],
    ops: (ops) => ({
      rename(from, to, flags) {
        ops['rename']!(from, to, flags);
        from.vp.data.xattrs.clear();
      },
    }),
  },
  {
    rule: 'removing a missing extended attribute succeeds',
    foundBy: ['t_extattr extattr_simple'],
    ops: (ops) => ({
      deleteextattr(vp, name) {
        if (vp.data.xattrs.has(name)) ops['deleteextattr']!(vp, name);
      },
    }),
  },
  {
    rule: 'a replaced extended attribute keeps the end of the old value',
    foundBy: ['t_extattr extattr_simple'],
    ops: (ops) => ({
      setextattr(vp, name, value: Uint8Array) {
        const old: Uint8Array = vp.data.xattrs.get(name) ?? new Uint8Array(0);
        const both = new Uint8Array(Math.max(old.length, value.length));
        both.set(old);
        both.set(value);
        ops['setextattr']!(vp, name, both);
      },
    }),
  },
  {
    rule: 'statvfs tells a name length of 0',
    foundBy: ['t_vfsops tstatvfs'],
    type: (type) => ({ statvfs: (mp) => ({ ...type.statvfs(mp), nameMax: 0 }) }),
  },
  {
    rule: 'statvfs never changes',
    foundBy: ['tmpfs/t_statvfs', 'tmpfs/t_sizes'],
    type: (type) => ({
      statvfs: (mp) => ({ ...type.statvfs(mp), freeBlocks: 1000, availBlocks: 1000, freeFiles: 1000 }),
    }),
  },
  {
    rule: 'exchange drops one of the two',
    foundBy: ['rename() with exchange'],
    ops: (ops) => ({ rename: (from, to) => ops['rename']!(from, to, {}) }),
  },
  {
    rule: 'exchange of directories leaves `..` of the second',
    foundBy: ['rename() with exchange'],
    ops: (ops) => ({
      rename(from, to, flags) {
        const other = to.found?.vp.data.dir;
        const parent = other?.parent;
        ops['rename']!(from, to, flags);
        if (flags.exchange === true && other !== undefined) other.parent = parent;
      },
    }),
  },
  {
    rule: 'noreplace is ignored',
    foundBy: ['rename() with noreplace'],
    sys: (sys) => ({ rename: (from, to, flags) => sys.rename(from, to, { ...flags, noreplace: false }) }),
  },
  {
    rule: 'rename leaves the old name behind',
    foundBy: ['t_vnops rename_reg_nodir', 'names can go round in circles'],
    ops: (ops) => ({
      rename(from, to, flags) {
        ops['rename']!(from, to, flags);
        if (from.vp.type !== 'dir' && flags.exchange !== true) ops['link']!(from.dvp, from.vp, from.name);
      },
    }),
  },
  {
    rule: 'rename between two links of one file removes one',
    foundBy: ['rename() of one hard link over another'],
    sys: (sys) => ({
      rename(from, to, flags) {
        sys.rename(from, to, flags);
        try {
          if (sys.lstat(from).ino === sys.lstat(to).ino) sys.unlink(from);
        } catch {
          // The usual rename: `from` is gone already.
        }
      },
    }),
  },
  {
    rule: 'there is always space',
    foundBy: ['t_full fillfs'],
    ops: (ops) => ({
      write(vp, src, offset) {
        const { space } = vp.data.fs;
        if (space.free < 1e6) space.give(Math.min(space.used, 1e6));
        return ops['write']!(vp, src, offset);
      },
    }),
  },
  {
    rule: 'a failed creation changes the directory',
    foundBy: ['on a full file system'],
    ops: (ops) => ({
      create(dvp, name, attr) {
        dvp.data.mtime = { sec: 5, nsec: 5 };
        return ops['create']!(dvp, name, attr);
      },
    }),
  },
  {
    rule: 'the space of an unlinked file is never freed',
    foundBy: ['tmpfs/t_vnode_leak', 'an unlinked open file keeps'],
    ops: () => ({ inactive: (vp) => vp.data.nlink === 0 }),
  },
  {
    rule: 'two files share a number',
    foundBy: ['tmpfs/t_id_gen'],
    ops: (ops) => ({
      getattr(vp) {
        const attr = ops['getattr']!(vp);
        return { ...attr, ino: Math.floor(attr.ino / 2) };
      },
    }),
  },
  {
    rule: 'a handle of a removed file leads to another file',
    foundBy: ['t_vfsops tfhremove', 't_vfsops tfhinval'],
    type: (type) => ({
      fhtovp(mp, handle) {
        try {
          return type.fhtovp!(mp, handle);
        } catch {
          return type.root(mp);
        }
      },
    }),
  },
  {
    rule: 'a read-only mount can be written',
    foundBy: ['t_ro create:', 't_ro attrs', 't_rwtoro noneopen'],
    type: (type) => ({
      mount(mp) {
        type.mount(mp);
        Object.defineProperty(mp, 'readOnly', { get: () => false, set: () => {} });
      },
    }),
  },
  {
    rule: '`..` leads to the directory itself',
    foundBy: ['tmpfs/t_dots', 'getcwd() tells'],
    ops: (ops) => ({
      lookup(dvp, name) {
        if (name !== '..') return ops['lookup']!(dvp, name);
        dvp.usecount++;
        return { vp: dvp, slot: undefined };
      },
    }),
  },
  {
    rule: 'everybody may do everything',
    foundBy: ['t_unpriv dirperms', 'mode bits: owner', 'a directory without search permission'],
    ops: () => ({ access: () => {} }),
  },
  {
    rule: "the owner is judged by the others' bits",
    foundBy: ['mode bits: owner'],
    ops: (ops) => ({
      access: (vp, want, cred) =>
        ops['access']!(vp, want, cred.uid === vp.data.uid && cred.uid !== 0 ? { ...cred, uid: 9999 } : cred),
    }),
  },
  {
    rule: 'umask is ignored',
    foundBy: ['new files belong to their maker'],
    ops: (ops) => ({ create: (dvp, name, attr) => ops['create']!(dvp, name, { ...attr, mode: 0o666 }) }),
  },
  {
    rule: 'set-id bits survive a write by somebody else',
    foundBy: ['set-id bits go'],
    ops: (ops) => ({
      setattr(vp, attr) {
        const { mode } = vp.data;
        ops['setattr']!(
          vp,
          attr.mode !== undefined && (mode & 0o6000) !== 0 ? { ...attr, mode: attr.mode | (mode & 0o6000) } : attr,
        );
      },
    }),
  },
  {
    rule: 'SEEK_HOLE sees no holes',
    foundBy: ['lseek() SEEK_DATA and SEEK_HOLE'],
    ops: () => ({
      seek(vp, offset, what) {
        const { size } = vp.data.data;
        return offset >= size ? undefined : what === 'data' ? offset : size;
      },
    }),
  },
  { rule: 'fdiscard does nothing', foundBy: ['fdiscard() makes zeros'], ops: () => ({ punch: () => {} }) },
  {
    rule: 'fdiscard frees whole blocks only and leaves the edges',
    foundBy: ['fdiscard() makes zeros'],
    ops: (ops) => ({
      punch(vp, offset, length) {
        const from = Math.ceil(offset / 4096) * 4096;
        ops['punch']!(vp, from, Math.max(0, Math.floor((offset + length) / 4096) * 4096 - from));
      },
    }),
  },
  {
    rule: 'posix_fallocate does not grow the file',
    foundBy: ['posix_fallocate() reserves'],
    ops: (ops) => ({ allocate: (vp, offset, length) => ops['allocate']!(vp, offset, length, { keepSize: true }) }),
  },
  {
    rule: 'a hole takes space',
    foundBy: ['a sparse file takes space only'],
    ops: (ops) => ({
      getattr(vp) {
        const attr = ops['getattr']!(vp);
        return vp.type === 'reg' ? { ...attr, bytes: attr.size } : attr;
      },
    }),
  },
  {
    rule: 'a write of more than one block writes the first only',
    foundBy: ['tmpfs/t_read_write', 't_io overwrite64k'],
    ops: (ops) => ({
      write(vp, src, offset) {
        ops['write']!(vp, src.subarray(0, 4096), offset);
        return src.length;
      },
    }),
  },
  {
    rule: 'a read stops one byte before the end',
    foundBy: ['t_io shrinkfile', 'reads at and past the end'],
    ops: (ops) => ({
      read(vp, dst, offset) {
        const n: number = ops['read']!(vp, dst, offset);
        return n > 0 && offset + n === vp.data.data.size ? n - 1 : n;
      },
    }),
  },
  {
    rule: 'a removed directory still takes new files',
    foundBy: ['t_vnops dir_rmdirdotdot', 'a removed directory that is open'],
    ops: (ops) => ({
      rmdir(dvp, vp, name, slot) {
        ops['rmdir']!(dvp, vp, name, slot);
        vp.data.dir.parent = dvp.data;
        vp.data.nlink = 2;
      },
    }),
  },
  {
    rule: 'names that differ in case are one file',
    foundBy: ['names that differ in case'],
    ops: (ops) => ({
      lookup: (dvp, name) =>
        ops['lookup']!(dvp, name) ?? (name === '..' ? undefined : ops['lookup']!(dvp, name.toLowerCase())),
    }),
  },
  {
    rule: 'names that are not UTF-8 are changed',
    foundBy: ['names are bytes'],
    ops: (ops) => ({ create: (dvp, name, attr) => ops['create']!(dvp, name.replace(/[\udc80-\udcff]/g, '?'), attr) }),
  },
  {
    rule: 'device numbers are lost',
    foundBy: ['tmpfs/t_mknod'],
    ops: (ops) => ({ getattr: (vp) => ({ ...ops['getattr']!(vp), rdev: undefined }) }),
  },
  {
    rule: "an image's device node can be opened",
    foundBy: ['tmpfs/t_mknod'],
    ops: () => ({ open: () => {} }),
  },
  {
    rule: 'flags are forgotten',
    foundBy: ['chflags() keeps each flag', 'an immutable file'],
    ops: (ops) => keeping(ops, 'setattr', ['flags'], first),
  },
  {
    rule: 'what was created is missing until it is looked for twice (a stale name cache)',
    foundBy: ['a name that was missing is found'],
    sys: (sys) => {
      const recent = new Set<string>();
      return {
        open(path, flags, mode) {
          if ((flags & O.CREAT) === 0 && recent.delete(path)) return sys.open(`${path}-missing`, flags, mode);
          if ((flags & O.CREAT) !== 0) recent.add(path);
          return sys.open(path, flags, mode);
        },
      };
    },
  },
  {
    rule: 'a path with `/./../` stats the wrong file',
    foundBy: ['t_vnops lookup_simple'],
    sys: (sys) => ({ stat: (path) => sys.stat(path.includes('/./../') ? '/dev' : path) }),
  },
  {
    rule: 'an empty link target becomes another',
    foundBy: ['t_vnops symlink_zerolen'],
    sys: (sys) => ({ symlink: (target, path) => sys.symlink(target === '' ? '.' : target, path) }),
  },
  {
    rule: 'a directory opens for writing',
    foundBy: ['t_vnops read_directory'],
    sys: (sys) => ({ open: (path, flags, mode) => sys.open(path, path === '.' ? O.RDONLY : flags, mode) }),
  },
  {
    rule: 'unmounting what is no mount point succeeds',
    foundBy: ['t_vfsops tmount'],
    sys: (sys) => ({
      unmount(path, flags) {
        if (path !== '/dev') sys.unmount(path, flags);
      },
    }),
  },
  {
    rule: 'unmounting a busy file system is always forced',
    foundBy: ['tmpfs/t_mount', 't_io read_after_unlink'],
    sys: (sys) => ({ unmount: (path) => sys.unmount(path, MNT.FORCE) }),
  },
  {
    rule: 'an unlock does not unlock',
    foundBy: ['t_vnops fcntl_lock'],
    sys: (sys) => ({ setlk: (fd, lock) => (lock.type === 'unlock' ? undefined : sys.setlk(fd, lock)) }),
  },
];
