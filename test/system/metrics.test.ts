import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
let ahead = 0;
const clock: Clock = {
  ...systemClock,
  nowMs: () => systemClock.nowMs() + ahead,
  monotonicMs: () => systemClock.monotonicMs() + ahead,
};
beforeAll(async () => {
  host = await startTestHost({ clock });
});
afterAll(() => host.stop());

const metrics = async () => (await host.root.get('/metrics')).text;
const value = (text: string, series: string) =>
  text
    .split('\n')
    .find((line) => line.startsWith(`${series} `))
    ?.slice(series.length + 1);

test('metrics have exactly the content type that old scrapers expect', async () => {
  const { status, headers } = await host.root.get('/metrics');
  expect([status, headers['content-type']]).toEqual([200, 'text/plain; version=0.0.4']);
});

test('every line of the metrics is a comment or a sample of a declared metric', async () => {
  const lines = (await metrics()).split('\n').filter(Boolean);
  const declared = new Set(lines.flatMap((line) => /^# TYPE (\S+) (?:counter|gauge|histogram)$/.exec(line)?.[1] ?? []));
  for (const line of lines.filter((line) => !line.startsWith('#'))) {
    const name = /^([a-z_]+)(\{[^}]*\})? [0-9.e+-]+$/.exec(line)?.[1];
    expect({ line, declared: name !== undefined && declared.has(name.replace(/_(bucket|sum|count)$/, '')) }).toEqual({
      line,
      declared: true,
    });
  }
});

test('the gauges of the fleet exist from the start and are at most half a minute old', async () => {
  for (const gauge of ['brokkr_active_agents', 'brokkr_stacks_total', 'brokkr_deployment_objects_total']) {
    expect(value(await metrics(), gauge)).toBe('0');
  }
  const { body: agent } = await host.admin.post('/agents', { name: 'a', cluster_name: 'c' });
  await host.admin.put(`/agents/${agent.agent.id}`, { status: 'ACTIVE' });
  await host.anonymous.as(agent.initial_pak).post(`/agents/${agent.agent.id}/heartbeat`, {});
  const { body: owner } = await host.admin.post('/generators', { name: 'g' });
  const { body: stack } = await host.admin.post('/stacks', { name: 's', generator_id: owner.generator.id });
  for (const name of ['one', 'two']) {
    await host.admin.post(`/stacks/${stack.id}/deployment-objects`, {
      yaml_content: `apiVersion: v1\nkind: ConfigMap\nmetadata: { name: ${name} }\n`,
    });
  }
  expect(value(await metrics(), 'brokkr_active_agents')).toBe('0');
  ahead += 30_000;
  const text = await metrics();
  expect(value(text, 'brokkr_active_agents')).toBe('1');
  expect(value(text, 'brokkr_stacks_total')).toBe('1');
  expect(value(text, 'brokkr_deployment_objects_total')).toBe('2');
  const age = Number(value(text, `brokkr_agent_heartbeat_age_seconds{agent_id="${agent.agent.id}",agent_name="a"}`));
  expect(age).toBeGreaterThanOrEqual(29);
  expect(age).toBeLessThan(60);
});

test('requests are counted by endpoint, method and status, with ids and unknown paths combined', async () => {
  await host.admin.get('/agents/00000000-0000-4000-8000-000000000000');
  await host.root.get('/no/such/path');
  const text = await metrics();
  expect(value(text, 'brokkr_http_requests_total{endpoint="/api/v1/agents/:id",method="GET",status="404"}')).toBe('1');
  expect(value(text, 'brokkr_http_requests_total{endpoint="unmatched",method="GET",status="404"}')).toBe('1');
  expect(value(text, 'brokkr_http_request_duration_seconds_bucket{le="0.001",endpoint="unmatched",method="GET"}')).toBeDefined();
});

test('a scrape of metrics without the store returns the last known values', async () => {
  process.kill(host.engines.dynamoDbPid ?? 0, 'SIGKILL');
  ahead += 30_000;
  const { status, text } = await host.root.get('/metrics');
  expect([status, value(text, 'brokkr_active_agents')]).toEqual([200, '1']);
});
