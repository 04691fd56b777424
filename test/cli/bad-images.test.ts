/** What is not a good image, or must not be written: one line, the right exit status, and nothing is changed. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  linkSync,
  mkdirSync,
  openSync,
  readFileSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
  writeSync,
  closeSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { e2fsck } from '../support/e2fsprogs.ts';
import { requireOracle } from '../support/oracle.ts';
import { complains, everyReader, everyWriter, Workplace } from './harness.ts';

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.demo();
});
afterEach(() => place.remove());

const patch = (path: string, offset: number, bytes: readonly number[]): void => {
  const fd = openSync(path, 'r+');
  writeSync(fd, Uint8Array.from(bytes), 0, bytes.length, offset);
  closeSync(fd);
};

describe('images that are none', () => {
  test('missing', () =>
    complains(place.run('fsu_ls', ['none.img']), 1, /^fsu_ls: none\.img: No such file or directory\n/));

  test('a directory', () => {
    mkdirSync(place.at('dir'));
    complains(place.run('fsu_ls', ['dir']), 1, /^fsu_ls: dir: Is a directory\n/);
  });

  test('a pipe', () =>
    complains(place.sh('cat demo.img | fsu_ls /dev/stdin'), 3, /^fsu_ls: \/dev\/stdin: not a regular file or block/));

  test('empty', () => {
    writeFileSync(place.at('empty'), '');
    complains(place.run('fsu_ls', ['empty']), 3, /^fsu_ls: empty: /);
  });

  test('text', () => {
    writeFileSync(place.at('text'), 'This is not an image.\n'.repeat(1000));
    complains(place.run('fsu_cat', ['text', '/etc/passwd']), 3, /^fsu_cat: text: /);
  });

  test('a file system that is known by name only is named', () => {
    const swap = Buffer.alloc(1024 * 1024);
    swap.write('SWAPSPACE2', 4086);
    swap.writeUInt32LE(1, 1024);
    swap.writeUInt32LE(255, 1028);
    writeFileSync(place.at('swap'), swap);
    complains(place.run('fsu_ls', ['swap']), 3, /^fsu_ls: swap: .*[Ss]wap/);
  });

  test('unknown type', () =>
    complains(place.run('fsu_ls', ['-t', 'nofs', 'demo.img']), 3, /^fsu_ls: demo\.img: .*nofs/));

  test('an option the type does not know', () => {
    const { status, stderr } = place.run('fsu_ls', ['-o', 'bogus', 'demo.img']);
    expect(stderr).toMatch(/^fsu_ls: demo\.img: .*bogus/);
    expect(status).toBe(1);
  });
});

describe('images that are damaged', () => {
  test('cut off: the superblock promises more than there is', () => {
    truncateSync(place.at('demo.img'), 1024 * 1024);
    const { status, stdout, stderr } = place.run('fsu_ls', ['demo.img', '-lR']);
    expect(stderr).toMatch(/^(fsu_ls: demo\.img:\/\S+: damaged: block number beyond the device \(block \d+\)\n)+$/);
    expect(status).toBe(4);
    // What is there is listed.
    expect(stdout).toMatch(/ README\n/);
    for (const length of [2048, 1500, 1000, 1]) {
      truncateSync(place.at('demo.img'), length);
      for (const command of [...everyReader('demo.img'), ...everyWriter('demo.img')])
        complains(place.fsu(command), command.trouble ?? (length < 2048 ? 3 : 4), /^fsu \w+: demo\.img: /);
    }
  });

  test('a superblock whose checksum does not match is refused: 4', () => {
    patch(place.at('demo.img'), 1024 + 0x78, [0x58]); // the label's first letter
    complains(place.run('fsu_ls', ['demo.img']), 4, /^fsu_ls: demo\.img: damaged: .*checksum/);
  });

  test('an inode whose checksum does not match is named, the rest is listed: 4', () => {
    // Inode 16 (fstab): group 0's table, 256 bytes each; its generation changes nothing but the checksum.
    const table = Number(
      /Inode table at (\d+)/.exec(
        execFileSync('dumpe2fs', [place.at('demo.img')], {
          encoding: 'utf8',
          env: place.env(),
          stdio: ['ignore', 'pipe', 'ignore'],
        }),
      )?.[1],
    );
    patch(place.at('demo.img'), table * 1024 + 15 * 256 + 0x64, [0xff]);
    const result = place.run('fsu_ls', ['demo.img', '-l', '/etc']);
    complains(result, 4, /^fsu_ls: demo\.img:\/etc\/fstab: damaged: .*inode 16/);
    expect(result.stdout).toContain('passwd');
    complains(place.run('fsu_cat', ['demo.img', '/etc/fstab']), 4, /^fsu_cat: demo\.img:\/etc\/fstab: damaged: /);
    const json = JSON.parse(place.run('fsu', ['ls', '--json', 'demo.img:/etc']).stdout) as {
      status: number;
      errors: unknown[];
    };
    expect(json.status).toBe(4);
    expect(json.errors).toMatchObject([{ errno: 'EIO', path: '/etc/fstab', place: { ino: 16 } }]);
  });

  test('names of free inodes, and a root that is one: 4', () => {
    requireOracle('debugfs');
    const clear = (inode: string): void => {
      execFileSync('debugfs', ['-w', '-R', `clri ${inode}`, place.at('demo.img')], {
        env: place.env(),
        stdio: 'ignore',
      });
    };
    clear('/etc/hosts');
    const line = /^fsu \w+: demo\.img:\/etc\/hosts: damaged: directory entry of a free inode \(inode \d+\)\n$/;
    for (const words of [
      ['ls', '-l', 'demo.img:/etc'],
      ['cat', 'demo.img:/etc/hosts'],
      ['get', 'demo.img:/etc', 'out'],
    ])
      complains(place.run('fsu', words), 4, line);
    clear('<2>');
    for (const command of [...everyReader('demo.img'), ...everyWriter('demo.img')])
      complains(
        place.fsu(command),
        command.trouble ?? 4,
        /^fsu \w+: demo\.img: damaged: root that is a free inode \(inode 2\)\n$/,
      );
  });

  test('an unknown incompatible feature is named: 3', () => {
    requireOracle('debugfs');
    execFileSync('debugfs', ['-w', '-R', 'feature FEATURE_I30', place.at('demo.img')], {
      env: place.env(),
      stdio: 'ignore',
    });
    complains(place.run('fsu_ls', ['demo.img']), 3, /^fsu_ls: demo\.img: not supported: .*(FEATURE_I30|0x40000000)/i);
  });

  test('an unknown read-only-compatible feature is read, and not written: named', () => {
    requireOracle('debugfs');
    execFileSync('debugfs', ['-w', '-R', 'feature FEATURE_R30', place.at('demo.img')], {
      env: place.env(),
      stdio: 'ignore',
    });
    expect(place.run('fsu_ls', ['demo.img']).status).toBe(0);
    complains(
      place.run('fsu_write', ['demo.img', '/x'], { stdin: 'x' }),
      3,
      /^fsu_write: demo\.img: read-only file system: .*0x40000000/,
    );
  });
});

describe('images that may only be read', () => {
  /** What is done to the image; how write is told; and what the reason is called in JSON. */
  const cases: readonly (readonly [string, () => void, number, RegExp, string])[] = [
    [
      'cut short',
      () => truncateSync(place.at('demo.img'), 8_000_000),
      4,
      /the image is cut short: 388608 bytes/,
      'damaged',
    ],
    ['errors were found in it', () => setSuperblock('state', '3'), 4, /errors were found .*-o force/, 'damaged'],
    [
      'not unmounted cleanly, and no journal',
      () => {
        debugfs('feature -has_journal');
        setSuperblock('state', '0');
      },
      4,
      /not unmounted cleanly: .*-o force/,
      'damaged',
    ],
    ['a feature we do not know', () => debugfs('feature FEATURE_R30'), 3, /0x40000000/, 'unsupported'],
    ['the whole file system is marked read-only', () => debugfs('feature read-only'), 3, /read-only/, 'unsupported'],
    [
      'an external journal',
      () => {
        setSuperblock('journal_inum', '0');
        setSuperblock('journal_dev', '0x801');
      },
      3,
      /the journal is on another device/,
      'unsupported',
    ],
    // The larger status, and all reasons.
    [
      'an unknown feature, and cut short',
      () => {
        debugfs('feature FEATURE_R30');
        truncateSync(place.at('demo.img'), 8_000_000);
      },
      4,
      /cut short.*; .*0x40000000/,
      'damaged',
    ],
  ];
  const debugfs = (line: string): void => {
    execFileSync('debugfs', ['-w', '-R', line, place.at('demo.img')], { env: place.env(), stdio: 'ignore' });
  };
  const setSuperblock = (field: string, value: string): void => debugfs(`set_super_value ${field} ${value}`);

  test.for(cases)('%s', ([, spoil, status, message, errno]) => {
    requireOracle('debugfs');
    spoil();
    const image = readFileSync(place.at('demo.img'));
    expect(place.run('fsu_ls', ['demo.img'])).toMatchObject({ status: 0, stderr: '' });
    // The input is not read for nothing.
    const told = place.run('fsu_write', ['demo.img', '/x'], { stdin: Buffer.alloc(1_000_000) });
    complains(told, status, new RegExp(`^fsu_write: demo\\.img: read-only file system: .*${message.source}`));
    complains(place.run('fsu', ['write', '--dry-run', 'demo.img:/x'], { stdin: 'x' }), status, message);
    const json = JSON.parse(place.run('fsu', ['write', '--json', 'demo.img:/x'], { stdin: 'x' }).stdout) as object;
    expect(json).toMatchObject({ status, errors: [{ errno: 'EROFS', message: expect.stringMatching(message) }] });
    const info = JSON.parse(place.run('fsu', ['info', '--json', 'demo.img']).stdout) as {
      images: { filesystem: { readOnlyReasons: { cause: string; what: string }[] } }[];
    };
    expect(info.images[0]?.filesystem.readOnlyReasons).toContainEqual({
      cause: errno,
      what: expect.stringMatching(message.source.split('; ')[0] ?? ''),
    });
    expect(readFileSync(place.at('demo.img')).equals(image)).toBe(true);
    expect(place.sh('ls -A').stdout).toBe('.bin\ndemo.img\n');
  });

  test.for([
    ['errors', 'having errors', () => setSuperblock('state', '3')],
    [
      'no clean unmount',
      'not unmounted cleanly',
      () => {
        place.run('fsu', ['mkfs', '--force', '-t', 'ext2', 'demo.img']);
        setSuperblock('state', '0');
      },
    ],
  ] as const)('a mark of %s on a sound image goes when it is checked', ([, mark, spoil]) => {
    requireOracle('debugfs');
    requireOracle('e2fsck');
    spoil();
    const note = `demo.img: note: marked as ${mark} [state]\n`;
    const image = readFileSync(place.at('demo.img'));
    expect(place.run('fsu', ['fsck', 'demo.img'])).toMatchObject({ status: 0, stdout: expect.stringContaining(note) });
    expect(readFileSync(place.at('demo.img')).equals(image)).toBe(true);
    expect(place.run('fsu', ['fsck', '-p', 'demo.img'])).toMatchObject({ status: 0 });
    expect(place.run('fsu', ['fsck', 'demo.img']).stdout).not.toContain('note');
    expect(place.run('fsu', ['write', 'demo.img:/x'], { stdin: 'x' })).toMatchObject({ status: 0, stderr: '' });
    expect(e2fsck(place.at('demo.img'))).toMatchObject({ status: 0 });
  });

  test('what was asked for is no fault of the image: 1', () => {
    complains(
      place.run('fsu_write', ['-o', 'ro', 'demo.img', '/x'], { stdin: 'x' }),
      1,
      /^fsu_write: demo\.img: Read-only file system\n/,
    );
  });
});

