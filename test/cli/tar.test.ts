/**
 * tar against GNU tar and bsdtar, in both directions, with everything that a file can have; and archives that are damaged or
 * mean harm: one line, nothing changed, in bounded time.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';
import { Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
});
afterAll(() => {
  place.sh('umount m mx 2> /dev/null; chattr -R -i gnu bsd 2> /dev/null');
  place.remove();
});

const ok = (line: string): string => {
  const { stdout, stderr, status } = place.sh(line);
  expect({ line, stderr, status }).toEqual({ line, stderr: '', status: 0 });
  return stdout;
};

/** A file of each kind, and names, times, owners, attributes and holes that are hard to keep. */
const TREE = String.raw`set -e; truncate -s 48M t.img; mke2fs -q -t ext4 -I 256 t.img; mkdir m mx; mount -o loop t.img m; cd m
rmdir lost+found; mkdir -p etc d/e; printf 'root:x:0:0::/:/bin/sh\n' > etc/passwd; printf 'root:x:0:\n' > etc/group
echo a > f; chown 1001:50 f; chmod 4755 f; touch -d '2001-02-03 04:05:06.123456789' f; touch -d '1960-01-01 00:00:00' old
ln f d/hard; ln -s ../f d/soft; mknod d/null c 1 3; mknod d/blk b 259 300000; mkfifo d/fifo; mkdir empty; chmod 3777 empty
setfattr -n user.a -v hello f; setfattr -n user.bin -v 0sAAECAwT/ d; setfattr -n trusted.x -v y f
setfacl -m u:1001:r,g:50:rw f; setfacl -m d:u:1001:rwx d; setfacl -m m::r etc/passwd
truncate -s 10M sparse; echo data | dd of=sparse bs=1 seek=5000000 conv=notrunc status=none; truncate -s 64M allhole
head -c 3000000 /dev/urandom > big; L=$(printf 'x%.0s' $(seq 1 200)); mkdir -p $L/$L; echo long > $L/$L/$L
ln -s $L/$L/$L longlink; ln $L/$L/$L hardlong; printf b > $'bad\xff\xfename'; echo n > $'new\nline'; echo u > ünïcode
chown 4000000:3000000 ünïcode; chattr +d etc/group; touch -d @1000000000 .; cd ..; umount m; mount -o loop,ro t.img m`;

/** All that the host can tell of a tree, but for the root's own time. */
const LIST = String.raw`list() { (cd $1; find . ! -path './lost+found*' -print0 | sort -z | while IFS= read -r -d '' f; do
printf '%q ' "$f"; if [ "$f" = . ]; then stat -c '%f %u %g'; elif [ -d "$f" ]; then stat -c '%f %u %g %y' "$f"; else stat -c '%f %u %g %t:%T %y %h %s' "$f"; fi
[ -L "$f" ] && readlink "$f"; [ -f "$f" ] && [ ! -L "$f" ] && sha256sum < "$f"; [ -L "$f" ] || getfattr -d -m - -e hex -h "$f" 2> /dev/null | grep -v '^#'
true; done) 2> /dev/null; }; `;

const lacking = lacksOracle('root', 'loop mount', 'mke2fs', 'e2fsck', 'setfattr', 'setfacl', 'tar', 'bsdtar');

