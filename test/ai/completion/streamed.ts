import { chunkFrames } from '../../../lib/ai/completion/rules/chunk-frames.ts';
import { ChunkRules, type ChunkRulesOptions, type OutgoingChunk } from '../../../lib/ai/completion/rules/chunk-rules.ts';
import type { UpstreamFailure } from '../../../lib/ai/providers/adapter.ts';
import { openaiStream } from '../../../lib/ai/providers/openai/openai-stream.ts';
import type { ChatChunk, ChunkDelta } from '../../../lib/ai/wire/chat.ts';
import { createSseParser } from '../../../lib/platform/sse/sse-parser.ts';

export interface Streamed {
  /** What the client receives: one text for each read that gave something, the last after the end. */
  writes: string[];
  chunks: ChatChunk[];
  failure: UpstreamFailure | undefined;
  complete: boolean;
  usage: Record<string, unknown> | undefined;
  stopped: boolean;
  /** The number of the read after which nothing more was needed; undefined if the end had to be awaited. */
  readyAfter: number | undefined;
}

const HEAD = { id: 'chatcmpl-ours', created: 7, model: 'ours' };
export const BROKLE = { cost: 1 };

/** Passes reads of an OpenAI upstream through parser, decoder and rules, as the gateway does. */
export function streamed(reads: readonly (string | Uint8Array)[], options: Partial<ChunkRulesOptions> = {}): Streamed {
  const parser = createSseParser();
  const decoder = openaiStream();
  let ids = 0;
  const rules = new ChunkRules({ head: HEAD, callId: () => `call_made${ids++}`, ...options });
  const writes: string[] = [];
  let failure: UpstreamFailure | undefined;
  let readyAfter: number | undefined;
  const write = (out: OutgoingChunk[]) => {
    if (out.length > 0) writes.push(chunkFrames(out));
  };
  const take = (events: { event: string; data: string }[]) => {
    const out: OutgoingChunk[] = [];
    for (const event of events) {
      for (const part of decoder.decode(event)) {
        if (part.kind === 'failure') failure ??= part.failure;
        else if (!failure) out.push(...rules.push(part));
      }
    }
    write(out);
  };
  reads.forEach((read, number) => {
    take(parser.push(typeof read === 'string' ? Buffer.from(read) : read));
    if (rules.ready) readyAfter ??= number;
  });
  take(parser.end());
  if (!rules.finished) write(rules.end());
  const complete = failure === undefined && rules.finished;
  if (complete) write(rules.close(BROKLE, rules.usage?.fields));
  return {
    writes,
    chunks: createSseParser()
      .push(Buffer.from(writes.join('')))
      .map(({ data }) => JSON.parse(data)),
    failure,
    complete,
    usage: rules.usage?.fields,
    stopped: rules.stopped,
    readyAfter,
  };
}

/** The stream in reads of so many bytes. */
export function cutInto(size: number, stream: string): Uint8Array[] {
  const bytes = Buffer.from(stream);
  return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => bytes.subarray(index * size, (index + 1) * size));
}

const head = { id: 'c1', object: 'chat.completion.chunk', created: 1, model: 'm' };
export const DONE = 'data: [DONE]\n\n';
export const frame = (value: unknown): string => `data: ${JSON.stringify(value)}\n\n`;
/** A frame with one choice. */
export const delta = (part: unknown, finish: string | null = null, index = 0): string =>
  frame({ ...head, choices: [{ index, delta: part, finish_reason: finish }] });
export const usageFrame = (usage: Record<string, unknown>): string => frame({ ...head, choices: [], usage });
export const ROLE = delta({ role: 'assistant', content: '' });

/** The deltas added up, as clients do it: texts joined, tool calls by index. */
export function assembled(
  chunks: readonly ChatChunk[],
  index = 0,
): { content: string; calls: { id: string; type: string; name: string; arguments: string }[]; finish: unknown[] } {
  const calls: { id: string; type: string; name: string; arguments: string }[] = [];
  let content = '';
  const finish: unknown[] = [];
  for (const choice of chunks.flatMap(({ choices }) => choices)) {
    if (choice.index !== index) continue;
    const part: ChunkDelta = choice.delta;
    content += part.content ?? '';
    if (choice.finish_reason !== null) finish.push(choice.finish_reason);
    for (const call of part.tool_calls ?? []) {
      calls[call.index] ??= { id: '', type: '', name: '', arguments: '' };
      const known = calls[call.index];
      if (!known) continue;
      known.id += call.id ?? '';
      known.type += call.type ?? '';
      known.name += call.function?.name ?? '';
      known.arguments += call.function?.arguments ?? '';
    }
  }
  return { content, calls, finish };
}
