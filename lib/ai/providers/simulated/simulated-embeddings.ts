import { createHash } from 'node:crypto';
import { base64OfVector } from '../../wire/embedding-vectors.ts';
import { simulatedTokens } from './simulated-answer.ts';

const DEFAULT_DIMENSIONS = 64;
const MOST_DIMENSIONS = 3_072;

/** Embeddings that depend on the words alone: equal texts have equal vectors, and texts that share words have similar ones. */
export function simulatedEmbeddings(body: Record<string, unknown>, model: string): Record<string, unknown> {
  const { input, dimensions, encoding_format } = body;
  const texts = Array.isArray(input) && typeof input[0] !== 'number' ? input : [input];
  const size = Math.min(Math.max(1, Math.floor(Number(dimensions ?? DEFAULT_DIMENSIONS)) || DEFAULT_DIMENSIONS), MOST_DIMENSIONS);
  const words = texts.map((text) => (typeof text === 'string' ? text.toLowerCase() : JSON.stringify(text)));
  const data = words.map((text, index) => {
    const vector = vectorOf(text, size);
    return { object: 'embedding', index, embedding: encoding_format === 'base64' ? base64OfVector(vector) : vector };
  });
  const tokens = words.reduce((sum, text) => sum + simulatedTokens(text), 0);
  return { object: 'list', data, model, usage: { prompt_tokens: tokens, total_tokens: tokens } };
}

function vectorOf(text: string, size: number): number[] {
  const sum = new Array<number>(size).fill(0);
  for (const word of text.match(/[\p{L}\p{N}]+/gu) ?? [text]) {
    let bytes = createHash('sha256').update(word).digest();
    for (let index = 0; index < size; index++) {
      if (index > 0 && index % bytes.length === 0) bytes = createHash('sha256').update(bytes).digest();
      sum[index] = (sum[index] ?? 0) + (bytes[index % bytes.length] ?? 0) - 127.5;
    }
  }
  const length = Math.hypot(...sum);
  return sum.map((value) => Math.fround(value / length));
}
