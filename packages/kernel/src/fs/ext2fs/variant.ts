/** Which of ext2, ext3, ext4 people call an image: by its features, as blkid does. And its label and UUID as text. */
import { nameFromBytes } from '../../kern/name.ts';
import { COMPAT, INCOMPAT, RO_COMPAT } from './features.ts';
import type { SuperblockView } from './format.ts';

/** What ext2 and ext3 already had; any other bit makes it ext4. */
const OLD_RO_COMPAT = RO_COMPAT.SPARSE_SUPER | RO_COMPAT.LARGE_FILE | RO_COMPAT.BTREE_DIR;
const OLD_INCOMPAT = INCOMPAT.FILETYPE | INCOMPAT.RECOVER | INCOMPAT.META_BG;

export type Variant = 'ext2' | 'ext3' | 'ext4' | 'jbd';

export function variantOf(sb: SuperblockView): Variant {
  if ((sb.featureIncompat & INCOMPAT.JOURNAL_DEV) !== 0) return 'jbd';
  if ((sb.featureRoCompat & ~OLD_RO_COMPAT) !== 0 || (sb.featureIncompat & ~OLD_INCOMPAT) !== 0) return 'ext4';
  return (sb.featureCompat & COMPAT.HAS_JOURNAL) !== 0 ? 'ext3' : 'ext2';
}

/** A field of fixed size that NUL ends early. */
export function textField(bytes: Uint8Array): string {
  const end = bytes.indexOf(0);
  return nameFromBytes(bytes, 0, end < 0 ? bytes.length : end);
}

export function uuidText(uuid: Uint8Array): string {
  const hex = Array.from(uuid, (byte) => byte.toString(16).padStart(2, '0')).join('');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-');
}
