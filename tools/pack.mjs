// Makes the packages as they would be published: `node tools/pack.mjs [DIRECTORY]`, by default dist/. `--prepare` is npm's
// prepack: everything is built from nothing and none is packed. `--built DIRECTORY` takes the bundle that is there.
import { spawnSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { buildBundle } from './build.mjs';
import { genMan } from './gen-man.mjs';
import { root, runNode } from './lib/setup.mjs';

/** In the order of what they need of one another. */
const packages = ['kernel', 'ukfs', 'fsu-cli'];

/** `clean`: from nothing, so that files of sources that are gone are gone, too. `bundle`: false where it is there already. */
async function prepare({ clean, bundle }) {
  if (clean)
    for (const name of packages) rmSync(join(root, 'packages', name, 'dist'), { recursive: true, force: true });
  if (!runNode('node_modules/typescript/bin/tsc', ['-b'])) throw new Error('tsc -b failed');
  if (bundle && !(await buildBundle())) throw new Error('the bundle failed');
  genMan();
}

/** Makes the tarballs; their paths. */
function pack(destination) {
  mkdirSync(destination, { recursive: true });
  return packages.map((name) => {
    const args = ['pack', '--json', '--ignore-scripts', '--pack-destination', resolve(destination)];
    const done = spawnSync('npm', args, { cwd: join(root, 'packages', name), encoding: 'utf8' });
    if (done.status !== 0) throw new Error(`npm pack of ${name}: ${done.stderr}`);
    const [{ filename }] = JSON.parse(done.stdout);
    return join(resolve(destination), filename);
  });
}

const [word, ...more] = process.argv.slice(2);
const isBuilt = word === '--built';
await prepare({ clean: word === '--prepare', bundle: !isBuilt });
if (word !== '--prepare') {
  for (const file of pack((isBuilt ? more[0] : word) ?? join(root, 'dist')))
    console.log(`${file}  ${(statSync(file).size / 1000).toFixed(0)} kB`);
}
