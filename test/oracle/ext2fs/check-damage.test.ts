/**
 * Damaged images: where e2fsck -fn finds an error, so does our check; where it finds none, neither do we. What we say that
 * we have repaired e2fsck -fn finds clean; what we cannot repair we leave alone.
 *
 * CI takes each field of each structure once, each on another image, and some random damage. UKFS_DAMAGE=20 takes twenty of
 * each field on each image, UKFS_DAMAGE_SEED begins elsewhere, UKFS_DAMAGE_ONLY=<part of its name> runs one alone
 * and leaves the repaired image in the temporary directory.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { afterAll, describe, expect, test } from 'vitest';
import {
  checkBytes,
  checkScratch,
  describeFindings,
  isClean,
  judge,
  removeCheckScratch,
  repairedByE2fsck,
  type Verdict,
} from '../../support/ext-check.ts';
import { corpora } from '../../support/corpora.ts';
import { debugfs, mustRun } from '../../support/e2fsprogs.ts';
import { hostileRows, makeHostileImage, surveyExt } from '../../support/ext-hostile.ts';
import { fieldMutations, randomMutation, type Mutation, type Survey } from '../../support/hostile.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { Rng } from '../../support/rng.ts';

const perField = Number(process.env['UKFS_DAMAGE'] ?? 0);
const only = process.env['UKFS_DAMAGE_ONLY'];
const firstSeed = Number(process.env['UKFS_DAMAGE_SEED'] ?? 1);
const RANDOM_PER_IMAGE = 15 * Math.max(1, perField);
const LONG = 24 * 3600 * 1000;

afterAll(removeCheckScratch);

/** Where we do not agree with e2fsck 1.47.0, and why. */
const known: readonly { readonly kind: Kind; readonly what: RegExp; readonly because: string }[] = [
  {
    kind: 'false alarm',
    what: /journal superblock: .*(first|maxlen) = .*journal first block|journal superblock: .*(first|maxlen)/,
    because: 'it does not look where a clean log begins; the kernel refuses to mount the image',
  },
  {
    kind: 'false alarm',
    what: /extent header: depth/,
    because: 'it takes the depth of inner nodes as it comes; the kernel refuses the file',
  },
  {
    kind: 'false alarm',
    what: /\(journal\).*extraIsize/,
    because: 'it does not look at these fields of an inode without a name; the kernel refuses the journal',
  },
  {
    kind: 'false alarm',
    what: /xattr entry: name(Len|Index).*inline data/,
    because: 'it is content when the inode has some attribute; the one that holds the data is not there',
  },
  {
    kind: 'false alarm',
    what: /quota file header: magic/,
    because: 'it does without a quota file that it cannot read; the kernel refuses to count',
  },
  {
    kind: 'missed',
    what: /journal superblock: .*errno = /,
    because: 'it tries to write what the journal notes, although it was asked not to, and fails; the format allows it',
  },
  {
    kind: 'false alarm',
    what: /^f_first_meta_bg_too_big/,
    because: 'it takes a descriptor block that is not there for one that is; readers refuse the image',
  },
  {
    kind: 'false alarm',
    what: /^f_ea_zero_size/,
    because: 'values without bytes in inodes of their own are not covered',
  },
  { kind: 'missed', what: /^f_bad_fname/, because: 'casefolded names that are no UTF-8 are not covered' },
  {
    kind: 'not repaired',
    what: /^f_(bad_disconnected_inode|bad_fname|badorphan|badsymlinks2|ea_inode|ea_zero_size)/,
    because:
      'what we find is repaired, and what is left is not covered: flags of reserved inodes, casefolded names, old lists of orphans, encrypted links, values without bytes',
  },
];

type Kind = 'false alarm' | 'missed' | 'not repaired';

interface Disagreement {
  readonly kind: Kind;
  readonly what: string;
}

const counts = { damages: 0, errors: 0, repaired: 0, left: 0, known: 0 };

