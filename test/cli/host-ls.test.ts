/** The same tree, listed by us from the image and by the host's ls from the mounted image. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacksOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';

describe.skipIf(lacksOracle('loop mount', 'mke2fs'))('against the host’s ls', () => {
  let place: Workplace;

  beforeAll(() => {
    place = new Workplace();
    mkdirSync(place.at('mnt'));
    const done = place.sh(`set -e
      truncate -s 32M big.img && mke2fs -q -t ext4 big.img
      mount -o loop big.img mnt
      cd mnt
      mkdir -p a/b/c empty 'with space' many
      for i in $(seq 1 300); do echo $i > many/file$i.$((i % 7)); done
      head -c 100000 /dev/urandom > a/big
      truncate -s 5M a/sparse
      tr -d '\\r' < a/big > a/text
      printf x > 'new
line'
      printf x > "quote'd"; printf x > '$dollar'; printf x > 'é'; printf x > '日本'; printf x > $'bad\\xff'; printf x > '-dash'; printf x > '~t'; printf x > 'a#b'
      ln a/big a/hard; ln -s ../nowhere a/dangling; ln -s a/b alink
      mkfifo fifo; mknod null c 1 3; mknod disk b 259 65537
      chmod 4755 a/big; chmod 1777 empty; chown 1000:1001 many/file1.1 a/sparse
      touch -d '2001-02-03T04:05:06.123456789Z' many/file2.2; touch -d '1950-01-01T00:00:00Z' many/file3.3
      touch -h -d '2020-05-05T05:05:05Z' a/dangling
      printf 'root:x:0:0::/:\\nfred:x:1000:1000::/:\\n' > passwd
      cd ..; umount mnt`);
    expect(done.stderr).toBe('');
    execFileSync('mount', ['-o', 'ro,loop', place.at('big.img'), place.at('mnt')], { env: place.env() });
    writeFileSync(place.at('.stamp'), '');
  });
  afterAll(() => {
    execFileSync('umount', [place.at('mnt')], { env: place.env() });
    place.remove();
  });

  const host = (args: string): string => place.sh(`cd mnt && ls ${args}`).stdout;
  const ours = (args: string): string => place.sh(`fsu_ls big.img ${args}`).stdout;
  /** NetBSD puts two blanks where GNU puts one. */
  const squeezed = (text: string): string => text.replace(/ +/g, ' ');

  test.each([
    '-1',
    '-a',
    '-A',
    '-r',
    '-U many',
    '-f1 many',
    '-S many',
    '-Sr many',
    '-v many',
    '-X many',
    '-R',
    '-RA',
    '-1F',
    '-p',
    '--file-type',
    '-i many',
    '-Q',
    '-b --escape',
    '--quoting-style=shell',
    '--quoting-style=shell-always',
    '--quoting-style=shell-escape',
    '--quoting-style=c',
    '--quoting-style=escape',
    '--group-directories-first',
    '--zero',
    '--hide="*1*" many',
    '--ignore="file*" many',
    '-d a many',
    '-t many',
    '-c -t many',
    '--sort=width many',
  ])('ls %s', (args) => {
    // What comes of -a at the root, and of an order by times that are all the same, is not in question.
    const wanted = host(args.replace('-b --escape', '--escape').replace('-f1', '-U1 -A').replace('-U many', '-U many'));
    const got = ours(args.replace('-b --escape', '--escape'));
    if (args.startsWith('-f1') || args.startsWith('-U'))
      expect(got.split('\n').sort()).toEqual(wanted.split('\n').sort());
    else if (args.startsWith('-R')) expect(withoutDots(got)).toBe(withoutDots(wanted));
    else expect(got).toBe(wanted);
  });

  /** GNU heads the first directory of -R, and names below it from `.`; NetBSD does neither. */
  const withoutDots = (text: string): string => text.replace(/^\.:\n/, '').replace(/^\.(?=\/.*:$)/gm, '');

  test.each([
    '-ln --time-style=long-iso many',
    '-ln --time-style=full-iso many',
    '-ln --full-time a',
    '-lnA --time-style=+%s',
    '-lni --time-style=iso a',
    '-lnS --time-style=+ many',
    '-lntr --time-style=full-iso many',
    '-lnL --time-style=+%F a/hard',
    '-lnu --time-style=full-iso many',
    '-lnc --time-style=full-iso many',
    '-lnd --time-style=+ a many fifo null disk alink',
    '-gn --time-style=+ many',
    '-lnG --time-style=+ many',
    '-lnF --time-style=+ many',
  ])('ls -k %s', (args) => {
    const wanted = host(args);
    expect(squeezed(ours(`-k ${args}`))).toBe(squeezed(wanted));
  });

  test('-C and -x show the same names in the same order', () => {
    for (const args of ['-C many', '-x many', '-m many']) {
      expect(
        ours(`${args} --width=100`)
          .split(/[\s,]+/)
          .sort(),
      ).toEqual(
        host(`${args} -w 100`)
          .split(/[\s,]+/)
          .sort(),
      );
    }
    expect(ours('-m --width=60 many').replace(/\s+/g, ' ')).toBe(host('-m many').replace(/\s+/g, ' '));
  });

  test('names of owners are the image’s, which has them in /etc only', () => {
    expect(ours('-l --time-style=+ many/file1.1')).toContain(' 1000  1001  ');
    place.run('fsu', ['write', '-p', 'big.img:/etc/passwd'], { stdin: 'x' });
  });

  test('attributes agree with the host’s stat, and contents with its cat', () => {
    const format = '%a %A %b %f %F %h %i %s %t %T %u %g %x %X %y %Y %z %Z %N';
    for (const name of [
      'a',
      'a/big',
      'a/sparse',
      'a/dangling',
      'fifo',
      'null',
      'disk',
      'alink',
      'many/file2.2',
      'many/file3.3',
      'é',
    ]) {
      const wanted = place.sh(`cd mnt && stat -c '${format}' '${name}'`).stdout;
      expect(place.run('fsu_stat', ['big.img', '-c', format, name]).stdout).toBe(wanted);
    }
    expect(place.sh('fsu_cat big.img a/big a/sparse | sha256sum').stdout).toBe(
      place.sh('cat mnt/a/big mnt/a/sparse | sha256sum').stdout,
    );
    // GNU shows a carriage return before the end of a line with -E alone; nobody else does.
    for (const options of ['-n', '-b', '-s', '-A', '-e', '-t', '-v', '-E', '-T', '-nA']) {
      expect(place.sh(`fsu_cat big.img ${options} a/text | sha256sum`).stdout).toBe(
        place.sh(`cat ${options} mnt/a/text | sha256sum`).stdout,
      );
    }
  });

  test('names that are not UTF-8 go in by command line, and out as they are', () => {
    expect(place.sh(`fsu_cat big.img $'bad\\xff'`).stdout).toBe('x');
    expect(place.sh(`fsu_cat big.img --bytes 'bad\\xff'`).stdout).toBe('x');
    expect(place.sh(`fsu_ls big.img / | od -An -c | tr -d ' \\n'`).stdout).toContain('bad377\\n');
    expect(place.sh(`fsu_ls big.img $'bad\\xfe'`).stderr).toMatch(
      /^fsu_ls: big\.img:\/bad\\376: No such file or directory\n/,
    );
    const { entries } = JSON.parse(ours('--json /')) as { entries: { name: string; nameBytes?: string }[] };
    expect(entries.find(({ nameBytes }) => nameBytes !== undefined)).toMatchObject({
      name: 'bad\ufffd',
      nameBytes: Buffer.from('bad\xff', 'latin1').toString('base64'),
    });
  });

  test('get copies the tree as cp -r would', () => {
    expect(place.run('fsu', ['get', 'big.img:/a', 'got']).status).toBe(0);
    expect(place.sh('diff -r --no-dereference got mnt/a && echo same').stdout).toBe('same\n');
    // Holes stay holes, links links.
    expect(Number(place.sh('stat -c %b got/sparse').stdout)).toBeLessThan(100);
    expect(place.sh('test got/big -ef got/hard && echo one').stdout).toBe('one\n');
    expect(place.sh(`stat -c '%Y' got/dangling`).stdout).toBe(place.sh(`stat -c '%Y' mnt/a/dangling`).stdout);
  });
});
