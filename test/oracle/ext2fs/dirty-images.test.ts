/**
 * The dirty images are dirty in the way they say, and the kernel's recovery, which is what ours is compared with
 * elsewhere, is also e2fsck's, where e2fsck can be trusted.
 */
import { createHash } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import {
  dirtyTraits,
  dirtyTraitNames,
  dirtyVariants,
  makeDirtyImages,
  recoverByE2fsck,
  type DirtyImage,
} from '../../support/dirty-images.ts';
import { debugfs } from '../../support/e2fsprogs.ts';
import { kernelTree } from '../../support/kernel-tree.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { compareTrees } from '../../support/tree.ts';

describe.skipIf(lacksOracle('root', 'loop mount', 'mke2fs', 'e2fsck', 'debugfs', 'dumpe2fs'))('dirty images', () => {
  let outDir = '';
  const made = new Map<string, DirtyImage[]>();
  beforeAll(() => {
    outDir = mkdtempSync(join(tmpdir(), 'ukfs-dirty-'));
  });
  afterAll(() => {
    rmSync(outDir, { recursive: true });
  }, 60_000);

  test.each(dirtyVariants)('$name needs recovery, shows what it is for, and kernel and e2fsck agree', (variant) => {
    const images = makeDirtyImages(variant, { outDir });
    made.set(variant.name, images);
    expect(images.length).toBe(variant.ending === 'snapshot' ? 3 : 1);
    for (const { image, tree } of images) {
      expect(dirtyTraits(image)).toEqual(expect.arrayContaining([...variant.shows]));
      expect(tree.length).toBeGreaterThan(400);
      if (variant.e2fsckAgrees) {
        recoverByE2fsck(image, `${image}.e2fsck`);
        const names = ['kernel', 'e2fsck'] as const;
        expect(compareTrees(tree, kernelTree(`${image}.e2fsck`), { names: [...names] })).toEqual([]);
      }
    }
  });

  test('every trait is shown by some variant', () => {
    const shown = new Set(dirtyVariants.flatMap(({ shows }) => shows));
    expect(dirtyTraitNames.filter((trait) => !shown.has(trait))).toEqual([]);
  });

  test('who does not replay sees another tree, or none', () => {
    for (const { image, tree, variant } of [...made.values()].flat()) {
      const lines = treeWithoutReplay(image)?.map((entry) => ({ ...entry, atime: { sec: 0, nsec: 0 } }));
      const recovered = tree.map((entry) => ({ ...entry, atime: { sec: 0, nsec: 0 } }));
      if (lines !== undefined) expect(compareTrees(lines, recovered), variant.name).not.toEqual([]);
    }
  });

  test('who forgets revoke records overwrites a file: logged blocks, revoked later, hold its contents now', () => {
    const edits = dirtyVariants.filter(({ scenario, ending }) => scenario === 'edits' && ending !== 'snapshot');
    for (const { name } of edits) {
      const { image, recovered } = made.get(name)?.[0] ?? expect.fail(`${name} was not made`);
      const [dump = ''] = debugfs(image, ['logdump -a'], { unchecked: true });
      const logged = new Set([...dump.matchAll(/FS block (\d+) logged at journal/g)].map((match) => match[1]));
      const revoked = [...dump.matchAll(/ {2}Revoke FS block (\d+)/g)].map((match) => match[1]);
      const contents = new Set(debugfs(recovered, ['blocks /filler'])[0]?.trim().split(/\s+/));
      const traps = revoked.filter((block) => logged.has(block) && contents.has(block ?? ''));
      expect(traps.length, name).toBeGreaterThan(0);
    }
  });

  test('fast commits hold every kind of record, and the kernel obeys them', () => {
    const { image, tree } = made.get('ext4-fast-commit')?.[0] ?? expect.fail('ext4-fast-commit was not made');
    const [dump = ''] = debugfs(image, ['logdump'], { unchecked: true });
    const tags = new Set([...dump.matchAll(/^tag (\w+)/gm)].map((match) => match[1]));
    const all = ['ADD_ENTRY', 'ADD_RANGE', 'CREAT_DENTRY', 'DEL_ENTRY', 'DEL_RANGE', 'HEAD', 'INODE', 'TAIL'];
    expect([...tags].sort()).toEqual(all);
    const paths = new Set(tree.map(({ path }) => path));
    const there = ['/keep/fast-1', '/keep/fast-hard-link', '/move-to/renamed', '/many/fast-in-a-large-directory'];
    expect(there.filter((path) => !paths.has(path))).toEqual([]);
    expect(['/keep/fast-2', '/keep/fast-4'].filter((path) => paths.has(path))).toEqual([]);
  });

  test('reading a tree changes no byte of a dirty image', () => {
    const { image } = made.get('ext4-orphans')?.[0] ?? expect.fail('ext4-orphans was not made');
    const before = createHash('sha256').update(readFileSync(image)).digest('hex');
    kernelTree(image);
    expect(createHash('sha256').update(readFileSync(image)).digest('hex')).toBe(before);
  });
});

/** The kernel may find the tree too damaged to walk. */
function treeWithoutReplay(image: string): ReturnType<typeof kernelTree> | undefined {
  try {
    return kernelTree(image);
  } catch {
    return undefined;
  }
}
