/**
 * What is fuzzed: every parser of bytes or text that somebody else wrote. Those of file systems come from the surveys of
 * their images, one target for each kind of structure: the input is laid over the place where such a structure is, its
 * checksums are put right, and the image is mounted, walked, edited or checked (hostile.ts, with all of its rules).
 */
import { filesystems } from '@ukfs/kernel/all';
import { memoryHost } from '@ukfs/kernel/host/memory';
import { aclFromText, decodeAcl, encodeAcl } from '../../../packages/ukfs/src/acl.ts';
import { parseAddress, parseSelector } from '../../../packages/ukfs/src/address.ts';
import { mtreeEntries, unvis, vis } from '../../../packages/ukfs/src/mtree.ts';
import { probe } from '../../../packages/ukfs/src/recognise/identify.ts';
import { cachedMedium } from '../../../packages/ukfs/src/recognise/medium.ts';
import { recognise } from '../../../packages/ukfs/src/recognise/recognise.ts';
import { tarEntries } from '../../../packages/ukfs/src/tar.ts';
import { TarWriter } from '../../../packages/ukfs/src/tarwrite.ts';
import { readGpt } from '../../../packages/kernel/src/dev/label/gpt.ts';
import { readMbr } from '../../../packages/kernel/src/dev/label/mbr.ts';
import { openStage } from '../../../packages/kernel/src/dev/stage.ts';
import { FsError, nameFromBytes } from '@ukfs/kernel';
import { fileSystems } from '../../support/file-systems.ts';
import {
  bounds,
  MODES,
  runHostile,
  type Bounds,
  type HostileFormat,
  type HostileImage,
  type Place,
} from '../../support/hostile.ts';
import type { Target } from './engine.ts';

const text = (...lines: readonly string[]): Uint8Array[] => lines.map((line) => new TextEncoder().encode(line));
const disk = (bytes: Uint8Array): { read: (offset: number, length: number) => Uint8Array; sizeBytes: number } => ({
  read: (offset, length) => bytes.slice(Math.max(0, offset), Math.max(0, offset) + Math.max(0, length)),
  sizeBytes: bytes.length,
});

/** A partition table in its first sectors: enough of one to be read. */
function mbrSeed(): Uint8Array {
  const bytes = new Uint8Array(8192);
  bytes.set([0x80, 0, 2, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 4, 0, 0, 0], 446);
  bytes.set([0, 0, 2, 0, 5, 0, 0, 0, 5, 0, 0, 0, 8, 0, 0, 0], 462);
  bytes.set([0x55, 0xaa], 510);
  bytes.set([0, 0, 2, 0, 0x83, 0, 0, 0, 1, 0, 0, 0, 2, 0, 0, 0], 5 * 512 + 446);
  bytes.set([0, 0, 2, 0, 5, 0, 0, 0, 3, 0, 0, 0, 2, 0, 0, 0], 5 * 512 + 462);
  bytes.set([0x55, 0xaa], 5 * 512 + 510);
  return bytes;
}

function gptSeed(): Uint8Array {
  const bytes = new Uint8Array(20_480);
  bytes.set([0, 0, 2, 0, 0xee, 0, 0, 0, 1, 0, 0, 0, 39, 0, 0, 0], 446);
  bytes.set([0x55, 0xaa], 510);
  bytes.set(new TextEncoder().encode('EFI PART'), 512);
  bytes.set([0, 0, 1, 0, 92, 0, 0, 0], 520);
  bytes.set([1], 512 + 24);
  bytes.set([39], 512 + 32);
  bytes.set([34], 512 + 40);
  bytes.set([38], 512 + 48);
  bytes.set([2], 512 + 72);
  bytes.set([4, 0, 0, 0, 128, 0, 0, 0], 512 + 80);
  return bytes;
}

/** An FsError is an answer. */
function answered(use: () => unknown): void {
  try {
    use();
  } catch (e) {
    if (!(e instanceof FsError)) throw e;
  }
}

const labels: readonly Target[] = [
  { name: 'mbr', maxBytes: 16_384, seeds: () => [mbrSeed()], run: (bytes) => answered(() => readMbr(disk(bytes))) },
  {
    name: 'gpt',
    maxBytes: 32_768,
    seeds: () => [gptSeed(), mbrSeed()],
    run: (bytes) => answered(() => readGpt(disk(bytes))),
  },
];

