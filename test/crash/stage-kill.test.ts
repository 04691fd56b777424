/** Real processes on a real file system: killed at any moment, stopped, two at once. STAGE_KILLS=1000 for a long run. */
import { buildSync } from 'esbuild';
import { execFileSync, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { ramDisk } from '../../packages/kernel/src/dev/ramdisk.ts';
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import { FsError } from '../../packages/kernel/src/kern/errno.ts';
import { nodeHost } from '../../packages/kernel/src/hypercall/node.ts';
import { requireOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';
import { ToyFs, judge } from '../support/toyfs.ts';

const KILLS = Number(process.env['STAGE_KILLS'] ?? 60);
const dir = mkdtempSync(join(tmpdir(), 'ukfs-kill-'));
const image = join(dir, 'disk.img');
const worker = join(dir, 'worker.mjs');
buildSync({
  entryPoints: [fileURLToPath(new URL('kill-worker.ts', import.meta.url))],
  outfile: worker,
  bundle: true,
  platform: 'node',
  format: 'esm',
  logLevel: 'error',
});
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

function newImage(): void {
  const disk = ramDisk(96 * 1024);
  ToyFs.format(disk);
  const fs = new ToyFs(disk);
  for (const name of ['a', 'b', 'c']) fs.write(name, new Uint8Array(100));
  writeFileSync(image, disk.bytes);
}

/** Start a worker; resolves when it holds the image, or has committed once. */
function start(mode: 'commit' | 'hold', seed: number): Promise<ChildProcess> {
  const env = { ...process.env };
  delete env['NODE_EXTRA_CA_CERTS'];
  const child = spawn(process.execPath, [worker, mode, image, String(seed)], {
    stdio: ['ignore', 'pipe', 'inherit'],
    env,
  });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`worker exited with ${code}`)));
  });
}

function kill(child: ChildProcess): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => {
      children.delete(child);
      resolve();
    });
    child.kill('SIGKILL');
  });
}

const codeOfWriter = (): string => {
  try {
    openStage(nodeHost(), image, { write: true }).close();
    return 'opened';
  } catch (e) {
    if (e instanceof FsError) return e.code;
    throw e;
  }
};

/** The tree that readers and writers find: sound, and of one transaction. */
function settle(): string {
  const reader = openStage(nodeHost(), image, { write: false });
  const tree = judge(reader);
  reader.checkUnchanged();
  reader.close();
  const writer = openStage(nodeHost(), image, { write: true });
  expect(judge(writer)).toBe(tree);
  const files = [...new ToyFs(writer).tree().values()];
  expect(new Set(files.map((bytes) => `${bytes.length} of ${bytes[0]}`)).size).toBe(1);
  writer.close();
  return tree;
}

test(`killed ${KILLS} times while committing: old tree or new tree`, { timeout: 60_000 + KILLS * 500 }, async () => {
  newImage();
  const rng = new Rng(7);
  const trees = new Set<string>();
  let withLog = 0;
  for (let n = 0; n < KILLS; n++) {
    const child = await start('commit', n);
    await new Promise((resolve) => setTimeout(resolve, rng.int(40)));
    await kill(child);
    if (readdirSync(dir).some((name) => name.endsWith('.fsu-log'))) withLog++;
    trees.add(settle());
    expect(readdirSync(dir).sort()).toEqual(['disk.img', 'worker.mjs']);
  }
  console.log(`stage-kill: ${KILLS} kills, ${withLog} with a log left, ${trees.size} different trees`);
  expect(trees.size).toBeGreaterThan(1);
});

test('two processes: the second writer is EBUSY, also while the first is stopped, until it dies', async () => {
  newImage();
  const child = await start('hold', 1);
  expect(codeOfWriter()).toBe('EBUSY');
  child.kill('SIGSTOP');
  expect(codeOfWriter()).toBe('EBUSY');
  const reader = openStage(nodeHost(), image, { write: false });
  expect(judge(reader)).toMatch(/^a:100/);
  reader.close();
  await kill(child);
  expect(codeOfWriter()).toBe('opened');
});

test('two hosts in one process: the second writer is EBUSY', () => {
  newImage();
  const first = openStage(nodeHost(), image, { write: true });
  expect(codeOfWriter()).toBe('EBUSY');
  first.close();
  expect(codeOfWriter()).toBe('opened');
});

test('attached to a loop device, or mounted on itself: EBUSY with the holder named', () => {
  requireOracle('loop mount');
  newImage();
  const device = execFileSync('losetup', ['-f', '--show', image], { encoding: 'utf8' }).trim();
  try {
    expect(() => openStage(nodeHost(), image, { write: true })).toThrow(device);
  } finally {
    execFileSync('losetup', ['-d', device]);
  }
  execFileSync('mount', ['--bind', image, image]);
  try {
    expect(() => openStage(nodeHost(), image, { write: true })).toThrow(/mount point/);
  } finally {
    execFileSync('umount', [image]);
  }
  expect(codeOfWriter()).toBe('opened');
});
