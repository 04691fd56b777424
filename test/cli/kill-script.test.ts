/**
 * A script of 1,000 lines killed at every moment: the image is bit for bit the one before it or the one after it. Of the one
 * before, that is: but for blocks that were free, into which new files go before the commit (ADR 0002).
 */
import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { root, Workplace } from './harness.ts';

/** The number is 200, which takes about two minutes; CI has less patience. */
const ROUNDS = Number(process.env['FSU_SCRIPT_KILLS'] ?? 60);

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
}, 120_000);
afterAll(() => place.remove());

/** New files of all sizes, more of one that is there, copies, removals: all verbs that matter to the order of writes. */
function scriptOf(lines: number): string {
  const edits: string[] = [];
  for (let i = 0; i < lines; i++) {
    const dir = `/d${i % 20}`;
    const kind = i % 10;
    if (kind < 6) edits.push(`write -p ${dir}/f${i} <<END\nline ${i} ${'x'.repeat((i * 37) % 5000)}\nEND`);
    else if (kind === 6) edits.push(`write -pa ${dir}/log <<END\nentry ${i}\nEND`);
    else if (kind === 7) edits.push(`cp /d${(i - 7) % 20}/f${i - 7} /d${(i - 7) % 20}/copy${i}`);
    else edits.push(`rm /d${(i - 5) % 20}/f${i - 5}`);
  }
  return `${edits.join('\n')}\n`;
}

const sha256 = (name: string): string =>
  createHash('sha256')
    .update(readFileSync(place.at(name)))
    .digest('hex');
const ENV = { SOURCE_DATE_EPOCH: '1700000000' };
const WORDS = ['script', '--seed', 'kill', 'edits.fsu', 'k.img'];

/** The image's blocks that its file system calls free, as dumpe2fs tells them, and how large a block is. */
function freeBlocks(name: string): { readonly free: ReadonlySet<number>; readonly blockSize: number } {
  const { stdout } = place.sh(`dumpe2fs ${name} 2>/dev/null`);
  const free = new Set<number>();
  for (const [, list = ''] of stdout.matchAll(/^ {2}Free blocks: (.*)$/gm))
    for (const [, from = '', to = from] of list.matchAll(/(\d+)(?:-(\d+))?/g))
      for (let block = Number(from); block <= Number(to); block++) free.add(block);
  return { free, blockSize: Number(/^Block size: +(\d+)$/m.exec(stdout)?.[1]) };
}

/** Blocks that were in use and are not what they were. */
function overwritten(before: Buffer, now: Buffer, { free, blockSize }: ReturnType<typeof freeBlocks>): number[] {
  const blocks: number[] = [];
  for (let at = 0; at < before.length; at += blockSize) {
    const isSame = before.compare(now, at, at + blockSize, at, at + blockSize) === 0;
    if (!isSame && !free.has(at / blockSize)) blocks.push(at / blockSize);
  }
  return now.length === before.length ? blocks : [-1];
}

async function runAndKill(afterMs: number): Promise<{ readonly killed: boolean; readonly tookMs: number }> {
  const start = performance.now();
  const child = spawn(process.execPath, [`${root}packages/fsu-cli/bin/fsu.cjs`, ...WORDS], {
    cwd: place.dir,
    env: place.env(ENV),
    stdio: 'ignore',
  });
  const timer = setTimeout(() => child.kill('SIGKILL'), afterMs);
  const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
  clearTimeout(timer);
  return { killed: code === null, tookMs: performance.now() - start };
}

test(`kill -9 at ${ROUNDS} moments of a script of 1,000 lines`, async () => {
  requireOracle('mke2fs');
  requireOracle('e2fsck');
  place.sh('truncate -s 16M before.img && mke2fs -q -t ext4 before.img');
  writeFileSync(place.at('edits.fsu'), scriptOf(1000));
  // The file system as a writer that changes nothing leaves it.
  const before = readFileSync(place.at('before.img'));
  const blocks = freeBlocks('before.img');
  expect(blocks.free.size).toBeGreaterThan(1000);
  copyFileSync(place.at('before.img'), place.at('k.img'));
  const start = performance.now();
  expect(place.run('fsu', WORDS, { env: ENV })).toMatchObject({ status: 0, stderr: '' });
  let whole = performance.now() - start;
  const after = sha256('k.img');
  expect(after).not.toBe(sha256('before.img'));
  const outcome = { before: 0, after: 0, killed: 0, logs: 0 };
  for (let i = 1; i <= ROUNDS; i++) {
    copyFileSync(place.at('before.img'), place.at('k.img'));
    const { killed, tookMs } = await runAndKill(whole * (0.1 + 1.1 * Math.sqrt(i / ROUNDS)));
    if (killed) outcome.killed++;
    whole = killed ? whole * 1.02 : tookMs;
    if (existsSync(place.at('k.img.fsu-log'))) outcome.logs++;
    // Whoever writes next completes what was decided; this one has nothing to change.
    expect(place.run('fsu', ['rm', '-f', 'k.img:/none'])).toMatchObject({ status: 0, stderr: '' });
    const isAfter = sha256('k.img') === after;
    if (!isAfter) {
      expect(overwritten(before, readFileSync(place.at('k.img')), blocks)).toEqual([]);
      expect(place.run('fsu', ['diff', 'before.img', 'k.img'])).toMatchObject({ status: 0, stdout: '' });
      expect(killed).toBe(true);
    }
    outcome[isAfter ? 'after' : 'before']++;
    expect(place.sh('ls').stdout).toBe('before.img\nedits.fsu\nk.img\n');
    if (i % 10 === 0) expect(place.sh('e2fsck -fn k.img')).toMatchObject({ status: 0 });
  }
  // A loop that never kills, or kills before anything happens, proves nothing.
  expect(outcome.killed).toBeGreaterThan(ROUNDS / 4);
  expect(outcome.before).toBeGreaterThan(0);
  expect(outcome.after).toBeGreaterThan(0);
}, 1_200_000);
