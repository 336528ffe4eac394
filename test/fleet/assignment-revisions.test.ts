import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import {
  configMap,
  type MadeAgent,
  type MadeGenerator,
  makeAgent,
  makeGenerator,
  makeStack,
  ok,
  submit,
  target,
  unique,
} from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let bystander: MadeAgent;
let label: string;
/** The agent runs one stack by a target, one by a label and one by an annotation. It doesn't run the fourth one. */
let stacks: { targeted: Made; labelled: Made; annotated: Made; other: Made };
type Made = Awaited<ReturnType<typeof makeStack>>;

beforeAll(async () => {
  // The sweep may notify an agent a second time of the same change.
  host = await startTestHost({ functions: { scheduleGroups: [] } });
});
afterAll(() => host.stop());
beforeEach(async () => {
  generator = await makeGenerator(host);
  const [generators, yaml] = [[generator], configMap('one')];
  label = unique('label');
  const [targeted, labelled, annotated, other] = await Promise.all([
    makeStack(host, generator, { yaml }),
    makeStack(host, generator, { yaml, labels: [label, 'other'] }),
    makeStack(host, generator, { yaml }),
    makeStack(host, generator, { yaml }),
  ]);
  stacks = { targeted, labelled, annotated, other };
  [agent, bystander] = await Promise.all([
    makeAgent(host, { generators, labels: [label] }),
    makeAgent(host, { generators, labels: [unique('label')] }),
  ]);
  const annotation = { agent_id: agent.id, key: 'key', value: label };
  await Promise.all([
    ok(host.admin.post(`/agents/${agent.id}/annotations`, annotation)),
    ok(annotate(annotated, label)),
    target(host, agent, targeted),
  ]);
});

const annotate = ({ id }: Made, value: string) => host.admin.post(`/stacks/${id}/annotations`, { stack_id: id, key: 'key', value });
const poll = (who: MadeAgent, etag?: string) => who.api.get(`/agents/${who.id}/assignments`, { headers: { 'if-none-match': etag } });

/** Everything that may change the agent's assignments. */
const CHANGES: Record<string, () => Promise<unknown>> = {
  'a label added to the agent': () => ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label: unique('l') })),
  'a label removed from the agent': () => ok(host.admin.delete(`/agents/${agent.id}/labels/${label}`)),
  'an annotation added to the agent': () =>
    ok(host.admin.post(`/agents/${agent.id}/annotations`, { agent_id: agent.id, key: 'k', value: 'v' })),
  'an annotation removed from the agent': () => ok(host.admin.delete(`/agents/${agent.id}/annotations/key`)),
  'a target added': () => target(host, agent, stacks.other),
  'a target removed': () => ok(host.admin.delete(`/agents/${agent.id}/targets/${stacks.targeted.id}`)),
  'a registration': async () => ok(agent.api.post(`/generators/${(await makeGenerator(host)).id}/register`, {})),
  'a deregistration': () => ok(agent.api.delete(`/generators/${generator.id}/register`, {})),
  'a new deployment object of a stack that is its target': () => submit(host, stacks.targeted.id, configMap('two')),
  'a new deployment object of a stack with which it shares a label': () => submit(host, stacks.labelled.id, configMap('two')),
  'a new deployment object of a stack with which it shares an annotation': () => submit(host, stacks.annotated.id, configMap('two')),
  'a deletion marker': () => submit(host, stacks.targeted.id, '', true),
  'a label added to a stack': () => ok(generator.api.post(`/stacks/${stacks.other.id}/labels`, label)),
  'a label removed from a stack': () => ok(generator.api.delete(`/stacks/${stacks.labelled.id}/labels/${label}`)),
  'an annotation added to a stack': () => ok(annotate(stacks.other, label)),
  'an annotation removed from a stack': () => ok(generator.api.delete(`/stacks/${stacks.annotated.id}/annotations/key`)),
  'the deletion of a stack that is its target': () => ok(generator.api.delete(`/stacks/${stacks.targeted.id}`)),
  'the deletion of a stack with which it shares a label': () => ok(generator.api.delete(`/stacks/${stacks.labelled.id}`)),
  'the deletion of a stack with which it shares an annotation': () => ok(generator.api.delete(`/stacks/${stacks.annotated.id}`)),
  'the deletion of the generator': () => ok(generator.api.delete(`/generators/${generator.id}`)),
  'a change of its status': () => ok(host.admin.put(`/agents/${agent.id}`, { status: 'PAUSED' })),
  'a new text of a v1 deployment that is its target': () =>
    ok(host.root.as(generator.pak).put(`/v1/deployments/${stacks.targeted.id}`, { yaml_content: 'a: 1' })),
};

