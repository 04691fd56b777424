// Makes the bundle's V8 code cache: runs the commonest commands on the demo image within this process, so that V8 compiles
// the functions they use, then writes down what it has compiled. Functions never run stay out: they are compiled when first
// called, and a smaller cache loads faster. Usage: node warm.mjs BUNDLE [COMMAND]; with COMMAND the cache is for it alone.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { unpackDemo } from './demo.mjs';

const [, , bundle, only] = process.argv;
const cache = only === undefined ? `${bundle}.cache` : `${bundle}.${only}.cache`;
const { image } = unpackDemo();

const runs = [
  ['fsu_ls', image],
  ['fsu_ls', '-l', image, '/etc'],
  ['fsu_ls', image, '-l', '/etc'],
  ['fsu_cat', image, '/README'],
  ['fsu', 'ls', `${image}:/home`],
  ['fsu', 'cat', `${image}:/etc/fstab`],
  ['fsu_write', image, '/etc/motd'],
  ['fsu_stat', image, '/README'],
  ['fsu', '__complete', 'bash', ' \t\n"\'@><=;|&(:', `fsu ls ${image}:/et`],
  ['fsu', '__complete', 'bash', ' \t\n"\'@><=;|&(:', `fsu_ls ${image} -`],
].filter(([tool, word]) => only === undefined || tool === `fsu_${only}` || (tool === 'fsu' && word === only));

// Exactly as bin/load.cjs makes it: V8 keeps a cache for one text.
const script = new Script(readFileSync(bundle, 'latin1'), { filename: bundle });
const require = createRequire(bundle);
const bin = join(bundle, '../../../bin');
const nodeArgs = [process.argv[0]];
const failures = [];

function next() {
  const command = runs.shift();
  if (command === undefined) {
    process.off('beforeExit', settled);
    writeFileSync(cache, script.createCachedData());
    for (const failure of failures) process.stderr.write(`code cache: ${failure}\n`);
    process.exitCode = failures.length > 0 ? 1 : 0;
    return;
  }
  process.argv = [...nodeArgs, join(bin, `${command[0]}.cjs`), ...command.slice(1)];
  process.exitCode = undefined;
  current = command.join(' ');
  script.runInThisContext()(require, { exports: {}, require }, bundle);
}

/** The command has nothing left to wait for: it is done. A command that fails here would fail for its users. */
function settled() {
  if (process.exitCode !== undefined && process.exitCode !== 0)
    failures.push(`${current}: exit status ${process.exitCode}`);
  // Not next() itself: 'beforeExit' comes again only if the event loop has had work since.
  setImmediate(next);
}

let current = '';
process.on('beforeExit', settled);
next();
