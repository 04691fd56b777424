/** How the browser starts: its own bundle, which has ink in it, and the terminal. */
import { fileURLToPath } from 'node:url';
import { openScreen } from './host-screen.ts';
import type { Look } from './tui/model/state.ts';

export async function startBrowser(
  words: readonly string[],
  { image, look }: { readonly image: string; readonly look: Look },
): Promise<number> {
  // ink draws nothing where it finds itself in a CI, and asks for that when it is loaded; there is a terminal here.
  for (const name of ['CI', 'CONTINUOUS_INTEGRATION']) delete process.env[name];
  const { browseImage } = await import('./tui/main.tsx');
  const kernel = fileURLToPath(new URL('../../bin/load.cjs', import.meta.url));
  return browseImage({ words, image, kernel, look, screen: openScreen() });
}
