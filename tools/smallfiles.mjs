// Are many small files still quick to put? `node tools/smallfiles.mjs` puts 20,000 files of 3,000 bytes into an ext4 image and
// removes them, and times both, in processor time, against the least that Node can do with such files: to look at each and read
// it. The aims (debugfs and mke2fs -d) are in docs/bench.md; processor time hardly moves on a busy machine.
import { execFileSync, spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib/setup.mjs';

const [DIRS, FILES, SIZE] = [200, 100, 3000];

/** Processor time of a Node program in milliseconds, the least of `rounds` runs. */
function cpu(args, rounds, before = () => {}) {
  const env = { ...process.env };
  delete env.NODE_EXTRA_CA_CERTS;
  let least = Infinity;
  for (let round = 0; round < rounds; round++) {
    before();
    const { status, stderr, output } = spawnSync(
      process.execPath,
      ['--require', join(root, 'tools/lib/cpu.cjs'), ...args],
      { stdio: ['ignore', 'ignore', 'pipe', 'pipe'], encoding: 'utf8', env },
    );
    if (status !== 0) throw new Error(`${args.join(' ')}: exit status ${status}: ${stderr}`);
    least = Math.min(least, Number(output[3]) / 1000);
  }
  return least;
}

/** How many times the loop's processor time put and rm take. */
export function smallFileRatios(rounds) {
  const dir = mkdtempSync(join(tmpdir(), 'ukfs-smallfiles-'));
  try {
    const source = join(dir, 'tree');
    for (let d = 0; d < DIRS; d++) {
      mkdirSync(join(source, `${d}`), { recursive: true });
      for (let f = 0; f < FILES; f++)
        writeFileSync(join(source, `${d}`, `file-${f}`), new Uint8Array(SIZE).fill(f + 1));
    }
    const [empty, image] = [join(dir, 'empty'), join(dir, 'image')];
    execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', empty, '256M']);
    const tool = (name) => join(root, `packages/fsu-cli/bin/${name}.cjs`);
    const loop = cpu([join(root, 'tools/bench/files.cjs'), source], rounds);
    const put = [tool('fsu_put'), image, '-R', source, '/tree'];
    const times = {
      put: cpu(put, rounds, () => copyFileSync(empty, image)),
      rm: cpu([tool('fsu_rm'), image, '-r', '/tree'], rounds, () => {
        copyFileSync(empty, image);
        execFileSync(process.execPath, put);
      }),
    };
    execFileSync('e2fsck', ['-fn', image], { stdio: 'ignore' });
    const ratios = { put: times.put / loop, rm: times.rm / loop };
    console.log(`loop ${loop.toFixed(0)} ms of processor time`);
    for (const [name, ms] of Object.entries(times))
      console.log(`fsu_${name.padEnd(4)} ${ms.toFixed(0)} ms  × ${ratios[name].toFixed(2)}`);
    return ratios;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

if (process.argv[1] === fileURLToPath(import.meta.url)) smallFileRatios(Number(process.argv[2] ?? 3));
