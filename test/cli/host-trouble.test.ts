/** A host that is full, that may only be read, or where others change the image under us: a clear end, and nothing lost. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  appendFileSync,
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { complains, everyReader, everyWriter, Workplace } from './harness.ts';

let place: Workplace;
const mounted: string[] = [];
beforeEach(() => {
  place = new Workplace();
  place.demo();
});
afterEach(() => {
  for (const dir of mounted.splice(0)) execFileSync('umount', [dir], { env: place.env() });
  place.remove();
});

/** A file system of the host that holds so many KiB, mounted on `small` in the workplace. */
function smallHost(kib: number): string {
  requireOracle('root');
  requireOracle('mount');
  const dir = place.at('small');
  mkdirSync(dir);
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${kib}k`, 'tmpfs', dir], { env: place.env() });
  mounted.push(dir);
  return dir;
}

const megabytes = (n: number): Buffer => Buffer.alloc(n * 1_000_000, 0x5a);
const isClean = (image: string): void => {
  requireOracle('e2fsck');
  expect(place.sh(`e2fsck -fn ${image}`).status).toBe(0);
};

describe('a host that is full', () => {
  test('no room for the log: 6, naming where, and the image is as it was', () => {
    const dir = smallHost(10_000);
    copyFileSync(place.at('demo.img'), join(dir, 'demo.img'));
    const before = readFileSync(join(dir, 'demo.img'));
    const done = place.run('fsu_write', ['small/demo.img', '/big'], { stdin: megabytes(3) });
    complains(done, 6, /^fsu_write: small\/demo\.img: not committed, .*: no room in .*\/small for \d+ bytes/);
    expect(readFileSync(join(dir, 'demo.img')).equals(before)).toBe(true);
    expect(place.sh('ls small').stdout).toBe('demo.img\n');
  });

  test('no room for the holes of a sparse image: 6 before anything is written', () => {
    const dir = smallHost(4000);
    place.sh('cp --sparse=always demo.img small/demo.img');
    const before = place.sh('md5sum small/demo.img; du -k small').stdout;
    const done = place.run('fsu_write', ['small/demo.img', '/big'], { stdin: megabytes(3) });
    complains(done, 6, /no room in .*\/small for \d+ bytes of log and image/);
    expect(place.sh('md5sum small/demo.img; du -k small').stdout).toBe(before);
    // What does fit is done.
    expect(place.run('fsu_write', ['small/demo.img', '/small'], { stdin: 'x' })).toMatchObject({ status: 0 });
    expect(existsSync(join(dir, 'demo.img.fsu-log'))).toBe(false);
    isClean('small/demo.img');
  });

  test('mkfs: no room, 6; what was there stays, and what was not there is not left', () => {
    const dir = smallHost(9000);
    place.sh('cp --sparse=always demo.img small/demo.img; head -c 9300000 /dev/zero > small/filler');
    const before = place.sh('md5sum small/demo.img').stdout;
    complains(
      place.run('fsu', ['mkfs', '--force', 'small/demo.img']),
      6,
      /^fsu mkfs: small\/demo\.img: .*(no room in|No space left)/,
    );
    complains(
      place.run('fsu', ['mkfs', 'small/new.img', '64M']),
      6,
      /^fsu mkfs: small\/new\.img: .*(no room in|No space left)/,
    );
    expect(place.sh('md5sum small/demo.img; ls -A small').stdout).toBe(`${before}demo.img\nfiller\n`);
    expect(existsSync(join(dir, 'new.img'))).toBe(false);
    isClean('small/demo.img');
  });

  test('no room for data that went into free blocks before the commit: 6, and they are zeros again', () => {
    requireOracle('mke2fs');
    smallHost(80_000);
    place.sh('truncate -s 300M small/big.img && mke2fs -q small/big.img');
    const before = place.sh('md5sum < small/big.img').stdout;
    const done = place.sh('head -c 120000000 /dev/zero | tr "\\0" x | fsu_write small/big.img /big');
    complains(done, 6, /^fsu_write: small\/big\.img:\/big: .*\/small\/big\.img: No space left on device\n/);
    expect(place.sh('md5sum < small/big.img').stdout).toBe(before);
    expect(place.sh('ls -A small').stdout).toBe('big.img\n');
  });

  test('get: 6 and one line for the host; the file that was there stays whole, and no half of a new one is left', () => {
    const dir = smallHost(100);
    writeFileSync(join(dir, 'messages'), 'old');
    writeFileSync(join(dir, 'filler'), Buffer.alloc(40_000));
    complains(
      place.run('fsu', ['get', 'demo.img:/var/log/messages', 'small']),
      6,
      /^fsu get: small\/messages: No space left on device\n$/,
    );
    expect(place.sh('ls -A small; cat small/messages').stdout).toBe('filler\nmessages\nold');
    complains(
      place.run('fsu', ['get', 'demo.img:/', 'small/tree']),
      6,
      /^fsu get: small\/tree\/.*: No space left .*\n$/,
    );
    expect(place.sh('find small -name ".fsu*"').stdout).toBe('');
  });

  test('files may not grow so large: the log fails, 1; the image fails after the commit, 1, and the next writer ends it', () => {
    const before = readFileSync(place.at('demo.img'));
    writeFileSync(place.at('input'), megabytes(0.3));
    const limited = (blocks: number): string => `ulimit -f ${blocks}; fsu_write demo.img /big input`;
    complains(
      place.sh(limited(100)),
      1,
      /^fsu_write: demo\.img: not committed, .*\/demo\.img\.fsu-log\.new: File too large\n/,
    );
    expect(readFileSync(place.at('demo.img')).equals(before)).toBe(true);
    expect(place.sh('ls').stdout).toBe('demo.img\ninput\n');
    complains(
      place.sh(limited(400)),
      1,
      /^fsu_write: demo\.img: committed, not yet applied: .*\/demo\.img: File too large\n/,
    );
    const big = place.run('fsu_cat', ['demo.img', '/big']);
    expect(big.bytes.equals(megabytes(0.3))).toBe(true);
    expect(place.run('fsu', ['recover', 'demo.img']).stdout).toMatch(/committed, not yet applied/);
    // As long as the host will not have it, nobody writes, and nothing is lost.
    complains(place.sh('ulimit -f 400; fsu_write demo.img /y input'), 1, /^fsu_write: demo\.img: .*File too large\n/);
    expect(place.run('fsu', ['recover', '--apply', 'demo.img'])).toMatchObject({ status: 0, stderr: '' });
    expect(place.run('fsu_cat', ['demo.img', '/big']).bytes.equals(megabytes(0.3))).toBe(true);
    isClean('demo.img');
  });
});

test('get replaces files in one step: other names of the old one keep it, and hard links stay such', () => {
  place.sh('echo old > hosts; ln hosts keep; ln -s keep link; echo x > there');
  expect(place.run('fsu', ['get', 'demo.img:/etc/hosts', '.'])).toMatchObject({ status: 0, stderr: '' });
  expect(place.sh('cat keep; cmp -s hosts keep; echo $?').stdout).toBe('old\n1\n');
  // A link is replaced itself, not what it leads to.
  expect(place.run('fsu', ['get', 'demo.img:/etc/hosts', 'link'])).toMatchObject({ status: 0 });
  expect(place.sh('cat keep; stat -c %F link; cmp link hosts').stdout).toBe('old\nregular file\n');
  requireOracle('debugfs');
  execFileSync('debugfs', ['-w', '-R', 'ln /etc/hosts /etc/same', place.at('demo.img')], {
    env: place.env(),
    stdio: 'ignore',
  });
  execFileSync('debugfs', ['-w', '-R', 'set_inode_field /etc/hosts links_count 2', place.at('demo.img')], {
    env: place.env(),
    stdio: 'ignore',
  });
  for (let round = 0; round < 2; round++) {
    expect(place.run('fsu', ['get', 'demo.img:/etc', 'tree'])).toMatchObject({ status: 0, stderr: '' });
    expect(place.sh('stat -c %h tree/hosts tree/same; ls -A tree | grep fsu-new').stdout).toBe('2\n2\n');
    // Once more onto what is there.
    place.sh('rm -rf first; mv tree first 2>/dev/null; cp -a first tree');
  }
});

describe('a place that may only be read', () => {
  /** As somebody who is not root: what root may do anyway proves nothing. */
  function asNobody(words: readonly string[]): { status: number | null; stderr: string } {
    requireOracle('root');
    const { status, stderr } = spawnSync(process.execPath, [join(place.bin, 'fsu'), ...words], {
      cwd: place.dir,
      env: place.env(),
      input: 'x',
      uid: 65534,
      gid: 65534,
      encoding: 'utf8',
    });
    return { status, stderr };
  }

  test('a read-only file system of the host: readers work, writers end with 1 before they read their input', () => {
    const dir = smallHost(10_000);
    copyFileSync(place.at('demo.img'), join(dir, 'demo.img'));
    execFileSync('mount', ['-o', 'remount,ro', dir], { env: place.env() });
    for (const command of everyReader('small/demo.img'))
      expect(place.fsu(command)).toMatchObject({ status: 0, stderr: '' });
    for (const command of everyWriter('small/demo.img'))
      complains(place.fsu(command), 1, /: small\/demo\.img: Read-only file system\n/);
    const elsewhere = place.run('fsu', ['write', '--log', 'log', 'small/demo.img:/x'], { stdin: 'x' });
    complains(elsewhere, 1, /: small\/demo\.img: Read-only file system\n/);
    complains(
      place.run('fsu', ['mkfs', '--force', 'small/demo.img']),
      1,
      /: small\/demo\.img: Read-only file system\n/,
    );
    complains(place.run('fsu', ['mkfs', 'small/new.img', '8M']), 1, /: small\/new\.img: Read-only file system\n/);
    complains(place.run('fsu', ['fsck', '-y', 'small/demo.img']), 8, /: small\/demo\.img: Read-only file system\n/);
    expect(place.run('fsu', ['fsck', 'small/demo.img']).status).toBe(0);
    expect(place.run('fsu', ['recover', 'small/demo.img']).status).toBe(0);
    expect(place.run('fsu', ['write', '--dry-run', 'small/demo.img:/x'], { stdin: 'x' }).status).toBe(0);
    expect(place.sh('ls small; ls').stdout).toBe('demo.img\ndemo.img\nsmall\n');
  });

  test('a directory that takes no log: 1; a log elsewhere helps', () => {
    requireOracle('root');
    const before = readFileSync(place.at('demo.img'));
    mkdirSync(place.at('logs'));
    chmodSync(place.at('logs'), 0o777);
    chmodSync(place.at('demo.img'), 0o666);
    chmodSync(place.dir, 0o755);
    const refused = asNobody(['write', 'demo.img:/x']);
    expect(refused.stderr).toMatch(/^fsu write: demo\.img: no transaction log can be made in \/.* \(see --log\)\n$/);
    expect(refused.status).toBe(1);
    expect(readFileSync(place.at('demo.img')).equals(before)).toBe(true);
    expect(asNobody(['write', '--log', 'logs/log', 'demo.img:/x'])).toEqual({ status: 0, stderr: '' });
    expect(place.run('fsu_cat', ['demo.img', '/x']).stdout).toBe('x');
    expect(place.sh('ls . logs').stdout).toBe('.:\ndemo.img\nlogs\n\nlogs:\n');
  });

  test('an image that may not be read, or whose directory may not be searched: 1', () => {
    chmodSync(place.dir, 0o755);
    chmodSync(place.at('demo.img'), 0o200);
    for (const words of [
      ['ls', 'demo.img:/'],
      ['info', 'demo.img'],
      ['recover', 'demo.img'],
      ['write', 'demo.img:/x'],
    ]) {
      const { status, stderr } = asNobody(words);
      expect(stderr).toMatch(/^fsu \w+: demo\.img: (Permission denied|no transaction log can be made in .*)\n$/);
      expect(status).toBe(1);
    }
    mkdirSync(place.at('closed'), 0o700);
    renameSync(place.at('demo.img'), place.at('closed/demo.img'));
    const { status, stderr } = asNobody(['ls', 'closed/demo.img:/']);
    expect(stderr).toMatch(/^fsu ls: closed\/demo\.img.*: Permission denied\n$/);
    expect(status).toBe(1);
  });
});

describe('an image that changes', () => {
  const changes: readonly (readonly [string, () => void])[] = [
    ['grows', () => appendFileSync(place.at('demo.img'), Buffer.alloc(4096))],
    ['shrinks', () => truncateSync(place.at('demo.img'), 4_000_000)],
    ['is replaced', () => (rmSync(place.at('demo.img')), void place.demo())],
    ['is removed', () => rmSync(place.at('demo.img'))],
  ];

  test.for(changes)(
    '%s while a writer waits for its input: 1, and nothing of the edit is written',
    async ([, change]) => {
      const writer = place.start('fsu_write', ['demo.img', '/x']);
      let stderr = '';
      writer.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
      const ended = new Promise<number | null>((resolve) => writer.on('close', resolve));
      // More than a pipe holds: when it is taken, the tool has opened the image and reads.
      await new Promise((resolve) => writer.stdin?.write(megabytes(1), resolve));
      change();
      const after = existsSync(place.at('demo.img')) ? readFileSync(place.at('demo.img')) : undefined;
      writer.stdin?.end('all of it');
      const status = await ended;
      expect(stderr).toMatch(
        /^fsu_write: demo\.img: not committed, changes discarded: image was (changed by another program|replaced by another file)\n$/,
      );
      expect(status).toBe(1);
      const now = existsSync(place.at('demo.img')) ? readFileSync(place.at('demo.img')) : undefined;
      expect(now === undefined ? after === undefined : after?.equals(now)).toBe(true);
      expect(place.sh('ls | grep -v ^demo.img$').stdout).toBe('');
    },
  );

  test.for(changes)('%s while it is read: 1, by name', async ([, change]) => {
    const messages = Array<string>(5).fill('demo.img:/var/log/messages');
    const reader = place.start('fsu', ['cat', ...messages]);
    let stderr = '';
    reader.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    // The pipe is full, and the tool waits for us.
    await new Promise((resolve) => reader.stdout?.once('readable', resolve));
    change();
    reader.stdout?.resume();
    const status = await new Promise<number | null>((resolve) => reader.on('close', resolve));
    expect(stderr).toBe('fsu cat: demo.img: image changed while reading\n');
    expect(status).toBe(1);
  });
});
