// The images that the benchmarks read and write. Made by mke2fs, or filled by the kernel on a loop mount (root only), and
// kept in a directory below the temporary one ($UKFS_BENCH_DIR names another); `npm run bench -- --clean` removes it.
import { execFileSync } from 'node:child_process';
import { randomFillSync } from 'node:crypto';
import { closeSync, existsSync, ftruncateSync, mkdirSync, openSync, renameSync, rmSync, writeSync } from 'node:fs';
import { writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export const benchDir = process.env.UKFS_BENCH_DIR ?? join(tmpdir(), 'ukfs-bench');
export const canMount = process.getuid?.() === 0 && existsSync('/dev/loop-control');

const MIB = 1024 * 1024;
const quiet = { stdio: ['ignore', 'ignore', 'pipe'] };

/** The file, made by `make(path)` if it is not there yet; a name without its content never appears. */
export function cached(name, make) {
  const path = join(benchDir, name);
  if (existsSync(path)) return path;
  mkdirSync(benchDir, { recursive: true });
  process.stderr.write(`making ${name}\n`);
  make(`${path}.part`);
  renameSync(`${path}.part`, path);
  return path;
}

/** `mib` MiB that do not compress and hold no zero blocks; `other` has nothing in common with the first. */
export const randomFile = (mib, other = '') =>
  cached(`random${other}-${mib}.bin`, (path) => {
    const fd = openSync(path, 'w');
    const piece = new Uint8Array(MIB);
    for (let i = 0; i < mib; i++) writeSync(fd, randomFillSync(piece));
    closeSync(fd);
  });

/** mke2fs's defaults for large disks, lazy initialisation off so that no kernel thread works on the image while we time. */
function mke2fs(path, mib, ...args) {
  rmSync(path, { force: true });
  const fd = openSync(path, 'w');
  ftruncateSync(fd, mib * MIB);
  closeSync(fd);
  const lazy = 'lazy_itable_init=0,lazy_journal_init=0';
  execFileSync('mke2fs', ['-q', '-F', '-t', 'ext4', '-b', '4096', '-m', '0', '-E', lazy, ...args, path], quiet);
}

/** `freeMib` free beside a file /big of `mib` MiB. */
export const fileImage = (mib, freeMib) =>
  cached(`file-${mib}-${freeMib}.img`, (path) => {
    const source = `${path}.d`;
    mkdirSync(source, { recursive: true });
    execFileSync('ln', ['-f', randomFile(mib), join(source, 'big')]);
    // Inode tables, journal and block maps take their part; few inodes, so that it is small.
    mke2fs(path, Math.ceil(mib * 1.002 + 72) + freeMib, '-N', '2048', '-d', source);
    rmSync(source, { recursive: true });
  });

export const emptyImage = (mib) => cached(`empty-${mib}.img`, (path) => mke2fs(path, mib, '-N', '2048'));

/** A directory of the host: `dirs` directories of `files` files of `size` random bytes each. */
export const hostFiles = (dirs, files, size) =>
  cached(`files-${dirs}x${files}x${size}`, (path) => {
    rmSync(path, { recursive: true, force: true });
    const bytes = new Uint8Array(size);
    for (let d = 0; d < dirs; d++) {
      const dir = join(path, `directory-${d}`);
      mkdirSync(dir, { recursive: true });
      for (let f = 0; f < files; f++) {
        if (size > 0) randomFillSync(bytes);
        writeFileSync(join(dir, `file-${String(f).padStart(7, '0')}.txt`), bytes);
      }
    }
  });

/** Scripts for debugfs that write such files below /tree, and that remove them. */
export const debugfsScripts = (source, dirs, files) => {
  const paths = [];
  const lines = ['mkdir /tree'];
  for (let d = 0; d < dirs; d++) {
    lines.push(`mkdir /tree/directory-${d}`);
    for (let f = 0; f < files; f++) paths.push(`directory-${d}/file-${String(f).padStart(7, '0')}.txt`);
  }
  const file = (name, text) =>
    cached(name, (path) => {
      writeFileSync(path, `${text.join('\n')}\n`);
    });
  return {
    write: file(`write-${dirs}x${files}.txt`, [...lines, ...paths.map((p) => `write ${source}/${p} /tree/${p}`)]),
    remove: file(
      `remove-${dirs}x${files}.txt`,
      paths.map((p) => `rm /tree/${p}`),
    ),
  };
};

/** mke2fs's own choice of features and number of inodes, nothing initialised that need not be; `inodes` if those are too few. */
export const plainImage = (mib, inodes) =>
  cached(`plain-${mib}-${inodes ?? 'default'}.img`, (path) => {
    const fd = openSync(path, 'w');
    ftruncateSync(fd, mib * MIB);
    closeSync(fd);
    execFileSync(
      'mke2fs',
      ['-q', '-F', '-t', 'ext4', ...(inodes === undefined ? [] : ['-N', String(inodes)]), path],
      quiet,
    );
  });

/** `dirs` directories of `files` small files each. */
export const treeImage = (dirs, files) =>
  cached(`tree-${dirs}x${files}.img`, (path) => {
    const source = `${path}.d`;
    for (let d = 0; d < dirs; d++) {
      const dir = join(source, `directory-${d}`);
      mkdirSync(dir, { recursive: true });
      for (let f = 0; f < files; f++) writeFileSync(join(dir, `file-${String(f).padStart(6, '0')}.txt`), `${d} ${f}\n`);
    }
    mke2fs(path, 64 + Math.ceil((dirs * files * 6) / 1024), '-N', String(dirs * (files + 1) + 1024), '-d', source);
    rmSync(source, { recursive: true });
  });

/** `tops` × `dirs` directories of `files` empty files each, made by the kernel. */
export const forestImage = (tops, dirs, files) =>
  cached(`forest-${tops}x${dirs}x${files}.img`, (path) => {
    const count = tops * dirs * files;
    mke2fs(path, 128 + Math.ceil((count * 400) / MIB), '-N', String(count + tops * dirs + 1024));
    withMount(path, (at) => {
      const names = Array.from({ length: files }, (_, f) => `file-${String(f).padStart(6, '0')}.txt`);
      for (let t = 0; t < tops; t++) {
        for (let d = 0; d < dirs; d++) {
          const dir = join(at, `top-${t}`, `directory-${d}`);
          mkdirSync(dir, { recursive: true });
          for (const name of names) closeSync(openSync(join(dir, name), 'w'));
        }
      }
    });
  });

/** 16 GiB with mke2fs's numbers, and in it `tops` × `dirs` directories of `files` small files each, made by the kernel. */
export const crowdedImage = (tops, dirs, files) =>
  cached(`crowded-${tops}x${dirs}x${files}.img`, (path) => {
    mke2fs(path, 16 * 1024);
    withMount(path, (at) => {
      for (let t = 0; t < tops; t++) {
        for (let d = 0; d < dirs; d++) {
          const dir = join(at, `top-${t}`, `directory-${d}`);
          mkdirSync(dir, { recursive: true });
          for (let f = 0; f < files; f++) {
            writeFileSync(join(dir, `file-${String(f).padStart(6, '0')}.txt`), `${t} ${d} ${f}\n`);
          }
        }
      }
    });
  });

/** Mounts an image by the kernel while `use(mount point)` runs. Root only. */
export function withMount(image, use, { readOnly = false } = {}) {
  const unmount = mount(image, { readOnly });
  try {
    return use(unmount.at);
  } finally {
    unmount();
  }
}

/** Mounts an image; the function returned unmounts it, and its `at` is where it is. */
export function mount(image, { readOnly = false } = {}) {
  const at = join(benchDir, `mnt-${process.pid}`);
  mkdirSync(at, { recursive: true });
  execFileSync('mount', ['-o', readOnly ? 'loop,ro' : 'loop', image, at], quiet);
  const unmount = () => {
    execFileSync('umount', [at], quiet);
    rmSync(at, { recursive: true });
  };
  unmount.at = at;
  return unmount;
}

/** A copy to write into; holes stay holes. */
export function copyOf(image, name) {
  const path = join(benchDir, name);
  rmSync(path, { force: true });
  execFileSync('cp', ['--sparse=always', '--', image, path], quiet);
  return path;
}

/** What is dirty in the host's memory goes to its disk now, not into the next measurement. */
export const settle = () => execFileSync('sync', [], quiet);
