/** README.md's examples do what they show; docs/cli.md holds every command's help as it is. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo();
});
afterAll(() => place.remove());

describe('README.md', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');
  const [, session = ''] = /```console\n([\s\S]*?)```/.exec(text) ?? [];
  const steps = session.split(/^\$ /m).slice(1);

  test('shows something', () => expect(steps.length).toBeGreaterThan(4));

  test.each(steps.map((step) => [step.split('\n', 1)[0] ?? '', step.slice(step.indexOf('\n') + 1)] as const))(
    '%s',
    (command, expected) => {
      expect(place.sh(command)).toMatchObject({ stdout: expected, stderr: '', status: 0 });
    },
  );

  test('tells of every command', () => {
    const names = [...place.run('fsu', ['help']).stdout.matchAll(/^ {2}(\w+) +[A-Z]/gm)].map(([, name]) => name ?? '');
    expect(names.length).toBeGreaterThan(8);
    for (const name of names) if (name !== 'help' && name !== 'version') expect(text).toContain(`\`fsu ${name}\``);
  });

  test('links lead somewhere', () => {
    const links = [...text.matchAll(/\]\(([^)]+)\)/g)].map(([, link]) => link ?? '');
    for (const link of links) expect(() => readFileSync(join(root, link)), link).not.toThrow(/ENOENT/);
  });
});

test('docs/cli.md holds the help of each command; UPDATE_DOCS=1 puts it there', () => {
  const file = join(root, 'docs/cli.md');
  const text = readFileSync(file, 'utf8');
  const head = text.slice(0, text.indexOf('## Commands\n') + '## Commands\n'.length);
  const names = [...place.run('fsu', ['help']).stdout.matchAll(/^ {2}(\w+) +[A-Z]/gm)].map(([, name]) => name ?? '');
  const parts = names.map(
    (name) => `\n### ${name}\n\n\`\`\`\n${place.run('fsu', [name, '--help']).stdout.trimEnd()}\n\`\`\`\n`,
  );
  const wanted = head + parts.join('');
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(file, wanted);
  expect(readFileSync(file, 'utf8')).toBe(wanted);
});
