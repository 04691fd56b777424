/** The session as a script: its lines, and beside it the files that lines read which would be gone with the browser. */
import { nameFromBytes } from 'ukfs';
import type { Shell } from '../../context.ts';
import { quoted } from '../model/words.ts';

/** A line's standard input, as answers/editor.ts spells it: a private copy of what was edited. */
const FROM_FILE = /^(.* < )('(?:[^']|'\\'')*'|[\w@%+=:,./-]+)$/s;

const unquoted = (word: string): string => (word.startsWith("'") ? word.slice(1, -1).replaceAll("'\\''", "'") : word);

/** `edits.fsu`, and `edits.fsu.1` … beside it. The script's name. */
export async function saveScript(shell: Shell, file: string, lines: readonly string[]): Promise<string> {
  const host = await shell.host();
  let count = 0;
  const saved = lines.map((line) => {
    const [, head, word] = FROM_FILE.exec(line) ?? [];
    if (head === undefined || word === undefined) return line;
    count++;
    const copy = `${file}.${count}`;
    copyFile(host, unquoted(word), copy);
    return head + quoted(copy);
  });
  const writer = host.openForOverwriting(file);
  try {
    writer.text('# What was done in fsu browse. To do it again: fsu script FILE IMAGE\n');
    for (const line of saved) writer.text(`${line}\n`);
  } finally {
    writer.close();
  }
  return file;
}

function copyFile(host: Awaited<ReturnType<Shell['host']>>, from: string, to: string): void {
  const reader = host.openForReading(from);
  const writer = host.openForOverwriting(to);
  try {
    const buffer = new Uint8Array(1 << 16);
    for (let n = reader.read(buffer); n > 0; n = reader.read(buffer)) writer.text(nameFromBytes(buffer.subarray(0, n)));
  } finally {
    reader.close();
    writer.close();
  }
}
