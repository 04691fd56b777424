// `npm start`: the tools at work on a small ext4 image, from a clone that holds only sources.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { installPackages, root, runNode } from './lib/setup.mjs';
import { unpackDemo } from './lib/demo.mjs';

process.exitCode = start() ? 0 : 1;

function tellMore() {
  console.log(`
The tools are in node_modules/.bin:

  export PATH=$PWD/node_modules/.bin:$PATH
  fsu --help

README.md goes on from there.`);
  return true;
}

function start() {
  if (!installPackages() || !runNode('tools/build.mjs', ['--bundle'])) return false;
  const { dir } = unpackDemo();
  const image = 'demo.ext4.img';

  const show = (tool, args, input) => {
    const shown = [tool, ...args].join(' ');
    console.log(`\n$ ${input === undefined ? '' : `echo '${input}' | `}${shown}`);
    const result = spawnSync(process.execPath, [join(root, 'packages/fsu-cli/bin', `${tool}.cjs`), ...args], {
      cwd: dir,
      input: input === undefined ? '' : `${input}\n`,
      stdio: ['pipe', 'inherit', 'inherit'],
    });
    if (result.status !== 0) console.error(`(exit status ${result.status ?? result.signal})`);
    return result.status === 0;
  };

  console.log(`An ext4 image of 8 MiB, in ${dir}. No root, no mount:`);
  return (
    show('fsu_ls', ['-l', image]) &&
    show('fsu_ls', ['-l', image, '/etc']) &&
    show('fsu_cat', [image, '/README']) &&
    show('fsu_write', [image, '/etc/motd'], 'Written by fsu_write.') &&
    show('fsu_ls', ['-l', image, '/etc']) &&
    show('fsu_cat', [image, '/etc/motd']) &&
    tellMore()
  );
}
