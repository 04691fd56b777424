/** ls --json and --jsonl: entries one by one, as they are listed. */
import type { VType } from '@ukfs/kernel';
import type { Context, ImageName } from '../context.ts';
import { pathMembers } from '../format/json.ts';
import type { Json, JsonDocument } from '../format/json.ts';
import { modeText, octalMode, statMode } from '../format/mode.ts';
import { rfc3339 } from '../format/time.ts';
import { Col, permOf, typeOf } from './entries.ts';
import type { Entries } from './entries.ts';
import type { OwnerNames } from './print.ts';

export interface JsonList {
  readonly entries: Entries;
  readonly owners: OwnerNames;
  readlink(i: number): string | undefined;
  pathOf(i: number): string;
}

export class JsonListing {
  readonly #document: JsonDocument;
  readonly #lines: boolean;
  readonly #ctx: Context;

  /** undefined: the listing is for people. */
  static of(ctx: Context): JsonListing | undefined {
    return ctx.json === undefined ? undefined : new JsonListing(ctx, ctx.json);
  }

  private constructor(ctx: Context, document: JsonDocument) {
    this.#ctx = ctx;
    this.#document = document;
    this.#lines = ctx.settings.json === 'lines';
  }

  begin(image: ImageName | undefined): void {
    if (this.#lines) return;
    if (image !== undefined) this.#document.path('image', image.text);
    this.#document.array('entries');
  }

  #write(value: Json): void {
    if (this.#lines) this.#ctx.out.text(`${JSON.stringify(value)}\n`);
    else this.#document.element(value);
  }

  list({ entries, owners, readlink, pathOf }: JsonList): void {
    for (let i = 0; i < entries.count; i++) {
      const typeMode = entries.number(i, Col.TYPE_MODE);
      const type = typeOf(typeMode);
      const target = type === 'lnk' ? readlink(i) : undefined;
      const path = pathOf(i);
      this.#write({
        ...pathMembers('path', path.startsWith('/') ? path : `/${path}`),
        ...pathMembers('name', lastName(path)),
        ...attributes(entries, i, { type, mode: permOf(typeMode), owners }),
        ...pathMembers('target', target),
      });
    }
  }
}

const lastName = (path: string): string => /([^/]+)\/*$/.exec(path)?.[1] ?? '/';

function attributes(
  entries: Entries,
  i: number,
  { type, mode, owners }: { readonly type: VType; readonly mode: number; readonly owners: OwnerNames },
): { readonly [key: string]: Json } {
  const time = (column: number): string | undefined => {
    const sec = entries.number(i, column);
    return Number.isNaN(sec) ? undefined : rfc3339({ sec, nsec: entries.number(i, column + 1) });
  };
  const uid = entries.number(i, Col.UID);
  const gid = entries.number(i, Col.GID);
  const major = entries.number(i, Col.RMAJOR);
  return {
    type,
    ino: entries.number(i, Col.INO),
    mode: statMode(type, mode),
    perm: octalMode(mode),
    modeText: modeText(type, mode),
    nlink: entries.number(i, Col.NLINK),
    uid,
    gid,
    owner: nameNotNumber(owners.user(uid), uid),
    group: nameNotNumber(owners.group(gid), gid),
    size: entries.number(i, Col.SIZE),
    allocated: entries.number(i, Col.BYTES),
    blockSize: entries.number(i, Col.BLOCK_SIZE),
    atime: time(Col.ATIME),
    mtime: time(Col.MTIME),
    ctime: time(Col.CTIME),
    birthtime: time(Col.BIRTH),
    flags: entries.number(i, Col.FLAGS),
    generation: entries.number(i, Col.GEN),
    rdev: major < 0 ? undefined : { major, minor: entries.number(i, Col.RMINOR) },
  };
}

const nameNotNumber = (name: string, id: number): string | undefined => (name === String(id) ? undefined : name);
