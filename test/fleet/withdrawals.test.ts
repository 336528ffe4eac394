import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { agentKey } from '../../lib/fleet/fleet-table.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import {
  configMap,
  type MadeAgent,
  type MadeGenerator,
  makeAgent,
  makeGenerator,
  makeStack,
  ok,
  report,
  submit,
  target,
  unique,
} from './fleet-builder.ts';

let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let label: string;
let stack: Awaited<ReturnType<typeof makeStack>>;

beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());
beforeEach(async () => {
  generator = await makeGenerator(host);
  label = unique('label');
  [agent, stack] = await Promise.all([
    makeAgent(host, { generators: [generator] }),
    makeStack(host, generator, { yaml: configMap('one') }),
  ]);
});

const agentLabel = () => ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label }));
const stackLabel = () => ok(generator.api.post(`/stacks/${stack.id}/labels`, label));
const agentAnnotation = () => ok(host.admin.post(`/agents/${agent.id}/annotations`, { agent_id: agent.id, key: label, value: 'v' }));
const stackAnnotation = () => ok(generator.api.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: label, value: 'v' }));
const aim = () => target(host, agent, stack);

/** The ways to get a stack, to lose it, and to get it again if that is possible. */
const WAYS: Record<string, { come: (() => Promise<unknown>)[]; lose: () => Promise<unknown>; again?: () => Promise<unknown> }> = {
  'its target is removed': { come: [aim], lose: () => ok(host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`)), again: aim },
  'the label is taken off the agent': {
    come: [agentLabel, stackLabel],
    lose: () => ok(host.admin.delete(`/agents/${agent.id}/labels/${label}`)),
    again: agentLabel,
  },
  'the label is taken off the stack': {
    come: [stackLabel, agentLabel],
    lose: () => ok(generator.api.delete(`/stacks/${stack.id}/labels/${label}`)),
    again: stackLabel,
  },
  'the annotation is taken off the agent': {
    come: [agentAnnotation, stackAnnotation],
    lose: () => ok(host.admin.delete(`/agents/${agent.id}/annotations/${label}`)),
    again: agentAnnotation,
  },
  'the annotation is taken off the stack': {
    come: [stackAnnotation, agentAnnotation],
    lose: () => ok(generator.api.delete(`/stacks/${stack.id}/annotations/${label}`)),
    again: stackAnnotation,
  },
  'the agent deregisters, having a target': {
    come: [aim],
    lose: () => ok(agent.api.delete(`/generators/${generator.id}/register`, {})),
    again: async () => {
      await ok(agent.api.post(`/generators/${generator.id}/register`, {}));
      await aim();
    },
  },
  'the agent deregisters, sharing a label': {
    come: [agentLabel, stackLabel],
    lose: () => ok(host.admin.delete(`/generators/${generator.id}/register?agent_id=${agent.id}`)),
    again: () => ok(agent.api.post(`/generators/${generator.id}/register`, {})),
  },
  'the stack is deleted, being targeted': { come: [aim], lose: () => ok(generator.api.delete(`/stacks/${stack.id}`)) },
  'the stack is deleted, sharing a label': { come: [agentLabel, stackLabel], lose: () => ok(generator.api.delete(`/stacks/${stack.id}`)) },
  'the stack is deleted as a v1 deployment': {
    come: [stackAnnotation, agentAnnotation],
    lose: () => ok(host.root.as(generator.pak).delete(`/v1/deployments/${stack.id}`)),
  },
  'the generator is deleted': { come: [aim, agentLabel, stackLabel], lose: () => ok(host.admin.delete(`/generators/${generator.id}`)) },
};

const state = async () => (await agent.assignments()).get(stack.id)?.state;
const reportRemoval = (change = {}) => report(agent, stack.deploymentObjectId, { event_type: 'REMOVE', ...change });

describe.each(Object.entries(WAYS))('%s:', (_way, { come, lose, again }) => {
  beforeEach(async () => {
    for (const step of come) await step();
    expect(await state()).toBe('assigned');
  });

  test('the stack is withdrawn until the agent reports the removal', async () => {
    const assigned = (await agent.assignments()).get(stack.id);
    await lose();
    expect((await agent.assignments()).get(stack.id)).toEqual({ ...assigned, state: 'withdrawn' });
    // Neither a poll nor another report ends the withdrawal.
    expect(await report(agent, stack.deploymentObjectId)).toMatchObject({ status: 201 });
    expect(await reportRemoval({ status: 'FAILURE', message: 'a finalizer' })).toMatchObject({ status: 201 });
    expect(await state()).toBe('withdrawn');
    const { headers } = await agent.api.get(`/agents/${agent.id}/assignments`);
    expect(await reportRemoval()).toMatchObject({ status: 201 });
    expect(await agent.api.get(`/agents/${agent.id}/assignments`, { headers: { 'if-none-match': headers.etag } })).toMatchObject({
      status: 200,
      body: { assignments: [] },
    });
    // A repeated report does no harm.
    expect(await reportRemoval()).toMatchObject({ status: 201 });
    expect(await state()).toBeUndefined();
  });

  if (again) {
    test('the agent keeps the stack if it gets the stack again before it has removed it', async () => {
      await lose();
      expect(await state()).toBe('withdrawn');
      await again();
      expect(await state()).toBe('assigned');
      // A report of the removal that was under way doesn't remove the new assignment.
      expect(await reportRemoval()).toMatchObject({ status: 201 });
      expect(await state()).toBe('assigned');
    });

    test('the agent runs the stack again if it gets the stack after it has removed it', async () => {
      await lose();
      expect(await state()).toBe('withdrawn');
      await ok(reportRemoval());
      expect(await state()).toBeUndefined();
      await again();
      expect(await state()).toBe('assigned');
    });
  }
});

test('a stack that the agent was never told of is not withdrawn', async () => {
  await aim();
  await ok(generator.api.delete(`/stacks/${stack.id}`));
  expect(await agent.assignments()).toEqual(new Map());
});

test('a stack that is created with the name of a deleted one is another stack', async () => {
  await aim();
  expect(await state()).toBe('assigned');
  await ok(generator.api.delete(`/stacks/${stack.id}`));
  const heir = await makeStack(host, generator, { name: stack.name, yaml: configMap('heir') });
  await target(host, agent, heir);
  const assignments = await agent.assignments();
  expect(assignments.get(stack.id)?.state).toBe('withdrawn');
  expect(assignments.get(heir.id)?.state).toBe('assigned');
});

test('an agent that matches a stack in two ways keeps it when it loses one way', async () => {
  await aim();
  await agentLabel();
  await stackLabel();
  expect(await state()).toBe('assigned');
  await ok(host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`));
  expect(await state()).toBe('assigned');
  await ok(host.admin.delete(`/agents/${agent.id}/labels/${label}`));
  expect(await state()).toBe('withdrawn');
});

