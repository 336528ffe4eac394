import { requestError } from '../../wire/request-error.ts';
import { isObject } from '../../wire/wire-values.ts';
import { type DecodedEmbeddings, type EmbeddingCall, type Target, UnusableAnswer, type UpstreamRequest } from '../adapter.ts';
import { geminiUrl, modelPath } from './gemini-url.ts';
import { geminiHeaders } from './request/gemini-request.ts';

/** One text goes to `embedContent`, several to `batchEmbedContents`. */
export function geminiEmbeddingsRequest({ request }: EmbeddingCall, target: Target): UpstreamRequest {
  const { input, dimensions } = request;
  const texts = (typeof input === 'string' ? [input] : input).map((text: unknown, index) => {
    if (typeof text === 'string') return text;
    throw requestError(typeof text === 'number' ? 'input' : `input.[${index}]`, "Google's models embed texts, not lists of tokens.");
  });
  const requests = texts.map((text) => ({
    model: decodeURIComponent(modelPath(target.model)),
    content: { parts: [{ text }] },
    ...(typeof dimensions === 'number' && { outputDimensionality: dimensions }),
    ...(typeof request.task_type === 'string' && { taskType: request.task_type }),
  }));
  const single = typeof input === 'string';
  return {
    method: 'POST',
    url: geminiUrl(target, single ? 'embedContent' : 'batchEmbedContents'),
    headers: geminiHeaders(target),
    body: JSON.stringify(single ? requests[0] : { requests }),
    warnings: [],
  };
}

export function geminiEmbeddings(body: unknown, target: Target): DecodedEmbeddings {
  if (!isObject(body)) throw new UnusableAnswer("The answer is not one of Google's.");
  const { embedding, embeddings, usageMetadata } = body;
  const listed = Array.isArray(embeddings) ? embeddings : [embedding];
  return {
    vectors: listed.map(vectorOf),
    model: target.model,
    usage: isObject(usageMetadata) ? { dialect: 'gemini', fields: usageMetadata } : undefined,
  };
}

function vectorOf(embedding: unknown): number[] {
  const values = isObject(embedding) ? embedding.values : undefined;
  if (Array.isArray(values) && values.length > 0 && values.every((value) => typeof value === 'number')) return values;
  throw new UnusableAnswer("Google's answer has no embedding.");
}
