/**
 * What the passes of a check share: the disk, the facts gathered so far, and the one way to report. A check never mounts,
 * but it borrows a Mount to use the readers of this folder; those throw at the first damage, and whoever calls them here
 * turns that into a finding.
 */
import type { BlockDevice } from '../../../dev/blockdev.ts';
import { CorruptError, FsError, type ErrnoName } from '../../../kern/errno.ts';
import type { FsBlock, Ino } from '../../../kern/ids.ts';
import type { CheckOptions, Finding, FindingPlace } from '../../../vfs/check.ts';
import type { Mount } from '../../../vfs/mount.ts';
import type { Ext2Mount } from '../ext2mount.ts';
import { INCOMPAT, RO_COMPAT } from '../features.ts';
import { hasIncompat, hasRoCompat, withSuperblock, type Geometry } from '../superblock.ts';
import { Claims } from './claims.ts';
import { DirTable } from './dir-table.ts';
import { InodeFacts } from './inode-facts.ts';
import type { AttributeCost } from './xattrs.ts';
import { NameSet } from './name-set.ts';
import { QuotaTally } from './quotas.ts';

/** A finding as a pass tells it; an error that is not repaired unless it says more. */
export interface Told {
  readonly code: string;
  readonly message: string;
  readonly where?: FindingPlace;
  readonly severity?: Finding['severity'];
  readonly repair?: Finding['repair'];
}

/** An inode that is free after all, an image that is full. */
const REPAIR_ENDS: readonly ErrnoName[] = ['ESTALE', 'ENOSPC', 'EFBIG'];

/** Counts that outlast the rounds of a repair. */
export class Tally {
  errors = 0;
  notes = 0;
  repaired = 0;
  /** Errors of the current round that were not repaired. */
  left = 0;
}

/** What is known of one group, as its descriptor says and as far as it can be true. */
class GroupTable {
  /** First block, 0 when it cannot be. */
  readonly inodeTable: Float64Array;
  readonly blockBitmap: Float64Array;
  readonly inodeBitmap: Float64Array;
  /** bg_flags that count: none where descriptors have no checksum or it is wrong. */
  readonly flags: Uint8Array;
  readonly inodesInUse: Uint32Array;

  constructor(groups: number) {
    this.inodeTable = new Float64Array(groups);
    this.blockBitmap = new Float64Array(groups);
    this.inodeBitmap = new Float64Array(groups);
    this.flags = new Uint8Array(groups);
    this.inodesInUse = new Uint32Array(groups);
  }
}

export class Check {
  readonly mp: Mount<Ext2Mount>;
  readonly options: CheckOptions;
  readonly tally: Tally;
  readonly geo: Geometry;
  readonly claims: Claims;
  readonly inodes: InodeFacts;
  readonly dirs = new DirTable();
  readonly groups: GroupTable;
  /** Attribute blocks met: how many inodes refer to each, and what it costs each. */
  readonly attributeBlocks = new Map<FsBlock, { readonly users: number; readonly cost: AttributeCost }>();
  /** Inodes of attribute values: how many entries refer to each. */
  readonly attributeInodes = new Map<Ino, number>();
  readonly orphans = new Set<Ino>();
  /** Inodes of quota files that the superblock names. */
  readonly quotaInodes: readonly Ino[];
  /** The file system is from a time that could be an inode number. */
  readonly hasEarlyTimes: boolean;
  /** A file of 2 GiB or more was met. */
  hasLargeFiles = false;
  /** Inodes in use without a name, to be given one. */
  readonly lost: Ino[] = [];
  /** Inodes with a part of their own; and whether the file system has features that want a look at every inode. */
  readonly namedInodes: readonly Ino[];
  readonly mayBePlain: boolean;
  readonly names: NameSet;
  /** Directory entries say what they lead to. */
  readonly hasFileTypes: boolean;
  /** Repairs that need everything else to be right: they allocate. */
  readonly later: (() => void)[] = [];
  readonly quotas = new QuotaTally();
  /** Free clusters and inodes, as counted. */
  free: { readonly clusters: number; readonly inodes: number } | undefined;
  /** Files of each FT. */
  readonly filesByType = new Float64Array(16);
  /** Something was repaired that earlier passes, or later ones, have to see: begin again. */
  changed = false;

