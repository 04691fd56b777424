/** Pipes that close, pipes that are slow, terminals, and memory. */
import { execFileSync, spawnSync } from 'node:child_process';
import { closeSync, openSync, readFileSync, truncateSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo();
});
afterAll(() => place.remove());

test('a reader that goes away ends the tool quietly', () => {
  const done = place.sh('fsu_cat demo.img /var/log/messages /var/log/messages | head -c 10; echo " ${PIPESTATUS[0]}"');
  expect(done.stdout).toMatch(/^2026-01-01 (0|141)\n$/);
  expect(done.stderr).toBe('');
  const early = place.sh('(sleep 0.3; exec fsu_ls demo.img -lR) | true; echo ${PIPESTATUS[0]}');
  expect(early).toMatchObject({ stdout: '141\n', stderr: '' });
});

test('what fails on the side of the host is said of the host', () => {
  expect(place.sh('fsu_cat demo.img /var/log/messages > /dev/full')).toMatchObject({
    stderr: 'fsu_cat: standard output: No space left on device\n',
    status: 1,
  });
  expect(place.sh('fsu ls demo.img > /dev/full')).toMatchObject({
    stderr: 'fsu ls: standard output: No space left on device\n',
    status: 1,
  });
  expect(place.sh('fsu write demo.img:/x < .')).toMatchObject({
    stderr: 'fsu write: standard input: Is a directory\n',
    status: 1,
  });
  expect(place.sh('fsu write demo.img:/x .')).toMatchObject({ stderr: 'fsu write: .: Is a directory\n', status: 1 });
  expect(place.sh('fsu get demo.img:/etc/hosts no/where')).toMatchObject({
    stderr: 'fsu get: no: No such file or directory\n',
    status: 1,
  });
  expect(place.sh('fsu_ls demo.img /x').stderr).toMatch(/No such file/);
});

test('no standard error to write to is no reason to fail otherwise', () => {
  expect(place.sh('fsu_ls demo.img /none 2>&-; echo $?').stdout).toBe('1\n');
});

test('standard input that is closed is no empty file; one that is empty is', () => {
  const size = (): string => place.sh('fsu_stat demo.img -f %z /etc/hosts').stdout;
  const before = size();
  expect(before).not.toBe('0\n');
  for (const line of ['fsu write demo.img:/etc/hosts', 'fsu_write demo.img -a /etc/hosts -'])
    expect(place.sh(`${line} <&-`)).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/^fsu.write: standard input: closed, .* < \/dev\/null\n$/),
    });
  expect(size()).toBe(before);
  for (const empty of ['< /dev/null', '/dev/null', '< /dev/null -']) {
    expect(place.sh(`echo x | fsu write demo.img:/e; fsu write demo.img:/e ${empty}`)).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(place.sh('fsu_stat demo.img -f %z /e').stdout).toBe('0\n');
  }
});

test('standard input that trickles, and one that is not ready, are read whole', () => {
  requireOracle('debugfs');
  const size = 300_000;
  const slow = `(for i in 1 2 3; do head -c ${size / 3} /dev/zero | tr '\\0' x; sleep 0.2; done)`;
  expect(place.sh(`${slow} | fsu_write demo.img /slow; fsu_stat demo.img -f %z /slow`).stdout).toBe(`${size}\n`);
  // Another process has made the pipe non-blocking: reads give EAGAIN.
  const nonblocking = `python3 -c 'import os,sys,fcntl,time
r,w=os.pipe()
fcntl.fcntl(r,fcntl.F_SETFL,os.O_NONBLOCK)
p=os.fork()
if p==0:
    os.dup2(r,0); os.close(w); os.execvp("fsu_write",["fsu_write","demo.img","/late"])
os.close(r)
for i in range(3):
    time.sleep(0.2); os.write(w,b"x"*1000)
os.close(w)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(p,0)[1]))'`;
  expect(place.sh(`${nonblocking}; echo $?; fsu_stat demo.img -f %z /late`).stdout).toBe('0\n3000\n');
});

test('a pipe that nobody reads for a while loses nothing', () => {
  const done = place.sh(
    'for i in 1 2 3 4 5; do echo /var/log/messages; done | xargs fsu_cat demo.img | (sleep 0.3; md5sum)',
  );
  const once = place.run('fsu_cat', ['demo.img', '/var/log/messages']).stdout;
  const md5 = execFileSync('md5sum', { input: once.repeat(5), encoding: 'utf8' });
  expect(done.stdout).toBe(md5);
});

