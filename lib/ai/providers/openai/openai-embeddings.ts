import { vectorOfBase64 } from '../../wire/embedding-vectors.ts';
import { isObject } from '../../wire/wire-values.ts';
import { type DecodedEmbeddings, type EmbeddingCall, type Target, UnusableAnswer } from '../adapter.ts';
import { reportedUsage } from './openai-completion.ts';
import type { Preset } from './openai-presets.ts';
import { openaiBody } from './openai-request.ts';

export function openaiEmbeddingsBody({ request, text }: EmbeddingCall, target: Target, preset: Preset): string {
  const changes: Record<string, string | undefined> = {};
  if (preset.float_embeddings && Object.hasOwn(request, 'encoding_format')) changes.encoding_format = undefined;
  return openaiBody(request, text, target.model, changes);
}

export function openaiEmbeddings(body: unknown, target: Target): DecodedEmbeddings {
  if (!isObject(body) || !Array.isArray(body.data) || body.data.length === 0) {
    throw new UnusableAnswer('The provider answered without embeddings.');
  }
  const vectors: number[][] = [];
  const items: unknown[] = body.data;
  items.forEach((item, place) => {
    const vector = isObject(item) ? vectorOf(item.embedding) : undefined;
    const index = isObject(item) && Number.isSafeInteger(item.index) ? Number(item.index) : place;
    if (!vector || index < 0 || index >= items.length || vectors[index]) {
      throw new UnusableAnswer('The provider answered with something other than one embedding for each text.');
    }
    vectors[index] = vector;
  });
  return { vectors, model: typeof body.model === 'string' ? body.model : target.model, usage: reportedUsage(body) };
}

function vectorOf(embedding: unknown): number[] | undefined {
  if (typeof embedding === 'string') return vectorOfBase64(embedding);
  if (!Array.isArray(embedding) || embedding.length === 0) return undefined;
  return embedding.every((value) => typeof value === 'number') ? embedding : undefined;
}
