import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createClusterAgent } from '../../agent/agent.ts';
import { createMemoryCluster } from '../../agent/cluster/memory/memory-cluster.ts';
import { createHttpControlPlane } from '../../agent/control-plane/http-control-plane.ts';
import { createMemoryFiles } from '../../agent/state/state-files.ts';
import { TEST_CONFIG } from '../agent/agent-world.ts';
import { eventually } from '../agent/cluster-contract-objects.ts';
import { type MadeGenerator, makeAgent, makeGenerator, makeStack, ok, target } from '../fleet/fleet-builder.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
let generator: MadeGenerator;
let path: string;
beforeAll(async () => {
  host = await startTestHost();
  generator = await makeGenerator(host);
  path = `/stacks/${(await makeStack(host, generator)).id}/deployment-objects`;
});
afterAll(() => host.stop());

/** Many small objects, as operators publish them in one file. */
const bundle = (count: number): string =>
  Array.from(
    { length: count },
    (_, n) =>
      `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: part-${n}, namespace: default}\ndata:\n  text: ${'some words of a long text '.repeat(25)}\n`,
  ).join('---\n');
const packed = { contentType: 'application/yaml', headers: { 'content-encoding': 'gzip' } };

test('5,000 documents of 3.6 MB are posted packed, fetched packed and applied by an agent', async () => {
  const yaml = bundle(5_000);
  const stack = await makeStack(host, generator);
  const sent = gzipSync(yaml);
  expect(sent.length).toBeLessThan(200_000);
  const object = await ok(generator.api.post(`/stacks/${stack.id}/deployment-objects`, sent, packed));
  const made = await makeAgent(host, { generators: [generator] });
  await target(host, made, stack);
  const answer = await fetch(`${host.url}/api/v1/deployment-objects/${object.id}`, { headers: { authorization: made.pak } });
  expect(answer.headers.get('content-encoding')).toBe('gzip');
  expect(((await answer.json()) as { yaml_content: string }).yaml_content).toBe(yaml);

  const { name: agentName, cluster_name: clusterName } = await ok(host.admin.get(`/agents/${made.id}`));
  const cluster = createMemoryCluster();
  const config = {
    ...TEST_CONFIG,
    brokerUrl: host.url,
    pak: made.pak,
    agentName,
    clusterName,
    pollingIntervalMs: 3_600_000,
  };
  const agent = createClusterAgent({
    config: { ...config, applyParallelism: 64 },
    cluster,
    controlPlane: createHttpControlPlane({ baseUrl: host.url, pak: made.pak }),
    files: createMemoryFiles(),
  });
  await agent.start();
  await eventually(() => cluster.all().filter(({ metadata }) => metadata.name.startsWith('part-')).length === 5_000, 60_000);
  await agent.stop();
}, 120_000);

test('a body that unpacks to more than may be sent is refused, whatever its own size', async () => {
  const bomb = gzipSync(Buffer.alloc(64 * 1024 * 1024, '#'));
  expect(bomb.length).toBeLessThan(100_000);
  expect(await generator.api.post(path, bomb, packed)).toMatchObject({
    status: 413,
    body: { code: 'payload_too_large', message: expect.stringMatching(/unpacked body is larger than \d+ bytes/) },
  });
});

test('a body that is not what its encoding says is refused', async () => {
  for (const body of [Buffer.from('a: 1\n'), gzipSync('a: 1\n').subarray(0, 12), Buffer.alloc(0)])
    expect(await generator.api.post(path, body, packed)).toMatchObject({
      status: 400,
      body: { message: expect.stringContaining('not valid gzip') },
    });
  expect(await generator.api.post(path, 'a: 1\n', { ...packed, headers: { 'content-encoding': 'br' } })).toMatchObject({ status: 415 });
});

test('JSON may be packed too, on every path that takes a body', async () => {
  const body = gzipSync(JSON.stringify({ name: `packed-${Date.now()}`, generator_id: generator.id }));
  const answer = await generator.api.post('/stacks', body, { contentType: 'application/json', headers: { 'content-encoding': 'gzip' } });
  expect(answer).toMatchObject({ status: 201 });
});

test('an answer is packed only if it is large and the caller takes gzip', async () => {
  const object = await ok(generator.api.post(path, bundle(500), { contentType: 'application/yaml' }));
  const get = (encoding: string | undefined) =>
    generator.api.get(`/deployment-objects/${object.id}`, { headers: { 'accept-encoding': encoding } });
  for (const encoding of [undefined, 'br', 'gzip;q=0', 'identity']) {
    const answer = await get(encoding);
    expect(answer.headers['content-encoding']).toBeUndefined();
    expect(answer.headers.vary).toContain('accept-encoding');
    expect(answer.body.yaml_content).toBe(bundle(500));
  }
  const answer = await fetch(`${host.url}/api/v1/deployment-objects/${object.id}`, {
    headers: { authorization: generator.pak, 'accept-encoding': 'br, gzip;q=0.5' },
  });
  expect(answer.headers.get('content-encoding')).toBe('gzip');
  const small = await generator.api.get('/stacks', { headers: { 'accept-encoding': 'gzip' } });
  expect(small.headers['content-encoding']).toBeUndefined();
});
