/** A byte window onto a device, seen as a device: partitions, `off=`, etfs windows. It need not begin on a sector. */
import { FsError } from '../kern/errno.ts';
import type { BlockDevice, Extent, SuperblockHint } from './blockdev.ts';

/** EINVAL when the window does not lie within `device`. */
export function sliceDevice(device: BlockDevice, window: Extent): BlockDevice {
  const { offset: base, length: size } = window;
  if (!(base >= 0 && size >= 0 && base + size <= device.sizeBytes)) {
    throw new FsError('EINVAL', { op: 'slice', offset: base, what: 'window outside the device' });
  }
  const down = ({ offset, length }: Extent): Extent => {
    if (!(offset >= 0 && length >= 0 && offset + length <= size)) throw outside('extent', offset);
    return { offset: base + offset, length };
  };
  return {
    sectorSize: device.sectorSize,
    sizeBytes: size,
    get readOnly() {
      return device.readOnly;
    },
    read(dst, offset) {
      if (!(offset >= 0 && offset + dst.length <= size)) throw outside('read', offset);
      device.read(dst, base + offset);
    },
    write(src, offset) {
      if (!(offset >= 0 && offset + src.length <= size)) throw outside('write', offset);
      device.write(src, base + offset);
    },
    fresh: (extent) => device.fresh(down(extent)),
    released: (extent) => device.released(down(extent)),
    isReleased: (extent) => device.isReleased(down(extent)),
    superblock(sb: SuperblockHint) {
      device.superblock({
        extent: down(sb.extent),
        scope: down(sb.scope ?? { offset: 0, length: size }),
        dirtyMark: (old) => sb.dirtyMark(old),
      });
    },
  };
}

const outside = (op: string, offset: number): FsError =>
  new FsError('EINVAL', { op, offset, what: 'outside the slice' });
