/**
 * Damaged images given to the tools themselves, as real processes: an answer or a line that says what is wrong, with an exit
 * status that is documented, soon, in little memory; and an image that changes only when the tool says it was done.
 *
 * CI tries a few seeds; UKFS_HUNT=500 tries so many, UKFS_HUNT_SEED begins elsewhere. A failure names its seed.
 */
import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { everyReader, everyWriter, Workplace, type CommandLine } from '../cli/harness.ts';
import { requireOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';

const count = Number(process.env['UKFS_HUNT'] ?? 5);
const firstSeed = Number(process.env['UKFS_HUNT_SEED'] ?? 1);
const LONGEST_MS = 30_000;
const MOST_KIB = 600 * 1024;

let place: Workplace;
const sources: Buffer[] = [];
beforeAll(() => {
  place = new Workplace();
  place.demo();
  requireOracle('mke2fs');
  // Without checksums damage gets further in.
  place.sh(`set -e
    mkdir -p tree/etc tree/home tree/dir; cp .bin/sample tree/etc/fstab; for i in $(seq 200); do echo $i > tree/dir/name-$i; done
    ln -s etc/fstab tree/link; truncate -s 1M tree/hole; echo x >> tree/hole
    truncate -s 4M e2.img e4.img
    mke2fs -q -t ext2 -b 1024 -d tree e2.img
    mke2fs -q -t ext4 -b 1024 -O ^metadata_csum,^has_journal,inline_data -I 256 -d tree e4.img`);
  for (const name of ['demo.img', 'e2.img', 'e4.img']) sources.push(readFileSync(place.at(name)));
});
afterAll(() => place.remove());

/** Some bytes, words and blocks that are not what they were; most of them where metadata is. */
function damage(rng: Rng, image: Buffer): Buffer {
  const out = Buffer.from(image);
  const hot = rng.pick([8192, 65_536, 1_000_000, out.length]);
  for (let n = rng.pick([1, 1, 2, 4, 12, 40]); n > 0; n--) {
    const at = rng.int(Math.min(hot, out.length) - 64);
    const word = at - (at % 4);
    const how = rng.int(5);
    if (how === 0) out[at] = rng.int(256);
    else if (how === 1) out[at] = (out[at] ?? 0) ^ (1 << rng.int(8));
    else if (how === 2)
      out.writeUInt32LE(
        rng.pick([
          0,
          1,
          2,
          8,
          0xffff_ffff,
          0x7fff_ffff,
          0x8000_0000,
          out.length / 1024,
          out.length / 1024 - 1,
          rng.int(65_536),
        ]),
        word,
      );
    else if (how === 3) Buffer.from(rng.bytes(rng.between(1, 64))).copy(out, at);
    else
      out.copy(
        out,
        at - (at % 1024),
        (rng.int(out.length / 1024) || 0) * 1024,
        (rng.int(out.length / 1024) + 1) * 1024,
      );
  }
  return rng.oneIn(10) ? out.subarray(0, rng.int(out.length)) : out;
}

interface Outcome {
  readonly status: number | string | null;
  readonly stderr: string;
  readonly kib: number;
}

/** Most memory that a process has had so far, as Linux tells; 0 when it is gone, or where nobody tells. */
function peakOf(pid: number | undefined): number {
  try {
    return Number(/VmHWM:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? 0);
  } catch {
    return 0;
  }
}

/** Like place.fsu(), with a limit of time and an eye on memory. */
async function watched({ words, stdin = '' }: CommandLine): Promise<Outcome> {
  const child = spawn(process.execPath, [place.at('.bin/fsu'), ...words], {
    cwd: place.dir,
    env: place.env(),
    stdio: ['pipe', 'ignore', 'pipe'],
    timeout: LONGEST_MS,
    killSignal: 'SIGKILL',
  });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  let kib = 0;
  const eye = setInterval(() => (kib = Math.max(kib, peakOf(child.pid))), 20);
  child.stdin.on('error', () => undefined);
  child.stdin.end(stdin);
  const status = await new Promise<number | string | null>((resolve) => {
    child.on('close', (code, signal) => resolve(code ?? signal));
  });
  clearInterval(eye);
  return { status, stderr, kib };
}

const fsck = (words: readonly string[]): CommandLine => ({ words: ['fsck', ...words, 'bad.img'] });
/** e2fsck's bit mask. */
const FSCK = [0, 1, 2, 3, 4, 5, 6, 7, 8, 12, 16];
const OTHERS = [0, 1, 3, 4, 6];

describe('every command on a damaged image', () => {
  test.for(Array.from({ length: count }, (_, i) => firstSeed + i))(
    'seed %i',
    { timeout: LONGEST_MS * 20 },
    async (seed) => {
      const rng = new Rng(seed);
      let most = 0;
      const image = damage(rng, rng.pick(sources));
      const all: readonly CommandLine[] = [
        ...everyReader('bad.img'),
        { words: ['get', 'bad.img:/', `out${seed}`] },
        { words: ['recover', 'bad.img'] },
        ...everyWriter('bad.img'),
        { words: ['write', '--force', 'bad.img:/dir/new'], stdin: 'x'.repeat(100_000) },
        { words: ['rm', '-rf', 'bad.img:/etc', 'bad.img:/dir', 'bad.img:/hole'] },
        fsck(['-fn']),
        fsck(['-fy']),
      ];
      for (const command of all) {
        writeFileSync(place.at('bad.img'), image);
        const { status, stderr, kib } = await watched(command);
        const line = `seed ${seed}: fsu ${command.words.join(' ')}: ${stderr}`;
        const isFsck = command.words[0] === 'fsck';
        // diff and grep have a status of their own for trouble, and no other for damage.
        const statuses = command.trouble === undefined ? OTHERS : [0, 1, command.trouble];
        expect(isFsck ? FSCK : statuses, line).toContain(status);
        expect(stderr, line).not.toMatch(/\n\s+at |internal error/);
        expect(kib, line).toBeLessThan(MOST_KIB);
        most = Math.max(most, kib);
        // A script names the line.
        if (status !== 0 && !isFsck)
          expect(stderr, line).toMatch(command.words[0] === 'script' ? /^(-c:\d+|fsu script): / : /^fsu /);
        const isReader =
          !everyWriter('').some(({ words }) => words[0] === command.words[0]) && command.words[1] !== '-fy';
        if (isReader || (status !== 0 && !isFsck))
          expect(readFileSync(place.at('bad.img')).equals(image), line).toBe(true);
        expect(place.sh('ls | grep fsu-log').stdout, line).toBe('');
      }
      expect(most).toBeGreaterThan(10_000);
      place.sh(`rm -rf out${seed}`);
    },
  );
});