describe('what must not be written', () => {
  const before = (): Buffer => readFileSync(place.at('demo.img'));

  test('a path that is too long, or holds a NUL byte', () => {
    const long = place.run('fsu_write', ['demo.img', `/${'x'.repeat(300)}`], { stdin: 'x' });
    complains(long, 1, /File name too long/);
    const nul = place.run('fsu_write', ['--image', 'demo.img', '--bytes', '/a\\x00b'], { stdin: 'x' });
    complains(nul, 1, /^fsu_write: demo\.img:\/a\\000b: /);
  });

  test('an image without write permission', () => {
    const image = before();
    chmodSync(place.at('demo.img'), 0o444);
    if (process.getuid?.() === 0) {
      // Root may write anything: become nobody, who may not.
      chmodSync(place.dir, 0o777);
      const done = spawnSync(process.execPath, [place.at('.bin/fsu_write'), 'demo.img', '/x'], {
        cwd: place.dir,
        env: place.env(),
        input: 'x',
        uid: 65534,
        gid: 65534,
        encoding: 'utf8',
      });
      expect(done.stderr).toBe('fsu_write: demo.img: Permission denied\n');
      expect(done.status).toBe(1);
    } else complains(place.run('fsu_write', ['demo.img', '/x'], { stdin: 'x' }), 1, /Permission denied/);
    expect(before().equals(image)).toBe(true);
  });

  test('no space: nothing is written, and the image is as it was: 6', () => {
    const image = before();
    complains(
      place.run('fsu_write', ['demo.img', '/big'], { stdin: Buffer.alloc(9_000_000, 1) }),
      6,
      /^fsu_write: demo\.img:\/big: No space left on device/,
    );
    expect(before().equals(image)).toBe(true);
    expect(place.sh('ls -A').stdout).toBe('.bin\ndemo.img\n');
  });

  test('an image that another writer holds: 5', async () => {
    const image = before();
    const writer = place.start('fsu_write', ['demo.img', '/x']);
    // More than a pipe holds: when it is taken, the tool has the lock in its hands and reads.
    await new Promise((resolve) => writer.stdin?.write(Buffer.alloc(1_000_000), resolve));
    for (const command of everyWriter('demo.img'))
      complains(place.fsu(command), 5, /^fsu \w+: demo\.img: .*written by another/);
    complains(place.run('fsu', ['mkfs', '--force', 'demo.img']), 5, /^fsu mkfs: demo\.img: .*written by another/);
    complains(place.run('fsu', ['fsck', '-y', 'demo.img']), 8, /^fsu fsck: demo\.img: .*written by another/);
    complains(place.run('fsu', ['recover', '--apply', 'demo.img']), 5, /^fsu recover: demo\.img: .*written by another/);
    expect(place.run('fsu_ls', ['demo.img']).status).toBe(0);
    writer.kill('SIGKILL');
    await new Promise((resolve) => writer.on('close', resolve));
    expect(before().equals(image)).toBe(true);
    expect(place.run('fsu_write', ['demo.img', '/y'], { stdin: 'y' }).status).toBe(0);
  });

  test('an image attached to a loop device, or mounted: 5, by name of the holder', () => {
    requireOracle('loop mount');
    const image = before();
    const loop = execFileSync('losetup', ['-f', '--show', place.at('demo.img')], {
      encoding: 'utf8',
      env: place.env(),
    }).trim();
    try {
      complains(
        place.run('fsu_write', ['demo.img', '/x'], { stdin: 'x' }),
        5,
        new RegExp(`^fsu_write: demo\\.img: .*${loop}`),
      );
      mkdirSync(place.at('mnt'));
      execFileSync('mount', ['-o', 'ro', loop, place.at('mnt')], { env: place.env() });
      try {
        complains(place.run('fsu_write', ['demo.img', '/x'], { stdin: 'x' }), 5, /mounted on .*mnt/);
        expect(place.run('fsu_ls', ['demo.img']).status).toBe(0);
      } finally {
        execFileSync('umount', [place.at('mnt')], { env: place.env() });
      }
    } finally {
      execFileSync('losetup', ['-d', loop], { env: place.env() });
    }
    expect(before().equals(image)).toBe(true);
  });

  test('an image with several hard links, unless --force', () => {
    linkSync(place.at('demo.img'), place.at('other.img'));
    complains(place.run('fsu_write', ['demo.img', '/x'], { stdin: 'x' }), 1, /several hard links/);
    expect(place.run('fsu', ['write', '--force', 'demo.img:/x'], { stdin: 'x' }).status).toBe(0);
  });

  test('a log that is not this image’s: 4 until somebody decides', () => {
    copyFileSync(place.at('demo.img'), place.at('copy.img'));
    writeFileSync(place.at('demo.img.fsu-log'), 'nonsense');
    complains(place.run('fsu_ls', ['demo.img']), 4, /^fsu_ls: demo\.img: damaged: transaction log .*fsu recover/);
    complains(place.run('fsu_write', ['demo.img', '/x'], { stdin: 'x' }), 4, /fsu recover/);
    expect(place.run('fsu', ['recover', 'demo.img']).status).toBe(4);
    expect(place.run('fsu', ['recover', '--discard', 'demo.img']).status).toBe(0);
    expect(place.run('fsu_ls', ['demo.img']).status).toBe(0);
    expect(before().equals(readFileSync(place.at('copy.img')))).toBe(true);
  });
});