const IMAGE = '/d/disk.img';
const IMAGE_BYTES = 64 * 1024;

/** A log as a crash leaves it: a commit that fails after its commit point. */
function logSeed(): Uint8Array {
  const host = memoryHost({ seed: 1 });
  host.put(IMAGE, new Uint8Array(IMAGE_BYTES).fill(0xa5), { ino: 7, birthtime: { sec: 1, nsec: 2 } });
  const stage = openStage(host, IMAGE, { write: true });
  for (let at = 0; at < 8; at++) stage.write(new Uint8Array(700).fill(at + 1), at * 5000);
  host.fault = (op, path) => {
    if (op === 'write' && path === IMAGE) throw new FsError('EIO', { op, path });
  };
  answered(() => stage.commit());
  host.fault = undefined;
  answered(() => stage.close());
  return host.get(`${IMAGE}.fsu-log`);
}

const log: Target = {
  name: 'log',
  maxBytes: 32_768,
  seeds: () => [logSeed()],
  run(bytes) {
    const host = memoryHost({ seed: 1 });
    host.put(IMAGE, new Uint8Array(IMAGE_BYTES).fill(0xa5), { ino: 7, birthtime: { sec: 1, nsec: 2 } });
    host.put(`${IMAGE}.fsu-log`, bytes);
    for (const write of [false, true]) answered(() => openStage(host, IMAGE, { write }).close());
    if (host.openFiles() > 0) throw new Error(`${host.openFiles()} files stay open`);
  },
};

const addresses: readonly Target[] = [
  {
    name: 'address',
    maxBytes: 300,
    seeds: () =>
      text('disk.img:2/etc/fstab', 'C:\\x.img:a:off=1MiB/y', 'i:label=ROOT:uuid=0a-1:type=esp/', ':/', 'a:name=x\\:y'),
    run(bytes) {
      const line = new TextDecoder().decode(bytes);
      for (const isFile of [() => false, () => true, (path: string) => path.length < 9])
        for (const use of [() => parseAddress(line, isFile), () => parseSelector(line)]) {
          try {
            use();
          } catch (e) {
            if (!(e instanceof FsError) && !isUsage(e)) throw e;
          }
        }
    },
  },
  {
    name: 'recognise',
    maxBytes: 70_000,
    seeds: () => [
      mbrSeed(),
      gptSeed(),
      ...fileSystems.flatMap(({ disks, type }) => disks(type).slice(0, 1)).map((d) => d.make().slice(0, 70_000)),
    ],
    run(bytes) {
      const medium = cachedMedium((dst, offset) => dst.set(bytes.subarray(offset, offset + dst.length)), bytes.length);
      answered(() => probe(medium, filesystems));
      answered(() => recognise(medium.read, medium.sizeBytes));
    },
  },
];

/** A wrong address is told as an error with words, not with an errno. */
const isUsage = (e: unknown): boolean =>
  e instanceof Error && e.constructor !== TypeError && e.constructor !== RangeError;

/** Counting makes code slow; fields.test.ts holds it to the time it should take. */
const COUNTED: Bounds = { ...bounds, cpuMs: 5 * bounds.cpuMs };

/** Images with what lies in them, made when the first target asks. */
const surveyed = new Map<HostileImage, { readonly image: Uint8Array; readonly places: readonly Place[] }>();

function survey(format: HostileFormat, row: HostileImage): { image: Uint8Array; places: readonly Place[] } {
  let known = surveyed.get(row);
  if (known === undefined) {
    const image = row.make();
    surveyed.set(row, (known = { image, places: format.survey(image).places }));
  }
  return known;
}

/** The first image that holds such a structure, and where. */
function findIn(format: HostileFormat, structName: string): { image: Uint8Array; places: readonly Place[] } {
  for (const row of format.images) {
    const { image, places } = survey(format, row);
    const such = places.filter(({ table }) => table.structName === structName);
    if (such.length > 0) return { image, places: such };
  }
  throw new Error(`no ${structName} in any image`);
}

