/**
 * Out of an image and in again with a manifest, by somebody who may do nothing and to hosts that cannot hold every name: the
 * second image is the first one, says the kernel that mounts both.
 */
import { execFileSync } from 'node:child_process';
import { chmodSync, copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacksOracle } from '../support/oracle.ts';
import { Workplace } from './harness.ts';
import { schemas, violations } from './schemas.ts';

const TREE = String.raw`set -e; cd mnt
mkdir -p d/deep; echo hello > d/f; chown 12:34 d/f; chmod 6751 d/f; ln d/f d/deep/same; ln d/f zz
ln -s /etc/passwd d/link; chown -h 5:6 d/link; mkfifo d/fifo; chmod 640 d/fifo; ln d/fifo d/fifo2
mknod d/null c 1 3; chmod 666 d/null; ln d/null nil; mknod d/blk b 8 300; chown 7:8 d/blk
setfattr -n user.note -v hi d/f; setfattr -n trusted.x -v 0x0001ff d; setfattr -n user.d -v y d
setfacl -m u:77:rw d/f; setfacl -d -m g:88:rx d
printf x > d/con; printf y > d/README; printf z > d/readme; printf w > "$(printf 'd/bad\377\nname')"; printf q > 'd/a:b?'
printf v > 'd/100%41'; touch 'd/end.'; truncate -s 1M d/holes; printf 123 | dd of=d/holes bs=1 seek=500000 conv=notrunc status=none
mkdir d/closed; echo in > d/closed/in; chmod 0 d/closed/in; chmod 111 d/closed; chown 99:99 d/closed; mkdir -m 1777 d/tmp
echo evil > .fsu-manifest.jsonl; chattr +d d/README; chattr +i d/readme
touch -h -d @1000000001.123456789 d/link; touch -d @-5.5 d/f; find . -type d -exec touch -d @1234567890.987654321 {} +
chmod 2755 .; chown 3:4 .; setfattr -n user.root -v r .`;

const LIST = `cd mnt && find . -printf '%P|%y|%m|%U:%G|%n|%T@|%l|%s|%b\\n' | grep -av '^lost' | sed 's/^\\(.*|d|.*|\\)[0-9]*|[0-9]*$/\\1/' | LC_ALL=C sort;
find . -type f -exec sha256sum {} + | LC_ALL=C sort; getfattr -R -h -d -m - -e hex . | LC_ALL=C sort; lsattr -R . 2>/dev/null | LC_ALL=C sort;
find . '(' -type b -o -type c ')' -exec stat -c '%n %t %T' {} + | LC_ALL=C sort; stat -c %i d/f zz d/deep/same | uniq | wc -l; stat -c %i d/null nil | uniq | wc -l`;

describe.skipIf(lacksOracle('root', 'loop mount', 'setfattr', 'setfacl', 'setpriv', 'mke2fs', 'e2fsck'))(
  'a round trip',
  () => {
    let place: Workplace;
    let expected: string;

    const mounted = (image: string, script: string): string => {
      execFileSync('mount', ['-o', 'loop,noatime', place.at(image), place.at('mnt')]);
      try {
        const done = place.sh(script);
        expect({ stderr: done.stderr, status: done.status }).toEqual({ stderr: '', status: 0 });
        return done.stdout;
      } finally {
        execFileSync('umount', [place.at('mnt')]);
      }
    };
    const nobody = (line: string) => place.sh(`setpriv --reuid=65534 --regid=65534 --clear-groups ${line}`);

    beforeAll(() => {
      place = new Workplace();
      mkdirSync(place.at('mnt'));
      mkdirSync(place.at('out'));
      for (const [name, mode] of [
        ['', 0o755],
        ['out', 0o777],
      ] as const)
        chmodSync(place.at(name), mode);
      place.sh('truncate -s 16M empty.img; mke2fs -q -F -t ext4 -b 4096 -I 256 -O ^has_journal empty.img');
      copyFileSync(place.at('empty.img'), place.at('from.img'));
      mounted('from.img', TREE);
      expected = mounted('from.img', LIST);
      expect(expected).toContain('user.root');
    }, 60_000);
    afterAll(() => place.remove());

    test.each([
      ['posix', 'get', 'put'],
      ['windows', 'get', 'cp'],
      ['mac', 'cp', 'put'],
    ])(
      'names of %s: %s as nobody, %s as root',
      (rule, get, put) => {
        const out = nobody(`fsu ${get} -R --manifest --host-names=${rule} from.img:/ out/${rule}`);
        expect(out.status).toBe(0);
        expect(out.stderr).toMatch(/^fsu \w+: from\.img:\/: name not kept: \d files?, such as \S+\n$/);
        for (const line of readFileSync(place.at(`out/${rule}/.fsu-manifest.jsonl`), 'utf8')
          .trimEnd()
          .split('\n'))
          expect([...violations(schemas.get('fsu.manifest') ?? {}, JSON.parse(line))]).toEqual([]);
        const image = `${rule}.img`;
        copyFileSync(place.at('empty.img'), place.at(image));
        const back = place.sh(`fsu ${put} -R --manifest out/${rule}/. ${image}:/`);
        expect({ stderr: back.stderr, status: back.status }).toEqual({ stderr: '', status: 0 });
        expect(place.sh(`e2fsck -fn ${image}`).status).toBe(0);
        expect(mounted(image, LIST)).toBe(expected);
      },
      60_000,
    );

    test('a tree with a new name has its manifest in it, one that lies elsewhere is given; what was edited since stays so', () => {
      expect(nobody('fsu get --manifest from.img:/d out/copy').status).toBe(0);
      expect(nobody('fsu get --manifest=out/list from.img:/d out/other').status).toBe(0);
      copyFileSync(place.at('empty.img'), place.at('b.img'));
      place.sh('printf edited > out/copy/f; touch -d 2020-01-02T00:00:00Z out/copy/f; rm out/copy/con');
      expect(
        place.sh('fsu put -R --manifest out/copy b.img:/d; fsu put -R --manifest=out/list out/other b.img:/').status,
      ).toBe(0);
      expect(place.sh("fsu_stat b.img -c '%a %u:%g %y' /d/f; fsu_cat b.img /d/f; fsu_ls b.img /d/con").stdout).toBe(
        '6771 12:34 2020-01-02 00:00:00.000000000 +0000\nedited',
      );
      expect(
        place.sh('fsu diff --ignore-attributes=atime from.img:/d b.img:/other || fsu diff from.img:/d b.img:/other')
          .stdout,
      ).toBe('');
    }, 60_000);
  },
);

test('a file that is no manifest is refused, and never written to', () => {
  const place = new Workplace();
  place.demo();
  const { status, stderr } = place.sh(
    'mkdir a; echo {} > a/.fsu-manifest.jsonl; fsu get --manifest demo.img:/etc a; fsu put -R --manifest a demo.img:/; cat a/.fsu-manifest.jsonl >&2; mkdir b; ln -s ../victim b/.fsu-manifest.jsonl; fsu get --manifest demo.img:/etc b; ls victim',
  );
  expect(status).not.toBe(0);
  expect(stderr).toMatch(/not a manifest of fsu/);
  expect(stderr).toMatch(/^\{\}$/m);
  expect(stderr).toMatch(/'victim': No such file/);
  place.remove();
});
