/**
 * A host whose chance follows from a seed: the same seed gives the same identities (UUIDs, hash seeds, generations) in the
 * same order. Everything else, log salts too, is the host's own.
 */
import { sha256 } from '../kern/checksum/sha256.ts';
import type { Host } from './hypercall.ts';

export function seededHost(host: Host, seed: string): Host {
  const text = new TextEncoder();
  let block = 0;
  let bytes = new Uint8Array(0);
  let used = 0;
  return {
    version: host.version,
    name: host.name,
    open: (path, mode) => host.open(path, mode),
    stat: (path, options) => host.stat(path, options),
    realpath: (path) => host.realpath(path),
    readdir: (path) => host.readdir(path),
    rename: (from, to) => host.rename(from, to),
    unlink: (path) => host.unlink(path),
    fsyncDir: (path) => host.fsyncDir(path),
    freeBytes: (path) => host.freeBytes(path),
    writableDir: (path) => host.writableDir(path),
    lock: (file) => host.lock(file),
    holder: (path) => host.holder(path),
    whoami: () => host.whoami(),
    getparam: (name) => host.getparam(name),
    now: () => host.now(),
    monotonic: () => host.monotonic(),
    random(dst) {
      for (let at = 0; at < dst.length; at++) {
        if (used === bytes.length) {
          bytes = Uint8Array.from(sha256(text.encode(`${block++}:${seed}`)));
          used = 0;
        }
        dst[at] = bytes[used++] ?? 0;
      }
    },
    salt: (dst) => host.salt(dst),
    console: (line) => host.console(line),
    holdSignals: (held) => host.holdSignals(held),
    signalled: () => host.signalled(),
  };
}
