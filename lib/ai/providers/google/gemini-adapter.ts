import type { Adapter } from '../adapter.ts';
import { geminiCompletion } from './answer/gemini-completion.ts';
import { geminiFailure, geminiFailureIn } from './answer/gemini-errors.ts';
import { geminiStream } from './answer/gemini-stream.ts';
import { geminiEmbeddings, geminiEmbeddingsRequest } from './gemini-embeddings.ts';
import { geminiFamily } from './gemini-family.ts';
import { geminiChatRequest } from './request/gemini-request.ts';

/** Google's Gemini API (`generativelanguage.googleapis.com`, v1beta). */
export const geminiAdapter: Adapter = {
  givesOneAnswer: (model) => !geminiFamily(model).candidates,
  toolNames: { pattern: /^[a-zA-Z_][a-zA-Z0-9_.:-]{0,63}$/, longest: 64 },
  chat: geminiChatRequest,
  completion: geminiCompletion,
  stream: geminiStream,
  embeddings: geminiEmbeddingsRequest,
  decodeEmbeddings: geminiEmbeddings,
  failure: geminiFailure,
  failureIn: geminiFailureIn,
};
