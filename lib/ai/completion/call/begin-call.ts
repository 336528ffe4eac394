import { AppError } from '../../../platform/errors.ts';
import { picoUsdOf, usdOf } from '../../pricing/pico-usd.ts';
import { largest, type UpperCostOptions, upperCostOf } from '../../pricing/upper-cost.ts';
import type { RoutingPlan } from '../../routing/plan-types.ts';
import type { Priority } from '../../routing/project-settings.ts';
import { requestError } from '../../wire/request-error.ts';
import { noProvider } from '../attempts/attempt-failure.ts';
import type { GatewayPorts } from '../gateway-ports.ts';
import { type AttemptNote, type CallJournal, openJournal } from './call-journal.ts';
import { keepRequest } from './capture.ts';
import { type IncomingCall, type RunningCall, throwIfGone } from './running-call.ts';

/** The longest time of a call with all its attempts, if the project says nothing else. OpenAI's clients give up after ten minutes. */
const TOTAL_MS = 600_000;
/** A reservation returns by itself this long after the call must be over: enough for clocks that differ, and for a late settling. */
const LEASE_MARGIN_MS = 60_000;
/** The output that is reserved for if the caller names no limit. Providers are told it then. */
export const DEFAULT_OUTPUT_TOKENS = 4_096;

export interface CallWishes {
  model: string;
  /** An estimate, for planning. */
  promptTokens: number;
  /** The most tokens that the prompt may have. Asked only if something is reserved. */
  mostPromptTokens(): number;
  /** The caller's limit; undefined if the caller sets none. */
  outputTokens: number | undefined;
  /** How many answers are wanted. */
  choices: number;
  features: readonly string[];
  streamed: boolean;
  /** What of the request makes it dearer than plain text. Asked only if something is reserved. */
  costHints?: () => Pick<UpperCostOptions, 'service_tier' | 'long_cache' | 'media'>;
}

/** A call that has arrived, with nothing decided yet. */
export async function beginCall<Call extends IncomingCall>(
  ports: GatewayPorts,
  call: Call,
  wishes: CallWishes,
): Promise<RunningCall<Call>> {
  const { organization_id, project_id } = call.principal;
  const journal = openJournal(ports.clock, (note) =>
    ports.observe?.({
      organization_id,
      provider_id: note.candidate.provider.provider_id,
      result: note.health,
      latency_ms: waitedMs(journal, note),
      begun_ms: note.startedAtMs,
      at_ms: ports.clock.nowMs(),
      error: note.error,
    }),
  );
  journal.streamed = wishes.streamed;
  const settings = await ports.settingsOf(project_id);
  const totalMs = settings.policy.timeout_seconds === undefined ? TOTAL_MS : settings.policy.timeout_seconds * 1_000;
  const priority = call.options.routing_strategy ?? settings.policy.priority;
  const plan = unplanned(wishes.model, priority);
  if (settings.capture === 'full') keepRequest(journal, call);
  return {
    ports,
    call,
    settings,
    plan,
    journal,
    reservation: undefined,
    promptTokens: wishes.promptTokens,
    deadlineMs: journal.startMs + totalMs,
  };
}

/** How long the caller waited for an attempt: a stream answers with its first content, everything else at its end. */
function waitedMs({ streamed, answered, firstContentMs }: CallJournal, note: AttemptNote): number {
  const untilMs = streamed && answered === note ? firstContentMs : note.endMs;
  return (untilMs ?? note.startMs) - note.startMs;
}

const unplanned = (model: string, priority: Priority): RoutingPlan => ({
  decision_id: '',
  requested_model: model,
  priority,
  reason: '',
  candidates: [],
  attempts: [],
});

/** Decides who is asked. Nothing has been sent yet, and nothing is reserved. */
export async function planCall(run: RunningCall, wishes: CallWishes): Promise<void> {
  const { ports, call, settings } = run;
  const { organization_id } = call.principal;
  if (!settings.active) throw new AppError('forbidden', 'The project is paused.', { code: 'project_inactive' });
  throwIfGone(call);
  const outputTokens = wishes.outputTokens ?? DEFAULT_OUTPUT_TOKENS;
  run.plan = ports.plan(
    {
      model: wishes.model,
      prompt_tokens: wishes.promptTokens,
      max_output_tokens: outputTokens,
      priority: call.options.routing_strategy,
      required_features: wishes.features,
      exclude_providers: [],
      fallbacks: call.options.fallbacks ?? [],
    },
    settings,
    ports.healthOf(organization_id),
    ports.random,
  );
  limitCost(run, wishes.choices);
  if (run.plan.attempts.length === 0) throw noProvider(wishes.model, run.plan.reason);
}

/** Reserves what the call may cost at most in everything that limits it. */
export async function reserveCall(run: RunningCall, wishes: CallWishes): Promise<void> {
  const { ports, call, settings } = run;
  const { organization_id, project_id, key_id } = call.principal;
  const outputTokens = wishes.outputTokens ?? DEFAULT_OUTPUT_TOKENS;
  const budgets = settings.budgets.filter(
    ({ scope, scope_id }) => scope_id === { organization: organization_id, project: project_id, api_key: key_id }[scope],
  );
  const limitsTokens = call.principal.tokens_per_minute !== null;
  if (budgets.length === 0 && !limitsTokens) return;
  const prompt_tokens = Math.max(wishes.promptTokens, wishes.mostPromptTokens());
  run.reservation = await ports.reserve(
    {
      request_id: call.request_id,
      cost_pico_usd: dearest(run, {
        prompt_tokens,
        output_tokens: outputTokens * wishes.choices,
        ...wishes.costHints?.(),
      }),
      tokens: prompt_tokens + outputTokens * wishes.choices,
      lease_ms: run.deadlineMs - run.journal.startMs + LEASE_MARGIN_MS,
    },
    budgets,
    call.principal,
  );
}

/** The most that an attempt of the plan may cost. */
const dearest = ({ plan }: RunningCall, options: UpperCostOptions): bigint =>
  largest(plan.attempts.map(({ prices }) => upperCostOf(prices?.prices, options)));

/** Leaves out the candidates that may cost more than the caller wants to pay. */
function limitCost(run: RunningCall, choices: number): void {
  const { max_cost_usd } = run.call.options;
  if (max_cost_usd === undefined) return;
  const most = picoUsdOf(max_cost_usd);
  const affordable = run.plan.attempts.filter(({ estimated_cost_pico_usd: cost }) => cost === null || cost * BigInt(choices) <= most);
  if (affordable.length === 0 && run.plan.attempts.length > 0) {
    const cheapest = run.plan.attempts.reduce(
      (least, { estimated_cost_pico_usd: cost }) => (cost !== null && (least === null || cost < least) ? cost : least),
      null as bigint | null,
    );
    const needed = cheapest === null ? '' : ` The cheapest one may cost ${usdOf(cheapest * BigInt(choices))} USD.`;
    throw requestError('brokle.max_cost_usd', `No provider can surely answer for ${max_cost_usd} USD.${needed}`, 'max_cost_exceeded');
  }
  run.plan = { ...run.plan, attempts: affordable };
}
