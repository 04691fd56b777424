/** Completion: what `fsu __complete` answers, and real shells that ask it. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requireOracle } from '../support/oracle.ts';
import { root, Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo();
  place.demo('my image.img');
  mkdirSync(place.at('images'));
  place.demo('images/deep.img');
  writeFileSync(place.at('notes.txt'), 'x');
  writeFileSync(place.at('disk.img'), diskWithParts());
  const made = place.sh(`set -e
    for name in "a b" "it's" 'quo"te' 'dol$lar' 'co:lon' 'hash#' $'tab\\there' $'line\\nfeed' $'by\\xffte' .hidden; do
      mkdir -p odd; printf x > "odd/$name"; done
    mkdir 'odd/my dir'; printf x > 'odd/my dir/in side'
    fsu put -R odd demo.img:/; rm -r odd
    fsu mkfs --seed 1 -L first disk.img:1 > /dev/null; fsu mkfs --seed 2 -L 'my data' disk.img:2 > /dev/null
    fsu mkfs --seed 3 many.img 16M > /dev/null
    mkdir many; (cd many; seq -f file%g 3000 | xargs touch); fsu put -R many many.img:/; rm -r many`);
  expect(made).toMatchObject({ stderr: '', status: 0 });
}, 120_000);
afterAll(() => place.remove());

/** 32 MiB with an MBR of two partitions, 8 MiB each. */
function diskWithParts(): Buffer {
  const disk = Buffer.alloc(32 << 20);
  for (const [at, start] of [
    [446, 2048],
    [462, 32_768],
  ] as const) {
    disk.writeUInt8(0x83, at + 4);
    disk.writeUInt32LE(start, at + 8);
    disk.writeUInt32LE(16_384, at + 12);
  }
  disk.writeUInt16BE(0x55aa, 510);
  return disk;
}

const BREAKS = ' \t\n"\'@><=;|&(:';

/** What bash would be told to put behind the last break of the line. */
const bash = (line: string, env: Record<string, string> = {}): readonly string[] =>
  place.run('fsu', ['__complete', 'bash', BREAKS, line], { env }).stdout.split('\0').slice(0, -1);