/** One target for each kind of structure in a type's images. */
export const structureTargets = (format: HostileFormat): Target[] =>
  format.tables
    .filter((name) => !format.excused.includes(name))
    .map((name) => ({
      name: `${format.type.name}:${name.replaceAll(' ', '-')}`,
      maxBytes: 600,
      // Which of them, and what is done with the image; then its bytes, and what follows them on the disk.
      seeds() {
        const { image, places } = findIn(format, name);
        return places.slice(0, 8).map(({ offset, table }, i) => {
          const own = image.slice(offset, offset + Math.min(512, table.size * 4));
          return Uint8Array.from([i, i, ...own]);
        });
      },
      run(input) {
        const { image, places } = findIn(format, name);
        const place = places[(input[0] ?? 0) % places.length];
        if (place === undefined) return;
        const damaged = image.slice();
        damaged.set(input.subarray(2, 2 + damaged.length - place.offset), place.offset);
        place.seal(damaged);
        const mode = MODES[(input[1] ?? 0) % MODES.length] ?? 'read';
        answered(() => runHostile(format.type, damaged, mode, { limits: COUNTED }));
      },
    }));

/** Archives and specifications of others, and what is written in them. */
const archives: readonly Target[] = [
  {
    name: 'tar',
    maxBytes: 16_384,
    seeds: () => [tarSeed('pax'), tarSeed('gnu')],
    run(bytes) {
      let at = 0;
      const read = (dst: Uint8Array): number => {
        const piece = bytes.subarray(at, at + dst.length);
        dst.set(piece);
        at += piece.length;
        return piece.length;
      };
      answered(() => {
        const buffer = new Uint8Array(512);
        for (const entry of tarEntries({ read })) entry.read(buffer);
      });
    },
  },
  {
    name: 'mtree',
    maxBytes: 2000,
    seeds: () =>
      text(
        '#mtree\n/set type=file uid=0 mode=0644\n. type=dir\n  a\\040b size=1 \\\n sha256=00\n d type=dir\n ..\n..\n',
        './x\\M-a\\^C/y type=link link=\\x41\\$ time=1.5\n/unset all\n./* optional\n',
      ),
    run(bytes) {
      const lines = nameFromBytes(bytes).split('\n');
      answered(() => {
        for (const { path, keywords } of mtreeEntries(lines)) {
          if (unvis(vis(path)) !== path) throw new Error(`'${path}' is not what its escapes say`);
          for (const value of keywords.values()) unvis(value);
        }
      });
    },
  },
  {
    name: 'access control list',
    maxBytes: 300,
    seeds: () => text('user::rwx,user:1001:r--,group::r-x,group:staff:rw-:50,mask::rwx,other::r-x', 'u:a:7\nm:rw'),
    run: (bytes) => answered(() => decodeAcl(encodeAcl(aclFromText(new TextDecoder().decode(bytes))))),
  },
];

function tarSeed(format: 'pax' | 'gnu'): Uint8Array {
  const pieces: number[] = [];
  const writer = new TarWriter({ write: (bytes, length) => void pieces.push(...bytes.subarray(0, length)) }, format);
  const common = { mode: 0o644, uid: 3_000_000, gid: 0, uname: 'root', gname: '', mtime: { sec: -5, nsec: 500 } };
  const file = { ...common, type: 'reg', path: `${'d'.repeat(120)}/f`, size: 5, target: '', rdev: undefined } as const;
  writer.header({ ...file, xattrs: new Map([['user.a=b', Uint8Array.of(1, 10, 0)]]), aclAccess: 'user::rw-' });
  writer.bytes(Uint8Array.of(1, 2, 3, 4, 5));
  writer.pad();
  writer.header({ ...file, type: 'lnk', size: 0, path: 'l', target: '/'.repeat(150) });
  if (format === 'pax') {
    writer.header({ ...file, path: 'holes', size: 10_000, sparse: { stored: 512 + 5 } });
    writer.bytes(new TextEncoder().encode('2\n4096\n5\n10000\n0\n'));
    writer.pad();
    writer.bytes(Uint8Array.of(1, 2, 3, 4, 5));
    writer.pad();
  }
  writer.end();
  return Uint8Array.from(pieces.slice(0, 6144));
}

export const targets = (): Target[] => [
  ...labels,
  log,
  ...addresses,
  ...archives,
  ...fileSystems.flatMap(({ hostile }) => (hostile === undefined ? [] : structureTargets(hostile))),
];
