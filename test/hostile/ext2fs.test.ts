/**
 * Damaged ext2/3/4 images: whatever a field says, mounting, reading and editing end soon, in bounded memory, with success
 * or an FsError, and what is discarded leaves the image as it was.
 *
 * CI tries two values of each field of each structure, each on another image, and some random damage. UKFS_HOSTILE=20
 * tries twenty on each image, UKFS_HOSTILE=all every value at every place (hours); UKFS_HOSTILE_SEED begins the random damage elsewhere. A failure
 * names image, mode and damage: UKFS_HOSTILE_ONLY=<part of that name> runs that alone.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { FileSystemType } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import * as format from '../../packages/kernel/src/fs/ext2fs/format.ts';
import { Inode } from '../../packages/kernel/src/fs/ext2fs/inode.ts';
import * as journalFormat from '../../packages/kernel/src/fs/ext2fs/journal-format.ts';
import * as quotaFormat from '../../packages/kernel/src/fs/ext2fs/quota-format.ts';
import { vref } from '../../packages/kernel/src/vfs/vnode.ts';
import {
  hostileRows,
  makeHostileImage,
  surveyExt,
  traps,
  type HostileRow,
  type Survey,
} from '../support/ext-hostile.ts';
import {
  fieldMutations,
  Misbehaviour,
  randomMutation,
  runHostile,
  type Mode,
  type Mutation,
} from '../support/hostile.ts';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';

const wanted = process.env['UKFS_HOSTILE'] ?? '1';
const perField = wanted === 'all' ? Infinity : Number(wanted);
const only = process.env['UKFS_HOSTILE_ONLY'];
const firstSeed = Number(process.env['UKFS_HOSTILE_SEED'] ?? 1);
const RANDOM_PER_IMAGE = 25 * Math.min(perField, 1000);
/** A sweep reports what it found when it has found so much. */
const ENOUGH = 8;
const LONG = 24 * 3600 * 1000;

interface Prepared {
  readonly image: Uint8Array;
  readonly survey: Survey;
}
const prepared = new Map<HostileRow, Prepared>();

function prepare(row: HostileRow): Prepared {
  let found = prepared.get(row);
  if (found === undefined) {
    const image = makeHostileImage(row);
    prepared.set(row, (found = { image, survey: surveyExt(image) }));
  }
  return found;
}

let runs = 0;
let slowest = { what: '', cpuMs: 0 };

/** Run each case; throws when any broke a rule, with all that did. */
function sweep(
  name: string,
  image: Uint8Array,
  cases: Iterable<{ readonly mode: Mode; readonly mutation: Mutation }>,
): number {
  const broken: string[] = [];
  let count = 0;
  for (const { mode, mutation } of cases) {
    const what = `${name}, ${mode}: ${mutation.label}`;
    if (only !== undefined && !what.includes(only)) continue;
    const damaged = image.slice();
    mutation.apply(damaged);
    count++;
    runs++;
    try {
      const { cpuMs } = runHostile(ext2fs, damaged, mode);
      if (cpuMs > slowest.cpuMs) slowest = { what, cpuMs };
    } catch (e) {
      broken.push(`${what}\n    ${String(e)}`);
      if (broken.length === ENOUGH) break;
    }
  }
  if (broken.length > 0)
    throw new Misbehaviour(`${broken.length} of ${count} runs broke a rule:\n${broken.join('\n')}`);
  return count;
}

/** How often CI has tried each field by now, on any image. */
const tried = new Map<string, number>();
const TRIES = 2;

const MODES: readonly Mode[] = ['read', 'write', 'commit'];

