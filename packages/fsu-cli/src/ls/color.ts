/** Colours of names: LS_COLORS as dircolors(1) writes it, and its defaults. */
import type { VType } from '@ukfs/kernel';

/** As an option says it; `unset`: none does. */
export type ColorWhen = 'always' | 'auto' | 'never' | 'unset';

/**
 * Are names coloured? An option decides; where it leaves that open, NO_COLOR (no-color.org) says no, FORCE_COLOR and CLICOLOR_FORCE
 * say yes, also to a pipe; and the terminal has its say last.
 */
export function isColored(
  when: ColorWhen,
  { env, isTTY }: { readonly env: (name: string) => string | undefined; readonly isTTY: boolean },
): boolean {
  if (when === 'always' || when === 'never') return when === 'always';
  if ((env('NO_COLOR') ?? '') !== '') return false;
  if (['FORCE_COLOR', 'CLICOLOR_FORCE'].some((name) => !['', '0'].includes(env(name) ?? ''))) return true;
  return when === 'auto' && isTTY && env('TERM') !== 'dumb';
}

const DEFAULTS =
  'di=01;34:ln=01;36:pi=40;33:so=01;35:bd=40;33;01:cd=40;33;01:su=37;41:sg=30;43:tw=30;42:ow=34;42:st=37;44:ex=01;32';

const keyOfType: Readonly<Record<VType, string>> = {
  reg: 'fi',
  dir: 'di',
  lnk: 'ln',
  chr: 'cd',
  blk: 'bd',
  fifo: 'pi',
  sock: 'so',
};

export class Colors {
  readonly #byKey = new Map<string, string>();
  readonly #bySuffix: (readonly [string, string])[] = [];

  constructor(spec: string | undefined) {
    for (const item of `${DEFAULTS}:${spec ?? ''}`.split(':')) {
      const equals = item.indexOf('=');
      const code = item.slice(equals + 1);
      // The value goes to the terminal: only what a colour can be.
      if (equals <= 0 || !/^[\d;]*$/.test(code)) continue;
      if (item.startsWith('*')) this.#bySuffix.unshift([item.slice(1, equals), code]);
      else this.#byKey.set(item.slice(0, equals), code);
    }
  }

  /** `text` in the colour of a file of this type, mode and name. */
  paint(text: string, file: { readonly type: VType; readonly mode: number; readonly name: string }): string {
    const code = this.#code(file);
    return code === undefined || code === '' || code === '0' ? text : `\x1b[${code}m${text}\x1b[0m`;
  }

  #code({
    type,
    mode,
    name,
  }: {
    readonly type: VType;
    readonly mode: number;
    readonly name: string;
  }): string | undefined {
    if (type === 'dir') {
      const sticky = (mode & 0o1000) !== 0;
      const open = (mode & 0o002) !== 0;
      const key = sticky && open ? 'tw' : open ? 'ow' : sticky ? 'st' : 'di';
      return this.#byKey.get(key) ?? this.#byKey.get('di');
    }
    if (type !== 'reg') return this.#byKey.get(keyOfType[type]);
    if ((mode & 0o4000) !== 0) return this.#byKey.get('su');
    if ((mode & 0o2000) !== 0) return this.#byKey.get('sg');
    if ((mode & 0o111) !== 0) return this.#byKey.get('ex');
    return this.#bySuffix.find(([suffix]) => name.endsWith(suffix))?.[1] ?? this.#byKey.get('fi');
  }
}
