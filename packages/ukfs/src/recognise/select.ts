/** From the selectors of an address to one place in the image, or to an error that tells what there is. */
import type { FsError } from '@ukfs/kernel';
import { formatSelector } from '../address.ts';
import type { PartSelector } from '../address.ts';
import { describeCandidate, NotRecognisedError, SelectionError } from '../errors.ts';
import type { Candidate } from '../handle.ts';
import { candidates, identify, pieceOfPlace, placeOf, tableAt, wholeImage } from './identify.ts';
import type { Content, Found, Identified, Knowledge, Place } from './identify.ts';
import type { Medium } from './medium.ts';

/** A place whose file system can be mounted. */
interface Chosen {
  readonly place: Place;
  /** undefined: the type was given, nobody looked. */
  readonly content: Content | undefined;
}

interface Choice {
  readonly image: string;
  readonly selectors: readonly PartSelector[];
  /** Canonical name of a type that was asked for: magic is not looked at where one place is left. */
  readonly type: string | undefined;
}

/** Where the selectors lead, whatever is there. Errors: SelectionError. */
export async function placeMeant(medium: Medium, choice: Choice, knowledge: Knowledge): Promise<Place> {
  let place = wholeImage(medium);
  for (const selector of choice.selectors) place = await step(place, selector, choice, knowledge);
  return place;
}

/** The one place meant. Errors: SelectionError, NotRecognisedError. */
export async function choose(medium: Medium, choice: Choice, knowledge: Knowledge): Promise<Chosen> {
  const place = await placeMeant(medium, choice, knowledge);
  const { type } = choice;
  const identified = await identify(place, knowledge);
  if (type !== undefined) return ofType(identified, type, choice);
  const found = candidates(identified);
  if (found.length > 1) throw severalError(found, choice);
  const [only] = found;
  if (only === undefined) throw nothingError(identified, choice);
  if (only.content?.module === undefined) throw unopenable(only, choice);
  return only;
}

/** The candidate of the type asked for; none has its magic: the place itself, whose mount will have the last word. */
function ofType(identified: Identified, type: string, choice: Choice): Chosen {
  const fitting = candidates(identified).filter(({ content }) => content?.module?.name === type);
  if (fitting.length > 1) throw severalError(fitting, choice);
  return fitting[0] ?? { place: identified.place, content: undefined };
}

async function step(place: Place, selector: PartSelector, choice: Choice, knowledge: Knowledge): Promise<Place> {
  if (selector.kind === 'off') return byOffset(place, selector, choice);
  const identified = await identifyFor(place, selector, knowledge);
  const found = identified.partitions.filter((one) => isMeant(selector, one));
  if (wholeIsMeant(selector, identified)) found.unshift({ place, content: identified.whole });
  const [only] = found;
  if (only !== undefined && found.length === 1) return only.place;
  const what = `${found.length === 0 ? 'nothing' : 'more than one partition'} is selected by ${formatSelector(selector)}`;
  throw new SelectionError(what, identified.partitions.map(candidateOf), context(choice));
}

/** Only label= and uuid= need to look into the partitions. */
async function identifyFor(place: Place, selector: PartSelector, knowledge: Knowledge): Promise<Identified> {
  if (selector.kind === 'label' || selector.kind === 'uuid') return identify(place, knowledge);
  const table = await tableAt(place, knowledge.loadLabels);
  const partitions = (table?.partitions ?? []).map((p) => ({ place: placeOf(place, p), content: undefined }));
  return { place, whole: undefined, table, partitions };
}

function isMeant(selector: PartSelector, { place: { partition }, content }: Found): boolean {
  if (partition === undefined) return false;
  switch (selector.kind) {
    case 'number':
      return partition.number === selector.number;
    case 'letter':
      return partition.table === 'disklabel' && partition.number === selector.letter.charCodeAt(0) - 0x60;
    case 'name':
      return partition.name === selector.value;
    case 'label':
      return content?.label === selector.value;
    case 'uuid':
      return sameId(partition.uuid, selector.value) || sameId(content?.uuid ?? '', selector.value);
    case 'type':
      return partition.type === selector.value.toLowerCase() || sameId(partition.typeId, typeIdOf(selector.value));
    case 'off':
      return false;
  }
}

const wholeIsMeant = (selector: PartSelector, { whole }: Identified): boolean =>
  whole !== undefined &&
  ((selector.kind === 'label' && whole.label === selector.value) ||
    (selector.kind === 'uuid' && sameId(whole.uuid, selector.value)));

const sameId = (a: string, b: string): boolean => a !== '' && a.toLowerCase() === b.toLowerCase();
/** "83" and "0x83" are one MBR type. */
const typeIdOf = (value: string): string => (/^[0-9a-f]{1,2}$/i.test(value) ? `0x${value.padStart(2, '0')}` : value);

function byOffset(place: Place, selector: PartSelector & { kind: 'off' }, choice: Choice): Place {
  const { offset, length = place.medium.sizeBytes - offset } = selector;
  if (offset + length > place.medium.sizeBytes || length <= 0) {
    const what = `${formatSelector(selector)} is outside of it (${place.medium.sizeBytes} bytes)`;
    throw new SelectionError(what, [], context(choice));
  }
  return pieceOfPlace(place, { offset, length, selector: formatSelector(selector) });
}

const context = ({ image }: Choice): { op: string; path: string } => ({ op: 'open', path: image });

export const candidateOf = ({ place, content }: Found): Candidate => ({
  selector: place.selector,
  device: {
    offset: place.offset,
    sizeBytes: place.medium.sizeBytes,
    sectorSize: place.medium.sectorSize ?? 512,
    partition: place.partition,
  },
  type: content?.module?.name,
  kind: content?.kind ?? 'other',
  description: content?.description ?? '',
  label: content?.label ?? '',
  uuid: content?.uuid ?? '',
  advice: content?.advice ?? '',
});

const severalError = (found: readonly Found[], choice: Choice): SelectionError =>
  new SelectionError('it holds several file systems; say which', found.map(candidateOf), context(choice));

function nothingError({ place, whole, table, partitions }: Identified, choice: Choice): FsError {
  if (whole !== undefined) return unopenable({ place, content: whole }, choice);
  if (table === undefined) {
    return new NotRecognisedError('no file system or partition table is known here', undefined, context(choice));
  }
  const [only] = partitions;
  if (only !== undefined && partitions.length === 1 && only.content !== undefined) return unopenable(only, choice);
  const list = partitions.map((one) => describeCandidate(candidateOf(one))).join('; ');
  const what = `no partition holds a file system that we know${list === '' ? '' : ` (${list})`}`;
  return new NotRecognisedError(what, undefined, context(choice));
}

function unopenable({ place, content }: Found, choice: Choice): NotRecognisedError {
  const where = place.selector === '' ? '' : ` at :${place.selector}`;
  const { description = '', advice = '' } = content ?? {};
  return new NotRecognisedError(`${description}${where}: ${advice}`, description, context(choice));
}
