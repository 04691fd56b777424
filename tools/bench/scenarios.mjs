// What is measured, against whom, and what is asked of us. A scenario runs commands in turn and returns rows of a table:
// figures of each command, then verdicts ("ours is at most so many times theirs").
import { join } from 'node:path';
import { root } from '../lib/setup.mjs';
import { unpackDemo } from '../lib/demo.mjs';
import { rmSync } from 'node:fs';
import * as images from './images.mjs';
import { appetite, cool, interleave, shell, sum } from './measure.mjs';

const node = process.execPath;
const bareStart = [node, '-e', '0'];
const tool = (name, ...args) => [node, join(root, `packages/fsu-cli/bin/${name}.cjs`), ...args];
const bareLoop = (file) => [node, join(root, 'tools/bench/loop.cjs'), file];
const quote = (argv) => argv.map((word) => `'${word.replaceAll("'", `'\\''`)}'`).join(' ');

/** `ours` against `theirs`, by the median; `most: 1.3` asks for at most, `least: 3` for at least so many times. */
function ratio(what, ours, theirs, { most, least }) {
  const of = (kind) => (least === undefined ? ours[kind] / theirs[kind] : theirs[kind] / ours[kind]);
  const value = of('median');
  const pass = least === undefined ? value <= most : value >= least;
  return { what, value, quickest: of('min'), unit: '×', most, least, pass };
}

/** A figure of its own; without a limit it is only told. */
function figure(what, value, unit, most) {
  return { what, value, unit, most, pass: most === undefined ? undefined : value !== undefined && value <= most };
}

const memory = (what, eaten, most) => figure(`peak memory, ${what}`, eaten?.peakMib, 'MiB', most);

function start({ rounds }) {
  const { image } = unpackDemo();
  const times = interleave(
    { 'node -e 0': bareStart, fsu_ls: tool('fsu_ls', image), 'fsu_ls -l': tool('fsu_ls', '-l', image, '/etc') },
    { rounds: rounds * 4 },
  );
  return {
    times,
    verdicts: [
      ratio('fsu_ls / node -e 0', times.fsu_ls, times['node -e 0'], { most: 1.3 }),
      memory('fsu_ls', appetite(tool('fsu_ls', image))),
    ],
  };
}

function cat({ rounds, quick }) {
  const mib = quick ? 256 : 1024;
  const file = images.randomFile(mib);
  const image = images.fileImage(mib, 0);
  for (const one of [file, image]) cool(one);
  const commands = {
    'node -e 0': bareStart,
    cat: ['cat', file],
    'Node loop': bareLoop(file),
    'debugfs cat': ['debugfs', '-R', 'cat /big', image],
    fsu_cat: tool('fsu_cat', image, '/big'),
  };
  const times = interleave(commands, { rounds });
  const ours = times.fsu_cat;
  return {
    title: `fsu_cat of ${mib} MiB to /dev/null`,
    times,
    verdicts: [
      ratio('fsu_cat / (node -e 0 + cat)', ours, sum(times['node -e 0'], times.cat), { most: 1.5 }),
      ratio('fsu_cat / bare Node loop', ours, times['Node loop'], { most: 1.25 }),
      ratio('times as fast as debugfs', ours, times['debugfs cat'], { least: 3 }),
      memory('fsu_cat', appetite(commands.fsu_cat), 120),
    ],
  };
}

/** Time beyond start-up, for each of `files`, in microseconds. */
const perFile = (kind, times, name, files) => ((times[name][kind] - times.start[kind]) * 1000) / files;

function list({ rounds, quick }) {
  const [dirs, files] = quick ? [50, 100] : [200, 100];
  const image = images.treeImage(dirs, files);
  const commands = {
    start: tool('fsu_ls', image, '/directory-0'),
    'fsu_ls -lR': tool('fsu_ls', '-lR', image, '/'),
  };
  const unmount = images.canMount ? images.mount(image, { readOnly: true }) : undefined;
  try {
    if (unmount !== undefined) commands['ls -lR, mounted'] = ['ls', '-lR', unmount.at];
    const times = interleave(commands, { rounds });
    const count = dirs * (files + 1);
    return {
      title: `fsu_ls -lR of ${count} files`,
      times,
      verdicts: [
        {
          ...figure('µs a file beyond start-up', perFile('median', times, 'fsu_ls -lR', count), 'µs', 10),
          quickest: perFile('min', times, 'fsu_ls -lR', count),
        },
        memory('fsu_ls -lR', appetite(commands['fsu_ls -lR'])),
        ...(unmount === undefined
          ? []
          : [figure("µs a file of the kernel's ls -lR", (times['ls -lR, mounted'].median * 1000) / count, 'µs')]),
      ],
    };
  } finally {
    unmount?.();
  }
}

function forest({ rounds }) {
  const image = images.forestImage(10, 100, 1000);
  const commands = {
    start: tool('fsu_ls', image),
    '100 × 1000': tool('fsu_ls', '-lR', image, '/top-0'),
    '1000 × 1000': tool('fsu_ls', '-lR', image, '/'),
  };
  const times = interleave(commands, { rounds: Math.min(rounds, 3), warm: false });
  const each = (name, files) => ({
    median: perFile('median', times, name, files),
    min: perFile('min', times, name, files),
  });
  const [some, all] = [each('100 × 1000', 1e5), each('1000 × 1000', 1e6)];
  return {
    title: 'fsu_ls -lR of 1,000 directories of 1,000 files',
    times,
    verdicts: [
      figure('µs a file, a tenth of it', some.median, 'µs'),
      figure('µs a file, all of it', all.median, 'µs'),
      ratio('growth of the cost of a file', all, some, { most: 1.25 }),
      memory('fsu_ls -lR', appetite(commands['1000 × 1000']), 300),
    ],
  };
}

function flat({ rounds }) {
  const image = images.forestImage(1, 1, 1_000_000);
  const dir = '/top-0/directory-0';
  const commands = {
    start: tool('fsu_ls', image),
    fsu_ls: tool('fsu_ls', image, dir),
    'fsu_ls -l': tool('fsu_ls', '-l', image, dir),
  };
  const times = interleave(commands, { rounds: Math.min(rounds, 3), warm: false });
  return {
    title: 'one directory of 1,000,000 entries',
    times,
    verdicts: [
      figure('µs an entry, fsu_ls', perFile('median', times, 'fsu_ls', 1e6), 'µs'),
      figure('µs an entry, fsu_ls -l', perFile('median', times, 'fsu_ls -l', 1e6), 'µs'),
      memory('fsu_ls', appetite(commands.fsu_ls), 400),
      memory('fsu_ls -l', appetite(commands['fsu_ls -l']), 400),
    ],
  };
}

/**
 * `mib` MiB from a pipe into `path` of `image`, by fsu_write and by the kernel's file system on a loop mount, each into its
 * own fresh copy; both end with the data on the disk.
 */
function writePair({ rounds }, { mib, image, path, kernelWrites, args = [] }) {
  const source = images.randomFile(mib, '-other');
  const [mine, theirs] = ['work-ours.img', 'work-kernel.img'].map((name) => join(images.benchDir, name));
  let unmount;
  const letGo = () => {
    unmount?.();
    unmount = undefined;
  };
  const before = (name) => {
    letGo();
    const copy = images.copyOf(image, name === 'fsu_write' ? 'work-ours.img' : 'work-kernel.img');
    if (name !== 'fsu_write') unmount = images.mount(copy);
    images.settle();
  };
  const commands = { fsu_write: shell(`cat ${source} | ${quote(tool('fsu_write', ...args, mine, path))}`) };
  const mounted = join(images.benchDir, `mnt-${process.pid}`);
  if (images.canMount) commands.kernel = shell(`cat ${source} | ${kernelWrites(mounted + path)}`);
  try {
    const times = interleave(commands, { rounds, before, warm: false });
    letGo();
    before('fsu_write');
    const eaten = appetite(commands.fsu_write);
    return {
      times,
      verdicts: [
        ...(times.kernel === undefined
          ? []
          : [ratio('fsu_write / kernel', times.fsu_write, times.kernel, { most: 2 })]),
        memory('fsu_write', eaten),
        figure('bytes written for a byte of data', eaten === undefined ? undefined : eaten.writtenMib / mib, '×'),
      ],
    };
  } finally {
    letGo();
    for (const file of [mine, theirs]) rmSync(file, { force: true });
  }
}

const truncating = (path) => `cat > ${path} && sync ${path}`;
const inPlace = (path) => `dd of=${path} bs=128k iflag=fullblock conv=notrunc,fsync status=none`;
const writeSize = ({ quick }) => (quick ? 128 : 1024);

function writeNew(options) {
  const mib = writeSize(options);
  const image = images.emptyImage(mib + 512);
  return {
    title: `fsu_write of ${mib} MiB: a new file`,
    ...writePair(options, { mib, image, path: '/new', kernelWrites: truncating }),
  };
}

function writeTruncating(options) {
  const mib = writeSize(options);
  const image = images.fileImage(mib, mib + 256);
  return {
    title: `fsu_write of ${mib} MiB: truncating a file of that size, room for both`,
    ...writePair(options, { mib, image, path: '/big', kernelWrites: truncating }),
  };
}

function writeFull(options) {
  const mib = writeSize(options);
  const image = images.fileImage(mib, 16);
  return {
    title: `fsu_write of ${mib} MiB: truncating a file of that size, room for one`,
    ...writePair(options, { mib, image, path: '/big', kernelWrites: truncating }),
  };
}

function writeOver(options) {
  const mib = writeSize(options);
  const image = images.fileImage(mib, 16);
  return {
    title: `fsu_write of ${mib} MiB: over the same blocks`,
    ...writePair(options, { mib, image, path: '/big', kernelWrites: inPlace, args: ['--at', '0'] }),
  };
}

function fsck({ rounds }) {
  const image = images.crowdedImage(10, 100, 500);
  cool(image);
  const commands = { 'e2fsck -fn': ['e2fsck', '-fn', image], 'fsu_fsck -n': tool('fsu_fsck', image, '-n') };
  const times = interleave(commands, { rounds });
  return {
    title: 'fsu_fsck -n of 500,000 files in 16 GiB',
    times,
    verdicts: [
      ratio('fsu_fsck / e2fsck', times['fsu_fsck -n'], times['e2fsck -fn'], { most: 3 }),
      memory('fsu_fsck', appetite(commands['fsu_fsck -n']), 400),
      memory('e2fsck', appetite(commands['e2fsck -fn'])),
    ],
  };
}

export const scenarios = {
  start: { run: start, quick: true, title: 'start-up: fsu_ls of a small image' },
  cat: { run: cat, quick: true },
  list: { run: list, quick: true },
  forest: { run: forest, quick: false, root: true },
  flat: { run: flat, quick: false, root: true },
  fsck: { run: fsck, quick: false, root: true },
  'write-new': { run: writeNew, quick: true },
  'write-truncating': { run: writeTruncating, quick: true },
  'write-full': { run: writeFull, quick: false },
  'write-over': { run: writeOver, quick: false },
};
