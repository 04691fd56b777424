/** How the browser starts: its own bundle, which has ink in it, and the terminal. */
import { fileURLToPath } from 'node:url';
import { startThread } from 'ukfs/remote';
import { openScreen } from './host-screen.ts';
import { browseImage } from './tui/main.ts';
import { speak } from './tui/plain.ts';
import { showSoon } from './tui/show.ts';
import type { Show } from './tui/show.ts';
import type { Look } from './tui/model/state.ts';

export async function startBrowser(
  words: readonly string[],
  { image, look }: { readonly image: string; readonly look: Look },
): Promise<number> {
  const kernel = startThread(fileURLToPath(new URL('../../bin/load.cjs', import.meta.url)), { argv: ['__kernel'] });
  const isPlain = look.isPlain === true;
  return browseImage({
    words,
    image,
    kernel,
    look,
    show: isPlain ? speak : showSoon(loadInk),
    screen: openScreen({ isPlain }),
  });
}

const loadInk = async (): Promise<Show> => (await import('./tui/components/app.tsx')).show;