function compare(label: string, damaged: Uint8Array): Disagreement | undefined {
  const theirs = judge(damaged);
  // A tool that was killed, or crashed, has not judged.
  if (theirs.status < 0 || theirs.output.includes('Signal (')) return undefined;
  const ours = checkBytes(damaged);
  counts.damages++;
  if (theirs.status !== 0) counts.errors++;
  if (only !== undefined) console.log(`${label}: ${describeFindings(ours)}\n${theirs.status} ${theirs.output}`);
  // Questions answered with "no" whose answer does not count for its status: either verdict is right.
  const isUndecided = theirs.status === 0 && /\? no$/m.test(theirs.output);
  if (!isUndecided && (theirs.status === 0) !== isClean(ours)) {
    return theirs.status === 0
      ? { kind: 'false alarm', what: `${label}: ${describeFindings(ours)}` }
      : { kind: 'missed', what: `${label}: ${said(theirs)}` };
  }
  return isClean(ours) || ours.summary === undefined ? undefined : repair(label, damaged);
}

/** What is left is no disagreement: then nothing would have been changed. */
function repair(label: string, damaged: Uint8Array): Disagreement | undefined {
  const image = damaged.slice();
  const done = checkBytes(image, 'all');
  if (done.summary === undefined || done.summary.left > 0) {
    counts.left++;
    return undefined;
  }
  const again = checkBytes(image);
  const theirs = judge(image);
  if (only !== undefined) writeFileSync(join(tmpdir(), 'ukfs-damage.img'), image);
  if (theirs.status === 0 && isClean(again)) {
    counts.repaired++;
    return undefined;
  }
  return {
    kind: 'not repaired',
    what: `${label}: ${describeFindings(done)}: ${said(theirs)} ${describeFindings(again)}`,
  };
}

function said({ status, output }: Verdict): string {
  const lines = output.split('\n').filter((line) => line !== '' && !/^(e2fsck \d|Pass \d)/.test(line));
  return `${status} ${lines.slice(0, 3).join(' / ')}`;
}

/** Disagreements that nobody has explained. */
function unexplained(found: readonly (Disagreement | undefined)[]): string[] {
  return found.flatMap((one) => {
    if (one === undefined) return [];
    if (known.some(({ kind, what }) => kind === one.kind && what.test(one.what))) {
      counts.known++;
      return [];
    }
    return [`${one.kind}: ${one.what}`];
  });
}

function byField(image: Uint8Array, survey: Survey): ReadonlyMap<string, Mutation[]> {
  const fields = new Map<string, Mutation[]>();
  for (const place of survey.places) {
    for (const mutation of fieldMutations(image, place, survey.limits)) {
      const list = fields.get(mutation.field);
      if (list === undefined) fields.set(mutation.field, [mutation]);
      else list.push(mutation);
    }
  }
  return fields;
}

/** One random damage again, by the seed that its name tells. */
class NamedSeed extends Rng {
  readonly #seed: number;
  constructor(seed: number) {
    super(0);
    this.#seed = seed;
  }
  override next(): number {
    return this.#seed;
  }
}

/** Fields that were damaged on an image before: the others are for the next ones. */
const done = new Set<string>();

function* damages(image: Uint8Array, seed: number): Generator<Mutation> {
  const survey = surveyExt(image);
  const rng = new Rng(seed);
  for (const [field, list] of byField(image, survey)) {
    if (only !== undefined) yield* list;
    else if (perField > 0) yield* rng.shuffle(list).slice(0, perField);
    else if (!done.has(field) && (rng.oneIn(2) || !field.includes('superblock'))) {
      done.add(field);
      yield rng.pick(list);
    }
  }
  const [, named] = /seed 0x([0-9a-f]+)/.exec(only ?? '') ?? [];
  if (named !== undefined) yield randomMutation(new NamedSeed(Number.parseInt(named, 16)), survey.hot, 'random damage');
  for (let i = 0; i < RANDOM_PER_IMAGE; i++) yield randomMutation(rng, survey.hot, `random damage ${i}`);
}

