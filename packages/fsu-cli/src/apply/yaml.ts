/**
 * A YAML or JSON text as values that know where they stand. The one user of the package `yaml` (ADR 0010), which is loaded
 * with this file. A manifest may come from anywhere: its size, its depth and its aliases are bounded.
 */
import { isAlias, isMap, isNode, isScalar, isSeq, LineCounter, parseDocument } from 'yaml';
import type { Scalar } from 'yaml';

export interface Place {
  readonly line: number;
  readonly column: number;
}

export interface Member {
  readonly key: string;
  readonly at: Place;
  readonly value: Value;
}

export type Value = { readonly at: Place } & (
  | { readonly kind: 'map'; readonly members: readonly Member[] }
  | { readonly kind: 'list'; readonly items: readonly Value[] }
  /** `source` is the scalar as it is written, without quotes: what 0644 means is not YAML's to decide. */
  | { readonly kind: 'scalar'; readonly value: string | number | boolean | undefined; readonly source: string }
);

/** The text is wrong at a place. */
export class ManifestError extends Error {
  override readonly name = 'ManifestError';
  readonly at: Place;
  constructor(at: Place, message: string) {
    super(message);
    this.at = at;
  }
}

/** Characters. */
export const TEXT_MAX = 4 * 1024 * 1024;
/** Our deepest value is at level 5. */
const DEPTH_MAX = 16;
const ALIASES_MAX = 100;

/** undefined: the document is empty. ManifestError. */
export function readYaml(text: string): Value | undefined {
  const lines = new LineCounter();
  const place = (offset: number | undefined): Place => {
    const { line, col } = lines.linePos(offset ?? 0);
    return { line: Math.max(1, line), column: Math.max(1, col) };
  };
  const document = parsed(text, lines);
  const [problem] = [...document.errors, ...document.warnings];
  if (problem !== undefined) throw new ManifestError(place(problem.pos[0]), problemText(problem));
  let aliases = 0;
  const read = (node: unknown, depth: number): Value => {
    const at = place(isNode(node) ? node.range?.[0] : undefined);
    if (depth > DEPTH_MAX) throw new ManifestError(at, 'nested too deeply');
    if (isAlias(node)) {
      if (++aliases > ALIASES_MAX) throw new ManifestError(at, `more than ${ALIASES_MAX} aliases`);
      const meant = node.resolve(document);
      if (meant === undefined) throw new ManifestError(at, `no anchor '${node.source}'`);
      return { ...read(meant, depth + 1), at };
    }
    if (isSeq(node)) return { at, kind: 'list', items: node.items.map((item) => read(item, depth + 1)) };
    if (isMap(node)) return { at, kind: 'map', members: members(node.items, (item) => read(item, depth + 1)) };
    return isScalar(node) ? scalar(node, at) : { at, kind: 'scalar', value: undefined, source: '' };
  };
  return document.contents === null ? undefined : read(document.contents, 0);
}

function parsed(text: string, lineCounter: LineCounter): ReturnType<typeof parseDocument> {
  // Looking for keys that are there twice is ours: the package takes quadratic time over it.
  const options = { lineCounter, prettyErrors: false, uniqueKeys: false, merge: false, version: '1.2' } as const;
  try {
    return parseDocument(text, options);
  } catch (thrown) {
    if (thrown instanceof RangeError) throw new ManifestError({ line: 1, column: 1 }, 'nested too deeply');
    throw thrown;
  }
}

function members(
  items: readonly { readonly key: unknown; readonly value: unknown }[],
  read: (node: unknown) => Value,
): readonly Member[] {
  const seen = new Set<string>();
  return items.map((item) => {
    const key = read(item.key);
    if (key.kind !== 'scalar') throw new ManifestError(key.at, 'a key is a word');
    const name = typeof key.value === 'string' ? key.value : key.source;
    if (seen.has(name)) throw new ManifestError(key.at, `'${name}' is there twice`);
    seen.add(name);
    const value = read(item.value);
    return {
      key: name,
      at: key.at,
      value: item.value === null || item.value === undefined ? { ...value, at: key.at } : value,
    };
  });
}

function scalar({ value, source: written }: Scalar, at: Place): Value {
  const source = written ?? '';
  if (typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean')
    return { at, kind: 'scalar', value, source };
  if (value === null) return { at, kind: 'scalar', value: undefined, source };
  throw new ManifestError(at, 'neither a text, a number, yes or no');
}

function problemText({ code, message }: { readonly code: string; readonly message: string }): string {
  if (code === 'MULTIPLE_DOCS') return 'one document is expected, and here another begins';
  // The parser calls itself: its stack is the bound.
  if (message.startsWith('Maximum call stack')) return 'nested too deeply';
  return message.split('\n', 1)[0] ?? message;
}
