/** Our own checkers as judges of images, for whatever type has one. */
import { FsError, type FileSystemType } from '@ukfs/kernel';
import { ramDisk } from '../../packages/kernel/src/dev/ramdisk.ts';

/** What the type's own checker finds wrong with an image; undefined when that is nothing, or there is no checker. */
export function ourComplaint(type: FileSystemType, image: Uint8Array): string | undefined {
  if (type.check === undefined) return undefined;
  const found: string[] = [];
  try {
    const { errors } = type.check(ramDisk(image, { readOnly: true }), {
      repair: 'none',
      report: ({ severity, code, message, where }) => {
        if (severity === 'error') found.push(`${code} ${JSON.stringify(where)}: ${message}`);
      },
      now: () => ({ sec: 1_700_000_000, nsec: 0 }),
      random: (dst) => void dst.fill(7),
    });
    if (errors === 0 && found.length === 0) return undefined;
    return `our check of ${type.name}: ${errors} errors\n${found.slice(0, 20).join('\n')}`;
  } catch (e) {
    if (e instanceof FsError) return `our check of ${type.name}: ${e.message}`;
    throw e;
  }
}
