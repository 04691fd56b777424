/**
 * The browser's other thread: a kernel, the images that are open, and what the browser asks of them beyond single calls. Starts as
 * `fsu __kernel` in a worker thread.
 */
import { serveParent } from 'ukfs/remote';
import type { Shell } from '../../context.ts';
import { Desk, reading } from './desk.ts';

export async function serveBrowser(shell: Shell): Promise<void> {
  await serveParent((server) => new Desk(server, shell).services(), { reading });
}
