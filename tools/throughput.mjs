// Does fsu_cat keep up? `node tools/throughput.mjs` times it on a file of 256 MiB in an ext4 image against the least that
// Node can do, a loop of reads and writes of the same bytes, in turn. The aim is 1.25 times for 1 GiB (docs/bench.md).
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { cool, interleave } from './bench/measure.mjs';
import { root } from './lib/setup.mjs';

const MIB = 1024 * 1024;
const SIZE_MIB = 256;

/** Ratio of the quickest runs beyond start-up; a busy machine makes runs slower, never quicker. */
export function catRatio(rounds) {
  const dir = mkdtempSync(join(tmpdir(), 'ukfs-throughput-'));
  try {
    const files = join(dir, 'files');
    const [file, small] = [join(files, 'big'), join(files, 'small')];
    const image = join(dir, 'image');
    mkdirSync(files);
    writeFileSync(file, randomFillSync(new Uint8Array(SIZE_MIB * MIB)));
    writeFileSync(small, '');
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', files, image, `${SIZE_MIB + 64}M`]);
    for (const one of [file, image]) cool(one);
    const cat = [process.execPath, join(root, 'packages/fsu-cli/bin/fsu_cat.cjs'), image];
    const loop = [process.execPath, join(root, 'tools/bench/loop.cjs')];
    const times = interleave(
      {
        'fsu_cat, empty': [...cat, '/small'],
        fsu_cat: [...cat, '/big'],
        'loop, empty': [...loop, small],
        loop: [...loop, file],
      },
      { rounds },
    );
    for (const [name, { median, min }] of Object.entries(times)) {
      console.log(`${name.padEnd(22)} median ${median.toFixed(1)} ms  quickest ${min.toFixed(1)} ms`);
    }
    const ratio = (times.fsu_cat.min - times['fsu_cat, empty'].min) / (times.loop.min - times['loop, empty'].min);
    console.log(`${SIZE_MIB} MiB beyond start-up: × ${ratio.toFixed(2)}`);
    return ratio;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) catRatio(Number(process.argv[2] ?? 7));
