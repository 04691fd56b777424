/** How a directory treats its names: as bytes, folded (casefold), encrypted; and what is hashed of a name in its index. */
import { UnsupportedError } from '../../kern/errno.ts';
import { nameFromBytes } from '../../kern/name.ts';
import { casefold, youngCharacter } from './casefold.ts';
import { INCOMPAT } from './features.ts';
import { IFLAG } from './format.ts';
import type { Inode } from './inode.ts';
import { hasIncompat } from './superblock.ts';

export const isCasefolded = (dir: Inode): boolean =>
  dir.hasFlag(IFLAG.CASEFOLD) && hasIncompat(dir.geo, INCOMPAT.CASEFOLD) && dir.geo.encoding !== 0;
export const isEncrypted = (dir: Inode): boolean =>
  dir.hasFlag(IFLAG.ENCRYPT) && hasIncompat(dir.geo, INCOMPAT.ENCRYPT);

/**
 * The bytes whose hash places a name in an index that is to be changed. UnsupportedError when our Unicode cannot know how
 * others fold it: then nobody could find it.
 */
export function hashedName(dir: Inode, name: Uint8Array): Uint8Array {
  if (!isCasefolded(dir)) return name;
  const young = youngCharacter(name);
  if (young !== undefined) {
    const character = `U+${young.toString(16).toUpperCase().padStart(4, '0')}`;
    throw new UnsupportedError(`"${nameFromBytes(name)}": Unicode 12.1, which folds names here, lacks ${character}`);
  }
  return casefold(name) ?? name;
}
