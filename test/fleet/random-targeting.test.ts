import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { FleetPorts } from '../../lib/fleet/fleet-ports.ts';
import { confirmRemoval } from '../../lib/fleet/targeting/assignments.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, submit } from './fleet-builder.ts';
import { createPollingAgent, type PollingAgent, seededRandom, withLateReads } from './polling-agent.ts';

const POLLS = 10_000;
/** At most. A poll after a change costs as much as some dozens that find nothing new. */
const POLLS_BETWEEN_CHANGES = 700;
const random = seededRandom(7);
const pick = <T>(values: readonly T[]): T => {
  const value = values[Math.floor(random() * values.length)];
  if (value === undefined) throw new Error('nothing to pick');
  return value;
};

const turn = () => new Promise((resolve) => setImmediate(resolve));
let waking: (() => void)[] = [];
/** Waits without taking CPU from the store: whoever changes what is waited for calls `wake`. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await new Promise<void>((resolve) => waking.push(resolve));
}
function wake(): void {
  const woken = waking;
  waking = [];
  for (const resolve of woken) resolve();
}

let polls = 0;
const done = () => polls >= POLLS;
/** This many reads wait until the ways by which stacks match agents are exchanged. */
let waiting = 0;
let exchanges = 0;

/** Most reads are late by a few turns. Some queries for stacks by label or annotation are late by a whole exchange. */
async function late(pk: string): Promise<void> {
  for (let turns = Math.floor(random() * 3); turns > 0; turns--) await turn();
  if (!pk.startsWith('MATCH#') || random() > 0.08) return;
  const before = exchanges;
  waiting += 1;
  wake();
  await until(() => exchanges > before || done());
  waiting -= 1;
}

let host: TestHost;
let ports: FleetPorts;
let [own, foreign]: MadeGenerator[] = [];
let agents: PollingAgent[];
beforeAll(async () => {
  host = await startTestHost({ functions: { scheduleGroups: [] } });
  const { services } = host.app;
  ports = { ...services, database: withLateReads(services.database, late) };
  [own, foreign] = [await makeGenerator(host), await makeGenerator(host)];
  const generators = [own];
  const made = await Promise.all([1, 2, 3].map(() => makeAgent(host, { generators, labels: ['p', 'a'] })));
  for (const { id } of made) await ok(host.admin.post(`/agents/${id}/annotations`, { agent_id: id, key: 'k', value: 'v' }));
  agents = made.map(({ id }) => createPollingAgent(ports, id));
});
afterAll(() => host.stop());

/** One way by which stacks match an agent. It can be added and removed. */
interface Way {
  on(): Promise<unknown>;
  off(): Promise<unknown>;
}
const stackLabel = (id: string, label: string): Way => ({
  on: () => ok(host.admin.post(`/stacks/${id}/labels`, label)),
  off: () => ok(host.admin.delete(`/stacks/${id}/labels/${label}`)),
});
const stackAnnotation = (id: string): Way => ({
  on: () => ok(host.admin.post(`/stacks/${id}/annotations`, { stack_id: id, key: 'k', value: 'v' })),
  off: () => ok(host.admin.delete(`/stacks/${id}/annotations/k`)),
});
const targets = (id: string): Way => ({
  on: () => Promise.all(agents.map((agent) => ok(host.admin.post(`/agents/${agent.id}/targets`, { agent_id: agent.id, stack_id: id })))),
  off: () => Promise.all(agents.map((agent) => ok(host.admin.delete(`/agents/${agent.id}/targets/${id}`)))),
});
const agentLabel = (id: string, label: string): Way => ({
  on: () => ok(host.admin.post(`/agents/${id}/labels`, { agent_id: id, label })),
  off: () => ok(host.admin.delete(`/agents/${id}/labels/${label}`)),
});
const registration = (agentId: string, generatorId: string): Way => ({
  on: () => ok(host.admin.post(`/generators/${generatorId}/register`, { agent_id: agentId })),
  off: () => ok(host.admin.delete(`/generators/${generatorId}/register?agent_id=${agentId}`)),
});

