/** Our check of an ext image in memory, beside e2fsck's verdict on the same bytes. */
import { FsError, type CheckOptions, type CheckSummary, type Finding } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ramDisk } from '../../packages/kernel/src/dev/ramdisk.ts';
import { e2fsck } from './e2fsprogs.ts';

export interface Checked {
  /** undefined: it could not be checked at all; `refusal` says why. */
  readonly summary: CheckSummary | undefined;
  readonly refusal: string | undefined;
  /** The first of them; there may be many. */
  readonly findings: readonly Finding[];
}

const FINDINGS_MAX = 200;

/** Check, and with `repair` repair, the image in `bytes`. */
export function checkBytes(bytes: Uint8Array, repair: CheckOptions['repair'] = 'none'): Checked {
  const findings: Finding[] = [];
  const device = ramDisk(bytes, { readOnly: repair === 'none' });
  try {
    const summary = ext2fs.check?.(device, {
      repair,
      report: (finding) => {
        if (findings.length < FINDINGS_MAX) findings.push(finding);
      },
      now: () => ({ sec: 1_700_000_000, nsec: 0 }),
      random: (dst) => dst.fill(4),
    });
    return { summary, refusal: undefined, findings };
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
    return { summary: undefined, refusal: `${e.code} ${e.message}`, findings };
  }
}

export const isClean = ({ summary }: Checked): boolean => summary !== undefined && summary.errors === 0;

/** What we found, for people. */
export function describeFindings({ findings, refusal }: Checked): string {
  const all = findings
    .filter(({ severity }) => severity === 'error')
    .map(({ code, where, message }) => `${code} ${JSON.stringify(where)} ${message}`);
  return [...(refusal === undefined ? [] : [refusal]), ...all.slice(0, 3)].join('; ');
}

let dir: string | undefined;
/** A directory in memory where the machine has one. */
export function checkScratch(): string {
  return (dir ??= mkdtempSync(join(existsSync('/dev/shm') ? '/dev/shm' : tmpdir(), 'ukfs-check-')));
}
export function removeCheckScratch(): void {
  if (dir !== undefined) rmSync(dir, { recursive: true, force: true });
  dir = undefined;
}

export interface Verdict {
  readonly status: number;
  readonly output: string;
}

/** `e2fsck -fn` on a copy of the bytes. A tool that is killed (it may crash) is no judge: status -1. */
export function judge(bytes: Uint8Array, args: readonly string[] = ['-fn']): Verdict {
  const path = join(checkScratch(), 'damaged.img');
  writeFileSync(path, bytes);
  try {
    const { status, output } = e2fsck(path, args);
    return { status, output };
  } catch (e) {
    return { status: -1, output: String(e) };
  } finally {
    if (args.includes('-fn')) rmSync(path, { force: true });
  }
}

/** The image after e2fsck has repaired it. */
export function repairedByE2fsck(bytes: Uint8Array): Uint8Array {
  judge(bytes, ['-fy']);
  return new Uint8Array(readFileSync(join(checkScratch(), 'damaged.img')));
}
