import { openSync, writeSync } from 'node:fs';
import { queueGroups } from '../../functions/registry.ts';
import { startHost } from '../../infra/host/start-host.ts';
import { organizationKey } from '../../lib/identity/accounts/accounts-table.ts';
import { identityTable } from '../../lib/identity/identity-table.ts';
import { loadConfig } from '../../lib/platform/config.ts';
import { lineWriter } from '../../lib/platform/line-writer.ts';
import { createLog } from '../../lib/platform/log.ts';

/** The host with a project key and one provider, and everything on that is on by default. It logs each request, into nothing. */
const [, , upstream = '', records] = process.argv;
/** As on AWS, where another function stores the records: here they leave by the queue, and nobody stores them. */
const elsewhere = queueGroups.map((group) => ({ ...group, handler: async () => ({ batchItemFailures: [] }) }));
const nowhere = openSync('/dev/null', 'w');
const lines = lineWriter({ write: (text) => writeSync(nowhere, text) });
const host = await startHost({
  config: loadConfig({ ALLOW_PRIVATE_UPSTREAMS: '1' }),
  log: createLog({ write: lines.write }),
  ...(records === 'elsewhere' && { functions: { queueGroups: elsewhere } }),
});

async function post(path: string, body: unknown, token?: string) {
  const headers = { 'content-type': 'application/json', ...(token !== undefined && { authorization: `Bearer ${token}` }) };
  const response = await fetch(`${host.url}/api/v1${path}`, { method: 'POST', headers, body: JSON.stringify(body) });
  const text = await response.text();
  if (!response.ok) throw new Error(`${path}: ${response.status} ${text}`);
  return JSON.parse(text).data;
}
const { token, organization } = await post('/auth/register', {
  email: 'bench@example.com',
  name: 'Bench',
  password: 'correct horse battery',
});
// The free plan's limit of 100 calls a minute would be all that is measured.
const { database } = host.app.services;
await database.write({
  table: identityTable.name,
  update: organizationKey(organization.id),
  set: { plan: 'enterprise', requests_per_minute: 100_000_000 },
});
await post(
  '/routing/providers',
  { type: 'openai-compatible', id: 'mock', base_url: `${upstream}/v1`, api_key: 'sk-bench', models: [{ id: 'gpt-4o' }] },
  token,
);
const { key } = await post('/api-keys', { name: 'bench' }, token);
process.stdout.write(`${JSON.stringify({ url: host.url, key })}\n`);
const end = () => void host.stop().then(() => process.exit(0));
process.once('SIGTERM', end);
process.stdin.once('end', end).resume();
