/**
 * Device vnodes: I/O of character and block nodes goes to the device switch. Only nodes of the kernel's own root file
 * system reach devices: nodes on a mounted image open as ENXIO, so that an image can never name a device of ours.
 */
import type { Devsw } from '../dev/devsw.ts';
import type { BlockDevice } from '../dev/blockdev.ts';
import { FsError } from '../kern/errno.ts';
import type { Vnode } from './vnode.ts';
import type { VnodeOps } from './vnodeops.ts';

/** VOPs of a device node for a root file system: spread over its own table. */
export function specOps(devsw: Devsw): Pick<VnodeOps, 'open' | 'read' | 'write'> {
  const rdev = (vp: Vnode) => {
    if (vp.rdev === undefined) throw new FsError('ENXIO');
    return vp.rdev;
  };
  const disk = (vp: Vnode): BlockDevice => devsw.block(rdev(vp).major).open(rdev(vp).minor).device;
  return {
    open(vp, write) {
      const { major } = rdev(vp);
      if (vp.type === 'chr') devsw.char(major);
      else if (disk(vp).readOnly && write) throw new FsError('EACCES');
    },
    read(vp, dst, offset) {
      const { major, minor } = rdev(vp);
      if (vp.type === 'chr') return devsw.char(major).read(minor, dst, offset);
      const device = disk(vp);
      const length = clip(device, dst.length, offset);
      device.read(dst.subarray(0, length), offset);
      return length;
    },
    write(vp, src, offset) {
      const { major, minor } = rdev(vp);
      if (vp.type === 'chr') return devsw.char(major).write(minor, src, offset);
      const device = disk(vp);
      const length = clip(device, src.length, offset);
      device.write(src.subarray(0, length), offset);
      return length;
    },
  };
}

/** rumpblk's rule: exactly at the end 0 bytes, past it EINVAL, across it truncated. */
function clip(device: BlockDevice, length: number, offset: number): number {
  if (offset > device.sizeBytes) throw new FsError('EINVAL');
  return Math.min(length, device.sizeBytes - offset);
}
