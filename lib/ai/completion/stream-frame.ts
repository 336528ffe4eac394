import type { AppError } from '../../platform/errors.ts';
import type { ChatChunk } from '../wire/chat.ts';

/** What a front writes to a caller's stream, in OpenAI's form. */
export type StreamFrame =
  /** `text` is the chunk's JSON, if it is as the provider sent it. */
  | { kind: 'chunk'; chunk: ChatChunk; text?: string | undefined }
  /** Nothing has come for some time. */
  | { kind: 'keep-alive' }
  /** The stream has failed. Nothing follows, not even an end. */
  | { kind: 'failure'; error: AppError }
  /** The stream is complete. */
  | { kind: 'done' };

export type StreamFrames = AsyncGenerator<readonly StreamFrame[], void, undefined>;