describe('an agent that polls with its ETag', () => {
  test.each(Object.entries(CHANGES))('the poll after %s gets a new answer', async (what, change) => {
    const [before, unconcerned] = [await poll(agent), await poll(bystander)];
    expect(before).toMatchObject({ status: 200, headers: { etag: `"${before.body.revision}"` } });
    expect(await poll(agent, before.headers.etag)).toMatchObject({ status: 304, text: '', headers: { etag: before.headers.etag } });
    await change();
    const after = await poll(agent, before.headers.etag);
    expect(after.status).toBe(200);
    expect(after.body.revision).not.toBe(before.body.revision);
    expect(await poll(agent, after.headers.etag)).toMatchObject({ status: 304 });
    // The bystander is registered with the same generator, and has other labels; only the end of its own registration concerns it.
    if (what !== 'the deletion of the generator') expect(await poll(bystander, unconcerned.headers.etag)).toMatchObject({ status: 304 });
  });
});

describe('changes that do not concern an agent', () => {
  const HARMLESS: Record<string, () => Promise<unknown>> = {
    'a heartbeat': () => ok(agent.api.post(`/agents/${agent.id}/heartbeat`, { k8s_reachable: true })),
    'a report': () =>
      ok(
        agent.api.post(`/agents/${agent.id}/events`, {
          agent_id: agent.id,
          deployment_object_id: stacks.targeted.deploymentObjectId,
          event_type: 'DEPLOY',
          status: 'SUCCESS',
        }),
      ),
    'a poll': () => poll(agent),
    "another stack's deployment object": () => submit(host, stacks.other.id, configMap('two')),
    "another stack's label": () => ok(host.admin.post(`/stacks/${stacks.other.id}/labels`, unique('l'))),
    'another agent': () => makeAgent(host, { generators: [generator], labels: [label] }),
    'a new name of a stack': () =>
      ok(host.admin.put(`/stacks/${stacks.targeted.id}`, { ...stacks.targeted, name: unique('new'), updated_at: '2026-01-01T00:00:00Z' })),
    'a new stack': () => makeStack(host, generator),
    'a rotated key': () => ok(generator.api.post(`/generators/${generator.id}/rotate-pak`)),
  };
  test.each(Object.entries(HARMLESS))('the revision does not move for %s', async (_what, change) => {
    const { headers } = await poll(agent);
    await change();
    expect(await poll(agent, headers.etag)).toMatchObject({ status: 304 });
  });
});

test('a poll may send several ETags, weak or strong', async () => {
  const { headers } = await poll(agent);
  for (const tags of [`W/${headers.etag}`, `"0", ${headers.etag}`, `"x",W/${headers.etag} , "y"`])
    expect((await poll(agent, tags)).status).toBe(304);
  for (const tags of ['"0"', '', 'nonsense', headers.etag?.replaceAll('"', '')]) expect((await poll(agent, tags)).status).toBe(200);
});

test("assignments name each stack's newest deployment object, in the order of the stacks' ids", async () => {
  const newest = await submit(host, stacks.labelled.id, configMap('newest'));
  const { assignments, ...rest } = (await poll(agent)).body;
  expect(rest).toEqual({ agent_id: agent.id, status: 'ACTIVE', revision: expect.any(String) });
  const ids = [stacks.targeted, stacks.labelled, stacks.annotated].map(({ id }) => id).sort();
  expect(assignments.map(({ stack_id }: { stack_id: string }) => stack_id)).toEqual(ids);
  expect(assignments).toContainEqual({
    stack_id: stacks.labelled.id,
    state: 'assigned',
    deployment_object_id: newest.id,
    sequence_id: newest.sequence_id,
    checksum: newest.yaml_checksum,
    is_deletion_marker: false,
  });
});

