import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { freePort } from '../../infra/offline/serverless-process.ts';
import { eventually } from '../database/test-queues.ts';
import { type BuilderHost, configMap, type MadeAgent, makeAgent, makeGenerator, makeStack, ok, submit } from '../fleet/fleet-builder.ts';
import { api } from '../harness/client.ts';

const PAK = /brokkr_\S+/;

function startOffline(port: string, said: (text: string) => void): ChildProcess {
  const main = fileURLToPath(new URL('../../infra/offline/main.ts', import.meta.url));
  const child = spawn(process.execPath, [main], { env: { ...process.env, PORT: port }, stdio: ['ignore', 'pipe', 'pipe'] });
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', said);
  return child;
}

test('a port that is taken or none is refused in one line that names PORT, before anything starts', async () => {
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

/** `npm run offline` as people start it: serverless.yml, bundled by esbuild, on the embedded engines. */
describe('serverless offline', () => {
  let offline: ChildProcess;
  let output = '';
  let url = '';
  let host: BuilderHost;

  beforeAll(async () => {
    const port = await freePort();
    url = `http://127.0.0.1:${port}`;
    offline = startOffline(String(port), (text) => (output += text));
    await eventually(async () => expect(output).toMatch(PAK), 90_000);
    const adminPak = PAK.exec(output)?.[0];
    host = { admin: api(url, adminPak), anonymous: api(url) };
  }, 100_000);
  afterAll(async () => {
    if (offline.exitCode !== null) return;
    offline.kill('SIGKILL');
    await once(offline, 'exit');
  });

  test('address and key are shown once it answers, after all that serverless-offline has to say', () => {
    expect(output.slice(output.indexOf('Server ready'))).toContain(`The API answers on ${url}`);
  });

  test('a call without a key is refused without a word', async () => {
    expect(await host.anonymous.get('/agents')).toMatchObject({ status: 401, text: '' });
    expect(await host.anonymous.patch('/agents')).toMatchObject({ status: 401, text: '' });
  });

  test('a method that is not there is the function’s to refuse, a path that is not there the fallback’s', async () => {
    expect(await host.admin.patch('/agents')).toMatchObject({ status: 405, text: '', headers: { allow: 'GET, HEAD, POST' } });
    expect((await host.admin.get('/nothing')).status).toBe(404);
  });

  test('bodies arrive as they were sent: a bare JSON string, YAML, none at all', async () => {
    const stack = await makeStack(host, await makeGenerator(host), { labels: ['team'] });
    const yaml = `${configMap('one')}data: {k: "ü"}\n`;
    const object = await ok(host.admin.post(`/stacks/${stack.id}/deployment-objects`, yaml, { contentType: 'application/yaml' }));
    expect(object.yaml_content).toBe(yaml);
    expect(await ok(host.admin.post('/auth/pak'))).toMatchObject({ admin: true });
    expect((await host.admin.post('/stacks', '{bad', { contentType: 'application/json' })).status).toBe(400);
  });

  test('a slash in a parameter stays there', async () => {
    const stack = await makeStack(host, await makeGenerator(host), {});
    await ok(host.admin.post(`/stacks/${stack.id}/annotations`, { stack_id: stack.id, key: 'example.com/team', value: 'v' }));
    expect((await host.admin.delete(`/stacks/${stack.id}/annotations/example.com%2Fteam`)).status).toBe(204);
    expect(await ok(host.admin.get(`/stacks/${stack.id}/annotations`))).toEqual([]);
  });

  test('the search behind the trailing slash is reached', async () => {
    const { agent } = await ok(host.admin.post('/agents', { name: 'a', cluster_name: 'c' }));
    expect(await ok(host.admin.get('/agents/?name=a&cluster_name=c'))).toMatchObject({ id: agent.id });
    expect((await fetch(`${url}/swagger-ui/`)).headers.get('content-type')).toMatch('text/html');
  });

  test('what concerns a crowd goes through the queue to its function', async () => {
    const generator = await makeGenerator(host);
    const crowd: MadeAgent[] = [];
    for (let n = 0; n < 52; n++) crowd.push(await makeAgent(host, { generators: [generator], labels: ['crowd'] }));
    const stack = await makeStack(host, generator, { labels: ['crowd'] });
    await submit(host, stack.id, configMap('two'));
    await eventually(async () => expect((await crowd[51]?.assignments())?.get(stack.id)).toMatchObject({ state: 'assigned' }), 20_000);
  }, 60_000);

  test('Ctrl-C ends it and everything it has started', async () => {
    offline.kill('SIGINT');
    const [code] = await once(offline, 'exit');
    expect(code).toBe(0);
    await expect(fetch(`${url}/healthz`)).rejects.toThrow();
  });
});
