/**
 * Transcripts: commands with what they print and how they end, run for real on copies of the demo image.
 *
 * In transcripts/NAME.txt a line `$ command` is run by a shell; then follow its standard output, the lines of its standard
 * error with `2> ` before them, and `[status]` unless that is 0. `UPDATE_TRANSCRIPTS=1` writes what really happens; read
 * the difference before you keep it. Every JSON document that a tool prints is one that its published schema describes.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Workplace } from './harness.ts';
import type { Result } from './harness.ts';
import { documentsIn, schemas, violations } from './schemas.ts';

const folder = new URL('transcripts/', import.meta.url);

interface Step {
  readonly command: string;
  readonly expected: string;
}

function parse(text: string): { readonly head: string; readonly steps: readonly Step[] } {
  const [head = '', ...parts] = `\n${text}`.split(/\n(?=\$ )/);
  return {
    head: head.trim(),
    steps: parts.map((part) => {
      const [first = '', ...rest] = part.split('\n');
      return { command: first.slice(2), expected: rest.join('\n').trimEnd() };
    }),
  };
}

function shown({ stdout, stderr, status }: Result): string {
  const errors =
    stderr === ''
      ? []
      : stderr
          .trimEnd()
          .split('\n')
          .map((line) => `2> ${line}`);
  const lines = [...(stdout === '' ? [] : [stdout.trimEnd()]), ...errors, ...(status === 0 ? [] : [`[${status}]`])];
  return lines.join('\n');
}

describe.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))('%s', (name) => {
  const { head, steps } = parse(readFileSync(new URL(name, folder), 'utf8'));
  let place: Workplace;
  let results: string[];

  afterAll(() => place.remove());
  beforeAll(() => {
    place = new Workplace();
    place.demo('demo.img');
    results = steps.map(({ command }) => shown(place.sh(command)));
    if (process.env['UPDATE_TRANSCRIPTS'] === undefined) return;
    const text = steps.map(({ command }, i) => `$ ${command}\n${results[i]}`.trimEnd()).join('\n');
    writeFileSync(new URL(name, folder), `${head}\n\n${text}\n`);
  }, 120_000);

  test.each(steps.map((step, i) => ({ ...step, i })))('$command', ({ expected, i }) => {
    if (process.env['UPDATE_TRANSCRIPTS'] === undefined) expect(results[i]).toBe(expected);
    for (const document of documentsIn(results[i] ?? ''))
      expect([...violations(schemas.get(document.schema) ?? { type: 'a published schema' }, document)]).toEqual([]);
  });
});
