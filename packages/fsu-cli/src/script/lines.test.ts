import { describe, expect, test } from 'vitest';
import { newState, readScript } from './lines.ts';
import { hasWildcard, plainText } from './wild.ts';

function read(text: string, variables: Readonly<Record<string, string>> = {}) {
  const state = newState(Object.entries(variables));
  const { lines, problems } = readScript(text, state);
  return {
    words: lines.map((line) => line.words.map(plainText)),
    inputs: lines.map((line) => line.input?.text),
    numbers: lines.map(({ line }) => line),
    problems: problems.map(({ line, message }) => `${line}: ${message}`),
    lines,
    state,
  };
}

describe('words', () => {
  test.for([
    ['rm /a  /b\t/c', ['rm', '/a', '/b', '/c']],
    [`rm 'a b' "c d" e\\ f`, ['rm', 'a b', 'c d', 'e f']],
    [`rm a'b'"c"d`, ['rm', 'abcd']],
    [`echo '' ""`, ['echo', '', '']],
    ['rm a#b # c', ['rm', 'a#b']],
    ['rm a\\\n  b', ['rm', 'a', 'b']],
    ['rm "a\\\nb" "a\nb"', ['rm', 'ab', 'a\nb']],
    [`echo "\\"\\$\\\\\\x" '\\'`, ['echo', '"$\\\\x', '\\']],
    ['rm $N ${N}x "$N" \'$N\' \\$N', ['rm', 'v w', 'v wx', 'v w', '$N', '$N']],
    ['rm ${M:-d} ${N:-d} ${M:-"a }"} ${M:-$N} ${M:-}', ['rm', 'd', 'v w', 'a }', 'v w', '']],
    ['rm $ $1 a$', ['rm', '$', '$1', 'a$']],
    ['rm \udcff\ufeff\u00a0', ['rm', '\udcff\ufeff\u00a0']],
    ['ls -l --x=y -- -z', ['ls', '-l', '--x=y', '--', '-z']],
  ] as const)('%s', ([text, words]) => {
    expect(read(text, { N: 'v w' })).toMatchObject({ words: [words], problems: [] });
  });

  test('only unquoted characters are wildcards, and none after set -f; those of a variable are none', () => {
    const { lines } = read('rm a* "a*" a\\* $N [a] ?\nset -f\nrm a*\nset +f\nrm a*', { N: '*' });
    expect(lines[0]?.words.map(hasWildcard)).toEqual([false, true, false, false, false, true, true]);
    expect(lines[2]?.words.map(hasWildcard)).toEqual([false, false]);
    expect(lines[4]?.words.map(hasWildcard)).toEqual([false, true]);
  });
});

describe('lines', () => {
  test('end at a line feed, at CR LF and at a semicolon; comments and empty ones are none', () => {
    const { words, numbers } = read('# c\r\n\r\nrm /a # c\r\n;;rm /b;rm /c\n\n  rm /d');
    expect(words).toEqual([
      ['rm', '/a'],
      ['rm', '/b'],
      ['rm', '/c'],
      ['rm', '/d'],
    ]);
    expect(numbers).toEqual([3, 4, 4, 6]);
  });

  test('a minus in front: its failure is ignored', () => {
    expect(read('-rm /a\n- rm /b\nrm -r /c').lines.map(({ ignore, words }) => [ignore, words[0]])).toEqual([
      [true, 'rm'],
      [true, 'rm'],
      [false, 'rm'],
    ]);
  });

  test('assignments count from their line on', () => {
    const { words, state } = read('A=1 B="x $A"\nrm $A\nA=$A$A\nrm $A "$B"', { A: '0' });
    expect(words).toEqual([
      ['rm', '1'],
      ['rm', '11', 'x 0'],
    ]);
    expect([...state.variables]).toEqual([
      ['A', '11'],
      ['B', 'x 0'],
    ]);
  });
});

