import { describe, expect, test } from 'vitest';
import { nameFromBytes } from 'ukfs';
import { hostNameOf, HostNames } from './hostnames.ts';

/** What a person, or another program, would make of a host's name. */
const decoded = (host: string): string =>
  nameFromBytes(
    Buffer.concat(
      (host.match(/%[0-9A-F]{2}|[^%]+|%/g) ?? []).map((part) =>
        part.length === 3 && part.startsWith('%') ? Buffer.from(part.slice(1), 'hex') : Buffer.from(part),
      ),
    ),
  );

const invalid = nameFromBytes(Uint8Array.of(0x61, 0xff, 0x25, 0x34));
const names = [
  'plain',
  'a:b',
  'con',
  'CON.txt',
  'nul',
  'com1.log',
  'end.',
  'end ',
  'q?*<>|"\\',
  '\u0001\n',
  'ünï',
  '%41',
  '100%',
  invalid,
];

describe('hostNameOf()', () => {
  test.each([
    ['windows', 'a:b', 'a%3Ab'],
    ['windows', 'con', '%63on'],
    ['windows', 'CON.txt', '%43ON.txt'],
    ['windows', 'console', 'console'],
    ['windows', 'end.', 'end%2E'],
    ['windows', '%41', '%2541'],
    ['windows', '100%', '100%'],
    ['windows', 'ünï', 'ünï'],
    ['windows', invalid, 'a%FF%254'],
    ['mac', 'a:b', 'a%3Ab'],
    ['mac', 'con', 'con'],
    ['posix', 'a:b\n%41', 'a:b\n%41'],
    ['posix', invalid, invalid],
  ] as const)('%s: %j is %j', (rule, name, host) => expect(hostNameOf(name, { rule })).toBe(host));

  test.each(['windows', 'mac'] as const)('%s: every name can be had again', (rule) => {
    for (const name of names) expect(decoded(hostNameOf(name, { rule }))).toBe(name);
  });

  test('the name of the manifest is taken', () => {
    const taken = '.manifest';
    expect(hostNameOf('.manifest', { rule: 'posix', taken })).toBe('%2Emanifest');
    expect(hostNameOf('.Manifest', { rule: 'mac', taken })).toBe('%2EManifest');
  });

  test('no name is too long', () => {
    const [a, b] = [`${'?'.repeat(255)}`, `${'?'.repeat(254)}x`].map((name) => hostNameOf(name, { rule: 'windows' }));
    expect(a).not.toBe(b);
    for (const host of [a, b]) expect(host?.length).toBeLessThan(256);
  });
});

test('names that the host takes for the same get different ones, which can be had again', () => {
  const all = ['README', 'readme', 'Readme', 'ReadMe', '%52eadme', 'caf\u00e9', 'cafe\u0301'];
  const host = new HostNames({ rule: 'windows' });
  const given = all.map((name) => host.of(name));
  expect(new Set(given.map((name) => name.normalize('NFC').toLowerCase())).size).toBe(all.length);
  expect(given.map(decoded)).toEqual(all);
  expect(all.map((name) => host.of(name))).toEqual(given);
  expect(given.slice(0, 2)).toEqual(['README', '%72eadme']);
});