describe('on a terminal', () => {
  /** A terminal of 60 columns, by script(1). */
  const onTerminal = (command: string): string =>
    place
      .sh(`stty cols 60 2>/dev/null; script -qec ${JSON.stringify(`stty cols 60; ${command}`)} /dev/null < /dev/null`)
      .stdout.replace(/\r/g, '');
  const hasScript = spawnSync('script', ['--version']).status === 0;

  test.skipIf(!hasScript)('names come in columns of its width', () => {
    expect(onTerminal('fsu_ls demo.img /etc')).toBe(
      'fstab     hostname  myname    passwd\ngroup     hosts     network\n',
    );
  });

  test.skipIf(!hasScript)('names that would drive it are escaped, everywhere', () => {
    const evil = '/a\\x1b[31mred\\x07';
    expect(place.run('fsu_write', ['demo.img', '-p', '--bytes', `${evil}/x`], { stdin: 'x' }).status).toBe(0);
    for (const command of [
      'fsu_ls demo.img',
      'fsu_ls demo.img -R',
      'fsu_ls demo.img -l',
      `fsu_stat demo.img --bytes '${evil}'`,
    ]) {
      const shown = onTerminal(command);
      expect(shown).toMatch(/red/);
      expect(shown.replace(/\n/g, '')).not.toMatch(/\p{Cc}/u);
    }
    // A pipe gets the bytes; a message never does.
    expect(place.run('fsu_ls', ['demo.img']).stdout).toContain('a\x1b[31mred\x07');
    expect(place.run('fsu_ls', ['demo.img', '--bytes', `${evil}none`]).stderr).toBe(
      "fsu_ls: demo.img:/a\\033[31mred\\anone: No such file or directory\n  did you mean 'demo.img:/a\\033[31mred\\a'?\n",
    );
  });

  test.skipIf(!hasScript)('colours only where they are wanted', () => {
    expect(onTerminal('TERM=xterm fsu_ls demo.img --color=auto /home')).toContain('\x1b[01;34mguest');
    expect(onTerminal('NO_COLOR=1 fsu_ls demo.img --color=auto /home')).not.toContain('\x1b');
    expect(onTerminal('TERM=dumb fsu_ls demo.img --color=auto /home')).not.toContain('\x1b');
    expect(place.run('fsu_ls', ['demo.img', '--color=auto', '/home']).stdout).not.toContain('\x1b');
  });
});

test('cat of a large file needs no more memory than of a small one', () => {
  requireOracle('mke2fs');
  place.sh('truncate -s 600M large.img && mke2fs -q -t ext4 large.img');
  // 400 MiB of hole and data, written by us, too.
  const done = place.sh(
    'head -c 400000000 /dev/urandom | fsu_write large.img /f && /usr/bin/env time -f %M fsu_cat large.img /f 2> mem | sha256sum; cat mem',
  );
  const peak = Number(done.stdout.trim().split('\n').at(-1));
  if (Number.isFinite(peak)) expect(peak).toBeLessThan(120 * 1024);
  expect(place.sh('fsu_stat large.img -f %z /f').stdout).toBe('400000000\n');
  expect(place.sh('e2fsck -fn large.img').status).toBe(0);
  place.sh('rm large.img');
});

test('an image that changes while it is read is said to have', () => {
  place.demo('moving.img');
  const path = place.at('moving.img');
  // The change comes while the tool waits for somebody to read what it has said.
  const done = place.sh(
    'fsu_cat moving.img $(for i in 1 2 3 4 5; do echo /var/log/messages; done) | (sleep 0.5; printf x | dd of=moving.img bs=1 seek=8000000 conv=notrunc status=none; cat > /dev/null); echo ${PIPESTATUS[0]}',
  );
  expect(done).toMatchObject({ stdout: '1\n', stderr: 'fsu_cat: moving.img: image changed while reading\n' });
  expect(readFileSync(path).length).toBe(8 * 1024 * 1024);
  const fd = openSync(path, 'r+');
  writeSync(fd, 'y', 8_000_000);
  closeSync(fd);
  truncateSync(path, 8 * 1024 * 1024);
});