  constructor(mp: Mount<Ext2Mount>, options: CheckOptions, tally: Tally) {
    this.mp = mp;
    this.options = options;
    this.tally = tally;
    this.geo = mp.data.geo;
    this.claims = new Claims(this.geo);
    this.names = new NameSet(this.geo.blockSize);
    this.hasFileTypes = hasIncompat(this.geo, INCOMPAT.FILETYPE);
    this.inodes = new InodeFacts(this.geo);
    this.groups = new GroupTable(this.geo.groups);
    this.hasEarlyTimes = withSuperblock(
      mp,
      (sb) => Math.min(sb.mkfsTime || Infinity, sb.wtime, sb.mtime) <= this.geo.inodes,
    );
    this.quotaInodes = hasRoCompat(this.geo, RO_COMPAT.QUOTA)
      ? withSuperblock(mp, (sb) => [sb.usrQuotaInum, sb.grpQuotaInum, sb.prjQuotaInum].filter((ino) => ino !== 0))
      : [];
    this.namedInodes = [this.geo.orphanFileInum, this.geo.journalInum, ...this.quotaInodes];
    this.mayBePlain =
      this.geo.clusterBlocks === 1 &&
      hasIncompat(this.geo, INCOMPAT.EXTENTS) &&
      !hasRoCompat(this.geo, RO_COMPAT.QUOTA);
  }

  get device(): BlockDevice {
    return this.mp.device;
  }

  /** Report, and repair when that is wanted and `fix` can; true when it was. */
  report(told: Told, fix?: () => void): boolean {
    const { code, message, where = {}, severity = 'error', repair = fix === undefined ? 'none' : 'risky' } = told;
    const { repair: wanted } = this.options;
    const repaired = fix !== undefined && severity === 'error' && (wanted === 'all' || wanted === repair);
    if (repaired) {
      fix();
      this.changed = true;
      this.tally.repaired++;
    }
    if (severity === 'note') this.tally.notes++;
    else {
      this.tally.errors++;
      if (!repaired) this.tally.left++;
    }
    this.options.report({ code, severity, where, message, repair, repaired });
    return repaired;
  }

  /** Run `read`; when what it reads is damaged, report that as `code` and answer undefined. */
  attempt<T>(code: string, where: FindingPlace, read: () => T, fix?: () => void): T | undefined {
    try {
      return read();
    } catch (e) {
      // Something met that does not let us go on: damage, or what a repair ran into.
      if (!(e instanceof CorruptError) && !(e instanceof FsError && REPAIR_ENDS.includes(e.code))) throw e;
      const { ino, block } = e.context;
      const place = { ...(ino === undefined ? {} : { ino }), ...(block === undefined ? {} : { block }), ...where };
      this.report({ code, message: e.message, where: place }, fix);
      return undefined;
    }
  }

  /** Between two pieces of the work: whoever waits may have a turn, or end the check. */
  pause(): void {
    this.options.pause?.();
  }

  /** Can the blocks be read: are they on the device, behind the superblock? */
  isOnDisk(block: FsBlock, count = 1): boolean {
    const { geo, device } = this;
    return (
      block > geo.firstDataBlock && block + count <= geo.blocks && (block + count) * geo.blockSize <= device.sizeBytes
    );
  }

  /** Replace a block whole. */
  writeBlock(block: FsBlock, data: Uint8Array): void {
    this.mp.bufs.invalidate(block, 1);
    this.device.write(data, block * this.geo.blockSize);
  }
}
