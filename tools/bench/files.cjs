// The least that Node can do with a tree of small files: look at each, read it, and count its bytes.
// `node files.cjs DIR`, where DIR holds directories of files.
const fs = require('node:fs');

const top = process.argv[2];
const buffer = new Uint8Array(128 * 1024);
let bytes = 0;
for (const dir of fs.readdirSync(top)) {
  for (const name of fs.readdirSync(`${top}/${dir}`)) {
    const path = `${top}/${dir}/${name}`;
    fs.lstatSync(path, { bigint: true });
    const fd = fs.openSync(path, 'r');
    bytes += fs.readSync(fd, buffer, 0, buffer.length, 0);
    fs.closeSync(fd);
  }
}
process.stdout.write(`${bytes}\n`);
