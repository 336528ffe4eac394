import { gunzipSync, gzipSync } from 'node:zlib';
import * as z from 'zod';
import type { Clock } from '../platform/clock.ts';
import { ConditionFailed, type Database } from '../platform/database/database.ts';
import { readInKeyOrder } from '../platform/database/key-order.ts';
import { ACTIVE } from './agents/agent-rules.ts';
import { agentListPks, FLEET_SUMMARY_KEY, fleetTable, STACK_LIST_PK } from './fleet-table.ts';

/** A metric with more series than this helps nobody. */
const HEARTBEAT_SERIES = 1_000;
/** The whole fleet is read at most this often, however many instances are asked for it. */
const REFRESH_MS = 30_000;

const FleetSummary = z.object({
  active_agents: z.int(),
  stacks: z.int(),
  deployment_objects: z.int(),
  /** The agents that have been silent for longest. */
  heartbeats: z.array(z.object({ agent_id: z.string(), agent_name: z.string(), at: z.number() })),
});
export type FleetSummary = z.infer<typeof FleetSummary>;

const table = fleetTable.name;
interface SummaryPorts {
  database: Database;
  clock: Clock;
}

/**
 * Returns the fleet in figures, from one stored item. The first caller who finds the item older than half a minute reads the fleet and
 * stores it again; other callers get the older figures meanwhile. Undefined until the fleet was read for the first time.
 */
export async function fleetSummary(ports: SummaryPorts): Promise<FleetSummary | undefined> {
  const item = await ports.database.get(table, FLEET_SUMMARY_KEY);
  const stored = item && StoredSummary.parse(item);
  const due = stored?.read_at === undefined || ports.clock.nowMs() - stored.read_at >= REFRESH_MS;
  if (due && (await takeTurn(ports))) return refreshSummary(ports);
  return stored?.body && FleetSummary.parse(JSON.parse(gunzipSync(stored.body).toString()));
}

const StoredSummary = z.object({ read_at: z.number().optional(), body: z.instanceof(Uint8Array).optional() });

/** True for one caller in each interval. If this caller crashes, the figures stay as they are for one interval. */
async function takeTurn({ database, clock }: SummaryPorts): Promise<boolean> {
  const now = clock.nowMs();
  try {
    await database.write({
      table,
      update: FLEET_SUMMARY_KEY,
      set: { type: 'fleet-summary', turn_until: now + REFRESH_MS },
      if: { below: { turn_until: now + 1 } },
    });
    return true;
  } catch (error) {
    if (!(error instanceof ConditionFailed)) throw error;
    return false;
  }
}

async function refreshSummary({ database, clock }: SummaryPorts): Promise<FleetSummary> {
  const summary = await readFleet(database);
  const body = gzipSync(JSON.stringify(summary));
  await database.write({ table, update: FLEET_SUMMARY_KEY, set: { read_at: clock.nowMs(), body } });
  return summary;
}

async function readFleet(database: Database): Promise<FleetSummary> {
  const summary: FleetSummary = { active_agents: 0, stacks: 0, deployment_objects: 0, heartbeats: [] };
  for await (const batch of readInKeyOrder(database, table, { pks: agentListPks, fields: ['status', 'name', 'last_heartbeat'] })) {
    for (const { item } of batch) {
      if (item.status === ACTIVE) summary.active_agents += 1;
      if (typeof item.last_heartbeat !== 'string') continue;
      summary.heartbeats.push({ agent_id: item.sk, agent_name: String(item.name), at: Date.parse(item.last_heartbeat) });
    }
  }
  for await (const batch of readInKeyOrder(database, table, { pks: [STACK_LIST_PK], fields: ['object_count'] })) {
    summary.stacks += batch.length;
    for (const { item } of batch) summary.deployment_objects += Number(item.object_count ?? 0);
  }
  summary.heartbeats = summary.heartbeats.sort((a, b) => a.at - b.at).slice(0, HEARTBEAT_SERIES);
  return summary;
}
