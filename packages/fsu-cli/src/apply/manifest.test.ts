import { describe, expect, test } from 'vitest';
import { obeyingLines } from './lines.ts';
import { readManifest } from './manifest.ts';
import { ManifestError } from './yaml.ts';

const wrong = (text: string): string => {
  try {
    readManifest(text);
  } catch (thrown) {
    if (thrown instanceof ManifestError) return `${thrown.at.line}:${thrown.at.column} ${thrown.message}`;
    throw thrown;
  }
  return 'nothing wrong';
};
const file = (fields: string): string => `files:\n  /x: { state: file, ${fields} }\n`;

describe('readManifest()', () => {
  test('reads YAML and JSON alike, aliases included', () => {
    const yaml = 'files:\n  /a: &same { state: file, content: "x", mode: 0600, owner: 0 }\n  /b: *same\n';
    const json = JSON.stringify({
      files: {
        '/a': { state: 'file', content: 'x', mode: '600', owner: 0 },
        '/b': { state: 'file', content: 'x', mode: 600, owner: '0' },
      },
    });
    const plain = (text: string) => readManifest(text).map((entry) => ({ ...entry, at: undefined }));
    expect(plain(yaml)).toEqual(plain(json));
    expect(plain(yaml)[1]).toMatchObject({ path: '/b', state: 'file', attributes: { mode: 0o600, owner: 0 } });
  });

  test.each([
    ['mode: 0644', { mode: 0o644 }],
    ['mode: 644', { mode: 0o644 }],
    ['mode: 0o4755', { mode: 0o4755 }],
    ['mtime: 2026-01-31T12:00:00.5+01:00', { mtime: { sec: 1769857200, nsec: 500_000_000 } }],
    ['mtime: -5', { mtime: { sec: -5, nsec: 0 } }],
    ['flags: [nodump, uappnd]', { flags: 5 }],
    ['flags: ""', { flags: 0 }],
    [
      'xattrs: { user.a: 5, user.b: null }',
      {
        xattrs: new Map([
          ['user.a', Uint8Array.of(0x35)],
          ['user.b', undefined],
        ]),
      },
    ],
  ])('%s', (fields, attributes) => {
    expect(readManifest(file(fields))).toMatchObject([{ attributes }]);
  });

  test.each([
    ['', '1:1 the manifest is empty'],
    ['[]', '1:1 a manifest is keys with values'],
    ['version: 2\nfiles: {}', '1:10 version is 1'],
    ['version: 1', "1:1 it has no 'files'"],
    ['files: []', '1:8 files is paths with what they are to be'],
    ['fiels: {}', "1:1 unknown key 'fiels'; did you mean 'files'?"],
    ['files:\n  x: { state: fifo }', "2:3 'x' does not begin with a slash"],
    ['files:\n  /x/../y: { state: fifo }', "2:3 '/x/../y': . and .. are not followed"],
    ['files:\n  /x: { content: a }', "2:3 '/x' has no state"],
    ['files:\n  /x: { state: link }', "2:3 state link needs 'target'"],
    ['files:\n  /x: { state: hard, target: y }', "2:30 'y' does not begin with a slash"],
    ['files:\n  /x: { state: device, type: b, major: 1, minor: 1 }', '2:30 type is char or block'],
    ['files:\n  /x: { state: device, type: block, major: -1, minor: 1 }', '2:44 major is a number from 0'],
    ['files:\n  /x: { state: fifo }\n  /x: { state: fifo }', "3:3 '/x' is there twice"],
    ['files:\n  /: { state: file }', "2:3 '/' is a directory"],
    ['files:\n  /x: { state: file }\n  /x/y: { state: fifo }', "3:3 '/x/y' is below '/x', whose state is file"],
    ['files:\n  ? [a]\n  : { state: file }', '2:5 a key is a word'],
    ['files: *none', "1:8 no anchor 'none'"],
    ['files: &a\n  /x: *a', '2:3 nested too deeply'],
    ['files:\n  /x: { state: file', '2:20 Flow map in block collection must be sufficiently indented and end with a }'],
    [file('content: a, contentBase64: YQ=='), "2:34 'contentBase64' and 'content' are both given"],
    [file('content: 1'), '2:31 content is a text'],
    [file('contentBase64: "*"'), '2:37 contentBase64 is base64'],
    [file('source: ""'), '2:30 source is a path'],
    [file('mode: 09'), "2:28 mode '09' is not octal"],
    [file('mode: u+x'), "2:28 mode 'u+x' is not octal"],
    [file('owner: "a b"'), '2:29 owner is a name or a number'],
    [file('flags: fast'), "2:29 no flag is called 'fast'"],
    [file('mtime: today'), "2:29 mtime 'today' is not like 2026-01-31T12:00:00Z"],
    [file('xattrs: { note: x }'), "2:38 'note' is no attribute's name, such as user.note"],
    [file('xattrs: { user.x: { hex: 00 } }'), '2:40 a value is a text, null, or base64: …'],
    [file('xattrs: { user.x: !!js/function x }'), '2:40 Unresolved tag: tag:yaml.org,2002:js/function'],
    [file('recurse: true'), "2:22 'recurse' does not go with state file"],
    ['files:\n  /x: { state: absent, recurse: 1 }', '2:33 recurse is true or false'],
    ['files:\n  /x: { state: line, lines: { ensure: a } }', '2:39 ensure is a list'],
    ['files:\n  /x: { state: line, lines: { ensure: ["a\\nb"] } }', '2:40 a line has no line feed in it'],
    ['files:\n  /x: { state: line, lines: { absent: [{ match: "(" }] } }', "2:49 match: '(' is no regular expression"],
    ['files:\n  /x: { state: line, lines: { replace: [{ match: a }] } }', "2:41 replace needs 'line'"],
    ['a: 1\n---\nb: 1', '2:1 one document is expected, and here another begins'],
    ['['.repeat(100_000), /nested too deeply$/],
    [`files: ${'{a: '.repeat(50)}`, /./],
  ])('%j', (text, message) => {
    if (typeof message === 'string') expect(wrong(text)).toBe(message);
    else expect(wrong(text)).toMatch(message);
  });

  test('aliases of aliases do not grow, and there is an end to them', () => {
    const laughs = ['a: &a [x, x, x, x, x, x, x, x, x, x]'];
    for (const name of 'bcdefghijklmnopqr') {
      const last = String.fromCharCode(name.charCodeAt(0) - 1);
      laughs.push(`${name}: &${name} [${Array.from({ length: 10 }, () => `*${last}`).join(', ')}]`);
    }
    const before = performance.now();
    expect(wrong(laughs.join('\n'))).toMatch(/more than 100 aliases/);
    expect(performance.now() - before).toBeLessThan(2000);
  });

  test('a hundred thousand paths take no quadratic time', () => {
    const paths = Array.from({ length: 50_000 }, (_, i) => `  /f${i}: {state: fifo}`).join('\n');
    expect(readManifest(`files:\n${paths}\n`)).toHaveLength(50_000);
  }, 20_000);
});

describe('obeyingLines()', () => {
  const none = { replace: [], absent: [], ensure: [] };
  test.each([
    ['a\nb\n', { ...none, ensure: ['b', 'c'] }, 'a\nb\nc\n'],
    ['a\nb', { ...none, ensure: ['b'] }, 'a\nb'],
    ['a', { ...none, ensure: ['b'] }, 'a\nb\n'],
    ['', { ...none, ensure: ['b'] }, 'b\n'],
    ['a\na\nb\n', { ...none, absent: ['a'] }, 'b\n'],
    ['a\n', { ...none, absent: [/^a/u] }, ''],
    ['\n\n', none, '\n\n'],
    ['x=1\ny=2\n', { ...none, replace: [{ match: /^(.)=.*/u, line: '$1=$$0' }] }, 'x=$0\ny=$0\n'],
  ])('%j', (text, rules, result) => {
    expect(obeyingLines(text, rules)).toBe(result);
    expect(obeyingLines(result, rules)).toBe(result);
  });
});
