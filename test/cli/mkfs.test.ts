/**
 * mkfs --from, judged by others: the kernel's reading of the image against the host's tree and mke2fs -d's image; GNU tar's
 * archives in every format; archives made to do harm; and sizes that are exact.
 */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { assertClean, mustRun } from '../support/e2fsprogs.ts';
import { hostTree, kernelTree } from '../support/kernel-tree.ts';
import { lacksOracle } from '../support/oracle.ts';
import { makeSampleTree, smallTree } from '../support/sample-tree.ts';
import { compareTrees, type TreeEntry } from '../support/tree.ts';
import { complains, Workplace } from './harness.ts';

const lacking = lacksOracle('root', 'loop mount', 'mke2fs', 'e2fsck', 'tar', 'python3');

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  if (lacking) return;
  mkdirSync(place.at('tree'));
  makeSampleTree(place.at('tree'), {
    ...smallTree,
    blockSize: 1024,
    copyFiles: 60,
    copyBytes: 1_000_000,
    symlinkMax: 1023,
    bigDirEntries: 300,
    longNameEntries: 40,
    farOffsets: [50_000_000],
    fragments: 40,
  });
}, 120_000);
afterAll(() => place.remove());

const never = { sec: 0, nsec: 0 };
/** What an archive or a copy keeps: not the numbers of inodes, nor when this was read and made. */
function kept(
  entry: TreeEntry,
  keep: { readonly xattrs: boolean; readonly times: 'none' | 'seconds' | 'all' },
): TreeEntry {
  const { btime: _btime, flags: _flags, ...rest } = entry;
  const { sec, nsec } = entry.mtime;
  return {
    ...rest,
    size: entry.type === 'dir' ? 0 : entry.size,
    nlink: entry.type === 'dir' ? 0 : entry.nlink,
    atime: never,
    ctime: never,
    mtime: keep.times === 'none' ? never : { sec, nsec: keep.times === 'all' ? nsec : 0 },
    ...(keep.xattrs ? {} : { xattrs: {} }),
  };
}

function differences(
  image: string,
  keep: { readonly xattrs: boolean; readonly times: 'none' | 'seconds' | 'all' },
  under = '',
): string[] {
  const wanted = hostTree(place.at('tree'))
    // The formats of archives have no sockets.
    .filter(({ type, path }) => type !== 'sock' && path.startsWith(`${under}/`))
    .map((entry) => kept(entry, keep));
  const paths = new Set(wanted.map(({ path }) => path));
  const got = kernelTree(place.at(image))
    .filter(
      ({ path, type }) =>
        type !== 'sock' && (paths.has(path) || (path !== '/lost+found' && path.startsWith(`${under}/`))),
    )
    .map((entry) => kept(entry, keep));
  return compareTrees(wanted, got, {
    ignore: ['ino', ...(keep.xattrs ? [] : (['xattrs'] as const))],
    names: ['host', 'image'],
  });
}

const make = (...words: string[]): void => {
  const done = place.run('fsu', ['mkfs', '--force', ...words]);
  expect(`${done.status} ${done.stderr}`).toMatch(/^0 /);
};

