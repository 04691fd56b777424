/**
 * e2fsprogs as oracles: the checker, the debugger, the superblock dump. Every call has a time limit.
 * Tests that use this say so with requireOracle() or lacksOracle() of oracle.ts; here a missing tool is an error.
 */
import { spawnSync } from 'node:child_process';
import { findOracle } from './oracle.ts';
import { ourFindings } from './our-check.ts';

export interface ToolResult {
  readonly status: number;
  /** One character per byte, here and below: names need not be UTF-8. */
  readonly stdout: string;
  readonly stderr: string;
  /** Both, for people. */
  readonly output: string;
}

export interface ToolOptions {
  readonly input?: string;
  readonly env?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
}

/** Run a tool of tools/oracles.json. Throws when it is missing, is killed or takes too long; a status is a result. */
export function runTool(name: string, args: readonly string[], options: ToolOptions = {}): ToolResult {
  const path = findOracle(name);
  if (path === undefined) throw new Error(`${name} is missing`);
  return runProgram(path, args, options);
}

/** The same for a program that is no oracle but a means (python3). */
export function runProgram(path: string, args: readonly string[], options: ToolOptions = {}): ToolResult {
  const { input = '', env = {}, timeoutMs = 120_000 } = options;
  const result = spawnSync(path, args, {
    input,
    encoding: 'latin1',
    env: { ...process.env, LC_ALL: 'C.UTF-8', TZ: 'UTC', ...env },
    maxBuffer: 1024 * 1024 * 1024,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  // A tool that ends before it has read its input (EPIPE) has said why in its output.
  if (result.error !== undefined && !('code' in result.error && result.error.code === 'EPIPE')) throw result.error;
  const output = result.stdout + result.stderr;
  if (result.status === null) {
    throw new Error(`${path} ${args.join(' ')} was killed by ${String(result.signal)}:\n${tail(output)}`);
  }
  return { status: result.status, stdout: result.stdout, stderr: result.stderr, output };
}

/** The same, but any status except `allowed` is an error that shows what the tool said. */
export function mustRun(
  name: string,
  args: readonly string[],
  { allowed = [0], ...options }: ToolOptions & { readonly allowed?: readonly number[] } = {},
): string {
  const { status, output } = runTool(name, args, options);
  if (!allowed.includes(status)) throw new Error(`${name} ${args.join(' ')}: status ${status}\n${tail(output)}`);
  return output;
}

/** `e2fsck -fn`: look, touch nothing. Status 0 is a clean file system, 4 one with errors (see e2fsck(8)). */
export function e2fsck(image: string, args: readonly string[] = ['-fn']): ToolResult {
  return runTool('e2fsck', [...args, image]);
}

/** Throws with e2fsck's own words when it finds anything at all; and when our check does where e2fsck does not. */
export function assertClean(image: string): void {
  const { status, output } = e2fsck(image);
  if (status !== 0) throw new Error(`e2fsck -fn ${image}: status ${status}\n${tail(output)}`);
  const ours = ourFindings(image);
  if (ours !== '') throw new Error(`e2fsck -fn finds ${image} clean, our check does not: ${ours}`);
}

export interface DebugfsOptions {
  readonly write?: boolean;
  /** Read no bitmaps and verify no checksums: for an image that awaits the replay of its journal. */
  readonly unchecked?: boolean;
}

/**
 * Run debugfs commands in one process and give what each printed, in order, one character per byte. A file may be named
 * as <inode number>, which needs no quoting. debugfs has no usable status, so any word on stderr is an error.
 */
export function debugfs(
  image: string,
  commands: readonly string[],
  { write = false, unchecked = false }: DebugfsOptions = {},
): string[] {
  const input = commands.map((command) => `${command}\n`).join('');
  const flags = [...(write ? ['-w'] : []), ...(unchecked ? ['-n', '-c'] : [])];
  const { stdout, stderr } = runTool('debugfs', [...flags, '-f', '-', image], { input });
  const complaints = stderr.replace(/^debugfs \d[^\n]*\n/, '');
  if (complaints !== '') throw new Error(`debugfs ${image}:\n${tail(complaints)}`);
  // Each command is echoed after a prompt, and its answer follows.
  const starts: { echo: number; answer: number }[] = [];
  let position = 0;
  for (const command of commands) {
    const echo = `debugfs: ${command}\n`;
    const found = stdout.indexOf(echo, position);
    if (found < 0) throw new Error(`debugfs ${image} did not come to "${command}":\n${tail(stdout)}`);
    position = found + echo.length;
    starts.push({ echo: found, answer: position });
  }
  return starts.map(({ answer }, index) => stdout.slice(answer, starts[index + 1]?.echo ?? stdout.length));
}

/** `dumpe2fs -h` as a table: "Filesystem features" → "has_journal ext_attr …". */
export function dumpe2fs(image: string): Map<string, string> {
  const fields = mustRun('dumpe2fs', ['-h', image])
    .split('\n')
    .map((line) => /^([A-Z][^:]*):\s*(.*)$/.exec(line));
  return new Map(fields.flatMap((match) => (match === null ? [] : [[match[1] ?? '', match[2] ?? '']])));
}

/** Feature names as dumpe2fs spells them: `extent`, `64bit`, `metadata_csum` … */
export function featuresOf(image: string): string[] {
  return (dumpe2fs(image).get('Filesystem features') ?? '').split(' ').filter((feature) => feature !== '');
}

function tail(output: string): string {
  return output.length > 4000 ? `…${output.slice(-4000)}` : output;
}
