/** ukfs: open a disk image and get a file API. */
export { formatAddress, formatSelector, parseAddress, parseSelector, parseSize } from './address.ts';
export type { Address, IsFile, Selector } from './address.ts';
export { ImageChangedError, NotRecognisedError, SelectionError } from './errors.ts';
export type * from './handle.ts';
export { inspect, open } from './ukfs.ts';
export { walk, Walk } from './walk.ts';
export type { WalkEntry, WalkOptions, WalkSource } from './walk.ts';
