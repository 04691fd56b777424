/**
 * Each option of each command is used somewhere: in a transcript, a page of the documentation, or another test of this folder or of test/tui.
 *
 * Command lines are found as text: `fsu X …` and `fsu_X …` up to the end of the line or of the shell's command, and in tests
 * also as arrays of words. An option counts under any of its spellings.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { root, Workplace } from './harness.ts';

interface Option {
  readonly short?: string;
  readonly long?: string;
  readonly takes: 'nothing' | 'value' | 'optional';
  readonly common: boolean;
}
interface Command {
  readonly name: string;
  readonly aliases: readonly string[];
  readonly image: 'read' | 'write' | 'none';
  readonly options: readonly Option[];
}

/** Options that nothing uses yet. This list only gets shorter: a name in it that is used fails as well. */
const missing: readonly string[] = [];

const spelt = ({ short, long }: Option): string => (long === undefined ? `-${short ?? ''}` : `--${long}`);

/** Which options the words of one command use. */
function* used(options: readonly Option[], words: readonly string[]): Generator<Option> {
  for (const word of words) {
    if (word.startsWith('--')) {
      const name = word.slice(2).split('=', 1)[0];
      const option = options.find(({ long }) => long === name);
      if (option !== undefined) yield option;
    } else if (word.startsWith('-')) {
      for (const letter of word.slice(1)) {
        const option = options.find(({ short }) => short === letter);
        if (option === undefined) break;
        yield option;
        if (option.takes !== 'nothing') break;
      }
    }
  }
}

/** `[command, words]` of each command line in a text. */
function* commandLines(text: string): Generator<readonly [string, readonly string[]]> {
  const wordsOf = (line: string): readonly string[] => line.split(/[\s'"`,()[\]{}]+/).filter((word) => word !== '');
  for (const [, named, word, rest = ''] of text.matchAll(/\bfsu(?:_(\w+)|\s+(\w+))\b(?!')((?:\\\n|[^|;&\n])*)/g))
    yield [named ?? word ?? '', wordsOf(rest)];
  for (const [, named, rest = ''] of text.matchAll(/'fsu(?:_(\w+))?',\s*\[([^\]]*)\]/g)) {
    const words = wordsOf(rest);
    yield named === undefined ? [words[0] ?? '', words.slice(1)] : [named, words];
  }
  for (const [, rest = ''] of text.matchAll(/\bwords: \[([^\]]*)\]/g)) {
    const [name = '', ...words] = wordsOf(rest);
    yield [name, words];
  }
  // The cases of json.test.ts: 'ls -laR demo.img:/', 0, ''.
  for (const [, name = '', rest = ''] of text.matchAll(/^ {2}\['(\w+)([^']*)', \d/gm)) yield [name, wordsOf(rest)];
}

function texts(): string {
  const here = join(root, 'test/cli');
  const files = [
    ...readdirSync(here).map((name) => join(here, name)),
    ...readdirSync(join(root, 'test/tui')).map((name) => join(root, 'test/tui', name)),
    ...readdirSync(join(here, 'transcripts')).map((name) => join(here, 'transcripts', name)),
    ...readdirSync(join(root, 'docs')).map((name) => join(root, 'docs', name)),
    join(root, 'README.md'),
  ].filter((file) => /\.(ts|txt|md)$/.test(file) && !file.endsWith('docs/cli.md'));
  return files
    .map((file) => {
      const text = readFileSync(file, 'utf8');
      // Of documentation and transcripts only what is run.
      if (file.endsWith('.txt')) return [...text.matchAll(/^\$ .*$/gm)].join('\n');
      if (file.endsWith('.md'))
        return [...text.matchAll(/```console\n([\s\S]*?)```/g)].map(([, block]) => block).join('\n');
      return text;
    })
    .join('\n');
}

let place: Workplace;
let commands: readonly Command[];
let unused: readonly string[];
beforeAll(() => {
  place = new Workplace();
  ({ commands } = JSON.parse(place.run('fsu', ['help', '--json']).stdout) as { commands: readonly Command[] });
  const met = new Set<string>();
  for (const [name, words] of commandLines(texts())) {
    const command = commands.find((one) => one.name === name || one.aliases.includes(name));
    for (const option of command === undefined ? [] : used(command.options, words)) {
      met.add(`${command?.name ?? ''} ${spelt(option)}`);
      if (option.common) met.add(`* ${spelt(option)}`);
    }
  }
  const wanted = commands.flatMap(({ name, options }) =>
    options.map((option) => `${option.common ? '*' : name} ${spelt(option)}`),
  );
  unused = [...new Set(wanted)].filter((option) => !met.has(option)).sort();
}, 120_000);
afterAll(() => place.remove());

test('there are commands and options', () => {
  expect(commands.length).toBeGreaterThan(12);
  expect(commands.flatMap(({ options }) => options).length).toBeGreaterThan(150);
});

test('every option is used in a transcript or a test', () => {
  expect(unused.filter((option) => !missing.includes(option))).toEqual([]);
});

test('what is listed as missing still is', () => {
  expect(missing.filter((option) => !unused.includes(option))).toEqual([]);
});

describe('command lines are found', () => {
  const options: readonly Option[] = [
    { short: 'a', takes: 'nothing', common: false },
    { short: 'n', long: 'name', takes: 'value', common: false },
    { long: 'no', takes: 'nothing', common: false },
  ];
  const optionsIn = (text: string): readonly string[] =>
    [...commandLines(text)].flatMap(([name, words]) => [name, ...[...used(options, words)].map(spelt)]);
  test.each([
    ['$ fsu_x i.img -an=-a /p | fsu y --name=b', ['x', '-a', '--name', 'y', '--name']],
    ["place.run('fsu_x', ['i', '-a'])", ['x', '-a']],
    ["place.run('fsu', ['x',\n '--no'])", ['x', '--no']],
    ["{ words: ['x', '-nq', '-a'] }", ['x', '--name', '-a']],
    ["  ['x --no i:/', 0, ''],", ['x', '--no']],
  ])('%s', (text, wanted) => {
    expect(optionsIn(text)).toEqual(wanted);
  });
});
