/** The loader of the tools: a code cache speeds it up when it fits and is never needed. */
import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { Script } from 'node:vm';
import { afterEach, beforeEach, expect, test } from 'vitest';

let dir = '';
let bundle = '';

beforeEach(() => {
  dir = mkdtempSync(join(tmpdir(), 'ukfs-load-'));
  mkdirSync(join(dir, 'bin'));
  mkdirSync(join(dir, 'dist/bundle'), { recursive: true });
  for (const file of ['load.cjs', 'fsu_ls.cjs']) {
    copyFileSync(fileURLToPath(new URL(`../packages/fsu-cli/bin/${file}`, import.meta.url)), join(dir, 'bin', file));
  }
  bundle = join(dir, 'dist/bundle/fsu.js');
  writeFileSync(
    bundle,
    `(function(require,module,__filename){require('node:fs').writeSync(1,'ran '+process.argv[2])})`,
  );
});

afterEach(() => {
  rmSync(dir, { recursive: true, force: true });
});

function makeCache(file = bundle): void {
  const script = new Script(readFileSync(file, 'latin1'), { filename: file });
  writeFileSync(`${file}.cache`, script.createCachedData());
}

function start(options: { flags?: string[]; mode?: string } = {}) {
  const { flags = [], mode = 'report' } = options;
  const args = [...flags, join(dir, 'bin/fsu_ls.cjs'), 'x.img'];
  const env = { ...process.env, UKFS_CODE_CACHE: mode, NODE_OPTIONS: '', XDG_CACHE_HOME: join(dir, 'cache') };
  const { status, stdout, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8', env });
  return { status, stdout, stderr: stderr.trim() };
}

test('a cache made by this Node is used', () => {
  makeCache();
  expect(start()).toEqual({ status: 0, stdout: 'ran x.img', stderr: 'code cache of fsu.js: used' });
});

test('without a cache the bundle runs from its source', () => {
  expect(start()).toEqual({ status: 0, stdout: 'ran x.img', stderr: 'code cache of fsu.js: none' });
});

test('what only other commands need is read when it is asked for, with a cache of its own', () => {
  writeFileSync(bundle, '(function(require,module){require("node:fs").writeSync(1,module.more())})');
  const more = join(dir, 'dist/bundle/more.js');
  writeFileSync(more, '"more"');
  makeCache(more);
  const told = ['code cache of fsu.js: none', 'code cache of more.js: used'];
  expect(start()).toEqual({ status: 0, stdout: 'more', stderr: told.join('\n') });
});

test('a cache that is switched off is not used', () => {
  makeCache();
  expect(start({ mode: '0' })).toEqual({ status: 0, stdout: 'ran x.img', stderr: '' });
});

test('a cache for other V8 flags is rejected, and the bundle runs from its source', () => {
  makeCache();
  expect(start({ flags: ['--no-opt'] })).toEqual({
    status: 0,
    stdout: 'ran x.img',
    stderr: 'code cache of fsu.js: rejected',
  });
});

test('a cache for another version of V8 is rejected, and the bundle runs from its source', () => {
  makeCache();
  const cache = readFileSync(`${bundle}.cache`);
  // Word 1 of V8's header is the hash of its version.
  cache.writeUInt32LE((cache.readUInt32LE(4) ^ 1) >>> 0, 4);
  writeFileSync(`${bundle}.cache`, cache);
  expect(start()).toEqual({ status: 0, stdout: 'ran x.img', stderr: 'code cache of fsu.js: rejected' });
});

test('a cache for a bundle of another length is rejected, and the new bundle runs', () => {
  makeCache();
  writeFileSync(bundle, readFileSync(bundle, 'latin1').replace('ran ', 'ran anew '));
  expect(start()).toEqual({ status: 0, stdout: 'ran anew x.img', stderr: 'code cache of fsu.js: rejected' });
});

test.each([0, 3, 40])('a cache cut to %i bytes is rejected, and the bundle runs from its source', (length) => {
  makeCache();
  writeFileSync(`${bundle}.cache`, readFileSync(`${bundle}.cache`).subarray(0, length));
  expect(start()).toEqual({ status: 0, stdout: 'ran x.img', stderr: 'code cache of fsu.js: rejected' });
});

test('without a build the tool says so and fails', () => {
  rmSync(bundle);
  expect(start()).toEqual({ status: 1, stdout: '', stderr: 'fsu: not built yet: run `npm run build`' });
});
