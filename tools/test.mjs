// `npm test`: everything that must hold before a change is merged, from a clone that holds only sources.
// Install, oracles, build, lint, then each kind of test by itself, timed; a sum at the end and an honest exit status.
// `npm test -- unit crash` runs only the kinds named (and still builds and lints).
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { installPackages, runNode, say } from './lib/setup.mjs';
import { installOracles } from './oracles.mjs';
import { reportStart } from './startup.mjs';
import { smallFileRatios } from './smallfiles.mjs';
import { catRatio } from './throughput.mjs';

// The projects of vitest.config.ts, quick ones first.
const projects = ['unit', 'conformance', 'cli', 'tui', 'regression', 'fault', 'hostile', 'model', 'oracle', 'crash'];

const total = { passed: 0, failed: 0, skipped: 0 };
const rows = [];
const scratch = mkdtempSync(join(tmpdir(), 'ukfs-test-'));
const oracleLog = join(scratch, 'oracles.jsonl');

try {
  main();
} finally {
  rmSync(scratch, { recursive: true, force: true });
}

function main() {
  const chosen = process.argv.slice(2);
  const unknown = chosen.filter((name) => !projects.includes(name));
  if (unknown.length > 0)
    return finish([`no such kind of test: ${unknown.join(', ')} (there are ${projects.join(', ')})`]);
  if (!installPackages()) return finish(['npm ci failed']);

  const missingOracles = installOracles();
  step('build', () => runNode('tools/build.mjs'));
  step('start-up', startsInTime);
  step('throughput', () => keepsUp(missingOracles));
  step('small files', () => putsQuickly(missingOracles));
  step('lint', () => runNode('tools/lint.mjs'));
  for (const name of chosen.length > 0 ? chosen : projects) testProject(name);

  say('summary');
  for (const row of rows) console.log(row);
  reportOracles(missingOracles);
  finish([]);
}

/** Something that is not a test but must succeed. Its failure counts as one failed test; its success is not counted. */
function step(name, action) {
  say(name);
  const start = performance.now();
  let ok = false;
  try {
    ok = action();
  } catch (error) {
    console.error(error);
  }
  if (!ok) total.failed += 1;
  rows.push(`${name.padEnd(12)} ${seconds(start)}  ${ok ? 'ok' : 'FAILED'}`);
}

/**
 * fsu_ls against `node -e 0`. The aim is 1.3 by the clock; what fails is processor time, some way above what it is today:
 * 1.75, and on other days of the same machine up to a tenth more (docs/bench.md). A second look before that is called a failure.
 */
function startsInTime() {
  const budget = 1.95;
  return [1, 2].some(() => reportStart(21).fsu_ls.cpuRatio <= budget);
}

/**
 * fsu_cat of 256 MiB against a bare loop of reads and writes, both beyond their start-up and by their quickest runs. The aim
 * is 1.25; what fails is twice that: a copy too many, or pieces too small, cost more.
 */
function keepsUp(missing) {
  if (missing.includes('mke2fs')) {
    console.log('throughput: SKIPPED: mke2fs is missing');
    return true;
  }
  const budget = 2.5;
  return [1, 2].some(() => catRatio(5) <= budget);
}

/**
 * 20,000 small files into an ext4 image and out of it, by processor time against a bare loop that reads them. Today's ratios
 * are 10 and 4; a bracket for each call instead of one for a group would make the first 20.
 */
function putsQuickly(missing) {
  if (missing.includes('mke2fs')) {
    console.log('small files: SKIPPED: mke2fs is missing');
    return true;
  }
  return [1, 2].some(() => {
    const { put, rm } = smallFileRatios(1);
    return put <= 16 && rm <= 7;
  });
}

function testProject(name) {
  say(`test: ${name}`);
  const start = performance.now();
  const output = join(scratch, `${name}.json`);
  const ok = runNode(
    'node_modules/vitest/vitest.mjs',
    [
      'run',
      '--project',
      name,
      '--passWithNoTests',
      '--reporter=default',
      '--reporter=json',
      `--outputFile.json=${output}`,
    ],
    // A spawned CLI would pay 50 ms a start for this variable on Node 20 (it loads extra certificates); no test needs it.
    { env: { ...process.env, UKFS_ORACLE_LOG: oracleLog, NODE_EXTRA_CA_CERTS: '' } },
  );
  const counts = count(output, ok);
  for (const kind of ['passed', 'failed', 'skipped']) total[kind] += counts[kind];
  rows.push(
    `${name.padEnd(12)} ${seconds(start)}  ${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped` +
      (counts.passed + counts.failed + counts.skipped === 0 ? '  (NO TESTS)' : ''),
  );
}

/** Read vitest's own account. A file that did not load has no tests in it, and still is a failure. */
function count(output, ok) {
  const counts = { passed: 0, failed: 0, skipped: 0 };
  if (existsSync(output)) {
    const report = JSON.parse(readFileSync(output, 'utf8'));
    for (const file of report.testResults) {
      if (file.status === 'failed' && !file.assertionResults.some((test) => test.status === 'failed'))
        counts.failed += 1;
      for (const test of file.assertionResults) {
        counts[test.status === 'passed' || test.status === 'failed' ? test.status : 'skipped'] += 1;
      }
    }
  }
  // An error outside any test, a crash, no report: vitest says failure though no test does.
  if (!ok && counts.failed === 0) counts.failed = 1;
  return counts;
}

/** How many tests a judge from outside took part in, and which judges did not come. */
function reportOracles(missing) {
  const judged = new Set();
  const absent = new Map();
  if (existsSync(oracleLog)) {
    for (const line of readFileSync(oracleLog, 'utf8').split('\n').filter(Boolean)) {
      const { oracle, found, test } = JSON.parse(line);
      if (found) judged.add(test);
      else absent.set(oracle, (absent.get(oracle) ?? 0) + 1);
    }
  }
  judged.delete('');
  console.log(`\noracles: ${judged.size} tests were judged by other people's tools`);
  for (const [oracle, tests] of absent)
    console.log(`oracles: ${oracle} is MISSING, skipped ${tests} test(s) or block(s)`);
  const unused = missing.filter((name) => !absent.has(name));
  if (unused.length > 0) console.log(`oracles: also missing, no test asked: ${unused.join(', ')}`);
}

function finish(errors) {
  for (const error of errors) {
    console.error(error);
    total.failed += 1;
  }
  const skipped = total.skipped > 0 ? `, ${total.skipped} skipped` : '';
  console.log(`\n${total.passed} passed, ${total.failed} failed${skipped}`);
  process.exitCode = total.failed > 0 ? 1 : 0;
}

function seconds(start) {
  return `${((performance.now() - start) / 1000).toFixed(1).padStart(6)} s`;
}