describe.skipIf(lacksOracle('mke2fs', 'e2fsck', 'debugfs', 'tune2fs'))('damaged images', () => {
  test.each(hostileRows.map((row, i) => [row.name, { ...row, mmp: false }, i] as const))(
    '%s: our verdict is that of e2fsck, and what we repair is clean',
    { timeout: LONG },
    (_, row, index) => {
      const image = repairedByE2fsck(makeHostileImage(row));
      const found: (Disagreement | undefined)[] = [];
      for (const mutation of damages(image, firstSeed * 1000 + index)) {
        if (only !== undefined && !mutation.label.includes(only)) continue;
        const damaged = image.slice();
        mutation.apply(damaged);
        found.push(compare(`${row.name}, ${mutation.label}`, damaged));
      }
      expect(unexplained(found)).toEqual([]);
    },
  );

  test.each(['freed', 'never used'])('an inode that is %s has to have its checksum, too', (kind) => {
    const path = join(checkScratch(), 'free.img');
    const file = join(checkScratch(), 'file');
    writeFileSync(file, 'x');
    mustRun('mke2fs', ['-q', '-F', '-t', 'ext4', path, '2M']);
    debugfs(path, [`write ${file} a`, `write ${file} b`, `rm a`, ...(kind === 'freed' ? [] : ['clri <12>'])], {
      write: true,
    });
    const [place] = debugfs(path, ['imap <12>']);
    const [, block, offset] = /block (\d+), offset 0x([0-9a-f]+)/.exec(place ?? '') ?? [];
    const image = new Uint8Array(readFileSync(path));
    expect(isClean(checkBytes(image))).toBe(true);
    const at = Number(block) * 1024 + Number.parseInt(offset ?? '', 16);
    image[at + 200] = 1;
    expect(compare(kind, image)).toBeUndefined();
    expect(checkBytes(image).findings).toMatchObject([{ code: 'inode-checksum', where: { ino: 12 } }]);
  });

  const corpus = join(corpora, 'e2fsprogs');
  const cases = existsSync(corpus)
    ? readdirSync(corpus).filter((name) => name.startsWith('f_') && existsSync(join(corpus, name, 'image.gz')))
    : [];
  if (cases.length > 0)
    test('images that others damaged', { timeout: LONG }, () => {
      const found = cases.map((name) =>
        compare(name, new Uint8Array(gunzipSync(readFileSync(join(corpus, name, 'image.gz'))))),
      );
      expect(unexplained(found)).toEqual([]);
    });

  test.each(['DIND', 'IND'])('a %s block of the resize inode names no block too many', (kind) => {
    const path = join(checkScratch(), 'resize.img');
    mustRun('mke2fs', ['-q', '-F', '-t', 'ext2', '-b', '1024', path, '16M']);
    const [told] = debugfs(path, ['stat <7>']);
    const [, block] = new RegExp(`\\(${kind}\\):(\\d+)`).exec(told ?? '') ?? [];
    const image = new Uint8Array(readFileSync(path));
    expect(isClean(checkBytes(image))).toBe(true);
    // The last pointer of the block, to a block that is free.
    image.set([0x00, 0x20], Number(block) * 1024 + 1020);
    expect(compare(kind, image)).toBeUndefined();
    expect(checkBytes(image).findings).toMatchObject([{ code: 'resize-inode' }]);
  });

  test('there were enough of them', () => {
    const { damages: all, errors, repaired, left, known: explained } = counts;
    console.log(
      `${all} damages, ${errors} errors by e2fsck, ${repaired} repaired, ${left} left, ${explained} explained`,
    );
    if (only === undefined) expect(errors).toBeGreaterThan(200);
  });
});
