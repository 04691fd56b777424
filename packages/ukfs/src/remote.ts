/** `ukfs/remote`: a kernel in another thread, and its API as promises. */
export { RemoteKernel } from './remote/client.ts';
export type { CallOptions, RemoteOpenOptions } from './remote/client.ts';
export { RemoteUkfs } from './remote/handle.ts';
export { BANNER } from './remote/message.ts';
export type { Channel, Message } from './remote/message.ts';
export { openedOf } from './remote/calls.ts';
export type { OpenedHandle } from './remote/calls.ts';
export { Server } from './remote/server.ts';
export type { Job, ServeOptions, Service, Services } from './remote/server.ts';
export { connect, serveParent, startThread } from './remote/thread.ts';
export { frameChannel } from './remote/frame.ts';
export type { ByteStream } from './remote/frame.ts';
export { channelPair } from './remote/pair.ts';
