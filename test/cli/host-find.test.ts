/** The same tree, searched and measured by us in the image and by the host's find and du in the mounted image. */
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacksOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';

describe.skipIf(lacksOracle('loop mount', 'mke2fs'))('against the host’s tools', () => {
  let place: Workplace;

  beforeAll(() => {
    place = new Workplace();
    mkdirSync(place.at('mnt'));
    const done = place.sh(`set -e
      truncate -s 32M tree.img && mke2fs -q -t ext4 -E root_owner=0:0 tree.img
      mount -o loop tree.img mnt
      cd mnt
      mkdir -p a/b/c empty 'with space' many deep/1/2/3/4/5
      for i in $(seq 1 300); do echo $i > many/file$i.$((i % 7)); done
      for i in $(seq 1 20); do echo "line $i" >> a/text.TXT; done
      head -c 100000 /dev/zero > a/big; head -c 1024 /dev/zero > a/k; head -c 1025 /dev/zero > a/k1
      truncate -s 5M a/sparse; touch empty/none many/.hidden
      printf x > 'new
line'
      printf x > "quote'd"; printf x > '$dollar'; printf x > 'é'; printf x > '日本'; printf x > $'bad\\xff'; printf x > ./-dash; printf x > '~t'
      printf x > '[b]'; printf x > 'b*'; printf x > 'UPPER'; printf x > 'back\\slash'
      ln a/big a/hard; ln a/big many/hard2; ln -s ../nowhere a/dangling; ln -s a/b alink; ln -s . a/b/self; ln -s loop loop; ln -s ../a/big many/biglink
      mkfifo fifo; mknod null c 1 3; mknod disk b 259 65537
      chmod 4755 a/big; chmod 1777 empty; chmod 600 a/k; chmod 755 many/file1.1; chmod 0 many/file9.2
      chown 1000:1001 many/file1.1 a/sparse; chown 77 many/file2.2
      for i in 1 2 3 4 5 6 7 8 9; do touch -d "-$((i * 12)) hours -5 minutes" many/file10$i.*; touch -d "-$((i * 20)) seconds -5 minutes" many/file11$i.*; done
      touch -a -d '-3 days -1 hour' a/k; touch -d '2001-02-03T04:05:06.123456789Z' many/file2.2; touch -d '2020-01-01' many/file3.3
      mkdir etc; printf 'root:x:0:0::/:\\nfred:x:1000:1000::/:\\n' > etc/passwd; printf 'root:x:0:\\nteam:x:1001:\\n' > etc/group
      cd ..; umount mnt`);
    expect(done.stderr).toBe('');
    execFileSync('mount', ['-o', 'ro,loop,noatime', place.at('tree.img'), place.at('mnt')], { env: place.env() });
  }, 60_000);
  afterAll(() => {
    execFileSync('umount', [place.at('mnt')], { env: place.env() });
    place.remove();
  });

  const sorted = (text: string): string[] => text.split('\n').sort();

  describe('find', () => {
    const host = (args: string): string => place.sh(`cd mnt && find ${args}`).bytes.toString('latin1');
    const ours = (args: string): string => place.sh(`fsu_find tree.img ${args}`).bytes.toString('latin1');

    test.each([
      '.',
      'a many',
      'a/big -print',
      ". -print0 | tr '\\0' '\\n'",
      ". -name '*.1'",
      ". -name '.*'",
      ". -name '\\[b\\]'",
      ". -name '[[]b*'",
      ". -name 'b\\*'",
      ". -name '?'",
      ". -name '[!a-z]*'",
      ". -name '*[[:upper:]]*'",
      ". -iname '*.txt'",
      ". -name 'back\\\\slash'",
      ". -path './a/*'",
      ". -ipath './A/*' -o -wholename './deep*'",
      '. -type f',
      '. -type d',
      '. -type l',
      '. -type b,c,p,s',
      '. -xtype l',
      '. -xtype d',
      '-L a/b -type d',
      '-L . -type l',
      '-L a many -xtype l',
      '-H alink',
      '-P alink',
      '-L alink/',
      '. -follow -type p',
      '. -maxdepth 1',
      '. -mindepth 3',
      '. -maxdepth 2 -mindepth 2 -type d',
      '. -depth',
      'deep -depth',
      'deep -d',
      'deep -depth -maxdepth 2',
      '. -name many -prune',
      '. -name many -prune -o -print',
      '. -path ./a -prune -o -type f -print',
      '. -empty',
      '. -size 0',
      '. -size 2',
      '. -size +2',
      '. -size -3',
      '. -size 1k',
      '. -size 2k',
      '. -size +1023c -size -1026c',
      '. -size 512w',
      '. -size +1M',
      '. -size -1M -type f',
      '. -perm 600',
      '. -perm -4000',
      '. -perm -111 -type f',
      '. -perm /111 -type f',
      '. -perm /0 -type f',
      '. -perm 0',
      '. -perm u=rw',
      '. -perm -u+s,go=x',
      '. -perm /u=x -type f',
      '. -links +1 -type f',
      '. -links 3',
      '. -samefile a/big',
      '-L . -maxdepth 2 -samefile a/big',
      '. -inum 2',
      '. -uid 1000',
      '. -gid +0',
      '. -uid -1000 -type p',
      '. -user root -type p',
      '. -user 1000',
      '. -group 1001',
      '. -newer a/k',
      '. -anewer a/k',
      '. -cnewer a/b',
      '. -newermt 2021-01-01',
      '. ! -newermt 2020-06-01T00:00:00Z',
      ". -newermt '@1580000000'",
      '. -newerac a/k',
      '. -newermm many/file3.3 -newerca many/file2.2',
      '. -mtime 0',
      '. -mtime 1',
      '. -mtime +1',
      '. -mtime -2',
      '. -mtime +365',
      '. -atime +2',
      '. -ctime 0 -type p',
      '. -mmin 6',
      '. -mmin 7',
      '. -mmin +7',
      '. -mmin -7 -type f',
      '. -amin +1000',
      '. -cmin -100 -type p',
      '. -daystart -mtime 1',
      '. -daystart -mtime +1',
      ". -regex '.*/file1.[.][0-3]'",
      ". -regex '.*\\(big\\|hard\\)'",
      ". -iregex '.*\\.txt'",
      ". -regextype posix-extended -regex '\\./(a|deep)/[^/]+'",
      ". -regextype posix-basic -regex '\\./a/k1*'",
      ". -lname '*where'",
      ". -ilname '*WHERE'",
      '. -type l -lname a/b',
      '. -fstype ext4 -maxdepth 1',
      '. -fstype nfs',
      '. -true -type p',
      '. -false -o -type p',
      ". \\( -type p -o -type b \\) -a ! -name 'd*'",
      '. ! -type f ! -type d',
      '. -not -type f -and -not -type d',
      '. -type p , -type b -print',
      '. -type f -name x -o -type d -name deep -o -type c',
      '. -nouser -type p',
      'a -xdev -mount -noleaf -nowarn -warn -ignore_readdir_race',
      '. -readable -type p',
      '. -type f -executable',
      ". -type f -printf '%p %s %b %k %m %M %n %i %U %G %d %f %h %P %H %y %Y %F %%\\n'",
      ". -printf '%l|%y|%Y\\n'",
      "a/k -printf '%TY-%Tm-%Td %TH:%TM %T@ %Tj %Ta %Ab %t %a %A+ %TT %TX %Tc %TD %Ts\\n'",
      "many/file2.2 many/file3.3 -printf '%t|%T@|%TS|%T+|%Tk|%TZ|%Tp|%TI|%Te\\n'",
      "a -printf '%-20f|%10s|%05m|%.3f|%3d|\\t\\101\\0\\\\\\n'",
      "a -maxdepth 0 -printf '%h %f %P|%H\\n'",
      "a/b -maxdepth 1 -printf '%h %f %P|%H\\n'",
      "a -type f -printf '%f %S\\n'",
      "a -printf 'once\\c never' ",
      'a -fprint /dev/stdout',
      ". -name 'a' -quit",
    ])('find %s', (args) => {
      const wanted = host(args);
      const got = ours(args);
      // Where our path is the root, theirs is a dot.
      expect(sorted(got)).toEqual(sorted(wanted));
    });

    test('-ls', () => {
      // Owners are the image's to us and the host's to them.
      const others = (text: string): string[] =>
        sorted(text.replace(/ +/g, ' ').replace(/( \d+) \S+ \S+ (?=\d+ [A-Z])/g, '$1 '));
      expect(others(ours('a many -ls'))).toEqual(others(host('a many -ls')));
      expect(ours('many/file1.1 -ls')).toMatch(/ fred +team +2 /);
    });

    test('files written on the host', () => {
      expect(ours('a -fprint p -fprint0 p0 -fls l -fprintf f "%s %f\\n" -name k')).toBe('');
      place.sh('cd mnt && find a -fprint ../hp -fprint0 ../hp0 -fprintf ../hf "%s %f\\n"');
      expect(
        place.sh('for f in p p0 f; do cmp <(tr "\\0" "\\n" < $f | sort) <(tr "\\0" "\\n" < h$f | sort); done').stdout,
      ).toBe('');
      expect(place.sh('wc -l < l').stdout).toBe(place.sh('wc -l < p').stdout);
    });

    test('a directory above itself is told once, and the walk ends', () => {
      const { stderr, status } = place.sh('fsu_find tree.img -L / -name self');
      expect(stderr).toContain('directory causes a cycle');
      expect(status).toBe(1);
    });
  });

  describe('du', () => {
    const host = (args: string): string => place.sh(`cd mnt && du ${args}`).bytes.toString('latin1');
    const ours = (args: string): string => place.sh(`fsu_du tree.img ${args}`).bytes.toString('latin1');

    test.each([
      '-k .',
      '-B 512 .',
      '-k a many',
      '-k many a',
      '-k a a/b',
      '-k a a',
      '-ks .',
      '-ks a many deep',
      '-kc a many',
      '-ka .',
      '-ka a/big',
      '-kl .',
      '-kla .',
      '-b .',
      '-ba .',
      '-k --apparent-size .',
      '-kS .',
      '-kSc a deep',
      '-k -d 1 .',
      '-k --max-depth=0 .',
      '-ka -d 2 .',
      '-m .',
      '-B 1M .',
      '-B 4K .',
      '--si -s --inodes .',
      '--inodes .',
      '--inodes -S a deep',
      '-ka -t 2K .',
      '-ka -t -1024 .',
      '-k --threshold=10K .',
      "-ka --exclude='*.1' .",
      '-ka --exclude=many .',
      '-ka --exclude=a/b .',
      "-k0 . | tr '\\0' '\\n'",
      '-kx .',
      '-kL a/k many/biglink',
      '-kLa many',
      '-kD alink',
      '-kH alink/',
      '-kP alink',
      '-ka --time .',
      '-ka --time=atime --time-style=full-iso many',
      '-ka --time=ctime --time-style=+%s a',
      '-k --time --time-style=iso a',
    ])('du %s', (line) => {
      // Which of a file's links is met first is a matter of directory order: below the root it decides which directory counts it.
      const args = /(^| )\.( |$)/.test(line) ? `-l ${line}` : line;
      const same = (text: string): string[] =>
        sorted(text.replace(/\b(?:a\/hard|a\/big|many\/hard2|many\/biglink)\b/g, 'LINK'));
      expect(same(ours(args))).toEqual(same(host(args)));
    });

    test('-h has NetBSD’s sizes, blocks are of 512 bytes unless BLOCKSIZE says otherwise', () => {
      expect(ours('-h a/big a/k')).toBe('98K\ta/big\n1.0K\ta/k\n');
      expect(ours('-g a/big')).toBe('1\ta/big\n');
      expect(ours('a/k')).toBe('2\ta/k\n');
      expect(place.sh('BLOCKSIZE=1k fsu_du tree.img a/k').stdout).toBe('1\ta/k\n');
      expect(place.sh('BLOCKSIZE=1k fsu_du tree.img -nr a/k').stdout).toBe('1\ta/k\n');
    });
  });

  describe('hash', () => {
    const all = 'find . -type f -print0 | LC_ALL=C sort -z | xargs -0';

    test.each([
      ['-r .', `${all} sha256sum`],
      ['-r -a sha1 .', `${all} sha1sum`],
      ['-r -a sha512 .', `${all} sha512sum`],
      ['-r -a sha224 a', 'find a -type f -print0 | LC_ALL=C sort -z | xargs -0 sha224sum'],
      ['-r -a sha384 a', 'find a -type f -print0 | LC_ALL=C sort -z | xargs -0 sha384sum'],
      ['-r -a md5 .', `${all} md5sum`],
      ['-r -a b2 .', `${all} b2sum`],
      ['-rb .', `${all} sha256sum -b`],
      ['-r --tag .', `${all} sha256sum --tag`],
      ['-r --tag -a b2 a/k', 'b2sum --tag a/k'],
      ["-rz . | tr '\\0' '\\n'", `${all} sha256sum -z | tr '\\0' '\\n'`],
      ['a/k a/hard', 'sha256sum a/k a/hard'],
      ['many/biglink', 'sha256sum many/biglink'],
    ])('hash %s', (args, command) => {
      expect(place.sh(`fsu_hash tree.img ${args}`).bytes.toString('latin1')).toBe(
        place.sh(`cd mnt && ${command}`).bytes.toString('latin1'),
      );
    });

    test('what sha256sum wrote is checked, and what we write it checks', () => {
      place.sh(`cd mnt && ${all} sha256sum > ../sums; ${all} sha256sum --tag > ../tagged; ${all} md5sum > ../md5s`);
      for (const sums of ['sums', 'tagged', 'md5s']) {
        const { stdout, stderr, status } = place.sh(`fsu_hash tree.img -c ${sums}`);
        expect([status, stderr]).toEqual([0, '']);
        expect(stdout.split('\n').filter((line) => line.endsWith(': OK')).length).toBeGreaterThan(300);
      }
      place.sh('fsu_hash tree.img -r . > ours');
      expect(place.sh('cd mnt && sha256sum --quiet -c ../ours')).toMatchObject({ stdout: '', stderr: '', status: 0 });
    });
  });

  describe('grep', () => {
    const host = (args: string): string => place.sh(`cd mnt && grep ${args}; echo $?`).bytes.toString('latin1');
    const ours = (args: string): string => place.sh(`fsu_grep tree.img ${args}; echo $?`).bytes.toString('latin1');

    test.each([
      'line a/text.TXT',
      '-n line a/text.TXT',
      "'line 1$' a/text.TXT",
      '-c line a/text.TXT etc/passwd',
      '-v 1 a/text.TXT',
      '-vn 1 a/text.TXT',
      '-i LINE a/text.TXT',
      '-w 1 a/text.TXT',
      "-x 'line 1' a/text.TXT",
      '-xF -e "line 1" -e "line 2" a/text.TXT',
      "-F 'line 1' a/text.TXT",
      "-E '1|2' a/text.TXT",
      "-G '1\\|2' a/text.TXT",
      "-E '^line (1.|3)$' a/text.TXT",
      "-o '[0-9]*' a/text.TXT",
      "-on '[0-9][0-9]*' a/text.TXT etc/passwd",
      '-l line a/text.TXT etc/passwd',
      '-L line a/text.TXT etc/passwd',
      '-lZ line a/text.TXT etc/passwd',
      '-q line a/text.TXT',
      '-q nothing a/text.TXT',
      'nothing a/text.TXT',
      '-H root etc/passwd',
      '-h root etc/passwd etc/group',
      '-m 3 line a/text.TXT',
      '-m 2 -c line a/text.TXT',
      '-A 1 "line 3" a/text.TXT',
      '-B 2 "line 3" a/text.TXT',
      '-n -C 1 -e 3 -e 9 a/text.TXT',
      '-C 1 -H 10 a/text.TXT',
      '-A 1 -m 1 1 a/text.TXT',
      '-c -v x a/text.TXT many/.hidden',
      "-r '^[0-9]*7$' many",
      '-rn fred .',
      "-rl x . --include='*e'",
      "-rc 1 many --include='file1*' --exclude='*.1'",
      "-r 1 . --exclude-dir=many --exclude-dir='deep'",
      '-rL 1 a etc',
      '-Rl 1 many',
      '-rh 299 many',
      '-e root -e fred etc/passwd',
      '-z -c line a/text.TXT',
      '-s root etc/none etc/passwd',
      '-s root etc/none',
      '-sq root etc/none etc/passwd',
      '-c "" etc/passwd',
      '-a -c x a/big',
      '-I -c "" a/k',
      '--binary-files=without-match -l "" a/k',
      '--binary-files=text -c "" a/k',
      "-E '(a)\\1|([0-9])\\2' many/file100.2 many/file77.0 many/file11.4",
      "'\\<line\\>' -c a/text.TXT",
      "'[[:digit:]]\\{2\\}' a/text.TXT",
    ])('grep %s', (args) => {
      expect(sorted(ours(args))).toEqual(sorted(host(args)));
    });

    test('what is wrong is said, with status 2', () => {
      expect(place.sh('fsu_grep tree.img root /a')).toMatchObject({
        status: 2,
        stderr: 'fsu_grep: tree.img:/a: Is a directory\n',
      });
      expect(place.sh("fsu_grep tree.img '[a' /etc/passwd").status).toBe(2);
      expect(place.sh('fsu_grep tree.img root /etc/none').status).toBe(2);
      expect(place.sh('printf "fred\\nroot\\n" > pats; fsu_grep tree.img -c -f pats /etc/passwd').stdout).toBe('2\n');
      expect(place.sh('printf fred | fsu_grep tree.img -c -f - /etc/passwd').stdout).toBe('1\n');
      expect(place.sh('fsu_grep tree.img "" /a/k').stdout).toBe('fsu_grep: /a/k: binary file matches\n');
    });

    test('patterns that make others try for ever end soon; a file without lines is searched in pieces', () => {
      place.sh(
        `cp tree.img other.img; node -e 'process.stdout.write("a".repeat(40) + "b")' | fsu write other.img:/evil`,
      );
      const begun = Date.now();
      expect(place.sh("fsu_grep other.img -E '^(a+)+$' /evil").status).toBe(1);
      expect(place.sh("fsu_grep other.img -E '(x+x+)+y|b' /evil").status).toBe(0);
      expect(Date.now() - begun).toBeLessThan(10_000);
      place.sh(`node -e 'process.stdout.write("a".repeat(6e6) + "b")' | fsu write other.img:/long`);
      expect(place.sh('fsu_grep other.img -c b /long').stdout).toBe('1\n');
    });
  });

  describe('hexdump', () => {
    test.each([
      ['-C a/text.TXT', 'hexdump -C a/text.TXT'],
      ['a/k1', 'hexdump -C a/k1'],
      ['a/sparse', 'hexdump -C a/sparse'],
      ['-v a/k1', 'hexdump -vC a/k1'],
      ['-n 20 a/text.TXT', 'hexdump -C -n 20 a/text.TXT'],
      ['-s 5 -n 40 a/text.TXT', 'hexdump -C -s 5 -n 40 a/text.TXT'],
      ['-s 0x10 a/text.TXT', 'hexdump -C -s 0x10 a/text.TXT'],
      ['-s 1k a/k1', 'hexdump -C -s 1k a/k1'],
      ['-s 152 a/text.TXT etc/passwd', 'hexdump -C -s 152 a/text.TXT etc/passwd'],
      ['a/text.TXT etc/passwd', 'hexdump -C a/text.TXT etc/passwd'],
      ['empty/none', 'hexdump -C empty/none'],
      ['-p a/text.TXT', 'xxd -p a/text.TXT'],
      ['--plain -n 31 a/text.TXT', 'xxd -p -l 31 a/text.TXT'],
    ])('hexdump %s', (args, command) => {
      expect(place.sh(`fsu_hexdump tree.img ${args}`).stdout).toBe(place.sh(`cd mnt && ${command}`).stdout);
    });
  });
});