describe.skipIf(lacking)('against GNU tar and bsdtar', () => {
  let expected = '';
  beforeAll(() => {
    ok(TREE);
    expected = ok(`${LIST} list m`);
    ok('fsu tar -c t.img > t.tar');
  }, 60_000);

  test('what is archived is what GNU tar unpacks', () => {
    ok("mkdir gnu; tar --xattrs --xattrs-include='*' --acls --warning=none -xpf t.tar -C gnu");
    expect(ok(`${LIST} list gnu`)).toBe(expected);
    // Holes are holes.
    expect(Number(ok('du -k gnu/allhole | cut -f1'))).toBeLessThan(64);
  });

  test('what is archived is what bsdtar unpacks', () => {
    ok('mkdir bsd; bsdtar -xpf t.tar -C bsd --xattrs --acls --fflags');
    expect(ok(`${LIST} list bsd`)).toBe(expected);
  });

  test.for(['t.tar', 'gnu.tar', 'bsd.tar'])('%s is unpacked as it was', (archive) => {
    if (archive === 'gnu.tar') ok(`tar --format=pax --xattrs --xattrs-include='*' --acls --sparse -cpf gnu.tar -C m .`);
    if (archive === 'bsd.tar') place.sh('bsdtar --format=pax --xattrs --acls --fflags -cpf bsd.tar -C m .');
    ok(
      `rm -f x.img; fsu mkfs --seed 1 x.img 48M > /dev/null; fsu tar -xf ${archive} x.img; e2fsck -fn x.img > out 2>&1`,
    );
    ok('mount -o loop,ro x.img mx');
    try {
      expect(ok(`${LIST} list mx`)).toBe(expected);
      expect(Number(ok('du -k mx/allhole | cut -f1'))).toBeLessThan(64);
    } finally {
      ok('umount mx');
    }
  });

  test('the same tree gives the same bytes, compressed too', () => {
    ok('fsu tar -xf t.tar x.img; fsu tar -c t.img | cmp - t.tar; fsu tar -cz t.img > a.tgz; fsu tar -czf b.tgz t.img');
    ok('cmp a.tgz b.tgz; gzip -t a.tgz; zcat a.tgz | cmp - t.tar');
  });
});

describe('archives that are damaged or mean harm', () => {
  /** One line for the archive, one that nothing was changed; the image is as it was. */
  function isRefused(archive: Uint8Array | string, line: RegExp): void {
    const before = readFileSync(place.at('demo.img'));
    const { stderr, status, stdout } = place.run('fsu', ['tar', '-x', 'demo.img'], { stdin: archive });
    expect({ stdout, status: status !== 0 }).toEqual({ stdout: '', status: true });
    expect(stderr.replace(/fsu tar: demo.img: nothing was changed\n/, '')).toMatch(line);
    expect(readFileSync(place.at('demo.img')).equals(before)).toBe(true);
  }

  let archive: Buffer;
  beforeAll(() => {
    place.demo();
    archive = place.run('fsu', ['tar', '-c', 'demo.img']).bytes;
  });

  test('one that ends too early', () => {
    for (const length of [1, 511, 513, 1300, 5000, 60_000]) {
      isRefused(
        archive.subarray(0, length),
        /^fsu tar: standard input: archive: (ends too early|is no tar archive)\n$/,
      );
    }
  });

  test('a file of more bytes than there is room for, before it is read', () => {
    const huge = place.sh(
      String.raw`truncate -s 7G huge; tar -S -cf - huge | head -c 512; tar -cf - huge | head -c 10240`,
    );
    writeFileSync(place.at('huge.tar'), huge.bytes.subarray(512));
    isRefused(huge.bytes.subarray(512), /^fsu tar: demo.img:\/huge: No space left on device\n$/);
  });

  test('a map of holes that says more than the file system can hold', () => {
    const size = '90000000000000000';
    const { bytes } = place.sh('truncate -s 1M hole; tar --format=pax -S -cf - hole');
    const text = bytes.toString('latin1').replace('GNU.sparse.realsize=1048576', `GNU.sparse.realsize=${size}`);
    isRefused(Buffer.from(text, 'latin1'), /^fsu tar: /);
  });

  test('any damage: an answer or one line', { timeout: 240_000 }, () => {
    const random = new Rng(17);
    for (let round = 0; round < 25; round++) {
      const damaged = Buffer.from(archive.subarray(0, 24_000));
      for (let i = 0; i < 1 + (round % 4); i++) damaged[random.int(damaged.length)] = random.int(256);
      const { stderr, status } = place.run('fsu', ['tar', '-x', '--dry-run', 'demo.img'], { stdin: damaged });
      expect(stderr.split('\n').filter((line) => line.startsWith('fsu tar:')).length).toBeLessThanOrEqual(2);
      expect([0, 1, 6]).toContain(status);
      expect(stderr).not.toMatch(/internal error|at .*\.js/);
    }
  });
});
