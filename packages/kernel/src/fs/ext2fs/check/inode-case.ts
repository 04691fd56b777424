/** An inode under check: the one way to tell of it, and what repairs make of it when all has been told. */
import type { Ino } from '../../../kern/ids.ts';
import { inodeSeed, setInodeCsum } from '../csum.ts';
import { InodeCore } from '../format.ts';
import { inodeLocation, type Inode } from '../inode.ts';
import type { Check, Told } from './state.ts';

export class InodeCase {
  readonly c: Check;
  readonly inode: Inode;
  /** FT by its mode, undefined for a mode that makes no sense. */
  readonly type: number | undefined;
  readonly isReserved: boolean;
  #isChanged = false;
  #isDoomed = false;

  constructor(c: Check, inode: Inode, what: { readonly type: number | undefined; readonly isReserved: boolean }) {
    this.c = c;
    this.inode = inode;
    this.type = what.type;
    this.isReserved = what.isReserved;
  }

  get ino(): Ino {
    return this.inode.ino;
  }

  /** `fix` edits the inode; it is stored when the case is settled. True when it was repaired. */
  tell(told: Told, fix?: () => void): boolean {
    const where = { ino: this.ino, ...told.where };
    if (fix === undefined) return this.c.report({ ...told, where });
    return this.c.report({ ...told, where }, () => {
      fix();
      this.#isChanged = true;
    });
  }

  /** A fix: the inode cannot be saved; who has names in it or for it loses them. */
  get doom(): () => void {
    return () => void (this.#isDoomed = true);
  }
  /** A fix: what is there is right, only its checksum was not. */
  get keep(): () => void {
    return () => undefined;
  }
  get changed(): () => void {
    return () => void (this.#isChanged = true);
  }

  settle(): void {
    if (!this.#isChanged && !this.#isDoomed) return;
    const { c, inode } = this;
    if (this.#isDoomed) {
      inode.raw.fill(0);
      InodeCore.at(inode.raw, 0).dtime = Math.max(1, c.options.now().sec % 0x1_0000_0000);
    }
    storeRaw(c, inode);
  }
}

/** The inode to its place on the disk, its checksum made. */
export function storeRaw(c: Check, inode: Inode): void {
  const { geo, mp } = c;
  setInodeCsum(geo, inodeSeed(geo, inode.ino, inode.core.generation), inode.raw);
  const { block, offset } = inodeLocation(mp, inode.ino);
  const data = new Uint8Array(geo.blockSize);
  c.device.read(data, block * geo.blockSize);
  data.set(inode.raw, offset);
  c.writeBlock(block, data);
}
