import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { configMap, makeStack, makeTenant, ok, report, type Tenant } from '../fleet/fleet-builder.ts';
import type { Answer } from '../harness/client.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { call, guarded, titleOf } from './endpoint-calls.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [], queueGroups: [] } });
}, 60_000);
afterAll(() => host.stop());

const died = () => Promise.reject(new Error('the deleting process has died'));

/**
 * Deletes a thing between the reads and the writes of the next request. The deleting process dies right after its transaction, so that
 * everything that belongs to the deleted thing is still stored.
 */
function deleteBeforeNextWrite(path: string): () => void {
  const { database } = host.app.services;
  const { transact, write, query } = database;
  const undo = () => Object.assign(database, { transact, write, query });
  const interrupted =
    <Args extends readonly unknown[], Result>(send: (...args: Args) => Promise<Result>) =>
    async (...args: Args): Promise<Result> => {
      Object.assign(database, { transact, write: died, query: died });
      await host.admin.delete(path);
      undo();
      return send(...args);
    };
  Object.assign(database, { transact: interrupted(transact), write: interrupted(write) });
  return undo;
}

const errorsOf = (method: string, path: string): readonly string[] =>
  guarded.find(({ endpoint }) => endpoint.method === method && endpoint.path === `/api/v1${path}`)?.endpoint.errors ?? [];

const VICTIMS: Record<string, (tenant: Tenant) => string> = {
  stack: ({ stack }) => `/stacks/${stack.id}`,
  agent: ({ agent }) => `/agents/${agent.id}`,
  generator: ({ generator }) => `/generators/${generator.id}`,
};
interface Change {
  name: string;
  errors: readonly string[];
  prepare(tenant: Tenant): Promise<{ send: () => Promise<Answer> }>;
}
const CHANGES: readonly Change[] = [
  ...guarded
    .filter(({ endpoint, expectation }) => endpoint.method !== 'GET' && (expectation.statuses[0] ?? 400) < 300)
    .map((entry) => ({
      name: titleOf(entry),
      errors: entry.endpoint.errors ?? [],
      prepare: async (tenant: Tenant) => ({ send: () => call(entry, host.root.as(host.adminPak), tenant) }),
    })),
  {
    name: 'an explicit target',
    errors: errorsOf('POST', '/agents/{id}/targets'),
    async prepare(tenant) {
      const { agent, stack } = tenant;
      await ok(host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`));
      return { send: () => host.admin.post(`/agents/${agent.id}/targets`, { agent_id: agent.id, stack_id: stack.id }) };
    },
  },
  {
    name: 'a registration',
    errors: errorsOf('POST', '/generators/{id}/register'),
    async prepare({ agent, generator }) {
      const path = `/generators/${generator.id}/register`;
      await ok(host.admin.delete(path, { agent_id: agent.id }));
      return { send: () => host.admin.post(path, { agent_id: agent.id }) };
    },
  },
  {
    name: "an agent's report",
    errors: errorsOf('POST', '/agents/{id}/events'),
    prepare: async ({ agent, object }) => ({ send: () => report(agent, object.id, { status: 'FAILURE' }) }),
  },
  {
    name: "an agent's heartbeat",
    errors: errorsOf('POST', '/agents/{id}/heartbeat'),
    prepare: async ({ agent }) => ({ send: () => agent.api.post(`/agents/${agent.id}/heartbeat`, { k8s_reachable: true }) }),
  },
  {
    name: "an agent's poll",
    errors: errorsOf('GET', '/agents/{id}/assignments'),
    async prepare({ agent, generator }) {
      await makeStack(host, generator, { labels: ['agent-label'], yaml: configMap('new') });
      return { send: () => agent.api.get(`/agents/${agent.id}/assignments`) };
    },
  },
];
const rows = CHANGES.flatMap((change) => Object.keys(VICTIMS).map((victim) => ({ ...change, victim })));

describe('a deletion during a change', () => {
  test.each(rows)(
    '$name succeeds or fails with a code that it documents if the $victim is deleted meanwhile',
    async ({ errors, prepare, victim }) => {
      const tenant = await makeTenant(host);
      const { send } = await prepare(tenant);
      const undo = deleteBeforeNextWrite(VICTIMS[victim]?.(tenant) ?? '');
      const { status, body, text } = await send();
      undo();
      expect({ status, text, documented: status < 300 || errors.includes(body?.code) }).toEqual({ status, text, documented: true });
    },
  );
});
