'use strict';
// The least that Node can do with a file: read it in pieces of 128 KiB and write them to standard output.
const { openSync, readSync, writeSync } = require('node:fs');
const fd = openSync(process.argv[2], 'r');
const piece = new Uint8Array(128 * 1024);
for (let n; (n = readSync(fd, piece, 0, piece.length, null)) > 0;) {
  for (let done = 0; done < n;) done += writeSync(1, piece, done, n - done);
}
