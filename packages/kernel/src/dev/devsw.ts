/** Device switches: what a (major, minor) of a device node stands for. Drivers attach while the kernel comes up. */
import { FsError } from '../kern/errno.ts';
import { serviceKey } from '../kern/component.ts';
import type { BlockDevice, Transaction } from './blockdev.ts';

interface BlockDriver {
  readonly name: string;
  /** The device of a minor number. ENXIO when there is none. */
  open(minor: number): { readonly device: BlockDevice; readonly transaction: Transaction | undefined };
}

interface CharDriver {
  readonly name: string;
  read(minor: number, dst: Uint8Array, offset: number): number;
  write(minor: number, src: Uint8Array, offset: number): number;
}

export class Devsw {
  readonly #block = new Map<number, BlockDriver>();
  readonly #char = new Map<number, CharDriver>();
  #nextMajor = 1;

  /** A major number of its own for the driver. */
  attachBlock(driver: BlockDriver): number {
    this.#block.set(this.#nextMajor, driver);
    return this.#nextMajor++;
  }

  attachChar(driver: CharDriver): number {
    this.#char.set(this.#nextMajor, driver);
    return this.#nextMajor++;
  }

  /** ENXIO for majors nobody drives: device nodes of an image never reach a host device. */
  block(major: number): BlockDriver {
    const driver = this.#block.get(major);
    if (driver === undefined) throw new FsError('ENXIO');
    return driver;
  }

  char(major: number): CharDriver {
    const driver = this.#char.get(major);
    if (driver === undefined) throw new FsError('ENXIO');
    return driver;
  }
}

export const DEVSW = serviceKey<Devsw>('devsw');
