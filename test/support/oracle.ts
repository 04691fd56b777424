/**
 * Oracles: tools by other people that judge our images (tools/oracles.json lists them and the Debian package of each).
 *
 * A test that needs one says so with requireOracle(). A missing tool is a skip that is written down, so that `npm test`
 * can count it, and on CI (CI=true) a failure: a judge who did not come has not said "good".
 */
import { execFileSync } from 'node:child_process';
import { accessSync, appendFileSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { TestRunner } from 'vitest';

const packages: Record<string, string> = JSON.parse(
  readFileSync(new URL('../../tools/oracles.json', import.meta.url), 'utf8'),
);

/** Abilities of the machine that are oracles too, though no package brings them. */
const abilities: Record<string, () => boolean> = {
  root: () => process.getuid?.() === 0,
  'loop mount': canLoopMount,
};

const found = new Map<string, string | undefined>();
const logged = new Set<string>();

/** Where the tool is, or undefined. /usr/sbin is searched too: an ordinary user's PATH often lacks it. */
export function findOracle(name: string): string | undefined {
  if (!found.has(name)) found.set(name, abilities[name] === undefined ? search(name) : probe(name));
  return found.get(name);
}

/**
 * Within a test: the path of the tool, or the test ends here (skipped and counted; failed when CI=true).
 * A name that is not in tools/oracles.json is a mistake of the test, not a missing tool.
 */
export function requireOracle(name: string): string {
  const path = findOracle(name);
  const test = TestRunner.getCurrentTest();
  log({
    oracle: name,
    found: path !== undefined,
    test: test === undefined ? '' : `${test.file.name} > ${test.fullTestName}`,
  });
  if (path !== undefined) return path;
  const message = missing(name);
  if (isCi() || test === undefined) throw new Error(message);
  console.error(`SKIPPED: ${message}`);
  return test.context.skip(message);
}

/** For whole blocks, `describe.skipIf(lacksOracle('e2fsck'))`: same counting, same failure when CI=true. */
export function lacksOracle(...names: string[]): boolean {
  const lacking = names.filter((name) => findOracle(name) === undefined);
  for (const name of lacking) {
    log({ oracle: name, found: false, test: '(a whole block of tests)' });
    if (isCi()) throw new Error(missing(name));
    console.error(`SKIPPED: ${missing(name)}`);
  }
  return lacking.length > 0;
}

function missing(name: string): string {
  const from = packages[name];
  return `oracle missing: ${name}${from === undefined ? '' : ` (Debian package ${from}; node tools/oracles.mjs installs it)`}`;
}

function isCi(): boolean {
  return process.env['CI'] === 'true';
}

function log(entry: { oracle: string; found: boolean; test: string }): void {
  const file = process.env['UKFS_ORACLE_LOG'];
  const line = JSON.stringify(entry);
  if (file === undefined || logged.has(line)) return;
  logged.add(line);
  // One write of one line in append mode: several test processes share the file.
  appendFileSync(file, `${line}\n`);
}

function search(name: string): string | undefined {
  if (packages[name] === undefined) throw new Error(`unknown oracle "${name}": add it to tools/oracles.json`);
  const path = process.env['PATH'] ?? '';
  return [...path.split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin']
    .filter((dir) => dir !== '')
    .map((dir) => join(dir, name))
    .find(isExecutable);
}

function probe(name: string): string | undefined {
  return abilities[name]?.() === true ? name : undefined;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** Asks for a free loop device: containers often have root but no loop devices. */
function canLoopMount(): boolean {
  const losetup = search('losetup');
  if (process.getuid?.() !== 0 || losetup === undefined || search('mount') === undefined) return false;
  try {
    accessSync(execFileSync(losetup, ['-f'], { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim());
    return true;
  } catch {
    return false;
  }
}
