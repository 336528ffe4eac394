import { type BenchClient, inParallel } from './bench-client.ts';

export interface BenchAgent {
  id: string;
  pak: string;
  name: string;
}

/** Creates an ACTIVE agent that is registered with the generator. */
export async function createBenchAgent(client: BenchClient, name: string, generatorId: string): Promise<BenchAgent> {
  const { agent, initial_pak } = await client.call<{ agent: { id: string }; initial_pak: string }>('POST', '/api/v1/agents', {
    body: { name, cluster_name: 'bench', generator_ids: [generatorId] },
  });
  await client.call('PUT', `/api/v1/agents/${agent.id}`, { body: { status: 'ACTIVE' } });
  return { id: agent.id, pak: initial_pak, name };
}

export const createBenchGenerator = async (client: BenchClient): Promise<string> =>
  (await client.call<{ generator: { id: string } }>('POST', '/api/v1/generators', { body: { name: `bench-${process.hrtime.bigint()}` } }))
    .generator.id;

/** Creates stacks with one small deployment object each. */
export const createBenchStacks = (client: BenchClient, generatorId: string, count: number): Promise<string[]> =>
  inParallel(count, 16, async (n) => {
    const stack = await client.call<{ id: string }>('POST', '/api/v1/stacks', { body: { name: `bench-${n}`, generator_id: generatorId } });
    await client.call('POST', `/api/v1/stacks/${stack.id}/deployment-objects`, { body: { yaml_content: configMaps(1, `bench-${n}`) } });
    return stack.id;
  });

export const targetAll = (client: BenchClient, agentId: string, stackIds: readonly string[]): Promise<unknown[]> =>
  inParallel(stackIds.length, 4, (n) =>
    client.call('POST', `/api/v1/agents/${agentId}/targets`, { body: { agent_id: agentId, stack_id: stackIds[n] } }),
  );

/** A stack's YAML: `count` ConfigMaps of about 200 bytes. */
export const configMaps = (count: number, name: string, namespace = 'default', value = 'one'): string =>
  Array.from(
    { length: count },
    (_, n) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: ${name}-${n}\n  namespace: ${namespace}\ndata:\n  value: ${value}\n  text: some text that makes it look like a real one\n`,
  ).join('---\n');
