/** Writers killed at every moment: the old file or the new, no lock left behind, an image that e2fsck finds clean. */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, statSync, writeFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
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

/** Start fsu_write with its input there, kill it after so many milliseconds; how many it took. */
async function writeAndKill(content: Buffer, afterMs: number): Promise<{ killed: boolean; tookMs: number }> {
  const start = performance.now();
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
  return { killed: code === null, tookMs: performance.now() - start };
}

test(`kill -9 at ${ROUNDS} moments of fsu_write`, async () => {
  requireOracle('e2fsck');
  const contentOf = (i: number): Buffer => Buffer.alloc(700_000 + (i % 5) * 300_000, letters.charAt(i % 26));
  expect(place.run('fsu_write', ['demo.img', '/victim'], { stdin: contentOf(0) }).status).toBe(0);
  const start = performance.now();
  expect(place.run('fsu_write', ['demo.img', '/victim'], { stdin: contentOf(0) }).status).toBe(0);
  let whole = performance.now() - start;
  let old = contentOf(0);
  const outcome = { old: 0, new: 0, killed: 0, logs: 0 };
  for (let i = 1; i <= ROUNDS; i++) {
    const next = contentOf(i);
    // From the first milliseconds to a little beyond the end, the end more often: that is where the commit is.
    const share = i / ROUNDS;
    const { killed, tookMs } = await writeAndKill(next, whole * (0.1 + 1.1 * Math.sqrt(share)));
    if (killed) outcome.killed += 1;
    // The machine becomes quicker and slower while this goes on: who ended in time tells how long it takes now.
    whole = killed ? whole * 1.02 : tookMs;
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

describe('a signal that comes after the commit point', () => {
  const MEGABYTES = 24;
  const contents = (byte: string): Buffer => Buffer.alloc(MEGABYTES * 1_000_000, byte);

  test.for(['SIGINT', 'SIGTERM', 'SIGHUP'] as const)('%s waits until the edit is whole', async (signal) => {
    requireOracle('mke2fs');
    place.sh('truncate -s 64M large.img && mke2fs -q -t ext4 large.img');
    expect(place.run('fsu_write', ['large.img', '/f'], { stdin: contents('a') }).status).toBe(0);
    let signalled = 0;
    for (const [round, byte] of (signal === 'SIGINT' ? ['b', 'c', 'd'] : ['b']).entries()) {
      writeFileSync(place.at('input'), contents(byte));
      // In place, over blocks that are in use: all of it goes through the log, and is applied for a while.
      const child = place.start('fsu', ['write', '--at', '0', 'large.img:/f', 'input']);
      let stderr = '';
      child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const ended = new Promise<[number | null, string | null]>((resolve) => {
        child.on('close', (status, name) => resolve([status, name]));
      });
      while (!existsSync(place.at('large.img.fsu-log')) && child.exitCode === null)
        await new Promise((resolve) => setTimeout(resolve, 1));
      if (round > 0) await new Promise((resolve) => setTimeout(resolve, round * 5));
      const sent = child.exitCode === null && child.kill(signal);
      const [status, name] = await ended;
      expect(stderr).toBe('');
      // Ended by the signal itself, when all was done; or the edit was done before it came.
      expect(name === null ? status : name).toBe(name === null ? 0 : signal);
      if (sent && name === signal) signalled++;
      expect(place.sh('ls').stdout).toBe('demo.img\ninput\nlarge.img\n');
      expect(place.run('fsu_cat', ['large.img', '/f']).bytes.equals(contents(byte))).toBe(true);
    }
    expect(place.sh('e2fsck -fn large.img').status).toBe(0);
    expect(signalled).toBeGreaterThan(0);
  });
});

test('Ctrl-C while data goes into free blocks: the end of the input is no end of the file, nothing is changed, 130', async () => {
  requireOracle('mke2fs');
  place.sh('truncate -s 256M large.img && mke2fs -q -t ext4 large.img && cp --sparse=always large.img before.img');
  const blocks = (): number => statSync(place.at('large.img')).blocks;
  const before = blocks();
  const child = place.start('fsu_write', ['large.img', '/f']);
  let stderr = '';
  child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
  const ended = new Promise<[number | null, string | null]>((resolve) => {
    child.on('close', (status, name) => resolve([status, name]));
  });
  // More than waits in memory.
  await new Promise((resolve) => child.stdin?.write(Buffer.alloc(90_000_000, 'x'), resolve));
  expect(blocks()).toBeGreaterThan(before);
  child.kill('SIGINT');
  child.stdin?.end();
  expect(await ended).toEqual([null, 'SIGINT']);
  expect(stderr).toBe('fsu_write: large.img: interrupted: nothing was changed\n');
  expect(place.sh('cmp large.img before.img && ls').stdout).toBe('before.img\ndemo.img\nlarge.img\n');
});
