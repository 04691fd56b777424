/** `fsu help`: the list of commands. */
import { addresses, exitStatuses } from './topics.ts';
import { themes } from './themes.ts';

const WIDTH = 9;

export async function overview(): Promise<string> {
  const groups = (await themes()).map(({ title, commands }) => {
    const lines = commands.map(({ name, summary }) => `  ${name.padEnd(WIDTH)} ${summary}\n`);
    return `${title}:\n${lines.join('')}`;
  });
  const examples = addresses.rows.map(({ term, says }) => `  ${term.padEnd(25)} ${says}\n`);
  return `Usage: fsu COMMAND [options] ADDRESS...
       fsu_COMMAND [mount options] IMAGE [options] [PATH...]

Reads and edits disk images: no root, no mount.

${groups.join('\n')}
An ADDRESS is ${addresses.form}:
${examples.join('')}
Exit status: ${wrap(exitStatuses.map(({ term, says }) => `${term} ${says}`).join(', '), 'Exit status: '.length)}.

'fsu help COMMAND' or 'fsu COMMAND --help' tells more, 'fsu help --man COMMAND' is its manual page.
`;
}

/** Lines of at most 100 characters, the first of which begins at `column`. */
function wrap(text: string, column: number): string {
  let at = column;
  let out = '';
  for (const word of text.split(/(?<=,) /)) {
    if (at > column && at + word.length > 100) {
      out = `${out.trimEnd()}\n`;
      at = 0;
    }
    out += `${word} `;
    at += word.length + 1;
  }
  return out.trimEnd();
}
