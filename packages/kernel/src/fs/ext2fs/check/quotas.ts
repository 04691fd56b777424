/**
 * Usage of users, groups and projects as it was found, against the quota files that keep it (feature quota). Counted
 * while the inodes are gone through: a few numbers for each owner. Limits are as they are. Spec: quota-format.ts.
 */
import { CorruptError, FsError } from '../../../kern/errno.ts';
import type { Ino } from '../../../kern/ids.ts';
import { RO_COMPAT } from '../features.ts';
import { FT, INO } from '../format.ts';
import { loadInode } from '../inode.ts';
import type { Charge } from '../inode.ts';
import { QuotaFile, type QuotaKind } from '../quota-file.ts';
import { hasRoCompat, withSuperblock } from '../superblock.ts';
import { storeRaw } from './inode-case.ts';
import { loadRaw } from './raw-inode.ts';
import type { Check } from './state.ts';

interface Usage {
  space: number;
  inodes: number;
}

const KINDS = ['user', 'group', 'project'] as const satisfies readonly QuotaKind[];

/** What was found of every owner. */
export class QuotaTally {
  readonly #kinds: Readonly<Record<QuotaKind, Map<number, Usage>>> = {
    user: new Map(),
    group: new Map(),
    project: new Map(),
  };

  /** An inode with an owner; values in inodes of their own count like inodes. */
  add(charge: Charge, values: number): void {
    for (const kind of KINDS) {
      const map = this.#kinds[kind];
      let usage = map.get(charge[kind]);
      if (usage === undefined) map.set(charge[kind], (usage = { space: 0, inodes: 0 }));
      usage.space += charge.space;
      usage.inodes += charge.inodes + values;
    }
  }

  of(kind: QuotaKind): ReadonlyMap<number, Usage> {
    return this.#kinds[kind];
  }
}

/** Inodes of the quota files by kind; 0: that kind is not counted. */
export function quotaInodes(c: Check): readonly { readonly kind: QuotaKind; readonly ino: Ino }[] {
  if (!hasRoCompat(c.geo, RO_COMPAT.QUOTA)) return [];
  return withSuperblock(c.mp, (sb) => [
    { kind: 'user', ino: sb.usrQuotaInum },
    { kind: 'group', ino: sb.grpQuotaInum },
    { kind: 'project', ino: sb.prjQuotaInum },
  ]);
}

export function checkQuotas(c: Check): void {
  const files = quotaInodes(c);
  checkReserved(
    c,
    files.map(({ ino }) => ino),
  );
  for (const { kind, ino } of files) if (ino !== 0) checkFile(c, kind, ino);
}

/** Inodes 3 and 4 are quota files or nothing. */
function checkReserved(c: Check, named: readonly Ino[]): void {
  for (const ino of [INO.USR_QUOTA, INO.GRP_QUOTA]) {
    if (named.includes(ino)) continue;
    const inode = loadRaw(c, ino);
    if (inode.mode === 0 && inode.nlink === 0 && inode.block.every((byte) => byte === 0)) continue;
    c.report({ code: 'quota-file', message: 'quota file that is not in use', where: { ino } }, () => {
      inode.raw.fill(0);
      storeRaw(c, inode);
    });
  }
}

function checkFile(c: Check, kind: QuotaKind, ino: Ino): void {
  const where = { ino };
  const own = { user: INO.USR_QUOTA, group: INO.GRP_QUOTA, project: ino }[kind];
  if (ino !== own || ino > c.geo.inodes || (kind === 'project' && ino < c.geo.firstIno)) {
    c.report({ code: 'quota-file', message: `${kind} quota file in an inode that is none`, where });
    return;
  }
  try {
    compare(c, new QuotaFile(kind, loadInode(c.mp, ino)));
  } catch (e) {
    const isDamage = e instanceof CorruptError || (e instanceof FsError && e.code === 'ESTALE');
    if (!isDamage) throw e;
    // Not over something that only happens to be named so.
    const isFile = c.inodes.type(ino) === FT.REG && c.inodes.names(ino) === 0;
    const fix = isFile ? () => void c.later.push(() => rebuild(c, kind, ino)) : undefined;
    c.report({ code: 'quota-file', message: e.message, where }, fix);
  }
}

function compare(c: Check, file: QuotaFile): void {
  const left = new Map(c.quotas.of(file.kind));
  const wrong: number[] = [];
  for (const { id, space, inodes } of file.entries()) {
    const usage = left.get(id);
    left.delete(id);
    if (space !== (usage?.space ?? 0) || inodes !== (usage?.inodes ?? 0)) wrong.push(id);
  }
  for (const id of left.keys()) wrong.push(id);
  const [first] = wrong;
  if (first === undefined) return;
  const message = `${file.kind} quota file: usage of ${wrong.length} ids is counted wrong, the first is ${first}`;
  c.report({ code: 'quota-usage', message, where: { ino: file.ino }, repair: 'safe' }, () =>
    c.later.push(() => write(c, new QuotaFile(file.kind, loadInode(c.mp, file.ino)), wrong)),
  );
}

function write(c: Check, file: QuotaFile, ids: Iterable<number>): void {
  const found = c.quotas.of(file.kind);
  for (const id of ids) {
    const { space, inodes } = found.get(id) ?? { space: 0, inodes: 0 };
    file.update(id, (entry) => {
      entry.space = space;
      entry.inodes = inodes;
    });
  }
  c.mp.bufs.flush();
}

/** A new tree in the old file's blocks; limits are lost with the old one. */
function rebuild(c: Check, kind: QuotaKind, ino: Ino): void {
  const inode = loadInode(c.mp, ino);
  QuotaFile.format(kind, inode);
  write(c, new QuotaFile(kind, inode), c.quotas.of(kind).keys());
}
