/** Manual pages: every command has one, and the formatters have nothing to say against it. */
import { spawnSync } from 'node:child_process';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';

let place: Workplace;
let pages: ReadonlyMap<string, string>;
beforeAll(() => {
  place = new Workplace();
  const { commands } = JSON.parse(place.run('fsu', ['help', '--json']).stdout) as { commands: { name: string }[] };
  const names = ['', ...commands.map(({ name }) => name)];
  pages = new Map(
    names.map((name) => [name, place.run('fsu', ['help', '--man', ...(name === '' ? [] : [name])]).stdout]),
  );
}, 120_000);
afterAll(() => place.remove());

/** What a formatter complains about, page by page. */
function complaints(program: string, args: readonly string[]): readonly string[] {
  return [...pages].flatMap(([name, page]) => {
    const { stdout, stderr, status } = spawnSync(program, args, { input: page, encoding: 'utf8' });
    return stdout + stderr === '' && status === 0 ? [] : [`${name}: ${stdout}${stderr}`];
  });
}

test('every command has a page', () => {
  expect(pages.size).toBeGreaterThan(14);
  for (const [name, page] of pages) expect(page, name).toMatch(/^\.Dd .*\n\.Dt FSU/);
});

describe('no formatter complains', () => {
  test('mandoc', () => {
    expect(complaints(requireOracle('mandoc'), ['-T', 'lint', '-W', 'warning'])).toEqual([]);
  });

  test('groff', () => {
    expect(complaints(requireOracle('groff'), ['-ww', '-mdoc', '-z', '-Tutf8'])).toEqual([]);
  });
});

test('man(1) shows options as they are typed', () => {
  requireOracle('man');
  const shown = place.sh('fsu help --man ls | man -l -').stdout;
  expect(shown).toMatch(/^ +-I, --ignore=pattern$/m);
  expect(shown).toMatch(/^ +--color\[=when\]$/m);
  expect(shown).toMatch(/^ +fsu_ls disk\.img -lR \/etc$/m);
});
