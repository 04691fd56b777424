/**
 * Copies of whole images: --output, which edits one, and --backup, which keeps one. Each is made under a private name in its
 * directory and gets its own only when the edit has come that far; whatever fails before leaves nothing behind.
 */
import { copyBytes, defaultHost, errnoText, FsError, openBytes } from 'ukfs';
import type { Host, ImageBytes, OpenOptions } from 'ukfs';
import { UsageError } from '../command.ts';
import type { Shell } from '../context.ts';
import type { Progress } from '../progress.ts';
import type { EditSettings } from './settings.ts';

/** Copied between two looks at whether somebody wants us to end. */
const PATIENCE = 16 * 1024 * 1024;

/** A copy that does not have its name yet. */
interface Copy {
  readonly host: Host;
  readonly made: string;
  readonly name: string;
}

/** Where an image is opened, and with what in addition. */
interface Opening {
  readonly image: string;
  readonly options: Pick<OpenOptions, 'host' | 'locked'>;
}

export class ImageCopies {
  readonly #settings: EditSettings;
  readonly #shell: Shell;
  readonly #progress: Progress;
  /** The image that --output copied, by its real path. */
  #source: string | undefined;
  #output: Copy | undefined;
  readonly #backups = new Map<string, Copy>();
  readonly #kept = new Map<string, string>();
  #isPlaced = false;

  constructor(settings: EditSettings, world: { readonly shell: Shell; readonly progress: Progress }) {
    this.#settings = settings;
    this.#shell = world.shell;
    this.#progress = world.progress;
  }

  /**
   * Before an image is opened. `host`: of the images that are open already. UsageError: --output of a second image, or onto the
   * image; EEXIST: there is such a file; errors of the host.
   */
  async opening(image: string, wish: { readonly write: boolean; readonly host: Host | undefined }): Promise<Opening> {
    const { output, backup } = this.#settings;
    if (output !== undefined) {
      const isCopied = this.#output !== undefined && this.#output.host.realpath(image) === this.#source;
      if (wish.write && !isCopied) await this.#makeOutput(image, output, wish.host ?? (await defaultHost()));
      if (this.#output === undefined || !(wish.write || isCopied)) return { image, options: {} };
      return { image: this.#output.made, options: { host: this.#output.host } };
    }
    if (backup === undefined || !wish.write) return { image, options: {} };
    return { image, options: { locked: (bytes) => this.#backUp(bytes, image, `${image}${backup}`) } };
  }

  async #makeOutput(image: string, output: string, host: Host): Promise<void> {
    if (this.#output !== undefined) throw new UsageError('--output is for edits of one image');
    const from = openBytes(image, host);
    try {
      const there = host.stat(output);
      const source = host.stat(from.path);
      if (there !== undefined && there.dev === source?.dev && there.ino === source.ino) {
        throw new UsageError(`--output: '${output}' is the image itself`);
      }
      checkName(host, output, this.#settings.replace ? 'replaced' : 'new');
      this.#output = await this.#copy(from, output);
      this.#source = from.path;
    } finally {
      from.close();
    }
  }

  async #backUp(image: ImageBytes, key: string, name: string): Promise<void> {
    if (image.host.stat(image.path)?.type !== 'reg') {
      throw new FsError('EINVAL', { op: 'backup', what: '--backup: there is no place beside a device; see --output' });
    }
    checkName(image.host, name, 'replaced');
    this.#backups.set(key, await this.#copy(image, name));
  }

  async #copy(from: ImageBytes, name: string): Promise<Copy> {
    const { host } = from;
    const made = `${name.replace(/[^/]*$/, '')}.fsu-new-${unique(host)}`;
    const copy = { host, made, name };
    // Ctrl-C is met between two pieces, and before the commit: at any other moment it would leave the private file.
    host.holdSignals(true);
    try {
      await this.#fill(from, made);
      return copy;
    } catch (thrown) {
      remove(copy);
      if (this.#output === undefined && this.#backups.size === 0) host.holdSignals(false);
      if (!(thrown instanceof FsError) || thrown.code === 'EINTR') throw thrown;
      throw new FsError(thrown.code, { op: 'copy', what: `${name}: ${errnoText[thrown.code]}` }, { cause: thrown });
    }
  }

  async #fill(from: ImageBytes, made: string): Promise<void> {
    const { host } = from;
    const isCloned = from.isPlain && (await this.#shell.host()).clone(from.path, made);
    const mode = (host.stat(from.path)?.mode ?? 0o644) & 0o777;
    const file = host.open(made, isCloned ? { write: true } : { write: true, create: mode, nofollow: true });
    try {
      let [seen, last] = [0, 0];
      for (const done of isCloned ? [] : copyBytes(from, file)) {
        this.#progress.bytes(done - last);
        last = done;
        if (done - seen < PATIENCE) continue;
        seen = done;
        await this.#shell.turn();
        if (host.signalled()) throw new FsError('EINTR', { what: 'interrupted: nothing was changed' });
      }
      file.fsync();
    } finally {
      file.close();
    }
  }

  /** Right before the commit of an image that changed: from here on the copy of what it was has its name. */
  keepBackup(image: string): string | undefined {
    const copy = this.#backups.get(image);
    if (copy === undefined) return this.#kept.get(image);
    checkName(copy.host, copy.name, 'replaced');
    giveName(copy);
    this.#backups.delete(image);
    this.#kept.set(image, copy.name);
    return copy.name;
  }

  /** Right after the commit of the image that was copied: all of it is there, and gets its name. Errors: of the host. */
  placeOutput(): void {
    const output = this.#output;
    if (output === undefined || this.#isPlaced) return;
    checkName(output.host, output.name, this.#settings.replace ? 'replaced' : 'new');
    giveName(output);
    this.#isPlaced = true;
  }

  /** All images are closed, and whatever has no name by now gets none. */
  settle(): void {
    const left = [...this.#backups.values(), ...(this.#output === undefined ? [] : [this.#output])];
    this.#backups.clear();
    this.#output = undefined;
    try {
      for (const copy of left) remove(copy);
    } finally {
      for (const { host } of left) host.holdSignals(false);
    }
  }
}

/** Errors: EEXIST: also for what is no file. */
function checkName(host: Host, name: string, how: 'new' | 'replaced'): void {
  const there = host.stat(name, { nofollow: true });
  if (there === undefined) return;
  if (how === 'new') throw new FsError('EEXIST', { what: `${name}: File exists (--force puts the copy in its place)` });
  if (there.type === 'reg') return;
  throw new FsError('EEXIST', { what: `${name}: there is something that is no file` });
}

function giveName({ host, made, name }: Copy): void {
  host.rename(made, name);
  const dir = name.replace(/[^/]*$/, '');
  host.fsyncDir(dir === '' ? '.' : dir);
}

/** With what an edit left beside it. */
function remove({ host, made }: Copy): void {
  for (const name of [made, `${made}.fsu-log`, `${made}.fsu-log.new`]) {
    if (host.stat(name, { nofollow: true }) !== undefined) host.unlink(name);
  }
}

function unique(host: Host): string {
  const bytes = new Uint8Array(6);
  host.salt(bytes);
  return [...bytes].map((byte) => byte.toString(16).padStart(2, '0')).join('');
}
