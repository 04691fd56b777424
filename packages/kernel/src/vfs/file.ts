/** An open file: what a descriptor refers to. */
import { OpenFile } from '../kern/filedesc.ts';
import type { Vnode } from './vnode.ts';

export class VnodeFile extends OpenFile {
  readonly vp: Vnode;
  readonly readable: boolean;
  readonly writable: boolean;
  readonly append: boolean;
  /** Bytes for files; the readdir cookie for directories. */
  offset = 0;
  readonly #onClose: (file: VnodeFile) => void;

  constructor(
    vp: Vnode,
    mode: { readonly readable: boolean; readonly writable: boolean; readonly append: boolean },
    onClose: (file: VnodeFile) => void,
  ) {
    super();
    this.vp = vp;
    this.readable = mode.readable;
    this.writable = mode.writable;
    this.append = mode.append;
    this.#onClose = onClose;
  }

  override close(): void {
    this.#onClose(this);
  }
}
