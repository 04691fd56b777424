/** A writer to be killed: `commit` replaces all files again and again, `hold` opens the image and waits. */
import { openStage } from '../../packages/kernel/src/dev/stage.ts';
import { nodeHost } from '../../packages/kernel/src/hypercall/node.ts';
import { writeSync } from 'node:fs';
import { Rng } from '../support/rng.ts';
import { ToyFs } from '../support/toyfs.ts';

const [, , mode = '', image = '', seed = '1'] = process.argv;
const stage = openStage(nodeHost(), image, { write: true, memLimit: Number(seed) % 2 === 0 ? 8192 : 1 << 20 });
if (mode === 'hold') writeSync(1, 'ready\n');
if (mode === 'hold') Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 60_000);
const fs = new ToyFs(stage);
const rng = new Rng(Number(seed));
for (let n = 0; ; n++) {
  // All files of one transaction have one fill byte and one length, so half a transaction shows.
  const length = rng.between(1, 6000);
  for (const name of ['a', 'b', 'c']) fs.write(name, new Uint8Array(length).fill(n));
  stage.commit();
  if (n === 0) writeSync(1, 'ready\n');
}
