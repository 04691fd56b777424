/** Bytes as numbers: `offset  00 01 …  |text|`, as many in a line as fit. */

const hex = (n: number, digits: number): string => n.toString(16).padStart(digits, '0');

/** Bytes of one line in `width` cells: a power of two, at least 4. */
export function bytesAcross(width: number, digits = 8): number {
  for (const count of [32, 16, 8]) if (digits + 3 + count * 4 + 2 <= width) return count;
  return 4;
}

/** `offset`: of the first byte in its file. */
export function hexLines(bytes: Uint8Array, offset: number, width: number): readonly string[] {
  const digits = Math.max(8, hex(offset + bytes.length, 1).length);
  const across = bytesAcross(width, digits);
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += across) {
    const piece = [...bytes.subarray(at, at + across)];
    const numbers = piece.map((byte) => hex(byte, 2)).join(' ');
    const text = piece.map((byte) => (byte >= 0x20 && byte < 0x7f ? String.fromCharCode(byte) : '.')).join('');
    lines.push(`${hex(offset + at, digits)}  ${numbers.padEnd(across * 3 - 1)}  |${text}|`);
  }
  return lines;
}
