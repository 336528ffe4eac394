import { afterAll, beforeAll, describe, expect, test } from '@jest/globals';
import { startTestHost, type TestHost } from '../harness/host.ts';
import { configMap, makeTenant, type Tenant, unique } from './fleet-builder.ts';

let host: TestHost;
let tenant: Tenant;
let reads: string[];
let stored: boolean;
beforeAll(async () => {
  host = await startTestHost();
  tenant = await makeTenant(host);
  const { database } = host.app.services;
  const { get, transact } = database;
  database.get = (table, key) => {
    if (!stored) reads.push(key.sk);
    return get(table, key);
  };
  database.transact = async (writes) => {
    await transact(writes);
    // Reads of the notifications after the commit are not counted.
    stored = true;
  };
});
afterAll(() => host.stop());

const times = { created_at: '2026-01-01T00:00:00Z', updated_at: '2026-01-01T00:00:00Z' };

describe('the reads of a change of a stack', () => {
  const CHANGES: [what: string, change: () => Promise<{ status: number }>][] = [
    ['a read', () => tenant.generator.api.get(`/stacks/${tenant.stack.id}`)],
    [
      'a new deployment object',
      () => tenant.generator.api.post(`/stacks/${tenant.stack.id}/deployment-objects`, { yaml_content: configMap('a') }),
    ],
    [
      'a new name',
      () =>
        tenant.generator.api.put(`/stacks/${tenant.stack.id}`, {
          ...times,
          id: tenant.stack.id,
          name: unique('stack'),
          generator_id: tenant.generator.id,
        }),
    ],
    ['a label', () => tenant.generator.api.post(`/stacks/${tenant.stack.id}/labels`, unique('label'))],
    [
      'an annotation',
      () =>
        tenant.generator.api.post(`/stacks/${tenant.stack.id}/annotations`, { stack_id: tenant.stack.id, key: unique('key'), value: 'v' }),
    ],
    ['a removal', () => tenant.generator.api.delete(`/stacks/${tenant.stack.id}`)],
  ];
  test.each(CHANGES)('%s reads the stack once, for its owner and for the change', async (_what, change) => {
    [reads, stored] = [[], false];
    expect((await change()).status).toBeLessThan(300);
    expect(reads.filter((sk) => sk === tenant.stack.id)).toHaveLength(1);
  });
});
