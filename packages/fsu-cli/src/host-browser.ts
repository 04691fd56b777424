/** How the browser starts: its own bundle, which has ink in it, and the terminal. */
import { fileURLToPath } from 'node:url';
import { startThread } from 'ukfs/remote';
import { openScreen } from './host-screen.ts';
import type { Look } from './tui/model/state.ts';

export async function startBrowser(
  words: readonly string[],
  { image, look }: { readonly image: string; readonly look: Look },
): Promise<number> {
  // Both threads load at the same time: to the person it is one wait.
  const kernel = startThread(fileURLToPath(new URL('../../bin/load.cjs', import.meta.url)), { argv: ['__kernel'] });
  const { browseImage } = await import('./tui/main.tsx');
  return browseImage({ words, image, kernel, look, screen: openScreen() });
}