describe.skipIf(lacking)('mkfs --from', () => {
  test.each(['ext2', 'ext3', 'ext4'])("a directory into %s: the tree is the host's", (type) => {
    make('-t', type, '--from', 'tree', 'dir.img', '64M');
    assertClean(place.at('dir.img'));
    expect(differences('dir.img', { xattrs: false, times: 'all' })).toEqual([]);
  });

  test('a directory holds no less than mke2fs -d puts into an image', () => {
    mustRun('mke2fs', ['-q', '-F', '-t', 'ext4', '-d', place.at('tree'), place.at('theirs.img'), '64M']);
    make('--from', 'tree', 'ours.img', '64M');
    const keep = { xattrs: false, times: 'seconds' } as const;
    const [ours, theirs] = ['ours.img', 'theirs.img'].map((image) =>
      kernelTree(place.at(image))
        // mke2fs -d makes two symlinks of one that has two names, and knows nothing of times before 1970.
        .filter(({ path }) => path !== '/lost+found' && !path.startsWith('/times') && !path.startsWith('/links/'))
        .map((entry) => kept(entry, keep))
        .map((entry) => (entry.type === 'dir' ? { ...entry, mtime: never } : entry)),
    );
    expect(
      compareTrees(theirs ?? [], ours ?? [], { ignore: ['ino', 'xattrs'], names: ['mke2fs', 'ours'] }).filter(
        (line) => !line.includes(' / '),
      ),
    ).toEqual([]);
  });

  test.each([
    // It has no times before 1970 or after 2242.
    ['ustar', '--format=ustar --mtime=@1500000000', { xattrs: false, times: 'none' }],
    ['gnu', '--format=gnu --sparse', { xattrs: false, times: 'seconds' }],
    ['pax', '--format=pax --xattrs --xattrs-include=*', { xattrs: true, times: 'all' }],
    ['pax with sparse 0.0', '--format=pax --sparse --sparse-version=0.0', { xattrs: false, times: 'all' }],
    ['pax with sparse 0.1', '--format=pax --sparse --sparse-version=0.1', { xattrs: false, times: 'all' }],
    ['pax with sparse 1.0, gzip', '--format=pax --sparse --sparse-version=1.0 -z', { xattrs: false, times: 'all' }],
  ] as const)('an archive of GNU tar, %s', (name, options, keep) => {
    // ustar and gnu hold less than the whole tree does: real files must do.
    const part = name === 'ustar' || name === 'gnu' ? './real' : '.';
    place.sh(`tar -C tree ${options} -cf a.tar ${part}`);
    make('--from', 'a.tar', 'tar.img', '200M');
    assertClean(place.at('tar.img'));
    expect(differences('tar.img', keep, part.slice(1))).toEqual([]);
  });

  test('standard input, gzipped, gives the bytes that the file gives', () => {
    place.sh('tar -C tree --format=pax -cf a.tar ./real ./links');
    const env = { SOURCE_DATE_EPOCH: '1700000000' };
    for (const [image, from, stdin] of [
      ['one.img', 'a.tar', ''],
      ['two.img', '-', gzipSync(readFileSync(place.at('a.tar')))],
    ] as const) {
      const done = place.run('fsu', ['mkfs', '--force', '--from', from, image, '64M'], { stdin, env });
      expect(done.status).toBe(0);
    }
    expect(digest('one.img')).toBe(digest('two.img'));
  });

  test('two runs on a directory give the same bytes, whatever was read or touched in between', () => {
    const env = { SOURCE_DATE_EPOCH: '1000000000' };
    const run = (image: string): void => {
      const done = place.run('fsu', ['mkfs', '--force', '--from', 'tree', image, '64M'], { env });
      expect(done.status).toBe(0);
    };
    run('one.img');
    place.sh('grep -r . tree > /dev/null; find tree -maxdepth 1 -newermt 2001-09-09T01:46:41Z -exec touch {} + ');
    utimesSync(place.at('tree'), new Date(), new Date());
    run('two.img');
    expect(digest('one.img')).toBe(digest('two.img'));
  });
});

const digest = (image: string): string =>
  createHash('sha256')
    .update(readFileSync(place.at(image)))
    .digest('hex');

