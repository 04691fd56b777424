/** A writer to be killed: edits an ext4 image in transactions without end. Transaction n leaves /number saying n. */
import { boot, O } from '@ukfs/kernel';
import { ext2fs } from '@ukfs/kernel/fs/ext2fs';
import { nodeHost } from '@ukfs/kernel/host/node';
import { writeSync } from 'node:fs';

const [, , image = '', seed = '1'] = process.argv;
const k = boot({ host: nodeHost() });
k.attach(ext2fs);
// Now and then with so little memory that data goes in place and metadata to the log before the commit.
k.etfs.register('/dev/disk', image, 'BLK', {
  stage: { write: true, memLimit: Number(seed) % 2 === 0 ? 16 * 1024 : 1 << 20 },
});
k.sys.mkdir('/m', 0o755);
k.sys.mount('ext2fs', '/m', { from: '/dev/disk' });
const stage = k.etfs.stage('/dev/disk');
const { sys } = k;

const put = (path: string, bytes: Uint8Array): void => {
  const fd = sys.open(path, O.CREAT | O.WRONLY | O.TRUNC, 0o644);
  sys.write(fd, bytes);
  sys.close(fd);
};
const numberNow = (): number => {
  const fd = sys.open('/m/number', O.RDONLY);
  const bytes = new Uint8Array(20);
  const n = sys.read(fd, bytes);
  sys.close(fd);
  return Number(new TextDecoder().decode(bytes.subarray(0, n)));
};

for (let n = numberNow() + 1; ; n++) {
  put('/m/number', new TextEncoder().encode(String(n)));
  put('/m/data', new Uint8Array(20_000 + ((n * 7919) % 120_000)).fill(n));
  put(`/m/dir/${n}`, new Uint8Array(3000).fill(n));
  if (n > 30) sys.unlink(`/m/dir/${n - 30}`);
  sys.rename(`/m/name-${n - 1}`, `/m/name-${n}`);
  sys.mkdir(`/m/sub-${n}`, 0o755);
  sys.rmdir(`/m/sub-${n - 1}`);
  k.commit(stage);
  if (n % 4 === 1) writeSync(1, '.');
}
