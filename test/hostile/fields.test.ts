/**
 * Damaged images of every format that says where its structures lie: whatever a field says, mounting, reading and editing end soon, in bounded memory, with success
 * or an FsError, and what is discarded leaves the image as it was.
 *
 * CI tries two values of each field of each structure, each on another image, and some random damage. UKFS_HOSTILE=20
 * tries twenty on each image, UKFS_HOSTILE=all every value at every place (hours); UKFS_HOSTILE_SEED begins the random damage elsewhere. A failure
 * names image, mode and damage: UKFS_HOSTILE_ONLY=<part of that name> runs that alone.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import type { FileSystemType } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import * as format from '../../packages/kernel/src/fs/ext2fs/format.ts';
import { Inode } from '../../packages/kernel/src/fs/ext2fs/inode.ts';
import { vref } from '../../packages/kernel/src/vfs/vnode.ts';
import { corpora } from '../support/corpora.ts';
import { extHostile } from '../support/ext-hostile.ts';
import { fileSystems } from '../support/file-systems.ts';
import {
  fieldMutations,
  MODES,
  Misbehaviour,
  randomMutation,
  runHostile,
  type HostileFormat,
  type HostileImage,
  type Mode,
  type Mutation,
  type Survey,
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
const prepared = new Map<HostileImage, Prepared>();

function prepare(format: HostileFormat, row: HostileImage): Prepared {
  let found = prepared.get(row);
  if (found === undefined) {
    const image = row.make();
    prepared.set(row, (found = { image, survey: format.survey(image) }));
  }
  return found;
}

let runs = 0;
let slowest = { what: '', cpuMs: 0 };

/** Run each case; throws when any broke a rule, with all that did. */
function sweep(
  type: FileSystemType,
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
      const { cpuMs } = runHostile(type, damaged, mode);
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
      else yield { mode: MODES[turn % MODES.length] ?? 'read', mutation };
    }
  }
}

const formats = fileSystems.flatMap(({ hostile }) => hostile ?? []);

describe.each(formats)('hostile images of $type.name', (format) => {
  const { type } = format;
  const lacks = lacksOracle(...format.oracles);
  afterAll(() => {
    const { maxRSS } = process.resourceUsage();
    console.log(
      `${runs} damaged images; slowest ${Math.round(slowest.cpuMs)} ms (${slowest.what}); at most ${Math.round(maxRSS / 1024)} MB`,
    );
    expect(maxRSS / 1024).toBeLessThan(2048);
  });

  describe.skipIf(lacks).each(format.images)('$name:', (row) => {
    test('undamaged it mounts and can be walked and edited', { timeout: LONG }, () => {
      const { image } = prepare(format, row);
      for (const mode of MODES) {
        const result = runHostile(type, image, mode);
        expect(result).toMatchObject({ mounted: true, corrupt: 0 });
        if (mode === 'check' || mode === 'repair') continue;
        expect(result.writable).toBe(mode !== 'read');
        expect(result.calls).toBeGreaterThan(100);
      }
    });

    test('no value of a field breaks a rule', { timeout: LONG }, () => {
      const here = prepare(format, row);
      const count = sweep(type, row.name, here.image, sample(here));
      if (only === undefined && perField > 1) expect(count).toBeGreaterThan(150);
    });

    test('no random damage breaks a rule, nor an image that ends early', { timeout: LONG }, () => {
      const { image, survey } = prepare(format, row);
      const rng = new Rng(firstSeed);
      function* cases(): Generator<{ mode: Mode; mutation: Mutation }> {
        for (let i = 0; i < RANDOM_PER_IMAGE; i++) {
          yield { mode: MODES[i % MODES.length] ?? 'read', mutation: randomMutation(rng, survey.hot, `random ${i}`) };
        }
      }
      sweep(type, row.name, image, cases());
      const ends = [0, 1023, 1024, 1500, 2048, 5000, image.length / 4, image.length / 2, image.length - 1024];
      for (const end of ends) {
        const mutation: Mutation = { label: `cut to ${end} bytes`, field: 'cut', apply: () => {} };
        for (const mode of ['read', 'write', 'check'] as const)
          sweep(type, row.name, image.slice(0, end), [{ mode, mutation }]);
      }
    });

    const { traps } = row;
    if (traps === undefined) return;
    test('maps, logs and indexes that lead into themselves come to an end', { timeout: LONG }, () => {
      const { image } = prepare(format, row);
      const cases = traps(image).flatMap((mutation) => MODES.map((mode) => ({ mode, mutation })));
      sweep(type, row.name, image, cases);
    });
  });

  test.skipIf(lacks)('every structure of the format is somewhere in these images', { timeout: LONG }, () => {
    const seen = new Set(
      format.images.flatMap((row) => prepare(format, row).survey.places.map((place) => place.table.structName)),
    );
    expect(format.tables.length).toBeGreaterThan(0);
    expect(format.tables.filter((name) => !seen.has(name) && !format.excused.includes(name))).toEqual([]);
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
    const row = extHostile.images[0] as HostileImage;
    const { image, survey } = prepare(extHostile, row);
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

const corpus = `${corpora}/e2fsprogs/`;
const cases = existsSync(corpus) ? readdirSync(corpus).filter((name) => existsSync(`${corpus}${name}/image.gz`)) : [];

describe.skipIf(cases.length === 0)('images that others damaged', () => {
  test('break no rule', { timeout: LONG }, () => {
    const broken: string[] = [];
    let mounted = 0;
    for (const name of cases) {
      if (only !== undefined && !name.includes(only)) continue;
      const image = new Uint8Array(gunzipSync(readFileSync(`${corpus}${name}/image.gz`)));
      for (const mode of ['read', 'write', 'check', 'repair'] as const) {
        try {
          if (runHostile(ext2fs, image, mode).mounted) mounted++;
        } catch (e) {
          broken.push(`${name}, ${mode}: ${String(e)}`);
        }
      }
    }
    console.log(`${cases.length} images of others, ${mounted} of ${4 * cases.length} mounts and checks succeeded`);
    expect(broken).toEqual([]);
  });
});
