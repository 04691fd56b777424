/**
 * What arguments must look like: a client may send anything, and the library trusts its types. Whatever does not fit is EINVAL
 * before the call begins.
 */
import { FsError } from '@ukfs/kernel';
import { isRecord } from './message.ts';

/** `is` only tells the compiler for what the shape stands. */
export interface Shape<T> {
  /** "a path" */
  readonly says: string;
  fits(value: unknown): boolean;
  readonly is?: T;
}

/** A shape for each parameter. */
export type Shapes<P extends readonly unknown[]> = { readonly [I in keyof Required<P>]: Shape<Required<P>[I]> };

export const text: Shape<string> = { says: 'text', fits: (value) => typeof value === 'string' };
export const integer: Shape<number> = { says: 'a whole number', fits: (value) => Number.isSafeInteger(value) };
/** Sizes, lengths, positions. */
export const count: Shape<number> = {
  says: 'a number of bytes',
  fits: (value) => typeof value === 'number' && Number.isSafeInteger(value) && value >= 0,
};
export const flag: Shape<boolean> = { says: 'true or false', fits: (value) => typeof value === 'boolean' };
/** Not over shared memory, which could change while it is looked at. */
export const bytes: Shape<Uint8Array> = {
  says: 'bytes',
  fits: (value) => value instanceof Uint8Array && value.buffer instanceof ArrayBuffer,
};

export const word = <const W extends readonly string[]>(...words: W): Shape<W[number]> => ({
  says: words.join(' or '),
  fits: (value) => words.some((one) => one === value),
});

export const either = <A, B>(a: Shape<A>, b: Shape<B>): Shape<A | B> => ({
  says: `${a.says} or ${b.says}`,
  fits: (value) => a.fits(value) || b.fits(value),
});

export const optional = <T>(shape: Shape<T>): Shape<T> => ({
  says: `${shape.says} or nothing`,
  fits: (value) => value === undefined || shape.fits(value),
});

export const list = <T>(shape: Shape<T>): Shape<readonly T[]> => ({
  says: `a list of ${shape.says}`,
  fits: (value) => Array.isArray(value) && value.every((one) => shape.fits(one)),
});

/** With these members and no others. */
export function record<T>(members: { readonly [K in keyof Required<T>]: Shape<Required<T>[K]> }): Shape<T> {
  const known: readonly [string, Shape<unknown>][] = Object.entries(members);
  return {
    says: `an object of ${known.map(([name]) => name).join(', ')}`,
    fits: (value) =>
      isRecord(value) &&
      Object.keys(value).every((name) => Object.hasOwn(members, name)) &&
      known.every(([name, shape]) => shape.fits(Object.hasOwn(value, name) ? value[name] : undefined)),
  };
}

/** Any names, each with such a value. */
export const dictionary = <T>(shape: Shape<T>): Shape<Readonly<Record<string, T>>> => ({
  says: `an object whose values are ${shape.says}`,
  fits: (value) => isRecord(value) && Object.values(value).every((one) => shape.fits(one)),
});

/** The arguments of a call, when they fit. Errors: EINVAL, naming the first that does not. */
export function fitting<P extends readonly unknown[]>(op: string, shapes: Shapes<P>, args: readonly unknown[]): P {
  if (args.length > shapes.length) throw new FsError('EINVAL', { op, what: `takes ${shapes.length} arguments` });
  shapes.forEach((shape, i) => {
    if (!shape.fits(args[i])) throw new FsError('EINVAL', { op, what: `argument ${i + 1} is not ${shape.says}` });
  });
  return args as unknown as P;
}
