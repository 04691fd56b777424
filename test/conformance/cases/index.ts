/** All cases, by theme. */
import type { Case } from '../suite.ts';
import { attributes, sparse, unlinked } from './extras.ts';
import { io } from './io.ts';
import { mounts } from './mounts.ts';
import { directories, listing, naming, renaming } from './names.ts';
import { rights } from './rights.ts';
import { vnops } from './vnops.ts';

export const themes: Readonly<Record<string, readonly Case[]>> = {
  vnops,
  io,
  mounts,
  rights,
  directories,
  listing,
  naming,
  renaming,
  sparse,
  unlinked,
  attributes,
};

export const allCases: readonly Case[] = Object.values(themes).flat();
