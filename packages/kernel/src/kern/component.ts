/**
 * Components: plain values that boot() brings up in the order of their class (≙ RUMP_COMPONENT), and the typed services
 * through which they find each other. Importing a component registers nothing.
 */
import { FsError } from './errno.ts';
import type { Kernel } from './kernel.ts';

/**
 * Order of construction. A faction's own components follow it at once, as NetBSD runs them from inside the faction;
 * within a class the order given to boot() holds.
 */
const componentClasses = [
  'KERN',
  'FACTION_VFS',
  'VFS',
  'FACTION_DEV',
  'DEV',
  'KERN_VFS',
  'POSTINIT',
  'SYSCALL',
] as const;
export type ComponentClass = (typeof componentClasses)[number];

export interface Component {
  readonly name: string;
  readonly class: ComponentClass;
  /** Bring it up. Earlier classes are there already. */
  init(k: Kernel): void;
  /** Take it down; called by halt() in reverse order. */
  fini?(k: Kernel): void;
}

/** Components in order of construction. EEXIST when two share a name. */
export function orderComponents(components: readonly Component[]): Component[] {
  const names = new Set<string>();
  for (const { name } of components) {
    if (names.has(name)) throw new FsError('EEXIST', { op: 'boot', what: `component ${name} given twice` });
    names.add(name);
  }
  return componentClasses.flatMap((cls) => components.filter((c) => c.class === cls));
}

/** Names a service of type T that one component provides and others use. */
export interface ServiceKey<T> {
  readonly name: string;
  /** Phantom: carries T for inference only. */
  readonly value?: T;
}
export const serviceKey = <T>(name: string): ServiceKey<T> => ({ name });

/** The services of one kernel (or the per-process data of one process). */
export class Services {
  readonly #values = new Map<ServiceKey<unknown>, unknown>();

  provide<T>(key: ServiceKey<T>, value: T): void {
    if (this.#values.has(key)) throw new FsError('EEXIST', { what: `service ${key.name} provided twice` });
    this.#values.set(key, value);
  }

  /** ENODEV when no component provides it. */
  get<T>(key: ServiceKey<T>): T {
    const value = this.find(key);
    if (value === undefined) throw new FsError('ENODEV', { what: `no component provides ${key.name}` });
    return value;
  }

  find<T>(key: ServiceKey<T>): T | undefined {
    // The only door in is provide(), which pairs key and value by type.
    return this.#values.get(key) as T | undefined;
  }
}
