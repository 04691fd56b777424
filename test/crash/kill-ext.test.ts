/**
 * Real processes editing a real ext4 image, killed at any moment: a reader sees a whole transaction, so does the next
 * writer, who leaves nothing beside the image and nothing for e2fsck to find. EXT_KILLS=2000 for a long run.
 */
import { nodeHost } from '@ukfs/kernel/host/node';
import { boot, O, type Rump, type Stage } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { buildSync } from 'esbuild';
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';
import { assertClean } from '../support/e2fsprogs.ts';
import { mke2fs } from '../support/ext-images.ts';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';

const KILLS = Number(process.env['EXT_KILLS'] ?? 40);
const dir = mkdtempSync(join(tmpdir(), 'ukfs-kill-ext-'));
const image = join(dir, 'disk.img');
const worker = join(dir, 'worker.mjs');
const children = new Set<ChildProcess>();
afterAll(() => {
  for (const child of children) child.kill('SIGKILL');
  rmSync(dir, { recursive: true });
});

function withImage<T>(write: boolean, use: (k: Rump, stage: Stage) => T): T {
  const k = boot({ host: nodeHost() });
  try {
    k.attach(ext2fs);
    k.etfs.register('/dev/disk', image, 'BLK', { stage: { write } });
    k.sys.mkdir('/m', 0o755);
    k.sys.mount('ext2fs', '/m', { from: '/dev/disk' });
    return use(k, k.etfs.stage('/dev/disk'));
  } finally {
    k.halt();
  }
}

const bytesOf = ({ sys }: Rump, path: string): Uint8Array => {
  const { size } = sys.stat(path);
  const bytes = new Uint8Array(size);
  const fd = sys.open(path, O.RDONLY);
  expect(sys.read(fd, bytes)).toBe(size);
  sys.close(fd);
  return bytes;
};
const names = ({ sys }: Rump, path: string): string[] => {
  const fd = sys.open(path, O.RDONLY);
  const all = sys.getdents(fd).map(({ name }) => name);
  sys.close(fd);
  return all.filter((name) => !name.startsWith('.') && name !== 'lost+found').sort();
};

/** The number of the transaction that the whole tree is of; throws when it is of two. */
function transactionOf(k: Rump): number {
  const n = Number(new TextDecoder().decode(bytesOf(k, '/m/number')));
  expect(names(k, '/m')).toEqual(['data', 'dir', `name-${n}`, 'number', `sub-${n}`].sort());
  const data = bytesOf(k, '/m/data');
  expect(data.length).toBe(n === 0 ? 1 : 20_000 + ((n * 7919) % 120_000));
  expect(data.every((byte) => byte === n % 256)).toBe(true);
  const kept = Array.from({ length: Math.min(n, 30) }, (_, i) => String(n - i));
  expect(names(k, '/m/dir')).toEqual(kept.sort());
  for (const name of kept) expect(bytesOf(k, `/m/dir/${name}`).every((byte) => byte === Number(name) % 256)).toBe(true);
  return n;
}

function newImage(): void {
  writeFileSync(image, new Uint8Array(6 << 20).fill(0xa5));
  mke2fs(['-t', 'ext4', '-b', '1024', '-E', 'nodiscard', image]);
  withImage(true, (k, stage) => {
    const { sys } = k;
    for (const [path, text] of [
      ['/m/number', '0'],
      ['/m/data', '\0'],
      ['/m/name-0', ''],
    ] as const) {
      const fd = sys.open(path, O.CREAT | O.WRONLY, 0o644);
      sys.write(fd, new TextEncoder().encode(text));
      sys.close(fd);
    }
    sys.mkdir('/m/dir', 0o755);
    sys.mkdir('/m/sub-0', 0o755);
    k.commit(stage);
  });
}

/** Start a writer; resolves when it has committed. */
function start(seed: number): Promise<ChildProcess> {
  const env = { ...process.env };
  delete env['NODE_EXTRA_CA_CERTS'];
  const child = spawn(process.execPath, [worker, image, String(seed)], { stdio: ['ignore', 'pipe', 'inherit'], env });
  children.add(child);
  return new Promise((resolve, reject) => {
    child.stdout.once('data', () => resolve(child));
    child.once('exit', (code) => reject(new Error(`writer exited with ${code}`)));
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

test.skipIf(lacksOracle('mke2fs', 'e2fsck'))(
  `killed ${KILLS} times: one whole transaction, and nothing for e2fsck`,
  { timeout: 120_000 + KILLS * 2000 },
  async () => {
    buildSync({
      entryPoints: [fileURLToPath(new URL('kill-ext-worker.ts', import.meta.url))],
      outfile: worker,
      bundle: true,
      platform: 'node',
      format: 'esm',
      conditions: ['source'],
      logLevel: 'error',
    });
    newImage();
    const rng = new Rng(11);
    let [withLog, last] = [0, 0];
    const found = new Set<number>();
    for (let i = 0; i < KILLS; i++) {
      const child = await start(i);
      await new Promise((resolve) => setTimeout(resolve, rng.int(60)));
      await kill(child);
      if (readdirSync(dir).some((name) => name.includes('.fsu-log'))) withLog++;
      const seen = withImage(false, transactionOf);
      expect(seen).toBeGreaterThan(last);
      // The next writer settles what was left: opening is all it takes.
      withImage(true, (k) => expect(transactionOf(k)).toBe(seen));
      expect(readdirSync(dir).sort()).toEqual(['disk.img', 'worker.mjs']);
      assertClean(image);
      last = seen;
      found.add(seen);
    }
    console.log(
      `kill-ext: ${KILLS} kills, ${withLog} with a log left, ${last} transactions, ${found.size} different trees`,
    );
    expect(found.size).toBe(KILLS);
  },
);
