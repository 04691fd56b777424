// Builds everything: `tsc -b` (types, and the libraries' dist/), then the tools as one bundle with a V8 code cache.
// `--bundle` leaves tsc out: the bundle is made from the sources and needs nothing of it.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root, runNode, say } from './lib/setup.mjs';

/** Commands with a code cache of their own; lib/warm.mjs runs them. */
const hotCommands = ['ls', 'cat', 'write', 'stat'];

const bundleFile = join(root, 'packages/fsu-cli/dist/bundle/fsu.js');

/** Modules that Node has loaded before it runs us; asking for any other costs up to 4 ms (child_process). */
const loadedAtStart = ['buffer', 'events', 'fs', 'path', 'process', 'url', 'util', 'vm'];

export async function buildBundle() {
  const { build } = await import('esbuild');
  mkdirSync(dirname(bundleFile), { recursive: true });
  // The old caches go first: V8 compares no more of the source than its length.
  for (const name of readdirSync(dirname(bundleFile))) {
    if (name.endsWith('.cache')) rmSync(join(dirname(bundleFile), name));
  }
  const result = await build({
    entryPoints: [join(root, 'packages/fsu-cli/src/bin.ts')],
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // One CJS file. `import('./x.ts')` in the sources becomes a module that is evaluated when it is asked for, and with the
    // code cache a function never called is never compiled: laziness without a second file to find and read.
    format: 'cjs',
    conditions: ['source'],
    minifySyntax: true,
    minifyWhitespace: true,
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'import.meta.url': '__url' },
    plugins: [directBuiltins, lazyBuiltins],
  });
  const code = result.outputFiles[0].text;
  writeFileSync(
    bundleFile,
    `(function(require,module,__filename){const __url='file://'+__filename,exports=module.exports;${code}\n})`,
  );
  const caches = await Promise.all([undefined, ...hotCommands].map(makeCache));
  return caches.every(Boolean);
}

/** Runs commands for their code cache. In a process of its own: one of them reads standard input, all of them print. */
async function makeCache(command) {
  const args = [join(root, 'tools/lib/warm.mjs'), bundleFile, ...(command === undefined ? [] : [command])];
  const warm = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit'] });
  warm.stdin.on('error', () => {});
  warm.stdin.end('warm\n');
  const [status] = await once(warm, 'exit');
  const file = command === undefined ? `${bundleFile}.cache` : `${bundleFile}.${command}.cache`;
  if (status === 0 && !existsSync(file)) {
    process.stderr.write('code cache: a command ended the process by process.exit(); set process.exitCode instead\n');
    return false;
  }
  return status === 0;
}

/** Builtins that are there already: their exports as constants, because esbuild's copy of a namespace takes 0.5 ms. */
const directBuiltins = {
  name: 'direct-builtins',
  setup(build) {
    const filter = new RegExp(`^(node:)?(${loadedAtStart.join('|')})$`);
    build.onResolve({ filter }, ({ path, kind }) =>
      kind === 'import-statement' ? { path: path.replace(/^node:/, ''), namespace: 'direct-builtin' } : undefined,
    );
    build.onLoad({ filter: /.*/, namespace: 'direct-builtin' }, ({ path }) => {
      const builtin = createRequire(import.meta.url)(`node:${path}`);
      const keys = Object.keys(builtin).filter((key) => key !== 'default');
      const exports = keys.map((key) => `export const ${key} = /* @__PURE__ */ get(${JSON.stringify(key)});`);
      // The name is put together at run time so that esbuild leaves this require alone.
      const contents = `const real = module.require(['node', ${JSON.stringify(path)}].join(':'));
const get = (key) => real[key];
export default real;
${exports.join('\n')}`;
      return { contents, loader: 'js' };
    });
  },
};

/** Node's own modules, asked for on first use instead of at start, by getters that stand for their exports. */
const lazyBuiltins = {
  name: 'lazy-builtins',
  setup(build) {
    const names = builtinModules.filter((name) => !name.startsWith('_') && !loadedAtStart.includes(name));
    const filter = new RegExp(`^(node:)?(${names.join('|')})$`);
    build.onResolve({ filter }, ({ path, pluginData }) =>
      pluginData === 'real' ? undefined : { path: path.replace(/^node:/, ''), namespace: 'lazy-builtin' },
    );
    build.onLoad({ filter: /.*/, namespace: 'lazy-builtin' }, ({ path }) => {
      const keys = Object.keys(createRequire(import.meta.url)(`node:${path}`));
      const getters = keys.map((key) => `get ${JSON.stringify(key)}(){return load()[${JSON.stringify(key)}]}`);
      // The name is put together at run time so that esbuild leaves this require alone.
      const contents = `let real;const load=()=>real??=module.require(['node',${JSON.stringify(path)}].join(':'));module.exports={${getters.join(',')}};`;
      return { contents, loader: 'js' };
    });
  },
};

async function main() {
  if (!process.argv.includes('--bundle')) {
    say('tsc -b');
    if (!runNode('node_modules/typescript/bin/tsc', ['-b'])) return false;
  }
  say('bundle');
  return buildBundle();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await main()) ? 0 : 1;