/** Adds a new way and then removes the old one, so that there is a way at every moment. */
async function exchange(ways: readonly Way[], current: { way: Way }): Promise<void> {
  const next = pick(ways.filter((way) => way !== current.way));
  await next.on();
  await current.way.off();
  current.way = next;
}

async function toggle(way: Way, state: { on: boolean }): Promise<void> {
  await (state.on ? way.off() : way.on());
  state.on = !state.on;
}

/** Repeats a change each time some hundred polls are done, or as soon as it is due, until all polls are done. */
async function keepChanging(change: () => Promise<unknown>, due: () => boolean = () => false): Promise<void> {
  while (!done()) {
    await change();
    const next = polls + random() * POLLS_BETWEEN_CHANGES;
    await until(() => polls >= next || due() || done());
  }
}

test('while labels, targets and registrations are exchanged, no poll withdraws a stack that matches all the time', async () => {
  if (!own || !foreign) throw new Error('not made');
  /** Two stacks that match at every moment: the first one's ways are exchanged, and agents exchange the labels of the second one. */
  const moving = await makeStack(host, own, { labels: ['p'], yaml: configMap('moving') });
  const standing = await makeStack(host, own, { labels: ['a', 'b'], yaml: configMap('standing') });
  const unsteady = await makeStack(host, own, { yaml: configMap('unsteady') });
  const theirs = await makeStack(host, foreign, { labels: ['p'], yaml: configMap('theirs') });
  const ways = [stackLabel(moving.id, 'p'), stackAnnotation(moving.id), targets(moving.id)];
  const current = { way: pick(ways.slice(0, 1)) };
  const labelled = { on: false };
  const registered = agents.map(() => ({ on: false }));
  const heads = new Map([moving, standing, unsteady, theirs].map(({ id, deploymentObjectId }) => [id, deploymentObjectId]));

  const withdrawn: string[] = [];
  let answers = 0;
  const polling = agents.map(async (agent) => {
    while (!done()) {
      polls += 1;
      wake();
      const answer = await agent.poll({ whole: random() < 0.03 });
      if (answer === 'unchanged') continue;
      answers += 1;
      for (const { stack_id, state, deployment_object_id } of answer) {
        if (state !== 'withdrawn') continue;
        if (stack_id === moving.id || stack_id === standing.id) withdrawn.push(stack_id);
        else if (random() < 0.5) await confirmRemoval(ports, agent.id, { id: deployment_object_id ?? '', stack_id });
      }
    }
  });
  const moves = async () => {
    await exchange(ways, current);
    exchanges += 1;
    wake();
  };
  const changes = [
    ...agents.map(({ id }) => {
      const [a, b] = [agentLabel(id, 'a'), agentLabel(id, 'b')];
      const labels = { way: a };
      return () => exchange([a, b], labels);
    }),
    () => toggle(stackLabel(unsteady.id, 'p'), labelled),
    () => toggle(registration(agents[0]?.id ?? '', foreign?.id ?? ''), registered[0] ?? { on: false }),
    async () => {
      const stackId = pick([moving.id, standing.id, unsteady.id, theirs.id]);
      heads.set(stackId, (await submit(host, stackId, configMap(`n${polls}`))).id);
    },
  ].map((change) => keepChanging(change));
  await Promise.all([...polling, ...changes, keepChanging(moves, () => waiting > 0)]);
  expect(withdrawn).toEqual([]);
  expect(exchanges).toBeGreaterThan(100);
  expect(answers).toBeGreaterThan(500);

  // Conditional polls alone bring every agent to the right assignments.
  for (const [at, agent] of agents.entries()) {
    for (let n = 0; n < 10 && (await agent.poll()) !== 'unchanged'; n++);
    expect(await agent.poll()).toBe('unchanged');
    const wanted = [moving.id, standing.id, ...(labelled.on ? [unsteady.id] : []), ...(registered[at]?.on ? [theirs.id] : [])];
    const assigned = agent.held().filter(({ state }) => state === 'assigned');
    expect(new Map(assigned.map(({ stack_id, deployment_object_id }) => [stack_id, deployment_object_id]))).toEqual(
      new Map(wanted.map((id) => [id, heads.get(id)])),
    );
  }
}, 180_000);
