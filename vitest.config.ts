import { availableParallelism } from 'node:os';
import { defineConfig } from 'vitest/config';

// Packages are resolved through the "source" condition of their `exports`, so tests run on the sources, unbuilt.
const conditions = ['source', 'module', 'node', 'import', 'default'];

/** One project per kind of test, so that each can be run, timed and counted by itself. What prepares a test may take as long as it. */
function project(name: string, include: string[], testTimeout: number) {
  return {
    resolve: { conditions },
    ssr: { resolve: { conditions } },
    test: { name, include, exclude: ['**/node_modules/**', '**/dist/**'], testTimeout, hookTimeout: testTimeout },
  };
}

export default defineConfig({
  test: {
    // Vitest's own choice is one less: half of a machine with two.
    maxWorkers: availableParallelism(),
    projects: [
      project('unit', ['packages/*/src/**/*.test.ts', 'tools/**/*.test.ts'], 10_000),
      project('conformance', ['test/conformance/**/*.test.ts'], 60_000),
      project('oracle', ['test/oracle/**/*.test.ts'], 120_000),
      project('crash', ['test/crash/**/*.test.ts'], 300_000),
      project('fault', ['test/fault/**/*.test.ts'], 300_000),
      project('model', ['test/model/**/*.test.ts'], 300_000),
      project('hostile', ['test/hostile/**/*.test.ts'], 300_000),
      project('cli', ['test/cli/**/*.test.ts'], 60_000),
      project('tui', ['test/tui/**/*.test.ts'], 60_000),
      project('regression', ['test/regression/**/*.test.ts'], 60_000),
    ],
  },
});
