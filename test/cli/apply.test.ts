/** apply: what the published schema of manifests says of those that work; and idempotence on a changing image. */
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Workplace } from './harness.ts';
import { schemas, violations } from './schemas.ts';

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo();
});
afterAll(() => place.remove());

/** Every state, every key. */
const manifest = {
  version: 1,
  files: {
    '/etc/motd': {
      state: 'file',
      content: 'x\n',
      mode: '0640',
      owner: 'guest',
      group: 0,
      mtime: '2026-01-31T12:00:00Z',
    },
    '/b': {
      state: 'file',
      contentBase64: 'SGVsbG8K',
      xattrs: { 'user.a': 'x', 'user.b': { base64: 'AAE=' }, 'user.c': null },
    },
    '/s': { state: 'file', source: '.bin/sample', flags: ['nodump'] },
    '/immutable': { state: 'file', content: 'still', flags: 'schg' },
    '/d': { state: 'directory', recurse: true, owner: 1000, mtime: 5 },
    '/d/own': { state: 'file', owner: 7 },
    '/d/other': { state: 'file' },
    '/l': { state: 'link', target: 'b', mtime: 77 },
    '/h': { state: 'hard', target: '/b' },
    '/dev0': { state: 'device', type: 'block', major: 8, minor: 1 },
    '/p': { state: 'fifo', mode: 600 },
    '/var': { state: 'absent', recurse: true },
    '/etc/hosts': {
      state: 'line',
      lines: { ensure: ['a'], absent: ['b', { match: '^::1' }], replace: [{ match: '^127', line: 'c' }] },
    },
  },
};

const apply = (...words: string[]) =>
  place.run('fsu', ['apply', ...words, '-', 'demo.img'], { stdin: JSON.stringify(manifest) });

test('the schema describes a manifest of every state and key, and knows no others', () => {
  const schema = schemas.get('fsu.apply.manifest') ?? {};
  expect([...violations(schema, manifest)]).toEqual([]);
  expect([...violations(schema, { files: { '/x': { state: 'file', mod: 1 } } })]).toEqual([
    '$.files./x.mod is not in the schema',
  ]);
  expect([...violations(schema, { files: { '/x': {} } })]).toEqual(['$.files./x.state is missing']);
});

test('twice changes nothing, byte for byte; what drifts is told and put right, immutable files included', () => {
  expect(apply()).toMatchObject({ status: 0, stdout: '', stderr: '' });
  const image = readFileSync(place.at('demo.img'));
  expect(apply('-v')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(apply('--check')).toMatchObject({ status: 0, stdout: '', stderr: '' });
  expect(readFileSync(place.at('demo.img')).equals(image)).toBe(true);

  place.sh(`fsu write demo.img:/var < /dev/null; fsu rm demo.img:/h; fsu write -a demo.img:/etc/hosts <<< b
    debugfs -w -R 'set_inode_field /immutable mtime 20200101' demo.img; debugfs -w -R 'set_inode_field /d/other uid 3' demo.img`);
  const files = Object.entries(manifest.files).map(([path, entry]) => {
    if (path !== '/immutable') return [path, entry] as const;
    return [path, { ...entry, content: 'moved' }] as const;
  });
  const stdin = JSON.stringify({ files: Object.fromEntries(files) });
  const check = place.run('fsu', ['apply', '--check', '-', 'demo.img'], { stdin });
  expect(check).toMatchObject({ status: 1, stderr: '' });
  expect(check.stdout.replaceAll('demo.img:', '').trim().split('\n')).toEqual([
    '/immutable: content',
    '/d: owner below',
    '/h: created',
    '/var: removed',
    '/etc/hosts: lines',
  ]);
  expect(place.run('fsu', ['apply', '-', 'demo.img'], { stdin })).toMatchObject({ status: 0, stderr: '' });
  expect(place.run('fsu', ['apply', '--check', '-', 'demo.img'], { stdin }).status).toBe(0);
  expect(place.run('fsu_cat', ['demo.img', '/immutable']).stdout).toBe('moved');
  expect(place.run('fsu', ['stat', '-c', '%u', 'demo.img:/d/own', 'demo.img:/d/other']).stdout).toBe('7\n1000\n');
  expect(place.sh('e2fsck -fn demo.img').status).toBe(0);
});

test('a manifest that fails half way leaves the image as it was', () => {
  const before = readFileSync(place.at('demo.img'));
  const stdin = 'files: { /one: { state: file }, /etc/hosts/below: { state: file } }';
  const done = place.run('fsu', ['apply', '-', 'demo.img'], { stdin });
  expect(done.status).toBe(1);
  expect(readFileSync(place.at('demo.img')).equals(before)).toBe(true);
});
