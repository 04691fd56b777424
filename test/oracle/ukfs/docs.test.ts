/** The examples of docs/ukfs.md, run one after the other: what a line is said to print (`// → …`) it must print. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { format } from 'node:util';
import { afterAll, beforeAll, expect, test } from 'vitest';
import * as ukfs from 'ukfs';
import { requireOracle } from '../../support/oracle.ts';

const page = readFileSync(new URL('../../../docs/ukfs.md', import.meta.url), 'utf8');
const examples = [...page.matchAll(/^## (.*)$|^```ts\n([\s\S]*?)^```$/gm)].reduce<{ title: string; code: string }[]>(
  (found, [, title, code]) => {
    const last = found.at(-1)?.title ?? 'introduction';
    return title === undefined
      ? [...found, { title: last.replace(/^#/, ''), code: code ?? '' }]
      : [...found, { title: `#${title}`, code: '' }];
  },
  [],
);

let dir = '';
beforeAll(() => void (dir = mkdtempSync(join(tmpdir(), 'ukfs-docs-'))));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

function makeImages(): void {
  const mke2fs = requireOracle('mke2fs');
  const tree = join(dir, 'tree/etc');
  mkdirSync(tree, { recursive: true });
  writeFileSync(join(tree, 'fstab'), '# none\n');
  const disk = join(dir, 'disk.img');
  execFileSync(mke2fs, ['-q', '-t', 'ext4', '-d', join(dir, 'tree'), disk, '8M']);
  const parts = join(dir, 'parts.img');
  writeFileSync(parts, '');
  truncateSync(parts, 32 * 1024 * 1024);
  execFileSync(requireOracle('sgdisk'), ['-o', '-n', '1:2048:+8M', '-n', '2:0:+16M', parts], { stdio: 'ignore' });
  execFileSync(mke2fs, ['-q', '-t', 'ext2', '-L', 'boot', '-E', 'offset=1048576', parts, '8M'], { stdio: 'ignore' });
  execFileSync(mke2fs, ['-q', '-t', 'ext4', '-L', 'root', '-E', `offset=${9 * 1048576}`, parts, '16M'], {
    stdio: 'ignore',
  });
}

test('there are examples', () => {
  expect(examples.filter(({ code }) => code !== '').length).toBeGreaterThan(4);
});

test('each example prints what it says', async () => {
  makeImages();
  for (const { title, code } of examples) {
    if (code === '') continue;
    const printed: string[] = [];
    const expected = [...code.matchAll(/\/\/ → (.*)$/gm)].map(([, text]) => text);
    const body = code
      .replace(/^import \{(.*)\} from 'ukfs';$/m, 'const {$1} = ukfs;')
      .replaceAll(/'((disk|parts|root)\.img[^']*)'/g, (_, name: string) => `'${dir}/${name}'`);
    const run = new Function('ukfs', 'console', `return (async () => {${body}})();`) as (
      lib: object,
      console: object,
    ) => Promise<void>;
    await run(ukfs, { log: (...values: unknown[]) => printed.push(format(...values).trimEnd()) });
    expect(printed, `${title}\n${code}`).toEqual(expected);
  }
});
