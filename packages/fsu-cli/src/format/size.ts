/** Sizes as text, in NetBSD's and in GNU's manner, and block sizes as people type them. */

/**
 * NetBSD's humanize_number(3) with HN_DECIMAL | HN_B | HN_NOSPACE in a field of four characters: `0B`, `1023B`, `1.0K`,
 * `12K`, `4.5G`. `si` counts in thousands.
 */
export function humanBsd(bytes: number, si = false): string {
  const divisor = si ? 1000 : 1024;
  const prefixes = si ? 'BkMGTPE' : 'BKMGTPE';
  // Hundredths, as the original keeps them, and its limit: three digits and a unit.
  let hundredths = bytes * 100;
  let power = 0;
  while (hundredths >= 99950 && power < prefixes.length - 1) {
    hundredths = Math.floor(hundredths / divisor);
    power++;
  }
  if (hundredths < 995 && power > 0) {
    const tenths = Math.floor((hundredths + 5) / 10);
    return `${Math.floor(tenths / 10)}.${tenths % 10}${prefixes[power] ?? ''}`;
  }
  return `${Math.floor((hundredths + 50) / 100)}${prefixes[power] ?? ''}`;
}

/** GNU's rules for the same: rounded up, no unit below 1024: `512`, `1.0K`, `1.1K`, `4.1M`. */
export function humanGnu(bytes: number, si = false): string {
  const base = si ? 1000 : 1024;
  const prefixes = si ? ' kMGTPE' : ' KMGTPE';
  if (bytes < base) return String(bytes);
  let value = bytes;
  let power = 0;
  while (value >= base && power < prefixes.length - 1) {
    value /= base;
    power++;
  }
  const tenths = Math.ceil(value * 10 - 1e-9);
  if (tenths < 100) return `${Math.floor(tenths / 10)}.${tenths % 10}${prefixes[power] ?? ''}`;
  const whole = Math.ceil(value - 1e-9);
  return whole >= base && power < prefixes.length - 1
    ? `1.0${prefixes[power + 1] ?? ''}`
    : `${whole}${prefixes[power] ?? ''}`;
}

type BlockUnit = { readonly kind: 'blocks'; readonly size: number } | { readonly kind: 'human'; readonly si: boolean };

/**
 * BLOCKSIZE and --block-size: `512`, `1k`, `4K`, `1M`, `KiB` (1024), `KB` (1000), and GNU's words `human-readable` and `si`.
 * undefined when it is none.
 */
export function parseBlockUnit(text: string): BlockUnit | undefined {
  if (text === 'human-readable') return { kind: 'human', si: false };
  if (text === 'si') return { kind: 'human', si: true };
  const [, digits = '', unit = '', byte = ''] = /^(\d*)([kKmMgGtTpP]?)(iB|B|)$/.exec(text) ?? [];
  if (digits === '' && unit === '') return undefined;
  if (unit === '' && byte === 'iB') return undefined;
  const base = byte === 'B' && unit !== '' ? 1000 : 1024;
  const power = unit === '' ? 0 : 'kmgtp'.indexOf(unit.toLowerCase()) + 1;
  const size = (digits === '' ? 1 : Number(digits)) * base ** power;
  return size >= 1 && Number.isSafeInteger(size) ? { kind: 'blocks', size } : undefined;
}

/** `0`, `4096`, `4K`, `1MiB`: a number of bytes. undefined when it is none. */
export function parseBytes(text: string): number | undefined {
  if (/^\d+$/.test(text)) return Number.isSafeInteger(Number(text)) ? Number(text) : undefined;
  const unit = parseBlockUnit(text);
  return unit?.kind === 'blocks' ? unit.size : undefined;
}

/** `512-blocks`, `1K-blocks`, `1M-blocks`: how df heads a column of blocks. */
export function blockHeader(size: number): string {
  for (const [unit, letter] of [
    [2 ** 30, 'G'],
    [2 ** 20, 'M'],
    [2 ** 10, 'K'],
  ] as const) {
    if (size >= unit && size % unit === 0) return `${size / unit}${letter}-blocks`;
  }
  return `${size}-blocks`;
}
