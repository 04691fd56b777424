/**
 * What every command that writes offers, over all of them: a dry run tells what really happens, the audit trail has the hashes
 * of what was and is there, a copy that is edited is what the image would be, and a backup what it was.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { copyFileSync, existsSync, mkdirSync, readdirSync, readFileSync, statSync, utimesSync } from 'node:fs';
import { open, walk } from 'ukfs';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { complains, everyWriter, Workplace } from './harness.ts';
import type { CommandLine } from './harness.ts';
import { documentsIn, schemas, violations } from './schemas.ts';

const epoch = { SOURCE_DATE_EPOCH: '1767225600' };
const sha256 = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex');

/** Each file of an image with what an edit can change of it. */
async function filesOf(image: string): Promise<Map<string, string>> {
  const fs = await open(image);
  const files = new Map<string, string>();
  try {
    for (const { path, stat } of walk(fs, '/')) {
      if (stat === undefined) continue;
      const { type, mode, uid, gid, flags, size, mtime, nlink, rdev } = stat;
      const xattrs = fs
        .listxattr(path, { nofollow: true })
        .map((name) => [name, fs.getxattr(path, name, { nofollow: true })]);
      const content = type === 'reg' ? sha256(fs.readFile(path)) : type === 'lnk' ? fs.readlink(path) : '';
      const own = type === 'dir' ? [] : [size, mtime, nlink, rdev, content];
      files.set(path, JSON.stringify([type, mode, uid, gid, flags, xattrs, ...own]));
    }
  } finally {
    fs.close();
  }
  return files;
}

interface Told {
  readonly image: string;
  readonly changed: boolean;
  readonly files: readonly { readonly path: string; readonly change: string }[];
  readonly extents: readonly { readonly offset: number; readonly length: number }[];
  readonly bytes: number;
}

/** Differences of two images that are not in the extents. */
function* strayBytes(before: Buffer, after: Buffer, extents: Told['extents']): Generator<number> {
  let next = 0;
  for (let at = 0; at < after.length; at++) {
    while ((extents[next]?.offset ?? Infinity) + (extents[next]?.length ?? 0) <= at) next++;
    const extent = extents[next];
    const isIn = extent !== undefined && at >= extent.offset;
    if (!isIn && before[at] !== after[at]) yield at;
  }
}

