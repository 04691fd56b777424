/** What is done to a prepared disk (session.ts) to be failed, cut short or repeated: every call that changes something. */
import { FileFlag, FsError, O, type VfsSyscalls } from '@ukfs/kernel';
import { Rng } from './rng.ts';
import { hostWith, longName, MNT, noise, openSession, put, splitName, writeAt, type Prepared } from './session.ts';

export interface Operation {
  readonly name: string;
  /** Of a write: how many bytes; its answer is how many it wrote. */
  readonly bytes?: number;
  /** A file without a name stays open; where the format notes such files, the next writer frees it. */
  readonly leavesOrphan?: boolean;
  /** More than one call that changes something: when it fails, the first of them may have been done. */
  readonly several?: boolean;
  run(sys: VfsSyscalls, image: Prepared): number | void;
}

const time = (sec: number) => ({ sec, nsec: 123_000 });

/** One call each, or one with the open and close that it needs. */
export const operations: readonly Operation[] = [
  { name: 'create', run: (sys) => void sys.close(sys.open(`${MNT}/new`, O.CREAT | O.EXCL | O.WRONLY, 0o640)) },
  { name: 'overwrite', bytes: 5000, run: (sys) => writeAt(sys, `${MNT}/file`, noise(21, 5000), 1500) },
  { name: 'append', bytes: 7000, run: (sys) => writeAt(sys, `${MNT}/file`, noise(22, 7000), 30_000) },
  {
    name: 'fill a hole',
    run: (sys, { blockSize }) => void writeAt(sys, `${MNT}/ragged`, noise(23, blockSize), 9 * blockSize),
  },
  { name: 'large write', bytes: 60_000, run: (sys) => writeAt(sys, `${MNT}/small`, noise(24, 60_000), 100) },
  { name: 'truncate to less', run: (sys, { blockSize }) => sys.truncate(`${MNT}/ragged`, 11 * blockSize + 100) },
  { name: 'truncate to nothing', run: (sys) => sys.truncate(`${MNT}/file`, 0) },
  { name: 'truncate to more', run: (sys) => sys.truncate(`${MNT}/small`, 100_000) },
  { name: 'mkdir', run: (sys) => sys.mkdir(`${MNT}/to/dir`, 0o711) },
  { name: 'rmdir', run: (sys) => sys.rmdir(`${MNT}/empty`) },
  { name: 'unlink', run: (sys) => sys.unlink(`${MNT}/file`) },
  { name: 'unlink of a ragged file', run: (sys) => sys.unlink(`${MNT}/ragged`) },
  { name: 'unlink of one of two names', run: (sys) => sys.unlink(`${MNT}/from/hard`) },
  { name: 'rename', run: (sys) => sys.rename(`${MNT}/small`, `${MNT}/another name`) },
  { name: 'rename over a file', run: (sys) => sys.rename(`${MNT}/from/moved`, `${MNT}/victim`) },
  { name: 'rename of a directory to another', run: (sys) => sys.rename(`${MNT}/from/sub`, `${MNT}/to/sub`) },
  { name: 'rename over an empty directory', run: (sys) => sys.rename(`${MNT}/from/sub`, `${MNT}/empty`) },
  { name: 'exchange', run: (sys) => sys.rename(`${MNT}/from/sub`, `${MNT}/victim`, { exchange: true }) },
  { name: 'link', run: (sys) => sys.link(`${MNT}/file`, `${MNT}/to/second`) },
  { name: 'fast symlink', run: (sys) => sys.symlink('to/covered', `${MNT}/fast`) },
  { name: 'slow symlink', run: (sys) => sys.symlink('y/'.repeat(200), `${MNT}/from/long`) },
  { name: 'chmod', run: (sys) => sys.chmod(`${MNT}/file`, 0o4711) },
  { name: 'chown', run: (sys) => sys.chown(`${MNT}/file`, 70_000, 80_000) },
  { name: 'utimens', run: (sys) => sys.utimens(`${MNT}/file`, time(1_400_000_000), time(1_410_000_000)) },
  { name: 'split of a leaf', run: (sys, { splitsAt }) => sys.link(`${MNT}/small`, splitName(splitsAt)) },
  {
    name: 'index of a directory',
    run: (sys, { indexesAt }) => sys.link(`${MNT}/small`, longName('linear', indexesAt)),
  },
  { name: 'mknod', run: (sys) => sys.mknod(`${MNT}/dev`, 'chr', 0o600, { major: 5, minor: 1 }) },
  { name: 'punch', run: (sys, { blockSize }) => punch(sys, blockSize) },
  {
    name: 'allocate',
    run: (sys, { blockSize }) => onFd(sys, 'holes', (fd) => sys.posix_fallocate(fd, 0, 45 * blockSize)),
  },
  {
    name: 'write into what was allocated',
    several: true,
    run: (sys, { blockSize }) => allocateAndWrite(sys, blockSize),
  },
  { name: 'O_TRUNC', run: (sys) => sys.close(sys.open(`${MNT}/file`, O.WRONLY | O.TRUNC)) },
  { name: 'unlink while open', leavesOrphan: true, run: (sys) => unlinkOpen(sys, `${MNT}/file`) },
  { name: 'unlink of many blocks while open', leavesOrphan: true, run: (sys) => unlinkOpen(sys, `${MNT}/ragged`) },
  { name: 'exchange of directories', run: (sys) => sys.rename(`${MNT}/from/sub`, `${MNT}/to`, { exchange: true }) },
  {
    name: 'exchange of names in one directory',
    run: (sys) => sys.rename(`${MNT}/small`, `${MNT}/victim`, { exchange: true }),
  },
  { name: 'rename over a second name', run: (sys) => sys.rename(`${MNT}/victim`, `${MNT}/from/hard`) },
  { name: 'rename that grows a directory', run: (sys) => sys.rename(`${MNT}/from`, `${MNT}/${'r'.repeat(250)}`) },
  { name: 'unlink in a directory with an index', run: (sys) => sys.unlink(splitName(7)) },
  { name: 'fifo', run: (sys) => sys.mkfifo(`${MNT}/fifo`, 0o622) },
  { name: 'socket', run: (sys) => sys.mknod(`${MNT}/sock`, 'sock', 0o600) },
  { name: 'block device', run: (sys) => sys.mknod(`${MNT}/blk`, 'blk', 0o640, { major: 300, minor: 70_000 }) },
  { name: 'chflags', run: (sys) => sys.chflags(`${MNT}/file`, FileFlag.UF_NODUMP) },
  { name: 'xattr that replaces one', run: (sys) => sys.setxattr(`${MNT}/victim`, 'user.there', noise(27, 90)) },
  { name: 'xattr removed', run: (sys) => sys.removexattr(`${MNT}/victim`, 'user.there') },
  { name: 'unlink of a file with an xattr in a block', run: (sys) => sys.unlink(`${MNT}/labelled`) },
  { name: 'write far beyond the end', run: (sys) => void writeAt(sys, `${MNT}/small`, noise(28, 300), 2_000_000) },
  { name: 'xattr', run: (sys) => sys.setxattr(`${MNT}/file`, 'user.small', noise(25, 30)) },
  { name: 'xattr in a block', run: (sys) => sys.setxattr(`${MNT}/file`, 'user.large', noise(26, 600)) },
];

