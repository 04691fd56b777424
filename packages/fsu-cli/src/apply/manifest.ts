/** A manifest: the state that files of an image are to have. docs/apply.md; docs/schemas/input/fsu.apply.manifest.json. */
import { nameFromBytes, nameToBytes } from 'ukfs';
import type { Timespec } from '@ukfs/kernel';
import { bytesOfEscapes } from '../args.ts';
import { suggestion } from '../suggest.ts';
import {
  bytesOfBase64,
  countOf,
  flagsOf,
  modeOf,
  ownerOf,
  textOf,
  timeOf,
  truthOf,
  wordOf,
  xattrsOf,
} from './fields.ts';
import type { LineRules } from './lines.ts';
import { ManifestError, readYaml } from './yaml.ts';
import type { Member, Place, Value } from './yaml.ts';

export interface Attributes {
  readonly mode: number | undefined;
  readonly owner: string | number | undefined;
  readonly group: string | number | undefined;
  readonly xattrs: ReadonlyMap<string, Uint8Array | undefined>;
  readonly flags: number | undefined;
  readonly mtime: Timespec | undefined;
}

export type Content =
  | { readonly kind: 'any' }
  | { readonly kind: 'bytes'; readonly bytes: Uint8Array }
  | { readonly kind: 'source'; readonly path: string; readonly at: Place };

export type State =
  | { readonly state: 'file'; readonly content: Content }
  | { readonly state: 'directory'; readonly recurse: boolean }
  | { readonly state: 'link'; readonly target: string }
  | { readonly state: 'hard'; readonly target: string }
  | { readonly state: 'device'; readonly type: 'chr' | 'blk'; readonly major: number; readonly minor: number }
  | { readonly state: 'fifo' }
  | { readonly state: 'absent'; readonly recurse: boolean }
  | { readonly state: 'line'; readonly lines: LineRules };

export type Entry = State & { readonly path: string; readonly at: Place; readonly attributes: Attributes };

const attributeKeys = ['mode', 'owner', 'group', 'xattrs', 'flags', 'mtime'] as const;
const keysOf: Readonly<Record<State['state'], readonly string[]>> = {
  file: ['source', 'content', 'contentBase64', ...attributeKeys],
  directory: ['recurse', ...attributeKeys],
  link: ['target', 'owner', 'group', 'mtime'],
  hard: ['target'],
  device: ['type', 'major', 'minor', ...attributeKeys],
  fifo: [...attributeKeys],
  absent: ['recurse'],
  line: ['lines', ...attributeKeys],
};
const isState = (word: string): word is State['state'] => Object.hasOwn(keysOf, word);

/** ManifestError. `escapes`: \xNN in paths and targets stands for a byte. */
export function readManifest(text: string, { escapes = false }: { readonly escapes?: boolean } = {}): readonly Entry[] {
  const document = readYaml(text);
  if (document === undefined) throw new ManifestError({ line: 1, column: 1 }, 'the manifest is empty');
  const top = membersOf(document, 'a manifest', ['version', 'files']);
  const version = top.get('version')?.value;
  if (version !== undefined && countOf(version, 'version') !== 1) throw new ManifestError(version.at, 'version is 1');
  const files = top.get('files')?.value;
  if (files === undefined) throw new ManifestError(document.at, "it has no 'files'");
  if (files.kind !== 'map') throw new ManifestError(files.at, 'files is paths with what they are to be');
  const unescaped = (path: string): string => (escapes ? nameFromBytes(bytesOfEscapes(path, nameToBytes)) : path);
  const entries = files.members.map((member) => readEntry(member, unescaped));
  mustAgree(entries);
  return entries;
}

function membersOf(value: Value, what: string, known: readonly string[]): ReadonlyMap<string, Member> {
  if (value.kind !== 'map') throw new ManifestError(value.at, `${what} is keys with values`);
  for (const { key, at } of value.members) {
    if (known.includes(key)) continue;
    const near = suggestion(key, known);
    throw new ManifestError(at, `unknown key '${key}'${near === undefined ? '' : `; did you mean '${near}'?`}`);
  }
  return new Map(value.members.map((member) => [member.key, member]));
}

const allKeys = [...new Set(['state', ...Object.values(keysOf).flat()])];

function readEntry({ key, at, value }: Member, unescaped: (path: string) => string): Entry {
  const path = absolute(unescaped(key), at);
  const members = membersOf(value, `'${key}'`, allKeys);
  const given = members.get('state')?.value;
  if (given === undefined) throw new ManifestError(at, `'${key}' has no state`);
  const state = wordOf(given, 'state');
  if (!isState(state)) {
    const near = suggestion(state, Object.keys(keysOf));
    throw new ManifestError(given.at, `no state '${state}'${near === undefined ? '' : `; did you mean '${near}'?`}`);
  }
  for (const member of members.values()) {
    if (member.key !== 'state' && !keysOf[state].includes(member.key))
      throw new ManifestError(member.at, `'${member.key}' does not go with state ${state}`);
  }
  const of = (name: string): Value | undefined => members.get(name)?.value;
  return { path, at, attributes: readAttributes(of), ...readState(state, { of, at, members, unescaped }) };
}

/** The path without double slashes and one at the end; it names one place only. */
function absolute(path: string, at: Place): string {
  if (!path.startsWith('/')) throw new ManifestError(at, `'${path}' does not begin with a slash`);
  const plain = path.replace(/\/+/g, '/').replace(/(?<=.)\/$/, '');
  if (/\/\.\.?(\/|$)/.test(plain)) throw new ManifestError(at, `'${path}': . and .. are not followed`);
  if (plain.includes('\0')) throw new ManifestError(at, 'a path holds no NUL');
  return plain;
}

