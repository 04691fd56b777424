/**
 * The architecture as a checker: who may import what, which files a file system has, which habits are refused.
 *
 * tidy() is a pure function from a map path → text to findings; tidy.test.ts runs it over the repository and proves every
 * rule by a planted violation. Imports are found by pattern, not by a parser: prettier fixes how they are written.
 */
import { posix } from 'node:path';

export interface Finding {
  readonly rule: Rule;
  readonly path: string;
  readonly line: number;
  readonly message: string;
}

export type Rule =
  | 'import'
  | 'cycle'
  | 'fs-folder'
  | 'default-export'
  | 'barrel'
  | 'byte-order'
  | 'buffer'
  | 'path-split'
  | 'host'
  | 'any'
  | 'non-null'
  | 'ts-comment'
  | 'enum'
  | 'async'
  | 'file-name'
  | 'unused-export';

export interface Import {
  readonly from: string;
  readonly kind: 'value' | 'type' | 'dynamic';
  readonly line: number;
  /** `export … from`. */
  readonly reexport: boolean;
}

export interface Report {
  readonly findings: readonly Finding[];
  /** How many source modules and imports were seen: a check that saw none has proved nothing. */
  readonly modules: number;
  readonly imports: number;
}

/** Files of the repository that tidy() wants to see. */
export function isInteresting(path: string): boolean {
  return (
    /^packages\/[^/]+\/src\/.*\.tsx?$/.test(path) ||
    /^docs\/fs\/.*\.md$/.test(path) ||
    /^(test|tools)\/.*\.(ts|mjs)$/.test(path)
  );
}

export function tidy(files: ReadonlyMap<string, string>): Report {
  const findings: Finding[] = [];
  const sources = [...files.keys()].filter((path) => /^packages\/[^/]+\/src\/.*\.tsx?$/.test(path)).sort();
  const graph = new Map<string, Import[]>();
  for (const path of sources) {
    const text = files.get(path) ?? '';
    const imports = parseImports(text);
    graph.set(path, imports);
    const report = (rule: Rule, line: number, message: string) => findings.push({ rule, path, line, message });
    checkName(path, report);
    checkText(path, text, report);
    if (isTest(path)) continue;
    checkImports(path, imports, report);
    checkBarrel(path, text, imports, report);
  }
  findings.push(...checkCycles(graph), ...checkFsFolders(files));
  return { findings, modules: sources.length, imports: [...graph.values()].flat().length };
}

type Reporter = (rule: Rule, line: number, message: string) => void;

// ---- imports -------------------------------------------------------------------------------------------------------

