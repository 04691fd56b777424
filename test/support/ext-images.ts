/**
 * Makes the images of ext-variants.ts, always the same way: own mke2fs.conf, fixed UUIDs and hash seed, fixed clock for
 * mke2fs. Every image is clean by e2fsck before anyone sees it. (What the kernel fills has its times and its layout.)
 */
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { assertClean, debugfs, mustRun, runProgram } from './e2fsprogs.ts';
import { mke2fsConfig, type ExtVariant, type Step } from './ext-variants.ts';
import { debugfsTree, kernelTree, withKernelMount } from './kernel-tree.ts';
import { fullTree, makeSampleTree, smallTree, type TreeOptions } from './sample-tree.ts';
import type { TreeEntry } from './tree.ts';

export { extVariants, heavyExtVariants, type ExtVariant } from './ext-variants.ts';

const UUID = '2b5c0b1e-7a3f-4c57-9c0a-5d1f6e8a9b10';
const HASH_SEED = 'd3f1a2b4-c5d6-4e7f-8091-a2b3c4d5e6f7';
/** 2024-01-01, seconds. mke2fs 1.47.0 knows only the second name. */
const FIXED_CLOCK = { SOURCE_DATE_EPOCH: '1704067200', E2FSPROGS_FAKE_TIME: '1704067200' };

export interface MakeImageOptions {
  /** Where the image goes, as `<variant>.img`. */
  readonly outDir: string;
  /** For mke2fs -d, in place of the variant's own sample tree. The kernel fills with the sample tree always. */
  readonly treeDir?: string;
}

/** Make the image of a variant; its path. Throws when any tool complains or e2fsck -fn finds anything. */
export function makeImage(variant: ExtVariant, { outDir, treeDir }: MakeImageOptions): string {
  const image = join(outDir, `${variant.name}.img`);
  rmSync(image, { force: true });
  const fd = openSync(image, 'wx', 0o600);
  ftruncateSync(fd, variant.sizeBytes);
  closeSync(fd);
  const source = variant.populate === 'mke2fs' ? ['-d', treeDir ?? sourceTree(treeOptions(variant))] : [];
  mke2fs([...variant.mke2fsArgs, '-b', String(variant.blockSize), ...source, image]);
  if (variant.populate === 'kernel') {
    withKernelMount(image, { write: true }, (dir) => makeSampleTree(dir, treeOptions(variant)));
  }
  for (const step of variant.after ?? []) runStep(step, image, variant);
  assertClean(image);
  return image;
}

/** mke2fs with our configuration, seed and clock, for images of one's own. The last argument is the image. */
export function mke2fs(args: readonly string[]): void {
  const dir = mkdtempSync(join(tmpdir(), 'ukfs-mke2fs-'));
  try {
    const config = join(dir, 'mke2fs.conf');
    writeFileSync(config, mke2fsConfig);
    // mke2fs heeds the last -E only, and the seed is one.
    const extended = args.flatMap((arg, index) => (args[index - 1] === '-E' ? [arg] : []));
    const others = args.filter((arg, index) => arg !== '-E' && args[index - 1] !== '-E');
    mustRun('mke2fs', ['-q', '-F', '-U', UUID, '-E', [`hash_seed=${HASH_SEED}`, ...extended].join(','), ...others], {
      env: { ...FIXED_CLOCK, MKE2FS_CONFIG: config },
    });
  } finally {
    rmSync(dir, { recursive: true });
  }
}

/** What the sample tree of this variant holds. */
export function treeOptions(variant: ExtVariant): TreeOptions {
  const base = variant.size === 'full' ? fullTree : smallTree;
  return { ...base, blockSize: variant.blockSize, ...variant.tree };
}

function runStep(step: Step, image: string, variant: ExtVariant): void {
  if (step.tool === 'debugfs') debugfs(image, step.commands, { write: true });
  else if (step.tool === 'kernel') {
    const { into, tree } = step;
    withKernelMount(image, { write: true }, (dir) => {
      mkdirSync(join(dir, into));
      makeSampleTree(join(dir, into), { ...treeOptions(variant), ...tree });
    });
  } else {
    const args = step.args.includes('IMAGE')
      ? step.args.map((arg) => (arg === 'IMAGE' ? image : arg))
      : [...step.args, image];
    // e2fsck says 1 when it has corrected something, which is why it was called.
    mustRun(step.tool, args, { allowed: step.tool === 'e2fsck' ? [0, 1] : [0] });
  }
}

/** The image of a variant, made once per process. Do not write to it: copyImage() it first. */
export function cachedImage(variant: ExtVariant): string {
  return cached(images, variant.name, () => makeImage(variant, { outDir: cacheDir() }));
}

/** The tree that any reader must find in the cached image: the kernel's, or debugfs's (then without xattrs). */
export function expectedTree(variant: ExtVariant): readonly TreeEntry[] {
  return cached(trees, variant.name, () =>
    variant.kernelMounts ? kernelTree(cachedImage(variant)) : debugfsTree(cachedImage(variant)),
  );
}

/** The host directory that mke2fs -d reads, made once per process for each set of options. */
export function sourceTree(options: TreeOptions): string {
  return cached(sources, JSON.stringify(options), () => {
    const dir = mkdtempSync(join(cacheDir(), 'tree-'));
    makeSampleTree(dir, options);
    return dir;
  });
}

/** A copy to write to, holes kept. */
export function copyImage(image: string, copy: string): string {
  const { status, output } = runProgram('cp', ['--sparse=always', image, copy]);
  if (status !== 0) throw new Error(output);
  return copy;
}

/** Remove every cached image and tree. For `afterAll`: vitest ends its workers without the exit that would do it. */
export function removeCachedImages(): void {
  for (const map of [images, trees, sources]) map.clear();
  if (directory !== undefined) rmSync(directory, { recursive: true, force: true });
  directory = undefined;
}

/** Remove one, for a matrix that uses each image once. */
export function removeCachedImage(variant: ExtVariant): void {
  const image = images.get(variant.name);
  if (image !== undefined) rmSync(image, { force: true });
  images.delete(variant.name);
  trees.delete(variant.name);
}

const images = new Map<string, string>();
const trees = new Map<string, readonly TreeEntry[]>();
const sources = new Map<string, string>();
let directory: string | undefined;

/** A directory of this process, 0700, removed when it ends. */
function cacheDir(): string {
  if (directory === undefined) {
    directory = mkdtempSync(join(tmpdir(), 'ukfs-ext-'));
    process.once('exit', removeCachedImages);
  }
  return directory;
}

function cached<V>(map: Map<string, V>, key: string, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const value = make();
  map.set(key, value);
  return value;
}
