import { type Host, startHost } from '../infra/host/start-host.ts';
import { agentKey, agentMatchKey } from '../lib/fleet/fleet-table.ts';
import { fanOut } from '../lib/fleet/targeting/fan-out.ts';
import { Config } from '../lib/platform/config.ts';
import type { Write } from '../lib/platform/database/database.ts';
import { newId } from '../lib/platform/ids.ts';
import { createLog } from '../lib/platform/log.ts';
import { benchClient } from './bench-client.ts';
import { createBenchGenerator } from './bench-fleet.ts';
import { type BenchTable, rounded } from './statistics.ts';

/** Few agents are notified in the request, 2,000 with one message. The others of the largest crowd are left to the next message. */
const CROWDS = [50, 2_000, 10_000];

/** One message of a change that concerns so many agents: units of the store, and time. */
export async function fanOutCost(): Promise<BenchTable> {
  const tally = { read: 0, write: 0 };
  const host = await startHost({
    config: Config.parse({}),
    log: createLog({ level: 'error' }),
    functions: { queueGroups: [], scheduleGroups: [] },
    onConsumed(operation, units) {
      tally[/^(Get|BatchGet|TransactGet|Query)/.test(operation) ? 'read' : 'write'] += units;
    },
  });
  const client = benchClient(host.url, host.adminPak ?? '');
  const rows: string[][] = [];
  try {
    const generatorId = await createBenchGenerator(client);
    for (const crowd of CROWDS) {
      const label = `crowd-${crowd}`;
      await seedAgents(host, generatorId, label, crowd);
      const stack = await client.call<{ id: string }>('POST', '/api/v1/stacks', { body: { name: label, generator_id: generatorId } });
      await client.call('POST', `/api/v1/stacks/${stack.id}/labels`, { body: label });
      const change = { kind: 'stack-changed' as const, stack_id: stack.id, generator_id: generatorId };
      Object.assign(tally, { read: 0, write: 0 });
      const [startedAt, cpuBefore] = [performance.now(), process.cpuUsage()];
      await fanOut(host.app.services, { id: newId(), data: { change, segment: 1 } });
      const [wallMs, cpu] = [performance.now() - startedAt, process.cpuUsage(cpuBefore)];
      const notified = Math.min(crowd, 2_000);
      rows.push([
        String(crowd),
        String(notified),
        rounded(tally.read / notified, 3),
        rounded(tally.write / notified, 3),
        rounded((cpu.user + cpu.system) / 1_000 / notified, 3),
        String(Math.round(wallMs)),
      ]);
    }
  } finally {
    await client.close();
    await host.stop();
  }
  return {
    title: 'Notifying agents of a change: one message',
    about:
      'A stack with one label changes; so many registered agents have the label. Units and CPU for each notified agent, and the time of the whole message, which has 30 s. The CPU is that of the process without the store.',
    columns: ['agents', 'notified', 'read units each', 'write units each', 'CPU ms each', 'ms for the message'],
    rows,
  };
}

/** Agents' records with the edges that a change reads, as many at once as a transaction takes. */
async function seedAgents(host: Host, generatorId: string, label: string, count: number): Promise<void> {
  for (let from = 0; from < count; from += 50) {
    const ids = Array.from({ length: Math.min(50, count - from) }, () => newId());
    const writes = ids.flatMap((id): Write[] => [
      { table: 'fleet', put: { ...agentKey(id), type: 'agent', id, name: `agent-${id}`, status: 'ACTIVE', revision: 'seeded' } },
      { table: 'fleet', put: { ...agentMatchKey(generatorId, { label }, id), type: 'agent-match' } },
    ]);
    await host.app.services.database.transact(writes);
  }
}
