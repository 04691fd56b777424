/** docs/browse.md: its keys, pressed in a real terminal, lead to its screens; then the judges of the image agree with them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { root } from '../cli/harness.ts';
import { withKernelMount } from '../support/kernel-tree.ts';
import { lacksOracle, requireOracle } from '../support/oracle.ts';
import { terminalPlace } from './terminal.ts';
import type { Terminal } from './terminal.ts';

const file = join(root, 'docs/browse.md');
const STEP = /(?:^Press (.*):\n\n)?```screen\n([^`]*)```/gm;

const { place, open } = terminalPlace();

/** Keys with names are tmux's; what is longer and none of these is typed. */
const NAMED = /^(.|Enter|Escape|Tab|Up|Down|F\d+|C-.)$/;

function press(terminal: Terminal, keys: string): void {
  for (const [, key = ''] of keys.matchAll(/`([^`]+)`/g)) {
    if (NAMED.test(key)) terminal.keys(key);
    else terminal.type(key);
  }
}

const seenOn = (terminal: Terminal): string => `${terminal.capture().join('\n').trimEnd()}\n`;

/** The screen as expected; or, if it does not come to that, as it is. */
async function screenOf(terminal: Terminal, expected: string): Promise<string> {
  const deadline = performance.now() + (process.env['UPDATE_DOCS'] === undefined ? 15_000 : 1500);
  for (;;) {
    const seen = seenOn(terminal);
    if (seen === expected || performance.now() > deadline) return seen;
    await sleep(20);
  }
}

test("README's screen is one of the session's", () => {
  const [, shown] = /```screen\n([^`]*)```/.exec(readFileSync(join(root, 'README.md'), 'utf8')) ?? [];
  const screens = [...readFileSync(file, 'utf8').matchAll(STEP)].map(([, , screen]) => screen);
  expect(screens).toContain(shown);
});

test('the session of docs/browse.md; UPDATE_DOCS=1 records it', async () => {
  requireOracle('tmux');
  place.demo();
  const hostname = place.run('fsu', ['cat', 'demo.img:/etc/hostname']).stdout;
  const terminal = open({ columns: 80, lines: 16 });
  const text = readFileSync(file, 'utf8');
  await terminal.command('clear; fsu browse demo.img; echo "status $?"');
  let recorded = '';
  let at = 0;
  let steps = 0;
  for (const step of text.matchAll(STEP)) {
    const [whole, keys = '', expected = ''] = step;
    press(terminal, keys);
    const seen = await screenOf(terminal, expected);
    if (process.env['UPDATE_DOCS'] === undefined) expect(seen, `after ${keys}`).toBe(expected);
    const head = whole.slice(0, whole.indexOf('```screen\n'));
    recorded += `${text.slice(at, step.index)}${head}\`\`\`screen\n${seen}\`\`\``;
    at = step.index + whole.length;
    steps++;
  }
  if (process.env['UPDATE_DOCS'] !== undefined) writeFileSync(file, recorded + text.slice(at));
  expect(steps).toBeGreaterThan(15);
  terminal.keys('q');
  await terminal.waitFor('status 0');
  // What the screen said: seven edits are there, three are not.
  expect(place.sh('fsu fsck demo.img').status).toBe(0);
  expect(place.sh('fsu find demo.img:/ -maxdepth 1 | sort').stdout).toMatch(/READ\.ME/);
  expect(place.run('fsu', ['stat', '-f', '%Sp %u %g', 'demo.img:/READ.ME']).stdout.trim()).toBe('-rw------- 1 2');
  expect(place.run('fsu', ['readlink', 'demo.img:/srv/name']).stdout.trim()).toBe('../etc/hostname');
  expect(place.run('fsu', ['ls', 'demo.img:/boot']).status).toBe(0);
  expect(place.run('fsu', ['ls', 'demo.img:/srv']).stdout).toBe('name\n');
  expect(place.run('fsu', ['cat', 'demo.img:/etc/hostname']).stdout).toBe(hostname);
  expect(place.sh(`${requireOracle('e2fsck')} -fn demo.img`)).toMatchObject({ status: 0 });
  if (lacksOracle('loop mount')) return;
  const names = ['READ.ME', 'notes', 'srv/name', 'home', 'boot'];
  const seen = withKernelMount(place.at('demo.img'), {}, (dir) => place.sh(`cd ${dir}; ls -ld ${names.join(' ')}`));
  expect(seen.stdout.split('\n').map((line) => line.replace(/^(\S+).* (\S+)( -> .*)?$/, '$1 $2$3'))).toEqual([
    '-rw------- READ.ME',
    'drwxr-xr-x boot',
    'drwx------ home',
    'drwxr-xr-x notes',
    'lrwxrwxrwx ../etc/hostname',
    '',
  ]);
}, 120_000);
