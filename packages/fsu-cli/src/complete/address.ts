/** Completion of addresses: image files, what can be selected in one, and paths inside. */
import { formatSelector, inspect, open } from 'ukfs';
import type { Candidate as Part, OpenOptions } from 'ukfs';
import { addressName } from '../context.ts';
import type { ImageName, Shell } from '../context.ts';
import { humanGnu } from '../format/size.ts';
import type { Candidate } from './candidate.ts';
import { completeHostPath, inHome } from './hostpath.ts';
import { completePath } from './path.ts';

interface AddressWish {
  readonly shell: Shell;
  readonly options: OpenOptions;
  /** What else the operand may be. */
  readonly host: 'images' | 'files';
  /** May a path follow? */
  readonly paths: boolean;
  /** May selectors and a path follow the name of an image? Else it stands alone. */
  readonly whole: boolean;
}

/** The image that a word names, with what stands behind its colon; undefined: no colon ends the name of a file. */
function imageIn(word: string, shell: Shell): { readonly image: string; readonly rest: string } | undefined {
  for (let at = word.lastIndexOf(':'); at > 0; at = word.lastIndexOf(':', at - 1)) {
    const image = word.slice(0, at);
    if (shell.isFile(inHome(shell, image))) return { image, rest: word.slice(at + 1) };
  }
  return undefined;
}

export async function completeAddress(word: string, wish: AddressWish): Promise<Candidate[]> {
  const { shell, host, whole } = wish;
  const named = imageIn(firstPart(word), shell);
  const slash = named === undefined ? -1 : word.indexOf('/', named.image.length);
  if (named !== undefined) {
    if (slash < 0) return completeSelector(named.image, word.slice(named.image.length + 1), wish);
    const head = word.slice(0, slash);
    const { image } = addressName(inHome(shell, head), shell);
    const inside = await completeInside(image, word.slice(slash), wish.options);
    return inside.map((one) => ({ ...one, word: head + one.word }));
  }
  const files = await completeHostPath(shell, word, { wanted: host, suffix: whole ? 'nothing' : 'more' });
  if (whole || word.endsWith('/') || !shell.isFile(inHome(shell, word))) return files;
  // The whole name stands there: what may come behind it, beside files of longer names.
  return [...files.filter((one) => one.word !== word), ...(await completeSelector(word, '', wish))];
}

/** A word up to the path inside the image: colons behind it are of the path. */
function firstPart(word: string): string {
  const [, part = word] = /^(.*?:[^/]*)\//s.exec(word) ?? [];
  return part;
}

/** Paths in an image that is named. */
export async function completeInside(name: ImageName, path: string, options: OpenOptions): Promise<Candidate[]> {
  const fs = await open({ image: name.image, selectors: name.selectors }, { ...options, write: false });
  try {
    return completePath(fs, path);
  } finally {
    fs.close();
  }
}

/** What may stand behind the colon of `image:typed`. */
async function completeSelector(image: string, typed: string, wish: AddressWish): Promise<Candidate[]> {
  const { shell, options, paths } = wish;
  const { candidates } = await inspect({ image: inHome(shell, image) }, options);
  const end = paths ? '/' : '';
  const mountable = candidates.filter(({ type, selector }) => selector !== '' && (type !== undefined || !paths));
  const words = mountable.flatMap((part) => {
    const says = saysOf(part);
    return spellings(part, typed).map((spelling) => ({ word: `${image}:${spelling}${end}`, says, more: paths }));
  });
  const fits = words.filter(({ word }) => word.startsWith(`${image}:${typed}`));
  if (typed !== '' || !paths || candidates.filter(({ type }) => type !== undefined).length !== 1) return fits;
  const name = addressName(`${inHome(shell, image)}:`, shell).image;
  const inside = await completeInside(name, '/', options);
  return [...fits, ...inside.map((one) => ({ ...one, word: `${image}:${one.word}` }))];
}

/** The number, and by whatever word has been begun. */
function spellings({ selector, label, uuid, device: { partition } }: Part, typed: string): readonly string[] {
  const nested = selector.slice(0, selector.lastIndexOf(':') + 1);
  const begun = typed.slice(nested.length);
  const named = (kind: 'label' | 'name' | 'uuid' | 'type', value: string): readonly string[] =>
    value === '' ? [] : [nested + formatSelector({ kind, value })];
  return [
    selector,
    ...named('label', label),
    ...named('name', partition?.name ?? ''),
    // Long, and of many parts the same: not before they are asked for.
    ...(begun.startsWith('u') ? named('uuid', uuid) : []),
    ...(begun.startsWith('t') ? named('type', partition?.type ?? '') : []),
  ];
}

const saysOf = ({ description, label, device }: Part): string =>
  [description, label === '' ? '' : `"${label}"`, humanGnu(device.sizeBytes)]
    .filter((part) => part !== '')
    .join(', ')
    .replace(/\p{Cc}/gu, '?');
