/** cat --json: of each file its size and SHA-256, and with --content its bytes in base64. */
import type { Context, Target } from '../context.ts';
import { base64 } from '../format/base64.ts';
import { pathMembers } from '../format/json.ts';
import type { Json, JsonDocument } from '../format/json.ts';

interface DigestSink {
  begin(target: Target | undefined): void;
  write(bytes: Uint8Array, length: number): void;
  end(): void;
}

export async function digestSink(
  ctx: Context,
  json: JsonDocument,
  options: { readonly content: boolean },
): Promise<DigestSink> {
  const host = await ctx.shell.host();
  let hash = host.sha256();
  let size = 0;
  let place: { readonly [key: string]: Json } = {};
  let pieces: Uint8Array[] = [];
  json.array('files');
  return {
    begin(target) {
      hash = host.sha256();
      size = 0;
      pieces = [];
      place = target === undefined ? { path: '-' } : { image: target.image.text, ...pathMembers('path', target.path) };
    },
    write(bytes, length) {
      hash.update(bytes.subarray(0, length));
      size += length;
      if (options.content) pieces.push(bytes.slice(0, length));
    },
    end() {
      const content = options.content ? base64(concat(pieces, size)) : undefined;
      json.element({ ...place, size, sha256: hash.digest(), content });
    },
  };
}

function concat(pieces: readonly Uint8Array[], size: number): Uint8Array {
  const all = new Uint8Array(size);
  let at = 0;
  for (const piece of pieces) {
    all.set(piece, at);
    at += piece.length;
  }
  return all;
}
