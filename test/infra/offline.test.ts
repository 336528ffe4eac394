import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import OpenAI from 'openai';
import { freePort } from '../../infra/offline/serverless-process.ts';
import { newProjectKey } from '../ai/project-key.ts';
import { eventually } from '../database/test-queues.ts';
import { type BuilderHost, configMap, type MadeAgent, makeAgent, makeGenerator, makeStack, ok, submit } from '../fleet/fleet-builder.ts';
import { api } from '../harness/client.ts';

const PAK = /brokkr_\S+/;

function startOffline(port: string, onOutput: (text: string) => void): ChildProcess {
  const main = fileURLToPath(new URL('../../infra/offline/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', onOutput);
  return child;
}

test('serverless offline refuses a taken or malformed port in one line that names PORT', async () => {
  const taken = createServer().listen(0, '127.0.0.1');
  await once(taken, 'listening');
  const { port } = taken.address() as AddressInfo;
  const refusal = async (wanted: string) => {
    let output = '';
    const [code] = await once(
      startOffline(wanted, (text) => (output += text)),
      'close',
    );
    return { code, output };
  };
  const oneLine = expect.stringMatching(/^[^\n]*\bPORT\b[^\n]*\n$/);
  expect(await refusal(String(port))).toEqual({ code: 1, output: oneLine });
  expect(await refusal('abc')).toEqual({ code: 1, output: oneLine });
  taken.close();
});

/** `npm run offline` as people start it: the functions of serverless.yml, bundled by esbuild, on the embedded engines. */
describe('serverless offline', () => {
  let offline: ChildProcess;
  let output = '';
  let url = '';
  let host: BuilderHost;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    offline = startOffline(String(port), (text) => (output += text));
    await eventually(async () => expect(output).toMatch(PAK), 200_000);
    const adminPak = PAK.exec(output)?.[0];
    host = { admin: api(url, adminPak), anonymous: api(url) };
  }, 210_000);
  afterAll(async () => {
    if (offline.exitCode !== null) return;
    offline.kill('SIGKILL');
    await once(offline, 'exit');
  });

  test('serverless offline shows its address and key when it answers, after the output of the plugin', () => {
    expect(output.slice(output.indexOf('Server ready'))).toContain(`The API answers on ${url}`);
  });

  test('serverless offline answers a call without a key with an empty 401', async () => {
    expect(await host.anonymous.get('/agents')).toMatchObject({ status: 401, text: '' });
    expect(await host.anonymous.patch('/agents')).toMatchObject({ status: 401, text: '' });
  });

  test('serverless offline answers an unknown method with 405 and an unknown path with 404', async () => {
    expect(await host.admin.patch('/agents')).toMatchObject({ status: 405, text: '', headers: { allow: 'GET, HEAD, POST' } });
    expect((await host.admin.get('/nothing')).status).toBe(404);
  });

  test('serverless offline passes bodies unchanged: a bare JSON string, YAML and none', async () => {
    const stack = await makeStack(host, await makeGenerator(host), { labels: ['team'] });
    const yaml = `${configMap('one')}data: {k: "ü"}\n`;
    const object = await ok(host.admin.post(`/stacks/${stack.id}/deployment-objects`, yaml, { contentType: 'application/yaml' }));
    expect(object.yaml_content).toBe(yaml);
    expect(await ok(host.admin.post('/auth/pak'))).toMatchObject({ admin: true });
    expect((await host.admin.post('/stacks', '{bad', { contentType: 'application/json' })).status).toBe(400);
  });

  test('serverless offline keeps a slash inside a path parameter', async () => {
    const stack = await makeStack(host, await makeGenerator(host), {});
    await ok(host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: 'example.com/team', value: 'v' }));
    expect((await host.admin.delete(`/stacks/${stack.id}/annotations/example.com%2Fteam`)).status).toBe(204);
    expect(await ok(host.admin.get(`/stacks/${stack.id}/annotations`))).toEqual([]);
  });

  test('serverless offline routes paths that end in a slash', async () => {
    const { agent } = await ok(host.admin.post('/agents', { name: 'a', cluster_name: 'c' }));
    expect(await ok(host.admin.get('/agents/?name=a&cluster_name=c'))).toMatchObject({ id: agent.id });
    expect((await fetch(`${url}/swagger-ui/`)).headers.get('content-type')).toMatch('text/html');
  });

  test('serverless offline answers OpenAI’s client with a key that a new user has made, whole and as a stream, and keeps the record', async () => {
    const { key, account } = await newProjectKey({ url });
    const openai = new OpenAI({ apiKey: key, baseURL: `${url}/v1`, maxRetries: 0 });
    const ask = { model: 'simulated/echo', messages: [{ role: 'user' as const, content: 'Hello there' }] };
    const answer = await openai.chat.completions.create(ask);
    expect(answer).toMatchObject({ choices: [{ finish_reason: 'stop' }], brokle: { provider: 'simulated' } });
    let text = '';
    for await (const chunk of await openai.chat.completions.create({ ...ask, stream: true })) text += chunk.choices[0]?.delta.content ?? '';
    expect(text).toBe(answer.choices[0]?.message.content);
    await eventually(async () => expect((await account.api.get('/analytics/requests')).body.data).toHaveLength(2), 30_000);
    const { data } = (await account.api.get('/analytics/requests')).body;
    expect(data).toMatchObject([{ outcome: 'success' }, { outcome: 'success', cost_usd: Object(answer).brokle.cost }]);
  }, 60_000);

  test('serverless offline notifies many agents through the queue', async () => {
    const generator = await makeGenerator(host);
    const crowd: MadeAgent[] = [];
    for (let n = 0; n < 52; n++) crowd.push(await makeAgent(host, { generators: [generator], labels: ['crowd'] }));
    const stack = await makeStack(host, generator, { labels: ['crowd'] });
    await submit(host, stack.id, configMap('two'));
    await eventually(async () => expect((await crowd[51]?.assignments())?.get(stack.id)).toMatchObject({ state: 'assigned' }), 20_000);
  }, 60_000);

  test('Ctrl-C ends serverless offline and everything that it has started', async () => {
    offline.kill('SIGINT');
    const [code] = await once(offline, 'exit');
    expect(code).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
