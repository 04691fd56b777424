/** The packages as npm packs them: installed alone, offline, with a home that is empty, they work; and hold what they should. */
import { execFileSync, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, Workplace } from './harness.ts';

let place: Workplace;
let dir: string;
let tarballs: Readonly<Record<'kernel' | 'ukfs' | 'cli', string>>;

beforeAll(() => {
  place = new Workplace();
  dir = mkdtempSync(join(tmpdir(), 'fsu-pack-'));
  execFileSync(process.execPath, [join(root, 'tools/pack.mjs'), '--built', join(dir, 'tgz')], { stdio: 'pipe' });
  const find = (begin: RegExp): string => {
    const name = readdirSync(join(dir, 'tgz')).find((one) => begin.test(one)) ?? '';
    return join(dir, 'tgz', name);
  };
  tarballs = { kernel: find(/^ukfs-kernel/), ukfs: find(/^ukfs-\d/), cli: find(/^fsu-cli/) };
}, 300_000);
afterAll(() => {
  place.remove();
  rmSync(dir, { recursive: true, force: true });
});

/** Nothing of ours or the tester's is in reach. */
const bare = (home: string, more: Record<string, string> = {}): Record<string, string> => ({
  PATH: process.env['PATH'] ?? '',
  HOME: home,
  npm_config_cache: join(home, 'npm'),
  npm_config_offline: 'true',
  npm_config_audit: 'false',
  npm_config_fund: 'false',
  npm_config_update_notifier: 'false',
  TZ: 'UTC',
  LC_ALL: 'C.UTF-8',
  ...more,
});

function run(program: string, args: readonly string[], cwd: string, more: Record<string, string> = {}) {
  const done = spawnSync(program, args, { cwd, env: bare(join(dir, 'home'), more), encoding: 'utf8' });
  return { stdout: done.stdout, stderr: done.stderr, status: done.status };
}

function fresh(name: string): string {
  const made = join(dir, name);
  mkdirSync(made, { recursive: true });
  mkdirSync(join(dir, 'home'), { recursive: true });
  return made;
}

