import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandNames } from './commands/index.ts';
import { VERSION } from './version.ts';

const here = new URL('../', import.meta.url);
const json = (path: string): unknown => JSON.parse(readFileSync(new URL(path, here), 'utf8'));
const own = ['help', 'version'];
const tools = ['fsu', 'fsu_newfs', ...commandNames().flatMap((name) => (own.includes(name) ? [] : [`fsu_${name}`]))];
const files = Object.fromEntries(tools.sort().map((tool) => [tool, `bin/${tool}.cjs`]));
/** By the package's own name `npx fsu-cli` starts it. */
const bin = { ...files, 'fsu-cli': files['fsu'] };

test('the version is package.json’s', () => {
  expect(json('package.json')).toMatchObject({ version: VERSION });
});

test('each command has its tool, and there are no others, here and in the lock file, from which npm ci makes them', () => {
  expect(json('package.json')).toHaveProperty('bin', bin);
  expect(json('../../package-lock.json')).toHaveProperty(['packages', 'packages/fsu-cli', 'bin'], bin);
});

test('each tool has its file, and no file is left over', () => {
  const loader = 'bin/load.cjs';
  const there = readdirSync(new URL('bin/', here)).map((name) => `bin/${name}`);
  expect(there.sort()).toEqual([...Object.values(files), loader].sort());
});
