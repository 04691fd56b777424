/**
 * Writing a patch bundle: a tar archive of `fsu-patch.json` (docs/schemas/fsu.patch.bundle.json) and a member
 * `content/SHA256` for each content, in the order of their first use. The same differences give the same bytes. Source:
 * POSIX pax(1), "ustar Interchange Format".
 */
import { compareTrees, FsError, nameToBytes } from 'ukfs';
import type { ComparedEntry, CompareOptions, Difference } from 'ukfs';
import { Digests } from '../diff/digest.ts';
import { differenceMembers } from '../diff/members.ts';
import type { Sides } from '../diff/sides.ts';
import type { HostSide } from '../host.ts';

export const MANIFEST = 'fsu-patch.json';
const BLOCK = 512;
const PIECE = 128 * 1024;
/** What eleven octal digits hold. */
const SIZE_MAX = 8 ** 11 - 1;

interface BundleSink {
  write(bytes: Uint8Array): void;
}

interface BundleJob {
  readonly sides: Sides;
  readonly options: CompareOptions;
  /** Old contents, too: the patch can then be taken back. */
  readonly reversible: boolean;
  readonly host: HostSide;
}

/** How many differences it holds. Errors: those of either side; EFBIG a file of more than 8 GiB. */
export function writeBundle(sink: BundleSink, { sides, options, reversible, host }: BundleJob): number {
  const digests = new Digests(host);
  const { before, after } = sides;
  const walk = (): Iterable<Difference> => compareTrees(before.tree, after.tree, options);
  const lines: string[] = [];
  for (const difference of walk()) lines.push(JSON.stringify(differenceMembers(difference, digests)));
  const head = `{"schema":"fsu.patch.bundle","version":1,"reversible":${String(reversible)},"differences":[`;
  const text = nameToBytes(`${head}\n${lines.join(',\n')}\n]}\n`);
  sink.write(header(MANIFEST, text.length));
  sink.write(text);
  sink.write(new Uint8Array(padding(text.length)));
  const written = new Set<string>();
  for (const difference of walk()) {
    for (const entry of contentsOf(difference, reversible)) {
      const hash = digests.sha256(entry);
      if (!written.has(hash)) writeContent(sink, entry, hash);
      written.add(hash);
    }
  }
  sink.write(new Uint8Array(2 * BLOCK));
  return lines.length;
}

function contentsOf({ change, what, before, after }: Difference, reversible: boolean): readonly ComparedEntry[] {
  const isNeeded = change !== 'changed' || what.includes('content') || what.includes('links');
  const sides = reversible ? [after, before] : [after];
  return sides.filter((entry) => entry !== undefined).filter(({ stat }) => isNeeded && stat.type === 'reg');
}

function writeContent(sink: BundleSink, { dir, name, stat }: ComparedEntry, hash: string): void {
  sink.write(header(`content/${hash}`, stat.size));
  const file = dir.open(name);
  try {
    const buffer = new Uint8Array(PIECE);
    let at = 0;
    for (let n = file.read(buffer, at); n > 0 && at < stat.size; n = file.read(buffer, at)) {
      const some = Math.min(n, stat.size - at);
      sink.write(buffer.subarray(0, some));
      at += some;
    }
    if (at < stat.size) throw new FsError('EIO', { path: name, what: 'file became shorter while it was read' });
  } finally {
    file.close();
  }
  sink.write(new Uint8Array(padding(stat.size)));
}

const padding = (size: number): number => (BLOCK - (size % BLOCK)) % BLOCK;

function header(name: string, size: number): Uint8Array {
  if (size > SIZE_MAX) throw new FsError('EFBIG', { path: name, what: 'a bundle holds no files of more than 8 GiB' });
  const block = new Uint8Array(BLOCK);
  const put = (at: number, text: string): void => block.set(nameToBytes(text), at);
  put(0, name);
  put(100, '0000644\0');
  put(108, '0000000\0');
  put(116, '0000000\0');
  put(124, `${size.toString(8).padStart(11, '0')}\0`);
  put(136, '00000000000\0');
  put(148, '        ');
  put(156, '0');
  put(257, 'ustar\x0000');
  const sum = block.reduce((total, byte) => total + byte, 0);
  put(148, `${sum.toString(8).padStart(6, '0')}\0 `);
  return block;
}
