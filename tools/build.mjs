// Builds everything: `tsc -b` (types, and the libraries' dist/), then the tools as one bundle with V8 code caches.
// `--bundle` leaves tsc out: the bundle is made from the sources and needs nothing of it.
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { builtinModules, createRequire } from 'node:module';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { joinChunks } from './lib/chunks.mjs';
import { root, runNode, say } from './lib/setup.mjs';

/** Commands with a code cache of their own; lib/warm.mjs runs them. */
const hotCommands = ['ls', 'cat', 'write', 'stat', '__complete'];

const bundleDir = join(root, 'packages/fsu-cli/dist/bundle');
/** The browser's screen: ink waits for its layout engine as it loads, which only a module of its own can. */
const browserFile = join(bundleDir, 'browse.mjs');

/** Modules that Node has loaded before it runs us; asking for any other costs up to 4 ms (child_process). */
const loadedAtStart = ['buffer', 'events', 'fs', 'path', 'process', 'url', 'util', 'vm'];

export async function buildBundle() {
  const { build } = await import('esbuild');
  mkdirSync(bundleDir, { recursive: true });
  // The old caches go first: V8 compares no more of the source than its length.
  for (const name of readdirSync(bundleDir)) {
    if (name.endsWith('.cache')) rmSync(join(bundleDir, name));
  }
  const result = await build({
    absWorkingDir: root,
    entryPoints: ['packages/fsu-cli/src/bin.ts'],
    write: false,
    bundle: true,
    platform: 'node',
    target: 'node20',
    // Chunks, which lib/chunks.mjs makes one script of: `import('./x.ts')` in the sources becomes a part that is made when it
    // is asked for, and with the code cache a function never called is never compiled.
    format: 'esm',
    splitting: true,
    outdir: bundleDir,
    metafile: true,
    conditions: ['source'],
    minifySyntax: true,
    minifyWhitespace: true,
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'import.meta.url': '__url' },
    plugins: [browserApart, directBuiltins, lazyBuiltins, readyStructs, pastIndexes],
  });
  const browser = await buildBrowser(build);
  for (const input of Object.keys(result.metafile.inputs)) {
    if (input.endsWith('.ts') && /^export (let|var) /m.test(readFileSync(join(root, input), 'utf8')))
      throw new Error(`${input}: an exported binding that changes: chunks hand over values`);
  }
  writeScripts(joinChunks(result.outputFiles, result.metafile, () => true));
  const { ok, told: used } = await warm('chunks');
  if (!ok) return false;
  const hot = new Set(used.split('\n'));
  writeScripts(joinChunks(result.outputFiles, result.metafile, (name) => hot.has(name)));
  writeFileSync(join(bundleDir, 'LICENSES.txt'), licensesOf([...Object.keys(result.metafile.inputs), ...browser]));
  const caches = await Promise.all([undefined, ...hotCommands].map(makeCache));
  return caches.every(Boolean);
}

function writeScripts({ main, more }) {
  // The first line names the bundle: bin/load.cjs keeps caches by it.
  const id = createHash('sha256').update(main).update(more).digest('hex').slice(0, 16);
  for (const [name, script] of Object.entries({ 'fsu.js': main, 'more.js': more }))
    writeFileSync(join(bundleDir, name), `//${id}\n${script}`);
}

/** dist/bundle/browse.mjs; the files that are in it. */
async function buildBrowser(build) {
  const { metafile } = await build({
    absWorkingDir: root,
    entryPoints: ['packages/fsu-cli/src/tui/components/app.tsx'],
    outfile: browserFile,
    bundle: true,
    platform: 'node',
    target: 'node20',
    format: 'esm',
    metafile: true,
    conditions: ['source'],
    minify: true,
    charset: 'ascii',
    legalComments: 'none',
    logLevel: 'warning',
    define: { 'process.env.NODE_ENV': '"production"' },
    // What is CommonJS in it asks for Node's modules.
    banner: { js: "import{createRequire as __create}from'node:module';const require=__create(import.meta.url);" },
    plugins: [noDevtools, quickChars],
  });
  return Object.keys(metafile.inputs);
}

