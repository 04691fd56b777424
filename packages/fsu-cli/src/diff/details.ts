/** What is different about a file, in words. */
import type { Aspect, ComparedEntry, Difference } from 'ukfs';
import type { Timespec } from '@ukfs/kernel';
import type { Clock } from '../format/time.ts';
import { flagsText } from '../format/flags.ts';
import { octalMode } from '../format/mode.ts';
import { safeText } from '../format/name.ts';

const typeWords = {
  reg: 'file',
  dir: 'directory',
  lnk: 'symbolic link',
  chr: 'character device',
  blk: 'block device',
  fifo: 'FIFO',
  sock: 'socket',
} as const;

/** `size 35 -> 41, mtime … -> …`; of a type, `file -> directory`. */
export function detailsText({ change, what, before, after }: Difference, clock: Clock): string {
  if (before === undefined || after === undefined) return '';
  if (change === 'type') return `${typeWords[before.stat.type]} -> ${typeWords[after.stat.type]}`;
  return what.map((aspect) => detail(aspect, before, after, clock)).join(', ');
}

function detail(aspect: Aspect, before: ComparedEntry, after: ComparedEntry, clock: Clock): string {
  const [a, b] = [before.stat, after.stat];
  switch (aspect) {
    case 'content':
      return a.size === b.size ? 'content' : `size ${a.size} -> ${b.size}`;
    case 'target':
      return `target ${safeText(before.dir.readlink(before.name))} -> ${safeText(after.dir.readlink(after.name))}`;
    case 'rdev':
      return `device ${deviceText(a.rdev)} -> ${deviceText(b.rdev)}`;
    case 'mode':
      return `mode ${octalMode(a.mode)} -> ${octalMode(b.mode)}`;
    case 'owner':
      return `owner ${a.uid}:${a.gid} -> ${b.uid}:${b.gid}`;
    case 'mtime':
      return `mtime ${timesText(a.mtime, b.mtime, clock)}`;
    case 'birthtime':
      return a.birthtime === undefined || b.birthtime === undefined
        ? aspect
        : `birthtime ${timesText(a.birthtime, b.birthtime, clock)}`;
    case 'flags':
      return `flags ${flagsText(a.flags)} -> ${flagsText(b.flags)}`;
    case 'xattrs':
      return `xattrs ${xattrsText(before, after)}`;
    case 'links':
      return `link to ${safeText(before.linkTo ?? '-')} -> ${safeText(after.linkTo ?? '-')}`;
    case 'nlink':
      return `links ${a.nlink} -> ${b.nlink}`;
    case 'holes':
      return 'holes';
  }
}

const deviceText = (rdev: ComparedEntry['stat']['rdev']): string =>
  rdev === undefined ? '-' : `${rdev.major},${rdev.minor}`;

/** Nanoseconds only where they decide. */
function timesText(a: Timespec, b: Timespec, clock: Clock): string {
  const format = a.sec === b.sec ? '%Y-%m-%d %H:%M:%S.%N' : '%Y-%m-%d %H:%M:%S';
  return `${clock.strftime(format, a)} -> ${clock.strftime(format, b)}`;
}

/** `user.a` that differs, `+user.b` that is new, `-user.c` that is gone. */
function xattrsText(before: ComparedEntry, after: ComparedEntry): string {
  const [a, b] = [before.dir.xattrs(before.name), after.dir.xattrs(after.name)];
  const hex = (value: Uint8Array | undefined): string => value?.join() ?? '';
  const names = [...new Set([...a.keys(), ...b.keys()])].sort();
  const words = names
    .filter((name) => !(a.has(name) && b.has(name) && hex(a.get(name)) === hex(b.get(name))))
    .map((name) => `${a.has(name) ? (b.has(name) ? '' : '-') : '+'}${safeText(name)}`);
  return words.join(' ');
}