describe('of a line', () => {
  test.each<[string, readonly string[]]>([
    ['fsu l', ['ln ', 'ls ']],
    ['fsu xyz', []],
    ['fsu --v', ['--version ']],
    ['fsu ls --gr', ['--group-directories-first ']],
    ['fsu ls --color=al', ['always ']],
    ['fsu ls --sort s', ['size ']],
    ['fsu ls --block', ['--block-size=']],
    ['fsu_ls -t ext', ['ext2fs ', 'ext2 ', 'ext3 ', 'ext4 ']],
    ['fsu ls --type=ext4', ['ext4 ']],
    ['fsu ls de', ['demo.img']],
    ['fsu_ls de', ['demo.img ']],
    ['fsu ls im', ['images/']],
    ['fsu ls images/', ['images/deep.img']],
    ['fsu ls no', ['notes.txt ']],
    ['fsu info disk.img:', ['1 ', 'label=first ', '2 ', 'label=my\\ data ']],
    ['fsu ls disk.img:', ['1/', 'label=first/', '2/', 'label=my\\ data/']],
    ['fsu ls disk.img:l', ['label=first/', 'label=my\\ data/']],
    ['fsu ls disk.img:label=m', ['my\\ data/']],
    ['fsu ls disk.img:2/lo', ['2/lost+found/']],
    ['fsu ls disk.img:label=my\\ data/lo', ['my\\ data/lost+found/']],
    ['fsu ls demo.img:/et', ['/etc/']],
    ['fsu ls demo.img:/etc/host', ['/etc/hostname ', '/etc/hosts ']],
    [
      'fsu ls demo.img',
      ['/README ', '/boot/', '/etc/', '/home/', '/lost+found/', '/odd/', '/var/'].map((p) => `demo.img:${p}`),
    ],
    ['fsu cat -n demo.img:/README demo.img:/ho', ['/home/']],
    ['fsu_ls demo.img /et', ['/etc/']],
    ['fsu_ls demo.img et', ['etc/']],
    ['fsu_ls -t ext4 -o ro demo.img -l /etc/ne', ['/etc/network/']],
    ['fsu_ls disk.img:2 /lo', ['/lost+found/']],
    ['fsu ls --image demo.img /et', ['/etc/']],
    ['fsu ls --image disk.img --partition 2 /lo', ['/lost+found/']],
    ['fsu ls --image dem', ['demo.img ']],
    ['FSU_TYPE=ext4 /usr/bin/fsu ls demo.img:/et', ['/etc/']],
    ['fsu ls my\\ image.img:/et', ['/etc/']],
    ['fsu ls "my image.img:/et', ['my image.img:/etc/']],
    ["fsu ls 'my image.img:/et", ['my image.img:/etc/']],
    ['fsu ls "demo.img":/et', ['/etc/']],
    ['fsu ls demo.img:/odd/a', ['/odd/a\\ b ']],
    ['fsu ls demo.img:/odd/my\\ dir/in', ['/odd/my\\ dir/in\\ side ']],
    ['fsu ls demo.img:/odd/co', ['/odd/co:lon ']],
    ['fsu ls demo.img:/odd/co:', ['lon ']],
    ['fsu ls demo.img:/odd/co\\:', ['/odd/co:lon ']],
    ['fsu ls demo.img:/odd/it', ["/odd/it\\'s "]],
    ['fsu ls "demo.img:/odd/quo', ['demo.img:/odd/quo\\"te']],
    ['fsu ls demo.img:/odd/dol', ['/odd/dol\\$lar ']],
    ['fsu ls demo.img:/odd/tab', ["/odd/tab$'\\011'here "]],
    ['fsu ls demo.img:/odd/line', ["/odd/line$'\\012'feed "]],
    ['fsu ls demo.img:/odd/by', ["/odd/by$'\\377'te "]],
    ['fsu ls demo.img:/odd/.', ['/odd/.hidden ']],
    ['fsu put notes.txt demo.img:/ho', ['/home/']],
    ['fsu put no', ['notes.txt ']],
    ['fsu_put demo.img no', ['notes.txt ']],
    ['fsu help mk', ['mkdir ', 'mkfifo ', 'mkfs ', 'mknod ']],
    ['fsu completion ', ['bash ', 'zsh ', 'fish ']],
    ['fsu mkfs --from ima', ['images/']],
    // Nothing there, and nothing said.
    ['fsu ls none.img:/et', []],
    ['fsu ls notes.txt:/et', []],
    ['fsu ls demo.img:9/et', []],
    ['fsu ls demo.img:/none/', []],
    ['fsu ls demo.img:/README/', []],
    ['fsu nonsense demo.img:/et', []],
    ['fsu ls --nonsense demo.img:/et', ['/etc/']],
  ])('%s', (line, wanted) => {
    expect(bash(line)).toEqual(wanted);
  });

  test('with FSU_DEVICE operands are paths', () => {
    expect(bash('fsu_ls /et', { FSU_DEVICE: 'demo.img' })).toEqual(['/etc/']);
  });

  test('a home directory is found, and stays as it was typed', () => {
    expect(bash('fsu ls ~/dem')).toEqual(['~/demo.img']);
    expect(bash('fsu ls ~/demo.img:/et')).toEqual(['/etc/']);
    expect(bash('fsu_ls ~/demo.img /et')).toEqual(['/etc/']);
  });
});

test('nothing is said and nothing written, whatever is wrong', () => {
  const before = readFileSync(place.at('demo.img'));
  for (const args of [[], ['bash'], ['fish'], ['zsh', 'fsu'], ['nonsense', 'a'], ['bash', BREAKS, 'fsu ls demo.img:/']])
    expect(place.run('fsu', ['__complete', ...args])).toMatchObject({ stderr: '', status: 0 });
  writeFileSync(place.at('broken.img'), before.subarray(0, 300_000));
  expect(place.run('fsu', ['__complete', 'bash', BREAKS, 'fsu ls broken.img:/'])).toMatchObject({
    stderr: '',
    status: 0,
  });
  expect(readFileSync(place.at('demo.img')).equals(before)).toBe(true);
});

