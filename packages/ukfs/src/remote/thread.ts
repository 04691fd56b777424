/** Messages between threads of Node: structured clones through a MessagePort. The one file of the library that knows threads. */
import { parentPort, receiveMessageOnPort, Worker } from 'node:worker_threads';
import type { MessagePort } from 'node:worker_threads';
import { RemoteKernel } from './client.ts';
import type { Channel, Message } from './message.ts';
import { Server } from './server.ts';
import type { Services } from './server.ts';
import { defaultHost } from '../ukfs.ts';

/** In a thread that connect() started: serve the library, and `services` of one's own, to whoever started it. */
export async function serveParent(services: (server: () => Server) => Services = () => ({})): Promise<Server> {
  const port = parentPort;
  if (port === null) throw new Error('not in a worker thread');
  const host = await defaultHost();
  const server: Server = new Server(portChannel(port), {
    host,
    services: services(() => server),
    turn: (act) => void setImmediate(act),
  });
  return server;
}

/** Start a thread with a kernel in it: `file` is a script that calls serveParent(). */
export const connect = (file: string, options: { readonly argv?: readonly string[] } = {}): RemoteKernel =>
  new RemoteKernel(startThread(file, options));

/** The same without a client yet, so that the thread starts while the client's code is loaded: what it sends waits. */
export function startThread(file: string, { argv = [] }: { readonly argv?: readonly string[] } = {}): Channel {
  const worker = new Worker(file, { argv: [...argv] });
  const early: Message[] = [];
  let receive = (message: Message): void => void early.push(message);
  let end: { readonly why: Error | undefined } | undefined;
  let ended = (why: Error | undefined): void => void (end ??= { why });
  worker.on('message', (message: Message) => receive(message));
  worker.on('error', (error: unknown) => ended(error instanceof Error ? error : new Error(String(error))));
  worker.on('exit', () => ended(undefined));
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
    send: (message) => worker.postMessage(message),
    start(to, toEnded) {
      [receive, ended] = [to, toEnded];
      for (const message of early) to(message);
      if (end !== undefined) toEnded(end.why);
    },
    poll: () => undefined,
    close: () => void worker.terminate(),
  };
}

function portChannel(port: MessagePort): Channel {
  return {
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- of windows, not of threads
    send: (message) => port.postMessage(message),
    start(receive, ended) {
      port.on('message', receive);
      port.on('close', () => ended(undefined));
    },
    poll() {
      const received: { readonly message: Message } | undefined = receiveMessageOnPort(port);
      return received?.message;
    },
    close: () => port.close(),
  };
}