describe.skipIf(lacking)('mkfs SIZE auto', () => {
  const trees: readonly (readonly [string, string, string])[] = [
    ['small', 'ext2', 'mkdir -p small/d; for i in 1 2 3; do echo $i > small/d/$i; done'],
    ['files', 'ext4', 'mkdir files; for i in $(seq 700); do head -c $((i * 7)) /dev/zero > files/$i; done'],
    [
      'large',
      'ext2',
      'mkdir large; head -c 9000000 /dev/urandom > large/a; truncate -s 50M large/hole; echo x >> large/hole',
    ],
  ];
  test.each(trees)(
    '%s in %s: it fits, and in one block less it does not',
    (name, type, line) => {
      if (!existsSync(place.at(name))) place.sh(line);
      // Hash trees depend on the seed of their hashes, and so does what they take.
      make('--seed', '7', '-t', type, '--from', name, 'auto.img', 'auto');
      assertClean(place.at('auto.img'));
      const { size } = statSync(place.at('auto.img'));
      const block = Number(/Block size: +(\d+)/.exec(mustRun('dumpe2fs', ['-h', place.at('auto.img')]))?.[1]);
      const inodes = /Inode count: +(\d+)/.exec(mustRun('dumpe2fs', ['-h', place.at('auto.img')]))?.[1] ?? '';
      for (const [less, status] of [
        [0, 0],
        [block, 6],
      ] as const) {
        const words = ['--seed', '7', '-t', type, '-N', inodes, '--from', name, 'exact.img', String(size - less)];
        const done = place.run('fsu', ['mkfs', '--force', ...words]);
        // So small a file system may be impossible at all.
        const tooSmall = status === 6 && /too small|leave no room/.test(done.stderr) ? 2 : status;
        expect({ less, status: done.status, stderr: done.stderr }).toMatchObject({ status: tooSmall });
        expect(existsSync(place.at('exact.img'))).toBe(status === 0);
        place.sh('rm -f exact.img');
      }
    },
    60_000,
  );

  test('auto+N% leaves so much free', () => {
    place.sh('mkdir -p more; for i in 1 2 3 4; do head -c 500000 /dev/urandom > more/$i; done');
    make('--from', 'more', 'more.img', 'auto+50%');
    assertClean(place.at('more.img'));
    const free = Number(/Free blocks: +(\d+)/.exec(mustRun('dumpe2fs', ['-h', place.at('more.img')]))?.[1]);
    expect(free).toBeGreaterThan(950);
    expect(free).toBeLessThan(1100);
  });

  test('needs contents', () => {
    complains(place.run('fsu', ['mkfs', 'x.img', 'auto']), 2, /needs --from/);
  });
});

/** A header block and contents; the checksum is right unless told. */
function member(fields: {
  readonly name: string;
  readonly type?: string;
  readonly size?: number | string;
  readonly link?: string;
  readonly data?: Buffer;
  readonly bad?: boolean;
}): Buffer {
  const { name, type = '0', link = '', data = Buffer.alloc(0), size = data.length, bad = false } = fields;
  const block = Buffer.alloc(512);
  block.write(name, 0, 100, 'latin1');
  block.write('0000644\x000000000\x000000000\0', 100, 'latin1');
  block.write(typeof size === 'string' ? size : size.toString(8).padStart(11, '0'), 124, 12, 'latin1');
  block.write('00000000000', 136, 'latin1');
  block.write(type, 156, 'latin1');
  block.write(link, 157, 100, 'latin1');
  block.write('ustar\x0000', 257, 'latin1');
  block.write('        ', 148, 'latin1');
  const sum = block.reduce((all, byte) => all + byte, 0) + (bad ? 1 : 0);
  block.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148, 'latin1');
  return Buffer.concat([block, data, Buffer.alloc((512 - (data.length % 512)) % 512)]);
}

const END = Buffer.alloc(1024);
const pax = (...records: readonly string[]): Buffer => {
  const text = records.map((record) => {
    let length = record.length + 3;
    while (`${length} ${record}\n`.length !== length) length++;
    return `${length} ${record}\n`;
  });
  return member({ name: 'pax', type: 'x', data: Buffer.from(text.join(''), 'latin1') });
};

