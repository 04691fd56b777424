/**
 * What the flags of an inode forbid, whoever asks: contents that are sealed (verity) or encrypted, names that an encrypted or
 * casefolded directory cannot take. Every VOP that writes asks here, before it changes anything.
 *
 * Allowed as on Linux without the key: to remove encrypted entries, to rename or link the encrypted file itself where
 * directories are not encrypted, and to change attributes. Source: Linux Documentation/filesystems/fscrypt "Access
 * semantics, without the key"; fsverity "Accessing verity files"; ext4(5) "casefold".
 */
import { FsError } from '../../kern/errno.ts';
import { nameToBytes } from '../../kern/name.ts';
import { isAllowed } from './casefold.ts';
import { hashedName, isCasefolded, isEncrypted } from './dirkind.ts';
import { encryptedError } from './encrypted.ts';
import { RO_COMPAT } from './features.ts';
import { IFLAG } from './format.ts';
import type { Inode } from './inode.ts';
import { hasRoCompat } from './superblock.ts';

/** Bytes of a name in a record. */
const NAME_BYTES_MAX = 255;

/** Errors: EPERM (a verity file), ENOTSUP (an encrypted one). */
export function mayChangeContents(ip: Inode): void {
  if (ip.hasFlag(IFLAG.VERITY) && hasRoCompat(ip.geo, RO_COMPAT.VERITY)) {
    throw new FsError('EPERM', { ino: ip.ino, what: 'a verity file never changes' });
  }
  if (ip.hasFlag(IFLAG.ENCRYPT)) throw encryptedError(ip.ino);
}

/** The bytes of a name that is to be added to `dir`. Errors: ENAMETOOLONG, ENOTSUP (encrypted, or not to be folded), EINVAL. */
export function newName(dir: Inode, name: string): Uint8Array {
  const bytes = nameToBytes(name);
  if (bytes.length > NAME_BYTES_MAX) throw new FsError('ENAMETOOLONG');
  mayMoveEntries(dir);
  if (isCasefolded(dir)) {
    if (!isAllowed(bytes, dir.geo.encodingFlags)) throw new FsError('EINVAL', { what: 'name that is not UTF-8' });
    hashedName(dir, bytes);
  }
  return bytes;
}

/** Where a directory's project is inherited, nothing of another project may come in by a name. EXDEV, as Linux has it. */
export function mayEnter(dir: Inode, ip: Inode): void {
  const inherits = dir.hasFlag(IFLAG.PROJINHERIT) && hasRoCompat(dir.geo, RO_COMPAT.PROJECT);
  if (inherits && dir.projid !== ip.projid) throw new FsError('EXDEV', { ino: ip.ino, what: 'another project' });
}

/** Entries may only leave or change places where their names mean the same elsewhere. ENOTSUP. */
export function mayMoveEntries(dir: Inode): void {
  if (isEncrypted(dir)) throw encryptedError(dir.ino, 'directory');
}
