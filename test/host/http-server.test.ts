import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';

let host: TestHost;
beforeAll(async () => {
  host = await startTestHost();
});
afterAll(() => host.stop());

test('an admin creates an agent, and the agent polls for its assignments', async () => {
  const { status, body } = await host.admin.post('/agents', { name: 'a', cluster_name: 'c' });
  expect(status).toBe(201);
  const agent = host.anonymous.as(body.initial_pak);
  const first = await agent.get(`/agents/${body.agent.id}/assignments`);
  expect(first.status).toBe(200);
  const again = await agent.get(`/agents/${body.agent.id}/assignments`, { headers: { 'if-none-match': first.headers.etag } });
  expect(again).toMatchObject({ status: 304, text: '' });
});
