/**
 * Every parser, fuzzed by what its inputs make run: a moment each here, long by hand (`npm run fuzz -- TARGET SECONDS`).
 *
 * It runs in a process of its own, because V8 counts blocks only in what it compiles after counting has begun. What was
 * found once is in corpus/ as `fuzz--TARGET--WHAT.bin` and is tried each time.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { fileSystems } from '../support/file-systems.ts';
import { lacksOracle } from '../support/oracle.ts';

const root = fileURLToPath(new URL('../..', import.meta.url));
/** All targets together. */
const SECONDS = '8';
/** Where executions are the bound, and time is none. */
const LONG = '3600';
const TIMEOUT_MS = 600_000;

interface Outcome {
  readonly status: number | null;
  readonly out: string;
}

function runFuzz(...args: readonly string[]): Promise<Outcome> {
  return new Promise((resolve, reject) => {
    const child = spawn(process.execPath, ['tools/fuzz.mjs', ...args], { cwd: root });
    let out = '';
    child.stdout.on('data', (piece: Buffer) => (out += piece.toString()));
    child.stderr.on('data', (piece: Buffer) => (out += piece.toString()));
    child.on('error', reject);
    child.on('close', (status) => resolve({ status, out }));
  });
}

/** The line of each target that was run. */
const rows = (out: string): { name: string; runs: number; characters: number }[] =>
  [...out.matchAll(/^(.+): (\d+) executions, (\d+) characters of code, corpus \d+$/gm)].map(([, name = '', ...n]) => ({
    name,
    runs: Number(n[0]),
    characters: Number(n[1]),
  }));

const withImages = describe.skipIf(lacksOracle(...fileSystems.flatMap(({ hostile }) => hostile?.oracles ?? [])));

withImages('fuzzing', { timeout: TIMEOUT_MS }, () => {
  test('every target for a moment', async () => {
    const names = (await runFuzz()).out.trim().split('\n');
    const { status, out } = await runFuzz('all', SECONDS, process.env['UKFS_FUZZ_SEED'] ?? '1');
    expect(status, out).toBe(0);
    const done = rows(out);
    expect(done.map(({ name }) => name)).toEqual(names);
    expect(done.filter(({ characters }) => characters < 1000)).toEqual([]);
    console.log(`fuzz: ${done.reduce((sum, { runs }) => sum + runs, 0)} inputs to ${done.length} targets`);
  });

  test('finds a mistake in a file system, by the rules of hostile images', async () => {
    const { status, out } = await runFuzz('planted:ext2fs:ext4-inode', LONG, '1', '--runs=5000');
    expect(out).toMatch(/FOUND with seed 1: .*planted/);
    expect(status).toBe(1);
  });
});

describe('the engine', { timeout: TIMEOUT_MS }, () => {
  test('finds what can be reached step by step only, and does not without coverage', async () => {
    const [guided, blind] = await Promise.all([
      runFuzz('planted:deep', LONG, '3', '--runs=50000'),
      runFuzz('planted:deep', LONG, '3', '--runs=20000', '--blind'),
    ]);
    expect(guided.out).toMatch(/FOUND with seed 3: Error: planted/);
    expect(guided.out).toMatch(/input [0-9a-f]{12,16}$/m);
    expect(guided.status).toBe(1);
    expect(blind.out).toMatch(/^planted:deep: 20000 executions/);
    expect(blind.status).toBe(0);
  });

  test('finds a run that does not end', async () => {
    const { status, out } = await runFuzz('planted:endless', LONG, '1', '--runs=50000', '--hang=1000');
    expect(out).toMatch(/FOUND with seed 1: still going on after 1000 ms/);
    expect(out).toMatch(/input 01/);
    expect(status).toBe(1);
  });

  test('tries what was found once before all else', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'ukfs-corpus-'));
    const input = 'ffa5fff9fffd0000';
    writeFileSync(join(directory, 'fuzz--planted-deep--once.bin'), Buffer.from(input, 'hex'));
    try {
      const { status, out } = await runFuzz('planted:deep', LONG, '1', `--corpus=${directory}`);
      expect(out).toMatch(/^planted:deep: 1 executions/);
      expect(out).toMatch(new RegExp(`input ${input}$`, 'm'));
      expect(status).toBe(1);
    } finally {
      rmSync(directory, { recursive: true });
    }
  });

  test('refuses in one line what it does not know', async () => {
    expect(await runFuzz('mbr', 'soon')).toEqual({ status: 1, out: 'fuzz: seconds: not a number\n' });
    const { status, out } = await runFuzz('planted:nothing', '1');
    expect(out).toContain('fuzz: no target planted:nothing; there are:\nplanted:deep\n');
    expect(status).toBe(1);
  });
});
