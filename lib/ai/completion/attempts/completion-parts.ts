import type { ReportedUsage } from '../../pricing/usage.ts';
import type { StreamPart } from '../../providers/adapter.ts';
import type { ChatCompletion, ChunkChoice } from '../../wire/chat.ts';

/** A whole answer as the parts of a stream, for callers who asked for a stream and get an answer that is there already. */
export function completionParts({ choices, ...head }: ChatCompletion, usage: ReportedUsage | undefined): StreamPart[] {
  const { id, created, model } = head;
  const chunk = (choice: ChunkChoice): StreamPart => ({
    kind: 'chunk',
    chunk: { id, object: 'chat.completion.chunk', created, model, choices: [choice] },
  });
  const parts: StreamPart[] = [];
  for (const { index, message, logprobs, finish_reason } of choices) {
    const { role, content, tool_calls, ...others } = message;
    const delta = {
      role,
      content,
      // Images and annotations, for example, belong to the answer too.
      ...Object.fromEntries(Object.entries(others).filter(([, value]) => value !== null)),
      ...(tool_calls && { tool_calls: tool_calls.map((call, place) => ({ index: place, ...call })) }),
    };
    parts.push(chunk({ index, delta, logprobs, finish_reason: null }), chunk({ index, delta: {}, finish_reason }));
  }
  if (usage) parts.push({ kind: 'usage', usage });
  return [...parts, { kind: 'done' }];
}
