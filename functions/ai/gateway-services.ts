import { createAnswerCache } from '../../lib/ai/cache/answer-cache.ts';
import { createSimilarAnswers } from '../../lib/ai/cache/similar-answers.ts';
import { type AfterAnswer, createAfterAnswer } from '../../lib/ai/completion/after-answer.ts';
import { createProviderMemory } from '../../lib/ai/completion/attempts/provider-memory.ts';
import type { GatewayPorts } from '../../lib/ai/completion/gateway-ports.ts';
import { limitHeaders, openAiLimitHeaders } from '../../lib/ai/limits/limit-headers.ts';
import type { LimitState } from '../../lib/ai/limits/limits.ts';
import { createRateLimits, MONTHS, rateLimitOf } from '../../lib/ai/limits/rate-limits.ts';
import { createReservations } from '../../lib/ai/limits/reservations.ts';
import { adapterFor } from '../../lib/ai/providers/adapters.ts';
import { simulatedSend } from '../../lib/ai/providers/simulated/simulated-provider.ts';
import { createRecordOutbox, type RecordOutbox } from '../../lib/ai/records/record-outbox.ts';
import { createRefusedCallRecords, type RefusedCall } from '../../lib/ai/records/refused-call-record.ts';
import type { ModelCatalogue } from '../../lib/ai/routing/catalogue/model-catalogue.ts';
import type { ProjectKeyPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { planOf } from '../../lib/identity/accounts/plans.ts';
import type { RequestFacts } from '../../lib/platform/http/request-facts.ts';
import { randomFraction } from '../../lib/platform/ids.ts';
import { messageQueues } from '../message-queues.ts';
import { outgoing } from '../outgoing.ts';
import { oncePerRuntime, type Runtime } from '../runtime.ts';
import { secrets } from '../secrets.ts';
import { store } from '../store.ts';
import { planner, projectSettings, providerHealth } from './routing-parts.ts';

/** Everything that the functions of inference work with. Neither the fleet nor the dashboard is in it. */
export interface GatewayServices {
  ports: GatewayPorts;
  catalogue: ModelCatalogue;
  /** Counts a request of this key, and notes what remains in the headers of its answer. */
  limit(request: RequestFacts, principal: ProjectKeyPrincipal): Promise<void>;
  /** Records a refusal, unless there are too many, or the records of other calls wait already. */
  noteRefused(call: RefusedCall): Promise<void>;
}

/** Counting tokens costs nothing, so it doesn't use up the key's limit for calls. It has one of its own, of the same size. */
const COUNTS_TOKENS = '/v1/messages/count_tokens';

/** This process's services of inference, made at the first call. */
export const gatewayServices = oncePerRuntime(compose);

/** Where the process may be frozen after an answer, nothing may be left to do then. */
const afterAnswers = oncePerRuntime(({ log, keepsRunning = false }): AfterAnswer => createAfterAnswer({ background: keepsRunning, log }));

/** The records of this process's calls on their way to the queue. */
export const recordOutbox = oncePerRuntime((runtime): RecordOutbox => {
  const { clock, log, keepsRunning = false } = runtime;
  const outbox = createRecordOutbox({ queues: messageQueues(runtime).queues, clock, log, ...(keepsRunning ? {} : { gatherMs: 0 }) });
  // Probes and metrics ask the runtime, so that they load nothing of the gateway.
  runtime.waitingRecords = outbox.state;
  return outbox;
});

/** Settles and sends everything that this process still has of its calls. It gives up when the signal is aborted. */
export async function finishCalls(runtime: Runtime, giveUp: AbortSignal): Promise<void> {
  await afterAnswers(runtime).drain();
  await recordOutbox(runtime).flush(giveUp);
  await providerHealth(runtime).close();
  messageQueues(runtime).close();
}

async function compose(runtime: Runtime): Promise<GatewayServices> {
  const { clock, log, keepsRunning = false } = runtime;
  const { database } = store(runtime);
  const client = outgoing(runtime);
  const { plan, catalogue } = await planner(runtime);
  const health = providerHealth(runtime);
  const limits = createRateLimits({ database, clock, log });
  const months = createRateLimits({ database, clock, log }, MONTHS);
  const records = recordOutbox(runtime);
  const refusedRecord = createRefusedCallRecords(clock);
  const ports: GatewayPorts = {
    clock,
    log,
    random: randomFraction,
    send: (target, request) =>
      target.type === 'simulated' ? simulatedSend(clock, { ...request, body: String(request.body) }) : client.send(request),
    adapterFor,
    settingsOf: projectSettings(runtime).settingsOf,
    healthOf: health.healthOf,
    plan(request, settings, known, random) {
      const made = plan(request, settings, known, random);
      health.planned(settings.organization_id, made);
      return made;
    },
    reserve: createReservations({ database, clock, log }),
    cache: createAnswerCache({ database, clock, log }),
    similarAnswers: createSimilarAnswers({ database, clock, log }),
    records: {
      ...records,
      async add(record) {
        await records.add(record);
        if (!keepsRunning) await health.flushIfDue();
      },
    },
    memory: createProviderMemory(clock),
    seal: (text, associated) => secrets(runtime).seal(text, associated),
    afterAnswer: afterAnswers(runtime).add,
    observe: health.observe,
  };
  return {
    ports,
    catalogue,
    async noteRefused(call) {
      const record = records.state().status === 'ok' ? refusedRecord(call) : undefined;
      if (record) await records.add(record);
    },
    async limit(request, principal) {
      const { key_id, requests_per_minute } = principal;
      const countsTokens = request.path === COUNTS_TOKENS;
      const note = (state: LimitState) =>
        Object.assign(request.answerHeaders, limitHeaders(state), openAiLimitHeaders('requests', state, clock.nowMs()));
      try {
        // What costs money is refused while nobody can count it.
        note(
          await limits.admit(`${countsTokens ? 'count' : 'key'}:${key_id}`, requests_per_minute, {
            withoutStore: request.method === 'GET' ? 'open' : 'closed',
          }),
        );
        const monthly = planOf(principal.plan).requests_per_month;
        const asks = request.method === 'POST' && !countsTokens;
        if (asks && monthly !== null) await months.admit(`month:${principal.organization_id}`, monthly, { withoutStore: 'closed' });
      } catch (error) {
        const state = rateLimitOf(error);
        if (state) note(state);
        throw error;
      }
    },
  };
}
