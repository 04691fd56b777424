/** Targets with a mistake each, for the proof that the engine finds it. They are run by name only. */
import { fileSystems } from '../../support/file-systems.ts';
import { withOps } from '../../support/planted.ts';
import type { Target } from './engine.ts';
import { structureTargets } from './targets.ts';

/** A parser with a mistake at the end of a row of branches: at random all of them must be taken at once. */
const deep: Target = {
  name: 'planted:deep',
  maxBytes: 8,
  seeds: () => [new Uint8Array(8)],
  run([a = 0, b = 0, c = 0, d = 0, e = 0, f = 0]) {
    if ((a & 0x80) === 0) return;
    if ((b & 0xf) !== 5) return;
    if ((c & 0x80) === 0) return;
    if ((d & 0xf) !== 9) return;
    if ((e & 0x80) === 0) return;
    if ((f & 0xf) === 13) throw new Error('planted');
  },
};

const endless: Target = {
  ...deep,
  name: 'planted:endless',
  run: (bytes) => {
    while (bytes[0] === 1);
  },
};

/** A mistake in a file system: attributes that are larger than those of any small image. */
const large = (): Target[] =>
  fileSystems.flatMap(({ hostile }) => {
    if (hostile === undefined) return [];
    const type = withOps(hostile.type, (ops) => ({
      getattr(vp) {
        const attr = ops.getattr(vp);
        if (attr.uid > 0xffff || attr.gid > 0xffff || attr.nlink > 0xff) throw new RangeError('planted');
        return attr;
      },
    }));
    const inodes = structureTargets({ ...hostile, type }).filter(({ name }) => name.endsWith('inode'));
    return inodes.map((target) => ({ ...target, name: `planted:${target.name}` }));
  });

export const targets = (): Target[] => [deep, endless, ...large()];
