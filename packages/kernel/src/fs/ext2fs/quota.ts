/**
 * Usage of users, groups and projects, kept in the hidden quota files (feature quota). Every in-core inode knows what is
 * charged for it; when it is stored, what changed since is charged: to the new owner, or more or less to the old one. So
 * nothing else has to think of quotas, and what the stage holds after a call is right.
 *
 * Limits count where the mount asks for it (usrquota, grpquota, prjquota), and not for the super-user, as on Linux. A call that
 * would pass one fails as a whole.
 */
import { CorruptError, FsError } from '../../kern/errno.ts';
import type { Ino } from '../../kern/ids.ts';
import type { Mount } from '../../vfs/mount.ts';
import type { Ext2Mount } from './ext2mount.ts';
import { INCOMPAT, RO_COMPAT } from './features.ts';
import { IFLAG, INO } from './format.ts';
import { loadInode, type Inode } from './inode.ts';
import { QuotaFile, type QuotaKind } from './quota-file.ts';
import type { QuotaEntryView } from './quota-format.ts';
import { hasIncompat, hasRoCompat, withSuperblock } from './superblock.ts';
import { countValues } from './xattr.ts';

const KINDS = ['user', 'group', 'project'] as const satisfies readonly QuotaKind[];
const LIMIT_OPTIONS = { user: 'usrquota', group: 'grpquota', project: 'prjquota' } as const;

/** Open the quota files of a mount that is to be written; one that is damaged makes it read-only. */
export function openQuota(mp: Mount<Ext2Mount>): void {
  const { geo } = mp.data;
  if (mp.readOnly || !hasRoCompat(geo, RO_COMPAT.QUOTA)) return;
  const inodes = withSuperblock(mp, (sb) => [
    sb.usrQuotaInum,
    sb.grpQuotaInum,
    hasRoCompat(geo, RO_COMPAT.PROJECT) ? sb.prjQuotaInum : 0,
  ]);
  mp.data.quotaLimits = new Set(KINDS.filter((kind) => mp.options[LIMIT_OPTIONS[kind]] !== undefined));
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

/** The inode is being stored (`inodes` 1) or freed (0): charge what changed. Errors: EDQUOT, ENOSPC, CorruptError. */
export function settleQuota(ip: Inode, files: readonly QuotaFile[], inodes: 0 | 1): void {
  if (isHidden(ip.mp, ip, files)) return;
  const before = ip.charged;
  const now = ip.usage(inodes);
  ip.charged = inodes === 0 ? undefined : now;
  for (const file of files) {
    const { kind } = file;
    if (before?.[kind] === now[kind]) {
      charge(ip.mp, file, { id: now[kind], space: now.space - before.space, inodes: now.inodes - before.inodes });
      continue;
    }
    // Another owner takes over the values too that were there before.
    const values = before === undefined ? 0 : valuesWhenLoaded(ip);
    if (before !== undefined)
      charge(ip.mp, file, { id: before[kind], space: -before.space, inodes: -before.inodes - values });
    charge(ip.mp, file, { id: now[kind], space: now.space, inodes: now.inodes + values });
  }
}

const valuesWhenLoaded = (ip: Inode): number =>
  hasIncompat(ip.geo, INCOMPAT.EA_INODE) ? countValues(ip) - ip.moreValues : 0;

/** Bytes in the unit of block limits. */
const LIMIT_UNIT = 1024;

interface Change {
  readonly id: number;
  readonly space: number;
  readonly inodes: number;
}

function charge(mp: Mount<Ext2Mount>, file: QuotaFile, { id, space, inodes }: Change): void {
  if (space === 0 && inodes === 0) return;
  const isLimited = mp.data.quotaLimits?.has(file.kind) === true;
  file.update(id, (entry) => {
    // What was wrong before does not become an error here: e2fsck recounts.
    entry.space = Math.max(0, entry.space + space);
    entry.inodes = Math.max(0, entry.inodes + inodes);
    if (entry.space <= entry.blockSoftLimit * LIMIT_UNIT) entry.blockTime = 0;
    if (entry.inodes <= entry.inodeSoftLimit) entry.inodeTime = 0;
    if (isLimited && space > 0) limitSpace(mp, file, entry);
    if (isLimited && inodes > 0) limitInodes(mp, file, entry);
  });
}

function limitSpace(mp: Mount<Ext2Mount>, file: QuotaFile, entry: QuotaEntryView): void {
  const [hard, soft] = [entry.blockHardLimit * LIMIT_UNIT, entry.blockSoftLimit * LIMIT_UNIT];
  if (isRefused(mp, { used: entry.space, hard, soft, until: entry.blockTime })) throw quotaError(file, entry);
  if (soft > 0 && entry.space > soft && entry.blockTime === 0) entry.blockTime = mp.now().sec + file.grace().block;
}

function limitInodes(mp: Mount<Ext2Mount>, file: QuotaFile, entry: QuotaEntryView): void {
  const { inodes: used, inodeHardLimit: hard, inodeSoftLimit: soft } = entry;
  if (isRefused(mp, { used, hard, soft, until: entry.inodeTime })) throw quotaError(file, entry);
  if (soft > 0 && used > soft && entry.inodeTime === 0) entry.inodeTime = mp.now().sec + file.grace().inode;
}

/** Above the hard limit, or above the soft one for longer than its grace; the super-user may. A limit of 0 is none. */
function isRefused(
  mp: Mount<Ext2Mount>,
  { used, hard, soft, until }: { used: number; hard: number; soft: number; until: number },
): boolean {
  if ((mp.services.cred?.().uid ?? 0) === 0) return false;
  if (hard > 0 && used > hard) return true;
  return soft > 0 && used > soft && until > 0 && mp.now().sec >= until;
}

const quotaError = (file: QuotaFile, entry: QuotaEntryView): FsError =>
  new FsError('EDQUOT', { what: `limit of ${file.kind} ${entry.id}` });
