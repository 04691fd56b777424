/** The sysctl tree: dotted names to values, read through functions so that nothing is stored twice. */
import { FsError } from './errno.ts';

type SysctlValue = string | number;

export class Sysctl {
  readonly #nodes = new Map<string, { get(): SysctlValue; set?: ((value: SysctlValue) => void) | undefined }>();

  /** Add a leaf. EEXIST when the name is taken. */
  node(name: string, get: () => SysctlValue, set?: (value: SysctlValue) => void): void {
    if (this.#nodes.has(name)) throw new FsError('EEXIST', { op: 'sysctl', path: name });
    this.#nodes.set(name, { get, set });
  }

  /** ENOENT for unknown names. */
  get(name: string): SysctlValue {
    return this.#find(name).get();
  }

  /** EPERM for read-only leaves. */
  set(name: string, value: SysctlValue): void {
    const { set } = this.#find(name);
    if (set === undefined) throw new FsError('EPERM', { op: 'sysctl', path: name });
    set(value);
  }

  /** Names of all leaves under a prefix ("" for all), sorted. */
  names(prefix = ''): string[] {
    return [...this.#nodes.keys()].filter((n) => prefix === '' || n === prefix || n.startsWith(`${prefix}.`)).sort();
  }

  #find(name: string): { get(): SysctlValue; set?: ((value: SysctlValue) => void) | undefined } {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new FsError('ENOENT', { op: 'sysctl', path: name });
    return node;
  }
}
