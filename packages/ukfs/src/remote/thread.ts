/** Messages between threads of Node: structured clones through a MessagePort. The one file of the library that knows threads. */
import { MessageChannel, receiveMessageOnPort, Worker, workerData } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { FsError } from '@ukfs/kernel';
import { RemoteKernel } from './client.ts';
import type { Channel, Message } from './message.ts';
import { Server } from './server.ts';
import type { ServeOptions, Services } from './server.ts';
import { defaultHost } from '../where.ts';

/** In a thread that startThread() started: serve the library, and `services` of one's own, to whoever started it. */
export async function serveParent(
  services: (server: () => Server) => Services = () => ({}),
  options: Pick<ServeOptions, 'reading'> = {},
): Promise<Server> {
  const data: unknown = workerData;
  if (!isThreadData(data)) throw new Error('not in a thread that startThread() has started');
  const host = await defaultHost();
  const server: Server = new Server(portChannel(data.ukfsPort), {
    host,
    services: services(() => server),
    turn: (act) => void setImmediate(act),
    ...options,
  });
  return server;
}

interface ThreadData {
  readonly ukfsPort: MessagePort;
}

const isThreadData = (data: unknown): data is ThreadData =>
  typeof data === 'object' && data !== null && 'ukfsPort' in data;

interface ThreadOptions {
  readonly argv?: readonly string[];
  /** Bytes of JavaScript objects (not of buffers) that the thread may have: with more it ends. Default: Node's. */
  readonly heapBytes?: number;
}

/** Milliseconds that a thread has, once its client is gone, to let go of what it has open. A log makes what is cut off then safe. */
const GRACE = 5000;

/** Start a thread with a kernel in it: `file` is a script that calls serveParent(). */
export const connect = (file: string, options: ThreadOptions = {}): RemoteKernel =>
  new RemoteKernel(startThread(file, options));

/** The same without a client yet, so that the thread starts while the client's code is loaded: what it sends waits. */
export function startThread(file: string, { argv = [], heapBytes }: ThreadOptions = {}): Channel {
  const { port1: port, port2 } = new MessageChannel();
  const worker = new Worker(file, {
    argv: [...argv],
    workerData: { ukfsPort: port2 } satisfies ThreadData,
    transferList: [port2],
    ...(heapBytes === undefined ? {} : { resourceLimits: { maxOldGenerationSizeMb: Math.ceil(heapBytes / 2 ** 20) } }),
  });
  let why: Error | undefined;
  let exit: { readonly why: Error | undefined } | undefined;
  let ended: (why: Error | undefined) => void = () => undefined;
  let grace: NodeJS.Timeout | undefined;
  worker.on('error', (error: unknown) => (why = error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', (status) => {
    clearTimeout(grace);
    port.close();
    exit = { why: why ?? (status === 0 ? undefined : new Error(`exit status ${status}`)) };
    ended(exit.why);
  });
  // Either side has closed it: the thread ends by itself, for nothing else keeps it.
  port.on('close', () => {
    if (exit === undefined) grace = setTimeout(() => void worker.terminate(), GRACE);
  });
  return {
    ...sending(port),
    start(receive, toEnded) {
      ended = toEnded;
      port.on('message', receive);
      if (exit !== undefined) toEnded(exit.why);
    },
  };
}

const portChannel = (port: MessagePort): Channel => ({
  ...sending(port),
  start(receive, ended) {
    port.on('message', receive);
    port.on('close', () => ended(undefined));
  },
});

const sending = (port: MessagePort): Omit<Channel, 'start'> => ({
  send(message) {
    try {
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
      port.postMessage(message);
    } catch (thrown) {
      // DataCloneError: a function, a symbol.
      throw new FsError('EINVAL', { what: `cannot travel: ${String(thrown)}` }, { cause: thrown });
    }
  },
  poll() {
    const received: { readonly message: Message } | undefined = receiveMessageOnPort(port);
    return received?.message;
  },
  close: () => port.close(),
});
