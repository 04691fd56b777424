/**
 * The host's own kernel as the third: it mounts what we wrote and finds the model's tree in it; and given the same steps on
 * the same fresh image it comes to the same outcomes and the same tree, which we read from its image.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';
import type { Variant } from '../support/adapters.ts';
import { fileSystems } from '../support/file-systems.ts';
import { hostTree, withKernelMount } from '../support/kernel-tree.ts';
import { lacksOracle } from '../support/oracle.ts';
import { Rng } from '../support/rng.ts';
import { runPython } from '../support/sample-tree.ts';
import { compareTrees, contentDigest, type TreeEntry } from '../support/tree.ts';
import { treeDifference } from './compare.ts';
import { EFFORT, LONG, SEED, wanted } from './effort.ts';
import { Generator, plainWeights } from './generate.ts';
import type { Model, ModelNode } from './model.ts';
import { Pair } from './play.ts';
import { outcomeText, stepText, type Outcome, type Step } from './steps.ts';
import { Subject } from './subject.ts';

const script = fileURLToPath(new URL('kernel-steps.py', import.meta.url));
const STEPS = 150 * EFFORT;

/** Calls that only look would have to be answered in the same words; what they see is in the trees. */
const weights = { ...plainWeights, read: 0, pread: 0, readdir: 0, readlink: 0 };

/** What each says where both are right: the manual pages name other errnos, or the order of checks is another. */
const sameMeaning: readonly (readonly [op: Step['op'], ours: string, theirs: string])[] = [
  ['unlink', 'EPERM', 'EISDIR'],
  ['unlink', 'EBUSY', 'EISDIR'],
  ['removexattr', 'ENOATTR', 'ENODATA'],
  ['link', 'EPERM', 'EEXIST'],
  ['link', 'EPERM', 'ENOENT'],
  ['link', 'EPERM', 'ENOTDIR'],
  ['link', 'EPERM', 'EXDEV'],
  ['link', 'EPERM', 'ENAMETOOLONG'],
  ['rename', 'EBUSY', 'EXDEV'],
  ['rename', 'ENOENT', 'EXDEV'],
  ['allocate', 'EOPNOTSUPP', 'ENOTSUP'],
  ['rename', 'EISDIR', 'ENOTEMPTY'],
  ['rename', 'ENOTDIR', 'EINVAL'],
];

/** What a kernel does not agree on by nature: clocks, inode numbers, flags of its own. */
const ignore = ['atime', 'mtime', 'ctime', 'btime', 'ino', 'flags'] as const;

let outcomes = 0;
afterAll(() => console.log(`model, kernel: ${outcomes} steps done by the host's kernel as well`));

interface Run {
  readonly steps: readonly Step[];
  readonly said: readonly Outcome[];
  readonly fresh: Uint8Array;
  readonly bytes: Uint8Array;
  readonly tree: readonly TreeEntry[];
  readonly model: Model;
  readonly reserved: ReadonlySet<string>;
}

/** Our side: the steps that the generator finds, how each ended, and the images before and after. */
async function ours(variant: Variant): Promise<Run> {
  const pair = await Pair.open(variant);
  try {
    const { disk } = pair.subject.instance;
    if (disk === undefined) throw new Error(`${variant.name} has no disk`);
    const fresh = disk.bytes().slice();
    const around = { traits: variant.traits, weights, reserved: pair.reserved, tameModes: true };
    const generator = new Generator(new Rng(SEED), pair.model, { ...around, pieceMax: 20_000, farMax: 200_000 });
    const steps: Step[] = [];
    const said: Outcome[] = [];
    const take = (step: Step): void => {
      const problem = pair.step(step);
      if (problem !== undefined) throw new Error(problem);
      steps.push(step);
      said.push(pair.last);
    };
    // Half full is as far as it goes: when there is no space left is each file system's own affair.
    for (let i = 0; i < STEPS && pair.subject.space().freeBytes * 2 > variant.traits.capacityBytes; i++)
      take(generator.next({ isFull: false }));
    take({ op: 'compare', judge: true });
    const { model, reserved } = pair;
    return { steps, said, fresh, bytes: disk.bytes().slice(), tree: modelTree(model), model, reserved };
  } finally {
    pair.close();
  }
}

