/** An inode into its buffer, with its checksum and nothing else: what else has to happen then is inode-store.ts's. */
import { setInodeCsum } from './csum.ts';
import { inodeLocation, type Inode } from './inode.ts';

export function writeInode(ip: Inode): void {
  const { mp, geo, raw } = ip;
  setInodeCsum(geo, ip.seed, raw);
  const { block, offset } = inodeLocation(mp, ip.ino);
  const bp = mp.bufs.bread(block);
  bp.data.set(raw, offset);
  mp.bufs.bdwrite(bp);
}
