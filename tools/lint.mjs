// oxlint and prettier over everything that is ours. `--fix` formats and repairs in place.
import { runNode } from './lib/setup.mjs';

export function lint({ fix = false } = {}) {
  const oxlint = runNode('node_modules/oxlint/bin/oxlint', ['--deny-warnings', ...(fix ? ['--fix'] : [])]);
  const prettier = runNode('node_modules/prettier/bin/prettier.cjs', [
    '--log-level=warn',
    fix ? '--write' : '--check',
    '--ignore-unknown',
    '.',
  ]);
  return oxlint && prettier;
}

if (process.argv[1]?.endsWith('lint.mjs')) process.exitCode = lint({ fix: process.argv.includes('--fix') }) ? 0 : 1;
