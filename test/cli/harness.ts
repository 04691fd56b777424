/**
 * Runs the tools as a user does: the built bundle, by its names, in a directory of its own with a copy of the demo image.
 *
 * The bundle must be of these sources: it is made again when one is newer, by one test process at a time.
 */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { expect } from 'vitest';
import { sleepSync } from '../support/sleep.ts';

export const root = fileURLToPath(new URL('../../', import.meta.url));
const bundle = join(root, 'packages/fsu-cli/dist/bundle/fsu.js');

function newestSource(): number {
  let newest = 0;
  const visit = (dir: string): void => {
    for (const entry of readdirSync(dir, { withFileTypes: true })) {
      const path = join(dir, entry.name);
      if (entry.isDirectory()) visit(path);
      else if (/\.tsx?$/.test(path) && !path.endsWith('.test.ts')) newest = Math.max(newest, statSync(path).mtimeMs);
    }
  };
  for (const name of ['kernel', 'ukfs', 'fsu-cli']) visit(join(root, 'packages', name, 'src'));
  return newest;
}

const isFresh = (): boolean =>
  existsSync(bundle) && existsSync(`${bundle}.cache`) && statSync(bundle).mtimeMs >= newestSource();

function ensureBundle(): void {
  if (isFresh()) return;
  const lock = join(root, 'node_modules/.cache/fsu-bundle.lock');
  mkdirSync(join(root, 'node_modules/.cache'), { recursive: true });
  const deadline = Date.now() + 60_000;
  for (;;) {
    try {
      mkdirSync(lock);
      break;
    } catch {
      if (isFresh() || Date.now() > deadline) return;
      sleepSync(100);
    }
  }
  try {
    if (!isFresh())
      execFileSync(process.execPath, [join(root, 'tools/build.mjs'), '--bundle'], {
        stdio: ['ignore', 'ignore', 'inherit'],
      });
  } finally {
    rmSync(lock, { recursive: true, force: true });
  }
}

export interface RunOptions {
  readonly stdin?: string | Uint8Array;
  readonly env?: Readonly<Record<string, string>>;
}

export interface Result {
  readonly stdout: string;
  readonly stderr: string;
  readonly status: number | null;
  readonly bytes: Buffer;
}

/** A directory to work in, with the tools in its PATH. */
export class Workplace {
  readonly dir: string;
  readonly bin: string;

  constructor() {
    ensureBundle();
    this.dir = mkdtempSync(join(tmpdir(), 'fsu-cli-'));
    this.bin = join(this.dir, '.bin');
    mkdirSync(this.bin);
    writeFileSync(join(this.bin, 'sample'), 'A file to put into an image.\n'.repeat(1000));
    for (const name of readdirSync(join(root, 'packages/fsu-cli/bin'))) {
      if (name !== 'load.cjs')
        symlinkSync(join(root, 'packages/fsu-cli/bin', name), join(this.bin, name.replace('.cjs', '')));
    }
  }

  at(name: string): string {
    return join(this.dir, name);
  }

  /** A fresh copy of the demo image. */
  demo(name = 'demo.img'): string {
    writeFileSync(this.at(name), gunzipSync(readFileSync(join(root, 'demo/demo.ext4.img.gz'))));
    return name;
  }

  env(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    // Nothing of the tester's surroundings may change what the tools print.
    return {
      PATH: `${this.bin}:${process.env['PATH'] ?? ''}:/usr/sbin:/sbin`,
      HOME: this.dir,
      TZ: 'UTC',
      LC_ALL: 'C.UTF-8',
      NODE_EXTRA_CA_CERTS: '',
      ...more,
    };
  }

  /** Run a tool by name. */
  run(tool: string, args: readonly string[], options: RunOptions = {}): Result {
    return this.#spawn(process.execPath, [join(root, 'packages/fsu-cli/bin', `${tool}.cjs`), ...args], options);
  }

  fsu({ words, stdin }: CommandLine): Result {
    return this.run('fsu', words, stdin === undefined ? {} : { stdin });
  }

  /** Run a line of shell. */
  sh(line: string, options: RunOptions = {}): Result {
    return this.#spawn('/bin/bash', ['-c', line], options);
  }

  #spawn(program: string, args: readonly string[], options: RunOptions): Result {
    const done = spawnSync(program, args, {
      cwd: this.dir,
      env: this.env(options.env),
      input: options.stdin ?? '',
      maxBuffer: 256 * 1024 * 1024,
    });
    // A tool that fails before it has read all its input is no failure of the test.
    if (done.error !== undefined && !('code' in done.error && done.error.code === 'EPIPE')) throw done.error;
    return { stdout: done.stdout.toString(), stderr: done.stderr.toString(), status: done.status, bytes: done.stdout };
  }

  /** Start a tool and let it run. */
  start(tool: string, args: readonly string[]): ReturnType<typeof spawn> {
    return spawn(process.execPath, [join(root, 'packages/fsu-cli/bin', `${tool}.cjs`), ...args], {
      cwd: this.dir,
      env: this.env(),
      stdio: ['pipe', 'pipe', 'pipe'],
    });
  }

  remove(): void {
    rmSync(this.dir, { recursive: true, force: true });
  }
}

/** One line of complaint with its exit status, no stack trace; where something was taken back, another that says so. */
export function complains(result: Result, status: number, message: RegExp): void {
  expect({ ...result, bytes: undefined }).toMatchObject({ status, stderr: expect.stringMatching(message) });
  expect(result.stderr).not.toMatch(/\n\s+at |internal error/);
  expect(
    result.stderr
      .trimEnd()
      .split('\n')
      .filter((line) => line.startsWith('fsu') && !line.endsWith(': nothing was changed')),
  ).toHaveLength(1);
}

