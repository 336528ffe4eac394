import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';

/** DynamoDB allows 400 KB for an item with its attributes' names. */
const CHUNK_BYTES = 350 * 1024;

/** A text that lies apart from its head: compressed, in chunks that each fit into an item. An empty text has one chunk too. */
export function textChunks(text: string): Uint8Array[] {
  const body = gzipSync(text);
  return Array.from({ length: Math.ceil(body.length / CHUNK_BYTES) }, (_, n) => body.subarray(n * CHUNK_BYTES, (n + 1) * CHUNK_BYTES));
}

/** The text of these chunks, in their order. Throws if some of the `expected` number are missing; `what` names the text in the error. */
export function textOfChunks(chunks: readonly unknown[], expected: number, what: string): string {
  if (chunks.length !== expected) throw new Error(`${what} has ${chunks.length} of ${expected} chunks`);
  return expected === 0 ? '' : gunzipSync(Buffer.concat(chunks.map((chunk) => z.instanceof(Uint8Array).parse(chunk)))).toString();
}
