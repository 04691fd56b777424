/** Keys where something is typed, for the help; what they do there is the work of model/lineinput.ts and model/prompt.ts. */
import type { Table } from '../../command.ts';

export const typingKeys: Table = {
  title: 'Typing',
  rows: [
    { term: 'a character', says: 'takes the place of what is shown reversed; otherwise goes to the cursor' },
    { term: 'left  C-b  right  C-f', says: 'keep what is shown reversed, and move the cursor' },
    { term: 'home  C-a  end  C-e', says: 'keep it, and go to the beginning, to the end' },
    { term: 'backspace  C-h', says: 'delete the character before the cursor' },
    { term: 'delete  C-d', says: 'delete the one at the cursor' },
    { term: 'C-w', says: 'delete the word before the cursor' },
    { term: 'C-u', says: 'delete all before the cursor' },
    { term: 'C-k', says: 'delete all from the cursor on' },
    { term: 'tab', says: 'complete a command' },
    { term: 'enter', says: 'do it' },
    { term: 'escape  C-c', says: 'do nothing' },
  ],
};
