/** The repository obeys tools/tidy.ts; and every rule there catches what it is for, shown on a planted violation. */
import { readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { blank, isInteresting, parseImports, tidy, unusedExports, type Rule } from './tidy.ts';

const root = fileURLToPath(new URL('..', import.meta.url));

describe('the repository', () => {
  const repository = readRepository();
  const report = tidy(repository);

  test('was seen at all', () => {
    expect(report.modules).toBeGreaterThan(30);
    expect(report.imports).toBeGreaterThan(report.modules);
  });

  test('keeps its own rules', () => {
    const all = [...report.findings, ...unusedExports(repository)];
    const lines = all.map(({ rule, path, line, message }) => `${path}:${line}: [${rule}] ${message}`);
    expect(lines).toEqual([]);
  });
});

/** A small repository without a fault; the planted violations are made in it. */
const good: Readonly<Record<string, string>> = {
  'packages/kernel/src/index.ts': `export { a } from './kern/a.ts';\nexport type { Host } from './hypercall/hypercall.ts';`,
  'packages/kernel/src/all.ts': `import { xfs } from './fs/xfs/probe.ts';\nexport const all = [xfs];`,
  'packages/kernel/src/kern/a.ts': `import type { Host } from '../hypercall/hypercall.ts';\nexport const a = 'no DataView, any or async in text';`,
  'packages/kernel/src/kern/struct.ts': `export const view = (b: ArrayBuffer) => new DataView(b).getUint16(0);`,
  'packages/kernel/src/kern/ids.ts': `export type Ino = number;`,
  'packages/kernel/src/kern/module.ts': `export async function init() { await import('./a.ts'); }`,
  'packages/kernel/src/hypercall/hypercall.ts': `export interface Host { now(): number }`,
  'packages/kernel/src/hypercall/node.ts': `import { openSync } from 'node:fs';\nimport type { Host } from './hypercall.ts';\nexport const h: Host = { now: () => Date.now() };\nprocess.once('exit', () => openSync('/', 'r'));`,
  'packages/kernel/src/dev/blockdev.ts': `import type { Host } from '../hypercall/hypercall.ts';\nexport interface BlockDevice { host: Host }`,
  'packages/kernel/src/vfs/vnode.ts': `import type { BlockDevice } from '../dev/blockdev.ts';\nimport { a } from '../kern/a.ts';\nexport const v = (d: BlockDevice) => [a, d];`,
  'packages/kernel/src/vfs/namei.ts': `export const walk = (p: string) => p.split('/');`,
  ...fsFolder('xfs'),
  'packages/ukfs/src/ukfs.ts': `import { a } from '@ukfs/kernel';\nexport const open = async () => [a, await import('@ukfs/kernel/host/node')];`,
  'packages/ukfs/src/remote/thread.ts': `import { Worker } from 'node:worker_threads';\nexport const w = Worker;`,
  'packages/fsu-cli/src/bin.ts': `import process from 'node:process';\nconsole.log(process.argv);`,
  'packages/fsu-cli/src/ls.ts': `import type { Host } from '@ukfs/kernel';\nimport { open } from 'ukfs';\nexport const ls = (h: Host, path: string) => [open, h, path.split('/')];`,
};

function fsFolder(name: string): Record<string, string> {
  const dir = `packages/kernel/src/fs/${name}`;
  const files = ['superblock', 'inode', 'bmap', 'alloc', 'dir', 'vnops', 'vfsops', 'mkfs', 'check'];
  return {
    ...Object.fromEntries(files.map((file) => [`${dir}/${file}.ts`, `export const ${file} = 1;`])),
    [`${dir}/index.ts`]: `import { vnops } from './vnops.ts';\nimport { probe } from './probe.ts';\nexport const fs = { vnops, probe };`,
    [`${dir}/probe.ts`]: `import { MAGIC } from './format.ts';\nexport const probe = { MAGIC, load: () => import('./index.ts') };`,
    [`${dir}/format.ts`]: `import { view } from '../../kern/struct.ts';\nexport const MAGIC = [view];`,
    [`${dir}/format.test.ts`]: `import { MAGIC } from './format.ts';`,
    [`docs/fs/${name}.md`]: `# ${name}`,
    [`test/support/${name}.ts`]: `import { fs } from '@ukfs/kernel/fs/${name}';`,
  };
}

function rulesBroken(changes: Readonly<Record<string, string | undefined>>): string[] {
  const files = new Map(
    Object.entries({ ...good, ...changes }).filter((entry): entry is [string, string] => entry[1] !== undefined),
  );
  return tidy(files).findings.map(({ rule, path }) => `${rule} ${path}`);
}

test('a repository without a fault has no findings', () => {
  expect(tidy(new Map(Object.entries(good))).findings).toEqual([]);
});

const K = 'packages/kernel/src';
const planted: [title: string, rule: Rule, path: string, text: string | undefined][] = [
  ['kern imports vfs', 'import', `${K}/kern/b.ts`, `import { v } from '../vfs/vnode.ts';`],
  [
    'kern imports a value of the hypercalls',
    'import',
    `${K}/kern/b.ts`,
    `import { X } from '../hypercall/hypercall.ts';`,
  ],
  [
    'kern imports the Node host, if only a type',
    'import',
    `${K}/kern/b.ts`,
    `import type { h } from '../hypercall/node.ts';`,
  ],
  ['hypercall imports dev', 'import', `${K}/hypercall/b.ts`, `import type { BlockDevice } from '../dev/blockdev.ts';`],
  [
    'hypercall imports node: outside node.ts',
    'import',
    `${K}/hypercall/memory.ts`,
    `import { openSync } from 'node:fs';`,
  ],
  ['dev imports vfs', 'import', `${K}/dev/b.ts`, `import { v } from '../vfs/vnode.ts';`],
  ['vfs imports a file system', 'import', `${K}/vfs/b.ts`, `import { vnops } from '../fs/xfs/vnops.ts';`],
  [
    'vfs imports a file system lazily',
    'import',
    `${K}/vfs/b.ts`,
    `export const l = () => import('../fs/xfs/index.ts');`,
  ],
  ['vfs imports a value of dev', 'import', `${K}/vfs/b.ts`, `import { BlockDevice } from '../dev/blockdev.ts';`],
  [
    'vfs imports dev with an inline type',
    'import',
    `${K}/vfs/b.ts`,
    `import { type BlockDevice } from '../dev/blockdev.ts';`,
  ],
  ['vfs imports more of dev than blockdev', 'import', `${K}/vfs/b.ts`, `import type { Stage } from '../dev/stage.ts';`],
  ['an fs imports the stage', 'import', `${K}/fs/xfs/dir.ts`, `import type { Stage } from '../../dev/stage.ts';`],
  [
    'an fs imports the host',
    'import',
    `${K}/fs/xfs/dir.ts`,
    `import type { Host } from '../../hypercall/hypercall.ts';`,
  ],
  ['an fs imports node:', 'import', `${K}/fs/xfs/dir.ts`, `import { readFileSync } from 'node:fs';`],
  ['an fs imports another', 'import', `${K}/fs/xfs/dir.ts`, `import {\n  MAGIC,\n} from '../yfs/format.ts';`],
  [
    'an fs imports a base that it is not built on',
    'import',
    `${K}/fs/xfs/dir.ts`,
    `import { x } from '../ufs/dir.ts';`,
  ],
  ['an fs imports the kernel root', 'import', `${K}/fs/xfs/dir.ts`, `import { a } from '../../index.ts';`],
  ['the kernel depends on a package', 'import', `${K}/fs/xfs/dir.ts`, `import pako from 'pako';`],
  ['a format imports logic', 'import', `${K}/fs/xfs/format.ts`, `import { dir } from './dir.ts';`],
  ['a format imports more of kern', 'import', `${K}/fs/xfs/format.ts`, `import { a } from '../../kern/a.ts';`],
  ['a probe loads the file system at once', 'import', `${K}/fs/xfs/probe.ts`, `import { check } from './check.ts';`],
  [
    'a relative import leaves the package',
    'import',
    'packages/ukfs/src/b.ts',
    `import { a } from '../../kernel/src/index.ts';`,
  ],
  ['ukfs imports node:', 'import', 'packages/ukfs/src/b.ts', `import { join } from 'node:path';`],
  ['ukfs imports what is for tests', 'import', 'packages/ukfs/src/b.ts', `import { t } from '@ukfs/kernel/testing';`],
  ['ukfs imports the CLI', 'import', 'packages/ukfs/src/b.ts', `import { t } from 'fsu-cli';`],
  ['the CLI imports kernel values', 'import', 'packages/fsu-cli/src/b.ts', `import { a } from '@ukfs/kernel';`],
  [
    'the CLI imports kernel internals',
    'import',
    'packages/fsu-cli/src/b.ts',
    `import { a } from '@ukfs/kernel/fs/xfs';`,
  ],
  [
    'the CLI imports node: outside its edge',
    'import',
    'packages/fsu-cli/src/b.ts',
    `import { readFileSync } from 'node:fs';`,
  ],
  ['fs-extra outside the host door', 'import', 'packages/fsu-cli/src/b.ts', `import { copy } from 'fs-extra';`],
  [
    'export from counts as an import',
    'import',
    `${K}/kern/b.ts`,
    `export { v } from '../vfs/vnode.ts';\nexport const b = 1;`,
  ],
  ['a bare import counts as an import', 'import', `${K}/kern/b.ts`, `import '../vfs/vnode.ts';`],
  ['a cycle', 'cycle', `${K}/kern/a.ts`, `import { a } from './a.ts';\nexport const b = a;`],
  ['default export', 'default-export', `${K}/kern/b.ts`, `export default function f() {}`],
  ['default export by renaming', 'default-export', `${K}/kern/b.ts`, `const f = 1;\nexport { f as default };`],
  ['a barrel', 'barrel', `${K}/vfs/b.ts`, `// front\nexport * from './vnode.ts';\nexport * from './namei.ts';`],
  [
    'DataView in a file system',
    'byte-order',
    `${K}/fs/xfs/dir.ts`,
    `export const d = new DataView(new ArrayBuffer(1));`,
  ],
  ['getUint in a file system', 'byte-order', `${K}/fs/xfs/dir.ts`, `export const d = (v: V) => v.getUint32(0, true);`],
  ['Buffer in the kernel', 'buffer', `${K}/vfs/b.ts`, `export const b = Buffer.alloc(1);`],
  ['Buffer as a type', 'buffer', `${K}/vfs/b.ts`, `export const f = (b: Buffer) => b;`],
  [
    'paths split in a file system',
    'path-split',
    `${K}/fs/xfs/dir.ts`,
    `export const d = (p: string) => p.split('/').length;`,
  ],
  ['paths split in ukfs', 'path-split', 'packages/ukfs/src/b.ts', 'export const d = (p: string) => p.split("/");'],
  ['Date.now', 'host', `${K}/vfs/b.ts`, `export const t = Date.now();`],
  ['new Date()', 'host', `${K}/vfs/b.ts`, `export const t = new Date();`],
  ['Math.random', 'host', 'packages/ukfs/src/b.ts', `export const t = Math.random();`],
  ['process', 'host', `${K}/vfs/b.ts`, `export const t = process.pid;`],
  ['console', 'host', 'packages/ukfs/src/b.ts', `console.log('x');`],
  ['any as a type', 'any', `${K}/vfs/b.ts`, `export const f = (x: any) => x;`],
  ['any as an argument', 'any', `${K}/vfs/b.ts`, `export const m = new Map<string, any>();`],
  ['as any', 'any', 'packages/fsu-cli/src/b.ts', `export const m = 1 as any;`],
  ['any[]', 'any', `${K}/vfs/b.ts`, `export const m: any[] = [];`],
  ['!.', 'non-null', `${K}/vfs/b.ts`, `export const f = (x?: { y: number }) => x!.y;`],
  ['[0]!', 'non-null', `${K}/vfs/b.ts`, `export const f = (x: number[]) => x[0]!;`],
  ['! before a colon', 'non-null', `${K}/vfs/b.ts`, `export const f = (a: boolean, x?: number) => (a ? x! : 0);`],
  ['@ts-ignore', 'ts-comment', `${K}/vfs/b.ts`, `// @ts-ignore\nexport const f = 1;`],
  ['enum', 'enum', `${K}/vfs/b.ts`, `export enum E { A }`],
  ['const enum', 'enum', `${K}/vfs/b.ts`, `const enum E { A }`],
  ['namespace', 'enum', `${K}/vfs/b.ts`, `export namespace N { export const a = 1; }`],
  ['async function', 'async', `${K}/vfs/b.ts`, `export async function read() {}`],
  ['async arrow', 'async', `${K}/vfs/b.ts`, `export const read = async () => 1;`],
  ['async method', 'async', `${K}/fs/xfs/vnops.ts`, `export const vnops = {\n  async read() {},\n};`],
  ['utils.ts', 'file-name', `${K}/vfs/utils.ts`, `export const u = 1;`],
  ['helpers.test.ts', 'file-name', `${K}/vfs/helpers.test.ts`, `export const u = 1;`],
];

describe('a planted violation is found:', () => {
  test.each(planted)('%s', (_title, rule, path, text) => {
    const broken = rulesBroken(
      rule === 'cycle'
        ? { [path]: `import { b } from './b.ts';\nexport const a = b;`, [`${K}/kern/b.ts`]: text }
        : { [path]: text },
    );
    expect(broken.map((line) => line.split(' ')[0])).toContain(rule);
    expect(new Set(broken.map((line) => line.split(' ')[0]))).toEqual(new Set([rule]));
  });

  test.each([
    'index',
    'probe',
    'format',
    'superblock',
    'inode',
    'bmap',
    'alloc',
    'dir',
    'vnops',
    'vfsops',
    'mkfs',
    'check',
  ])('a file system without %s.ts', (file) => {
    expect(rulesBroken({ [`${K}/fs/xfs/${file}.ts`]: undefined })).toEqual([`fs-folder ${K}/fs/xfs/`]);
  });

  test.each([`${K}/fs/xfs/format.test.ts`, 'docs/fs/xfs.md', 'test/support/xfs.ts'])(
    'a file system without %s',
    (path) => {
      expect(rulesBroken({ [path]: undefined })).toEqual([`fs-folder ${K}/fs/xfs/`]);
    },
  );
});

test('an export that nobody imports is found, comments are no users, and fronts of packages need none', () => {
  const found = unusedExports(
    new Map([
      [`${K}/index.ts`, `export { used } from './kern/a.ts';\nexport const front = 1;`],
      [`${K}/kern/a.ts`, `export const used = 1;\nexport function alone() {}\nexport interface Shape {}`],
      [`${K}/kern/b.ts`, `// alone is not used here\nexport const b = 'alone';`],
      ['test/x.test.ts', `import { b } from '../${K}/kern/b.ts';`],
    ]),
  );
  expect(found.map(({ path, line, message }) => `${path}:${line} ${message}`)).toEqual([
    `${K}/kern/a.ts:2 nobody imports alone`,
    `${K}/kern/a.ts:3 nobody imports Shape`,
  ]);
});

describe('what is allowed stays allowed:', () => {
  test.each([
    [
      'types may form a cycle',
      `${K}/kern/ids.ts`,
      `import type { view } from './struct.ts';\nexport type Ino = typeof view;`,
    ],
    [
      'words in comments and strings',
      `${K}/vfs/b.ts`,
      "// any async process.exit Buffer.from\nexport const s = `any ${'async x'}` + 'DataView';",
    ],
    [
      'quotes in a regular expression',
      `${K}/vfs/b.ts`,
      `export const r = /['"]/.test('x');\nexport const many = 'any';`,
    ],
    [
      'module loading is asynchronous',
      `${K}/fs/xfs/probe.ts`,
      `export const probe = {\n  async load() { return import('./index.ts'); },\n};\nexport const m = { load: async () => 1 };`,
    ],
    ['a field that is set later', `${K}/vfs/b.ts`, `export class C {\n  data!: number;\n}`],
    ['a property named process', `${K}/vfs/b.ts`, `export const f = (x: { process: { id: number } }) => x.process.id;`],
    [
      'inequality and negation',
      `${K}/vfs/b.ts`,
      `export const f = (a: number, b: boolean) => a !== 1 && !b && a != 2;`,
    ],
    [
      'a test does as it needs',
      `${K}/vfs/b.test.ts`,
      `import { join } from 'node:path';\nimport { vnops } from '../fs/xfs/vnops.ts';\nexport const x = [join, vnops][0]! as any;`,
    ],
  ])('%s', (_title, path, text) => {
    expect(rulesBroken({ [path]: text })).toEqual([]);
  });

  test('a file system may import the base that it declares', () => {
    const folder = fsFolder('ext2fs');
    folder[`${K}/fs/ext2fs/dir.ts`] = `import { x } from '../ufs/dir.ts';\nexport const dir = x;`;
    expect(rulesBroken({ ...folder, [`${K}/fs/ufs/dir.ts`]: `export const x = 1;` })).toEqual([]);
  });
});

test('imports are found however prettier writes them', () => {
  const text = [
    `import { a } from './a.ts';`,
    `import type { B } from "./b.ts";`,
    `import {`,
    `  c1,`,
    `  type C2,`,
    `} from './c.ts';`,
    `import './d.ts';`,
    `import * as e from './e.ts';`,
    `export type { F } from './f.ts';`,
    `export * from './g.ts';`,
    `const h = () => import('./h.ts').then((m) => m.h);`,
    `type I = typeof import('./i.ts');`,
    `type J = import('./j.ts').J;`,
    `// import { x } from './comment.ts';`,
    `const from = 'not an import';`,
  ].join('\n');
  expect(parseImports(text).map(({ from, kind, line }) => `${line} ${kind} ${from}`)).toEqual([
    '1 value ./a.ts',
    '2 type ./b.ts',
    '3 value ./c.ts',
    '7 value ./d.ts',
    '8 value ./e.ts',
    '9 type ./f.ts',
    '10 value ./g.ts',
    '11 dynamic ./h.ts',
    '12 type ./i.ts',
    '13 type ./j.ts',
  ]);
});

test('blanking keeps length and lines', () => {
  const text = "a /* x\ny */ 'b' // c\n`d\ne` / 2 / 'f'";
  expect(blank(text, { strings: true })).toBe("a     \n     ' '     \n` \n ` / 2 / ' '");
  expect(blank(text, { strings: false })).toBe("a     \n     'b'     \n`d\ne` / 2 / 'f'");
});

function readRepository(): Map<string, string> {
  const files = new Map<string, string>();
  for (const top of ['packages', 'docs', 'test', 'tools']) {
    let entries: string[];
    try {
      entries = readdirSync(`${root}${top}`, { recursive: true, encoding: 'utf8' });
    } catch {
      continue;
    }
    for (const entry of entries) {
      const path = `${top}/${entry.replaceAll('\\', '/')}`;
      if (isInteresting(path) && !path.includes('node_modules/')) files.set(path, readFileSync(root + path, 'utf8'));
    }
  }
  return files;
}
