// Makes a V8 code cache of the bundle: runs the commonest commands on the demo image within this process, so that V8
// compiles the functions they use, then writes down what it has compiled. Functions never run stay out: they are compiled
// when first called, and a smaller cache loads faster.
//
//   node warm.mjs BUNDLE ls      fsu.js.ls.cache, for one command
//   node warm.mjs BUNDLE         fsu.js.cache and more.js.cache, for all others
//   node warm.mjs BUNDLE chunks  writes to descriptor 3 the names of the chunks that the commands with a cache of their own use
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { Script } from 'node:vm';
import { unpackDemo } from './demo.mjs';

const [, , bundle, only] = process.argv;
const { image } = unpackDemo();

/** Commands with a code cache of their own. */
const hotRuns = [
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
];
/** What all others share: the parser. More of what only one needs would be read by all. */
const otherRuns = [['fsu', 'ls', '--help']];
const isOfCommand = ([tool, word]) => tool === `fsu_${only}` || (tool === 'fsu' && word === only);
const runsFor = { undefined: () => [...hotRuns, ...otherRuns], chunks: () => hotRuns };
const runs = runsFor[only]?.() ?? hotRuns.filter(isOfCommand);

// Exactly as bin/load.cjs makes them: V8 keeps a cache for one text.
const scripts = new Map();
const load = (name) => {
  const filename = join(bundle, name);
  if (!scripts.has(name)) scripts.set(name, new Script(readFileSync(filename, 'latin1'), { filename }));
  return scripts.get(name).runInThisContext();
};
const main = join(bundle, 'fsu.js');
const require = createRequire(main);
const bin = join(bundle, '../../bin');
const nodeArgs = [process.argv[0]];
const failures = [];
const chunks = new Set();

function next() {
  const command = runs.shift();
  if (command === undefined) {
    process.off('beforeExit', settled);
    if (only === 'chunks') writeFileSync(3, [...chunks].join('\n'));
    else for (const [name, script] of scripts) writeFileSync(cacheOf(name), script.createCachedData());
    for (const failure of failures) process.stderr.write(`code cache: ${failure}\n`);
    process.exitCode = failures.length > 0 ? 1 : 0;
    return;
  }
  process.argv = [...nodeArgs, join(bin, `${command[0]}.cjs`), ...command.slice(1)];
  process.exitCode = undefined;
  current = command.join(' ');
  module = { exports: {}, require, more: () => load('more.js') };
  load('fsu.js')(require, module, main);
}

const cacheOf = (name) => join(bundle, only === undefined ? `${name}.cache` : `${name}.${only}.cache`);

/** The command has nothing left to wait for: it is done. A command that fails here would fail for its users. */
function settled() {
  if (process.exitCode !== undefined && process.exitCode !== 0)
    failures.push(`${current}: exit status ${process.exitCode}`);
  for (const name of Object.keys(module.chunks)) chunks.add(name);
  // Not next() itself: 'beforeExit' comes again only if the event loop has had work since.
  setImmediate(next);
}

let current = '';
let module;
process.on('beforeExit', settled);
next();
