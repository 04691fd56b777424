/**
 * Writing a patch bundle: a tar archive of `fsu-patch.json` (docs/schemas/fsu.patch.bundle.json) and a member
 * `content/SHA256` for each content, in the order of their first use. The same differences give the same bytes.
 */
import { compareTrees, FsError, nameToBytes, TarWriter } from 'ukfs';
import type { ByteSink, ComparedEntry, CompareOptions, Difference, TarHeader } from 'ukfs';
import { Digests } from '../diff/digest.ts';
import { differenceMembers } from '../diff/members.ts';
import type { Sides } from '../diff/sides.ts';
import type { HostSide } from '../host.ts';

export const MANIFEST = 'fsu-patch.json';
const PIECE = 128 * 1024;

interface BundleJob {
  readonly sides: Sides;
  readonly options: CompareOptions;
  /** Old contents, too: the patch can then be taken back. */
  readonly reversible: boolean;
  readonly host: HostSide;
}

/** How many differences it holds. Errors: those of either side. */
export function writeBundle(sink: ByteSink, { sides, options, reversible, host }: BundleJob): number {
  const digests = new Digests(host);
  const { before, after } = sides;
  const walk = (): Iterable<Difference> => compareTrees(before.tree, after.tree, options);
  const lines: string[] = [];
  for (const difference of walk()) lines.push(JSON.stringify(differenceMembers(difference, digests)));
  const head = `{"schema":"fsu.patch.bundle","version":1,"reversible":${String(reversible)},"differences":[`;
  const text = nameToBytes(`${head}\n${lines.join(',\n')}\n]}\n`);
  const writer = new TarWriter(sink);
  writer.header(member(MANIFEST, text.length));
  writer.bytes(text);
  writer.pad();
  const written = new Set<string>();
  for (const difference of walk()) {
    for (const entry of contentsOf(difference, reversible)) {
      const hash = digests.sha256(entry);
      if (!written.has(hash)) writeContent(writer, entry, hash);
      written.add(hash);
    }
  }
  writer.end();
  return lines.length;
}

function contentsOf({ change, what, before, after }: Difference, reversible: boolean): readonly ComparedEntry[] {
  const isNeeded = change !== 'changed' || what.includes('content') || what.includes('links');
  const sides = reversible ? [after, before] : [after];
  return sides.filter((entry) => entry !== undefined).filter(({ stat }) => isNeeded && stat.type === 'reg');
}

function writeContent(writer: TarWriter, { dir, name, stat }: ComparedEntry, hash: string): void {
  writer.header(member(`content/${hash}`, stat.size));
  const file = dir.open(name);
  try {
    for (let at = 0; at < stat.size;) {
      const n = file.read(writer.space(Math.min(PIECE, stat.size - at)), at);
      if (n === 0) throw new FsError('EIO', { path: name, what: 'file became shorter while it was read' });
      writer.take(n);
      at += n;
    }
  } finally {
    file.close();
  }
  writer.pad();
}

/** Of nobody and no time: what is compared is in the manifest. */
const member = (path: string, size: number): TarHeader => ({
  path,
  type: 'reg',
  mode: 0o644,
  uid: 0,
  gid: 0,
  uname: '',
  gname: '',
  mtime: { sec: 0, nsec: 0 },
  size,
  target: '',
  rdev: undefined,
});
