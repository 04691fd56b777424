// `npm run bench`: what the tools take, against their peers in the same run. The figures depend on the machine and on what
// else it does; the ratios much less. docs/bench.md holds the ones we answer for.
//   npm run bench -- [--quick] [--rounds N] [--strict] [--no-build] [SCENARIO …]     --clean removes the cached images
// A table on standard output, and results.json beside the images. Exit status 1: something could not be run, or, with
// --strict, falls short.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildBundle } from '../build.mjs';
import { root } from '../lib/setup.mjs';
import { benchDir, canMount } from './images.mjs';
import { scenarios } from './scenarios.mjs';

const { values: given, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    quick: { type: 'boolean', default: false },
    strict: { type: 'boolean', default: false },
    clean: { type: 'boolean', default: false },
    'no-build': { type: 'boolean', default: false },
    rounds: { type: 'string' },
  },
});

const number = (value) => (value >= 100 ? value.toFixed(0) : value >= 10 ? value.toFixed(1) : value.toFixed(2));
const limit = ({ most, least }) => (most !== undefined ? `≤ ${most}` : least !== undefined ? `≥ ${least}` : '');
const verdict = ({ pass }) => (pass === undefined ? '' : pass ? 'pass' : 'FALLS SHORT');

function print({ title, times, verdicts }) {
  console.log(`\n${title}`);
  for (const [name, { median, min }] of Object.entries(times)) {
    console.log(`  ${name.padEnd(34)} ${number(median).padStart(8)} ms   min ${number(min).padStart(8)} ms`);
  }
  for (const row of verdicts) {
    const value = row.value === undefined ? 'not measured' : `${number(row.value).padStart(8)} ${row.unit}`;
    const quickest = row.quickest === undefined ? '' : `min ${number(row.quickest).padStart(8)}`;
    console.log(
      `  ${row.what.padEnd(34)} ${value.padEnd(13)} ${quickest.padEnd(13)} ${limit(row).padEnd(7)} ${verdict(row)}`,
    );
  }
}

const machine = () => ({
  cpu: `${cpus().length} × ${cpus()[0]?.model ?? 'unknown'}`,
  memoryMib: Math.round(totalmem() / 2 ** 20),
  kernel: release(),
  node: process.version,
  commit: spawnSync('git', ['rev-parse', '--short', 'HEAD'], { cwd: root, encoding: 'utf8' }).stdout?.trim() ?? '',
  load: loadavg().map((x) => Number(x.toFixed(2))),
});

function runAll(names) {
  const { quick } = given;
  const options = { quick, rounds: Number(given.rounds ?? (quick ? 3 : 5)) };
  const report = { date: new Date().toISOString(), quick, machine: machine(), results: {} };
  let failed = false;
  for (const name of names) {
    const scenario = scenarios[name];
    if (scenario.root === true && !canMount) {
      console.log(`\n${name}: not run: the image is made by a loop mount, which needs root`);
      continue;
    }
    try {
      const result = { title: scenario.title, ...scenario.run(options) };
      // The targets are for the full sizes: on small ones start-up weighs more.
      if (quick && name !== 'start') for (const row of result.verdicts) row.pass = undefined;
      report.results[name] = result;
      print(result);
      if (given.strict && result.verdicts.some(({ pass }) => pass === false)) failed = true;
    } catch (error) {
      failed = true;
      report.results[name] = { error: String(error) };
      console.log(`\n${name}: ${error instanceof Error ? error.stack : String(error)}`);
    }
  }
  mkdirSync(benchDir, { recursive: true });
  const file = join(benchDir, 'results.json');
  writeFileSync(file, `${JSON.stringify(report, undefined, 2)}\n`);
  const { cpu, kernel, node } = report.machine;
  console.log(`\n${cpu}, Linux ${kernel}, Node ${node}; ${file}`);
  return !failed;
}

async function main() {
  if (given.clean) {
    rmSync(benchDir, { recursive: true, force: true });
    return true;
  }
  const unknown = positionals.filter((name) => !Object.hasOwn(scenarios, name));
  if (unknown.length > 0) {
    console.error(`no such scenario: ${unknown.join(', ')}; there are ${Object.keys(scenarios).join(', ')}`);
    return false;
  }
  if (!given['no-build'] && !(await buildBundle())) return false;
  const chosen = Object.keys(scenarios).filter((name) =>
    positionals.length > 0 ? positionals.includes(name) : !given.quick || scenarios[name].quick,
  );
  return runAll(chosen);
}

process.exitCode = (await main()) ? 0 : 1;
