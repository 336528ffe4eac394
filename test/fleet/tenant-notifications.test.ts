import { afterAll, beforeAll, beforeEach, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, submit, unique } from './fleet-builder.ts';

let host: TestHost;
let [owner, stranger]: MadeGenerator[] = [];
let agent: MadeAgent;
let label: string;
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [] } });
});
afterAll(() => host.stop());
beforeEach(async () => {
  label = unique('shared');
  [owner, stranger] = [await makeGenerator(host), await makeGenerator(host)];
  agent = await makeAgent(host, { generators: [owner], labels: [label] });
});
const made = (generator: MadeGenerator | undefined): MadeGenerator => {
  if (!generator) throw new Error('no generator');
  return generator;
};
const revisionAfter = async (change: () => Promise<unknown>) => {
  await change();
  return agent.revision();
};

describe('a tenant with whom an agent never registered', () => {
  const CHANGES: Record<string, (stack: { id: string }) => Promise<unknown>> = {
    'a new deployment object': ({ id }) => submit(host, id, configMap('again')),
    'a label': ({ id }) => ok(made(stranger).api.delete(`/stacks/${id}/labels/${label}`)),
    'a deleted stack': ({ id }) => ok(made(stranger).api.delete(`/stacks/${id}`)),
    'its own removal': () => ok(host.admin.delete(`/generators/${made(stranger).id}`)),
  };
  test.each(Object.entries(CHANGES))('a foreign tenant notifies no agent that shares a label with its stack: %s', async (_what, change) => {
    const before = await agent.revision();
    const stack = await makeStack(host, made(stranger), { labels: [label], yaml: configMap('one') });
    expect(await revisionAfter(() => change(stack))).toBe(before);
  });
});

describe('an agent that registers', () => {
  test('an agent that registers is notified of stacks whose labels it had before', async () => {
    const stack = await makeStack(host, made(stranger), { labels: [label], yaml: configMap('one') });
    await ok(agent.api.post(`/generators/${made(stranger).id}/register`, {}));
    expect((await agent.assignments()).has(stack.id)).toBe(true);
    const before = await agent.revision();
    expect(await revisionAfter(() => submit(host, stack.id, configMap('two')))).not.toBe(before);
  });

  test('an agent that registered is notified through later labels, until it deregisters', async () => {
    await ok(agent.api.post(`/generators/${made(stranger).id}/register`, {}));
    const later = unique('later');
    await ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label: later }));
    const stack = await makeStack(host, made(stranger), { labels: [later] });
    const before = await agent.revision();
    expect(await revisionAfter(() => submit(host, stack.id, configMap('one')))).not.toBe(before);
    await ok(agent.api.delete(`/generators/${made(stranger).id}/register`, {}));
    const alone = await agent.revision();
    expect(await revisionAfter(() => submit(host, stack.id, configMap('two')))).toBe(alone);
  });

  test('an agent that registers has an edge for each label, also for labels that are added meanwhile', async () => {
    const labels = Array.from({ length: 6 }, (_, n) => unique(`at-once-${n}`));
    await Promise.all([
      ok(agent.api.post(`/generators/${made(stranger).id}/register`, {})),
      ...labels.map((one) => ok(host.admin.post(`/agents/${agent.id}/labels`, { agent_id: agent.id, label: one }))),
    ]);
    for (const one of [label, ...labels]) {
      const { items } = await host.app.services.database.query('fleet', { pk: `AGENTMATCH#${made(stranger).id}#LABEL#${one}` });
      expect(items.map(({ sk }) => sk)).toEqual([agent.id]);
    }
  });
});

test('an agent that registers again loses the targets of its former registration, and keeps those of the new one', async () => {
  const generator = made(owner);
  const stacks = await Promise.all(Array.from({ length: 3 }, () => makeStack(host, generator)));
  const aim = (stack: { id: string } | undefined) => ({ agent_id: agent.id, stack_id: stack?.id });
  for (const stack of stacks) await ok(host.admin.post(`/agents/${agent.id}/targets`, aim(stack)));
  await ok(agent.api.delete(`/generators/${generator.id}/register`, {}));
  await ok(agent.api.post(`/generators/${generator.id}/register`, {}));
  expect(await ok(host.admin.get(`/agents/${agent.id}/targets`))).toEqual([]);
  expect(await ok(host.admin.post(`/agents/${agent.id}/targets`, aim(stacks[0])))).toMatchObject({ stack_id: stacks[0]?.id });
});
