// Times the start of the built tools against Node's own: `node tools/startup.mjs [ROUNDS]`. The runs are interleaved, so
// that a busy moment of the machine hits all alike; the figure to watch is the ratio to `node -e 0`. Time on the clock is what
// people wait; processor time says the same on a machine that is busy with other things.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib/setup.mjs';
import { unpackDemo } from './lib/demo.mjs';

/** @returns {Record<string, { median: number, min: number, cpu: number }>} milliseconds; `cpu` by the quicker quarter */
export function timeStart(rounds) {
  const { image } = unpackDemo();
  const tool = (name) => join(root, `packages/fsu-cli/bin/${name}.cjs`);
  const env = { ...process.env };
  // It costs Node 20 some 50 ms a start where it is set, and would hide what we measure.
  delete env.NODE_EXTRA_CA_CERTS;
  const commands = {
    'node -e 0': ['-e', '0'],
    fsu_ls: [tool('fsu_ls'), image],
    'fsu_ls -l': [tool('fsu_ls'), '-l', image, '/etc'],
    fsu_cat: [tool('fsu_cat'), image, '/README'],
    completion: [tool('fsu'), '__complete', 'bash', ' \t\n"\'@><=;|&(:', `fsu ls ${image}:/et`],
    'fsu_ls, no code cache': [tool('fsu_ls'), image],
  };
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  const cpu = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  const told = join(root, 'tools/lib/cpu.cjs');
  for (let round = 0; round < rounds; round++) {
    for (const [name, args] of Object.entries(commands)) {
      const start = process.hrtime.bigint();
      const { status, stderr, output } = spawnSync(process.execPath, ['--require', told, ...args], {
        stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
        encoding: 'utf8',
        env: name.includes('no code cache') ? { ...env, UKFS_CODE_CACHE: '0' } : env,
      });
      if (status !== 0) throw new Error(`${name}: exit status ${status}: ${stderr}`);
      times[name].push(Number(process.hrtime.bigint() - start) / 1e6);
      cpu[name].push(Number(output[3]) / 1000);
    }
  }
  return Object.fromEntries(
    Object.entries(times).map(([name, list]) => {
      const sorted = list.toSorted((a, b) => a - b);
      return [
        name,
        { median: sorted[sorted.length >> 1], min: sorted[0], cpu: cpu[name].toSorted((a, b) => a - b)[rounds >> 2] },
      ];
    }),
  );
}

/** The same as lines on standard output, with the ratios to `node -e 0`. */
export function reportStart(rounds) {
  const times = timeStart(rounds);
  const base = times['node -e 0'];
  const report = {};
  for (const [name, { median, min, cpu }] of Object.entries(times)) {
    const [ratio, minRatio, cpuRatio] = [median / base.median, min / base.min, cpu / base.cpu];
    report[name] = { ratio, minRatio, cpuRatio };
    const figures = `median ${median.toFixed(1)} ms  quickest ${min.toFixed(1)} ms  processor ${cpu.toFixed(1)} ms`;
    console.log(
      `${name.padEnd(22)} ${figures}  × ${ratio.toFixed(2)} (quickest × ${minRatio.toFixed(2)}, processor × ${cpuRatio.toFixed(2)})`,
    );
  }
  return report;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) reportStart(Number(process.argv[2] ?? 21));
