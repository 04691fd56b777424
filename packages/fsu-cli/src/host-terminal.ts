/** A person at a terminal: lines with history and completion. Loaded only by sh. */
import { createInterface } from 'node:readline';

export interface Terminal {
  /**
   * The next line; undefined at the end of the input (Ctrl-D). Ctrl-C gives up the line that is being typed: then it is ''.
   * `complete` gets the line up to the cursor, and gives the words that may stand in the place of its last one.
   */
  ask(prompt: string, complete?: (line: string) => Promise<Completions>): Promise<string | undefined>;
}

export interface Completions {
  readonly words: readonly string[];
  /** The text at the end of the line that they replace. */
  readonly instead: string;
}

export function openTerminal(): Terminal {
  let history: string[] = [];
  return {
    ask(prompt, complete) {
      // One interface a line: while a command runs the terminal is as it was, and Ctrl-C is a signal.
      const lines = createInterface({
        input: process.stdin,
        output: process.stdout,
        history,
        removeHistoryDuplicates: true,
        ...(complete === undefined ? {} : { completer: completer(complete) }),
      });
      return new Promise((resolve) => {
        let answer: string | undefined;
        lines.on('history', (all) => (history = complete === undefined ? history : [...all]));
        lines.on('SIGINT', () => {
          process.stdout.write('^C\n');
          answer = '';
          lines.close();
        });
        lines.on('line', (line) => {
          answer = line;
          lines.close();
        });
        lines.on('close', () => {
          process.stdin.pause();
          resolve(answer);
        });
        lines.setPrompt(prompt);
        lines.prompt();
      });
    },
  };
}

type Answer = (error: null, result: [string[], string]) => void;
type Complete = (line: string) => Promise<Completions>;

const completer =
  (complete: Complete) =>
  (line: string, answer: Answer): void =>
    void told(offer(complete, line), answer);

async function told(result: Promise<[string[], string]>, answer: Answer): Promise<void> {
  answer(null, await result);
}

async function offer(complete: Complete, line: string): Promise<[string[], string]> {
  try {
    const { words, instead } = await complete(line);
    return [[...words], instead];
  } catch {
    // A key must not end the shell, whatever is wrong with the image: the command that meets it will tell.
    return [[], line];
  }
}