function modelTree(model: Model): TreeEntry[] {
  return [...model.paths()].map(({ path, node }) => entryOf(path, node));
}

function entryOf(path: string, node: ModelNode): TreeEntry {
  const { type, mode, uid, gid, nlink, atime, mtime, ctime, content, target, rdev, id } = node;
  const size = content?.size ?? target?.length ?? 0;
  const xattrs = Object.fromEntries(
    [...node.xattrs].map(([name, value]) => [name, Buffer.from(value).toString('hex')]),
  );
  return {
    ...{ path, type, mode, uid, gid, nlink, size, ino: id, atime, mtime, ctime, xattrs },
    ...(rdev === undefined ? {} : { rdev }),
    ...(target === undefined ? {} : { target }),
    ...(content === undefined ? {} : contentDigest(size, content.data())),
  };
}

/** Sizes of directories are each one's own; so is what the format keeps in its root. */
const comparable = (tree: readonly TreeEntry[], reserved: ReadonlySet<string>): TreeEntry[] =>
  tree
    .filter(({ path }) => ![...reserved].some((own) => path === own || path.startsWith(`${own}/`)))
    .map((entry) => (entry.type === 'dir' ? { ...entry, size: 0 } : entry));

/** The pipe takes a byte for each character. */
const asciiJson = (value: unknown): string =>
  JSON.stringify(value).replaceAll(/[^ -~]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, '0')}`);

const agree = (op: Step['op'], is: string, theirs: string): boolean =>
  is === theirs || sameMeaning.some(([of, a, b]) => of === op && a === is && b === theirs);

for (const { type, oracles, variants, kernel } of fileSystems) {
  if (kernel === undefined) continue;
  describe.skipIf(lacksOracle(...oracles, 'loop mount', 'python3'))(type.name, () => {
    const writable = wanted(variants(type)).filter(({ readOnlyFor }) => readOnlyFor === undefined);
    const mount = { type: kernel.type, options: kernel.options };

    test.each(writable)('$name: same outcomes, same trees', { timeout: LONG }, async (variant) => {
      const run = await ours(variant);
      const dir = mkdtempSync(join(tmpdir(), 'ukfs-model-'));
      try {
        const image = join(dir, 'image');
        const differ = (tree: readonly TreeEntry[], name: string): string[] =>
          compareTrees(comparable(run.tree, run.reserved), comparable(tree, run.reserved), {
            ignore,
            names: ['model', name],
          });

        writeFileSync(image, run.bytes);
        expect(withKernelMount(image, mount, (at) => differ(hostTree(at), 'the kernel, of what we wrote'))).toEqual([]);

        writeFileSync(image, run.fresh);
        const theirs = withKernelMount(image, { ...mount, write: true }, (at) => {
          const told: unknown = JSON.parse(runPython(script, [at], asciiJson(run.steps)));
          if (!Array.isArray(told)) throw new TypeError('no outcomes');
          expect(differ(hostTree(at), 'the kernel')).toEqual([]);
          return told.map(String);
        });
        const unlike = run.steps.flatMap((step, i) => {
          const [is, their] = [outcomeText(run.said[i] ?? { code: 'none' }), theirs[i] ?? 'none'];
          return agree(step.op, is, their) ? [] : [`${stepText(step)}: ${is}, the kernel ${their}`];
        });
        expect(unlike).toEqual([]);
        outcomes += theirs.length;
        expect(await readAgain(variant, new Uint8Array(readFileSync(image)), run.model)).toBeUndefined();
      } finally {
        rmSync(dir, { recursive: true, force: true });
      }
    });
  });
}

/** The kernel's image, by our reader. */
async function readAgain(variant: Variant, bytes: Uint8Array, model: Model): Promise<string | undefined> {
  const instance = await variant.newfs(bytes);
  try {
    instance.mount({ readOnly: true });
    const subject = new Subject(instance, { persistent: variant.traits.persistent });
    return treeDifference(model, subject, { times: false });
  } finally {
    instance.k.halt();
  }
}