/** The words of a command, for Workplace.fsu. */
export interface CommandLine {
  readonly words: readonly string[];
  readonly stdin?: string;
  /** Its exit status for all that fails, if it has but one. */
  readonly trouble?: number;
}

/** Each command that reads an image, on a copy of the demo image. */
export const everyReader = (image: string): readonly CommandLine[] => [
  { words: ['ls', '-laR', `${image}:/etc`] },
  { words: ['cat', `${image}:/etc/fstab`] },
  { words: ['get', `${image}:/etc/fstab`, '-'] },
  { words: ['stat', `${image}:/etc/fstab`] },
  { words: ['readlink', `${image}:/home/README`] },
  { words: ['xattr', 'ls', '-R', `${image}:/etc`] },
  { words: ['acl', 'get', '-R', `${image}:/etc`] },
  { words: ['tar', '-c', `${image}:/etc`] },
  { words: ['mtree', '-c', `${image}:/etc`] },
  { words: ['df', image] },
  { words: ['info', image] },
  { words: ['find', `${image}:/`, '-ls'] },
  { words: ['du', '-a', image] },
  { words: ['diff', `${image}:/etc`, `${image}:/etc`], trouble: 2 },
  { words: ['tree', image] },
  { words: ['grep', '-r', 'e', `${image}:/etc`], trouble: 2 },
  { words: ['hash', '-r', `${image}:/etc`] },
  { words: ['hexdump', `${image}:/etc/fstab`] },
];

/** A tar archive of one file, as POSIX ustar has it. */
function tinyTar(name: string, contents: string): string {
  const fields = [name.padEnd(100, '\0'), '0000644\0', '0000000\0', '0000000\0'];
  const head = `${fields.join('')}${contents.length.toString(8).padStart(11, '0')}\0${'0'.repeat(11)}\0`;
  const tail = `0${'\0'.repeat(100)}ustar\0${'00'}`.padEnd(356, '\0');
  const sum = [...`${head}${' '.repeat(8)}${tail}`].reduce((total, char) => total + char.charCodeAt(0), 0);
  const header = `${head}${sum.toString(8).padStart(6, '0')}\0 ${tail}`;
  return header + contents.padEnd(512, '\0') + '\0'.repeat(1024);
}

/** The manifest of a bundle that brings a directory. */
const PATCH = JSON.stringify({
  schema: 'fsu.patch.bundle',
  version: 1,
  reversible: false,
  differences: [
    {
      path: '/etc/patched',
      change: 'added',
      what: [],
      after: { type: 'dir', perm: '0755', uid: 0, gid: 0, mtime: '2026-01-01T00:00:00.000000000Z', flags: 0, nlink: 2 },
    },
  ],
});

/** Each command that edits an image, with an edit that works on the demo image. */
export const everyWriter = (image: string): readonly CommandLine[] => [
  { words: ['apply', '-', image], stdin: 'files: { /etc/applied: { state: file, content: x } }' },
  { words: ['patch', image, '-'], stdin: tinyTar('fsu-patch.json', PATCH) },
  { words: ['write', `${image}:/etc/new`], stdin: 'x' },
  { words: ['cp', '-a', '.bin/sample', `${image}:/etc/fstab`, `${image}:/home`] },
  { words: ['mv', `${image}:/etc/fstab`, `${image}:/home`] },
  { words: ['ecp', '-p', '.bin/sample', `${image}:/home`] },
  { words: ['emv', '-g', `${image}:/etc/fstab`, 'moved'] },
  { words: ['put', '.bin/sample', `${image}:/etc/put`] },
  { words: ['rm', '-r', `${image}:/home`] },
  { words: ['find', `${image}:/home`, '-delete'] },
  { words: ['exec', 'sed', '-i', '1d', `${image}:/etc/fstab`] },
  { words: ['script', '-c', 'write /etc/new <<E\nx\nE\nrm -r /home', image] },
  { words: ['mkdir', '-p', `${image}:/srv/new`] },
  { words: ['rmdir', `${image}:/lost+found`] },
  { words: ['ln', '-s', 'hosts', `${image}:/etc/link`] },
  { words: ['mknod', `${image}:/null`, 'c', '1', '3'] },
  { words: ['mkfifo', `${image}:/fifo`] },
  { words: ['touch', '-d', '@1', `${image}:/etc/fstab`] },
  { words: ['truncate', '-s', '5', `${image}:/etc/fstab`] },
  { words: ['chmod', '-R', 'go-rwx', `${image}:/etc`] },
  { words: ['chown', '1:2', `${image}:/etc/fstab`] },
  { words: ['chgrp', '2', `${image}:/etc/fstab`] },
  { words: ['chflags', 'nodump', `${image}:/etc/fstab`] },
  { words: ['xattr', 'set', '-n', 'user.a', '-v', 'b', `${image}:/etc/fstab`] },
  { words: ['acl', 'set', '-m', 'u:1:r', `${image}:/etc/fstab`] },
  { words: ['mtree', '-U', '-e', image], stdin: './new-directory type=dir\n' },
  { words: ['tar', '-x', image], stdin: tinyTar('etc/unpacked', 'x') },
];

/** Result of a tool, as one text to compare. */
export const told = ({ stdout, stderr, status }: Result): string => `${stdout}${stderr}[${status}]`;
