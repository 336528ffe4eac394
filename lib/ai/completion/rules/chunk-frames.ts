import { sseData } from '../../../platform/sse/sse-writer.ts';
import type { OutgoingChunk } from './chunk-rules.ts';

/** The chunks as the client's stream has them; those of one read become one write. */
export function chunkFrames(chunks: readonly OutgoingChunk[]): string {
  let frames = '';
  for (const { chunk, text } of chunks) frames += sseData(text ?? JSON.stringify(chunk));
  return frames;
}