describe.each(everyWriter('demo.img').map((line) => ({ name: line.words.join(' '), line })))('$name', ({ line }) => {
  let place: Workplace;
  let before: Map<string, string>;
  let after: Map<string, string>;
  let dry: Told;
  beforeAll(async () => {
    place = new Workplace();
    place.demo();
    copyFileSync(place.at('demo.img'), place.at('old.img'));
    dry = imagesOf(run('--dry-run', '--json')).find(({ image }) => image === 'demo.img') ?? expect.fail('no report');
    // It is still the image that it was.
    expect(place.sh('cmp demo.img old.img')).toMatchObject({ status: 0, stdout: '' });
    utimesSync(place.at('demo.img'), 1, 2);
    run('--output=out.img');
    expect(statSync(place.at('demo.img')).mtimeMs).toBe(2000);
    expect(place.sh('cmp demo.img old.img; ls -A | grep fsu-').stdout).toBe('');
    run('--audit=trail', '--backup', '--verify');
    before = await filesOf(place.at('old.img'));
    after = await filesOf(place.at('demo.img'));
  }, 60_000);
  afterAll(() => place.remove());

  function run(...options: string[]): string {
    const [command = '', ...words] = line.words;
    const all: CommandLine = { ...line, words: [command, ...options, ...words] };
    const done = place.run('fsu', all.words, {
      env: epoch,
      ...(line.stdin === undefined ? {} : { stdin: line.stdin }),
    });
    expect({ status: done.status, stderr: done.stderr }).toEqual({ status: 0, stderr: '' });
    return done.stdout;
  }
  const imagesOf = (output: string): readonly Told[] =>
    [...documentsIn(output)].flatMap((document) => ('images' in document ? (document['images'] as Told[]) : []));

  test('a dry run lists the files that change, and no others', () => {
    const paths = [...new Set([...before.keys(), ...after.keys()])].filter(
      (path) => before.get(path) !== after.get(path),
    );
    const kind = (path: string): string => (!before.has(path) ? 'added' : after.has(path) ? 'changed' : 'removed');
    expect(dry.files.map(({ path }) => path).sort()).toEqual(paths.sort());
    for (const { path, change } of dry.files) {
      expect([path, ['added', 'removed'].includes(change) ? change : 'changed']).toEqual([path, kind(path)]);
    }
    expect(dry.changed).toBe(paths.length > 0);
  });

  test('a dry run tells every byte that changes', () => {
    const images = ['old.img', 'demo.img'].map((name) => readFileSync(place.at(name)));
    expect([...strayBytes(images[0] ?? Buffer.of(), images[1] ?? Buffer.of(), dry.extents)]).toEqual([]);
    expect(dry.extents.reduce((sum, { length }) => sum + length, 0)).toBe(dry.bytes);
  });

  test('the copy that was edited is the image that was edited, but for the generation numbers of new inodes', async () => {
    expect(await filesOf(place.at('out.img'))).toEqual(after);
    const [image, copy] = ['demo.img', 'out.img'].map((name) => readFileSync(place.at(name)));
    const added = dry.files.filter(({ change }) => change !== 'removed').length;
    // By chance; and their checksums, in two halves, with those of blocks that have the number in them.
    const stray = [...strayBytes(image ?? Buffer.of(), copy ?? Buffer.of(), [])];
    expect(stray.length).toBeLessThanOrEqual(added * 4 * 3);
    if (added === 0) expect(copy?.equals(image ?? Buffer.of())).toBe(true);
  });

  test('the backup is the image as it was', () => {
    expect(place.sh('cmp demo.img~ old.img')).toMatchObject({ status: 0, stdout: '' });
  });

  test('the audit trail has the hashes of what was there and of what is', () => {
    const lines = [...documentsIn(readFileSync(place.at('trail'), 'utf8'))];
    for (const document of lines) expect([...violations(schemas.get(document.schema) ?? {}, document)]).toEqual([]);
    expect([lines.at(0)?.schema, lines.at(-1)?.schema]).toEqual(['fsu.audit.intent', 'fsu.audit.end']);
    expect(lines.at(-1)).toMatchObject({ outcome: 'committed', durable: true, files: lines.length - 2 });
    expect(new Set(lines.map(({ id }) => id)).size).toBe(1);
    const files = lines.slice(1, -1) as unknown as readonly (Record<
      'before' | 'after',
      { readonly sha256?: string }
    > & {
      readonly path: string;
      readonly change: string;
    })[];
    expect(files.map(({ path, change }) => ({ path, change }))).toEqual(dry.files);
    for (const { path, ...sides } of files) {
      for (const [side, image] of [['before', 'old.img'] as const, ['after', 'demo.img'] as const]) {
        const hash = sides[side]?.sha256;
        if (hash !== undefined) expect(hash).toBe(sha256(place.run('fsu', ['cat', `${image}:${path}`]).bytes));
      }
    }
  });

  test('e2fsck finds nothing', () => {
    requireOracle('e2fsck');
    expect(place.sh('e2fsck -fn demo.img').status).toBe(0);
  });
});

