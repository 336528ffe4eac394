import { expect, test } from '@jest/globals';
import { ClusterError } from '../../agent/cluster/cluster.ts';
import { startHealthServer } from '../../agent/health-server.ts';
import { configMap, createAgentWorld, yaml } from './agent-world.ts';

test('the health server tells how the agent is, and its metrics by their names', async () => {
  const world = createAgentWorld();
  world.plane.post(world.plane.newStack(), yaml(configMap('a')));
  const agent = await world.start();
  const server = await startHealthServer({ agent, port: 0, host: '127.0.0.1', version: '1.2.3', clock: world.clock });
  const get = (path: string, method = 'GET') => fetch(`http://127.0.0.1:${server.port}${path}`, { method });
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(200);
  const health = await get('/health');
  expect([health.status, await health.json()]).toEqual([
    200,
    {
      status: 'healthy',
      kubernetes: { connected: true },
      broker: { connected: true, last_heartbeat: expect.any(String) },
      uptime_seconds: 0,
      version: '1.2.3',
      timestamp: expect.any(String),
    },
  ]);
  const metrics = await (await get('/metrics')).text();
  for (const name of [
    'brokkr_agent_poll_requests_total{status="success"} 1',
    'brokkr_agent_poll_duration_seconds_count 1',
    'brokkr_agent_kubernetes_operations_total{operation="apply"} 3',
    'brokkr_agent_kubernetes_operation_duration_seconds_count{operation="dry_run"} 1',
    'brokkr_agent_heartbeat_sent_total 1',
    'brokkr_agent_last_successful_poll_timestamp 1',
    'brokkr_agent_reconciles_total{step="apply",status="success"} 1',
  ]) {
    expect(metrics).toContain(name);
  }
  world.cluster.intercept = () => {
    throw new ClusterError('away', { status: 0, reason: 'Unreachable' });
  };
  expect((await get('/healthz')).status).toBe(200);
  expect((await get('/readyz')).status).toBe(503);
  expect((await get('/health')).status).toBe(503);
  expect((await get('/elsewhere')).status).toBe(404);
  expect((await get('/healthz', 'POST')).status).toBe(405);
  await server.close();
});
