import { array, assert, constantFrom, oneof, property } from 'fast-check';
import { describe, expect, test } from 'vitest';
import { bytesOfEscapes, splitClassic, splitModern } from './args.ts';
import { commandNames, loadCommand } from './commands/index.ts';
import { HelpRequest, optionsOf, parseArguments, plainWords, shapeOf, UsageError } from './command.ts';
import { helpOf, parseByCommander } from './parser.ts';

const lsShapes = async () => {
  const ls = await loadCommand('ls');
  if (ls === undefined) throw new Error('no ls');
  const all = optionsOf(ls).map(shapeOf);
  return { ls, shapes: () => all };
};

describe('fsu_X: what stands before the image', () => {
  test('mount options before it, the tool’s after it', async () => {
    const { shapes } = await lsShapes();
    const split = splitClassic(
      ['-t', 'ext2fs', '-vv', '-o', 'ro,noatime', 'disk.img', '-t', '-v', '/etc'],
      shapes,
      false,
    );
    expect(split).toEqual({
      words: ['-t', '-v', '/etc'],
      mount: { type: 'ext2fs', options: ['ro,noatime'], verbose: 2 },
      image: { text: 'disk.img', literal: false },
    });
  });

  test('values glued to their letters, and letters to each other', async () => {
    const { shapes } = await lsShapes();
    expect(splitClassic(['-vtext2fs', 'i'], shapes, false)).toMatchObject({ mount: { type: 'ext2fs', verbose: 1 } });
    expect(splitClassic(['-ofoo', 'i'], shapes, false)).toMatchObject({ mount: { options: ['foo'] } });
  });

  test('any other option there is the tool’s, with its value', async () => {
    const { shapes } = await lsShapes();
    const split = splitClassic(['-l', '-I', '*.o', '--sort', 'size', '--color', 'disk.img', '/'], shapes, false);
    expect(split).toMatchObject({
      words: ['-l', '-I', '*.o', '--sort', 'size', '--color=always', '/'],
      image: { text: 'disk.img' },
    });
    // A cluster that begins with an option of the tool is the tool's.
    expect(splitClassic(['-lt', 'disk.img'], shapes, false)).toMatchObject({
      words: ['-lt'],
      mount: { type: undefined },
    });
  });

  test('-f: a file name, never an address', async () => {
    const { shapes } = await lsShapes();
    expect(splitClassic(['-f', 'a:1', '-l'], shapes, false)).toMatchObject({
      image: { text: 'a:1', literal: true },
      words: ['-l'],
    });
  });

  test('-- ends options; with FSU_DEVICE or --image no operand is the image', async () => {
    const { shapes } = await lsShapes();
    expect(splitClassic(['--', '-odd.img', '/x'], shapes, false)).toMatchObject({
      image: { text: '-odd.img' },
      words: ['--', '/x'],
    });
    expect(splitClassic(['-l', '/x', '-a'], shapes, true)).toMatchObject({
      image: undefined,
      words: ['-l', '/x', '-a'],
    });
    expect(splitClassic(['--image', 'i', '/x'], shapes, false)).toMatchObject({
      image: undefined,
      words: ['--image', 'i', '/x'],
    });
  });

  test('what is missing, or means nothing here, is a usage error', async () => {
    const { shapes } = await lsShapes();
    expect(() => splitClassic(['-t'], shapes, false)).toThrow(UsageError);
    expect(() => splitClassic(['-s', '-b', 'i'], shapes, false)).toThrow(UsageError);
    expect(() => splitClassic(['-s', '', 'i'], shapes, false)).not.toThrow();
  });
});

test('fsu X: nothing is special, but optional values are filled in', async () => {
  const { shapes } = await lsShapes();
  expect(splitModern(['--color', '-t', 'a', '--', '--color'], shapes).words).toEqual([
    '--color=always',
    '-t',
    'a',
    '--',
    '--color',
  ]);
});

