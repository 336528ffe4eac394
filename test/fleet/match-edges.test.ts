import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { keyOf, type Write } from '../../lib/platform/database/database.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, submit } from './fleet-builder.ts';
import { justBefore } from './interrupted-store.ts';

let host: TestHost;
let generator: MadeGenerator;
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [] } });
  generator = await makeGenerator(host);
});
afterAll(() => host.stop());

const current = async (agent: Awaited<ReturnType<typeof makeAgent>>, stackId: string) => (await agent.assignments()).get(stackId);

test('a label that is added while its stack gets a new deployment object leads to the new one', async () => {
  const agent = await makeAgent(host, { generators: [generator], labels: ['late'] });
  const stack = await makeStack(host, generator, { yaml: configMap('one') });
  let newest: { id: string } | undefined;
  justBefore(host.app.services.database, 'match', async () => {
    newest = await submit(host, stack.id, configMap('two'));
  });
  await ok(generator.api.post(`/stacks/${stack.id}/labels`, 'late'));
  expect(await current(agent, stack.id)).toMatchObject({ state: 'assigned', deployment_object_id: newest?.id });
});

test('a first deployment object that is stored while a label is added reaches the agents with this label', async () => {
  const agent = await makeAgent(host, { generators: [generator], labels: ['first'] });
  const stack = await makeStack(host, generator);
  let first: { id: string } | undefined;
  justBefore(host.app.services.database, 'match', async () => {
    first = await submit(host, stack.id, configMap('one'));
  });
  await ok(generator.api.post(`/stacks/${stack.id}/labels`, 'first'));
  expect(await current(agent, stack.id)).toMatchObject({ deployment_object_id: first?.id });
});

test('a stack with the most labels and annotations shows its newest deployment object through each of them', async () => {
  const stack = await makeStack(host, generator, { yaml: configMap('one') });
  const path = `/stacks/${stack.id}`;
  for (let n = 0; n < 64; n++) {
    await ok(generator.api.post(`${path}/labels`, `many-${n}`));
    await ok(generator.api.post(`${path}/annotations`, { stack_id: stack.id, key: `many-${n}`, value: 'v' }));
  }
  const labelled = await Promise.all([0, 31, 63].map((n) => makeAgent(host, { generators: [generator], labels: [`many-${n}`] })));
  const annotated = await makeAgent(host, { generators: [generator] });
  await ok(host.admin.post(`/agents/${annotated.id}/annotations`, { agent_id: annotated.id, key: 'many-63', value: 'v' }));
  const newest = await submit(host, stack.id, configMap('two'));
  for (const agent of [...labelled, annotated])
    expect(await current(agent, stack.id)).toMatchObject({ state: 'assigned', deployment_object_id: newest.id });
  const marker = await submit(host, stack.id, '', true);
  const back = await submit(host, stack.id, configMap('three'));
  expect(back.sequence_id).toBeGreaterThan(marker.sequence_id);
  expect(await current(annotated, stack.id)).toMatchObject({ deployment_object_id: back.id, is_deletion_marker: false });
});

test('a poll after a stack was deleted does not find the stack by edges that are cleared away later', async () => {
  const agent = await makeAgent(host, { generators: [generator], labels: ['doomed'] });
  const stack = await makeStack(host, generator, { labels: ['doomed'], yaml: configMap('one') });
  await agent.assignments();
  const { database } = host.app.services;
  const { write } = database;
  let seen: string | undefined;
  database.write = async (one: Write) => {
    const result = await write(one);
    if ('update' in one && one.update.sk === agent.id) seen = (await current(agent, stack.id))?.state;
    return result;
  };
  await ok(generator.api.delete(`/stacks/${stack.id}`));
  database.write = write;
  expect(seen).toBe('withdrawn');
});

/** Runs `happens` right before the next write to a match edge. */
function beforeEdgeWrite(happens: () => Promise<unknown>): void {
  const { database } = host.app.services;
  const { write } = database;
  database.write = async (one: Write) => {
    if (keyOf(one).pk.startsWith('MATCH#')) {
      database.write = write;
      await happens();
    }
    return write(one);
  };
}

test.each([
  ['gets a new deployment object', (id: string) => submit(host, id, configMap('two')), 'assigned'],
  ['is deleted', (id: string) => ok(generator.api.delete(`/stacks/${id}`)), 'withdrawn'],
])('an agent that starts to match a stack and polls while the stack %s is notified', async (what, change, state) => {
  const label = what.replaceAll(' ', '-');
  const agent = await makeAgent(host, { generators: [generator] });
  const stack = await makeStack(host, generator, { labels: [label], yaml: configMap('one') });
  const poll = (etag?: string) => agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': etag } });
  let etag: string | undefined;
  beforeEdgeWrite(async () => {
    await ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }));
    etag = (await poll()).headers.etag;
  });
  const changed = await change(stack.id);
  const { status, body } = await poll(etag);
  expect(status).toBe(200);
  expect(body.assignments).toMatchObject([{ stack_id: stack.id, state, deployment_object_id: changed?.id ?? stack.deploymentObjectId }]);
});
