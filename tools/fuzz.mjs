// `npm run fuzz -- TARGET SECONDS [SEED]`: one parser, fuzzed for as long as wanted; `all` shares the seconds out among them
// all. Without arguments: the targets' names. What it finds is printed, and the exit status 1.
//
// --runs=N ends after N executions, --hang=MS sets when a run counts as one that does not end, --blind keeps nothing of what
// coverage shows, as a control. --corpus=DIR has another standing corpus.
import { Session } from 'node:inspector';
import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from 'esbuild';
import { root } from './lib/setup.mjs';

const { name, seconds, seed, runs, hangMs, blind, corpus, wrong } = readArguments();

/** Sources find the files beside them by import.meta.url: it stays theirs. */
const ownUrl = {
  name: 'import.meta.url',
  setup({ onLoad }) {
    onLoad({ filter: /\/test\/support\/.*\.ts$/ }, async ({ path }) => ({
      contents: (await readFile(path, 'utf8')).replaceAll('import.meta.url', JSON.stringify(pathToFileURL(path).href)),
      loader: 'ts',
    }));
  },
};

process.setSourceMapsEnabled(true);
process.exitCode = (await run()) ? 0 : 1;

async function run() {
  if (wrong !== undefined) return fail(wrong);
  const { main, targets, read } = await load();
  const all = targets();
  const chosen = name === 'all' ? all : all.filter((target) => target.name === name);
  const names = all.map((target) => target.name).join('\n');
  if (name === undefined) process.stdout.write(`${names}\n`);
  if (chosen.length === 0) return name === undefined || fail(`no target ${name}; there are:\n${names}`);
  return main({
    targets: chosen,
    seconds,
    seed,
    runs,
    hangMs,
    blind,
    read,
    corpusDirectory: corpus,
    print: (line) => process.stdout.write(`${line}\n`),
  });
}

/** The engine and, once counting has begun, the targets. Nothing of them stays on the disk. */
async function load() {
  // As V8 will name it: the temporary directory may be a symbolic link.
  const directory = realpathSync(mkdtempSync(join(tmpdir(), 'ukfs-fuzz-')));
  try {
    await bundle(directory);
    const url = (file) => pathToFileURL(join(directory, file)).href;
    const { main } = await import(url('main.mjs'));
    const read = startCounting(url('targets.mjs'));
    const { targets } = await import(url('targets.mjs'));
    return { main, targets, read };
  } finally {
    rmSync(directory, { recursive: true });
  }
}

function bundle(outdir) {
  const source = join(root, 'test/hostile/fuzz');
  return build({
    entryPoints: {
      main: join(source, 'main.ts'),
      targets: join(source, name?.startsWith('planted:') ? 'planted.ts' : 'targets.ts'),
    },
    outdir,
    outExtension: { '.js': '.mjs' },
    bundle: true,
    platform: 'node',
    format: 'esm',
    conditions: ['source'],
    plugins: [ownUrl],
    // A find is told with lines of the sources.
    sourcemap: 'inline',
    logLevel: 'error',
  });
}

/** V8 counts the blocks of what is compiled from now on. Gives the counts of one script since it was last asked. */
function startCounting(url) {
  const session = new Session();
  session.connect();
  // Answered before it returns: the session is in the same thread.
  const post = (method, parameters) => {
    let answer;
    session.post(method, parameters, (error, result) => (answer = { error, result }));
    if (answer.error) throw new Error(`${method}: ${answer.error.message}`);
    return answer.result;
  };
  post('Profiler.enable');
  post('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  return () => post('Profiler.takePreciseCoverage').result.filter((script) => script.url === url);
}

function fail(message) {
  process.stderr.write(`fuzz: ${message}\n`);
  return false;
}

function readArguments() {
  const options = {
    runs: { type: 'string' },
    hang: { type: 'string' },
    blind: { type: 'boolean' },
    corpus: { type: 'string' },
  };
  try {
    const { positionals, values } = parseArgs({ allowPositionals: true, options });
    const [name, seconds = 60, seed = 1] = positionals;
    const { runs = Infinity, hang = 30_000, blind = false, corpus = join(root, 'test/hostile/corpus') } = values;
    const numbers = { seconds: Number(seconds), seed: Number(seed), runs: Number(runs), hangMs: Number(hang) };
    const wrong = Object.keys(numbers).find((key) => !(numbers[key] >= 0));
    return { name, ...numbers, blind, corpus, wrong: wrong === undefined ? undefined : `${wrong}: not a number` };
  } catch (error) {
    return { wrong: error.message };
  }
}
