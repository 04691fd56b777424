/** docs/ci.md: its files and the shell steps of its workflow, run in order as a job would. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, Workplace } from './harness.ts';

const page = readFileSync(join(root, 'docs/ci.md'), 'utf8');
/** The page's files: a line with the name, and the block below it. */
const files = new Map(
  [...page.matchAll(/^`([^`\n]+)`:\n\n```\w*\n([\s\S]*?)```/gm)].map(([, name = '', text = '']) => [name, text]),
);

interface Step {
  readonly name: string;
  readonly script: string;
}

/** `- name: X` with `run: line` or `run: |` and lines that are further in. */
function stepsOf(workflow: string): Step[] {
  const steps: Step[] = [];
  for (const [, name = '', rest = ''] of workflow.matchAll(/^ {6}- name: (.*)\n {8}run: ((?:.*\n)(?: {10}.*\n)*)/gm)) {
    const [first = '', ...lines] = rest.split('\n');
    steps.push({ name, script: first === '|' ? lines.map((line) => line.slice(10)).join('\n') : first });
  }
  return steps;
}

const steps = stepsOf(files.get('.github/workflows/image.yml') ?? '').filter(({ name }) => name !== 'Install');
let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo('base.img');
  for (const [name, text] of files) if (!name.includes('/')) writeFileSync(place.at(name), text);
}, 120_000);
afterAll(() => place.remove());

// As GitHub runs them.
const run = (script: string) => place.sh(`set -e -o pipefail\n${script}`, { env: { SOURCE_DATE_EPOCH: '1767225600' } });

describe('the workflow', () => {
  test('has steps', () => expect(steps.map(({ name }) => name)).toHaveLength(5));

  test.each(steps)('$name', ({ script }) => {
    expect(run(script)).toMatchObject({ stderr: '', status: 0 });
  });

  test('has edited a copy', () => {
    expect(existsSync(place.at('new.img'))).toBe(true);
    expect(place.run('fsu', ['cat', 'new.img:/etc/motd']).stdout).toBe('Built by CI.\n');
  });
});

describe('a gate closes', () => {
  const gate = (name: string): string => steps.find((step) => step.name === name)?.script ?? 'false';

  test('when the policy does not hold', () => {
    place.sh('echo y | fsu write new.img:/var/log/messages');
    expect(run(gate('The policy holds')).status).toBe(1);
  });

  test('when something else has changed', () => {
    place.sh('fsu rm new.img:/boot/grub.cfg');
    const done = run(gate('Nothing else has changed'));
    expect(done.status).not.toBe(0);
    expect(done.stderr).toContain('changed, too: /boot');
  });
});
