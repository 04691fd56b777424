/**
 * JSON output, written as a stream: one object whose members come as they are known, arrays element by element.
 *
 * `{"schema":"fsu.ls","version":1, … ,"errors":[…],"status":0}`; docs/schemas/ has a JSON Schema for each.
 */
import type { Stat } from '@ukfs/kernel';
import { base64 } from './base64.ts';
import { jsonName } from './name.ts';
import { modeText, octalMode, statMode } from './mode.ts';
import { rfc3339 } from './time.ts';

export type Json = string | number | boolean | undefined | readonly Json[] | { readonly [key: string]: Json };

/** One failure in the `errors` array. */
export interface JsonError {
  readonly errno: string;
  readonly op: string | undefined;
  /** Path inside the image, or the host's when the image itself is meant. */
  readonly path: string | undefined;
  /** Where in the image's structures: inode, block, byte offset. */
  readonly place: { readonly ino?: number; readonly block?: number; readonly offset?: number } | undefined;
  readonly message: string;
  /** What helps: a name that may have been meant, the flag that goes on from here. */
  readonly hint?: string | undefined;
}

/** Version of every schema; raised when a member changes its meaning or goes away. */
const JSON_VERSION = 1;

/** Errors listed before only their number is told: a hostile image must not fill our memory. */
const ERRORS_MAX = 1000;

/** A document being written. `write` gets pieces of text. */
export class JsonDocument {
  readonly #write: (text: string) => void;
  readonly #errors: JsonError[] = [];
  readonly #schema: string;
  #dropped = 0;
  #begun = false;
  #inArray = false;
  #firstElement = true;

  constructor(schema: string, write: (text: string) => void) {
    this.#write = write;
    this.#schema = schema;
  }

  #key(name: string): void {
    this.endArray();
    if (!this.#begun) this.#write(`{"schema":${JSON.stringify(this.#schema)},"version":${JSON_VERSION}`);
    this.#begun = true;
    this.#write(`,${JSON.stringify(name)}:`);
  }

  /** A member with its whole value. */
  member(name: string, value: Json): void {
    if (value === undefined) return;
    this.#key(name);
    this.#write(JSON.stringify(value));
  }

  /** A path member: `name`, and `nameBytes` when it is not UTF-8. */
  path(name: string, value: string): void {
    const { text, bytes } = jsonName(value);
    this.member(name, text);
    if (bytes !== undefined) this.member(`${name}Bytes`, base64(bytes));
  }

  /** Begin an array member; element() adds to it, any other member ends it. */
  array(name: string): void {
    this.#key(name);
    this.#write('[');
    this.#inArray = true;
    this.#firstElement = true;
  }

  element(value: Json): void {
    this.elementText(JSON.stringify(value));
  }

  /** An element that is JSON text already. */
  elementText(text: string): void {
    this.#write(this.#firstElement ? text : `,\n${text}`);
    this.#firstElement = false;
  }

  endArray(): void {
    if (this.#inArray) this.#write(']');
    this.#inArray = false;
  }

  /** Those that were told, up to a number. */
  get errors(): readonly JsonError[] {
    return this.#errors;
  }

  error(error: JsonError): void {
    if (this.#errors.length < ERRORS_MAX) this.#errors.push(error);
    else this.#dropped += 1;
  }

  end(status: number): void {
    this.member(
      'errors',
      this.#errors.map(({ errno, op, path, place, message, hint }) => ({
        errno,
        op,
        ...pathMembers('path', path),
        place,
        message,
        hint,
      })),
    );
    if (this.#dropped > 0) this.member('errorsOmitted', this.#dropped);
    this.member('status', status);
    this.#write('}\n');
  }
}

/** `{ path }`, and `pathBytes` when it is not UTF-8; nothing when there is none. */
export function pathMembers(key: string, path: string | undefined): { readonly [key: string]: Json } {
  if (path === undefined) return {};
  const { text, bytes } = jsonName(path);
  return bytes === undefined ? { [key]: text } : { [key]: text, [`${key}Bytes`]: base64(bytes) };
}

/** A file's attributes as every command tells them. */
export function statMembers(stat: Stat): { readonly [key: string]: Json } {
  return {
    type: stat.type,
    ino: stat.ino,
    mode: statMode(stat.type, stat.mode),
    perm: octalMode(stat.mode),
    modeText: modeText(stat.type, stat.mode),
    nlink: stat.nlink,
    uid: stat.uid,
    gid: stat.gid,
    size: stat.size,
    allocated: stat.bytes,
    blockSize: stat.blockSize,
    atime: rfc3339(stat.atime),
    mtime: rfc3339(stat.mtime),
    ctime: rfc3339(stat.ctime),
    birthtime: stat.birthtime === undefined ? undefined : rfc3339(stat.birthtime),
    flags: stat.flags,
    generation: stat.gen,
    rdev: stat.rdev === undefined ? undefined : { major: stat.rdev.major, minor: stat.rdev.minor },
  };
}
