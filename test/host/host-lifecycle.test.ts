import { createHash } from 'node:crypto';
import { rm, stat, writeFile } from 'node:fs/promises';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from '@jest/globals';
import { type HostProcess, isAlive, runHost, startHostProcess, temporaryDataDir } from '../harness/host-process.ts';

/** The promises of `npm start`, tested on the process that people run. */
const PAK = /brokkr_[A-Za-z0-9]+_[A-Za-z0-9]+/g;
const hosts: HostProcess[] = [];
const folders: string[] = [];
afterEach(async () => {
  for (const host of hosts.splice(0)) {
    host.kill('SIGKILL');
    await host.ended;
  }
  for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true });
});
const folder = async () => {
  const dir = await temporaryDataDir();
  folders.push(dir);
  return dir;
};
async function start(options: Parameters<typeof startHostProcess>[0] = {}): Promise<HostProcess> {
  const host = await startHostProcess(options);
  hosts.push(host);
  return host;
}

/** Resolves when the process has ended. */
async function gone(pid: number): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (isAlive(pid)) {
    if (performance.now() > deadline) throw new Error(`process ${pid} is still there`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}

test('only the first start shows an admin key, which works on later starts too', async () => {
  const dataDir = await folder();
  const first = await start({ dataDir });
  expect(new Set(first.stdout().match(PAK))).toEqual(new Set([first.adminPak]));
  expect((await first.admin.get('/agents')).status).toBe(200);
  first.kill('SIGTERM');
  await first.ended;

  const second = await start({ dataDir, adminPak: first.adminPak });
  expect(second.stdout()).not.toMatch(PAK);
  expect((await second.admin.get('/agents')).status).toBe(200);
  for (const host of [first, second]) expect(host.stderr()).not.toContain(first.adminPak);
});

test('two first starts on one store mint one admin key', async () => {
  const store = await start();
  const endpoint = /"dynamodb":"([^"]+)"/.exec(store.stderr())?.[1] ?? '';
  const env = { DYNAMODB_ENDPOINT: endpoint, BROKKR_PREFIX: 'shared' };
  const both = await Promise.all([start({ env }), start({ env })]);
  expect(both.map(({ adminPak }) => adminPak).filter(Boolean)).toHaveLength(1);
});

