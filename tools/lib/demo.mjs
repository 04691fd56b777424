// The demo image, unpacked: for `npm start`, for warming the code cache and for timing the start of the tools.
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { root } from './setup.mjs';

/** A fresh copy named demo.ext4.img in a directory of its own; the directory is removed when this process exits. */
export function unpackDemo() {
  const dir = mkdtempSync(join(tmpdir(), 'ukfs-demo-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  const image = join(dir, 'demo.ext4.img');
  writeFileSync(image, gunzipSync(readFileSync(join(root, 'demo/demo.ext4.img.gz'))));
  return { dir, image };
}
