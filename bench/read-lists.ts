import { startHost } from '../infra/host/start-host.ts';
import { agentKey, fleetTable } from '../lib/fleet/fleet-table.ts';
import { auditKey, telemetryTable } from '../lib/identity/telemetry-table.ts';
import { Config } from '../lib/platform/config.ts';
import type { Item } from '../lib/platform/database/database.ts';
import { newId } from '../lib/platform/ids.ts';
import { createLog } from '../lib/platform/log.ts';
import { benchClient, inParallel } from './bench-client.ts';
import { createBenchGenerator, createBenchStacks } from './bench-fleet.ts';
import type { BenchTable } from './statistics.ts';

const READS = 20;
const AUDIT_ENTRIES = 10_000;
const AGENTS = 1_000;

/** Measures the time of reading a list, and how long that holds the event loop. */
export async function readLists(): Promise<BenchTable> {
  const host = await startHost({ config: Config.parse({}), log: createLog({ level: 'error' }), functions: { scheduleGroups: [] } });
  const client = benchClient(host.url, host.adminPak ?? '');
  const seed = (table: string, items: readonly Item[]) =>
    inParallel(Math.ceil(items.length / 100), 4, (n) =>
      host.app.services.database.transact(items.slice(n * 100, (n + 1) * 100).map((put) => ({ table, put }))),
    );
  try {
    await createBenchStacks(client, await createBenchGenerator(client), 1);
    await seed(fleetTable.name, Array.from({ length: AGENTS }, agentItem));
    await seed(telemetryTable.name, Array.from({ length: AUDIT_ENTRIES }, auditItem));
    const lists = [
      ['stacks: 1', '/api/v1/stacks'],
      [`agents: ${AGENTS}`, '/api/v1/agents'],
      [`audit: newest 100 of ${AUDIT_ENTRIES}`, '/api/v1/admin/audit-logs'],
      [`audit: search ${AUDIT_ENTRIES} without a match`, '/api/v1/admin/audit-logs?action=nothing.*'],
    ] as const;
    const rows: string[][] = [];
    for (const [name, path] of lists) rows.push([name, ...(await measure(() => client.call('GET', path)))]);
    return {
      title: 'Reading lists',
      about: 'One reader makes one request after the other. It runs in the same process, so that its CPU time is included.',
      columns: ['list', 'requests a second', 'CPU a request (ms)', 'longest turn of the event loop (ms of CPU)'],
      rows,
    };
  } finally {
    await client.close();
    await host.stop();
  }
}

async function measure(read: () => Promise<unknown>): Promise<[string, string, string]> {
  await read();
  const cpu = process.threadCpuUsage();
  const started = performance.now();
  for (let n = 0; n < READS; n++) await read();
  const seconds = (performance.now() - started) / 1_000;
  const cpuMs = millisecondsSince(cpu) / READS;
  return [(READS / seconds).toFixed(0), cpuMs.toFixed(1), (await longestHold(read)).toFixed(1)];
}

const millisecondsSince = (start: NodeJS.CpuUsage): number => {
  const { user, system } = process.threadCpuUsage(start);
  return (user + system) / 1_000;
};

/** The longest CPU time of one turn of the event loop, as the median of some reads. Other work of the machine does not count. */
async function longestHold(read: () => Promise<unknown>): Promise<number> {
  const longest: number[] = [];
  for (let n = 0; n < READS; n++) {
    let max = 0;
    let reading = true;
    let last = process.threadCpuUsage();
    const turn = () => {
      max = Math.max(max, millisecondsSince(last));
      last = process.threadCpuUsage();
      if (reading) setImmediate(turn);
    };
    setImmediate(turn);
    await read();
    reading = false;
    longest.push(max);
  }
  return longest.sort((a, b) => a - b)[READS / 2] ?? 0;
}

function agentItem(): Item {
  const id = newId();
  const now = new Date(Date.now()).toISOString();
  const seen = { status: 'ACTIVE', last_heartbeat: now, k8s_reachable: true, k8s_api_latency_ms: 3, k8s_reported_at: now };
  const record = { id, created_at: now, updated_at: now, deleted_at: null, name: `agent-${id}`, cluster_name: 'bench', ...seen };
  return { ...agentKey(id), type: 'agent', ...record, revision: 'r', credential_version: 1, version: 1 };
}

function auditItem(_: unknown, n: number): Item {
  const id = newId();
  const timestamp = new Date(Date.now() - n * 1_000).toISOString();
  const actor = { actor_type: 'admin', actor_id: null, actor_name: 'admin', ip_address: '127.0.0.1', user_agent: 'bench/1.0' };
  const about = { action: 'stack.updated', resource_type: 'stack', resource_id: newId(), details: { name: `stack-${n}` } };
  const expires_at = Math.floor(Date.now() / 1_000) + 86_400;
  return { ...auditKey(timestamp, id), type: 'audit', id, timestamp, created_at: timestamp, ...actor, ...about, expires_at };
}
