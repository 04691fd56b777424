'use strict';
// Starts the bundled tools, dist/bundle/fsu.js, with the V8 code cache that tools/build.mjs made beside it. A one-shot tool
// spends most of its time starting, and compiling the bundle would be the larger half of that. What only the commands started
// less often need is in dist/bundle/more.js, with a cache of its own. An installed package has no caches: what is right for
// one Node is nothing to another. There the first run of a command leaves its own in the user's cache directory.
//
// V8 itself checks that the cache is of this version, these flags and a source of this length, and compiles from the source
// if not; so a cache that is missing, damaged or from another Node costs milliseconds, never a wrong result.
// UKFS_CODE_CACHE=0 does without; =report says on stderr what became of the cache.
const { mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } = require('node:fs');
const { Script } = require('node:vm');

const bundle = `${__dirname.slice(0, -'bin'.length)}dist/bundle/`;
const mode = process.env.UKFS_CODE_CACHE;
// The commands started most have a cache of their own, without what only others need: it loads in half the time.
const command = /fsu[_-](\w+)[^/\\]*$/.exec(process.argv[1])?.[1] ?? /^\w+$/.exec(process.argv[2])?.[0];
/** What is to be kept when the command is done: scripts that came without a cache which fits. */
const toKeep = [];

/** The value of a script of the bundle. */
function load(name) {
  const file = bundle + name;
  // The bundle is pure ASCII: one-byte strings are read and kept without decoding.
  const source = readFileSync(file, 'latin1');
  const built = mode === '0' ? undefined : (readCache(`${file}.${command}.cache`) ?? readCache(`${file}.cache`));
  const ownPath = mode === '0' || built !== undefined ? undefined : placeOfOwn(source, name);
  const cachedData = ownPath === undefined ? built : readOwn(ownPath);
  const script = new Script(source, { filename: file, cachedData });
  if (ownPath !== undefined && (cachedData === undefined || script.cachedDataRejected))
    toKeep.push({ ownPath, script });
  if (mode === 'report') {
    const state = cachedData === undefined ? 'none' : script.cachedDataRejected ? 'rejected' : 'used';
    process.stderr.write(`code cache of ${name}: ${state}\n`);
  }
  return script.runInThisContext();
}

function readCache(path) {
  try {
    return readFileSync(path);
  } catch {
    // No cache is a slower start, nothing else.
    return undefined;
  }
}

/** Named after the bundle (its first line is its hash), the command and Node: one of another kind is never looked at. */
function placeOfOwn(source, name) {
  const { XDG_CACHE_HOME, LOCALAPPDATA, HOME } = process.env;
  const base = XDG_CACHE_HOME || LOCALAPPDATA || (HOME && `${HOME}/.cache`);
  // Relative ones are to be ignored (XDG Base Directory Specification).
  if (!base || !/^([A-Za-z]:)?[\\/]/.test(base)) return undefined;
  return `${base}/fsu/${source.slice(2, 18)}-${command}-${name}-${process.version}-${process.arch}`;
}

/** Code: taken only if nobody but us can have written it. */
function readOwn(path) {
  const data = readCache(path);
  if (data === undefined || process.geteuid === undefined) return data;
  const { uid, mode: bits } = statSync(path);
  return uid === process.geteuid() && (bits & 0o022) === 0 ? data : undefined;
}

function keepOwn({ ownPath, script }) {
  const cut = ownPath.lastIndexOf('/') + 1;
  const dir = ownPath.slice(0, cut);
  const part = `${ownPath}.${process.pid}`;
  try {
    mkdirSync(dir, { recursive: true, mode: 0o700 });
    writeFileSync(part, script.createCachedData(), { flag: 'wx', mode: 0o600 });
    renameSync(part, ownPath);
    // Those of other versions, when nobody has made them anew for a month.
    for (const name of readdirSync(dir)) {
      const old = dir + name;
      if (!name.startsWith(ownPath.slice(cut, cut + 16)) && statSync(old).mtimeMs < Date.now() - 30 * 86_400_000)
        rmSync(old);
    }
  } catch {
    // As above: the next start is slower.
  }
}

process.once('beforeExit', () => {
  if (!process.exitCode) toKeep.forEach(keepOwn);
  // Nothing is left to wait for: the process may end without taking its heap apart first. Exit handlers still run.
  process.exit();
});

// A script that was compiled by hand cannot import: this one can for it.
module.import = (name) => import(`../dist/bundle/${name}`);
module.more = () => load('more.js');

let main;
try {
  main = load('fsu.js');
} catch (error) {
  if (error.code !== 'ENOENT') throw error;
  process.stderr.write('fsu: not built yet: run `npm run build`\n');
  process.exit(1);
}
main(require, module, `${bundle}fsu.js`);