describe('copies of images', () => {
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

  test('an edit that was interrupted after its commit point is part of the copy; its image and log stay', () => {
    const limited = 'head -c 300000 /dev/zero | tr "\\0" x > input; ulimit -f 400; fsu_write demo.img /big input';
    complains(place.sh(limited), 1, /committed, not yet applied/);
    const state = (): string => place.sh('sha256sum demo.img demo.img.fsu-log').stdout;
    const left = state();
    expect(left).toContain('demo.img.fsu-log');
    expect(place.run('fsu', ['rm', '--output', 'out.img', 'demo.img:/README'])).toMatchObject({
      status: 0,
      stderr: '',
    });
    expect(state()).toBe(left);
    expect(place.sh('fsu cat out.img:/big | cmp - input; fsu ls out.img:/README; ls -A').stdout).not.toMatch(/fsu-new/);
    expect(place.sh('fsu cat out.img:/big | cmp - input')).toMatchObject({ status: 0, stdout: '' });
    expect(place.run('fsu', ['ls', 'out.img:/README']).status).toBe(1);
    requireOracle('e2fsck');
    expect(place.sh('e2fsck -fn out.img').status).toBe(0);
  });

  test.for(['--output=small/out.img', '--backup'])('a host that is full: %s leaves nothing, 6', (option) => {
    requireOracle('root');
    requireOracle('mount');
    requireOracle('mke2fs');
    mkdirSync(place.at('small'));
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=14m', 'tmpfs', place.at('small')], { env: place.env() });
    mounted.push(place.at('small'));
    place.sh('head -c 9000000 /dev/urandom > input; truncate -s 64M a.img; mke2fs -q -t ext4 a.img');
    place.sh('fsu put input a.img:/ && cp --sparse=always a.img small/');
    const before = place.sh('sha256sum small/*').stdout;
    complains(place.run('fsu', ['rm', option, 'small/a.img:/input']), 6, /No space left on device|no room in/);
    expect(place.sh('sha256sum small/*').stdout).toBe(before);
    expect(readdirSync(place.at('small'))).toEqual(['a.img']);
  });

  test('killed at any moment: no output, or all of it; the image is what it was', async () => {
    const before = place.sh('sha256sum demo.img').stdout;
    place.run('fsu', ['rm', '-r', '--output', 'whole.img', 'demo.img:/var']);
    let killed = 0;
    for (let round = 0; round < 12; round++) {
      const child = place.start('fsu', ['rm', '-r', '--output', 'out.img', 'demo.img:/var']);
      const timer = setTimeout(() => child.kill('SIGKILL'), 40 + round * 15);
      const code = await new Promise<number | null>((resolve) => child.on('close', resolve));
      clearTimeout(timer);
      if (code === null) killed++;
      if (code === 0) expect(existsSync(place.at('out.img'))).toBe(true);
      if (existsSync(place.at('out.img'))) expect(place.sh('e2fsck -fn out.img').status).toBe(0);
      if (existsSync(place.at('out.img'))) expect(place.run('fsu', ['ls', 'out.img:/var']).status).toBe(1);
      expect(place.sh('sha256sum demo.img').stdout).toBe(before);
      place.sh('rm -f out.img .fsu-new-*');
    }
    expect(killed).toBeGreaterThan(2);
  }, 60_000);

  test.for(['--output=out.img', '--backup'])('Ctrl-C while an image is copied: nothing of %s, 130', async (option) => {
    requireOracle('mke2fs');
    place.sh('truncate -s 6G large.img && mke2fs -q -t ext4 -N 1000 large.img && fsu put .bin/sample large.img:/');
    const names = (): string[] => readdirSync(place.dir).sort();
    const before = names();
    const child = place.start('fsu', ['rm', option, 'large.img:/sample']);
    let stderr = '';
    child.stderr?.on('data', (chunk: Buffer) => (stderr += chunk.toString()));
    const ended = new Promise<[number | null, string | null]>((resolve) => {
      child.on('close', (status, name) => resolve([status, name]));
    });
    while (names().length === before.length && child.exitCode === null)
      await new Promise((resolve) => setTimeout(resolve, 5));
    child.kill('SIGINT');
    expect(await ended).toEqual([null, 'SIGINT']);
    expect(stderr).toMatch(/interrupted: nothing was changed/);
    expect(names()).toEqual(before);
    expect(place.run('fsu', ['ls', 'large.img:/sample']).status).toBe(0);
  });
});

test.each(['put a /copied', 'cp /etc/fstab /copied', 'touch /copied'])(
  '%s: what a script makes after it has the usual modes',
  async (line) => {
    const place = new Workplace();
    try {
      place.demo();
      place.sh('echo a > a');
      expect(place.run('fsu', ['script', 'demo.img', '-c', `${line}; mkdir /later; touch /later/file`])).toMatchObject({
        status: 0,
        stderr: '',
      });
      const fs = await open(place.at('demo.img'));
      expect([fs.stat('/later').mode & 0o777, fs.stat('/later/file').mode & 0o777]).toEqual([0o755, 0o644]);
      fs.close();
    } finally {
      place.remove();
    }
  },
);
