/** The ```console blocks of README.md and docs/ do what they show; docs/cli.md holds every command's help as it is. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => place.remove());

const helpNames = (): readonly string[] =>
  [...place.run('fsu', ['help']).stdout.matchAll(/^ {2}(\w+) +[A-Z]/gm)].map(([, name]) => name ?? '').sort();

const pages = ['README.md', ...readdirSync(join(root, 'docs')).map((name) => `docs/${name}`)]
  .filter((page) => page.endsWith('.md'))
  .map((page) => ({ page, text: readFileSync(join(root, page), 'utf8') }))
  .filter(({ text }) => text.includes('```console\n'));

/** The ```console blocks of a page are one session, on a copy of the demo image that is theirs alone. */
describe.each(pages)('$page', ({ text }) => {
  const blocks = [...text.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block ?? '');
  const steps = blocks.flatMap((block) => `\n${block}`.split(/\n\$ /).slice(1));
  let own: Workplace;
  beforeAll(() => {
    own = new Workplace();
    own.demo();
  });
  afterAll(() => own.remove());

  test.each(steps.map((step) => [step.split('\n', 1)[0] ?? '', step] as const))('%s', (_, step) => {
    const { command, expected } = commandOf(step);
    const { stdout, stderr, status } = own.sh(command);
    // A page shows what is said on standard error, and tells of a status, where it wants to.
    const shown = stdout + stderr + (status === 0 ? '' : `[${status}]\n`);
    expect(shown.trimEnd()).toBe(expected.trimEnd());
  });
});

/** `$ command`, its here-document if it has one, and what it prints. */
function commandOf(step: string): { readonly command: string; readonly expected: string } {
  const lines = step.split('\n');
  const [, word] = /<<-?'?(\w+)'?/.exec(lines[0] ?? '') ?? [];
  const end = word === undefined ? 0 : lines.indexOf(word);
  return { command: lines.slice(0, end + 1).join('\n'), expected: lines.slice(end + 1).join('\n') };
}

describe('README.md', () => {
  const text = readFileSync(join(root, 'README.md'), 'utf8');

  test('shows something', () => expect(text.match(/^\$ /gm)?.length).toBeGreaterThan(4));

  test('tells of every command', () => {
    const names = helpNames();
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
  const parts = helpNames().map(
    (name) => `\n### ${name}\n\n\`\`\`\n${place.run('fsu', [name, '--help']).stdout.trimEnd()}\n\`\`\`\n`,
  );
  const wanted = head + parts.join('');
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(file, wanted);
  expect(readFileSync(file, 'utf8')).toBe(wanted);
});
