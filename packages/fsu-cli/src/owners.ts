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

  #table(path: string): ReadonlyMap<number, string> {
    let table = this.#tables.get(path);
    if (table === undefined) {
      table = this.#read(path);
      this.#tables.set(path, table);
    }
    return table;
  }

  #read(path: string): ReadonlyMap<number, string> {
    try {
      const { type, size } = this.#fs.stat(path);
      if (type !== 'reg' || size > BYTES_MAX) return new Map();
      return parseIds(this.#fs.readFile(path, 'utf8'));
    } catch (thrown) {
      // No such file, no such directory, damaged: numbers it is.
      if (thrown instanceof FsError) return new Map();
      throw thrown;
    }
  }
}

/** `name:password:number:…` lines; the first name of a number counts, as for getpwuid(3). */
function parseIds(text: string): ReadonlyMap<number, string> {
  const names = new Map<number, string>();
  for (const line of text.split('\n')) {
    const [name = '', , id = ''] = line.split(':');
    if (!/^[A-Za-z0-9_.@$][A-Za-z0-9_.@$-]*$/.test(name) || !/^\d{1,10}$/.test(id)) continue;
    if (!names.has(Number(id))) names.set(Number(id), name);
  }
  return names;
}

function idOf(table: ReadonlyMap<number, string>, name: string): number | undefined {
  for (const [id, known] of table) if (known === name) return id;
  return undefined;
}
