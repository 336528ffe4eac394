import { costOf } from '../../pricing/cost.ts';
import { normalUsage } from '../../pricing/normal-usage.ts';
import type { Cost } from '../../pricing/prices.ts';
import { NO_USAGE, type Usage } from '../../pricing/usage.ts';
import type { AttemptNote } from './call-journal.ts';
import type { RunningCall } from './running-call.ts';

export interface CallPrice {
  usage: Usage;
  cost: Cost;
  /** Where the prices come from; null if nothing was priced. */
  source: string | null;
}

/** The usage and the cost of a call up to now: the sum of its attempts, failed ones that had made tokens included. */
export function priceCall(run: RunningCall): CallPrice {
  let total: CallPrice = { usage: NO_USAGE, cost: { pico_usd: 0n, by_class: {}, estimated: false }, source: null };
  for (const note of run.journal.attempts) {
    const price = priceAttempt(run, note);
    if (price) total = total.source === null ? price : sumOf(total, price);
  }
  return total;
}

/** Undefined for an attempt that has cost nothing: the provider refused it, or failed before it had made anything. */
function priceAttempt({ promptTokens, journal, call }: RunningCall, note: AttemptNote): CallPrice | undefined {
  const { candidate, reported, producedTokens, health, endMs } = note;
  const answered = note === journal.answered;
  // The prompt of an answer that the caller has not waited for was read by the provider. The loser of a hedge is charged for what it made.
  const leftByCaller = call.signal.aborted && (endMs === null || health === 'ignored');
  if (!answered && !reported && producedTokens === 0 && !leftByCaller) return undefined;
  const estimate = { prompt_tokens: promptTokens, completion_tokens: producedTokens };
  const incomplete = endMs === null ? call.signal.aborted : health !== 'success';
  const usage = normalUsage(reported, estimate, { incomplete });
  const cost = costOf(usage, candidate.prices?.prices, { service_tier: reported?.service_tier });
  note.cost = cost;
  return { usage, cost, source: candidate.prices?.source ?? 'unknown' };
}

function sumOf(one: CallPrice, other: CallPrice): CallPrice {
  const usage: Usage = { ...one.usage };
  for (const name of COUNTS) usage[name] += other.usage[name];
  usage.estimated ||= other.usage.estimated;
  usage.anomaly ||= other.usage.anomaly;
  const by_class = { ...one.cost.by_class };
  for (const [name, pico] of entriesOf(other.cost)) by_class[name] = (by_class[name] ?? 0n) + pico;
  const cost = { pico_usd: one.cost.pico_usd + other.cost.pico_usd, by_class, estimated: one.cost.estimated || other.cost.estimated };
  return { usage, cost, source: other.source };
}

type CostClass = keyof Cost['by_class'];
const entriesOf = ({ by_class }: Cost): [CostClass, bigint][] => Object.entries(by_class) as [CostClass, bigint][];

const COUNTS = [
  'input',
  'cached_input',
  'cache_write_5m',
  'cache_write_1h',
  'image_input',
  'audio_input',
  'video_input',
  'output',
  'reasoning',
  'image_output',
  'audio_output',
  'prompt_tokens',
  'completion_tokens',
  'web_searches',
  'audio_seconds',
] as const satisfies readonly (keyof Usage)[];
