// What scenarios are made of: commands of ours, and the rows of the table.
import { join } from 'node:path';
import { root } from '../lib/setup.mjs';

export const tool = (name, ...args) => [process.execPath, join(root, `packages/fsu-cli/bin/${name}.cjs`), ...args];

export const quote = (argv) => argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');

/** `ours` against `theirs`, by the median; `most: 1.3` asks for at most, `least: 3` for at least so many times; neither: it is only told. */
export function ratio(what, ours, theirs, { most, least }) {
  const of = (kind) => (least === undefined ? ours[kind] / theirs[kind] : theirs[kind] / ours[kind]);
  const value = of('median');
  const pass = least !== undefined ? value >= least : most === undefined ? undefined : value <= most;
  return { what, value, quickest: of('min'), unit: '×', most, least, pass };
}

/** A figure of its own; without a limit it is only told. */
export function figure(what, value, unit, most) {
  return { what, value, unit, most, pass: most === undefined ? undefined : value !== undefined && value <= most };
}

export const memory = (what, eaten, most) => figure(`peak memory, ${what}`, eaten?.peakMib, 'MiB', most);
