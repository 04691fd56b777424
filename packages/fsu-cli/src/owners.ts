/** Names of users and groups, from the image's own /etc/passwd and /etc/group: the host's say nothing about an image. */
import { FsError } from 'ukfs';
import type { Ukfs } from 'ukfs';

/** Larger files are not what they seem: an image must not fill our memory. */
const BYTES_MAX = 1024 * 1024;

export class Owners {
  readonly #fs: Ukfs;
  readonly #tables = new Map<string, ReadonlyMap<number, string>>();

  constructor(fs: Ukfs) {
    this.#fs = fs;
  }

  /** undefined when the image does not know the number. */
  user(uid: number): string | undefined {
    return this.#table('/etc/passwd').get(uid);
  }

  group(gid: number): string | undefined {
    return this.#table('/etc/group').get(gid);
  }

  uid(name: string): number | undefined {
    return idOf(this.#table('/etc/passwd'), name);
  }

  gid(name: string): number | undefined {
    return idOf(this.#table('/etc/group'), name);
  }

  /** The group that the user logs in with; undefined when the image does not know him. */
  loginGroup(name: string): number | undefined {
    for (const line of this.#text('/etc/passwd').split('\n')) {
      const [user, , , gid = ''] = line.split(':');
      if (user === name && ID.test(gid)) return Number(gid);
    }
    return undefined;
  }

  #table(path: string): ReadonlyMap<number, string> {
    let table = this.#tables.get(path);
    if (table === undefined) {
      table = this.#read(path);
      this.#tables.set(path, table);
    }
    return table;
  }

  #read(path: string): ReadonlyMap<number, string> {
    return parseIds(this.#text(path));
  }

  #text(path: string): string {
    try {
      const { type, size } = this.#fs.stat(path);
      return type !== 'reg' || size > BYTES_MAX ? '' : this.#fs.readFile(path, 'utf8');
    } catch (thrown) {
      // No such file, no such directory, damaged: numbers it is.
      if (thrown instanceof FsError) return '';
      throw thrown;
    }
  }
}

const ID = /^\d{1,10}$/;
const ID_MAX = 0xffff_fffe;

/** The number that a word means: a name that the image knows, or a number (`+N` is never a name). Errors: EINVAL. */
export function userId(owners: Owners, word: string): number {
  return idOfWord(word, (name) => owners.uid(name), 'user');
}

export function groupId(owners: Owners, word: string): number {
  return idOfWord(word, (name) => owners.gid(name), 'group');
}

function idOfWord(word: string, lookUp: (name: string) => number | undefined, kind: 'user' | 'group'): number {
  const number = word.startsWith('+') ? word.slice(1) : word;
  const id = number === word ? lookUp(word) : undefined;
  if (id !== undefined) return id;
  if (ID.test(number) && Number(number) <= ID_MAX) return Number(number);
  throw new FsError('EINVAL', { what: `the image knows no ${kind} '${word}'` });
}

/** `name:password:number:…` lines; the first name of a number counts, as for getpwuid(3). */
function parseIds(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (!/^[A-Za-z0-9_.@$][A-Za-z0-9_.@$-]*$/.test(name) || !ID.test(id)) continue;
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

function idOf(table: ReadonlyMap<number, string>, name: string): number | undefined {
  for (const [id, known] of table) if (known === name) return id;
  return undefined;
}
