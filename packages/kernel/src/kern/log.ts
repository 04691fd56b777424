/** The kernel's message buffer. Everything is kept for kern.msgbuf; RUMP_VERBOSE sends it to the host's console (stderr). */
import type { Host } from '../hypercall/hypercall.ts';

const KEEP_LINES = 256;

export class KernelLog {
  readonly lines: string[] = [];
  readonly #host: Host;
  readonly #loud: boolean;

  constructor(host: Host) {
    this.#host = host;
    const verbose = host.getparam('RUMP_VERBOSE');
    this.#loud = verbose !== undefined && verbose !== '' && verbose !== '0';
  }

  /** Boot chatter and the like. */
  verbose(message: string): void {
    this.lines.push(message);
    if (this.lines.length > KEEP_LINES) this.lines.shift();
    if (this.#loud) this.#host.console(`${message}\n`);
  }
}
