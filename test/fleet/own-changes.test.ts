import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import type { Database, Write } from '../../lib/platform/database/database.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, target, unique } from './fleet-builder.ts';

/**
 * DynamoDB applies a transaction at once, but a reader of several items may see one of them before another. Here a transaction is
 * applied in two steps, the agent's revision first, and the agent polls between them.
 */
let host: TestHost;
let database: Database;
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [] } });
  ({ database } = host.app.services);
});
afterAll(() => host.stop());

async function betweenItems(agent: MadeAgent, look: () => Promise<unknown>, change: () => Promise<unknown>): Promise<void> {
  const { transact } = database;
  const movesAgent = (write: Write) => 'update' in write && write.update.sk === agent.id;
  database.transact = async (writes) => {
    const move = writes.find(movesAgent);
    if (!move) return transact(writes);
    database.transact = transact;
    await database.write(move);
    await look();
    await transact(writes.filter((write) => write !== move));
  };
  await change();
  database.transact = transact;
}

interface World {
  generator: MadeGenerator;
  agent: MadeAgent;
  stack: { id: string };
  label: string;
}
/** Each makes the agent gain or lose the stack. */
const CHANGES: Record<string, { before?: (world: World) => Promise<unknown>; change: (world: World) => Promise<unknown> }> = {
  'a label': { change: ({ agent, label }) => host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }) },
  'a removed label': {
    before: ({ agent, label }) => host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }),
    change: ({ agent, label }) => host.admin.delete(`/agents/${agent.id}/labels/${label}`),
  },
  'an annotation': {
    change: ({ agent, label }) => host.admin.post(`/agents/${agent.id}/annotations`, { agent_id: agent.id, key: 'k', value: label }),
  },
  'a target': { change: ({ agent, stack }) => target(host, agent, stack) },
  'a removed target': {
    before: ({ agent, stack }) => target(host, agent, stack),
    change: ({ agent, stack }) => host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`),
  },
  'a registration': {
    async before({ agent, generator, label }) {
      await ok(agent.api.delete(`/generators/${generator.id}/register`, {}));
      await ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }));
    },
    change: ({ agent, generator }) => agent.api.post(`/generators/${generator.id}/register`, {}),
  },
  'a deregistration': {
    before: ({ agent, label }) => host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }),
    change: ({ agent, generator }) => agent.api.delete(`/generators/${generator.id}/register`, {}),
  },
};

describe('a poll in the middle of a change', () => {
  test.each(Object.entries(CHANGES))(
    'an agent that polls in the middle of its own change polls again afterwards: %s',
    async (_what, { before, change }) => {
      const generator = await makeGenerator(host);
      const label = unique('l');
      const agent = await makeAgent(host, { generators: [generator] });
      const stack = await makeStack(host, generator, { labels: [label], yaml: configMap('one') });
      await ok(host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: 'k', value: label }));
      const world = { generator, agent, stack, label };
      await before?.(world);
      const state = async () => (await agent.assignments()).get(stack.id)?.state;
      const stateBefore = await state();
      let etag: string | undefined;
      const poll = async (known?: string) => {
        const answer = await agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': known } });
        etag = answer.headers.etag;
        return answer.status;
      };
      await betweenItems(agent, poll, () => change(world));
      expect(await poll(etag)).toBe(200);
      expect(await state()).not.toBe(stateBefore);
    },
  );
});
