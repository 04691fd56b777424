/** ls --json and --jsonl: entries one by one, as they are listed; put together by hand, as there may be millions. */
import type { Context, ImageName } from '../context.ts';
import { base64 } from '../format/base64.ts';
import { type JsonDocument } from '../format/json.ts';
import { modeText, octalMode, statMode } from '../format/mode.ts';
import { jsonName } from '../format/name.ts';
import { Clock, utcOffset } from '../format/time.ts';
import { Big, permOf, Small, typeOf } from './entries.ts';
import type { Entries } from './entries.ts';
import type { OwnerNames } from './print.ts';

interface JsonList {
  readonly entries: Entries;
  readonly owners: OwnerNames;
  readlink(i: number): string | undefined;
  pathOf(i: number): string;
}

export class JsonListing {
  readonly #document: JsonDocument;
  readonly #lines: boolean;
  readonly #ctx: Context;
  readonly #clock = new Clock(utcOffset, 0);
  /** `"type":…,"mode":…` of each type and mode met. */
  readonly #modes = new Map<number, string>();
  readonly #owners = new Map<string, string>();

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

  list(list: JsonList): void {
    this.#owners.clear();
    for (let i = 0; i < list.entries.count; i++) {
      const text = this.#entry(list, i);
      if (this.#lines) this.#ctx.out.text(`${text}\n`);
      else this.#document.elementText(text);
    }
  }

  #entry({ entries, owners, readlink, pathOf }: JsonList, i: number): string {
    const typeMode = entries.small(i, Small.TYPE_MODE);
    const target = typeOf(typeMode) === 'lnk' ? readlink(i) : undefined;
    const path = pathOf(i);
    const rdev = entries.rdev(i);
    const uid = entries.small(i, Small.UID);
    const gid = entries.small(i, Small.GID);
    const birth = entries.big(i, Big.BIRTH);
    return `{${member('path', path.startsWith('/') ? path : `/${path}`)},${member('name', lastName(path))},"ino":${entries.big(
      i,
      Big.INO,
    )},${this.#mode(typeMode)},"nlink":${entries.small(i, Small.NLINK)},${this.#owner(
      owners,
      uid,
      gid,
    )},"size":${entries.big(i, Big.SIZE)},"allocated":${entries.big(
      i,
      Big.BYTES,
    )},"blockSize":${entries.small(i, Small.BLOCK_SIZE)},${this.#time(
      'atime',
      entries.big(i, Big.ATIME),
      entries.small(i, Small.ATIME),
    )},${this.#time('mtime', entries.big(i, Big.MTIME), entries.small(i, Small.MTIME))},${this.#time(
      'ctime',
      entries.big(i, Big.CTIME),
      entries.small(i, Small.CTIME),
    )}${
      Number.isNaN(birth) ? '' : `,${this.#time('birthtime', birth, entries.small(i, Small.BIRTH))}`
    },"flags":${entries.small(i, Small.FLAGS)},"generation":${entries.small(i, Small.GEN)}${
      rdev === undefined ? '' : `,"rdev":{"major":${rdev.major},"minor":${rdev.minor}}`
    }${target === undefined ? '' : `,${member('target', target)}`}}`;
  }

  #mode(typeMode: number): string {
    let text = this.#modes.get(typeMode);
    if (text === undefined) {
      const type = typeOf(typeMode);
      const mode = permOf(typeMode);
      text = `"type":"${type}","mode":${statMode(type, mode)},"perm":"${octalMode(mode)}","modeText":"${modeText(type, mode)}"`;
      this.#modes.set(typeMode, text);
    }
    return text;
  }

  #owner(owners: OwnerNames, uid: number, gid: number): string {
    const key = `${uid}:${gid}`;
    let text = this.#owners.get(key);
    if (text === undefined) {
      const user = owners.user(uid);
      const group = owners.group(gid);
      text = `"uid":${uid},"gid":${gid}`;
      if (user !== String(uid)) text += `,"owner":${JSON.stringify(user)}`;
      if (group !== String(gid)) text += `,"group":${JSON.stringify(group)}`;
      if (this.#owners.size < OWNERS_MAX) this.#owners.set(key, text);
    }
    return text;
  }

  #time(name: string, sec: number, nsec: number): string {
    return `"${name}":"${this.#clock.rfc3339(sec, nsec)}"`;
  }
}

/** Pairs of owners kept: an image could give each file its own. */
const OWNERS_MAX = 1000;

/** `"path":"…"`, and `"pathBytes"` for a name that is not UTF-8. */
function member(key: string, value: string): string {
  const { text, bytes } = jsonName(value);
  const quoted = `"${key}":${JSON.stringify(text)}`;
  return bytes === undefined ? quoted : `${quoted},"${key}Bytes":"${base64(bytes)}"`;
}

function lastName(path: string): string {
  const end = path.endsWith('/') ? path.replace(/\/+$/, '') : path;
  return end === '' ? '/' : end.slice(end.lastIndexOf('/') + 1);
}
