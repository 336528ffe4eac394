import { BatchWriteCommand, DynamoDBDocumentClient } from '@aws-sdk/lib-dynamodb';
import { type Host, startHost } from '../infra/host/start-host.ts';
import { eventNewWrites } from '../lib/fleet/agent-events/agent-event-repository.ts';
import { Config } from '../lib/platform/config.ts';
import { dynamoDbClient } from '../lib/platform/database/dynamodb-client.ts';
import { newId } from '../lib/platform/ids.ts';
import { createLog } from '../lib/platform/log.ts';
import { benchClient, inParallel } from './bench-client.ts';
import { createBenchAgent, createBenchGenerator, createBenchStacks, targetAll } from './bench-fleet.ts';
import type { BenchTable } from './statistics.ts';

const SIZES = [0, 10, 100, 1_000];
const EVENTS = 100_000;
const POLLS = 10;

interface Tally {
  readUnits: number;
  writeUnits: number;
  calls: number;
}

/** Measures the capacity that one idle poll consumes, as DynamoDB returns it (ReturnConsumedCapacity). */
export async function idlePollCost(): Promise<BenchTable> {
  const tally: Tally = { readUnits: 0, writeUnits: 0, calls: 0 };
  const host = await startHost({
    config: Config.parse({}),
    log: createLog({ level: 'error' }),
    onConsumed(operation, units) {
      tally.calls += 1;
      if (/^(Get|BatchGet|Query)/.test(operation)) tally.readUnits += units;
      else tally.writeUnits += units;
    },
  });
  const client = benchClient(host.url, host.adminPak ?? '');
  try {
    const generator = await createBenchGenerator(client);
    const stacks = await createBenchStacks(client, generator, Math.max(...SIZES));
    const agents = await Promise.all(SIZES.map((size) => createBenchAgent(client, `agent-${size}`, generator)));
    for (const [index, agent] of agents.entries()) await targetAll(client, agent.id, stacks.slice(0, SIZES[index]));
    const rows: string[][] = [];
    for (const events of [0, EVENTS]) {
      if (events > 0) for (const agent of agents) await seedEvents(host, agent.id, events / agents.length);
      for (const [index, agent] of agents.entries()) {
        const { revision } = await client.call<{ revision: string }>('GET', `/api/v1/agents/${agent.id}/assignments`, { pak: agent.pak });
        const poll = () =>
          client.call('GET', `/api/v1/agents/${agent.id}/assignments`, { pak: agent.pak, etag: `"${revision}"`, expect: 304 });
        Object.assign(tally, { readUnits: 0, writeUnits: 0, calls: 0 });
        for (let n = 0; n < POLLS; n++) await poll();
        rows.push([
          String(SIZES[index]),
          String(events),
          String(tally.calls / POLLS),
          String(tally.readUnits / POLLS),
          String(tally.writeUnits / POLLS),
          '0',
        ]);
      }
    }
    return {
      title: 'One idle poll: the cost for the store',
      about:
        'An agent with this number of stacks polls, and nothing has changed. Reads are strongly consistent, so that a revoked key stops working at once.',
      columns: ['stacks', 'past events', 'store calls', 'read units', 'write units', 'body bytes'],
      rows,
    };
  } finally {
    await client.close();
    await host.stop();
  }
}

/** Writes past events directly into the store, in the service's layout. */
async function seedEvents(host: Host, agentId: string, count: number): Promise<void> {
  const client = DynamoDBDocumentClient.from(
    dynamoDbClient({ ...(host.config.DYNAMODB_ENDPOINT && { endpoint: host.config.DYNAMODB_ENDPOINT }) }),
  );
  const now = Date.now();
  await inParallel(Math.ceil(count / 6), 8, async (batch) => {
    const writes = Array.from({ length: 6 }, (_, n) => {
      const created_at = new Date(now - (batch * 6 + n) * 1_000).toISOString();
      const event = { id: newId(), created_at, updated_at: created_at, deleted_at: null, agent_id: agentId, deployment_object_id: newId() };
      return eventNewWrites({ ...event, event_type: 'DEPLOY', status: 'SUCCESS', message: null, details: null }, newId(), {
        nowMs: now,
        days: 30,
      });
    }).flat();
    const requests = writes.map((write) => ({ PutRequest: { Item: 'put' in write ? write.put : {} } }));
    await client.send(new BatchWriteCommand({ RequestItems: { [`${host.config.BROKKR_PREFIX}-telemetry`]: requests } }));
  });
  client.destroy();
}