describe('here-documents', () => {
  test('their variables are put in, unless the end word is quoted; tabs go with <<-', () => {
    const { inputs, words, numbers } = read(
      'write /a <<E\n$N \\$N \\\\ `x` \\z\njoined \\\nline\nE\nwrite /b <<\'E\'\n$N\\\nE\nwrite /c <<-"E F"\n\t\ttab\n\tE F\nrm /d',
      { N: 'v' },
    );
    expect(inputs).toEqual(['v $N \\ `x` \\z\njoined line\n', '$N\\\n', 'tab\n', undefined]);
    expect(words.map((line) => line.join(' '))).toEqual(['write /a', 'write /b', 'write /c', 'rm /d']);
    expect(numbers).toEqual([1, 6, 9, 12]);
  });

  test('several of one line follow each other; an empty one; the end without a line feed', () => {
    expect(read('write /a <<A; write /b <<B; rm /c\nA\nb\nB').inputs).toEqual(['', 'b\n', undefined]);
  });

  test('CR LF becomes a line feed where the script has it', () => {
    expect(read('write /a <<E\r\nx\r\nE\r\nwrite /b <<E\nx\r\nE\n').inputs).toEqual(['x\n', 'x\r\n']);
  });

  test('a host file', () => {
    expect(read('write /a < "x y"\nwrite /b <z').lines.map(({ input }) => input)).toEqual([
      { kind: 'file', text: 'x y' },
      { kind: 'file', text: 'z' },
    ]);
  });
});

describe('mistakes are told with their lines, all of them', () => {
  test.for([
    ["rm 'a\nrm b", ["1: a quotation (') without end"]],
    ['rm a\nrm "b\n\n', ['2: a quotation (") without end']],
    ['rm a\nwrite b <<E\nrm c\n', ["2: the here-document's end 'E' does not come"]],
    ['write b <<E', ["1: the here-document's end 'E' does not come"]],
    ['rm a | b\nrm $X\nrm c > d', ["1: '|' has to be quoted: there are no pipes", /^2: \$X is not set/, /^3: '>' has/]],
    ['rm `a`\nrm $(a)\nrm (a)\nrm a & b', [/^1: '`'/, /^2: '\$\('/, /^3: '\('/, /^4: '&'/]],
    ['rm a\0b\nrm "a\0b"\nrm \'\0\'', [/^1: a NUL/, /^2: a NUL/, /^3: a NUL/]],
    ['A=1 rm x\n< x\n-\nset -z', [/^1: an assignment/, /^2: input for/, /^3: no command/, /^4: set: '-z'/]],
    ['rm ${}\nrm ${A:+x}\nrm ${A:-x', [/^1: no name/, /^2: '\$\{A/, /^3: '\$\{' without/]],
    ['rm \\', ["1: nothing behind '\\'"]],
    ['write a <<\nwrite a <\nwrite a < b < c', [/^1: no word/, /^2: no file/, /^3: a command has one/]],
    // What follows a mistake on its line is not run, and its here-document is no list of commands.
    ['rm $X; write a <<E\n|\nE\nrm b |', [/^1: \$X/, /^4: '\|'/]],
    ['rm $X <<E\n|', [/^1: \$X/]],
  ] as const)('%j', ([text, expected]) => {
    const { problems } = read(text);
    expect(problems).toHaveLength(expected.length);
    for (const [i, one] of expected.entries())
      expect(problems[i]).toEqual(typeof one === 'string' ? one : expect.stringMatching(one));
  });

  test('set +u: a variable that is not set is empty', () => {
    expect(read('set +u\nrm a$X')).toMatchObject({
      words: [
        ['set', '+u'],
        ['rm', 'a'],
      ],
      problems: [],
    });
  });

  test('a line of ten million characters, and a million lines', () => {
    expect(read(`rm ${'a'.repeat(10_000_000)}`).words[0]?.[1]).toHaveLength(10_000_000);
    expect(read(`rm "${'"\'*\'"'.repeat(1_000_000)}"`).problems).toEqual([]);
  });
});
