/** File descriptor tables. The base faction knows only that an open file counts its users and can be closed. */
import { FsError } from './errno.ts';
import { OPEN_MAX } from './limits.ts';

/** An open file description: shared by dup(2) and by processes that copied or share a table. */
export abstract class OpenFile {
  refs = 0;
  /** The last descriptor went. */
  abstract close(): void;
}

export class FdTable {
  /** Processes that use this very table. */
  sharers = 1;
  readonly #files: (OpenFile | undefined)[] = [];
  /** No descriptor below this one is free. */
  #hint = 0;

  /** EMFILE when add() would fail: for calls that change something before they have a file to add. */
  checkRoom(): void {
    this.#lowest();
  }

  #lowest(): number {
    let fd = this.#hint;
    while (this.#files[fd] !== undefined) fd++;
    if (fd >= OPEN_MAX) throw new FsError('EMFILE');
    return (this.#hint = fd);
  }

  /** Lowest free descriptor. EMFILE. */
  add(file: OpenFile): number {
    const fd = this.#lowest();
    this.#files[fd] = file;
    file.refs++;
    this.#hint = fd + 1;
    return fd;
  }

  /** EBADF. */
  get(fd: number): OpenFile {
    const file = this.#files[fd];
    if (file === undefined) throw new FsError('EBADF');
    return file;
  }

  /** The descriptor goes whatever close() throws, as close(2) has it. */
  close(fd: number): void {
    const file = this.get(fd);
    this.#files[fd] = undefined;
    if (fd < this.#hint) this.#hint = fd;
    if (--file.refs === 0) file.close();
  }

  closeAll(): void {
    let failure: unknown;
    this.#files.forEach((file, fd) => {
      if (file === undefined) return;
      try {
        this.close(fd);
      } catch (e) {
        failure ??= e;
      }
    });
    if (failure !== undefined) throw failure;
  }

  /** RFFDG: a copy whose descriptors share the open files. */
  copy(): FdTable {
    const table = new FdTable();
    this.#files.forEach((file, fd) => {
      if (file === undefined) return;
      table.#files[fd] = file;
      file.refs++;
    });
    return table;
  }

  get openCount(): number {
    return this.#files.reduce((n, file) => (file === undefined ? n : n + 1), 0);
  }
}
