// The browser: from the start of the process to its first list, and how soon a key is answered. In a pseudo-terminal, by browser.py.
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, existsSync, mkdirSync, openSync, ftruncateSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { unpackDemo } from '../lib/demo.mjs';
import { root } from '../lib/setup.mjs';
import { benchDir } from './images.mjs';
import { figure, tool } from './verdicts.mjs';

function session(image, wish) {
  const config = { command: tool('fsu', 'browse', image), rows: 40, columns: 140, ...wish };
  const text = execFileSync('python3', [join(root, 'tools/bench/browser.py'), JSON.stringify(config)], {
    encoding: 'utf8',
  });
  return JSON.parse(text);
}

const sorted = (numbers) => [...numbers].sort((a, b) => a - b);
const at = (numbers, part) => sorted(numbers)[Math.min(numbers.length - 1, Math.floor(numbers.length * part))];

/** The largest that ext4 of 4 KiB blocks can be, less a block; nothing of it is written but what mke2fs writes. */
function hugeImage() {
  const file = join(benchDir, 'browse-16T.img');
  if (!existsSync(file)) {
    mkdirSync(benchDir, { recursive: true });
    sparse(file, 2 ** 44 - 4096);
    execFileSync('mke2fs', ['-q', '-t', 'ext4', '-E', 'lazy_itable_init=1,nodiscard', file]);
  }
  return file;
}

/** Files of a directory, and one to copy; the copy is what the browser does while keys are pressed. */
function listImage(files, copyMib) {
  const file = join(benchDir, `browse-${files}-${copyMib}.img`);
  if (existsSync(file)) return file;
  mkdirSync(benchDir, { recursive: true });
  sparse(file, Math.ceil(copyMib * 2.2 + 1024) * 2 ** 20);
  execFileSync('mke2fs', [
    '-q',
    '-t',
    'ext4',
    '-N',
    String(files + 10_000),
    '-E',
    'lazy_itable_init=1,nodiscard',
    file,
  ]);
  const dir = join(benchDir, 'browse-files');
  rmSync(dir, { recursive: true, force: true });
  mkdirSync(dir);
  for (let n = 0; n < files; n++) writeFileSync(join(dir, `file-${String(n).padStart(6, '0')}`), 'x\n');
  const done = spawnSync(process.execPath, [...tool('fsu', 'put').slice(1), '-R', dir, `${file}:/many`], {
    stdio: 'inherit',
  });
  if (done.status !== 0) throw new Error('fsu put failed');
  if (copyMib > 0) {
    const big = join(benchDir, 'browse-big');
    execFileSync('sh', ['-c', `yes 'a line of text that is no hole' | head -c ${copyMib}M >'${big}'`]);
    execFileSync(tool('fsu', 'put')[0], [...tool('fsu', 'put').slice(1), big, `${file}:/big`]);
    rmSync(big);
  }
  rmSync(dir, { recursive: true, force: true });
  return file;
}

function sparse(file, bytes) {
  const fd = openSync(file, 'w');
  ftruncateSync(fd, bytes);
  closeSync(fd);
}

const ms = (what, value, most) => figure(what, value, 'ms', most);

export function browse({ rounds, quick }) {
  const { image } = unpackDemo();
  const bare = [];
  const demo = [];
  const huge = [];
  for (let n = 0; n < rounds * 3; n++) {
    const start = performance.now();
    spawnSync(process.execPath, ['-e', '0'], { env: { ...process.env, NODE_EXTRA_CA_CERTS: '' } });
    bare.push(performance.now() - start);
    demo.push(session(image, { want: 'README' }).first);
    if (!quick) huge.push(session(hugeImage(), { want: 'lost+found' }).first);
  }
  const beyond = (times) => at(times, 0.5) - at(bare, 0.5);
  const count = quick ? 100 : 500;
  const keys = (name, one, wish) => {
    const times = session(one, { keys: count, want: 'many', ...wish }).keys;
    return [
      ms(`a key, median, ${name}`, at(times, 0.5), 16),
      ms(`a key, 99th percentile, ${name}`, at(times, 0.99), 50),
    ];
  };
  const many = listImage(quick ? 3000 : 100_000, quick ? 256 : 10_240);
  const inMany = ['g', 'p', '\x15', '/many', '\r'];
  return {
    times: {},
    verdicts: [
      ms('first list beyond node -e 0, demo image', beyond(demo), 300),
      ...(quick ? [] : [ms('first list beyond node -e 0, 16 TiB', beyond(huge), 300)]),
      ...keys('140 × 40', many, { before: inMany, settle: 1 }),
      ...keys('200 × 60', many, { before: inMany, settle: 1, rows: 60, columns: 200 }),
      ...keys('while a file is copied', many, {
        before: [...inMany, ':', 'cp /big /copy', '\r', ['edit it?'], 'y'],
        settle: 1,
      }),
    ],
  };
}