/** `perField` mutations of each field of each table, spread over places and values; modes take turns. */
function* sample({ image, survey }: Prepared): Generator<{ mode: Mode; mutation: Mutation }> {
  const groups = new Map<string, Mutation[]>();
  for (const place of survey.places) {
    for (const mutation of fieldMutations(image, place, survey.limits)) {
      const group = groups.get(mutation.field);
      if (group === undefined) groups.set(mutation.field, [mutation]);
      else group.push(mutation);
    }
  }
  let turn = 0;
  for (const [field, group] of groups) {
    const before = tried.get(field) ?? 0;
    if (perField === 1 && before === TRIES && only === undefined) continue;
    tried.set(field, before + 1);
    const take = Math.min(perField, group.length);
    for (let i = 0; i < take; i++) {
      turn++;
      // Golden ratio: neighbouring fields take values from all over their lists.
      const index =
        perField === Infinity ? i : Math.floor((((turn * 0.618) % 1) + i) * (group.length / take)) % group.length;
      const mutation = group[index];
      if (mutation === undefined) continue;
      if (perField === Infinity) for (const mode of MODES) yield { mode, mutation };
      else yield { mode: MODES[turn % 3] ?? 'read', mutation };
    }
  }
}

describe.skipIf(lacksOracle('mke2fs', 'debugfs', 'e2fsck', 'tune2fs'))('hostile ext2/3/4 images', () => {
  afterAll(() => {
    const { maxRSS } = process.resourceUsage();
    console.log(
      `${runs} damaged images; slowest ${Math.round(slowest.cpuMs)} ms (${slowest.what}); at most ${Math.round(maxRSS / 1024)} MB`,
    );
    expect(maxRSS / 1024).toBeLessThan(2048);
  });

  describe.each(hostileRows)('$name:', (row) => {
    test('undamaged it mounts and can be walked and edited', { timeout: LONG }, () => {
      const { image } = prepare(row);
      for (const mode of MODES) {
        const result = runHostile(ext2fs, image, mode);
        expect(result).toMatchObject({ mounted: true, corrupt: 0 });
        expect(result.writable).toBe(mode !== 'read');
        expect(result.calls).toBeGreaterThan(100);
      }
    });

    test('no value of a field breaks a rule', { timeout: LONG }, () => {
      const here = prepare(row);
      const count = sweep(row.name, here.image, sample(here));
      if (only === undefined && perField > 1) expect(count).toBeGreaterThan(150);
    });

    test('no random damage breaks a rule, nor an image that ends early', { timeout: LONG }, () => {
      const { image, survey } = prepare(row);
      const rng = new Rng(firstSeed);
      function* cases(): Generator<{ mode: Mode; mutation: Mutation }> {
        for (let i = 0; i < RANDOM_PER_IMAGE; i++) {
          yield { mode: MODES[i % 3] ?? 'read', mutation: randomMutation(rng, survey.hot, `random ${i}`) };
        }
      }
      sweep(row.name, image, cases());
      const ends = [0, 1023, 1024, 1500, 2048, 5000, image.length / 4, image.length / 2, image.length - 1024];
      for (const end of ends) {
        const mutation: Mutation = { label: `cut to ${end} bytes`, field: 'cut', apply: () => {} };
        for (const mode of ['read', 'write'] as const) sweep(row.name, image.slice(0, end), [{ mode, mutation }]);
      }
    });

    test.runIf(row.mke2fsArgs.includes('1024'))(
      'maps, logs and indexes that lead into themselves come to an end',
      { timeout: LONG },
      () => {
        const { image } = prepare(row);
        sweep(
          row.name,
          image,
          traps(image).flatMap((mutation) => MODES.map((mode) => ({ mode, mutation }))),
        );
      },
    );
  });

  test('every structure of the format is somewhere in these images', { timeout: LONG }, () => {
    const seen = new Set(
      hostileRows.flatMap((row) => prepare(row).survey.places.map((place) => place.table.structName)),
    );
    const tables = [...Object.values(format), ...Object.values(journalFormat), ...Object.values(quotaFormat)].flatMap(
      (value) => (typeof value === 'object' && 'structName' in value ? [value.structName] : []),
    );
    // Encrypted and casefolded directories, which no tool makes without a kernel.
    const excused = ['ext4 directory entry hash'];
    expect(tables.length).toBeGreaterThan(25);
    expect(tables.filter((name) => !seen.has(name) && !excused.includes(name))).toEqual([]);
  });
});

