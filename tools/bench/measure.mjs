// Timing whole processes from outside: interleaved, so that a busy moment of the machine hits all commands alike.
import { spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdtempSync, openSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** GNU time: peak memory (KiB) and blocks of 512 bytes written, children included. */
const gnuTime = '/usr/bin/time';

const env = { ...process.env };
// It costs Node 20 some 50 ms a start where it is set, and would hide what we measure.
delete env.NODE_EXTRA_CA_CERTS;

/** A command: argv, or a line for the shell. Standard output goes to /dev/null, input comes from /dev/null. */
export const shell = (line) => ['sh', '-c', line];

/**
 * The file's pages leave the host's memory; the next run, which is not counted, brings them back as reading does. Pages that
 * a program wrote stay in the pieces it wrote them in, and small pieces take a quarter longer to read.
 */
export function cool(file) {
  for (const argv of [
    ['sync', file],
    ['dd', `of=${file}`, 'oflag=nocache', 'conv=notrunc,fdatasync', 'count=0', 'status=none'],
  ])
    run(argv);
}

function run(argv) {
  const sink = openSync('/dev/null', 'r+');
  try {
    const start = process.hrtime.bigint();
    const { status, stderr, error } = spawnSync(argv[0], argv.slice(1), { stdio: [sink, sink, 'pipe'], env });
    const ms = Number(process.hrtime.bigint() - start) / 1e6;
    if (status !== 0) throw new Error(`${argv.join(' ')}: ${error?.message ?? `status ${status}: ${stderr}`}`);
    return ms;
  } finally {
    closeSync(sink);
  }
}

/**
 * Runs each command `rounds` times in turn, after one uncounted run of each; `before(name)` is not timed.
 * @returns {Record<string, { median: number, min: number, times: number[] }>} milliseconds
 */
export function interleave(commands, { rounds, before = () => {}, warm = true }) {
  const times = Object.fromEntries(Object.keys(commands).map((name) => [name, []]));
  for (let round = warm ? -1 : 0; round < rounds; round++) {
    for (const [name, argv] of Object.entries(commands)) {
      before(name);
      const ms = run(argv);
      if (round >= 0) times[name].push(ms);
    }
  }
  return Object.fromEntries(Object.entries(times).map(([name, list]) => [name, { ...summary(list), times: list }]));
}

export function summary(list) {
  const sorted = list.toSorted((a, b) => a - b);
  return { median: sorted[sorted.length >> 1], min: sorted[0] };
}

/** Peak memory in MiB and MiB written to disks, of one more run; undefined where GNU time is not installed. */
export function appetite(argv) {
  if (!existsSync(gnuTime)) return undefined;
  const scratch = mkdtempSync(join(tmpdir(), 'ukfs-time-'));
  try {
    const file = join(scratch, 'out');
    run([gnuTime, '-f', '%M %O', '-o', file, ...argv]);
    const [peakKib, blocks] = readFileSync(file, 'utf8').trim().split(' ').map(Number);
    return { peakMib: peakKib / 1024, writtenMib: blocks / 2048 };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** Spread first into `interleave`'s result: a time put together from others, such as start-up plus `cat`. */
export const sum = (...parts) => ({
  median: parts.reduce((total, part) => total + part.median, 0),
  min: parts.reduce((total, part) => total + part.min, 0),
});
