// What is measured, against whom, and what is asked of us. A scenario runs commands in turn and returns rows of a table:
// figures of each command, then verdicts ("ours is at most so many times theirs").
import { join } from 'node:path';
import { root } from '../lib/setup.mjs';
import { unpackDemo } from '../lib/demo.mjs';
import { renameSync, rmSync } from 'node:fs';
import * as images from './images.mjs';
import { appetite, cool, interleave, shell, sum } from './measure.mjs';
import { browse } from './browser.mjs';
import { script, trees } from './suite.mjs';
import { figure, memory, quote, ratio, tool } from './verdicts.mjs';

const node = process.execPath;
const bareStart = [node, '-e', '0'];
const bareLoop = (file) => [node, join(root, 'tools/bench/loop.cjs'), file];

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

/** Many small files into an image and out of it, by us, by a script for debugfs, and by mke2fs as it makes the image. */
function small({ rounds, quick }) {
  const [dirs, files] = quick ? [20, 100] : [200, 100];
  const count = dirs * files;
  const source = images.hostFiles(dirs, files, 3000);
  const scripts = images.debugfsScripts(source, dirs, files);
  const empty = images.plainImage(512);
  const work = (name) => join(images.benchDir, `work-${name}.img`);
  const commands = {
    start: tool('fsu_ls', empty),
    fsu_put: tool('fsu_put', work('put'), '-R', source, '/tree'),
    'debugfs write': ['debugfs', '-w', '-f', scripts.write, work('write')],
    'mke2fs -d': ['mke2fs', '-q', '-F', '-t', 'ext4', '-d', source, work('mke2fs'), '512M'],
    'fsu_rm -r': tool('fsu_rm', work('rm'), '-r', '/tree'),
    'debugfs rm': ['debugfs', '-w', '-f', scripts.remove, work('remove')],
  };
  const full = { rm: work('full-ours'), remove: work('full-theirs') };
  const before = (name) => {
    const copies = { fsu_put: 'put', 'debugfs write': 'write', 'fsu_rm -r': 'rm', 'debugfs rm': 'remove' };
    if (name === 'mke2fs -d') rmSync(work('mke2fs'), { force: true });
    else if (copies[name] !== undefined) images.copyOf(full[copies[name]] ?? empty, `work-${copies[name]}.img`);
    images.settle();
  };
  try {
    for (const [name, image] of [
      ['fsu_put', full.rm],
      ['debugfs write', full.remove],
    ]) {
      before(name);
      appetite(commands[name]);
      renameSync(
        commands[name].find((word) => /work-(put|write)\.img$/.test(word)),
        image,
      );
    }
    const times = interleave(commands, { rounds, before });
    before('fsu_put');
    const put = appetite(commands.fsu_put);
    before('fsu_rm -r');
    const rm = appetite(commands['fsu_rm -r']);
    return {
      title: `${count} files of 3,000 bytes in ${dirs} directories`,
      times,
      verdicts: [
        ratio('fsu_put / debugfs', times.fsu_put, times['debugfs write'], { most: 1 }),
        ratio('fsu_put / mke2fs -d', times.fsu_put, times['mke2fs -d'], { most: 1.5 }),
        ratio('fsu_rm / debugfs', times['fsu_rm -r'], times['debugfs rm'], { most: 1 }),
        figure('µs a file put, beyond start-up', perFile('median', times, 'fsu_put', count), 'µs'),
        figure('µs a file removed, beyond start-up', perFile('median', times, 'fsu_rm -r', count), 'µs'),
        memory('fsu_put', put, 400),
        memory('fsu_rm', rm, 400),
      ],
    };
  } finally {
    for (const name of ['put', 'write', 'mke2fs', 'rm', 'remove', 'full-ours', 'full-theirs'])
      rmSync(work(name), { force: true });
  }
}

/** One directory of a million entries, made, listed and removed; and of a tenth of them, for how the cost of one grows. */
function million({ quick }) {
  const counts = quick ? [2_000, 20_000] : [100_000, 1_000_000];
  const work = join(images.benchDir, 'work-million.img');
  const all = {};
  const rows = [];
  try {
    for (const count of counts) {
      const source = images.hostFiles(1, count, 0);
      images.copyOf(images.plainImage(Math.ceil(count / 250) + 256, count + 1000), 'work-million.img');
      const commands = {
        start: tool('fsu_ls', work, '/lost+found'),
        put: tool('fsu_put', work, '-R', source, '/tree'),
        ls: tool('fsu_ls', work, '-U', '/tree/directory-0'),
        rm: tool('fsu_rm', work, '-r', '/tree'),
      };
      const saved = join(images.benchDir, 'work-million-full.img');
      const times = interleave(commands, {
        rounds: 1,
        warm: false,
        before: (name) => (name === 'ls' ? images.copyOf(work, 'work-million-full.img') : undefined),
      });
      for (const [name, time] of Object.entries(times)) all[`${name}, ${count}`] = time;
      const total = ['put', 'ls', 'rm'].reduce((sum, name) => sum + perFile('median', times, name, count), 0);
      rows.push({ count, times, total });
      if (count !== counts[1]) continue;
      images.copyOf(images.plainImage(Math.ceil(count / 250) + 256, count + 1000), 'work-million.img');
      rows.push(memory('put', appetite(commands.put), 400));
      images.copyOf(saved, 'work-million.img');
      rows.push(memory('rm', appetite(commands.rm), 400));
      rmSync(saved);
    }
  } finally {
    rmSync(work, { force: true });
  }
  const [some, most, ...eaten] = rows;
  return {
    title: `one directory of ${counts[1]} empty files`,
    times: all,
    verdicts: [
      ...[some, most].flatMap(({ count, times }) =>
        ['put', 'ls', 'rm'].map((name) =>
          figure(`µs an entry of ${count}, ${name}`, perFile('median', times, name, count), 'µs'),
        ),
      ),
      ratio(
        'growth of the cost of an entry',
        { median: most.total, min: most.total },
        { median: some.total, min: some.total },
        { most: 1.25 },
      ),
      ...eaten,
    ],
  };
}

/** The same small edit in a small image and in the largest that an ext4 host can hold. */
function huge({ rounds }) {
  const [little, large] = [images.plainImage(16), images.plainImage(16_383 * 1024)];
  const edit = (image) => shell(`echo edit | ${quote(tool('fsu_write', image, '/file'))}`);
  const commands = { '16 MiB': edit(little), '16 TiB': edit(large) };
  const times = interleave(commands, { rounds: rounds * 2 });
  return {
    title: 'fsu_write of one line',
    times,
    verdicts: [
      ratio('16 TiB / 16 MiB', times['16 TiB'], times['16 MiB'], { most: 2 }),
      memory('16 TiB', appetite(commands['16 TiB'])),
    ],
  };
}

export const scenarios = {
  browse: { run: browse, title: 'fsu browse: its first list, and keys' },
  start: { run: start, quick: true, title: 'start-up: fsu_ls of a small image' },
  cat: { run: cat, quick: true },
  list: { run: list, quick: true },
  forest: { run: forest, quick: false, root: true },
  flat: { run: flat, quick: false, root: true },
  fsck: { run: fsck, quick: false, root: true },
  'write-new': { run: writeNew, quick: true },
  'write-truncating': { run: writeTruncating, quick: true },
  'write-full': { run: writeFull, quick: false },
  small: { run: small, quick: true },
  million: { run: million, quick: false },
  huge: { run: huge, quick: true },
  script: { run: script, quick: true },
  trees: { run: trees, quick: true, root: true },
  'write-over': { run: writeOver, quick: false },
};