function readAttributes(of: (name: string) => Value | undefined): Attributes {
  const read = <T>(name: string, how: (value: Value, what: string) => T): T | undefined => {
    const value = of(name);
    return value === undefined ? undefined : how(value, name);
  };
  return {
    mode: read('mode', modeOf),
    owner: read('owner', ownerOf),
    group: read('group', ownerOf),
    xattrs: read('xattrs', xattrsOf) ?? new Map<string, undefined>(),
    flags: read('flags', flagsOf),
    mtime: read('mtime', timeOf),
  };
}

interface Given {
  of(name: string): Value | undefined;
  readonly at: Place;
  readonly members: ReadonlyMap<string, Member>;
  readonly unescaped: (path: string) => string;
}

function readState(state: State['state'], given: Given): State {
  const needed = (name: string): Value => {
    const value = given.of(name);
    if (value === undefined) throw new ManifestError(given.at, `state ${state} needs '${name}'`);
    return value;
  };
  const recurse = given.of('recurse');
  const isRecursive = recurse !== undefined && truthOf(recurse, 'recurse');
  switch (state) {
    case 'file':
      return { state, content: readContent(given) };
    case 'link': {
      const target = given.unescaped(textOf(needed('target'), 'target'));
      if (target === '' || target.includes('\0')) throw new ManifestError(needed('target').at, 'target is a path');
      return { state, target };
    }
    case 'hard':
      return { state, target: absolute(given.unescaped(textOf(needed('target'), 'target')), needed('target').at) };
    case 'device': {
      const type = wordOf(needed('type'), 'type');
      if (type !== 'char' && type !== 'block') throw new ManifestError(needed('type').at, 'type is char or block');
      const [major, minor] = [countOf(needed('major'), 'major'), countOf(needed('minor'), 'minor')];
      return { state, type: type === 'char' ? 'chr' : 'blk', major, minor };
    }
    case 'line':
      return { state, lines: readLines(needed('lines')) };
    case 'directory':
    case 'absent':
      return { state, recurse: isRecursive };
    case 'fifo':
      return { state };
  }
}

function readContent({ of, members }: Given): Content {
  const given = ['source', 'content', 'contentBase64'].flatMap((name) => members.get(name) ?? []);
  const [first, second] = given;
  if (first !== undefined && second !== undefined)
    throw new ManifestError(second.at, `'${second.key}' and '${first.key}' are both given`);
  const [source, content, base64] = [of('source'), of('content'), of('contentBase64')];
  if (source !== undefined) {
    const path = textOf(source, 'source');
    if (path === '' || path.includes('\0')) throw new ManifestError(source.at, 'source is a path');
    return { kind: 'source', path, at: source.at };
  }
  if (content !== undefined) return { kind: 'bytes', bytes: nameToBytes(textOf(content, 'content')) };
  if (base64 !== undefined) return { kind: 'bytes', bytes: bytesOfBase64(base64, 'contentBase64') };
  return { kind: 'any' };
}

function readLines(value: Value): LineRules {
  const members = membersOf(value, 'lines', ['ensure', 'absent', 'replace']);
  const list = (name: string): readonly Value[] => {
    const given = members.get(name)?.value;
    if (given !== undefined && given.kind !== 'list') throw new ManifestError(given.at, `${name} is a list`);
    return given?.items ?? [];
  };
  return {
    ensure: list('ensure').map((item) => lineOf(item)),
    absent: list('absent').map((item) => (item.kind === 'map' ? matchOf(item, ['match']).match : lineOf(item))),
    replace: list('replace').map((item) => {
      const { match, members: given } = matchOf(item, ['match', 'line']);
      const line = given.get('line')?.value;
      if (line === undefined) throw new ManifestError(item.at, "replace needs 'line'");
      return { match, line: lineOf(line) };
    }),
  };
}

function lineOf(value: Value): string {
  const line = wordOf(value, 'a line');
  if (line.includes('\n')) throw new ManifestError(value.at, 'a line has no line feed in it');
  return line;
}

function matchOf(
  value: Value,
  keys: readonly string[],
): { readonly match: RegExp; readonly members: ReadonlyMap<string, Member> } {
  const members = membersOf(value, 'a rule', keys);
  const match = members.get('match')?.value;
  if (match === undefined) throw new ManifestError(value.at, "a rule needs 'match'");
  const pattern = wordOf(match, 'match');
  try {
    return { match: new RegExp(pattern, 'u'), members };
  } catch (thrown) {
    if (!(thrown instanceof SyntaxError)) throw thrown;
    throw new ManifestError(match.at, `match: '${pattern}' is no regular expression`);
  }
}

/** One path twice, spelt differently, or below what is no directory: no order of doing things makes that true. */
function mustAgree(entries: readonly Entry[]): void {
  const known = new Map<string, Entry>();
  for (const entry of entries) {
    if (known.has(entry.path)) throw new ManifestError(entry.at, `'${entry.path}' is there twice`);
    known.set(entry.path, entry);
  }
  for (const { path, at, state } of entries) {
    if (path === '/' && state !== 'directory') throw new ManifestError(at, "'/' is a directory");
    for (let end = path.lastIndexOf('/'); end > 0; end = path.lastIndexOf('/', end - 1)) {
      const above = known.get(path.slice(0, end));
      if (above === undefined || above.state === 'directory' || above.state === 'link' || state === 'absent') continue;
      throw new ManifestError(at, `'${path}' is below '${above.path}', whose state is ${above.state}`);
    }
  }
}
