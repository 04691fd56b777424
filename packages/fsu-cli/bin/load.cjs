'use strict';
// Starts the bundled tools, dist/bundle/fsu.js, with the V8 code cache that tools/build.mjs made beside it. A one-shot tool
// spends most of its time starting, and compiling the bundle would be the larger half of that.
//
// V8 itself checks that the cache is of this version, these flags and a source of this length, and compiles from the source
// if not; so a cache that is missing, damaged or from another Node costs milliseconds, never a wrong result.
// UKFS_CODE_CACHE=0 does without; =report says on stderr what became of the cache.
const { readFileSync } = require('node:fs');
const { Script } = require('node:vm');

const file = `${__dirname.slice(0, -'bin'.length)}dist/bundle/fsu.js`;
const mode = process.env.UKFS_CODE_CACHE;

let source;
try {
  // The bundle is pure ASCII: one-byte strings are read and kept without decoding.
  source = readFileSync(file, 'latin1');
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
  process.stderr.write('fsu: not built yet: run `npm run build`\n');
  process.exit(1);
}

function readCache(path) {
  try {
    return readFileSync(path);
  } catch {
    // No cache is a slower start, nothing else.
    return undefined;
  }
}

// The commands started most have a cache of their own, without what only others need: it loads in half the time.
const command = /fsu[_-](\w+)[^/\\]*$/.exec(process.argv[1])?.[1] ?? /^\w+$/.exec(process.argv[2])?.[0];
const cachedData = mode === '0' ? undefined : (readCache(`${file}.${command}.cache`) ?? readCache(`${file}.cache`));

// Nothing is left to wait for: the process may end without taking its heap apart first. Exit handlers still run.
process.once('beforeExit', () => process.exit());

const script = new Script(source, { filename: file, cachedData });
if (mode === 'report') {
  const state = cachedData === undefined ? 'none' : script.cachedDataRejected ? 'rejected' : 'used';
  process.stderr.write(`code cache: ${state}\n`);
}
script.runInThisContext()(require, module, file);
