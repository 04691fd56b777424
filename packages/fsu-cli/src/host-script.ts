/** The session as a script, written by the screen's thread: it can be saved when the kernel's thread has died. Only for browse. */
import * as fs from 'node:fs';
import { quoted } from './tui/model/words.ts';
import { FsError, nameToBytes } from 'ukfs';
import { hostError } from './host-files.ts';
import { hostPath } from './host-path.ts';

/** A line that answers/editor.ts has made, which reads a private copy: the directory's name tells (host-program.ts). */
const FROM_COPY =
  /^(write [^\n]* < )('(?:[^']|'\\'')*\/fsu-[A-Za-z0-9]{6}\/(?:[^']|'\\'')*'|[\w@%+=:,./-]*\/fsu-[A-Za-z0-9]{6}\/[\w@%+=:,.-]+)$/;

const unquoted = (word: string): string => (word.startsWith("'") ? word.slice(1, -1).replaceAll("'\\''", "'") : word);

/** `file`, and `file.1` … beside it, which its lines read. A file that exists is replaced only when that is wanted: else EEXIST. */
export function writeScript(file: string, image: string, lines: readonly string[], mayReplace: boolean): void {
  const flag = mayReplace ? 'w' : 'wx';
  let count = 0;
  const copies: (readonly [string, string])[] = [];
  const saved = lines.map((line) => {
    const [, head, word] = FROM_COPY.exec(line) ?? [];
    if (head === undefined || word === undefined) return line;
    count++;
    copies.push([unquoted(word), `${file}.${count}`]);
    return head + quoted(`${file}.${count}`);
  });
  const header = `# What was done in fsu browse. To do it again:\n# fsu script ${shown(file)} ${shown(image)}\n`;
  const script = nameToBytes(`${header}${saved.map((line) => `${line}\n`).join('')}`);
  let target = file;
  try {
    // All that could be in the way is asked about before anything is written; the script comes last, when all is there that it reads.
    if (!mayReplace)
      for (const [, to] of [...copies, ['', file]] as const) {
        target = to;
        if (fs.existsSync(hostPath(to))) throw new FsError('EEXIST', { path: to });
      }
    for (const [from, to] of copies) {
      target = to;
      fs.copyFileSync(hostPath(from), hostPath(to), mayReplace ? 0 : fs.constants.COPYFILE_EXCL);
    }
    target = file;
    fs.writeFileSync(hostPath(file), script, { flag });
  } catch (thrown) {
    throw thrown instanceof FsError ? thrown : hostError(thrown, target);
  }
}

/** A comment is one line. */
const shown = (word: string): string => quoted(word).replace(/\p{Cc}/gu, '?');
