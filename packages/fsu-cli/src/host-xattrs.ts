/** Extended attributes of host files, which Node has no call for: getfattr(1) tells them, once for a whole tree. */
import { spawnSync } from 'node:child_process';
import { nameFromBytes } from 'ukfs';

/** Of each path that has some. */
export type HostXattrs = ReadonlyMap<string, ReadonlyMap<string, Uint8Array>>;

const OUTPUT_MAX = 512 * 1024 * 1024;

/** undefined: there is no such program, or it could not tell. `path`: a real path. */
export function readHostXattrs(path: string): HostXattrs | undefined {
  const words = ['-R', '-P', '-h', '-d', '-m', '-', '-e', 'hex', '--absolute-names', '--', path];
  const { stdout, error } = spawnSync('getfattr', words, {
    encoding: 'latin1',
    maxBuffer: OUTPUT_MAX,
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  return error === undefined ? parse(stdout) : undefined;
}

/** Its text, every byte a character; `\ooo` stands for what would break a line. */
function parse(text: string): HostXattrs {
  const found = new Map<string, Map<string, Uint8Array>>();
  let current = new Map<string, Uint8Array>();
  for (const line of text.split('\n')) {
    if (line.startsWith('# file: ')) found.set(unquoted(line.slice(8)), (current = new Map()));
    const [name, value] = line.startsWith('#') ? [] : line.split('=0x');
    if (name !== undefined && value !== undefined) current.set(unquoted(name), Buffer.from(value, 'hex'));
  }
  return found;
}

function unquoted(text: string): string {
  const bytes = text.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8)));
  return nameFromBytes(Buffer.from(bytes, 'latin1'));
}
