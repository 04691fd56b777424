/** Every call of a handle has its counterpart, with the same arguments and a promise of the same answer. */
import { memoryHost } from '@ukfs/kernel/host/memory';
import { expect, expectTypeOf, test } from 'vitest';
import type { Ukfs } from '../handle.ts';
import { open } from '../ukfs.ts';
import { handleCalls } from './calls.ts';
import { RemoteUkfs } from './handle.ts';

/** What cannot travel: a function, and where the kernel is. */
type Local = 'together' | 'session';

/** Those whose types differ, and why. */
type Different =
  | 'readOnly' // a property here, a call there: it is asked
  | 'committed' // another handle
  | 'check' // no function to pause by: the server pauses by itself
  | 'verify';

type Promised = {
  [K in Exclude<keyof Ukfs, Local | Different>]: Ukfs[K] extends (...args: infer P) => infer R
    ? (...args: P) => Promise<R>
    : Ukfs[K];
};

test('the types agree', () => {
  expectTypeOf<Exclude<keyof Ukfs, keyof RemoteUkfs>>().toEqualTypeOf<Local>();
  expectTypeOf<RemoteUkfs>().toExtend<Promised>();
});

test('every method of a handle is served, but for those that cannot travel; and nothing else is', async () => {
  const fs = await open('none', { type: 'tmpfs', host: memoryHost() });
  const methods = Object.getOwnPropertyNames(Object.getPrototypeOf(fs)).filter(
    (name) => name !== 'constructor' && name !== 'session' && name !== 'together',
  );
  expect(methods.length).toBeGreaterThan(70);
  expect(Object.keys(handleCalls).sort()).toEqual(methods.sort());
  const remote = Object.getOwnPropertyNames(RemoteUkfs.prototype);
  expect(methods.filter((name) => !remote.includes(name))).toEqual([]);
  fs.close();
});
