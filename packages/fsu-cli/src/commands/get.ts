/** get: placeholder until the copier is there. */
import type { Command } from '../command.ts';
export const get: Command = { name: 'get', summary: 'Copy files out of an image.', synopsis: { addresses: 'ADDRESS... DEST', paths: 'PATH... DEST' }, options: [], examples: [], image: 'read', run: () => 1 };
