/** How the browser starts: its own bundle, which has ink in it, and the terminal. */
import { fileURLToPath } from 'node:url';
import { startThread } from 'ukfs/remote';
import { openScreen } from './host-screen.ts';
import { browseImage } from './tui/main.ts';
import { speak } from './tui/plain.ts';
import type { Show } from './tui/components/app.tsx';
import type { Look } from './tui/model/state.ts';

export async function startBrowser(
  words: readonly string[],
  { image, look }: { readonly image: string; readonly look: Look },
): Promise<number> {
  // All three at once: the kernel's thread, what draws, and the first list, which waits for neither of us.
  const kernel = startThread(fileURLToPath(new URL('../../bin/load.cjs', import.meta.url)), { argv: ['__kernel'] });
  const isPlain = look.isPlain === true;
  const show = isPlain ? Promise.resolve(speak) : loadShow();
  return browseImage({ words, image, kernel, look, show, screen: openScreen({ isPlain }) });
}

const loadShow = async (): Promise<Show> => (await import('./tui/components/app.tsx')).show;
