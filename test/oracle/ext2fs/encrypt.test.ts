/** Encrypted directories without their key: the same names and link targets as the kernel shows; contents refused. */
import { mkdtempSync, readdirSync, readlinkSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { UnsupportedError } from '../../../packages/kernel/src/kern/errno.ts';
import { vrele } from '../../../packages/kernel/src/vfs/vnode.ts';
import { mke2fs } from '../../support/ext-images.ts';
import { withKernelMount } from '../../support/kernel-tree.ts';
import { lacksOracle } from '../../support/oracle.ts';
import { runPython } from '../../support/sample-tree.ts';
import { withImage } from './walk.ts';

const script = fileURLToPath(new URL('encrypt.py', import.meta.url));
let dir = '';
beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'ukfs-encrypt-'));
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));

describe.skipIf(lacksOracle('mke2fs', 'mount'))('an encrypted directory', () => {
  // A linear one, whose names have no hash, and one with a hash tree.
  for (const count of [20, 400]) {
    test(`of ${count} names shows what the kernel shows`, () => {
      const image = join(dir, `${count}.img`);
      writeFileSync(image, '');
      truncateSync(image, 16 << 20);
      mke2fs(['-t', 'ext4', '-O', 'encrypt', image]);
      withKernelMount(image, { write: true }, (top) => runPython(script, [top, String(count)]));
      const theirs = withKernelMount(image, {}, (top) => {
        const secret = join(top, 'secret');
        return readdirSync(secret, { withFileTypes: true }).map((e) => ({
          name: e.name,
          target: e.isSymbolicLink() ? readlinkSync(join(secret, e.name)) : undefined,
        }));
      });
      withImage(image, (mp) => {
        const root = mp.type.root(mp);
        const secret = root.ops.lookup(root, 'secret')?.vp;
        if (secret === undefined) throw new Error('no /secret');
        const listed = secret.ops.readdir(secret, 0, 1000).filter(({ name }) => name !== '.' && name !== '..');
        expect(listed.map(({ name }) => name).sort()).toEqual(theirs.map(({ name }) => name).sort());
        for (const { name, target } of theirs) {
          const found = secret.ops.lookup(secret, name)?.vp;
          if (found === undefined) throw new Error(`${name} is listed but not found`);
          if (target !== undefined) expect(found.ops.readlink(found)).toBe(target);
          else if (found.type === 'reg')
            expect(() => found.ops.read(found, new Uint8Array(7), 0)).toThrow(UnsupportedError);
          vrele(found);
        }
        vrele(secret);
        vrele(root);
      });
    });
  }
});
