import { usdOf } from '../../pricing/pico-usd.ts';
import type { CallEnd } from './call-end.ts';
import { callRecordOf } from './call-record-of.ts';
import { sealedPayload } from './capture.ts';
import { priceCall } from './price-call.ts';
import type { RunningCall } from './running-call.ts';

/**
 * Ends a call, whichever way it went: its reservation is settled, and its record leaves. May be called more than once; the first call
 * counts. Resolves when another call may begin; where the process may be frozen after the answer, when everything is stored.
 */
export async function settleCall(run: RunningCall, end: CallEnd): Promise<void> {
  const { ports, call, journal, reservation } = run;
  if (journal.settled) return;
  journal.settled = true;
  for (const note of journal.attempts) journal.end(note, { status: end.status_code, error: end.error ?? undefined, health: 'ignored' });
  const price = priceCall(run);
  const record = callRecordOf(run, price, end, await sealedPayload(run));
  const { answered } = journal;
  Object.assign(call.noted, {
    call: end.outcome,
    model: record.requested_model,
    provider: answered?.candidate.provider.provider_id ?? null,
    attempts: record.attempts.length,
    tokens: price.usage.prompt_tokens + price.usage.completion_tokens,
    cost_usd: usdOf(price.cost.pico_usd),
    ...(end.error !== null && { call_error: end.error }),
  });
  const { prompt_tokens, completion_tokens } = price.usage;
  await Promise.all([
    reservation && ports.afterAnswer(reservation.settle({ cost_pico_usd: price.cost.pico_usd, tokens: prompt_tokens + completion_tokens })),
    ports.records.add(record),
  ]);
}
