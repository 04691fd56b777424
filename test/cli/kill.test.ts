/** Writers killed at every moment: the old file or the new, no lock left behind, an image that e2fsck finds clean. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { root, Workplace } from './harness.ts';

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.demo();
});
afterEach(() => place.remove());

const ROUNDS = Number(process.env['FSU_KILLS'] ?? 60);
const letters = 'abcdefghijklmnopqrstuvwxyz';

/** Start fsu_write with its input there, kill it after so many milliseconds; how long it took if it was not killed. */
async function writeAndKill(content: Buffer, afterMs: number): Promise<{ killed: boolean }> {
  const child = spawn(process.execPath, [`${root}packages/fsu-cli/bin/fsu_write.cjs`, 'demo.img', '/victim'], {
    cwd: place.dir,
    env: place.env(),
    stdio: ['pipe', 'ignore', 'ignore'],
    detached: false,
  });
  child.stdin?.on('error', () => undefined);
  child.stdin?.end(content);
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return { killed: code === null };
}

test(`kill -9 at ${ROUNDS} moments of fsu_write`, async () => {
  requireOracle('e2fsck');
  const contentOf = (i: number): Buffer => Buffer.alloc(700_000 + (i % 5) * 300_000, letters.charAt(i % 26));
  expect(place.run('fsu_write', ['demo.img', '/victim'], { stdin: contentOf(0) }).status).toBe(0);
  const start = performance.now();
  expect(place.run('fsu_write', ['demo.img', '/victim'], { stdin: contentOf(0) }).status).toBe(0);
  const whole = performance.now() - start;
  let old = contentOf(0);
  const outcome = { old: 0, new: 0, killed: 0, logs: 0 };
  for (let i = 1; i <= ROUNDS; i++) {
    const next = contentOf(i);
    // From the first milliseconds to a little beyond the end, the end more often: that is where the commit is.
    const share = i / ROUNDS;
    const { killed } = await writeAndKill(next, whole * (0.1 + 1.1 * Math.sqrt(share)));
    if (killed) outcome.killed += 1;
    if (existsSync(place.at('demo.img.fsu-log'))) outcome.logs += 1;
    const got = place.run('fsu_cat', ['demo.img', '/victim']);
    expect(got).toMatchObject({ status: 0, stderr: '' });
    const isNew = got.bytes.equals(next);
    expect(isNew || got.bytes.equals(old)).toBe(true);
    if (!killed) expect(isNew).toBe(true);
    outcome[isNew ? 'new' : 'old'] += 1;
    if (isNew) old = next;
    if (i % 10 !== 0) continue;
    // The next writer puts everything right.
    expect(place.run('fsu_write', ['demo.img', '/mark'], { stdin: String(i) })).toMatchObject({
      status: 0,
      stderr: '',
    });
    const check = spawnSync('e2fsck', ['-fn', place.at('demo.img')], { env: place.env(), encoding: 'utf8' });
    expect({ status: check.status, stdout: check.status === 0 ? '' : check.stdout }).toEqual({ status: 0, stdout: '' });
    expect(place.sh('ls').stdout).toBe('demo.img\n');
    expect(place.run('fsu_cat', ['demo.img', '/victim']).bytes.equals(old)).toBe(true);
  }
  // A loop that never kills, or kills before anything happens, proves nothing.
  expect(outcome.killed).toBeGreaterThan(ROUNDS / 4);
  expect(outcome.old).toBeGreaterThan(0);
  expect(outcome.new).toBeGreaterThan(0);
}, 300_000);

test('Ctrl-C before the commit: nothing happened, 130 to the shell', async () => {
  const child = place.start('fsu_write', ['demo.img', '/x']);
  child.stdin?.write('half of it');
  await new Promise((resolve) => setTimeout(resolve, 400));
  child.kill('SIGINT');
  const [code, signal] = await new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (status, name) => resolve([status, name]));
  });
  // Ended by the signal itself: a shell makes 130 of that.
  expect([code, signal]).toEqual([null, 'SIGINT']);
  expect(place.run('fsu_cat', ['demo.img', '/x']).status).toBe(1);
  expect(place.sh('ls').stdout).toBe('demo.img\n');
  expect(place.run('fsu_write', ['demo.img', '/x'], { stdin: 'whole' }).status).toBe(0);
});
