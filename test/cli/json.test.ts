/** Every --json document is one JSON object that its published schema describes. */
import { closeSync, openSync, readdirSync, readFileSync, writeSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workplace } from './harness.ts';
import { documentSchemas, documentsIn, schemas, violations } from './schemas.ts';
import type { Schema } from './schemas.ts';

const transcripts = new URL('transcripts/', import.meta.url);

let place: Workplace;
beforeAll(() => {
  place = new Workplace();
  place.demo();
  // Names that are not UTF-8, a damaged file, a disk with partitions.
  place.sh(`set -e
    fsu_write demo.img --bytes '/bad\\xff' < /dev/null
    debugfs -w -R 'symlink /evil \\xff' demo.img; debugfs -w -R 'mknod null c 1 3' demo.img
    cp demo.img damaged.img; debugfs -w -R 'set_inode_field /etc/fstab mode 0' damaged.img
    truncate -s 1M sparse; truncate -s 10M disk.img; dd if=demo.img of=disk.img bs=1M seek=1 conv=notrunc status=none`);
  // An MBR: type 83 at sector 2048, 16384 sectors; type 82 behind it.
  const mbr = Buffer.alloc(512);
  for (const [at, type, start, count] of [
    [446, 0x83, 2048, 16_384],
    [462, 0x82, 18_432, 2048],
  ] as const) {
    mbr.writeUInt8(type, at + 4);
    mbr.writeUInt32LE(start, at + 8);
    mbr.writeUInt32LE(count, at + 12);
  }
  mbr.writeUInt16BE(0x55aa, 510);
  const disk = openSync(place.at('disk.img'), 'r+');
  writeSync(disk, mbr, 0, mbr.length, 0);
  closeSync(disk);
});
afterAll(() => place.remove());

test.each([...schemas])('%s names itself', (name, schema) => {
  expect(schema.$id).toBe(name);
});

const cases: readonly (readonly [string, number, string])[] = [
  ['ls demo.img:/', 0, ''],
  ['ls -laR demo.img:/', 0, ''],
  ['ls damaged.img:/etc', 1, ''],
  ['ls none.img', 1, ''],
  ['ls disk.img:9', 2, ''],
  ['ls', 2, ''],
  ['ls --what', 2, ''],
  ['cat demo.img:/README demo.img:/none', 1, ''],
  ['cat --content demo.img:/etc/hosts', 0, ''],
  ['cat -', 0, 'from standard input'],
  ['write demo.img:/new', 0, 'x'],
  ['write --dry-run demo.img:/new', 0, 'y'],
  ['write demo.img:/etc', 1, 'x'],
  ['write none.img:/x', 1, 'x'],
  ['stat demo.img:/ demo.img:/null demo.img:/home/README', 0, ''],
  ['stat demo.img:/none', 1, ''],
  ['df demo.img', 0, ''],
  ['df disk.img', 0, ''],
  ['info demo.img', 0, ''],
  ['info disk.img', 0, ''],
  ['info disk.img:1', 0, ''],
  ['info none.img', 1, ''],
  ['fsck demo.img', 0, ''],
  ['fsck none.img', 1, ''],
  ['get demo.img:/etc out', 0, ''],
  ['get demo.img:/none out', 1, ''],
  ['put -R demo.img damaged.img demo.img:/put', 1, ''],
  ['put disk.img none demo.img:/home', 1, ''],
  ['put sparse demo.img:/put', 0, ''],
  ['put', 2, ''],
  ['rm --dry-run demo.img:/README', 0, ''],
  ['rm -r demo.img:/home demo.img:/none none.img:/x', 1, ''],
  ['rm', 2, ''],
  ['mkfs --seed 1 new.img 8M', 0, ''],
  ['mkfs --dry-run other.img 8M', 0, ''],
  ['mkfs -t ext2 --from out filled.img auto', 0, ''],
  ['mkfs --from none filled2.img 8M', 1, ''],
  ['mkfs none.img', 1, ''],
  ['mkfs none.img x', 2, ''],
  ['recover demo.img', 0, ''],
  ['recover none.img', 1, ''],
  ['help', 0, ''],
  ['help ls', 0, ''],
  ['help --man', 2, ''],
  ['help nothing', 2, ''],
  ['completion', 0, ''],
  ['completion bash', 0, ''],
  ['completion csh', 2, ''],
  ['version', 0, ''],
  ['nonsense', 2, ''],
];

