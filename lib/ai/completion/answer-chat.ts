import { newUlid } from '../../platform/ids.ts';
import { estimatePromptTokens, mostPromptTokens } from '../pricing/token-estimate.ts';
import { wireUsage } from '../pricing/wire-usage.ts';
import { answerHit } from './answer-hit.ts';
import { CallerGone } from './attempts/attempt-failure.ts';
import { completeChat } from './attempts/complete-chat.ts';
import { callsFor, severalAnswers } from './attempts/several-answers.ts';
import { tryCandidates } from './attempts/try-candidates.ts';
import { brokleExtension, brokleHeaders } from './brokle-extension.ts';
import { beginCall, type CallWishes, planCall, reserveCall } from './call/begin-call.ts';
import { abandoned, endOf, SUCCESS } from './call/call-end.ts';
import { keepAnswer } from './call/capture.ts';
import { chatCallOf } from './call/chat-call-of.ts';
import { priceCall } from './call/price-call.ts';
import type { IncomingChat, RunningCall } from './call/running-call.ts';
import { settleCall } from './call/settle-call.ts';
import { type CallCache, callCacheOf } from './call-cache.ts';
import type { ChatAnswer } from './chat-answer.ts';
import type { GatewayPorts } from './gateway-ports.ts';
import type { CompletionHead } from './rules/completion-head.ts';
import { type ChatStream, streamChat } from './stream-chat.ts';

/** Answers a chat, whichever front it came by: plan, ask, retry, price and record. Throws what the caller gets as an error. */
export async function answerChat(ports: GatewayPorts, call: IncomingChat): Promise<ChatAnswer | ChatStream> {
  const wishes = wishesOf(call);
  const run = await beginCall(ports, call, wishes);
  for (const warning of call.warnings ?? []) run.journal.warnings.add(warning);
  try {
    await planCall(run, wishes);
    const ours = identityOf(run);
    const cache = callCacheOf(run);
    const hit = await cache?.find();
    if (hit) return await answerHit(run, hit, ours);
    await reserveCall(run, wishes);
    if (!wishes.streamed) return await wholeAnswer(run, ours, cache);
    const stream = await streamChat(run, ours);
    return cache ? cache.keepStream(stream) : stream;
  } catch (error) {
    await settleCall(run, endOf(error));
    throw error instanceof CallerGone ? abandoned(call) : error;
  }
}

async function wholeAnswer(
  run: RunningCall<IncomingChat>,
  ours: Omit<CompletionHead, 'model'>,
  cache: CallCache | undefined,
): Promise<ChatAnswer> {
  const chat = chatCallOf(run);
  const completion = await tryCandidates(run, (candidate, signal) =>
    callsFor(run, candidate, chat) > 1
      ? severalAnswers(run, candidate, chat, ours, signal)
      : completeChat(run, candidate, chat, ours, signal),
  );
  for (const { finish_reason } of completion.choices) run.journal.finishReasons.push(finish_reason);
  const price = priceCall(run);
  // Clients rely on usage; the provider's own stays as it is.
  completion.usage ??= wireUsage(price.usage);
  keepAnswer(run, completion);
  await cache?.keep(completion);
  const answer: ChatAnswer = {
    kind: 'completion',
    headers: brokleHeaders(run, price),
    completion: Object.assign(completion, { brokle: brokleExtension(run, price) }),
  };
  await settleCall(run, SUCCESS);
  return answer;
}

function wishesOf({ request, text, native }: IncomingChat): CallWishes {
  const limit = request.max_completion_tokens ?? request.max_tokens;
  return {
    model: request.model,
    promptTokens: estimatePromptTokens(request),
    mostPromptTokens: () => mostPromptTokens(request),
    outputTokens: typeof limit === 'number' && limit > 0 ? Math.ceil(limit) : undefined,
    choices: typeof request.n === 'number' && request.n > 1 ? Math.ceil(request.n) : 1,
    features: [],
    streamed: request.stream === true,
    costHints() {
      const sent = text ?? native?.text ?? '';
      return {
        service_tier: typeof request.service_tier === 'string' ? request.service_tier : undefined,
        long_cache: /"ttl"\s*:\s*"1h"/.test(sent),
        media: /"(image_url|image|input_audio|video_url|modalities)"/.test(sent),
      };
    },
  };
}

/** The id and time of an answer whose provider gives none. */
function identityOf({ ports, journal }: RunningCall): { id: string; created: number } {
  return { id: `chatcmpl-${newUlid(ports.clock.nowMs())}`, created: Math.floor(journal.startedAtMs / 1_000) };
}
