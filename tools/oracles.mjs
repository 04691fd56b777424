// Installs the oracles, the tools of other people that judge our images, where that is ours to do: as root, on a system
// with apt-get. Elsewhere it says what is missing; the tests that need it skip and are counted (test/support/oracle.ts).
import { spawnSync } from 'node:child_process';
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, run, say } from './lib/setup.mjs';

const packageOf = JSON.parse(readFileSync(join(root, 'tools/oracles.json'), 'utf8'));

/** Installs what is missing if it can; returns the names of the tools that are missing still. */
export function installOracles() {
  const before = missing();
  if (before.length === 0) return [];
  const packages = [...new Set(before.map((name) => packageOf[name]))];
  const isRoot = process.getuid?.() === 0;
  if (!isRoot || !exists('apt-get') || process.env.UKFS_INSTALL_ORACLES === '0') {
    warn(before, isRoot ? 'not installed here' : 'not root, so not installed; as root', packages);
    return before;
  }
  say(`apt-get install ${packages.join(' ')}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = ['install', '-y', '-qq', '--no-install-recommends', ...packages];
  // A fresh container has no package lists; a machine that has them need not fetch them again.
  const quiet = { env, stdio: ['ignore', 'ignore', 'pipe'], encoding: 'utf8' };
  if (spawnSync('apt-get', install, quiet).status !== 0) {
    run('apt-get', ['update', '-qq'], { env });
    const second = spawnSync('apt-get', install, quiet);
    if (second.status !== 0) process.stderr.write(second.stderr ?? '');
  }
  const after = missing();
  if (after.length > 0)
    warn(after, 'apt-get did not bring them; try', [...new Set(after.map((name) => packageOf[name]))]);
  return after;
}

function missing() {
  return Object.keys(packageOf).filter((name) => !exists(name));
}

function exists(name) {
  const dirs = [...(process.env.PATH ?? '').split(delimiter), '/usr/sbin', '/sbin', '/usr/local/sbin'];
  return dirs.some((dir) => {
    try {
      accessSync(join(dir, name), constants.X_OK);
      return dir !== '';
    } catch {
      return false;
    }
  });
}

function warn(names, why, packages) {
  const bar = '!'.repeat(100);
  process.stderr.write(
    `\n${bar}\nORACLES MISSING: ${names.join(', ')}\nTests that need them will be SKIPPED. ` +
      `(${why}: apt-get install ${packages.join(' ')})\n${bar}\n`,
  );
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = installOracles().length === 0 ? 0 : 1;
