/**
 * The module table: code that is known by name and loaded on demand (≙ NetBSD modules). Loading code is the one
 * asynchronous thing in the kernel, which is why opening an image is.
 */
import { FsError } from './errno.ts';

interface LoadedModule {
  /** Make the module's service known. */
  init(): void;
  /** Withdraw it. EBUSY while it is in use. */
  fini(): void;
}

interface Module {
  readonly name: string;
  readonly aliases: readonly string[];
  /** Other modules that must be there first, by name. */
  readonly requires?: readonly string[];
  load(): Promise<LoadedModule>;
}

export class ModuleTable {
  readonly #known = new Map<string, Module>();
  readonly #loaded = new Map<string, LoadedModule>();

  /** EEXIST when the name or an alias is taken. */
  register(module: Module): void {
    for (const name of [module.name, ...module.aliases]) {
      if (this.#known.has(name)) throw new FsError('EEXIST', { op: 'module', what: `module ${name} registered twice` });
      this.#known.set(name, module);
    }
  }

  /** Canonical name of a name or alias; undefined when nobody knows it. */
  resolve(name: string): string | undefined {
    return this.#known.get(name)?.name;
  }

  isLoaded(name: string): boolean {
    return this.#loaded.has(this.resolve(name) ?? name);
  }

  /** Load if it is not there yet; what autoloading does. ENODEV when no module has that name. */
  async load(name: string): Promise<void> {
    if (!this.isLoaded(name)) await this.init(name);
  }

  /** Load and initialise. EEXIST when it is there already, ENODEV when unknown. */
  async init(name: string): Promise<void> {
    const module = this.#known.get(name);
    if (module === undefined) throw new FsError('ENODEV', { op: 'module', what: `no module named ${name}` });
    if (this.#loaded.has(module.name))
      throw new FsError('EEXIST', { op: 'module', what: `module ${module.name} is loaded` });
    for (const required of module.requires ?? []) await this.load(required);
    const code = await module.load();
    // Another load of the same module may have finished while this one waited.
    if (this.#loaded.has(module.name)) return;
    code.init();
    this.#loaded.set(module.name, code);
  }

  /** Unload. ENOENT when it is not loaded, EBUSY while it is in use. */
  fini(name: string): void {
    const canonical = this.resolve(name) ?? name;
    const code = this.#loaded.get(canonical);
    if (code === undefined) throw new FsError('ENOENT', { op: 'module', what: `module ${name} is not loaded` });
    code.fini();
    this.#loaded.delete(canonical);
  }

  names(): string[] {
    return [...new Set([...this.#known.values()].map((m) => m.name))];
  }
}
