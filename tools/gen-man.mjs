// Writes what comes from the command table into packages/fsu-cli: a manual page for each command (man/) and the completions of
// each shell (completions/). Asks the bundle, which must be built: `node tools/gen-man.mjs`.
import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { root } from './lib/setup.mjs';

const dir = join(root, 'packages/fsu-cli');
const fsu = (...args) => execFileSync(process.execPath, [join(dir, 'bin/fsu.cjs'), ...args], { encoding: 'utf8' });

function fresh(name, files) {
  const place = join(dir, name);
  rmSync(place, { recursive: true, force: true });
  mkdirSync(place);
  for (const [file, text] of files) writeFileSync(join(place, file), text);
}

export function genMan() {
  const { commands } = JSON.parse(fsu('help', '--json'));
  const pages = commands.flatMap(({ name, aliases, image }) => {
    // What knows no image has no tool of its own, but for completion.
    if (image === 'none' && name !== 'completion') return [];
    const links = aliases.map((alias) => [`fsu_${alias}.1`, `.so man1/fsu_${name}.1\n`]);
    return [[`fsu_${name}.1`, fsu('help', '--man', name)], ...links];
  });
  fresh('man', [['fsu.1', fsu('help', '--man')], ...pages]);
  fresh('completions', [
    ['fsu.bash', fsu('completion', 'bash')],
    ['_fsu', fsu('completion', 'zsh')],
    ['fsu.fish', fsu('completion', 'fish')],
  ]);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) genMan();
