import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { stackNewWrites } from '../../lib/fleet/stacks/stack-repository.ts';
import { newId } from '../../lib/platform/ids.ts';
import { type DrivenQueues, driveQueues } from '../harness/driven-queues.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { makeAgent, makeGenerator, ok, unique } from './fleet-builder.ts';

let host: TestHost;
let queues: DrivenQueues;
beforeAll(async () => {
  host = await startTestHost({ functions: { queueGroups: [], scheduleGroups: [] } });
  queues = driveQueues(host.app.services);
});
afterAll(() => host.stop());

async function seedStacks(generatorId: string, count: number): Promise<void> {
  const now = new Date().toISOString();
  const times = { created_at: now, updated_at: now, deleted_at: null };
  for (let from = 0; from < count; from += 30) {
    const stacks = Array.from({ length: Math.min(30, count - from) }, (_, n) => ({ ...times, id: newId(), name: `stack-${from + n}` }));
    await host.app.services.database.transact(
      stacks.flatMap((stack) => stackNewWrites({ ...stack, description: null, generator_id: generatorId })),
    );
  }
}
const partition = async (generatorId: string) =>
  (await host.app.services.database.query('fleet', { pk: `GENERATOR#${generatorId}` })).items.map(({ sk }) => sk);

test('the removal of a generator with 450 stacks takes three messages that each do their own part, and leaves no stack', async () => {
  const generator = await makeGenerator(host);
  await makeAgent(host, { generators: [generator] });
  await seedStacks(generator.id, 450);
  queues.messages.length = 0;
  await ok(host.admin.delete(`/generators/${generator.id}`));
  const [first] = queues.messages;
  if (!first) throw new Error('no message');
  // The first message fails at once, after it has queued the second one. The other messages don't wait for it.
  const { database } = host.app.services;
  const { transact } = database;
  let left = 40;
  database.transact = async (writes) => {
    if (writes.some((write) => 'delete' in write && write.delete.pk.startsWith('GENERATOR#')) && --left < 0) throw new Error('killed');
    return transact(writes);
  };
  expect(await queues.deliver(first)).toBe(false);
  database.transact = transact;
  await queues.drain();
  expect(await partition(generator.id)).toEqual([]);
  expect((await ok(host.admin.get(`/stacks?pak_id=${generator.id}`))).length).toBe(0);
}, 60_000);

test('a generator that is being removed gets no new stack, and none of its stacks is renamed', async () => {
  const generator = await makeGenerator(host);
  await seedStacks(generator.id, 30);
  const [stack] = await ok(host.admin.get(`/stacks?pak_id=${generator.id}`));
  await ok(host.admin.delete(`/generators/${generator.id}`));
  expect(await host.admin.post('/stacks', { name: unique('late'), generator_id: generator.id })).toMatchObject({ status: 422 });
  expect(await host.admin.put(`/stacks/${stack.id}`, { ...stack, name: '0-before-all' })).toMatchObject({ status: 404 });
  await queues.drain();
  expect(await partition(generator.id)).toEqual([]);
});
