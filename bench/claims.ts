import { startHost } from '../infra/host/start-host.ts';
import type { Caller } from '../lib/fleet/fleet-ports.ts';
import { agentKey } from '../lib/fleet/fleet-table.ts';
import { claimWorkOrder } from '../lib/fleet/work-orders/claim-work-order.ts';
import { createWorkOrder } from '../lib/fleet/work-orders/create-work-order.ts';
import { Config } from '../lib/platform/config.ts';
import { createLog } from '../lib/platform/log.ts';
import { seededRandom } from '../test/fleet/polling-agent.ts';
import { runFleet } from '../test/fleet/work-orders/scale/simulated-fleet.ts';
import { type BenchClient, benchClient, inParallel } from './bench-client.ts';
import { createBenchAgent, createBenchGenerator } from './bench-fleet.ts';
import { type BenchTable, rounded } from './statistics.ts';

const AGENTS = 100;
const ORDERS = 10_000;
const CLAIMS = 500;
const LABEL = 'claims';

/** 100 agents and 10,000 orders under faults, and what one claim costs. */
export async function claims(): Promise<BenchTable> {
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
  try {
    const { services } = host.app;
    const agentIds = await labelledAgents(client);
    const one = await oneClaim();
    const faulty = { random: seededRandom(7), serverClocksOffMs: 450, faults: true };
    const fleet = await runFleet({ services, agentIds, label: LABEL, orders: ORDERS, ...faulty });
    const lost = fleet.made.length - new Set(fleet.logged).size;
    const row = [fleet.made.length, rounded(fleet.attempts / fleet.wins, 3), '1.1', fleet.heldTwice.length, lost, fleet.logged.length];
    if (lost > 0 || fleet.heldTwice.length > 0) throw new Error(`${lost} orders were lost, ${fleet.heldTwice.length} held twice`);
    return {
      title: 'Work orders: claims',
      about: `${AGENTS} simulated agents and ${ORDERS} orders in virtual time, on the real engine and the real dispatcher. Faults: killed agents, messages that come twice, late and in another order, a store whose answers get lost, clocks that are off. Measured elsewhere: 98 attempts a win for the oldest first, 6.7 at random. One claim: the mean of ${CLAIMS}, 16 at once, in one process.`,
      columns: [
        'orders',
        'attempts a win',
        'aim',
        'held twice',
        'lost',
        'log entries',
        'read units a claim',
        'write units a claim',
        'wins a second',
      ],
      rows: [[...row.map(String), ...one]],
    };
  } finally {
    await client.close();
    await host.stop();
  }

  async function oneClaim(): Promise<string[]> {
    const { services } = host.app;
    const [agentId = ''] = await labelledAgents(client, 1, 'one-claim');
    const admin: Caller = { principal: { type: 'admin' } };
    const agent: Caller = { principal: { type: 'agent', id: agentId, item: { ...agentKey(agentId), revision: '', status: 'ACTIVE' } } };
    const targeting = { agent_ids: [], labels: ['one-claim'], annotations: {} };
    const order = {
      work_type: 'custom',
      yaml_content: 'a: 1',
      max_retries: 0,
      backoff_seconds: 1,
      claim_timeout_seconds: 3_600,
      targeting,
    };
    const orders = await inParallel(CLAIMS, 16, () => createWorkOrder(services, admin, { ...order, fan_out: 'any' }));
    Object.assign(tally, { read: 0, write: 0 });
    const start = performance.now();
    await inParallel(CLAIMS, 16, (n) => claimWorkOrder(services, agent, orders[n]?.id ?? '', { agent_id: agentId, lease_seconds: 3_600 }));
    const seconds = (performance.now() - start) / 1_000;
    return [rounded(tally.read / CLAIMS, 1), rounded(tally.write / CLAIMS, 1), rounded(CLAIMS / seconds, 0)];
  }
}

async function labelledAgents(client: BenchClient, count = AGENTS, label = LABEL): Promise<string[]> {
  const generator = await createBenchGenerator(client);
  return inParallel(count, 8, async (n) => {
    const { id } = await createBenchAgent(client, `${label}-${n}`, generator);
    await client.call('POST', `/api/v1/agents/${id}/labels`, { body: { agent_id: id, label } });
    return id;
  });
}