/** Every import and re-export of a module. `import { type A }` still runs the module at run time, so it counts as a value. */
export function parseImports(text: string): Import[] {
  const code = blank(text, { strings: false });
  const found: (Import & { at: number })[] = [];
  const add = (match: RegExpMatchArray, kind: Import['kind'], from: string | undefined, reexport = false) => {
    const at = match.index ?? 0;
    if (from !== undefined) found.push({ from, kind, line: lineAt(code, at), reexport, at });
  };
  for (const m of code.matchAll(/^[ \t]*(import|export)\s+(type\s+)?(?:[\w$*{][^'";]*?)\bfrom\s*['"]([^'"]+)['"]/gm)) {
    add(m, m[2] === undefined ? 'value' : 'type', m[3], m[1] === 'export');
  }
  for (const m of code.matchAll(/^[ \t]*import\s*['"]([^'"]+)['"]/gm)) add(m, 'value', m[1]);
  for (const m of code.matchAll(/(typeof\s+)?\bimport\(\s*['"]([^'"]+)['"]\s*\)(\s*\.\s*[A-Z])?/g)) {
    // `import('./x.ts').Name` in a type position names a type; a member call on the promise starts in lower case.
    add(m, m[1] !== undefined || m[3] !== undefined ? 'type' : 'dynamic', m[2]);
  }
  return found.sort((a, b) => a.at - b.at).map(({ from, kind, line, reexport }) => ({ from, kind, line, reexport }));
}

/** Which part of the architecture a source file belongs to: 'kern', 'fs/ext2fs', 'ukfs', … */
function placeOf(path: string): string {
  const [, pkg = '', , first = '', second = ''] = path.split('/');
  if (pkg !== 'kernel') return pkg;
  if (first.includes('.')) return 'kernel-root';
  return first === 'fs' ? `fs/${second}` : first;
}

type Allow = 'value' | 'type';
interface Place {
  /** Folders of the kernel, or single files (ending in .ts), that may be imported. 'value' includes types. */
  readonly inside: Readonly<Record<string, Allow>>;
  /** Packages by name; `x/*` stands for the subpaths of x. */
  readonly packages?: Readonly<Record<string, Allow>>;
}

const KERNEL_PUBLIC = { '@ukfs/kernel': 'value', '@ukfs/kernel/*': 'value' } as const;

/** The table of who may import what. A place always may import from itself. */
const places: Readonly<Record<string, Place>> = {
  // boot() is handed the host: its type is the one thing that the base faction knows of anything above it.
  kern: { inside: { 'hypercall/hypercall.ts': 'type' } },
  hypercall: { inside: { kern: 'value' } },
  dev: { inside: { kern: 'value', hypercall: 'value' } },
  // The device switch is the seam: drivers below attach to it, specfs above looks device numbers up in it.
  vfs: { inside: { kern: 'value', hypercall: 'type', 'dev/blockdev.ts': 'type', 'dev/devsw.ts': 'value' } },
  fs: { inside: { kern: 'value', vfs: 'value', 'dev/blockdev.ts': 'type' } },
  'kernel-root': { inside: { kern: 'value', hypercall: 'value', dev: 'value', vfs: 'value', fs: 'value' } },
  ukfs: { inside: {}, packages: KERNEL_PUBLIC },
  p2k: { inside: {}, packages: { ...KERNEL_PUBLIC, ukfs: 'value' } },
  'fsu-cli': {
    inside: {},
    packages: {
      '@ukfs/kernel': 'type',
      ukfs: 'value',
      'ukfs/remote': 'value',
      p2k: 'value',
      commander: 'value',
      ink: 'value',
      react: 'value',
    },
  },
};

/** What single files may import beyond (or, with `only`, instead of) their place. */
interface Exception {
  readonly path: RegExp;
  readonly inside?: Readonly<Record<string, Allow>>;
  readonly packages?: Readonly<Record<string, Allow>>;
  readonly node?: true;
  readonly only?: true;
}

const exceptions: readonly Exception[] = [
  { path: /^packages\/kernel\/src\/hypercall\/node\.ts$/, node: true },
  { path: /^packages\/ukfs\/src\/remote\/thread\.ts$/, node: true },
  { path: /^packages\/p2k\/src\/fuse\/transport\.ts$/, node: true },
  {
    path: /^packages\/fsu-cli\/src\/(bin|host|host-archive|host-bookmarks|host-browser|host-editor|host-files|host-listing|host-names|host-program|host-screen|host-script|host-terminal|host-tree|host-xattrs)\.ts$/,
    node: true,
    packages: { 'fs-extra': 'value', ...KERNEL_PUBLIC },
  },
  { path: /^packages\/fsu-cli\/src\/apply\/yaml\.ts$/, packages: { yaml: 'value' } },
  { path: /^packages\/fsu-cli\/src\/tui\/render\/line\.ts$/, packages: { 'string-width': 'value' } },
  {
    path: /^packages\/fsu-cli\/src\/tui\/components\/styledchars\.ts$/,
    packages: { '@alcalzone/ansi-tokenize': 'value' },
  },
  // A format is data: tables and constants, so that anyone may read it without loading a file system.
  {
    path: /^packages\/kernel\/src\/fs\/[^/]+\/format\.ts$/,
    only: true,
    inside: { 'kern/struct.ts': 'value', 'kern/ids.ts': 'value' },
  },
];

/** A base that file systems share through hooks, and who is built on it. */
const bases: Readonly<Record<string, readonly string[]>> = { 'fs/ufs': ['fs/ffs', 'fs/ext2fs', 'fs/lfs'] };

function checkImports(path: string, imports: readonly Import[], report: Reporter): void {
  for (const imported of imports) {
    const problem = imported.from.startsWith('.') ? relativeProblem(path, imported) : packageProblem(path, imported);
    if (problem !== undefined) report('import', imported.line, problem);
  }
}

function exceptionsFor(path: string): Exception[] {
  return exceptions.filter((exception) => exception.path.test(path));
}

function relativeProblem(path: string, imported: Import): string | undefined {
  const target = posix.join(posix.dirname(path), imported.from);
  const [, pkg] = path.split('/');
  if (!target.startsWith(`packages/${pkg}/src/`)) return `${imported.from} leaves the package; import it by its name`;
  const own = exceptionsFor(path);
  const place = placeOf(path);
  const only = own.find((exception) => exception.only === true);
  if (only === undefined && placeOf(target) === place) return probeProblem(path, target, imported);
  if (only === undefined && bases[placeOf(target)]?.includes(place) === true) return undefined;
  const inner = target.slice(`packages/${pkg}/src/`.length);
  const tables = own.map((exception) => exception.inside ?? {});
  if (only === undefined) tables.push(places[place.startsWith('fs/') ? 'fs' : place]?.inside ?? {});
  return verdict(
    tables.map((table) => allowance(table, inner)),
    imported,
    `${only === undefined ? place : 'format.ts'} must not import ${inner}`,
  );
}

/** boot() imports every probe.ts: what that imports at once is loaded for every image, so it may be constants only. */
function probeProblem(path: string, target: string, imported: Import): string | undefined {
  if (!/^packages\/kernel\/src\/fs\/[^/]+\/probe\.ts$/.test(path) || imported.kind !== 'value') return undefined;
  // variant.ts: which of its names an image of the type goes by, for those that have several.
  if (['format.ts', 'variant.ts'].some((file) => target === posix.join(posix.dirname(path), file))) return undefined;
  return `probe.ts may import format.ts only (types, and the rest inside load(), are free): ${imported.from}`;
}

function packageProblem(path: string, imported: Import): string | undefined {
  const { from } = imported;
  const own = exceptionsFor(path);
  if (from.startsWith('node:')) {
    return own.some((exception) => exception.node === true) ? undefined : `${from}: the host is reached elsewhere`;
  }
  if (from.startsWith('@ukfs/kernel/testing')) return `${from} is for tests`;
  const tables = own.map((exception) => exception.packages ?? {});
  if (!own.some((exception) => exception.only === true)) tables.push(places[placeOf(path)]?.packages ?? {});
  return verdict(
    tables.map((table) => table[from] ?? table[from.replace(/^((?:@[^/]+\/)?[^/]+)\/.*/, '$1/*')]),
    imported,
    `${placeOf(path)} must not import ${from}`,
  );
}

function allowance(table: Readonly<Record<string, Allow>>, inner: string): Allow | undefined {
  const key = Object.keys(table).find((name) => (name.endsWith('.ts') ? inner === name : inner.startsWith(`${name}/`)));
  return key === undefined ? undefined : table[key];
}

function verdict(allowed: readonly (Allow | undefined)[], imported: Import, refusal: string): string | undefined {
  if (allowed.includes('value')) return undefined;
  if (!allowed.includes('type')) return refusal;
  return imported.kind === 'type' ? undefined : `${refusal} except by \`import type\``;
}

/** Cycles of what is evaluated at once. Types vanish, and an `import()` runs when both ends are there. */
function checkCycles(graph: ReadonlyMap<string, readonly Import[]>): Finding[] {
  const findings: Finding[] = [];
  const done = new Set<string>();
  const stack: string[] = [];
  const visit = (path: string): void => {
    if (done.has(path)) return;
    stack.push(path);
    for (const imported of graph.get(path) ?? []) {
      if (imported.kind !== 'value' || !imported.from.startsWith('.')) continue;
      const target = posix.join(posix.dirname(path), imported.from);
      const start = stack.indexOf(target);
      if (start >= 0) {
        const message = [...stack.slice(start), target].map((step) => step.replace(/^packages\//, '')).join(' → ');
        findings.push({ rule: 'cycle', path, line: imported.line, message });
      } else if (graph.has(target)) visit(target);
    }
    stack.pop();
    done.add(path);
  };
  for (const path of graph.keys()) visit(path);
  return findings;
}

// ---- file systems --------------------------------------------------------------------------------------------------

const FS_FILES = [
  'index.ts',
  'probe.ts',
  'format.ts',
  'superblock.ts',
  'inode.ts',
  'bmap.ts',
  'alloc.ts',
  'dir.ts',
  'vnops.ts',
  'vfsops.ts',
  'mkfs.ts',
  'check.ts',
];

/** What a file system does without, and why that is its nature. Anything else missing is unfinished. */
const lacks: Readonly<Record<string, readonly string[]>> = {
  // In memory: no disk, so no format, no blocks to map, nothing to make or to check.
  tmpfs: ['probe.ts', 'format.ts', 'superblock.ts', 'bmap.ts', 'alloc.ts', 'mkfs.ts', 'check.ts'],
  // Written once, by its mkfs: nothing is ever allocated afterwards, and a block's place follows from its extent.
  cd9660: ['alloc.ts'],
};

/** Unfinished, and known to be: the next steps of the work. */
const awaited: Readonly<Record<string, readonly string[]>> = {};

function checkFsFolders(files: ReadonlyMap<string, string>): Finding[] {
  const base = 'packages/kernel/src/fs/';
  const paths = [...files.keys()];
  const names = new Set(
    paths.filter((path) => path.startsWith(base)).map((path) => path.slice(base.length).split('/')[0] ?? ''),
  );
  const suite = paths
    .filter((path) => /^test\/(conformance|support)\//.test(path))
    .map((path) => files.get(path) ?? '');
  const findings: Finding[] = [];
  for (const name of [...names].filter((folder) => bases[`fs/${folder}`] === undefined)) {
    const dir = `${base}${name}/`;
    const report = (message: string) => findings.push({ rule: 'fs-folder', path: dir, line: 0, message });
    for (const file of FS_FILES) {
      const exists = files.has(dir + file);
      const mayLack = [...(lacks[name] ?? []), ...(awaited[name] ?? [])].includes(file);
      if (!exists && !mayLack) report(`${file} is missing`);
    }
    if (files.has(`${dir}format.ts`) && !files.has(`${dir}format.test.ts`)) report('format.test.ts is missing');
    if (!files.has(`docs/fs/${name}.md`)) report(`docs/fs/${name}.md is missing`);
    const entry = new RegExp(`['"]@ukfs/kernel/fs/${name}['"]`);
    if (!suite.some((text) => entry.test(text))) report(`no conformance adapter imports @ukfs/kernel/fs/${name}`);
  }
  return findings;
}

// ---- exports -------------------------------------------------------------------------------------------------------

/** What a package offers to others (the `exports` of package.json), and what is looked at as a whole (`import * as`). */
const FRONTS =
  /^packages\/[^/]+\/src\/(index\.ts|all\.ts|remote\.ts|fs\/[^/]+\/index\.ts|hypercall\/(node|memory)\.ts|fs\/[^/]+\/(journal-)?format\.ts)$/;

/**
 * Names that a module exports and no other one mentions: they make a reader look for users, and keep dead code alive.
 * By words, not by scopes: a name that something else has as well is not found.
 */
export function unusedExports(files: ReadonlyMap<string, string>): Finding[] {
  const users = new Map<string, number>();
  // The tools make programs as text that import from us.
  const code = new Map([...files].map(([path, text]) => [path, blank(text, { strings: !path.startsWith('tools/') })]));
  for (const text of code.values()) {
    for (const word of new Set(text.match(/[A-Za-z_$][\w$]*/g))) users.set(word, (users.get(word) ?? 0) + 1);
  }
  const findings: Finding[] = [];
  for (const [path, text] of code) {
    if (!/^packages\/[^/]+\/src\/.*\.tsx?$/.test(path) || FRONTS.test(path)) continue;
    const declared = /^export (?:abstract |async )?(?:const|let|function\*?|class|interface|type) ([\w$]+)/gm;
    for (const match of text.matchAll(declared)) {
      const [, name = ''] = match;
      if (users.get(name) !== 1) continue;
      const line = lineAt(text, match.index);
      findings.push({ rule: 'unused-export', path, line, message: `nobody imports ${name}` });
    }
  }
  return findings;
}

// ---- habits --------------------------------------------------------------------------------------------------------

function isTest(path: string): boolean {
  return /\.test\.tsx?$/.test(path);
}

function checkName(path: string, report: Reporter): void {
  const name = posix.basename(path);
  if (/^(utils?|helpers?|common|misc)(\.test)?\.tsx?$/.test(name))
    report('file-name', 0, `${name} says nothing of what is in it`);
}

/** A module of nothing but re-exports, other than a package's own front. */
function checkBarrel(path: string, text: string, imports: readonly Import[], report: Reporter): void {
  if (placeOf(path) === 'kernel-root' || /^packages\/[^/]+\/src\/(index|remote)\.ts$/.test(path)) return;
  const first = imports.find((imported) => imported.reexport);
  if (first === undefined) return;
  const rest = blank(text, { strings: false })
    .replace(/^[ \t]*(import|export)\s+[^'";]*?\bfrom\s*['"][^'"]+['"];?/gm, '')
    .trim();
  if (rest === '') report('barrel', first.line, 'nothing but re-exports: import from where it is written');
}

interface Habit {
  readonly rule: Rule;
  readonly pattern: RegExp;
  readonly message: string;
  /** Sources where the habit is refused; tests never are, unless `tests` says so. */
  readonly where: RegExp;
  readonly except?: RegExp;
  readonly tests?: true;
  /** Look at comments as well. */
  readonly raw?: true;
  /** Look into string literals, which are blanked otherwise; comments stay blanked. */
  readonly strings?: true;
}

const EVERYWHERE = /^packages\//;
const KERNEL = /^packages\/kernel\//;
const HOSTLESS = /^packages\/(kernel|ukfs|p2k)\//;
const HOST_EDGE = /^packages\/(kernel\/src\/hypercall\/node|ukfs\/src\/remote\/thread|p2k\/src\/fuse\/transport)\.ts$/;
const STRUCT = /^packages\/kernel\/src\/kern\/(struct\.ts|checksum\/)/;

const habits: readonly Habit[] = [
  {
    rule: 'default-export',
    pattern: /^[ \t]*export\s+default\b|\bas\s+default\b/m,
    message: 'default export: give it a name',
    where: EVERYWHERE,
    tests: true,
  },
  {
    rule: 'byte-order',
    pattern: /\bDataView\b|\.[gs]et(?:Uint|Int|BigUint|BigInt|Float)\d+\b/,
    message: 'byte order has its home in kern/struct.ts',
    where: HOSTLESS,
    except: STRUCT,
  },
  {
    rule: 'buffer',
    pattern: /(?<![.\w])Buffer\b(?=\s*[.[(<;,)|&>]|\s*$)/m,
    message: 'Uint8Array, not Buffer',
    where: HOSTLESS,
    except: HOST_EDGE,
  },
  {
    rule: 'path-split',
    pattern: /\.split\(\s*['"`]\/['"`]/,
    message: 'paths are walked by vfs/namei.ts',
    where: HOSTLESS,
    except: /^packages\/kernel\/src\/vfs\/namei\.ts$|^packages\/kernel\/src\/hypercall\//,
    strings: true,
  },
  {
    rule: 'host',
    pattern:
      /\bDate\.now\b|\bnew Date\(\s*\)|\bMath\.random\b|(?<![.\w])process\s*[.[]|(?<![.\w])console\s*\.|\bperformance\.now\b/,
    message: 'time, chance and the outside world come from the host object',
    where: HOSTLESS,
    except: HOST_EDGE,
  },
  {
    rule: 'any',
    pattern: /(?<![.\w$#'"])any\b(?=\s*(?:[;,)\]}>=|&[]|$))/m,
    message: '`any`: say what it is, or `unknown`',
    where: EVERYWHERE,
  },
  {
    rule: 'non-null',
    // Not `name!: T`, which declares a field that is set later.
    pattern: /(?<=[\w$)\]])!(?=\s*(?:[.;,)\]}]|\[|[-+*/%&|^<>]|$)|\s+:)/m,
    message: '`!` asserts what nobody checked',
    where: EVERYWHERE,
  },
  {
    rule: 'ts-comment',
    pattern: /@ts-(?:ignore|nocheck|expect-error)\b/,
    message: 'the compiler is not to be silenced',
    where: EVERYWHERE,
    raw: true,
  },
  {
    rule: 'enum',
    pattern: /^[ \t]*(?:export\s+)?(?:declare\s+)?(?:const\s+)?(?:enum|namespace)\s+\w/m,
    message: '`as const` and a union instead of enum or namespace',
    where: EVERYWHERE,
    tests: true,
  },
  {
    rule: 'async',
    pattern:
      /(?<![.\w])(?<!\bload: )async\s+(?!load\b|function\s+load\b)(?=[\w$(*<])|(?<![.\w])(?:await|yield\*?)\s+import\b/,
    message: 'the kernel is synchronous; only loading a module waits',
    where: KERNEL,
    except: /^packages\/kernel\/src\/kern\/module\.ts$/,
  },
];

function checkText(path: string, text: string, report: Reporter): void {
  const withStrings = blank(text, { strings: false });
  const bare = blank(text, { strings: true });
  for (const habit of habits) {
    if (!habit.where.test(path) || habit.except?.test(path) === true) continue;
    if (isTest(path) && habit.tests !== true) continue;
    const code = habit.raw === true ? text : habit.strings === true ? withStrings : bare;
    for (const match of code.matchAll(new RegExp(habit.pattern.source, `${habit.pattern.flags}g`))) {
      report(habit.rule, lineAt(code, match.index), habit.message);
    }
  }
}

// ---- text ----------------------------------------------------------------------------------------------------------

/**
 * The text with comments (and, on request, the insides of strings) turned into blanks of the same length, so that a word
 * in prose is not taken for code and line numbers stay true. `${…}` inside a template is blanked with it.
 */
export function blank(text: string, { strings }: { strings: boolean }): string {
  const wipe = (part: string) => part.replace(/[^\n]/g, ' ');
  // A regular expression literal is known by what stands before it; missing one would take its quotes for strings.
  const token =
    /\/\*[\s\S]*?\*\/|\/\/[^\n]*|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"|`(?:\\[\s\S]|[^`\\])*`|(?<=(?:^|[=(,:;!&|?{}[\n]|\breturn)\s*)\/(?![/*])(?:\\.|\[(?:\\.|[^\]\\\n])*\]|[^/\\\n[])+\/[a-z]*/g;
  return text.replace(token, (part) => {
    if (part.startsWith('//') || part.startsWith('/*')) return wipe(part);
    if (part.startsWith('/')) return strings ? wipe(part) : part;
    return strings ? part[0] + wipe(part.slice(1, -1)) + part[0] : part;
  });
}

function lineAt(text: string, index: number): number {
  return text.slice(0, index).split('\n').length;
}
