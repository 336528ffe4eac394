import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok } from './fleet-builder.ts';

/** The annotations of a stack that agents follow. */
let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
beforeAll(async () => {
  host = await startTestHost();
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
});
afterAll(() => host.stop());

const annotate = (stackId: string, key: string, value: string) =>
  host.admin.post(`/stacks/${stackId}/annotations`, { stack_id: stackId, key, value });

test("a stack takes over another one of its own generator, and nobody else's", async () => {
  const [giver, taker, foreign] = [
    await makeStack(host, generator),
    await makeStack(host, generator),
    await makeStack(host, await makeGenerator(host)),
  ];
  const { id } = taker;
  for (const other of [foreign.id, id, 'no-id', '6f0b7c8e-2f57-4a63-9d0e-0d4a3f1f9a10'])
    expect(await annotate(id, 'brokkr.io/takes-over', other)).toMatchObject({
      status: 400,
      body: { code: 'invalid_annotation', details: { field: 'value', rule: 'must be the id of another stack of the same generator' } },
    });
  expect(await ok(host.admin.get(`/stacks/${id}/annotations`))).toEqual([]);
  expect(await annotate(id, 'brokkr.io/takes-over', giver.id)).toMatchObject({ status: 201 });
});

test('an agent that a label selects reads the annotations of the stack once it was told to run it, and no others', async () => {
  const [mine, other] = [await makeStack(host, generator, { yaml: configMap('mine') }), await makeStack(host, generator)];
  await ok(annotate(mine.id, 'brokkr.io/drift', 'report'));
  const read = (stackId: string) => agent.api.get(`/stacks/${stackId}/annotations`);
  expect(await read(mine.id)).toMatchObject({ status: 403, body: { code: 'stack_not_accessible' } });
  await ok(host.admin.post(`/stacks/${mine.id}/labels`, 'edge'));
  await ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label: 'edge' }));
  expect((await agent.assignments()).has(mine.id)).toBe(true);
  expect(await read(mine.id)).toMatchObject({ status: 200, body: [{ key: 'brokkr.io/drift', value: 'report' }] });
  expect(await read(other.id)).toMatchObject({ status: 403 });
});