function onFd(sys: VfsSyscalls, name: string, use: (fd: number) => void): void {
  const fd = sys.open(`${MNT}/${name}`, O.RDWR);
  try {
    use(fd);
  } finally {
    sys.close(fd);
  }
}

function allocateAndWrite(sys: VfsSyscalls, blockSize: number): void {
  onFd(sys, 'small', (fd) => {
    sys.posix_fallocate(fd, 0, 20 * blockSize);
    sys.pwrite(fd, noise(29, blockSize + 50), 7 * blockSize - 20);
  });
}

/** It stays open until the kernel halts: a crash finds it so. */
function unlinkOpen(sys: VfsSyscalls, path: string): void {
  sys.open(path, O.RDONLY);
  sys.unlink(path);
}

function punch(sys: VfsSyscalls, blockSize: number): void {
  const fd = sys.open(`${MNT}/file`, O.WRONLY);
  try {
    sys.fdiscard(fd, blockSize + 10, 3 * blockSize);
  } finally {
    sys.close(fd);
  }
}

/** Those that are one call, which is wholly done or not at all. */
export const singleCalls: readonly Operation[] = operations.filter(
  ({ several = false, leavesOrphan = false }) => !several && !leavesOrphan,
);

/** Twenty calls, one transaction. */
export const mixed: Operation = {
  name: 'twenty calls',
  run(sys, image) {
    const rng = new Rng(77);
    put(sys, `${MNT}/a`, noise(31, 12_000));
    sys.mkdir(`${MNT}/m`, 0o755);
    sys.rename(`${MNT}/a`, `${MNT}/m/b`);
    sys.truncate(`${MNT}/file`, 4000);
    put(sys, `${MNT}/m/c`, noise(32, 20_000));
    sys.unlink(`${MNT}/victim`);
    sys.link(`${MNT}/m/c`, `${MNT}/m/d`);
    sys.symlink('z/'.repeat(150), `${MNT}/m/s`);
    sys.chmod(`${MNT}/m`, 0o700);
    sys.rename(`${MNT}/from/sub`, `${MNT}/m/sub`);
    for (let n = 0; n < 5; n++) sys.link(`${MNT}/small`, splitName(image.splitsAt + n));
    sys.rmdir(`${MNT}/empty`);
    writeAt(sys, `${MNT}/ragged`, noise(33, 3000), rng.int(20) * image.blockSize);
    sys.unlink(`${MNT}/m/c`);
    sys.chown(`${MNT}/m/d`, 3, 4);
    sys.rename(`${MNT}/from/moved`, `${MNT}/to/covered`);
  },
};

/** False when this version cannot do it on this image (and says so: EOPNOTSUPP). */
export function isPossible(image: Prepared, operation: Operation): boolean {
  const s = openSession(image.disk.type, hostWith(image.bytes), { write: true });
  try {
    operation.run(s.sys, image);
    return true;
  } catch (e) {
    if (e instanceof FsError && e.code === 'EOPNOTSUPP') return false;
    throw e;
  } finally {
    s.close();
  }
}