const filesIn = (tarball: string): readonly string[] =>
  execFileSync('tar', ['-tzf', tarball], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .map((name) => name.replace('package/', ''));

describe('each tarball', () => {
  test.each(['kernel', 'ukfs', 'cli'] as const)('%s has a licence and a README, and no tests', (name) => {
    const files = filesIn(tarballs[name]);
    expect(files).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json']));
    expect(files.filter((file) => /\.test\.|tsbuildinfo|\.cache$/.test(file))).toEqual([]);
    const license = execFileSync('tar', ['-xzOf', tarballs[name], 'package/LICENSE'], { encoding: 'utf8' });
    expect(license).toBe(readFileSync(join(root, 'LICENSE'), 'utf8'));
  });

  test('fsu-cli holds the bundle, starters, manual pages, completions and nothing else', () => {
    const rest = filesIn(tarballs.cli).filter(
      (file) => !/^(bin\/(fsu(_\w+)?|load)\.cjs|man\/fsu(_\w+)?\.1|completions\/(fsu\.(ba|fi)sh|_fsu))$/.test(file),
    );
    expect([...rest].sort()).toEqual([
      'LICENSE',
      'README.md',
      'dist/bundle/LICENSES.txt',
      'dist/bundle/browse.mjs',
      'dist/bundle/fsu.js',
      'dist/bundle/more.js',
      'package.json',
    ]);
  });
});

describe('fsu-cli, alone', () => {
  let cli: string;
  beforeAll(() => {
    cli = fresh('cli');
    place.demo();
    const done = run('npm', ['install', tarballs.cli], cli);
    expect(done).toMatchObject({ status: 0 });
  }, 120_000);

  const tool = (name: string, args: readonly string[], more: Record<string, string> = {}) =>
    run(join(cli, 'node_modules/.bin', name), args, cli, more);

  test('needs no other package', () => {
    expect(readdirSync(join(cli, 'node_modules')).filter((name) => !name.startsWith('.'))).toEqual(['fsu-cli']);
  });

  test('reads and edits an image', () => {
    const image = place.at('demo.img');
    expect(tool('fsu_ls', [image, '/etc/network'])).toEqual({ stdout: 'interfaces\n', stderr: '', status: 0 });
    writeFileSync(join(cli, 'motd'), 'Welcome.\n');
    expect(tool('fsu', ['write', `${image}:/etc/motd`, 'motd'])).toEqual({ stdout: '', stderr: '', status: 0 });
    expect(tool('fsu-cli', ['cat', `${image}:/etc/motd`])).toEqual({ stdout: 'Welcome.\n', stderr: '', status: 0 });
    expect(tool('fsu', ['fsck', image])).toMatchObject({ stderr: '', status: 0 });
  });

  test('every tool starts', () => {
    for (const name of readdirSync(join(cli, 'node_modules/.bin')))
      expect(tool(name, ['--help']).stderr, name).toMatch(/^$|unknown command/);
  });

  describe('the first run leaves its code cache, and', () => {
    const cacheDir = (): string => join(dir, 'home/.cache/fsu');
    const report = (more: Record<string, string> = {}): string =>
      tool('fsu_df', [place.at('demo.img')], { UKFS_CODE_CACHE: 'report', ...more }).stderr.replace(/\n[^]*/, '');
    const own = (): string =>
      join(cacheDir(), readdirSync(cacheDir()).find((name) => name.includes('-df-fsu.js-')) ?? 'none');

    test('the next one uses it', () => {
      rmSync(cacheDir(), { recursive: true, force: true });
      expect([report(), report()]).toEqual(['code cache of fsu.js: none', 'code cache of fsu.js: used']);
      expect(statSync(own()).mode & 0o777).toBe(0o600);
    });

    test('one that is damaged is made again', () => {
      report();
      writeFileSync(own(), readFileSync(own()).subarray(0, 1000));
      expect([report(), report()]).toEqual(['code cache of fsu.js: rejected', 'code cache of fsu.js: used']);
    });

    test('one that others can write is not taken', () => {
      report();
      execFileSync('chmod', ['666', own()]);
      expect(report()).toBe('code cache of fsu.js: none');
    });

    test('of another Node, or for another bundle, it has another name', () => {
      report();
      expect(own()).toContain(`-${process.version}-${process.arch}`);
    });

    test('where none can be kept all works', () => {
      for (const home of [{ HOME: '/dev/null' }, { HOME: '' }, { XDG_CACHE_HOME: 'relative', HOME: '/dev/null' }])
        expect(report(home)).toBe('code cache of fsu.js: none');
      expect(existsSync(join(cli, 'relative'))).toBe(false);
    });
  });

  test('installed for all, tools and manual pages are where they are looked for', () => {
    const prefix = fresh('prefix');
    expect(run('npm', ['install', '--global', '--prefix', prefix, tarballs.cli], cli)).toMatchObject({ status: 0 });
    const listed = JSON.parse(readFileSync(join(root, 'packages/fsu-cli/package.json'), 'utf8')) as { man: string[] };
    const pages = filesIn(tarballs.cli).filter((file) => file.startsWith('man/'));
    expect(listed.man).toEqual(expect.arrayContaining([...pages]));
    expect(existsSync(join(prefix, 'bin/fsu_ls'))).toBe(true);
    expect(readFileSync(join(prefix, 'share/man/man1/fsu_ls.1'), 'utf8')).toMatch(/^\.Dd /);
    expect(existsSync(join(prefix, 'share/man/man1/fsu.1'))).toBe(true);
    const done = run(join(prefix, 'bin/fsu_ls'), [place.at('demo.img'), '/boot'], cli);
    expect(done).toEqual({ stdout: 'grub.cfg\n', stderr: '', status: 0 });
  }, 120_000);
});

describe('ukfs with its kernel', () => {
  let lib: string;
  beforeAll(() => {
    lib = fresh('lib');
    place.demo('lib.img');
    writeFileSync(join(lib, 'package.json'), '{"type":"module","private":true}');
    expect(run('npm', ['install', tarballs.kernel, tarballs.ukfs], lib)).toMatchObject({ status: 0 });
  }, 120_000);

  const program = `import { open } from 'ukfs';
import type { Stat, Ukfs } from 'ukfs';
const fs: Ukfs = await open('IMAGE', { write: true });
fs.writeFile('/etc/motd', 'Welcome.\\n');
const stat: Stat = fs.stat('/etc/motd');
const size: number = stat.size;
fs.commit();
console.log(fs.readdir('/etc').includes('motd'), size);
fs.close();
`;

  test('plain Node imports it', () => {
    const script = program.replace(/^import type.*\n/m, '').replaceAll(/: (Ukfs|Stat|number)\b/g, '');
    writeFileSync(join(lib, 'plain.mjs'), script.replace('IMAGE', place.at('lib.img')));
    const done = run(process.execPath, ['plain.mjs'], lib);
    expect(done).toEqual({ stdout: 'true 9\n', stderr: '', status: 0 });
  });

  test('TypeScript finds its types, strictly, and its declarations are sound', () => {
    writeFileSync(
      join(lib, 'typed.ts'),
      program.replace('console.log', 'export const told = [').replace('size);', 'size];').replace('[(', '['),
    );
    const compilerOptions = {
      noEmit: true,
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: false,
      target: 'es2022',
      lib: ['es2023'],
      module: 'nodenext',
      types: [],
    };
    writeFileSync(join(lib, 'tsconfig.json'), JSON.stringify({ compilerOptions, files: ['typed.ts'] }));
    const done = run(process.execPath, [join(root, 'node_modules/typescript/bin/tsc')], lib);
    expect(done).toEqual({ stdout: '', stderr: '', status: 0 });
  }, 120_000);

  test('every export of the kernel is there', () => {
    const names = ['', '/all', '/fs/ext2fs', '/fs/tmpfs', '/host/node', '/host/memory', '/host/scratch'];
    const script = names.map((name) => `await import('@ukfs/kernel${name}');`).join('');
    expect(run(process.execPath, ['--input-type=module', '-e', script], lib)).toEqual({
      stdout: '',
      stderr: '',
      status: 0,
    });
  });
});
