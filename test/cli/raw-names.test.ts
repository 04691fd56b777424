/**
 * Names that are not UTF-8 as operands: words with raw bytes, which Linux's /proc brings to us, and --bytes, which works everywhere.
 * Each line is run both ways, in both spellings of the command: it has to work, say the same and leave the same image.
 */
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workplace } from './harness.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo('master.img');
  const made = place.sh(String.raw`set -e
    mkdir -p $'d\xff/sub'; printf 'one\ntwo\n' > $'d\xff/f\xfe'; ln -s $'f\xfe' $'d\xff/l\xfd'
    fsu put -R $'d\xff' master.img:/; rm -r $'d\xff'; mkdir host; printf 'new\n' > $'host/h\xfc'`);
  expect(made).toMatchObject({ stderr: '', status: 0 });
}, 120_000);
afterAll(() => place.remove());

const D = String.raw`/d\xff`;
const F = String.raw`/d\xff/f\xfe`;
const L = String.raw`/d\xff/l\xfd`;
const H = String.raw`host/h\xfc`;

/** The command, options and paths in the image; what it prints has to hold the text, if one is given. */
const lines: readonly (readonly [command: string, options: string, paths: readonly string[], shows?: string])[] = [
  ['cat', '', [F], 'one\ntwo\n'],
  ['cat', '-n', [L, F], '     2\ttwo\n'],
  ['chmod', '600', [F]],
  ['chown', '1:2', [F]],
  ['cp', '', [F, String.raw`/d\xff/c\x80`]],
  ['cp', '-R', [D, String.raw`/e\x80`]],
  ['du', '-a', [D], '\xff'],
  ['find', '', [D], 'sub'],
  ['get', '', [F, '-'], 'one\ntwo\n'],
  ['grep', 'two', [F], 'two'],
  ['hash', '', [F], 'f'],
  ['hexdump', '', [F], '6f'],
  ['ln', '', [F, String.raw`/d\xff/hard\x80`]],
  ['ls', '', [D], 'sub'],
  ['ls', '-l', [F], 'f'],
  ['mkdir', '', [String.raw`/d\xff/new\x80`]],
  ['mkfifo', '', [String.raw`/d\xff/pipe\x80`]],
  ['mv', '', [F, String.raw`/d\xff/moved\x80`]],
  ['readlink', '', [L], 'f'],
  ['rm', '-r', [D]],
  ['rmdir', '', [String.raw`/d\xff/sub`]],
  ['stat', '-c %s', [F], '8\n'],
  ['touch', '', [String.raw`/d\xff/touched\x80`]],
  ['tree', '', [D], 'sub'],
  ['truncate', '-s 3', [F]],
  ['write', '', [String.raw`/d\xff/written\x80`]],
];

const quote = (raw: boolean, text: string): string => (raw ? `$'${text}'` : `'${text}'`);
const known = new Set(
  readdirSync(new URL('../../packages/fsu-cli/src/commands', import.meta.url)).map((name) => name.replace('.ts', '')),
);

/** What a line does to a fresh image. */
function run(line: string): { readonly said: unknown; readonly stdout: string } {
  place.sh('mv -f a.img before.img; cp master.img a.img');
  const done = place.sh(line, { stdin: 'text\n', env: { SOURCE_DATE_EPOCH: '1767225600' } });
  return {
    said: { stderr: done.stderr, status: done.status, bytes: done.bytes.toString('latin1') },
    stdout: done.bytes.toString('latin1'),
  };
}

const spellings = {
  'fsu X': (raw: boolean, [command, options, paths]: (typeof lines)[number]): string => {
    const operands = paths.map((path) => (path === '-' ? path : quote(raw, `a.img:${path}`)));
    return `fsu ${command} ${raw ? '' : '--bytes'} ${options} ${operands.join(' ')}`;
  },
  fsu_X: (raw: boolean, [command, options, paths]: (typeof lines)[number]): string =>
    `fsu_${command} a.img ${raw ? '' : '--bytes'} ${options} ${paths.map((path) => quote(raw, path)).join(' ')}`,
};

describe.each(Object.entries(spellings))('%s', (_, spelling) => {
  test.each(
    lines.filter(([command]) => known.has(command)).map((line) => ({ line, title: line.slice(0, 3).join(' ') })),
  )('$title', ({ line }) => {
    const [raw, escaped] = [run(spelling(true, line)), run(spelling(false, line))];
    expect(raw.said).toMatchObject({ stderr: '', status: 0 });
    expect(raw.stdout).toContain(line[3] ?? '');
    expect(place.run('fsu', ['diff', 'before.img', 'a.img'])).toMatchObject({ stdout: '', stderr: '', status: 0 });
    // Headers show an operand as it was typed.
    if (line[3] === undefined) expect(escaped.said).toEqual(raw.said);
    else expect(escaped.said).toMatchObject({ stderr: '', status: 0 });
  });
});

test('host files with such names are read and written', () => {
  const done = place.sh(String.raw`set -e; cp master.img a.img
    fsu put $'${H}' a.img:/; fsu cat $'a.img:/h\xfc'; fsu get $'a.img:${F}' $'host/got\xfb'; cat $'host/got\xfb'
    fsu write $'a.img:${F}' $'${H}'; fsu cat $'a.img:${F}'`);
  expect(done).toMatchObject({ stderr: '', status: 0, stdout: 'new\none\ntwo\nnew\n' });
});

test('an image with such a name is opened', () => {
  const done = place.sh(
    String.raw`cp master.img $'i\xfa.img'; fsu ls $'i\xfa.img:/etc/network'; fsu_ls $'i\xfa.img' /etc/network`,
  );
  expect(done).toMatchObject({ stderr: '', status: 0, stdout: 'interfaces\ninterfaces\n' });
});

test('archives, audit trails, backups and copies with such names are made and read', () => {
  const done = place.sh(
    String.raw`set -e; cp master.img $'i\xfa.img'
    fsu tar -cf $'t\xfa.tar' $'i\xfa.img:/etc/network'; tar -tf $'t\xfa.tar' | grep -c interfaces
    fsu tar -xf $'t\xfa.tar' $'i\xfa.img:/home' --audit $'a\xfa.jsonl' --backup; grep -c fsu.audit.end $'a\xfa.jsonl'
    cmp master.img $'i\xfa.img~'
    fsu rm --output $'o\xfa.img' $'i\xfa.img:/etc/hosts'; fsu ls $'o\xfa.img:/etc/network'; ls | grep -ac fsu-new || true`,
  );
  expect(done).toMatchObject({ stderr: '', status: 0, stdout: '1\n1\ninterfaces\n0\n' });
});
