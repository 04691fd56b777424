/** What the person's terminal can show, by what the environment says of it. */
import type { Look } from './model/state.ts';

/** `env` gives a variable's value; an empty one counts as unset, as no-color.org and POSIX (XBD 8.2) have it. `ascii`: no Unicode, whatever the locale. */
export function lookOf(env: (name: string) => string | undefined, { ascii }: { readonly ascii: boolean }): Look {
  const locale = env('LC_ALL') || env('LC_CTYPE') || env('LANG') || '';
  return { colors: colorsOf(env), unicode: !ascii && /utf-?8/i.test(locale) };
}

function colorsOf(env: (name: string) => string | undefined): Look['colors'] {
  const term = env('TERM') || 'dumb';
  if (env('NO_COLOR') || term === 'dumb') return 0;
  return /^(truecolor|24bit)$/.test(env('COLORTERM') ?? '') || term.endsWith('256color') ? 256 : 16;
}
