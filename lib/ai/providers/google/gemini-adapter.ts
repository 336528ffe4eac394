import type { Adapter } from '../adapter.ts';
import { geminiCompletion } from './gemini-completion.ts';
import { geminiEmbeddings, geminiEmbeddingsRequest } from './gemini-embeddings.ts';
import { geminiFailure, geminiFailureIn } from './gemini-errors.ts';
import { geminiFamily } from './gemini-family.ts';
import { geminiChatRequest } from './gemini-request.ts';
import { geminiStream } from './gemini-stream.ts';

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