describe('one object, as the schema has it', () => {
  test.each(cases)('fsu %s --json', (line, status, stdin) => {
    const done = place.run('fsu', [...line.split(' '), '--json'], { stdin });
    const document = JSON.parse(done.stdout) as { schema: string; status: number; errors: unknown[] };
    const schema = schemas.get(document.schema);
    expect(schema).toBeDefined();
    if (schema !== undefined) expect([...violations(schema, document)]).toEqual([]);
    expect({ exit: done.status, status: document.status }).toEqual({ exit: document.status, status: document.status });
    if (status !== 1) expect(done.status).toBe(status);
    else expect(done.status).not.toBe(0);
    expect(document.errors.length > 0).toBe(status !== 0);
    expect(done.stderr === '').toBe(status === 0);
  });

  test('every schema is used', () => {
    const used = new Set(cases.map(([line]) => `fsu.${line.split(' ')[0] ?? ''}`));
    for (const name of readdirSync(transcripts)) {
      const text = readFileSync(new URL(name, transcripts), 'utf8');
      for (const step of text.split(/\n(?=\$ )/)) for (const { schema } of documentsIn(step)) used.add(schema);
    }
    expect(documentSchemas.filter((name) => !used.has(name)).sort()).toEqual([
      'fsu.diff.entry',
      'fsu.find.entry',
      'fsu.ls.entry',
    ]);
  });
});

test('ls --jsonl: a line an entry, then how it went', () => {
  const lines = place.run('fsu', ['ls', '--jsonl', '-R', 'demo.img:/']).stdout.trimEnd().split('\n');
  const last = JSON.parse(lines.pop() ?? '') as unknown;
  const entry = schemas.get('fsu.ls.entry') ?? {};
  expect([...violations(schemas.get('fsu.ls.end') ?? {}, last)]).toEqual([]);
  expect(lines.flatMap((line) => [...violations(entry, JSON.parse(line))])).toEqual([]);
  expect(lines.length).toBeGreaterThan(20);
  const failing = place.run('fsu', ['ls', '--jsonl', 'demo.img:/none']).stdout;
  expect(JSON.parse(failing)).toMatchObject({ schema: 'fsu.ls.end', status: 1, errors: [{ errno: 'ENOENT' }] });
});

test('diff --jsonl: a line a difference, then how it went', () => {
  place.sh('cp demo.img other.img; fsu rm -r other.img:/home; fsu write other.img:/etc/hosts < /dev/null');
  const done = place.run('fsu', ['diff', '--jsonl', 'demo.img', 'other.img']);
  const lines = done.stdout.trimEnd().split('\n');
  const last = JSON.parse(lines.pop() ?? '') as unknown;
  expect([...violations(schemas.get('fsu.diff.end') ?? {}, last)]).toEqual([]);
  expect(last).toMatchObject({ status: 1, errors: [] });
  expect(lines.flatMap((line) => [...violations(schemas.get('fsu.diff.entry') ?? {}, JSON.parse(line))])).toEqual([]);
  expect(lines.length).toBeGreaterThan(4);
});

test('the validator finds what is wrong', () => {
  const schema: Schema = {
    type: 'object',
    required: ['a'],
    additionalProperties: false,
    properties: {
      a: { type: 'array', items: { enum: [1, 2] } },
      b: { const: 'x' },
      c: { pattern: '^y$' },
      d: { type: 'integer', minimum: 3 },
    },
  };
  expect([...violations(schema, { a: [1, 2], b: 'x', c: 'y', d: 3 })]).toEqual([]);
  for (const bad of [
    {},
    { a: 1 },
    { a: [3] },
    { a: [], b: 'y' },
    { a: [], c: 'x' },
    { a: [], d: 2 },
    { a: [], d: 3.5 },
    { a: [], e: 1 },
    [],
  ]) {
    expect([...violations(schema, bad)]).not.toEqual([]);
  }
});
