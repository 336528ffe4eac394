import { expect, test } from '@jest/globals';
import { createRefusedCallRecords } from '../../lib/ai/records/refused-call-record.ts';
import { standingClock } from './limits/usage-store.ts';

const principal = {
  type: 'project-key' as const,
  key_id: 'key',
  key_name: 'k',
  project_id: 'project',
  organization_id: 'organization',
  plan: 'free',
  scopes: [],
  requests_per_minute: 100,
  tokens_per_minute: null,
  expires_at_ms: null,
};
const call = {
  request_id: 'r',
  operation: 'embeddings' as const,
  status_code: 429,
  outcome: 'rate_limited' as const,
  principal,
  error: 'the limit is reached',
};

test('the record of a refused call says which operation was refused, for whom and why', () => {
  expect(createRefusedCallRecords(standingClock(0))(call)).toMatchObject({
    operation: 'embeddings',
    outcome: 'rate_limited',
    status_code: 429,
    api_key_id: 'key',
    error: 'the limit is reached',
    cost_pico_usd: '0',
  });
});

test('a record of a refusal is small, whatever the refusal says', () => {
  const record = createRefusedCallRecords(standingClock(0))({ ...call, error: 'e'.repeat(1_000_000) });
  expect(JSON.stringify(record).length).toBeLessThan(2_000);
});

test('a client in a loop leaves sixty records of refusals in a minute, and other keys are not concerned', () => {
  const clock = standingClock(0);
  const recordOf = createRefusedCallRecords(clock);
  const made = Array.from({ length: 1_000 }, () => recordOf(call)).filter((record) => record !== undefined);
  expect(made).toHaveLength(60);
  expect(recordOf({ ...call, principal: { ...principal, key_id: 'another' } })).toBeDefined();
  clock.move(60_000);
  expect(recordOf(call)).toBeDefined();
});