/** The licences of the packages that are part of the bundle. */
function licensesOf(inputs) {
  const found = inputs.flatMap((path) => /^(node_modules\/(?:@[^/]+\/)?[^/]+)\//.exec(path)?.[1] ?? []);
  const parts = [...new Set(found)].sort().map((dir) => {
    const { name, version, license } = JSON.parse(readFileSync(join(root, dir, 'package.json'), 'utf8'));
    const own = readdirSync(join(root, dir)).find((one) => /^licen[cs]e/i.test(one));
    // Packages whose authors have left it in their repository.
    const file = own === undefined ? join(root, 'tools/licences', `${name}.txt`) : join(root, dir, own);
    if (!existsSync(file)) throw new Error(`${dir} has no licence that could go with the bundle`);
    return `${name} ${version} (${license})\n\n${readFileSync(file, 'utf8').trim()}\n`;
  });
  return `fsu.js contains these packages.\n\n${parts.join('\n----\n\n')}`;
}

async function makeCache(command) {
  const { ok } = await warm(command);
  const file = join(bundleDir, command === undefined ? 'fsu.js.cache' : `fsu.js.${command}.cache`);
  if (ok && !existsSync(file)) {
    process.stderr.write('code cache: a command ended the process by process.exit(); set process.exitCode instead\n');
    return false;
  }
  return ok;
}

/** Runs commands of the bundle (lib/warm.mjs). In a process of its own: one of them reads standard input, all of them print. */
async function warm(what) {
  const args = [join(root, 'tools/lib/warm.mjs'), bundleDir, ...(what === undefined ? [] : [what])];
  const child = spawn(process.execPath, args, { stdio: ['pipe', 'ignore', 'inherit', 'pipe'] });
  child.stdin.on('error', () => {});
  child.stdin.end('warm\n');
  let told = '';
  child.stdio[3].setEncoding('utf8').on('data', (text) => (told += text));
  const [status] = await once(child, 'close');
  return { ok: status === 0, told };
}

/** What the browser needs stands beside the bundle; bin/load.cjs imports it. */
const browserApart = {
  name: 'browser-apart',
  setup({ onResolve }) {
    onResolve({ filter: /^\.\/tui\/components\/app\.tsx$/ }, () => ({ path: './browse.mjs', external: true }));
  },
};

/** ink asks for React's devtools when a variable of the environment says so. */
const noDevtools = {
  name: 'no-devtools',
  setup({ onResolve, onLoad }) {
    onResolve({ filter: /^react-devtools-core$/ }, ({ path }) => ({ path, namespace: 'nothing' }));
    onLoad({ filter: /.*/, namespace: 'nothing' }, () => ({ contents: 'export default {};' }));
  },
};

/** ink's way with styled characters, by ours, which asks the library's (styledchars.ts). */
const quickChars = {
  name: 'quick-chars',
  setup({ onResolve }) {
    const file = join(root, 'packages/fsu-cli/src/tui/components/styledchars.ts');
    onResolve({ filter: /^@alcalzone\/ansi-tokenize$/ }, ({ importer }) =>
      importer.includes('/node_modules/ink/') ? { path: file } : undefined,
    );
  },
};

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

/** The accessor classes of all struct() tables as code, in the place of an empty list. */
const readyStructs = {
  name: 'ready-structs',
  setup({ onLoad, esbuild }) {
    onLoad({ filter: /\/kern\/struct-classes\.ts$/ }, async () => {
      const sources = join(root, 'packages/kernel/src');
      const files = readdirSync(sources, { recursive: true })
        .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
        .map((name) => join(sources, name))
        .filter((file) => readFileSync(file, 'utf8').includes('= struct('));
      const all = [join(sources, 'kern/struct.ts'), ...files];
      const tables = await esbuild.build({
        stdin: {
          contents: all.map((file, i) => `export * as m${i} from ${JSON.stringify(file)};`).join(''),
          resolveDir: root,
        },
        bundle: true,
        write: false,
        format: 'esm',
        platform: 'node',
        logLevel: 'warning',
      });
      const code = Buffer.from(tables.outputFiles[0].contents).toString('base64');
      const { m0, ...formats } = await import(`data:text/javascript;base64,${code}`);
      const classes = new Map();
      for (const value of new Set(Object.values(formats).flatMap((format) => Object.values(format)))) {
        if (typeof value !== 'object' || value?.structName === undefined) continue;
        const key = `${value.structName}:${value.size}`;
        if (classes.has(key)) throw new Error(`two tables are called ${key}`);
        classes.set(key, m0.classSource(value.rows));
      }
      const entries = [...classes].map(([key, source]) => `${JSON.stringify(key)}(lib){${source}}`);
      return { contents: `export const structClasses={${entries.join(',')}};`, loader: 'js' };
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
/**
 * `import { a, b } from 'ukfs'` asks the files that declare them. esbuild gives a chunk whatever a file imports, and through
 * the index that is all of the library: ls would start with what tar needs.
 */
const pastIndexes = {
  name: 'past-indexes',
  setup({ onLoad }) {
    const homes = new Map();
    for (const [name, dir] of [
      ['@ukfs/kernel', 'packages/kernel/src'],
      ['ukfs', 'packages/ukfs/src'],
    ]) {
      const index = readFileSync(join(root, dir, 'index.ts'), 'utf8');
      const home = new Map();
      for (const [, names, from] of index.matchAll(/^export \{([^}]*)\} from '([^']+)';/gm)) {
        for (const [own, shown = own] of namesOf(names))
          home.set(shown, homes.get(from)?.get(own) ?? { own, file: join(root, dir, from) });
      }
      homes.set(name, home);
    }
    onLoad({ filter: /\/packages\/(ukfs|fsu-cli)\/src\/.*\.ts$/ }, ({ path }) => {
      const text = readFileSync(path, 'utf8');
      const contents = text.replace(/^import \{([^}]*)\} from '(ukfs|@ukfs\/kernel)';/gm, (_, names, from) =>
        namesOf(names)
          .map(([shown, local = shown]) => {
            const home = homes.get(from).get(shown);
            if (home === undefined) throw new Error(`${path}: ${from} exports no ${shown}`);
            return `import { ${home.own} as ${local} } from ${JSON.stringify(home.file)};`;
          })
          .join(' '),
      );
      return { contents, loader: 'ts' };
    });
  },
};

/** `a as b, c` as pairs. */
const namesOf = (names) =>
  names
    .split(',')
    .map((one) => one.trim())
    .filter((one) => one !== '')
    .map((one) => one.split(/\s+as\s+/));

async function main() {
  if (!process.argv.includes('--bundle')) {
    say('tsc -b');
    if (!runNode('node_modules/typescript/bin/tsc', ['-b'])) return false;
  }
  say('bundle');
  return buildBundle();
}

if (process.argv[1] === fileURLToPath(import.meta.url)) process.exitCode = (await main()) ? 0 : 1;
