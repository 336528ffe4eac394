import { networkInterfaces } from 'node:os';
import { expect, test } from '@jest/globals';
import { endpoint, fleetFunction } from '../../functions/fleet/fleet-endpoint.ts';
import { api } from '../harness/client.ts';
import { startTestHost } from '../harness/host.ts';

test('a stopping host answers requests that have arrived and takes no new ones', async () => {
  const [arrived, finish] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  const endpoints = [
    endpoint({
      id: 'slow',
      method: 'GET',
      path: '/slow',
      summary: '',
      access: 'public',
      status: 204,
      async handle() {
        arrived.resolve();
        await finish.promise;
        return undefined;
      },
    }),
  ];
  const host = await startTestHost({
    functions: { httpGroups: [{ name: 'slow', file: '', endpoints, handler: fleetFunction(endpoints) }] },
  });
  const answer = host.root.get('/slow');
  await arrived.promise;
  const stopped = host.stop();
  await expect(api(host.url, undefined, '').get('/slow')).rejects.toThrow();
  finish.resolve();
  expect((await answer).status).toBe(204);
  await stopped;
  await host.stop();
});

test('hosts that run one after another in one process each have their own data', async () => {
  for (let n = 0; n < 3; n++) {
    const host = await startTestHost();
    expect((await host.admin.get('/agents')).body).toEqual([]);
    expect((await host.admin.post('/agents', { name: 'a', cluster_name: 'c' })).status).toBe(201);
    await host.stop();
  }
});

test('the embedded engines listen on this machine alone', async () => {
  const host = await startTestHost();
  expect([host.config.DYNAMODB_ENDPOINT, host.config.SQS_ENDPOINT]).toEqual([
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
    expect.stringMatching(/^http:\/\/127\.0\.0\.1:\d+$/),
  ]);
  const others = Object.values(networkInterfaces()).flatMap((all = []) =>
    all.filter(({ internal, family }) => !internal && family === 'IPv4'),
  );
  for (const { address } of others) {
    for (const endpoint of [host.config.DYNAMODB_ENDPOINT, host.config.SQS_ENDPOINT]) {
      await expect(fetch(`http://${address}:${new URL(endpoint ?? '').port}/`)).rejects.toThrow();
    }
  }
  await host.stop();
});
