import { existsSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { commandNames } from './commands/index.ts';
import { VERSION } from './version.ts';

const here = new URL('../', import.meta.url);
const json = (path: string): unknown => JSON.parse(readFileSync(new URL(path, here), 'utf8'));
const own = ['help', 'version'];
const tools = ['fsu', 'fsu_newfs', ...commandNames().flatMap((name) => (own.includes(name) ? [] : [`fsu_${name}`]))];
const bin = Object.fromEntries(tools.sort().map((tool) => [tool, `bin/${tool}.cjs`]));

test('the version is package.json’s', () => {
  expect(json('package.json')).toMatchObject({ version: VERSION });
});

test('each command has its tool, here and in the lock file, from which npm ci makes them', () => {
  expect(json('package.json')).toMatchObject({ bin });
  expect(json('../../package-lock.json')).toMatchObject({ packages: { 'packages/fsu-cli': { bin } } });
  for (const path of Object.values(bin)) expect(existsSync(new URL(path, here)), path).toBe(true);
});