test('a deletion marker is assigned like any deployment object, and the stack stays assigned', async () => {
  await aim();
  await state();
  const marker = await submit(host, stack.id, '', true);
  expect((await agent.assignments()).get(stack.id)).toMatchObject({
    state: 'assigned',
    deployment_object_id: marker.id,
    is_deletion_marker: true,
  });
});

test('a stack is withdrawn only from the agents that ran it', async () => {
  const other = await makeAgent(host, { generators: [generator] });
  await aim();
  await state();
  await ok(generator.api.delete(`/stacks/${stack.id}`));
  expect(await state()).toBe('withdrawn');
  expect(await other.assignments()).toEqual(new Map());
});

test("targets to removed stacks don't count for an agent's limit of targets", async () => {
  const { database } = host.app.services;
  await aim();
  await database.write({
    table: 'fleet',
    update: agentKey(agent.id),
    set: { target_count: 4_999 },
    if: { exists: true },
  });
  for (let n = 0; n < 3; n++) {
    const next = await makeStack(host, generator, { yaml: 'a: 1' });
    expect(await host.admin.post(`/agents/${agent.id}/targets`, { agent_id: agent.id, stack_id: next.id })).toMatchObject({ status: 201 });
    expect(
      await host.admin.post(`/agents/${agent.id}/targets`, { agent_id: agent.id, stack_id: (await makeStack(host, generator)).id }),
    ).toMatchObject({
      status: 422,
      body: { code: 'too_many' },
    });
    await ok(generator.api.delete(`/stacks/${next.id}`));
  }
});

test('a late report of a removal on an earlier deployment object does not end the withdrawal', async () => {
  await aim();
  expect(await state()).toBe('assigned');
  const removed = await host.admin.delete(`/agents/${agent.id}/targets/${stack.id}`);
  expect(removed.status).toBe(204);
  expect(await state()).toBe('withdrawn');
  await ok(reportRemoval());
  await aim();
  const second = await submit(host, stack.id, configMap('two'));
  expect(await state()).toBe('assigned');
  await ok(generator.api.delete(`/stacks/${stack.id}`));
  expect(await state()).toBe('withdrawn');
  await ok(reportRemoval());
  expect(await state()).toBe('withdrawn');
  await ok(report(agent, second.id, { event_type: 'REMOVE' }));
  expect(await state()).toBeUndefined();
});
