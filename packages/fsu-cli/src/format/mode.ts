/** Modes as text: `drwxr-xr-x`, `0755`, and back. */
import { modeOfType } from 'ukfs';
import type { VType } from '@ukfs/kernel';

const typeLetter: Readonly<Record<VType, string>> = {
  reg: '-',
  dir: 'd',
  lnk: 'l',
  chr: 'c',
  blk: 'b',
  fifo: 'p',
  sock: 's',
};

/** What ls -F puts behind a name; `*` for executables is not a matter of type alone. */
const typeMark: Readonly<Record<VType, string>> = {
  reg: '',
  dir: '/',
  lnk: '@',
  chr: '',
  blk: '',
  fifo: '|',
  sock: '=',
};

/** The seven types as numbers, so that a listing of a million files can keep them in a typed array. */
export const vtypes: readonly VType[] = ['reg', 'dir', 'lnk', 'chr', 'blk', 'fifo', 'sock'];
export const vtypeIndex: Readonly<Record<VType, number>> = { reg: 0, dir: 1, lnk: 2, chr: 3, blk: 4, fifo: 5, sock: 6 };

const execute = (mode: number, bit: number, special: boolean, letter: string): string =>
  special ? ((mode & bit) !== 0 ? letter : letter.toUpperCase()) : (mode & bit) !== 0 ? 'x' : '-';

/** strmode(3) without its trailing blank. */
export function modeText(type: VType, mode: number): string {
  return (
    typeLetter[type] +
    ((mode & 0o400) !== 0 ? 'r' : '-') +
    ((mode & 0o200) !== 0 ? 'w' : '-') +
    execute(mode, 0o100, (mode & 0o4000) !== 0, 's') +
    ((mode & 0o040) !== 0 ? 'r' : '-') +
    ((mode & 0o020) !== 0 ? 'w' : '-') +
    execute(mode, 0o010, (mode & 0o2000) !== 0, 's') +
    ((mode & 0o004) !== 0 ? 'r' : '-') +
    ((mode & 0o002) !== 0 ? 'w' : '-') +
    execute(mode, 0o001, (mode & 0o1000) !== 0, 't')
  );
}

/** `0644`: at least four octal digits. */
export const octalMode = (mode: number): string => (mode & 0o7777).toString(8).padStart(4, '0');

/** st_mode: type and permissions in one number. */
export const statMode = (type: VType, mode: number): number => modeOfType(type) | (mode & 0o7777);

/** ls -F's mark. */
export const markOf = (type: VType, mode: number): string =>
  type === 'reg' && (mode & 0o111) !== 0 ? '*' : typeMark[type];

/** "0644", "755" → number; undefined when it is not an octal mode. */
export function parseOctalMode(text: string): number | undefined {
  return /^[0-7]{1,5}$/.test(text) && Number.parseInt(text, 8) <= 0o7777 ? Number.parseInt(text, 8) : undefined;
}
