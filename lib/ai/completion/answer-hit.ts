import type { CachedAnswer } from '../cache/cached-answer.ts';
import type { ChatChunk } from '../wire/chat.ts';
import { completionParts } from './attempts/completion-parts.ts';
import { brokleExtension, brokleHeaders } from './brokle-extension.ts';
import { CLIENT_LEFT, SUCCESS } from './call/call-end.ts';
import { priceCall } from './call/price-call.ts';
import { type IncomingChat, type RunningCall, wantsUsageAtEnd } from './call/running-call.ts';
import { settleCall } from './call/settle-call.ts';
import type { ChatAnswer } from './chat-answer.ts';
import type { ChatStream } from './stream-chat.ts';
import type { StreamFrame } from './stream-frame.ts';

/** Answers with what was given before: under an id of its own, for nothing, and in the form that this caller asked for. */
export async function answerHit(
  run: RunningCall<IncomingChat>,
  { completion: before, cost_pico_usd }: CachedAnswer,
  identity: { id: string; created: number },
): Promise<ChatAnswer | ChatStream> {
  const { journal, plan, call, ports } = run;
  journal.cache = 'HIT';
  journal.savedPicoUsd = cost_pico_usd;
  journal.firstContentMs = ports.clock.monotonicMs();
  for (const { finish_reason } of before.choices) journal.finishReasons.push(finish_reason);
  const completion = { ...before, ...identity };
  const price = priceCall(run);
  const provider = plan.attempts[0]?.provider.provider_id ?? null;
  const brokle = { ...brokleExtension(run, price), provider };
  const headers = {
    ...brokleHeaders(run, price),
    ...(provider !== null && { 'x-brokle-provider': provider, 'x-brokle-model': before.model }),
  };
  if (!journal.streamed) {
    await settleCall(run, SUCCESS);
    return { kind: 'completion', headers, completion: { ...completion, brokle } };
  }

  const chunks = completionParts(completion, undefined).flatMap((part): ChatChunk[] => (part.kind === 'chunk' ? [part.chunk] : []));
  const last = chunks.at(-1);
  if (last) last.brokle = brokle;
  if (wantsUsageAtEnd(call)) {
    for (const chunk of chunks) chunk.usage = null;
    const { usage, model } = before;
    if (usage) chunks.push({ ...identity, object: 'chat.completion.chunk', model, choices: [], usage });
  }
  const frames: StreamFrame[] = [...chunks.map((chunk) => ({ kind: 'chunk' as const, chunk })), { kind: 'done' }];
  return {
    kind: 'stream',
    headers,
    frames: inOnePiece(frames),
    onEnd: ({ outcome }) => settleCall(run, outcome === 'client_closed' ? CLIENT_LEFT : SUCCESS),
  };
}

async function* inOnePiece(frames: readonly StreamFrame[]): AsyncGenerator<readonly StreamFrame[], void, undefined> {
  yield frames;
}
