/** fsu sh at a terminal, which script(1) gives it. */
import { spawn } from 'node:child_process';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.demo();
}, 120_000);
afterEach(() => place.remove());

const ESCAPE = new RegExp(String.raw`\x1b\[[0-9;?]*[A-Za-z]`, 'g');
const PAUSE_MS = 700;

/** Type the lines one after the other, each when there is a prompt; what was shown. '\x04' is Ctrl-D. */
async function type(
  words: string,
  typed: readonly string[],
): Promise<{ readonly shown: string; readonly status: number | null }> {
  const child = spawn('script', ['-qec', words, '/dev/null'], {
    cwd: place.dir,
    env: place.env({ TERM: 'xterm' }),
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  let shown = '';
  let seen = 0;
  const waiting = [...typed];
  child.stdout.on('data', (chunk: Buffer) => {
    // Without the movements of the cursor.
    shown += chunk.toString().replaceAll(ESCAPE, '');
    // A prompt, and nothing behind it.
    if (waiting.length === 0 || !/(> |\[y\/N\] )$/.test(shown.slice(seen))) return;
    seen = shown.length;
    const [before = '', ...behind] = (waiting.shift() ?? '').split(/(?<=\t)/);
    child.stdin.write(before);
    // What may stand behind a Tab is looked up; a key that comes before that is in its way.
    if (behind.length > 0) setTimeout(() => child.stdin.write(behind.join('')), PAUSE_MS);
  });
  const status = await new Promise<number | null>((resolve) => child.on('close', resolve));
  return { shown: shown.replaceAll('\r', ''), status };
}

test('what is typed is staged until commit; undo, discard, changes; a line that fails is taken back', async () => {
  requireOracle('script');
  const { shown, status } = await type('fsu sh demo.img', [
    'cd /etc\n',
    'rm hosts\n',
    'rm fstab\n',
    'undo\n',
    'rm passwd /none\n',
    'write new <<E\n',
    'a "line\n',
    'E\n',
    'changes\n',
    'commit\n',
    'rm group\n',
    'discard\n',
    'undo\n',
    'lss\n',
    'rm "x\n',
    '\n',
    'exit\n',
  ]);
  expect(status).toBe(0);
  expect(shown).toContain('demo.img:/etc> ');
  expect(shown).toMatch(/removed +\/etc\/hosts\n/);
  expect(shown).toMatch(/added +\/etc\/new\n/);
  expect(shown).not.toMatch(/removed +\/etc\/(fstab|passwd)/);
  expect(shown).toContain('fsu: rm: demo.img:/none: No such file or directory');
  expect(shown).toContain('nothing to undo');
  expect(shown).toContain("did you mean 'ls'?");
  expect(place.run('fsu', ['ls', 'demo.img:/etc']).stdout).toBe(
    'fstab\ngroup\nhostname\nmyname\nnetwork\nnew\npasswd\n',
  );
  expect(place.run('fsu', ['cat', 'demo.img:/etc/new']).stdout).toBe('a "line\n');
  expect(place.sh('e2fsck -fn demo.img').status).toBe(0);
}, 120_000);

test('leaving with changes: yes, no, Ctrl-D, --commit', async () => {
  requireOracle('script');
  const edit = 'rm /etc/hosts\n';
  const isThere = (): boolean => place.run('fsu', ['ls', 'demo.img:/etc/hosts']).status === 0;
  const no = await type('fsu sh demo.img', [edit, 'exit\n', 'n\n']);
  expect(no.shown).toContain('what was not committed is gone');
  const end = await type('fsu sh demo.img:/etc', ['rm hosts\n', '\x04']);
  expect(end.shown).toContain('what was not committed is gone');
  expect(isThere()).toBe(true);
  expect(await type('fsu sh demo.img', [edit, 'quit\n', 'y\n'])).toMatchObject({ status: 0 });
  expect(isThere()).toBe(false);
  place.demo();
  await type('fsu_sh demo.img --commit /etc', ['rm hosts\n', '\x04']);
  expect(isThere()).toBe(false);
}, 120_000);

test('Tab completes commands, options and paths with what is staged', async () => {
  requireOracle('script');
  const { shown } = await type('fsu sh demo.img', [
    'mkdi\t\n',
    "write '/etc/zz top' <<E\n",
    'E\n',
    'cat /etc/zz\t\n',
    'cd /ho\t\n',
    'cat REA\t\n',
    'ls --recurs\t README\n',
    'discard\n',
    'exit\n',
  ]);
  expect(shown).toContain('demo.img:/home> ');
  expect(shown).toContain('cat /etc/zz\\ top');
  expect(shown).toContain('cat README');
  expect(shown).toContain('ls --recursive');
}, 120_000);