describe.skipIf(lacksOracle('mke2fs', 'debugfs', 'e2fsck', 'tune2fs'))('the harness finds', () => {
  /** ext2fs whose vnodes have some operations replaced. */
  const planted = (change: (ops: typeof ops0) => Partial<typeof ops0>): FileSystemType => ({
    ...ext2fs,
    loadVnode(mp, ino) {
      const vp = ext2fs.loadVnode(mp, ino);
      vp.ops = { ...vp.ops, ...change(vp.ops) };
      return vp;
    },
  });
  const ops0 = ((): ReturnType<FileSystemType['loadVnode']>['ops'] => ({}) as never)();

  function findsIn(type: FileSystemType, field: string, mode: Mode = 'read'): string {
    const row = hostileRows[0] as HostileRow;
    const { image, survey } = prepare(row);
    for (const place of survey.places) {
      for (const mutation of fieldMutations(image, place, survey.limits)) {
        if (mutation.field !== field) continue;
        const damaged = image.slice();
        mutation.apply(damaged);
        try {
          runHostile(type, damaged, mode, { hangMs: 1500 });
        } catch (e) {
          if (e instanceof Misbehaviour) return e.message;
          throw e;
        }
      }
    }
    return 'nothing';
  }
  const sizeOf = (vp: { readonly data: unknown }): number => (vp.data instanceof Inode ? vp.data.size : 0);

  test('an allocation as large as the image says', () => {
    const type = planted((ops) => ({
      readlink(vp) {
        void new Uint8Array(sizeOf(vp));
        return ops.readlink(vp);
      },
    }));
    expect(findsIn(type, 'ext4 inode.sizeLo')).toMatch(/allocat/);
  });

  test('a loop as long as the image says', () => {
    const type = planted((ops) => ({
      readdir(vp, cookie, max) {
        let sum = 0;
        for (let at = 0; at < sizeOf(vp) * 8; at++) sum += at % 7;
        return sum < 0 ? [] : ops.readdir(vp, cookie, max);
      },
    }));
    expect(findsIn(type, 'ext4 inode.sizeLo')).toMatch(/still going on|took/);
  });

  test('an index out of range', () => {
    const type = planted((ops) => ({
      readlink(vp) {
        format.DirEntry.at(new Uint8Array(4096), sizeOf(vp));
        return ops.readlink(vp);
      },
    }));
    expect(findsIn(type, 'ext4 inode.sizeLo')).toMatch(/RangeError/);
  });

  test('a reference that an error path keeps', () => {
    const type = planted((ops) => ({
      listextattr(vp) {
        vref(vp);
        const names = ops.listextattr(vp);
        vp.usecount--;
        return names;
      },
    }));
    expect(findsIn(type, 'ext4 xattr entry.nameLen')).toMatch(/unmount: .*busy/i);
  });

  test('a directory that is never listed to its end', () => {
    const isDamaged = (vp: { readonly data: unknown }): boolean => vp.data instanceof Inode && vp.data.nlink > 100;
    const type = planted((ops) => ({
      readdir: (vp, cookie, max) => ops.readdir(vp, isDamaged(vp) ? 0 : cookie, max),
    }));
    expect(findsIn(type, 'ext4 inode.linksCount')).toMatch(/lists \d+ entries/);
  });
});

// Images that others damaged on purpose. They are not part of the project; where they are, they are used.
const corpus = fileURLToPath(new URL('../../../shared/corpora/e2fsprogs/', import.meta.url));
const cases = existsSync(corpus) ? readdirSync(corpus).filter((name) => existsSync(`${corpus}${name}/image.gz`)) : [];

describe.skipIf(cases.length === 0)('images that others damaged', () => {
  test('break no rule', { timeout: LONG }, () => {
    const broken: string[] = [];
    let mounted = 0;
    for (const name of cases) {
      if (only !== undefined && !name.includes(only)) continue;
      const image = new Uint8Array(gunzipSync(readFileSync(`${corpus}${name}/image.gz`)));
      for (const mode of ['read', 'write'] as const) {
        try {
          if (runHostile(ext2fs, image, mode).mounted) mounted++;
        } catch (e) {
          broken.push(`${name}, ${mode}: ${String(e)}`);
        }
      }
    }
    console.log(`${cases.length} images of others, ${mounted} of ${2 * cases.length} mounts succeeded`);
    expect(broken).toEqual([]);
  });
});
