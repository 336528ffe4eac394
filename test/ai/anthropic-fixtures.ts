import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { StreamPart, Target } from '../../lib/ai/providers/adapter.ts';
import { anthropicAdapter } from '../../lib/ai/providers/anthropic/anthropic-adapter.ts';
import type { ReasoningDetail, ToolCallDelta } from '../../lib/ai/wire/chat.ts';
import { createSseParser } from '../../lib/platform/sse/sse-parser.ts';

/** Answers of Anthropic's Messages API, written after its public documentation: each as JSON and as the events of its stream. */
const FOLDER = join(import.meta.dirname, 'fixtures/anthropic');

export const answerNames = readdirSync(FOLDER)
  .filter((name) => name.endsWith('.json') && !name.startsWith('error-'))
  .map((name) => name.slice(0, -5));

export const answerJson = (name: string) => JSON.parse(readFileSync(join(FOLDER, `${name}.json`), 'utf8'));
export const answerSse = (name: string) => readFileSync(join(FOLDER, `${name}.sse`));

export interface RecordedError {
  status: number;
  headers: Record<string, string>;
  body: unknown;
}
export const recordedError = (name: string): RecordedError => answerJson(`error-${name}`);

export const claude = (model = 'claude-sonnet-4-5', more: Partial<Target> = {}): Target => ({
  provider_id: 'anthropic',
  type: 'anthropic',
  base_url: 'https://api.anthropic.com/v1',
  api_key: 'sk-ant-test',
  model,
  ...more,
});

/** Reads a stream in these pieces as the pipeline does. */
export function decodeStream(pieces: readonly Uint8Array[]): StreamPart[] {
  const parser = createSseParser();
  const decoder = anthropicAdapter.stream(claude());
  return [
    ...[...pieces.flatMap((piece) => parser.push(piece)), ...parser.end()].flatMap((event) => decoder.decode(event)),
    ...decoder.end(),
  ];
}

/** What a client has when it has added up all chunks. */
export function addedUp(parts: readonly StreamPart[]) {
  const sum = {
    content: '',
    reasoning: '',
    refusal: null as string | null,
    details: [] as ReasoningDetail[],
    calls: [] as { id: string; name: string; arguments: string }[],
    finish: [] as string[],
  };
  for (const part of parts) {
    if (part.kind !== 'chunk') continue;
    const [choice] = part.chunk.choices;
    const { delta, finish_reason } = choice ?? { delta: {}, finish_reason: null };
    sum.content += delta.content ?? '';
    sum.reasoning += delta.reasoning_content ?? '';
    if (delta.refusal) sum.refusal = (sum.refusal ?? '') + delta.refusal;
    sum.details.push(...(delta.reasoning_details ?? []));
    for (const call of delta.tool_calls ?? []) addCall(sum.calls, call);
    if (finish_reason) sum.finish.push(finish_reason);
  }
  return sum;
}

function addCall(calls: { id: string; name: string; arguments: string }[], delta: ToolCallDelta): void {
  const known = calls[delta.index] ?? { id: '', name: '', arguments: '' };
  calls[delta.index] = {
    id: known.id + (delta.id ?? ''),
    name: known.name + (delta.function?.name ?? ''),
    arguments: known.arguments + (delta.function?.arguments ?? ''),
  };
}
