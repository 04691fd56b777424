/**
 * Usage of users, groups and projects, kept in the hidden quota files (feature quota). Every in-core inode knows what is
 * charged for it; when it is stored, what changed since is charged: to the new owner, or more or less to the old one. So
 * nothing else has to think of quotas, and what the stage holds after a call is right.
 *
 * Limits are kept in the files but not enforced: neither does Linux unless the mount asks for it.
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { INCOMPAT, RO_COMPAT } from './features.ts';
import { IFLAG, INO } from './format.ts';
import { loadInode, type Inode } from './inode.ts';
import { QuotaFile, type QuotaKind } from './quota-file.ts';
import { hasIncompat, hasRoCompat, withSuperblock } from './superblock.ts';
import { countValues } from './xattr.ts';

const KINDS = ['user', 'group', 'project'] as const satisfies readonly QuotaKind[];

/** Open the quota files of a mount that is to be written; one that is damaged makes it read-only. */
export function openQuota(mp: Mount<Ext2Mount>): void {
  const { geo } = mp.data;
  if (mp.readOnly || !hasRoCompat(geo, RO_COMPAT.QUOTA)) return;
  const inodes = withSuperblock(mp, (sb) => [
    sb.usrQuotaInum,
    sb.grpQuotaInum,
    hasRoCompat(geo, RO_COMPAT.PROJECT) ? sb.prjQuotaInum : 0,
  ]);
  try {
    mp.data.quota = KINDS.flatMap((kind, i) => {
      const ino = inodes[i] ?? 0;
      return ino === 0 ? [] : [new QuotaFile(kind, loadInode(mp, ino))];
    });
  } catch (e) {
    if (!(e instanceof CorruptError || (e instanceof FsError && e.code === 'ESTALE'))) throw e;
    mp.keepReadOnly('damaged', `quota files: ${e.message}`);
  }
}

/** Inodes that have no owner: the file system's own, and values of attributes. */
function isHidden(mp: Mount<Ext2Mount>, ip: Inode, files: readonly QuotaFile[]): boolean {
  const ino: Ino = ip.ino;
  if (ino < mp.data.geo.firstIno && ino !== INO.ROOT) return true;
  return ino === mp.data.geo.orphanFileInum || ip.hasFlag(IFLAG.EA_INODE) || files.some((file) => file.ino === ino);
}

/** The inode is being stored (`inodes` 1) or freed (0): charge what changed. Errors: ENOSPC, CorruptError. */
export function settleQuota(ip: Inode, files: readonly QuotaFile[], inodes: 0 | 1): void {
  if (isHidden(ip.mp, ip, files)) return;
  const before = ip.charged;
  const now = ip.usage(inodes);
  ip.charged = inodes === 0 ? undefined : now;
  for (const file of files) {
    const { kind } = file;
    if (before?.[kind] === now[kind]) {
      charge(file, now[kind], { space: now.space - before.space, inodes: now.inodes - before.inodes });
      continue;
    }
    // Another owner takes over the values too that were there before.
    const values = before === undefined ? 0 : valuesWhenLoaded(ip);
    if (before !== undefined) charge(file, before[kind], { space: -before.space, inodes: -before.inodes - values });
    charge(file, now[kind], { space: now.space, inodes: now.inodes + values });
  }
}

const valuesWhenLoaded = (ip: Inode): number =>
  hasIncompat(ip.geo, INCOMPAT.EA_INODE) ? countValues(ip) - ip.moreValues : 0;

function charge(file: QuotaFile, id: number, { space, inodes }: { space: number; inodes: number }): void {
  if (space === 0 && inodes === 0) return;
  file.update(id, (entry) => {
    // What was wrong before does not become an error here: e2fsck recounts.
    entry.space = Math.max(0, entry.space + space);
    entry.inodes = Math.max(0, entry.inodes + inodes);
  });
}
