/**
 * Device numbers as systems pack them into one number: mknod -F. Source: mknod(8) and mtree(5) of NetBSD, which name the
 * formats; the widths are those of each system's makedev.
 */
import type { Rdev } from 'ukfs';

/** Packs the numbers given (major, minor; bsdos also: major, unit, subunit); undefined: they do not fit, or are too many. */
type Pack = (numbers: readonly number[]) => number | undefined;

/** Two fields, the major number above. */
const fields =
  (majorBits: number, minorBits: number): Pack =>
  ([major = 0, minor = 0, ...more]) =>
    more.length > 0 || major >= 2 ** majorBits || minor >= 2 ** minorBits ? undefined : major * 2 ** minorBits + minor;

/** The major number in bits 8 to 19, the minor one around it. */
const around =
  (majorBits: number): Pack =>
  ([major = 0, minor = 0, ...more]) => {
    const low = minor % 256;
    const high = (minor - low) / 256;
    if (more.length > 0 || major >= 2 ** majorBits || high >= 2 ** (24 - majorBits)) return undefined;
    return high * 2 ** (8 + majorBits) + major * 256 + low;
  };

const native = around(12);

const formats: Readonly<Record<string, Pack>> = {
  native,
  netbsd: native,
  '386bsd': fields(8, 8),
  '4bsd': fields(8, 8),
  bsdos: (numbers) => {
    const [major = 0, unit = 0, subunit = 0, ...more] = numbers;
    if (numbers.length < 3) return fields(12, 20)(numbers);
    if (more.length > 0 || major >= 2 ** 12 || unit >= 2 ** 12 || subunit >= 2 ** 8) return undefined;
    return major * 2 ** 20 + unit * 2 ** 8 + subunit;
  },
  freebsd: ([major = 0, minor = 0, ...more]) => {
    // Bits 8 to 15 of the minor number are those of the major one.
    const low = minor % 2 ** 8;
    const middle = Math.floor(minor / 2 ** 8) % 2 ** 8;
    const fits = more.length === 0 && major < 2 ** 8 && middle === 0 && minor < 2 ** 32;
    return fits ? minor - low + major * 2 ** 8 + low : undefined;
  },
  hpux: fields(8, 24),
  isc: fields(8, 8),
  linux: fields(8, 8),
  osf1: fields(12, 20),
  sco: fields(8, 8),
  solaris: fields(14, 18),
  sunos: fields(8, 8),
  svr3: fields(8, 8),
  svr4: fields(14, 18),
  ultrix: fields(8, 8),
};

export const deviceFormats: readonly string[] = Object.keys(formats);

/** The device whose number here is what the other system packs these numbers to. undefined: they do not fit. */
export function packDevice(format: string, numbers: readonly number[]): Rdev | undefined {
  const packed = formats[format]?.(numbers);
  if (packed === undefined) return undefined;
  const low = packed % 256;
  return {
    major: Math.floor(packed / 256) % 2 ** 12,
    minor: Math.floor(packed / 2 ** 20) * 256 + low,
  };
}
