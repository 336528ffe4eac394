import { type CacheQuestion, cacheKey } from '../cache/cache-key.ts';
import { type CachedAnswer, isComplete } from '../cache/cached-answer.ts';
import { createChunkFold } from '../cache/fold-chunks.ts';
import { similarQuestion } from '../cache/similar-question.ts';
import { wireUsage } from '../pricing/wire-usage.ts';
import type { Candidate } from '../routing/plan-types.ts';
import type { ChatCompletion } from '../wire/chat.ts';
import { priceCall } from './call/price-call.ts';
import type { IncomingChat, RunningCall } from './call/running-call.ts';
import { embedQuestion } from './embed-question.ts';
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
  const questionFor = ({ provider, target }: Candidate): CacheQuestion => ({
    project_id,
    operation,
    provider_id: provider.provider_id,
    model: target.model,
    request: told,
  });
  const similar = strategy === 'semantic' && !native ? similarUse(run) : undefined;

  const keep = async (completion: ChatCompletion): Promise<void> => {
    const answered = journal.answered?.candidate;
    const key = answered && cacheKey(questionFor(answered));
    if (!key) return;
    const { usage, cost } = priceCall(run);
    const { brokle: _own, ...rest } = completion;
    const answer = { completion: { usage: wireUsage(usage), ...rest }, cost_pico_usd: cost.pico_usd };
    const keeping = async () => {
      await cache.keep(project_id, key, answer, settings.cache.ttl_seconds);
      if (isComplete(completion)) await similar?.keep(questionFor(answered), key);
    };
    await ports.afterAnswer(keeping());
  };

  return {
    async find() {
      const [first] = plan.attempts;
      const key = first && !wishes.has('no-cache') ? cacheKey(questionFor(first)) : undefined;
      if (!first || key === undefined) return undefined;
      const equal = await cache.find(project_id, key);
      if (equal) return equal;
      const like = await similar?.find(questionFor(first));
      return like === undefined ? undefined : cache.find(project_id, like);
    },
    keep,
    keepStream: (stream) => ({ ...stream, frames: kept(stream.frames, keep) }),
  };
}

/** Similar questions as one call uses them. The question is embedded once, and only if it may be compared at all. */
function similarUse(run: RunningCall<IncomingChat>) {
  const { ports, call, settings, journal } = run;
  const { similarAnswers } = ports;
  const { embedding_model, similarity_threshold, ttl_seconds } = settings.cache;
  if (!similarAnswers || embedding_model === null) {
    journal.warnings.add('the semantic cache needs an embedding model in the settings of the project; only equal questions are found');
    return undefined;
  }
  const { project_id } = call.principal;
  const threshold = call.options.cache_similarity_threshold ?? similarity_threshold;
  const endUser = call.options.user_id;
  let embedding: Promise<number[] | undefined> | undefined;
  const embed = (text: string) => {
    embedding ??= embedQuestion(run, embedding_model, text);
    return embedding;
  };
  return {
    async find(question: CacheQuestion): Promise<string | undefined> {
      const asked = similarQuestion(question, endUser);
      const vector = asked && (await embed(asked.text));
      return vector && similarAnswers.find(project_id, asked.fingerprint, vector, threshold);
    },
    async keep(question: CacheQuestion, answerKey: string): Promise<void> {
      const asked = similarQuestion(question, endUser);
      const vector = asked && (await embed(asked.text));
      if (vector) await similarAnswers.keep(project_id, asked.fingerprint, vector, answerKey, ttl_seconds);
    },
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
