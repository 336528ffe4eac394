import { answerChat } from '../../lib/ai/completion/answer-chat.ts';
import { createProviderMemory } from '../../lib/ai/completion/attempts/provider-memory.ts';
import type { IncomingChat } from '../../lib/ai/completion/call/running-call.ts';
import type { ChatAnswer } from '../../lib/ai/completion/chat-answer.ts';
import type { GatewayPorts } from '../../lib/ai/completion/gateway-ports.ts';
import type { ChatStream } from '../../lib/ai/completion/stream-chat.ts';
import type { StreamFrame } from '../../lib/ai/completion/stream-frame.ts';
import { adapterFor } from '../../lib/ai/providers/adapters.ts';
import type { CallRecord } from '../../lib/ai/records/call-record.ts';
import type { Candidate, RoutingPlan } from '../../lib/ai/routing/plan-types.ts';
import type { ProjectSettings, ProviderModel, UsableProvider } from '../../lib/ai/routing/project-settings.ts';
import type { BrokleOptions } from '../../lib/ai/wire/brokle-options.ts';
import type { ProjectKeyPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import type { Clock } from '../../lib/platform/clock.ts';
import { systemClock } from '../../lib/platform/clock.ts';
import { RequestAbandoned } from '../../lib/platform/http/request-facts.ts';
import { silentLog } from '../../lib/platform/log.ts';
import { createOutgoingClient } from '../../lib/platform/outgoing/outgoing-client.ts';

export interface WorldProvider {
  url: string;
  id?: string;
  model?: Partial<ProviderModel>;
  more?: Partial<UsableProvider>;
}

export interface GatewayWorld {
  ports: GatewayPorts;
  records: CallRecord[];
  settled: { cost_pico_usd: bigint; tokens: number }[];
  settings: ProjectSettings;
  /** Answers one chat with the pipeline. */
  chat(request?: Record<string, unknown>, more?: Partial<IncomingChat>): Promise<ChatAnswer | ChatStream>;
  close(): Promise<void>;
}

export const PRICES = { input: 1, output: 2 };
const principal: ProjectKeyPrincipal = {
  type: 'project-key',
  key_id: 'key',
  key_name: 'k',
  project_id: 'project',
  organization_id: 'org',
  plan: 'free',
  scopes: [],
  requests_per_minute: 100,
  tokens_per_minute: null,
  expires_at_ms: null,
};

/** Waits between attempts are over at once; all other time is real. */
const impatient: Clock = { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms < 5_000 && ms !== 2_000 ? 0 : ms, signal) };

/** The pipeline over real upstreams, asked in the order of this list. Everything around it is the smallest thing that works. */
export function gatewayWorld(providers: readonly WorldProvider[], given: Partial<ProjectSettings> & { clock?: Clock } = {}): GatewayWorld {
  const { clock = impatient, ...changes } = given;
  const outgoing = createOutgoingClient({ allowPrivate: true });
  const records: CallRecord[] = [];
  const settled: GatewayWorld['settled'] = [];
  const usable = providers.map(
    ({ url, id = 'openai', model, more }, index): UsableProvider => ({
      provider_id: index === 0 ? id : `${id}-${index + 1}`,
      type: 'openai-compatible',
      base_url: url,
      api_key: 'sk-upstream',
      name: id,
      enabled: true,
      priority: 0,
      weight: 1,
      timeout_seconds: 5,
      max_retries: 2,
      models: [{ id: 'm', prices: PRICES, ...model }],
      ...more,
    }),
  );
  const settings: ProjectSettings = {
    organization_id: 'org',
    project_id: 'project',
    plan: 'free',
    requests_per_minute: 100,
    active: true,
    providers: usable,
    groups: [],
    policy: { priority: 'balanced' },
    prices: [],
    budgets: [],
    cache: { strategy: 'disabled', ttl_seconds: 60, similarity_threshold: 0.9, embedding_model: null },
    capture: 'none',
    redact: [],
    ...changes,
  };
  const ports: GatewayPorts = {
    clock,
    log: silentLog,
    random: () => 0.5,
    send: (_target, request) => outgoing.send(request),
    adapterFor,
    settingsOf: async () => settings,
    healthOf: () => new Map(),
    plan: (request) => planInOrder(request.model, settings),
    reserve: async () => ({ settle: async (actual) => void settled.push(actual) }),
    records: {
      add: async (record) => void records.push(record),
      flush: async () => {},
      state: () => ({ status: 'ok', waiting: 0, waiting_bytes: 0 }),
    },
    memory: createProviderMemory(clock),
    seal: async (text, associated) => `${associated}|${text}`,
    afterAnswer: (work) => work.then(() => {}),
  };
  return {
    ports,
    records,
    settled,
    settings,
    chat: (request = {}, more = {}) =>
      answerChat(ports, {
        request_id: 'req_1',
        operation: 'chat',
        principal,
        options: {} as BrokleOptions,
        forwarded: {},
        signal: new AbortController().signal,
        client_retries: 0,
        log: silentLog,
        noted: {},
        request: { model: 'm', messages: [{ role: 'user', content: 'hi' }], ...request },
        ...more,
      }),
    close: () => outgoing.close(),
  };
}

function planInOrder(model: string, { providers, policy }: ProjectSettings): RoutingPlan {
  const attempts = providers.flatMap((provider) =>
    provider.models.map(
      (one): Candidate => ({
        target: { ...provider, model: one.id, features: one.features },
        provider,
        model: one,
        prices: one.prices && { prices: one.prices, source: 'provider' },
        estimated_cost_pico_usd: null,
        estimated_latency_ms: null,
        features: { cost: 1, latency: 1, quality: 1, health: 1 },
        score: 1,
        priority: 0,
      }),
    ),
  );
  return {
    decision_id: 'rd_1',
    requested_model: model,
    priority: 'balanced',
    reason: 'in order',
    candidates: attempts,
    attempts,
    hedge_after_ms: policy.hedge_after_ms,
  };
}

export interface ReadStream {
  frames: StreamFrame[];
  /** The joined text of all choices. */
  text: string;
  // biome-ignore lint/suspicious/noExplicitAny: a test's assertions say which members it expects
  brokle: any;
  failure: string | undefined;
  done: boolean;
}

/** Reads a stream to its end, as a front does. */
export async function readAll(answer: ChatAnswer | ChatStream): Promise<ReadStream> {
  if (answer.kind !== 'stream') throw new Error('not a stream');
  const frames: StreamFrame[] = [];
  for await (const batch of answer.frames) frames.push(...batch);
  await answer.onEnd({ outcome: 'complete', bytes: 0 });
  const chunks = frames.flatMap((frame) =>
    frame.kind === 'chunk' ? [frame.text === undefined ? frame.chunk : JSON.parse(frame.text)] : [],
  );
  const failure = frames.flatMap((frame) => (frame.kind === 'failure' ? [frame.error.code] : []))[0];
  return {
    frames,
    text: chunks
      .map(({ choices }) => choices.map((choice: { delta?: { content?: string } }) => choice.delta?.content ?? '').join(''))
      .join(''),
    brokle: chunks.findLast((one) => one.brokle)?.brokle,
    failure,
    done: frames.at(-1)?.kind === 'done',
  };
}

/** A caller who leaves when the test says so. */
export function leavingCaller(): { signal: AbortSignal; leave(): void } {
  const gone = new AbortController();
  return { signal: gone.signal, leave: () => gone.abort(new RequestAbandoned('client_closed')) };
}
