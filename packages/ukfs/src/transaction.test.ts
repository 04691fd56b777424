import { memoryHost } from '@ukfs/kernel/host/memory';
import { describe, expect, test } from 'vitest';
import { makeFs } from './makefs.ts';
import { transaction } from './transaction.ts';
import { open } from './ukfs.ts';

async function image() {
  const host = memoryHost();
  await makeFs('disk.img', { type: 'ext4', size: 4 * 1024 * 1024, host });
  return host;
}

describe('transaction()', () => {
  test('commits what was done and gives what was returned, of functions of both kinds', async () => {
    const host = await image();
    expect(await transaction('disk.img', (fs) => (fs.writeFile('/a', 'x'), 7), { host })).toBe(7);
    const bytes = await transaction(
      'disk.img',
      async (fs) => {
        await Promise.resolve();
        fs.writeFile('/b', fs.readFile('/a'));
        return fs.changes().bytes;
      },
      { host },
    );
    expect(bytes).toBeGreaterThan(0);
    const fs = await open('disk.img', { host });
    expect(fs.readFile('/b', 'utf8')).toBe('x');
    fs.close();
  });

  test('that throws changes nothing and ends the handle; what it threw comes out', async () => {
    const host = await image();
    const before = await open('disk.img', { host });
    let inside: { readFile(path: string): unknown } | undefined;
    const failing = transaction(
      'disk.img',
      (fs) => {
        inside = fs;
        fs.writeFile('/a', 'x');
        throw new RangeError('mine');
      },
      { host },
    );
    await expect(failing).rejects.toThrow(new RangeError('mine'));
    expect(before.exists('/a')).toBe(false);
    before.close();
    expect(() => inside?.readFile('/a')).toThrow();
    // The lock is free again.
    await transaction('disk.img', (fs) => fs.writeFile('/a', 'x'), { host });
  });

  test('after a commit of its own only what came later is lost', async () => {
    const host = await image();
    const failing = transaction(
      'disk.img',
      (fs) => {
        fs.writeFile('/a', '');
        fs.commit();
        fs.writeFile('/b', '');
        fs.mkdir('/a');
      },
      { host },
    );
    await expect(failing).rejects.toThrow(expect.objectContaining({ code: 'EEXIST' }));
    const fs = await open('disk.img', { host });
    expect(fs.readdir('/').sort()).toEqual(['a', 'lost+found']);
    fs.close();
  });

  test('a dry run commits nothing; an image that may only be read is EROFS', async () => {
    const host = await image();
    await transaction('disk.img', (fs) => fs.writeFile('/a', ''), { host, dryRun: true });
    const reading = transaction('disk.img', () => expect.unreachable(), { host, options: 'ro' });
    await expect(reading).rejects.toThrow(expect.objectContaining({ code: 'EROFS' }));
    await transaction('disk.img', (fs) => expect(fs.exists('/a')).toBe(false), { host });
  });

  test('in a session of others a failure takes back its own changes alone', async () => {
    const host = await image();
    const other = await open('disk.img', { host, write: true });
    other.writeFile('/mine', 'x');
    const failing = transaction(
      'disk.img',
      (fs) => {
        fs.writeFile('/a', '');
        throw new Error('mine');
      },
      { session: other.session },
    );
    await expect(failing).rejects.toThrow('mine');
    expect([other.exists('/mine'), other.exists('/a')]).toEqual([true, false]);
    await transaction('disk.img', (fs) => fs.unlink('/mine'), { session: other.session });
    expect(other.changes().bytes).toBe(0);
    other.close();
  });
});
