import { createHash } from 'node:crypto';
import type { Clock } from '../../../platform/clock.ts';
import { SSE_HEADERS } from '../../../platform/sse/sse-writer.ts';
import { isObject } from '../../wire/wire-values.ts';
import { type SimulatedContent, simulatedContent, simulatedTokens } from './simulated-answer.ts';
import { simulatedEmbeddings } from './simulated-embeddings.ts';
import { callId, type SimulatedHead, simulatedFrames } from './simulated-stream.ts';
import { lastTextOf, type SimulatedWishes, simulatedWishes } from './simulated-wishes.ts';

/** The models that a list shows. Any other name is served as well; its words are wishes. */
export const SIMULATED_MODELS = ['chat', 'echo', 'count-10', 'reason', 'tools', 'slow-1000', 'fail-503', 'cut-3', 'no-usage', 'embeddings'];

export interface SimulatedRequest {
  url: string;
  body: string;
  signal?: AbortSignal | undefined;
}
export interface SimulatedResponse {
  status: number;
  headers: Record<string, string>;
  body: AsyncIterable<Uint8Array>;
}

/**
 * Answers a request as a server that speaks OpenAI would, without any network. It stands in place of the outgoing client, so that its
 * answers pass through the same reading as real ones. Its bytes depend on the request alone, but for the time.
 */
export async function simulatedSend(clock: Clock, { url, body: text, signal }: SimulatedRequest): Promise<SimulatedResponse> {
  const parsed: unknown = JSON.parse(text);
  const body = isObject(parsed) ? parsed : {};
  const model = String(body.model ?? '').replace(/^simulated\//, '');
  const wishes = simulatedWishes(model, lastTextOf(body.messages));
  if (wishes.slow) await clock.sleep(wishes.slow, signal);
  if (wishes.fail !== undefined && wishes.fail >= 400) return failed(wishes.fail);
  const name = `simulated/${model}`;
  if (url.split('?', 1)[0]?.endsWith('/embeddings')) return json(200, simulatedEmbeddings(body, name));

  const hash = createHash('sha256').update(text).digest('hex');
  const head = { id: `chatcmpl-simulated${hash.slice(0, 20)}`, created: Math.floor(clock.nowMs() / 1_000), model: name };
  const content = simulatedContent(body, wishes);
  const choices = Math.min(Math.max(1, Number(body.n ?? 1) || 1), 128);
  const usage = wishes.silent ? undefined : usageOf(body, content, choices);
  if (body.stream !== true) return whole(head, content, { wishes, choices, usage });
  const wanted = isObject(body.stream_options) && body.stream_options.include_usage === true;
  const frames = simulatedFrames(head, content, { wishes, choices, usage: wanted ? usage : undefined });
  return { status: 200, headers: { ...SSE_HEADERS }, body: paced(frames, wishes, clock, signal) };
}

async function* paced(frames: Iterable<string | undefined>, { pace }: SimulatedWishes, clock: Clock, signal: AbortSignal | undefined) {
  let first = true;
  for (const frame of frames) {
    if (frame === undefined)
      await new Promise((_, reject) => signal?.addEventListener('abort', () => reject(signal.reason), { once: true }));
    if (pace && !first) await clock.sleep(pace, signal);
    signal?.throwIfAborted();
    first = false;
    yield Buffer.from(frame ?? '');
  }
}

function whole(
  head: SimulatedHead,
  content: SimulatedContent,
  { wishes, choices, usage }: { wishes: SimulatedWishes; choices: number; usage: Record<string, unknown> | undefined },
): SimulatedResponse {
  if (wishes.error !== undefined) return json(200, { error: { message: 'A simulated error.' } });
  const completion = {
    ...head,
    object: 'chat.completion',
    choices: Array.from({ length: choices }, (_, index) => ({ index, ...choiceOf(head, content, index) })),
    ...(usage && { usage }),
  };
  const text = JSON.stringify(completion);
  // Half an answer, as a connection that breaks leaves it.
  return { ...json(200, {}), body: once(wishes.cut === undefined ? text : text.slice(0, text.length / 2)) };
}

function choiceOf(head: SimulatedHead, { pieces, calls, reasoning, finish }: SimulatedContent, choice: number) {
  const message = {
    role: 'assistant',
    content: calls.length > 0 ? null : pieces.join(''),
    refusal: null,
    ...(reasoning !== undefined && { reasoning_content: reasoning }),
    ...(calls.length > 0 && {
      tool_calls: calls.map((call, place) => ({ id: callId(head, choice, place), type: 'function', function: call })),
    }),
  };
  return { message, logprobs: null, finish_reason: finish };
}

/** The prompt is what a model would read: how the answer is sent changes nothing. */
function usageOf(
  { messages, tools }: Record<string, unknown>,
  { pieces, calls, reasoning }: SimulatedContent,
  choices: number,
): Record<string, unknown> {
  const thought = reasoning === undefined ? 0 : simulatedTokens(reasoning);
  const written = pieces.length + calls.reduce((sum, call) => sum + simulatedTokens(call.name + call.arguments), 0);
  const prompt_tokens = simulatedTokens(JSON.stringify(tools === undefined ? messages : [messages, tools]) ?? '');
  const completion_tokens = choices * (written + thought);
  return {
    prompt_tokens,
    completion_tokens,
    total_tokens: prompt_tokens + completion_tokens,
    prompt_tokens_details: { cached_tokens: 0 },
    completion_tokens_details: { reasoning_tokens: choices * thought },
  };
}

function failed(status: number): SimulatedResponse {
  const answer = json(status, {
    error: { message: `A simulated failure with status ${status}.`, type: 'simulated', param: null, code: null },
  });
  if (status === 429 || status === 503) answer.headers['retry-after'] = '1';
  return answer;
}

const json = (status: number, value: unknown): SimulatedResponse => ({
  status,
  headers: { 'content-type': 'application/json' },
  body: once(JSON.stringify(value)),
});

async function* once(text: string) {
  yield Buffer.from(text);
}
