import { isAppError } from '../../../platform/errors.ts';
import { type Reply, reply } from '../../../platform/http/endpoint.ts';
import type { AnswerEnd } from '../../../platform/http/http-event.ts';
import { SSE_DONE, SSE_HEADERS, SSE_KEEP_ALIVE, sseData } from '../../../platform/sse/sse-writer.ts';
import { answerChat } from '../../completion/answer-chat.ts';
import type { IncomingChat } from '../../completion/call/running-call.ts';
import type { ChatAnswer } from '../../completion/chat-answer.ts';
import type { GatewayPorts } from '../../completion/gateway-ports.ts';
import type { ChatStream } from '../../completion/stream-chat.ts';
import type { StreamFrame } from '../../completion/stream-frame.ts';
import type { WireUsage } from '../../wire/chat.ts';
import { checkCompletionsRequest } from '../../wire/completions-request.ts';
import { inferenceError, openaiErrorFrame } from '../../wire/inference-errors.ts';
import { requestError } from '../../wire/request-error.ts';
import { legacyChoices, legacyChunk, legacyId } from './chat-to-completion.ts';
import { completionsToChat, type PromptCall } from './completions-to-chat.ts';

/** So many prompts of one request are asked at the same time. */
const AT_ONCE = 4;

type Call = Omit<IncomingChat, 'request' | 'text'>;

/**
 * `POST /v1/completions`, the legacy operation. Each prompt is a call of its own, with its own record; the records of the second prompt and
 * those after it have the request's id with `.2` and so on behind it.
 */
export async function completionsFront(
  ports: GatewayPorts,
  { value, text }: { value: unknown; text: string },
  call: Call,
): Promise<Reply<never>> {
  const body = checkCompletionsRequest(value);
  const prompts = completionsToChat(body, text);
  const choices = typeof body.n === 'number' && body.n > 1 ? Math.ceil(body.n) : 1;
  const ask = (prompt: PromptCall, place: number) => askPrompt(ports, call, prompt, place);
  return body.stream === true ? streamed(prompts, choices, ask) : whole(prompts, choices, ask);
}

type Ask = (prompt: PromptCall, place: number) => Promise<ChatAnswer | ChatStream>;

async function askPrompt(ports: GatewayPorts, call: Call, { echo: _echo, ...prompt }: PromptCall, place: number) {
  const request_id = place === 0 ? call.request_id : `${call.request_id}.${place + 1}`;
  try {
    return await answerChat(ports, { ...call, ...prompt, request_id });
  } catch (error) {
    // The caller has sent no messages.
    if (isAppError(error) && String(error.details?.param).startsWith('messages.')) {
      throw requestError('prompt', 'The provider of this model takes prompts as text only.', 'unsupported_value');
    }
    throw error;
  }
}

async function whole(prompts: PromptCall[], choices: number, ask: Ask): Promise<Reply<never>> {
  const answers: ChatAnswer[] = [];
  for (let from = 0; from < prompts.length; from += AT_ONCE) {
    const asked = prompts.slice(from, from + AT_ONCE).map((prompt, place) => ask(prompt, from + place));
    for (const answer of await Promise.all(asked)) if (answer.kind === 'completion') answers.push(answer);
  }
  const [first] = answers;
  const answer = {
    id: legacyId(first?.completion.id ?? ''),
    object: 'text_completion',
    created: first?.completion.created,
    model: first?.completion.model,
    choices: answers.flatMap(({ completion }, place) => legacyChoices(completion, place * choices, prompts[place]?.echo ?? '')),
    ...sumOfUsage(answers.map(({ completion }) => completion.usage)),
    brokle: first && withSums(answers),
  };
  return reply<never>({ headers: headersOf(answers), text: JSON.stringify(answer) });
}

function withSums(answers: readonly ChatAnswer[]) {
  const cost = answers.reduce((sum, { completion }) => sum + completion.brokle.cost, 0);
  return { ...answers[0]?.completion.brokle, cost, cost_usd: cost };
}

function headersOf([first, ...others]: readonly ChatAnswer[]): Record<string, string> {
  const { 'x-brokle-cost-usd': cost, ...headers } = first?.headers ?? {};
  // The sum is in the body.
  return {
    ...headers,
    ...(others.length === 0 && cost !== undefined && { 'x-brokle-cost-usd': cost }),
    'content-type': 'application/json',
  };
}

function sumOfUsage(usages: readonly (WireUsage | undefined)[]): { usage?: WireUsage } {
  const [first, ...others] = usages.filter((usage) => usage !== undefined);
  if (!first) return {};
  return {
    usage: others.reduce(
      (sum, usage) => ({
        prompt_tokens: sum.prompt_tokens + usage.prompt_tokens,
        completion_tokens: sum.completion_tokens + usage.completion_tokens,
        total_tokens: sum.total_tokens + usage.total_tokens,
      }),
      first,
    ),
  };
}

async function streamed(prompts: PromptCall[], choices: number, ask: Ask): Promise<Reply<never>> {
  const [prompt] = prompts;
  // A failure before the first content is an answer of its own.
  const first = prompt && (await ask(prompt, 0));
  if (first?.kind !== 'stream') throw new Error('a stream was asked for');
  let current: ChatStream = first;

  async function* written(): AsyncGenerator<Uint8Array, void, undefined> {
    for (const [place, { echo }] of prompts.entries()) {
      if (place > 0) {
        await current.onEnd({ outcome: 'complete', bytes: 0 });
        const next = await opened(prompts[place], place);
        if (typeof next === 'string') return yield Buffer.from(next);
        current = next;
      }
      const last = place === prompts.length - 1;
      const textOf = writer(place * choices, echo, choices, last);
      for await (const batch of current.frames) {
        const text = batch.map(textOf).join('');
        if (text !== '') yield Buffer.from(text);
        // Nothing follows an error.
        if (batch.some(({ kind }) => kind === 'failure')) return;
      }
    }
  }

  /** The stream of a further prompt, or the frame that says why there is none. */
  async function opened(next: PromptCall | undefined, place: number): Promise<ChatStream | string> {
    try {
      const answer = next && (await ask(next, place));
      if (answer?.kind === 'stream') return answer;
      throw new Error('a stream was asked for');
    } catch (error) {
      if (!isAppError(error)) throw error;
      return openaiErrorFrame(inferenceError(error));
    }
  }

  return reply<never>({
    headers: { ...first.headers, ...SSE_HEADERS },
    stream: written(),
    onEnd: (end: AnswerEnd) => current.onEnd(end),
  });
}

function writer(first: number, echo: string, choices: number, last: boolean): (frame: StreamFrame) => string {
  const echoes = new Map(Array.from({ length: choices }, (_, index) => [index, echo]));
  return (frame) => {
    switch (frame.kind) {
      case 'chunk': {
        const chunk = legacyChunk(frame.chunk, first, echoes);
        return chunk ? sseData(JSON.stringify(chunk)) : '';
      }
      case 'keep-alive':
        return SSE_KEEP_ALIVE;
      case 'failure':
        return openaiErrorFrame(inferenceError(frame.error));
      case 'done':
        return last ? SSE_DONE : '';
    }
  };
}