test('\\xNN and \\\\ of --bytes', () => {
  const encode = (text: string): Uint8Array => new TextEncoder().encode(text);
  expect([...bytesOfEscapes('a\\xff\\\\é\\x2', encode)]).toEqual([0x61, 0xff, 0x5c, 0xc3, 0xa9, 0x5c, 0x78, 0x32]);
});

describe('parsing', () => {
  test('options keep their order; clusters, glued values and -- are understood', async () => {
    const { ls } = await lsShapes();
    expect(await parseArguments(ls, 'fsu ls', ['-lR1', 'x', '-I*.o', '--time-style=iso', '--', '-C'])).toEqual({
      options: [
        { name: 'l', value: '' },
        { name: 'recursive', value: '' },
        { name: '1', value: '' },
        { name: 'ignore', value: '*.o' },
        { name: 'time-style', value: 'iso' },
      ],
      operands: ['x', '-C'],
    });
  });

  test('words read without commander mean what they mean to commander', async () => {
    for (const name of commandNames()) {
      const command = await loadCommand(name);
      if (command === undefined) throw new Error(name);
      const shapes = optionsOf(command).map(shapeOf);
      const flags = shapes.filter(({ takes }) => takes === 'nothing');
      const letters = flags.flatMap(({ short }) => (short === undefined ? [] : [short]));
      const longs = flags.flatMap(({ long }) => (long === undefined ? [] : [`--${long}`]));
      const cluster = array(constantFrom(...letters, 'l'), { minLength: 1, maxLength: 4 });
      const word = oneof(
        constantFrom('/etc', 'a b', '-', '', 'x-l', '--', '-Z', '--help', '--json=x', ...longs),
        cluster.map((some) => `-${some.join('')}`),
      );
      let plain = 0;
      assert(
        property(array(word, { maxLength: 5 }), (words) => {
          const read = plainWords(words, () => shapes);
          if (read === undefined) return;
          plain += 1;
          expect(read).toEqual(parseByCommander(command, `fsu ${name}`, words));
        }),
        { numRuns: 200 },
      );
      expect(plain).toBeGreaterThan(20);
    }
  });

  test('mistakes name the option, and the one that was meant', async () => {
    const { ls } = await lsShapes();
    const error = async (words: string[]): Promise<string> => {
      try {
        await parseArguments(ls, 'fsu ls', words);
      } catch (thrown) {
        if (thrown instanceof UsageError) return thrown.message;
        throw thrown;
      }
      return '';
    };
    expect(await error(['--recursiv'])).toBe("unknown option '--recursiv' (did you mean --recursive?)");
    expect(await error(['-Z'])).toBe("unknown option '-Z'");
    expect(await error(['--sort'])).toMatch(/'--sort <word>' argument missing/);
    expect(await error(['--sort=foo'])).toMatch(/'foo' is invalid/);
  });

  test.each(commandNames())(
    '%s declares its options without conflict, explains them all, and has examples that parse',
    async (name) => {
      const command = await loadCommand(name);
      if (command === undefined) throw new Error(name);
      const help = helpOf(command, `fsu ${name}`);
      for (const spec of optionsOf(command)) {
        const { short, long } = shapeOf(spec);
        expect(help).toContain(long === undefined ? `-${short ?? ''}` : `--${long}`);
      }
      await expect(parseArguments(command, `fsu ${name}`, ['--help'])).rejects.toThrow(HelpRequest);
      for (const { command: line } of command.examples) expect(line).toMatch(new RegExp(`fsu[ _]${name}\\b`));
    },
  );

  test('no command takes a letter that fsu_X needs for mounting without saying so', async () => {
    for (const name of commandNames()) {
      const command = await loadCommand(name);
      if (command === undefined || command.image === 'none') continue;
      for (const spec of command.options) {
        const { short } = shapeOf(spec);
        // ls keeps NetBSD's letters, which every user of ls knows; the others say it.
        if (name === 'ls' || short === undefined || !'tosfv'.includes(short) || name === 'cat') continue;
        expect(spec.summary).toMatch(/after the image/);
      }
    }
  });
});
