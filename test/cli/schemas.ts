/** The published JSON schemas, and what a document breaks of them. */
import { readdirSync, readFileSync } from 'node:fs';

const folder = new URL('../../docs/schemas/', import.meta.url);

export interface Schema {
  readonly $id?: string;
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly pattern?: string;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly required?: readonly string[];
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly description?: string;
  readonly title?: string;
  readonly $schema?: string;
}

const known = new Set([
  '$schema',
  '$id',
  '$ref',
  '$defs',
  'title',
  'description',
  'type',
  'const',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'properties',
  'required',
  'additionalProperties',
  'items',
]);

export const schemas: ReadonlyMap<string, Schema> = new Map(
  readdirSync(folder).map((name) => [
    name.replace('.json', ''),
    JSON.parse(readFileSync(new URL(name, folder), 'utf8')) as Schema,
  ]),
);

/** What several documents share, and what the tools read. */
const others: ReadonlySet<string> = new Set(['fsu.common', 'fsu.apply.manifest', 'fsu.patch.bundle']);

/** Of documents that the tools write. */
export const documentSchemas = [...schemas.keys()].filter((name) => !others.has(name));

const typeOf = (value: unknown): string => {
  if (Array.isArray(value)) return 'array';
  if (value === null) return 'null';
  return Number.isInteger(value) ? 'integer' : typeof value;
};

/** `fsu.common#/$defs/NAME`, or `#/$defs/NAME` in that file itself. */
function referred(ref: string): Schema | undefined {
  const [, file = '', name = ''] = /^([\w.]*)#\/\$defs\/(\w+)$/.exec(ref) ?? [];
  return schemas.get(file === '' ? 'fsu.common' : file)?.$defs?.[name];
}

/** What a value breaks of a schema; knows the words our schemas use, and no others. */
export function* violations(schema: Schema, value: unknown, at = '$'): Generator<string> {
  for (const word of Object.keys(schema)) if (!known.has(word)) yield `${at}: schema word ${word}`;
  if (schema.$ref !== undefined) {
    const other = referred(schema.$ref);
    if (other === undefined) yield `${at}: ${schema.$ref} is nowhere`;
    else yield* violations(other, value, at);
  }
  const type = typeOf(value);
  if (schema.type !== undefined && ![schema.type].flat().includes(type))
    yield `${at}: ${type}, not ${String(schema.type)}`;
  if ('const' in schema && value !== schema.const) yield `${at}: not ${String(schema.const)}`;
  if (schema.enum !== undefined && !schema.enum.includes(value)) yield `${at}: ${String(value)} is not in the list`;
  if (typeof value === 'string' && schema.pattern !== undefined && !new RegExp(schema.pattern, 'u').test(value)) {
    yield `${at}: "${value}" does not match`;
  }
  if (typeof value === 'number' && (value < (schema.minimum ?? -Infinity) || value > (schema.maximum ?? Infinity))) {
    yield `${at}: ${value} out of range`;
  }
  if (Array.isArray(value)) {
    for (const [i, item] of value.entries()) yield* violations(schema.items ?? {}, item, `${at}[${i}]`);
  } else if (type === 'object') {
    const members = value as Record<string, unknown>;
    for (const name of schema.required ?? []) if (!(name in members)) yield `${at}.${name} is missing`;
    for (const [name, member] of Object.entries(members)) {
      const own = schema.properties?.[name];
      if (own !== undefined) yield* violations(own, member, `${at}.${name}`);
      else if (typeof schema.additionalProperties === 'object')
        yield* violations(schema.additionalProperties, member, `${at}.${name}`);
      else if (schema.additionalProperties === false) yield `${at}.${name} is not in the schema`;
    }
  }
}

/** The documents in a tool's output: lines (or groups of them) that are JSON with a schema of ours. */
export function* documentsIn(output: string): Generator<{ readonly schema: string } & Record<string, unknown>> {
  for (const text of output.split(/\n(?=(?:2> )?\{"schema":|\$ )/)) {
    // In a transcript, on standard error.
    const part = text.replace(/^2> /, '');
    if (!part.startsWith('{"schema":"fsu')) continue;
    const end = part.lastIndexOf('}');
    yield JSON.parse(part.slice(0, end + 1)) as { readonly schema: string } & Record<string, unknown>;
  }
}
