/** Declares every case of every theme for one variant as vitest tests. */
import assert from 'node:assert/strict';
import { describe, test } from 'vitest';
import { O } from '@ukfs/kernel';
import type { Variant } from '../support/adapters.ts';
import { themes } from './cases/index.ts';
import { runCase } from './harness.ts';
import { fails } from './suite.ts';

export function declareSuite(variant: Variant): void {
  const { traits, readOnlyFor, known = {} } = variant;
  if (readOnlyFor !== undefined) {
    test(`${variant.name}: is mounted read-only for ${readOnlyFor}, which it names`, () => mountsReadOnly(variant));
    return;
  }
  describe(variant.name, () => {
    for (const [theme, cases] of Object.entries(themes)) {
      const applicable = cases.filter((item) => item.needs === undefined || item.needs(traits));
      if (applicable.length === 0) continue;
      describe(theme, () => {
        for (const item of applicable) {
          const reason = Object.entries(known).find(([start]) => item.name.startsWith(start))?.[1];
          if (reason === undefined) test(item.name, () => runCase(variant, item));
          else test.fails(`${item.name} (fails today: ${reason})`, () => runCase(variant, item));
        }
      });
    }
  });
}

/** An image with a feature that this version only reads: mounted read-only, said why, refused to change, left as it was. */
async function mountsReadOnly(variant: Variant): Promise<void> {
  const { k, host, mnt, mount, unmount, check } = await variant.newfs();
  const before = host.list().map((path) => host.get(path));
  mount();
  assert.equal(k.sys.statvfs(mnt).readOnly, true, 'read-only');
  const feature = k.sys.fsinfo(mnt).features.find((f) => f.name === variant.readOnlyFor);
  assert.equal(feature?.present, true, 'the feature is reported');
  assert.equal(typeof feature?.write, 'string', 'with the reason why it is not written');
  fails('EROFS', () => k.sys.open(`${mnt}/new`, O.RDWR | O.CREAT, 0o644), 'creating a file');
  fails('EROFS', () => k.sys.mkdir(`${mnt}/new`, 0o755), 'making a directory');
  unmount();
  check();
  assert.deepEqual(
    host.list().map((path) => host.get(path)),
    before,
    'every byte of the image',
  );
  k.halt();
}
