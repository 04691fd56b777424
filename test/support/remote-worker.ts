/** A thread with a kernel in it, and services that go wrong in the ways that a thread can. */
import { serveParent } from 'ukfs/remote';

const keep: unknown[] = [];

await serveParent(() => ({
  echo: (_, value) => value,
  exit: (_, status) => process.exit(Number(status)),
  crash: () =>
    new Promise(() => {
      setTimeout(() => {
        throw new RangeError('outside every call');
      });
    }),
  eat: () => {
    for (;;) keep.push(Array.from({ length: 100_000 }, (_, i) => ({ i })));
  },
  hang: () => {
    for (;;) keep.length = 0;
  },
}));
