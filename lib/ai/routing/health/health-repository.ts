import * as z from 'zod';
import { type Database, type Item, queryAll, type Write } from '../../../platform/database/database.ts';
import { expiresAt } from '../../../platform/database/table.ts';
import { CONFIGURATION_LIMIT, gatewayTable, healthKey, healthPk } from '../../gateway-table.ts';
import { CLOSED } from './circuit.ts';
import { type Counts, noCounts } from './health-stats.ts';
import { newState, type ProviderState } from './provider-state.ts';

const table = gatewayTable.name;
/** A provider that nobody used for so long is forgotten. */
const KEPT_DAYS = 2;

const Time = z.number().nullable();
/** Counts are texts, because a window has thirty of them and each write is charged by its size. */
const Packed = z.record(z.string(), z.string());
const StoredHealth = z.object({
  version: z.int(),
  buckets: Packed,
  hours: Packed,
  circuit: z.object({
    state: z.enum(['closed', 'open']),
    cause: z.enum(['failures', 'credentials', 'exhausted_account']).nullable(),
    opened_at_ms: Time,
    retry_at_ms: Time,
    consecutive_failures: z.int(),
    trips: z.int(),
    probe_until_ms: Time,
    closed_at_ms: Time,
  }),
  last_error: z.object({ type: z.string(), message: z.string(), at_ms: z.number() }).nullable(),
  last_sample_ms: Time,
});

/** `n failures rate_limited latency_sum class:count …` */
export const packCounts = ({ n, failures, rate_limited, latency_sum_ms, latencies }: Counts): string =>
  [n, failures, rate_limited, Math.round(latency_sum_ms), ...Object.entries(latencies).map((entry) => entry.join(':'))].join(' ');

export function unpackCounts(text: string): Counts {
  const [n, failures, rate_limited, latency_sum_ms, ...classes] = text.split(' ');
  const counts = noCounts();
  for (const [index, count] of classes.map((entry) => entry.split(':'))) counts.latencies[Number(index)] = Number(count);
  return Object.assign(counts, {
    n: Number(n),
    failures: Number(failures),
    rate_limited: Number(rate_limited),
    latency_sum_ms: Number(latency_sum_ms),
  });
}

const packAll = (all: ReadonlyMap<number, Counts>) => Object.fromEntries([...all].map(([start, counts]) => [start, packCounts(counts)]));
const unpackAll = (all: Readonly<Record<string, string>>) =>
  new Map(Object.entries(all).map(([start, text]) => [Number(start), unpackCounts(text)]));

/** Stores the state on the condition that nobody stored another one since this one was read. */
export const healthWrite = (organizationId: string, providerId: string, state: ProviderState, nowMs: number): Write => ({
  table,
  put: {
    ...healthKey(organizationId, providerId),
    type: 'health',
    version: state.version + 1,
    buckets: packAll(state.stats.buckets),
    hours: packAll(state.stats.hours),
    circuit: state.circuit,
    last_error: state.last_error,
    last_sample_ms: state.last_sample_ms,
    expires_at: expiresAt(nowMs, KEPT_DAYS),
  },
  if: state.version === 0 ? { exists: false } : { equals: { version: state.version } },
});

/** Begins a provider's health anew, because its key or its address is new. */
export const healthResetWrite = (organizationId: string, providerId: string, nowMs: number): Write => ({
  table,
  update: healthKey(organizationId, providerId),
  set: {
    type: 'health',
    buckets: {},
    hours: {},
    circuit: CLOSED,
    last_error: null,
    last_sample_ms: null,
    expires_at: expiresAt(nowMs, KEPT_DAYS),
  },
  add: { version: 1 },
});

/** An item that can't be read is written anew: health is learned again within minutes. */
function stateOf(item: Item): ProviderState {
  const result = StoredHealth.safeParse(item);
  if (!result.success) return { ...newState(), version: typeof item.version === 'number' ? item.version : 0 };
  const { buckets, hours, ...rest } = result.data;
  return { ...rest, stats: { buckets: unpackAll(buckets), hours: unpackAll(hours) } };
}

export async function findHealth(database: Database, organizationId: string, providerId: string): Promise<ProviderState | undefined> {
  const found = await database.get(table, healthKey(organizationId, providerId));
  return found && stateOf(found);
}

/** The health of all providers of an organization, by the provider's id. */
export async function listHealth(database: Database, organizationId: string): Promise<Map<string, ProviderState>> {
  const items = await queryAll(database, table, { pk: healthPk(organizationId), limit: CONFIGURATION_LIMIT });
  return new Map(items.map((item) => [item.sk, stateOf(item)]));
}
