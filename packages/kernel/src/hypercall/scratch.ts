/**
 * A host of one image that forgets zeros: for trials, in which only the place that things take counts. Memory is bounded by
 * what is not zero: a file system's own structures, where contents are written as zeros.
 */
import type { Host, HostFile } from './hypercall.ts';
import { MemoryHost } from './memory.ts';

/** Path of the image. */
export const SCRATCH_IMAGE = '/trial';
const PAGE = 4096;

/** Parameters and time are `like`'s. */
export function scratchHost(like: Host, sizeBytes: number): Host {
  const params = Object.fromEntries(
    ['SOURCE_DATE_EPOCH', 'RUMP_MEMLIMIT'].flatMap((name) => {
      const value = like.getparam(name);
      return value === undefined ? [] : [[name, value] as const];
    }),
  );
  const host = new MemoryHost({ params, time: like.now() });
  host.putSparse(SCRATCH_IMAGE, sizeBytes);
  const kept = new Set<number>();
  const open = host.open.bind(host);
  host.open = (path, mode): HostFile => {
    const file = open(path, mode);
    if (path !== SCRATCH_IMAGE) return file;
    const write = file.write.bind(file);
    file.write = (src, offset): void => {
      for (let done = 0; done < src.length;) {
        const at = offset + done;
        const no = Math.floor(at / PAGE);
        const part = src.subarray(done, done + Math.min(PAGE - (at % PAGE), src.length - done));
        if (kept.has(no) || part.some((byte) => byte !== 0)) {
          kept.add(no);
          write(part, at);
        }
        done += part.length;
      }
    };
    return file;
  };
  return host;
}
