// What `npm test` and `npm start` do first, in a clone that holds nothing but the sources. Plain Node, no dependencies:
// node_modules may not exist yet.
import { spawnSync } from 'node:child_process';
import { existsSync, lstatSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const root = dirname(dirname(dirname(fileURLToPath(import.meta.url))));

/** A heading, so that a long log can be skimmed. */
export function say(text) {
  process.stdout.write(`\n== ${text}\n`);
}

/** Run a program with our terminal. True if it exits 0. */
export function run(command, args, options = {}) {
  const result = spawnSync(command, args, { cwd: root, stdio: 'inherit', ...options });
  if (result.error !== undefined) process.stderr.write(`${command}: ${result.error.message}\n`);
  return result.status === 0;
}

/** Run a script, ours or an installed package's, with the Node that runs us. */
export function runNode(script, args = [], options = {}) {
  return run(process.execPath, [join(root, script), ...args], options);
}

/** node_modules as the lockfile says. npm rewrites node_modules/.package-lock.json last, so its time dates the install. */
export function installPackages() {
  const lock = join(root, 'package-lock.json');
  const installed = join(root, 'node_modules/.package-lock.json');
  if (existsSync(installed) && statSync(installed).mtimeMs >= statSync(lock).mtimeMs) return true;
  // `npm ci` begins by emptying node_modules, through a symbolic link too, and so would empty another clone's.
  if (lstatSync(join(root, 'node_modules'), { throwIfNoEntry: false })?.isSymbolicLink() === true) {
    process.stderr.write(
      'node_modules is a symbolic link and older than package-lock.json: remove the link, or install there\n',
    );
    return false;
  }
  say('npm ci');
  return npm(['ci', '--no-audit', '--no-fund', '--loglevel=error']);
}

function npm(args) {
  // Under `npm test` npm names its own script here; run outside it we go through the PATH (npm.cmd on Windows needs a shell).
  const script = process.env.npm_execpath;
  if (script !== undefined && /npm-cli\.c?js$/.test(script)) return run(process.execPath, [script, ...args]);
  return run('npm', args, { shell: process.platform === 'win32' });
}