test('no more than a thousand', () => {
  expect(bash('fsu ls many.img:/many/')).toHaveLength(1000);
  expect(bash('fsu ls many.img:/many/file2999')).toEqual(['/many/file2999 ']);
});

test('completion without a shell says how to install it; an unknown shell is a usage error', () => {
  expect(place.run('fsu', ['completion']).stdout).toContain('source <(fsu completion bash)');
  expect(place.run('fsu', ['completion', 'bsh'])).toMatchObject({
    status: 2,
    stderr: "fsu completion: no completion for 'bsh'; did you mean 'bash'?\n'fsu completion --help' tells more\n",
  });
});

test('bash calls the function with COMP_LINE and COMP_POINT', () => {
  const script = `eval "$(fsu completion bash)"
    complete -p fsu_ls fsu_newfs fsu > /dev/null || exit 1
    COMP_LINE='fsu ls demo.img:/etc/ho demo.img:/ba'; COMP_POINT=23; COMP_WORDS=(fsu ls demo.img : /etc/ho); COMP_CWORD=4
    _fsu fsu /etc/ho :; printf '<%s>' "\${COMPREPLY[@]}"`;
  expect(place.sh(script)).toMatchObject({ stdout: '</etc/hostname ></etc/hosts >', stderr: '' });
});

/** What a shell on a terminal shows while keys are typed. */
function typed(shell: readonly string[], keys: readonly string[]): string {
  const args = [join(root, 'test/support/type-keys.py'), '@@', ...keys, '--', ...shell];
  const env = place.env({
    TERM: 'xterm',
    PS1: '@@',
    HISTFILE: '/dev/null',
    XDG_CONFIG_HOME: place.dir,
    XDG_DATA_HOME: place.dir,
  });
  const done = spawnSync('python3', args, { cwd: place.dir, env, encoding: 'utf8' });
  expect(done.stderr).toBe('');
  return done.stdout;
}

describe('a shell on a terminal', () => {
  test('bash', () => {
    requireOracle('python3');
    writeFileSync(place.at('bashrc'), 'PS1=@@; bind \'set bell-style none\'; eval "$(fsu completion bash)"\n');
    const shown = typed(
      ['bash', '--rcfile', place.at('bashrc'), '-i'],
      ['fsu_ls demo.img:/ho\t', 'gu\t', '\n', 'fsu ls demo.img:/odd/my\t', '\n', 'fsu_ls "my im\t', ' /boot\n'],
    );
    expect(shown).toContain('hello.txt');
    expect(shown).toContain('in side');
    expect(shown).toContain('grub.cfg');
  });

  test('zsh', () => {
    const zsh = requireOracle('zsh');
    requireOracle('python3');
    mkdirSync(place.at('zdot'), { recursive: true });
    writeFileSync(
      place.at('zdot/.zshrc'),
      'PS1=@@; unsetopt beep; autoload -Uz compinit; compinit -u -D; source <(fsu completion zsh)\n',
    );
    const shown = typed(
      ['env', `ZDOTDIR=${place.at('zdot')}`, zsh, '-i'],
      ['fsu_ls demo.img:/ho\t', 'gu\t', '\n', 'fsu ls demo.img:/odd/my\t', '\n', 'fsu_ls my\\ image.img /bo\t', '\n'],
    );
    expect(shown).toContain('hello.txt');
    expect(shown).toContain('in side');
    expect(shown).toContain('grub.cfg');
  });

  test('fish', () => {
    const fish = requireOracle('fish');
    const line = (words: string): string => {
      const script = `fsu completion fish | source; complete -C${JSON.stringify(words)}`;
      return spawnSync(fish, ['--no-config', '-c', script], { cwd: place.dir, env: place.env(), encoding: 'utf8' })
        .stdout;
    };
    expect(line('fsu ls demo.img:/ho')).toBe('demo.img:/home/\n');
    expect(line('fsu ls disk.img:2')).toMatch(/^disk\.img:2\/\text4 .*my data/);
    expect(line('fsu ls demo.img:/odd/my\\ dir/')).toBe('demo.img:/odd/my dir/in side\n');
    expect(line('fsu_ls demo.img /odd/a')).toBe('/odd/a b\n');
    expect(line('fsu ls --color=al')).toBe('--color=always\n');
  });
});
