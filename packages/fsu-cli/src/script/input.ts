/** What a line of a script has for its standard input: a here-document, or a host file. */
import { FsError, nameToBytes } from 'ukfs';
import type { Shell } from '../context.ts';
import { StreamError } from '../out.ts';
import type { ScriptLine } from './lines.ts';

interface LineInput {
  readonly stdin: Shell['stdin'];
  close(): void;
}

export const noInput: Shell['stdin'] = { isTTY: false, isClosed: true, read: () => 0 };

export async function inputOf(input: NonNullable<ScriptLine['input']>, shell: Shell): Promise<LineInput> {
  return input.kind === 'text' ? textInput(input.text) : fileInput(input.text, await shell.host());
}

function textInput(text: string): LineInput {
  const bytes = nameToBytes(text);
  let done = 0;
  const read = (dst: Uint8Array): number => {
    const piece = bytes.subarray(done, done + dst.length);
    dst.set(piece);
    done += piece.length;
    return piece.length;
  };
  return { stdin: { isTTY: false, isClosed: false, read }, close: () => undefined };
}

/** It is opened by who reads it: a failure then is that of the command. */
function fileInput(file: string, host: Awaited<ReturnType<Shell['host']>>): LineInput {
  let reader: ReturnType<typeof host.openForReading> | undefined;
  const read = (dst: Uint8Array): number => {
    try {
      reader ??= host.openForReading(file);
      return reader.read(dst);
    } catch (thrown) {
      throw thrown instanceof FsError ? new StreamError(file, thrown.code, thrown) : thrown;
    }
  };
  return { stdin: { isTTY: false, isClosed: false, read }, close: () => reader?.close() };
}
