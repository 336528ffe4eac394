import { type Host, startHost } from '../infra/host/start-host.ts';
import { confirmRemoval } from '../lib/fleet/targeting/assignments.ts';
import { Config } from '../lib/platform/config.ts';
import { createLog } from '../lib/platform/log.ts';
import { seedStacks } from '../test/fleet/seeded-stacks.ts';
import { type BenchClient, benchClient } from './bench-client.ts';
import { type BenchAgent, configMaps, createBenchAgent, createBenchGenerator } from './bench-fleet.ts';
import type { BenchTable } from './statistics.ts';

const SIZES = [10, 1_000, 10_000];

interface Answer {
  revision: string;
  assignments: { stack_id: string; deployment_object_id: string }[];
  next?: string;
}

type Measured = <T>(what: string, aim: string, action: () => Promise<T>) => Promise<T>;

/** Measures the store's units for an agent's polls and for a confirmed removal, by the number of stacks that the agent runs. */
export async function assignmentCost(): Promise<BenchTable> {
  const tally = { read: 0, write: 0 };
  const host = await startHost({
    config: Config.parse({}),
    log: createLog({ level: 'error' }),
    functions: { scheduleGroups: [] },
    onConsumed(operation, units) {
      tally[/^(Get|BatchGet|TransactGet|Query)/.test(operation) ? 'read' : 'write'] += units;
    },
  });
  const client = benchClient(host.url, host.adminPak ?? '');
  const rows: string[][] = [];
  try {
    for (const size of SIZES) {
      await measureAgent(host, client, size, async (what, aim, action) => {
        Object.assign(tally, { read: 0, write: 0 });
        const result = await action();
        rows.push([String(size), what, String(tally.read), String(tally.write), size === 1_000 ? aim : '']);
        return result;
      });
    }
  } finally {
    await client.close();
    await host.stop();
  }
  return {
    title: 'Assignments: the cost for the store',
    about:
      'An agent has one label, which all the stacks share. Read and write units are as DynamoDB counts them, including the admission of the request. The aims are for 1,000 stacks.',
    columns: ['stacks', 'request', 'read units', 'write units', 'aim'],
    rows,
  };
}

async function measureAgent(host: Host, client: BenchClient, size: number, measured: Measured): Promise<void> {
  const generator = await createBenchGenerator(client);
  const agent = await createBenchAgent(client, `agent-${size}`, generator);
  const label = `size-${size}`;
  await client.call('POST', `/api/v1/agents/${agent.id}/labels`, { body: { agent_id: agent.id, label } });
  const [changed = '', lost = ''] = await seedStacks(host.app.services.database, generator, label, size);
  const submit = (count: number) =>
    client.call('POST', `/api/v1/stacks/${changed}/deployment-objects`, { body: { yaml_content: configMaps(count, 'changed') } });
  const path = `/api/v1/agents/${agent.id}/assignments`;

  await measured('the first list', '', () => readWholeList(client, agent));
  const held = await measured('the whole list, unchanged', '150 + 0', () => readWholeList(client, agent));
  await measured('an idle poll', '1 + 0', () => client.call('GET', path, { pak: agent.pak, etag: `"${held.revision}"`, expect: 304 }));
  await submit(1);
  await measured('one changed stack, with `since`', '20 + 2', () =>
    client.call('GET', `${path}?since=${held.revision}`, { pak: agent.pak }),
  );
  await submit(2);
  await measured('one changed stack, the whole list', '150 + 2', () => readWholeList(client, agent));
  await client.call('DELETE', `/api/v1/stacks/${lost}`);
  const { assignments } = await measured('one withdrawn stack, the whole list', '', () => readWholeList(client, agent));
  const removed = assignments.find(({ stack_id }) => stack_id === lost)?.deployment_object_id ?? '';
  await measured('one confirmed removal, without its report', '6', () =>
    confirmRemoval(host.app.services, agent.id, { id: removed, stack_id: lost }),
  );
}

/** Reads all pages, repeatedly, until an answer leaves nothing for the next poll. */
async function readWholeList(client: BenchClient, agent: BenchAgent): Promise<Answer> {
  const path = `/api/v1/agents/${agent.id}/assignments`;
  for (;;) {
    const first = await client.call<Answer>('GET', path, { pak: agent.pak });
    for (let page = first; page.next !== undefined; ) {
      page = await client.call<Answer>('GET', `${path}?after=${page.next}`, { pak: agent.pak });
      first.assignments.push(...page.assignments);
    }
    if (!first.revision.endsWith('~')) return first;
  }
}
