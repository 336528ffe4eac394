import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, type MadeAgent, type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, submit, target } from './fleet-builder.ts';
import { justBefore } from './interrupted-store.ts';
import { clockAt, type TestClock } from './test-clock.ts';

let clock: TestClock;
let host: TestHost;
let generator: MadeGenerator;
let agent: MadeAgent;
let stack: Awaited<ReturnType<typeof makeStack>>;
beforeEach(async () => {
  clock = clockAt('2026-03-01T12:00:00Z');
  host = await startTestHost({ clock });
  generator = await makeGenerator(host);
  agent = await makeAgent(host, { generators: [generator] });
  stack = await makeStack(host, generator, { yaml: configMap('one') });
  await target(host, agent, stack);
});
afterEach(() => host.stop());

const newest = async () => (await agent.assignments()).get(stack.id)?.deployment_object_id;
const history = async () => (await ok(host.admin.get(`/stacks/${stack.id}/deployment-objects`))).map(({ id }: { id: string }) => id);

/** Submits one deployment object while another one is being stored. */
async function submitDuring(before: () => void): Promise<{ slow: Submitted; quick: Submitted }> {
  let quick: Submitted = { id: '', sequence_id: 0 };
  justBefore(host.app.services.database, 'object', async () => {
    before();
    quick = await submit(host, stack.id, configMap('quick'));
  });
  const slow = await submit(host, stack.id, configMap('slow'));
  return { slow, quick };
}
interface Submitted {
  id: string;
  sequence_id: number;
}

test('the deployment object with the higher sequence stays the newest, and the other one is history', async () => {
  const { slow, quick } = await submitDuring(() => clock.pass(1));
  expect(slow.sequence_id).toBeLessThan(quick.sequence_id);
  expect(await newest()).toBe(quick.id);
  expect(await history()).toEqual([quick.id, slow.id, stack.deploymentObjectId]);
});

test('two deployment objects of one moment have two sequences', async () => {
  const { slow, quick } = await submitDuring(() => {});
  expect(slow.sequence_id).toBeGreaterThan(quick.sequence_id);
  expect(await newest()).toBe(slow.id);
  expect(await history()).toEqual([slow.id, quick.id, stack.deploymentObjectId]);
});

test('a deployment object that a machine with a slow clock stores is still the newest', async () => {
  const before = await submit(host, stack.id, configMap('before'));
  clock.pass(-3_600_000);
  const after = await submit(host, stack.id, configMap('after'));
  expect(after.sequence_id).toBeGreaterThan(before.sequence_id);
  expect(await newest()).toBe(after.id);
});

test('a sequence is an integer that JSON and JavaScript keep exactly, also in two hundred years', async () => {
  clock.pass(200 * 365.25 * 86_400_000);
  const { sequence_id } = await submit(host, stack.id, configMap('late'));
  expect(Number.isSafeInteger(sequence_id)).toBe(true);
  expect(await newest()).toBeDefined();
});