describe('copies out of a hostile image', () => {
  test('a link that leads out of the target is copied, not followed', () => {
    requireOracle('debugfs');
    mkdirSync(place.at('outside'));
    mkdirSync(place.at('target'));
    const script = ['mkdir /tree', 'symlink /tree/link ../../outside', 'mkdir /tree/sub'];
    for (const line of script)
      execFileSync('debugfs', ['-w', '-R', line, place.at('demo.img')], { env: place.env(), stdio: 'ignore' });
    expect(place.run('fsu', ['get', 'demo.img:/tree', 'target']).status).toBe(0);
    expect(place.sh('readlink target/tree/link').stdout).toBe('../../outside\n');
    // Once more, a link on the host standing where a directory belongs.
    place.sh('rm -r target/tree/sub');
    symlinkSync(place.at('outside'), place.at('target/tree/sub'));
    const again = place.run('fsu', ['get', 'demo.img:/tree', 'target']);
    complains(again, 1, /\/tree\/sub: Not a directory/);
    expect(place.sh('ls outside').stdout).toBe('');
  });

  test('a FIFO of the host stays, and no file is lost for a FIFO of the image', () => {
    requireOracle('debugfs');
    execFileSync('debugfs', ['-w', '-R', 'mknod pipe p', place.at('demo.img')], { env: place.env(), stdio: 'ignore' });
    place.sh('mkfifo hostpipe; echo mine > file');
    complains(
      place.run('fsu', ['get', 'demo.img:/etc/hosts', 'hostpipe']),
      1,
      /^fsu get: hostpipe: .*FIFO.* not replaced/,
    );
    complains(place.run('fsu', ['get', 'demo.img:/pipe', 'file']), 1, /^fsu get: file: .*not replaced by .*FIFO/);
    expect(place.run('fsu', ['get', 'demo.img:/pipe', 'hostpipe']).status).toBe(0);
    expect(place.sh('test -p hostpipe && cat file').stdout).toBe('mine\n');
  });

  test('set-id bits and owners stay behind unless asked for', () => {
    place.run('fsu', ['write', '--mode', '6755', '--owner', '1000', 'demo.img:/tool'], { stdin: 'x' });
    expect(place.run('fsu', ['get', 'demo.img:/tool', '.']).status).toBe(0);
    expect(place.sh('stat -c %a:%u tool').stdout).toBe(`755:${String(process.getuid?.())}\n`);
  });
});