test("a host uses other engines with the AWS SDK's own settings and credentials", async () => {
  const store = await start();
  const [, dynamodb, sqs] = /"dynamodb":"([^"]+)","sqs":"([^"]+)"/.exec(store.stderr()) ?? [];
  const credentials = { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' };
  const env = { AWS_ENDPOINT_URL_DYNAMODB: dynamodb ?? '', AWS_ENDPOINT_URL_SQS: sqs ?? '', ...credentials, BROKKR_PREFIX: 'sdk' };
  const host = await start({ env });
  expect(host.stderr()).toContain('"dynamodb":"sdk","sqs":"sdk"');
  expect((await host.admin.post('/agents', { name: 'a', cluster_name: 'c' })).status).toBe(201);
  const second = await start({ env, adminPak: host.adminPak });
  expect((await second.admin.get('/agents')).body).toHaveLength(1);
});

test('a start on existing data finds it and takes less than two seconds', async () => {
  const dataDir = await folder();
  const first = await start({ dataDir });
  const created = await first.admin.post('/agents', { name: 'a', cluster_name: 'c' });
  first.kill('SIGTERM');
  await first.ended;

  const times: number[] = [];
  // The machine may be busy with other work, so the best of three starts counts.
  while (times.length < 3 && !times.some((ms) => ms < 2_000)) {
    const next = await start({ dataDir, adminPak: first.adminPak });
    expect((await next.admin.get(`/agents/${created.body.agent.id}`)).body).toEqual(created.body.agent);
    times.push(next.startedInMs);
    next.kill('SIGTERM');
    await next.ended;
  }
  expect(Math.min(...times)).toBeLessThan(2_000);
});

test('no acknowledged write is lost if host and store are killed while writing', async () => {
  const dataDir = await folder();
  const first = await start({ dataDir });
  const acknowledged: string[] = [];
  const writer = async (name: string) => {
    for (let n = 0; ; n++) {
      const { status, body } = await first.admin.post('/agents', { name: `${name}-${n}`, cluster_name: 'c' });
      if (status === 201) acknowledged.push(body.agent.id);
      if (acknowledged.length === 40) {
        process.kill(first.dynamoDbPid, 'SIGKILL');
        first.kill('SIGKILL');
      }
    }
  };
  await Promise.allSettled([writer('a'), writer('b'), writer('c'), writer('d')]);
  await first.ended;
  expect(acknowledged.length).toBeGreaterThanOrEqual(40);

  const second = await start({ dataDir, adminPak: first.adminPak });
  const kept = new Set((await second.admin.get('/agents')).body.map(({ id }: { id: string }) => id));
  expect(acknowledged.filter((id) => !kept.has(id))).toEqual([]);
});

test('the store ends if its host is killed', async () => {
  const host = await start({ dataDir: await folder() });
  expect(isAlive(host.dynamoDbPid)).toBe(true);
  host.kill('SIGKILL');
  await host.ended;
  await gone(host.dynamoDbPid);
});

test('a host whose store dies logs that and ends', async () => {
  const host = await start();
  process.kill(host.dynamoDbPid, 'SIGKILL');
  expect(await host.ended).toEqual({ code: 1, signal: null });
  expect(host.stderr()).toContain('engine_died');
});

test.each(['SIGTERM', 'SIGINT'] as const)('%s stops host and store in good order', async (signal) => {
  const host = await start({ dataDir: await folder() });
  const idle = await host.admin.get('/agents');
  expect(idle.status).toBe(200);
  const asked = performance.now();
  host.kill(signal);
  expect(await host.ended).toEqual({ code: 0, signal: null });
  expect(performance.now() - asked).toBeLessThan(5_000);
  expect(isAlive(host.dynamoDbPid)).toBe(false);
  expect(host.stderr()).not.toContain('"level":"error"');
});

test('a signal during the start stops the host in good order', async () => {
  const { code, stderr } = await runHost({
    dataDir: await folder(),
    args: ['--port', '0'],
    signalOn: { text: 'engines_ready', signal: 'SIGTERM' },
  });
  expect(code).toBe(0);
  expect(stderr).toContain('"event":"stopping"');
  expect(stderr).not.toContain('"level":"error"');
});

test('one data folder serves one host at a time', async () => {
  const dataDir = await folder();
  await start({ dataDir });
  const second = await runHost({ dataDir, args: ['--port', '0'] });
  expect(second.code).toBe(1);
  expect(second.stderr).toContain(`another host is using ${dataDir}`);
});

test('a rotation of the admin key makes a new key work and the lost one stop', async () => {
  const dataDir = await folder();
  const first = await start({ dataDir });
  first.kill('SIGTERM');
  await first.ended;

  const { code, stdout } = await runHost({ dataDir, args: ['--rotate-admin-pak'] });
  const shown = stdout.match(PAK) ?? [];
  expect([code, shown.length]).toEqual([0, 1]);
  const second = await start({ dataDir });
  expect((await second.admin.as(shown[0]).get('/agents')).status).toBe(200);
  expect((await second.admin.as(first.adminPak).get('/agents')).status).toBe(401);
});

test('a rotation of the admin key says that the key of BROKKR_ADMIN_PAK_HASH still works', async () => {
  const dataDir = await folder();
  const env = { BROKKR_ADMIN_PAK_HASH: createHash('sha256').update('a'.repeat(32)).digest('hex') };
  const first = await start({ dataDir, env });
  first.kill('SIGTERM');
  await first.ended;

  const { stdout } = await runHost({ dataDir, env, args: ['--rotate-admin-pak'] });
  expect(stdout).toContain('the key of BROKKR_ADMIN_PAK_HASH still works');
  expect(stdout).not.toContain('no longer works');
  const second = await start({ dataDir, env });
  for (const pak of [stdout.match(PAK)?.[0], `brokkr_BRtest12_${'a'.repeat(32)}`])
    expect((await second.admin.as(pak).get('/agents')).status).toBe(200);
});

test.each([
  ['that keeps nothing', async () => ({}), /--ephemeral/],
  ['in an empty data folder', async () => ({ dataDir: await folder() }), /no store in .*BROKKR_DATA_DIR/],
])('a rotation of the admin key is refused for a store %s', async (_where, where, reason) => {
  const { code, stdout, stderr } = await runHost({ ...(await where()), args: ['--rotate-admin-pak'] });
  expect(code).toBe(1);
  expect(stdout).toBe('');
  expect(stderr).toMatch(reason);
});

test('a configured admin key works, and no other one is minted', async () => {
  const pak = `brokkr_BRtest12_${'a'.repeat(32)}`;
  const hash = createHash('sha256').update('a'.repeat(32)).digest('hex');
  const host = await start({ env: { BROKKR_ADMIN_PAK_HASH: hash } });
  expect(host.stdout()).not.toMatch(PAK);
  expect((await host.admin.as(pak).get('/agents')).status).toBe(200);
});

test('a start without an admin key says how to make one, and a start after that mentions the made one', async () => {
  const dataDir = await folder();
  const first = await start({ dataDir, env: { BROKKR_ADMIN_PAK_HASH: 'a'.repeat(64) } });
  expect(first.stdout()).not.toContain('--rotate-admin-pak');
  first.kill('SIGTERM');
  await first.ended;
  const second = await start({ dataDir });
  expect(second.stdout()).toMatch(/There is no admin key.*--rotate-admin-pak/);
  second.kill('SIGTERM');
  await second.ended;

  const { stdout } = await runHost({ dataDir, args: ['--rotate-admin-pak'] });
  const third = await start({ dataDir, adminPak: stdout.match(PAK)?.[0] ?? '' });
  expect(third.stdout()).not.toContain('There is no admin key');
  expect(third.stdout()).toMatch(/if it is lost: .*--rotate-admin-pak/);
  expect((await third.admin.get('/agents')).status).toBe(200);
});

test('only its owner may read the data folder', async () => {
  const dataDir = join(await folder(), 'data');
  await start({ dataDir });
  expect((await stat(dataDir)).mode & 0o077).toBe(0);
});

test.each([
  [['--port', 'eighty'], /PORT/],
  [['--what'], /--what/],
  [['--kubeconfig', '/nowhere'], /--try/],
])('a wrong command line (%j) is refused with its reason', async (args, reason) => {
  const { code, stderr } = await runHost({ args });
  expect(code).toBe(1);
  expect(stderr).toMatch(reason);
});

test('a start on a port in use fails, but a first start shows its admin key, which works later', async () => {
  const dataDir = await folder();
  const first = await start();
  const { code, stdout, stderr } = await runHost({ dataDir, args: ['--port', new URL(first.url).port] });
  expect(code).toBe(1);
  expect(stderr).toMatch(/^brokkr: cannot listen on 127\.0\.0\.1:\d+: another program is using it: choose .*PORT.*--port/m);
  const shown = stdout.match(PAK) ?? [];
  expect(shown).toHaveLength(1);
  const second = await start({ dataDir });
  expect(second.stdout()).not.toMatch(PAK);
  expect((await second.admin.as(shown[0]).get('/agents')).status).toBe(200);
});

test.each([
  ['DYNAMODB_ENDPOINT', {}],
  ['SQS_ENDPOINT', {}],
  ['AWS_ENDPOINT_URL_DYNAMODB', { AWS_ACCESS_KEY_ID: 'id', AWS_SECRET_ACCESS_KEY: 'secret', AWS_REGION: 'us-east-1' }],
])('a start with an engine that does not answer names the setting %s', async (name, env) => {
  const { code, stderr } = await runHost({ args: ['--port', '0'], env: { ...env, [name]: 'http://localhost:9' } });
  expect(code).toBe(1);
  expect(stderr).toMatch(new RegExp(`^brokkr: .*\\b${name}\\b.*ECONNREFUSED`, 'm'));
});

const hasIpv6 = Object.values(networkInterfaces()).some((addresses) => addresses?.some(({ family }) => family === 'IPv6'));

test.each([['0.0.0.0', 'http://127.0.0.1:'], ...(hasIpv6 ? [['::', 'http://[::1]:']] : [])])(
  'a host on %s says that it listens on every interface, and its links lead to this machine',
  async (address = '', link = '') => {
    const host = await start({ args: ['--host', address] });
    expect(host.stdout()).toMatch(/listens on every interface, port \d+$/m);
    expect(host.url).toContain(link);
    expect((await host.root.get('/healthz')).status).toBe(200);
  },
);

test('--help prints the options and ends', async () => {
  const { code, stdout } = await runHost({ args: ['--help'] });
  expect(code).toBe(0);
  expect(stdout).toContain('--rotate-admin-pak');
});

test('a start with a damaged queue file is refused', async () => {
  const dataDir = await folder();
  const first = await start({ dataDir });
  first.kill('SIGTERM');
  await first.ended;
  await writeFile(join(dataDir, 'queues', 'fauxqs.db'), 'no database '.repeat(1_000));
  const { code } = await runHost({ dataDir, args: ['--port', '0'] });
  expect(code).toBe(1);
});