describe('archives that mean harm', () => {
  const refused: readonly (readonly [string, Buffer, RegExp])[] = [
    ['nothing', Buffer.alloc(0), /is no tar archive/],
    ['no archive', Buffer.alloc(4096, 'x'), /archive/],
    ['a name that goes up', Buffer.concat([member({ name: 'a/../../x' }), END]), /leads out/],
    [
      'a name that goes up, in an extended header',
      Buffer.concat([pax('path=../x'), member({ name: 'x' }), END]),
      /leads out/,
    ],
    [
      'a hard link to what is outside',
      Buffer.concat([member({ name: 'x', type: '1', link: '../../etc/passwd' }), END]),
      /leads out/,
    ],
    [
      'a hard link to what is not there',
      Buffer.concat([member({ name: 'x', type: '1', link: '/etc/passwd' }), END]),
      /No such file/,
    ],
    ['a wrong checksum', Buffer.concat([member({ name: 'ok' }), member({ name: 'x', bad: true }), END]), /checksum/],
    ['a size of nonsense', Buffer.concat([member({ name: 'x', size: '99999999999' }), END]), /no number/],
    [
      'a negative size',
      Buffer.concat([member({ name: 'x', size: '\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' }), END]),
      /negative/,
    ],
    [
      'a size beyond all',
      Buffer.concat([member({ name: 'x', size: '\x80\x7f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff' }), END]),
      /out of range/,
    ],
    ['more than there is', member({ name: 'x', size: 5000 }), /ends too early/],
    ['an extended header of gigabytes', member({ name: 'x', type: 'x', size: 0o7777777777 }), /extended header/],
    [
      'an extended header of nonsense',
      Buffer.concat([member({ name: 'x', type: 'x', data: Buffer.from('999 a=b\n') }), END]),
      /extended header/,
    ],
    ['an unknown kind', Buffer.concat([member({ name: 'x', type: 'Z' }), END]), /type 'Z'/],
    [
      'a sparse map that overlaps',
      Buffer.concat([
        pax('GNU.sparse.size=10', 'GNU.sparse.map=0,5,3,5'),
        member({ name: 'x', data: Buffer.alloc(10) }),
        END,
      ]),
      /sparse map/,
    ],
    [
      'a sparse map beyond the end',
      Buffer.concat([
        pax('GNU.sparse.size=10', 'GNU.sparse.map=8,5'),
        member({ name: 'x', data: Buffer.alloc(5) }),
        END,
      ]),
      /sparse map/,
    ],
    [
      'a file over a directory that holds something',
      Buffer.concat([member({ name: 'd/', type: '5' }), member({ name: 'd/x' }), member({ name: 'd' }), END]),
      /Is a directory|not empty/,
    ],
    [
      'a name that is too long',
      Buffer.concat([pax(`path=${'x'.repeat(300)}`), member({ name: 'x' }), END]),
      /too long/,
    ],
    ['broken gzip', gzipSync(member({ name: 'x' })).subarray(0, 40), /gzip/],
  ];
  test.each(refused)('%s is refused, and nothing is made', (_, bytes, message) => {
    writeFileSync(place.at('bad.tar'), bytes);
    complains(place.run('fsu', ['mkfs', '--from', 'bad.tar', 'bad.img', '8M']), 1, message);
    expect(existsSync(place.at('bad.img'))).toBe(false);
  });

  test('absolute names, and links that lead outside, stay inside the image', () => {
    mkdirSync(place.at('outside'), { recursive: true });
    const out = place.at('outside');
    const archive = Buffer.concat([
      member({ name: '/abs', data: Buffer.from('abs') }),
      member({ name: 'link', type: '2', link: out }),
      pax(`path=${out}/there`),
      member({ name: 'x', data: Buffer.from('there') }),
      member({ name: 'link/here', data: Buffer.from('here') }),
      END,
    ]);
    writeFileSync(place.at('links.tar'), archive);
    make('--from', 'links.tar', 'links.img', '8M');
    expect(place.sh(`ls -A outside | wc -l`).stdout.trim()).toBe('0');
    expect(place.sh(`fsu cat links.img:/abs links.img:${out}/here links.img:${out}/there`).stdout).toBe('absherethere');
  });

  test('contents of terabytes end with "no space"', () => {
    const archive = Buffer.concat([
      pax('GNU.sparse.size=4000000000000', 'GNU.sparse.map=3999999999000,1000'),
      member({ name: 'far', data: Buffer.alloc(1000, 'x') }),
      ...Array.from({ length: 300 }, (_, i) => member({ name: `f${i}`, data: Buffer.alloc(64 * 1024, 'y') })),
      END,
    ]);
    writeFileSync(place.at('much.tar'), archive);
    complains(place.run('fsu', ['mkfs', '--from', 'much.tar', 'much.img', '8M']), 6, /[Nn]o space/);
    expect(existsSync(place.at('much.img'))).toBe(false);
  });
});
