/** What a crash or another tool left in and beside an image: completed or refused with one line, and nothing lost. */
import { execFileSync } from 'node:child_process';
import {
  appendFileSync,
  closeSync,
  copyFileSync,
  existsSync,
  openSync,
  readFileSync,
  readSync,
  renameSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { interruptEdit } from '../support/interrupted.ts';
import { requireOracle } from '../support/oracle.ts';
import { complains, everyReader, everyWriter, Workplace } from './harness.ts';

let place: Workplace;
beforeEach(() => {
  place = new Workplace();
  place.demo();
});
afterEach(() => place.remove());

const LOG = 'demo.img.fsu-log';
const bytesOf = (name = 'demo.img'): Buffer => readFileSync(place.at(name));
const hosts = (): string => place.run('fsu_cat', ['demo.img', '/etc/hosts']).stdout;

/** An edit of demo.img that passed its commit point and got no further than so many writes. */
const interrupted = (applied: number): Promise<void> =>
  interruptEdit(place.at('demo.img'), (fs) => fs.writeFile('/etc/hosts', 'new\n'), { applied });

/** Every command refuses the image with a line that names the log, changes nothing, and leads to `fsu recover`. */
function refusedByAll(problem: RegExp): void {
  const before = { image: bytesOf(), log: bytesOf(LOG) };
  const line = new RegExp(`: demo\\.img: damaged: transaction log .*${LOG}: ${problem.source}; see fsu recover\n$`);
  for (const command of [...everyReader('demo.img'), ...everyWriter('demo.img')])
    complains(place.fsu(command), command.trouble ?? 4, line);
  for (const how of ['-fn', '-y']) complains(place.run('fsu', ['fsck', how, 'demo.img']), 8, line);
  const report = place.run('fsu', ['recover', 'demo.img']);
  expect(report).toMatchObject({ status: 4, stderr: '' });
  expect(report.stdout).toMatch(new RegExp(`^demo\\.img: log: refused: ${problem.source}\n`));
  expect(bytesOf().equals(before.image)).toBe(true);
  expect(bytesOf(LOG).equals(before.log)).toBe(true);
}

function isCleanAndAlone(): void {
  expect(place.sh('ls').stdout).not.toContain('fsu-log');
  requireOracle('e2fsck');
  expect(place.sh('e2fsck -fn demo.img').status).toBe(0);
}

describe('a redo log', () => {
  test.for([0, 1, 2])('committed, %i writes applied: readers see the edit, the next writer completes it', async (n) => {
    await interrupted(n);
    const before = bytesOf();
    for (const command of everyReader('demo.img')) expect(place.fsu(command)).toMatchObject({ status: 0, stderr: '' });
    expect(hosts()).toBe('new\n');
    expect(bytesOf().equals(before)).toBe(true);
    expect(place.run('fsu', ['recover', 'demo.img']).stdout).toMatch(/committed, not yet applied/);
    expect(place.run('fsu', ['write', 'demo.img:/x'], { stdin: 'x' })).toMatchObject({ status: 0, stderr: '' });
    expect(hosts()).toBe('new\n');
    isCleanAndAlone();
  });

  test('not committed: nobody minds it, the next writer removes it', async () => {
    const old = hosts();
    await interruptEdit(place.at('demo.img'), (fs) => fs.writeFile('/etc/hosts', 'new\n'), 'before the commit');
    expect(existsSync(place.at(`${LOG}.new`))).toBe(true);
    // Half of it, as a crash leaves it.
    truncateSync(place.at(`${LOG}.new`), 5000);
    for (const command of everyReader('demo.img')) expect(place.fsu(command)).toMatchObject({ status: 0, stderr: '' });
    expect(hosts()).toBe(old);
    expect(place.run('fsu', ['write', 'demo.img:/x'], { stdin: 'x' })).toMatchObject({ status: 0, stderr: '' });
    expect(hosts()).toBe(old);
    isCleanAndAlone();
  });

  test.for([
    [0, /damaged \(shorter than its header\)/],
    [100, /damaged \(shorter than its header\)/],
    [5000, /damaged \(5000 bytes long, should be \d+\)/],
  ] as const)('cut to %i bytes: 4; it can be discarded, not applied', async ([length, problem]) => {
    const old = hosts();
    await interrupted(0);
    truncateSync(place.at(LOG), length);
    refusedByAll(problem);
    complains(place.run('fsu', ['recover', '--apply', 'demo.img']), 4, /cannot be applied: damaged/);
    expect(place.run('fsu', ['recover', '--discard', 'demo.img']).status).toBe(0);
    expect(hosts()).toBe(old);
    isCleanAndAlone();
  });

  test('of another image: 4, and neither image is touched', async () => {
    await interrupted(1);
    renameSync(place.at('demo.img'), place.at('other.img'));
    renameSync(place.at(LOG), place.at('other.img.fsu-log'));
    place.demo();
    copyFileSync(place.at('other.img.fsu-log'), place.at(LOG));
    refusedByAll(/it belongs to another file/);
    // The image that it is of moved with its log, and is completed where it is.
    expect(place.run('fsu_cat', ['other.img', '/etc/hosts']).stdout).toBe('new\n');
    expect(place.run('fsu', ['write', 'other.img:/x'], { stdin: 'x' }).status).toBe(0);
    expect(place.run('fsu', ['recover', '--discard', 'demo.img']).status).toBe(0);
    isCleanAndAlone();
  });

  test('of an image that another tool has changed since: 4 until somebody decides', async () => {
    requireOracle('debugfs');
    await interrupted(0);
    execFileSync('debugfs', ['-w', '-R', 'rm /etc/hosts', place.at('demo.img')], { env: place.env(), stdio: 'ignore' });
    refusedByAll(/\d+ of \d+ units were changed by others/);
    expect(place.run('fsu', ['recover', '--discard', 'demo.img']).status).toBe(0);
    complains(place.run('fsu_cat', ['demo.img', '/etc/hosts']), 1, /No such file/);
    isCleanAndAlone();
  });

  test.for([
    ['grown', () => appendFileSync(place.at('demo.img'), Buffer.alloc(512))],
    ['cut', () => truncateSync(place.at('demo.img'), 8_000_000)],
  ] as const)('of an image that was %s since: 4 until somebody decides', async ([, change]) => {
    await interrupted(0);
    change();
    refusedByAll(/the image has another size/);
    expect(place.run('fsu', ['recover', '--discard', 'demo.img']).status).toBe(0);
    expect(place.run('fsu_ls', ['demo.img']).status).toBe(0);
  });
});

describe("the file system's journal", () => {
  /** Leave a transaction in the image's journal; where the journal's blocks lie in the image. */
  function dirtyJournal(): (block: number) => number {
    requireOracle('debugfs');
    writeFileSync(place.at('block'), Buffer.alloc(1024, 'journalled'));
    const debugfs = (...words: string[]): string =>
      execFileSync('debugfs', words, { cwd: place.dir, env: place.env(), encoding: 'utf8', stdio: 'pipe' });
    writeFileSync(place.at('script'), 'jo -c\njw -b 5000 block\njc\n');
    debugfs('-w', '-f', 'script', 'demo.img');
    const blocks = [0, 1, 2, 3].map((n) => Number(debugfs('-R', `bmap <8> ${n}`, 'demo.img')));
    return (block) => (blocks[block] ?? 0) * 1024;
  }

  function flip(offset: number): void {
    const fd = openSync(place.at('demo.img'), 'r+');
    const byte = Buffer.alloc(1);
    readSync(fd, byte, 0, 1, offset);
    writeSync(fd, Buffer.from([byte.readUInt8() ^ 0x40]), 0, 1, offset);
    closeSync(fd);
  }

  test('needs recovery: readers replay it in memory, the next writer for good', () => {
    dirtyJournal();
    const before = bytesOf();
    for (const command of everyReader('demo.img')) expect(place.fsu(command)).toMatchObject({ status: 0, stderr: '' });
    expect(place.run('fsu', ['write', '--dry-run', 'demo.img:/x'], { stdin: 'x' }).status).toBe(0);
    expect(bytesOf().equals(before)).toBe(true);
    expect(place.run('fsu', ['write', 'demo.img:/x'], { stdin: 'x' })).toMatchObject({ status: 0, stderr: '' });
    isCleanAndAlone();
    expect(
      bytesOf()
        .subarray(5000 * 1024, 5001 * 1024)
        .toString(),
    ).toBe('journalled'.repeat(103).slice(0, 1024));
  });

  test.for([
    ['its superblock', 0, 300, /journal superblock checksum/],
    ['a descriptor block', 1, 100, /journal transaction 1 is damaged \(checksum\)/],
    ['a logged block', 2, 10, /checksum of a block in the journal/],
    ['a commit block', 3, 60, /journal transaction 1 is damaged/],
  ] as const)('needs recovery, and a checksum of %s is wrong: 4; noload reads without it', ([, block, at, problem]) => {
    const where = dirtyJournal();
    flip(where(block) + at);
    const before = bytesOf();
    const line = new RegExp(`: demo\\.img: damaged: ${problem.source}.*; -o noload reads without it .*inode 8.*\n$`);
    for (const command of [...everyReader('demo.img'), ...everyWriter('demo.img')])
      complains(place.fsu(command), command.trouble ?? 4, line);
    expect(place.run('fsu_ls', ['-o', 'noload', 'demo.img', '/etc']).status).toBe(0);
    complains(place.run('fsu_write', ['-o', 'noload', 'demo.img', '/x'], { stdin: 'x' }), 1, /noload/);
    expect(bytesOf().equals(before)).toBe(true);
    expect(place.sh('ls -A | grep fsu-log').stdout).toBe('');
  });

  test('on another device, and needs recovery: 3 by name; noload reads without it', () => {
    dirtyJournal();
    for (const value of ['journal_inum 0', 'journal_dev 0x801'])
      execFileSync('debugfs', ['-w', '-R', `set_super_value ${value}`, place.at('demo.img')], {
        env: place.env(),
        stdio: 'ignore',
      });
    const before = bytesOf();
    const line = /not supported: the journal, which needs recovery, is on another device 8:1; .*noload/;
    for (const command of [...everyReader('demo.img'), ...everyWriter('demo.img')])
      complains(place.fsu(command), command.trouble ?? 3, line);
    expect(place.run('fsu_ls', ['-o', 'noload', 'demo.img', '/etc']).status).toBe(0);
    expect(bytesOf().equals(before)).toBe(true);
  });
});
