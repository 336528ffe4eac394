import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { configMap, yaml } from './agent-world.ts';
import { type ScriptedControlPlane, startScriptedControlPlane } from './scripted-control-plane.ts';

let server: ScriptedControlPlane;
let folder: string;

beforeAll(async () => {
  server = await startScriptedControlPlane();
  folder = await mkdtemp(join(tmpdir(), 'brokkr-agent-'));
});
afterAll(async () => {
  await server.close();
  await rm(folder, { recursive: true, force: true });
});

/** The process itself, as the container runs it, on a cluster in its memory. */
function startProcess(over: Record<string, string> = {}): { child: ChildProcess; ended: Promise<{ code: number | null; output: string }> } {
  const environment = {
    BROKER_URL: server.url,
    PAK: server.pak,
    AGENT_NAME: 'edge',
    CLUSTER_NAME: 'test',
    CLUSTER: 'memory',
    HEALTH_PORT: '0',
    POLLING_INTERVAL: '0.2',
    STATE_DIR: folder,
    ...over,
  };
  const env = Object.fromEntries(Object.entries(environment).map(([name, value]) => [`BROKKR__AGENT__${name}`, value]));
  const child = spawn(process.execPath, ['agent/main.ts'], {
    env: { PATH: process.env.PATH ?? '', ...env },
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  let output = '';
  child.stdout.on('data', (chunk) => (output += chunk));
  child.stderr.on('data', (chunk) => (output += chunk));
  const ended = new Promise<{ code: number | null; output: string }>((resolve) => child.on('close', (code) => resolve({ code, output })));
  return { child, ended };
}

test('the process applies, reports, keeps its state, and ends cleanly when asked to', async () => {
  const reported = new Promise<void>((resolve) => {
    server.model.afterwards = (call) => void (call === 'report' && resolve());
  });
  server.model.post(server.model.newStack(), yaml({ ...configMap('a'), metadata: { name: 'a' } }));
  const { child, ended } = startProcess();
  await reported;
  child.kill('SIGTERM');
  const { code, output } = await ended;
  expect(code).toBe(0);
  expect(output).toContain('agent_stopped');
  expect(output).not.toContain(server.pak.split('_')[2]);
  expect(server.model.events).toMatchObject([{ status: 'SUCCESS' }]);
  expect((await readdir(folder)).sort()).toEqual(['bodies', 'state.json']);
});

test.each<{ what: string; over: Record<string, string>; words: string }>([
  {
    what: 'a key that nobody knows',
    over: { PAK: 'brokkr_BRother_1234567890123456789012' },
    words: 'does not know this key: check BROKKR__AGENT__PAK',
  },
  { what: 'no key', over: { PAK: '' }, words: 'BROKKR__AGENT__PAK' },
  {
    what: 'a control plane that is not there',
    over: { BROKER_URL: 'http://127.0.0.1:9', MAX_RETRIES: '0', STATE_DIR: '/nonexistent' },
    words: 'was not ready',
  },
])('with $what the process says so and ends with 1', async ({ over, words }) => {
  const { code, output } = await startProcess(over).ended;
  expect(code).toBe(1);
  expect(output).toContain(words);
  expect(output).not.toContain('"stack"');
});

test.each([404, 403])(
  'with a name that the control plane answers with %d, it names the settings to check and ends with 1',
  async (status) => {
    server.script.set('GET /agents/', { status, body: '{"code":"agent_not_found","message":"agent not found"}' });
    const { code, output } = await startProcess({ AGENT_NAME: 'edge-2' }).ended;
    server.script.clear();
    expect(code).toBe(1);
    expect(output).toMatch(/no agent ..edge-2.. in cluster ..test.. .*: check BROKKR__AGENT__AGENT_NAME and BROKKR__AGENT__CLUSTER_NAME/);
    expect(output).not.toContain('"stack"');
  },
);
