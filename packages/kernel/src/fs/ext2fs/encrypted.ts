/**
 * Encrypted names without their key: shown as Linux shows them (a "no-key name"), so that entries can be told apart,
 * looked up and removed. Base64url of the name's directory hash, then up to 149 bytes of the ciphertext, then, for longer
 * ones, the SHA-256 of the rest. Source: Linux Documentation/filesystems/fscrypt "Access semantics, without the key".
 */
import { sha256 } from '../../kern/checksum/sha256.ts';
import { UnsupportedError } from '../../kern/errno.ts';
import { getLe16, setLe32 } from '../../kern/struct.ts';
import type { NameHash } from './hash.ts';

const HASH_BYTES = 8;
const WHOLE_BYTES = 149;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';

function base64url(bytes: Uint8Array): string {
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const rest = Math.min(3, bytes.length - i);
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    for (let k = 0; k <= rest; k++) text += ALPHABET.charAt((bits >>> (18 - 6 * k)) & 63);
  }
  return text;
}

/** What a person sees of an encrypted name. */
export function noKeyName(ciphertext: Uint8Array, hash: NameHash): string {
  const head = ciphertext.subarray(0, WHOLE_BYTES);
  const rest = ciphertext.length > WHOLE_BYTES ? sha256(ciphertext.subarray(WHOLE_BYTES)) : new Uint8Array(0);
  const bytes = new Uint8Array(HASH_BYTES + head.length + rest.length);
  setLe32(bytes, 0, hash.hash);
  setLe32(bytes, 4, hash.minor);
  bytes.set(head, HASH_BYTES);
  bytes.set(rest, HASH_BYTES + head.length);
  return base64url(bytes);
}

/** What a person sees of an encrypted link target: its stored form begins with a length. */
export function noKeyTarget(stored: Uint8Array): string {
  const length = stored.length < 2 ? 0 : Math.min(getLe16(stored, 0), stored.length - 2);
  return noKeyName(stored.subarray(2, 2 + length), { hash: 0, minor: 0 });
}

/** The reason that contents, or new names, are refused. */
export const encryptedError = (ino: number, what: 'file' | 'directory' = 'file'): UnsupportedError =>
  new UnsupportedError(`the ${what} is encrypted (fscrypt) and its key is not in the image`, { ino });
