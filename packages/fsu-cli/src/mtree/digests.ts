/** Digests of files: those of the host, and POSIX cksum(1)'s. */
import type { Ukfs } from 'ukfs';
import { FileSums } from '../filesums.ts';
import type { Sum } from '../filesums.ts';
import type { HostSide } from '../host.ts';

const HASHES = ['md5', 'sha1', 'ripemd160', 'sha256', 'sha384', 'sha512'] as const;

export class FileDigests {
  readonly #host: HostSide;
  readonly #sums = new FileSums();

  constructor(host: HostSide) {
    this.#host = host;
  }

  /** In hexadecimal; cksum in decimal digits. Errors: of reading. */
  of(kind: string, fs: Ukfs, path: string): string {
    const algorithm = HASHES.find((name) => name === (kind === 'rmd160' ? 'ripemd160' : kind));
    const sum = algorithm === undefined ? new Cksum() : this.#host.hash(algorithm);
    return this.#sums.of(fs, path, sum).digest;
  }
}

/** POSIX.1-2017 cksum: CRC-32 of ISO 8802-3, most significant bit first, over the bytes and then their number. */
const POLYNOMIAL = 0x04c11db7;
let table: Uint32Array | undefined;
function crcTable(): Uint32Array {
  if (table !== undefined) return table;
  table = new Uint32Array(256);
  for (let byte = 0; byte < 256; byte++) {
    let crc = byte << 24;
    for (let bit = 0; bit < 8; bit++) crc = (crc & 0x8000_0000) !== 0 ? (crc << 1) ^ POLYNOMIAL : crc << 1;
    table[byte] = crc >>> 0;
  }
  return table;
}

class Cksum implements Sum {
  #crc = 0;
  #length = 0;

  update(bytes: Uint8Array): void {
    this.#length += bytes.length;
    this.#add(bytes);
  }

  #add(bytes: Iterable<number>): void {
    const steps = crcTable();
    let crc = this.#crc;
    for (const byte of bytes) crc = ((crc << 8) ^ (steps[((crc >>> 24) ^ byte) & 0xff] ?? 0)) >>> 0;
    this.#crc = crc;
  }

  digest(): string {
    const length: number[] = [];
    for (let rest = this.#length; rest > 0; rest = Math.floor(rest / 256)) length.push(rest % 256);
    this.#add(length);
    return String(~this.#crc >>> 0);
  }
}
