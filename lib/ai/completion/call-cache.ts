import { cacheKey } from '../cache/cache-key.ts';
import type { CachedAnswer } from '../cache/cached-answer.ts';
import { createChunkFold } from '../cache/fold-chunks.ts';
import { wireUsage } from '../pricing/wire-usage.ts';
import type { Candidate } from '../routing/plan-types.ts';
import type { ChatCompletion } from '../wire/chat.ts';
import { priceCall } from './price-call.ts';
import type { IncomingChat, RunningCall } from './running-call.ts';
import type { ChatStream } from './stream-chat.ts';
import type { StreamFrame } from './stream-frame.ts';

/** The cache as one call uses it. */
export interface CallCache {
  /** The answer that the provider would be asked for, if it was given before. */
  find(): Promise<CachedAnswer | undefined>;
  /** Keeps the answer of this call for the next one. */
  keep(completion: ChatCompletion): Promise<void>;
  /** The same for an answer that goes out as a stream. */
  keepStream(stream: ChatStream): ChatStream;
}

/** Undefined if neither the call nor its project wants a cache. */
export function callCacheOf(run: RunningCall<IncomingChat>): CallCache | undefined {
  const { ports, call, settings, plan, journal } = run;
  const { cache } = ports;
  const strategy = call.options.cache_strategy ?? settings.cache.strategy;
  const wishes = new Set((call.cache_control ?? '').toLowerCase().split(/\s*,\s*/));
  if (!cache || strategy === 'disabled' || wishes.has('no-store')) return undefined;
  journal.cache = 'MISS';
  const { project_id } = call.principal;
  const { operation, request, native } = call;
  /** A request in another form may say more than its translation. */
  const told = native ? { ...JSON.parse(native.text), dialect: native.dialect } : request;
  const keyFor = ({ provider, target }: Candidate) =>
    cacheKey({ project_id, operation, provider_id: provider.provider_id, model: target.model, request: told });

  const keep = async (completion: ChatCompletion): Promise<void> => {
    const answered = journal.answered?.candidate;
    const key = answered && keyFor(answered);
    if (!key) return;
    const { usage, cost } = priceCall(run);
    const { brokle: _own, ...rest } = completion;
    const answer = { completion: { usage: wireUsage(usage), ...rest }, cost_pico_usd: cost.pico_usd };
    await ports.afterAnswer(cache.keep(project_id, key, answer, settings.cache.ttl_seconds));
  };

  return {
    async find() {
      const [first] = plan.attempts;
      const key = first && !wishes.has('no-cache') ? keyFor(first) : undefined;
      return key === undefined ? undefined : cache.find(project_id, key);
    },
    keep,
    keepStream: (stream) => ({ ...stream, frames: kept(stream.frames, keep) }),
  };
}

/** The frames as they are. When they have ended well, the answer is kept. */
async function* kept(
  frames: AsyncIterable<readonly StreamFrame[]>,
  keep: (completion: ChatCompletion) => Promise<void>,
): AsyncGenerator<readonly StreamFrame[], void, undefined> {
  const fold = createChunkFold();
  for await (const batch of frames) {
    for (const frame of batch) if (frame.kind === 'chunk') fold.add(frame.chunk);
    yield batch;
    if (!batch.some(({ kind }) => kind === 'done')) continue;
    const completion = fold.completion();
    if (completion) await keep(completion);
  }
}
