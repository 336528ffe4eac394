import { rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import type { Api } from '../harness/client.ts';
import { type HostProcess, runHost, startHostProcess, temporaryDataDir } from '../harness/host-process.ts';

/** `npm start -- --try`, from the first key to applied objects. */
let dataDir: string;
let host: HostProcess;
beforeAll(async () => {
  dataDir = await temporaryDataDir();
  host = await startHostProcess({ dataDir, args: ['--try'] });
});
afterAll(async () => {
  host.kill('SIGKILL');
  await host.ended;
  await rm(dataDir, { recursive: true, force: true });
});

const agentIdOf = (one: HostProcess) => /^Its id: (\S+)$/m.exec(one.stdout())?.[1] ?? '';

/** Waits for the agent's SUCCESS on a deployment object after that time. Equal reports are one event with a new time. */
async function success(admin: Api, agentId: string, deploymentObjectId: string, after = '') {
  for (const deadline = performance.now() + 20_000; ; await new Promise((resolve) => setTimeout(resolve, 100))) {
    const events: { deployment_object_id: string; status: string; updated_at: string }[] = (await admin.get(`/agents/${agentId}/events`))
      .body;
    const found = events.find(
      (event) => event.deployment_object_id === deploymentObjectId && event.status === 'SUCCESS' && event.updated_at > after,
    );
    if (found) return found;
    if (performance.now() > deadline) throw new Error(`no success among ${JSON.stringify(events)}`);
  }
}

test('the try-out agent applies and reports a posted stack, and the output says that its cluster is in memory', async () => {
  expect(host.stdout()).toContain('works on a cluster in memory');
  const agentId = agentIdOf(host);
  const { body: generators } = await host.admin.get('/generators');
  const owner = generators.find(({ name }: { name: string }) => name === 'admin-generator');
  const { body: stack } = await host.admin.post('/stacks', { name: 'hello', generator_id: owner.id });
  expect((await host.admin.post(`/agents/${agentId}/targets`, { agent_id: agentId, stack_id: stack.id })).status).toBe(201);
  const yaml = 'apiVersion: v1\nkind: ConfigMap\nmetadata:\n  name: hello\n  namespace: default\ndata:\n  greeting: hi\n';
  const { body: object } = await host.admin.post(`/stacks/${stack.id}/deployment-objects`, yaml, { contentType: 'application/yaml' });
  await success(host.admin, agentId, object.id);
});

test("only its owner may read the try-out agent's key, and the next start uses it with an empty cluster", async () => {
  expect((await stat(join(dataDir, 'try-out-memory.pak'))).mode & 0o077).toBe(0);
  const agentId = agentIdOf(host);
  const [event] = (await host.admin.get(`/agents/${agentId}/events`)).body;
  const { adminPak } = host;
  host.kill('SIGTERM');
  expect(await host.ended).toEqual({ code: 0, signal: null });

  const restarted = new Date().toISOString();
  host = await startHostProcess({ dataDir, args: ['--try'], adminPak });
  expect(agentIdOf(host)).toBe(agentId);
  await success(host.admin, agentId, event.deployment_object_id, restarted);
});

test('a start with a missing kubeconfig fails instead of using a cluster in memory', async () => {
  const { code, stdout, stderr } = await runHost({ args: ['--port', '0', '--try', '--kubeconfig', '/no/such/kubeconfig'] });
  expect([code, stdout]).toEqual([1, '']);
  expect(stderr).toContain('the try-out agent cannot be started');
});

const deadKubeconfig = (server: string) => `apiVersion: v1
kind: Config
clusters: [{ name: dead, cluster: { server: "${server}" } }]
users: [{ name: me, user: { token: none } }]
contexts: [{ name: dead, context: { cluster: dead, user: me } }]
current-context: dead
`;

test('a dead API server is reported in one sentence, and the agent keeps trying', async () => {
  const folder = await temporaryDataDir();
  const kubeconfig = join(folder, 'kubeconfig');
  await writeFile(kubeconfig, deadKubeconfig('https://127.0.0.1:9'));
  const one = await startHostProcess({ args: ['--try', '--kubeconfig', kubeconfig] });
  expect(one.stdout()).toMatch(
    /^The agent "try-out" can't reach the cluster of your kubeconfig \(.*ECONNREFUSED.*\) and keeps trying: check that its API server runs\.$/m,
  );
  expect(one.stdout()).not.toContain('what you deploy to it is real');
  expect(one.adminPak).not.toBe('');
  for (const deadline = performance.now() + 10_000; !one.stderr().includes('inventories_not_read'); ) {
    if (performance.now() > deadline) throw new Error('the agent never logged that it cannot read its cluster');
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  one.kill('SIGKILL');
  await one.ended;
  expect(one.stderr()).not.toContain('"stack"');
  await rm(folder, { recursive: true });
});