test('a stack without a deployment object is not assigned until it has one', async () => {
  const empty = await makeStack(host, generator, { labels: [label] });
  expect((await agent.assignments()).has(empty.id)).toBe(false);
  await submit(host, empty.id, 'a: 1');
  expect((await agent.assignments()).get(empty.id)).toMatchObject({ state: 'assigned' });
});

describe('a shared label or annotation', () => {
  test("a shared label counts only while the agent is registered with the stack's generator", async () => {
    const stranger = await makeGenerator(host);
    const theirs = await makeStack(host, stranger, { yaml: 'a: 1', labels: [label] });
    const also = await makeStack(host, stranger, { yaml: 'a: 1' });
    await ok(annotate(also, label));
    const runs = async () => [theirs, also].map(({ id }) => id).filter((id) => seen.get(id)?.state === 'assigned');
    let seen = await agent.assignments();
    expect(await runs()).toEqual([]);
    expect(await agent.api.get(`/deployment-objects/${theirs.deploymentObjectId}`)).toMatchObject({
      status: 403,
      body: { code: 'agent_not_associated' },
    });
    await ok(agent.api.post(`/generators/${stranger.id}/register`, {}));
    seen = await agent.assignments();
    expect(await runs()).toEqual([theirs.id, also.id]);
    expect(await agent.api.get(`/deployment-objects/${theirs.deploymentObjectId}`)).toMatchObject({ status: 200 });
    await ok(agent.api.delete(`/generators/${stranger.id}/register`, {}));
    seen = await agent.assignments();
    expect(await runs()).toEqual([]);
  });

  test('labels match only as whole texts and in the same case', async () => {
    for (const other of [label.toUpperCase(), `${label}x`, label.slice(0, -1)])
      await makeStack(host, generator, { yaml: 'a: 1', labels: [other] });
    const pair = await makeStack(host, generator, { yaml: 'a: 1' });
    await ok(host.admin.post(`/stacks/${pair.id}/annotations`, { stack_id: pair.id, key: label, value: 'key' }));
    expect((await agent.assignments()).size).toBe(3);
  });

  test('an annotation never matches a label or a different pair', async () => {
    const [key, value] = ['a=b', 'c'];
    const mine = await makeAgent(host, { generators: [generator], labels: ['ANNOTATION#a=b'] });
    await ok(host.admin.post(`/agents/${mine.id}/annotations`, { agent_id: mine.id, key: 'a', value: 'b=c' }));
    const pair = await makeStack(host, generator, { yaml: 'a: 1' });
    await ok(host.admin.post(`/stacks/${pair.id}/annotations`, { stack_id: pair.id, key, value }));
    expect((await mine.assignments()).size).toBe(0);
  });
});

test("the system generator's stacks reach every agent with their label, because every agent is registered with it", async () => {
  const system = { id: host.app.services.installation.system_generator_id };
  const stack = await makeStack(host, system, { yaml: 'a: 1', labels: [label] });
  expect((await agent.assignments()).get(stack.id)).toMatchObject({ state: 'assigned' });
});

test('a label that is added to a stack notifies only the agents with this label, not all agents that run the stack', async () => {
  const { headers } = await poll(agent);
  const newcomer = await makeAgent(host, { generators: [generator], labels: ['newcomer'] });
  const before = await poll(newcomer);
  await ok(generator.api.post(`/stacks/${stacks.labelled.id}/labels`, 'newcomer'));
  expect(await poll(newcomer, before.headers.etag)).toMatchObject({ status: 200 });
  expect(await poll(agent, headers.etag)).toMatchObject({ status: 304 });
});
