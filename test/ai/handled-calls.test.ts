import { afterAll, beforeAll, expect, test } from '@jest/globals';
import { createTables } from '../../infra/host/engines/create-tables.ts';
import { callLogTable, callPks } from '../../lib/ai/records/call-log-table.ts';
import type { CallRecord } from '../../lib/ai/records/call-record.ts';
import { findTrace } from '../../lib/ai/records/find-trace.ts';
import { handleCalls } from '../../lib/ai/records/handle-calls.ts';
import { costOfRow } from '../../lib/ai/records/rollups/fold-records.ts';
import { HISTOGRAM_PREFIX, percentile } from '../../lib/ai/records/rollups/rollup-histogram.ts';
import { type Dimension, type Grain, rollupPk, rollupTable } from '../../lib/ai/records/rollups/rollup-table.ts';
import type { Database, Write } from '../../lib/platform/database/database.ts';
import { createDatabase } from '../../lib/platform/database/document-client.ts';
import { dynamoDbClient } from '../../lib/platform/database/dynamodb-client.ts';
import { workTable } from '../../lib/platform/events/work-table.ts';
import { newId } from '../../lib/platform/ids.ts';
import { patientTransport, startTestDynamoDb } from '../database/test-dynamodb.ts';
import { callRecord } from './call-records.ts';
import { standingClock } from './limits/usage-store.ts';

let database: Database;
const undo: (() => unknown)[] = [];
beforeAll(async () => {
  const engine = await startTestDynamoDb();
  const raw = dynamoDbClient({ endpoint: engine.endpoint, transport: patientTransport });
  await createTables(raw, [rollupTable, callLogTable, workTable], (name) => name);
  const opened = createDatabase({ endpoint: engine.endpoint, transport: patientTransport });
  database = opened;
  undo.push(engine.stop, () => raw.destroy(), opened.close);
}, 30_000);
afterAll(async () => {
  for (const step of undo.toReversed()) await step();
});

const START = Date.UTC(2026, 0, 1, 12, 0);
const ports = (over: Partial<{ database: Database }> = {}) => ({
  database,
  clock: standingClock(START),
  retentionDays: 30,
  noteKeyUse: async () => {},
  ...over,
});
/** Calls of one project, a second apart. */
const callsOf = (project_id: string, count: number, change: (n: number) => Partial<CallRecord> = () => ({})) =>
  Array.from({ length: count }, (_, n) =>
    callRecord({ project_id, request_id: `req_${n}`, trace_id: `trace-${n}`, started_ms: START + n * 1_000, ...change(n) }),
  );
const rows = async (project: string, grain: Grain, dimension: Dimension) =>
  (await database.query(rollupTable.name, { pk: rollupPk(project, grain, dimension) })).items;
const logged = async (project: string) =>
  (await Promise.all(callPks(project).map((pk) => database.query(callLogTable.name, { pk })))).flatMap(({ items }) => items);

test('a batch that is delivered three times leaves the same log and the same totals, to the last digit', async () => {
  const project = newId();
  const batch = { id: newId(), records: callsOf(project, 100, (n) => ({ cost_pico_usd: String(37_500_000_000_000_000n + BigInt(n)) })) };
  for (let delivery = 0; delivery < 3; delivery++) await handleCalls(ports(), batch);
  expect(await logged(project)).toHaveLength(100);
  for (const grain of ['hour', 'day'] as const) {
    const [row] = await rows(project, grain, 'all');
    expect(row).toMatchObject({ requests: 100, outcome_success: 100, prompt_tokens: 900, completion_tokens: 1_200 });
    expect(costOfRow(row ?? {})).toBe(3_750_000_000_000_000_000n + 4_950n);
  }
});

test('two calls to which their caller gave one id at the same moment hold up none of their batch, and both count', async () => {
  const project = newId();
  const [first, ...others] = callsOf(project, 5);
  if (!first) throw new Error('no call');
  await handleCalls(ports(), { id: newId(), records: [first, { ...first }, ...others] });
  expect(await logged(project)).toHaveLength(5);
  expect(await rows(project, 'day', 'all')).toMatchObject([{ requests: 6 }]);
});

test('a batch of which a part was counted before a crash is counted whole afterwards, and not twice', async () => {
  const project = newId();
  // So many keys that the rows don't fit into one transaction.
  const batch = { id: newId(), records: callsOf(project, 120, (n) => ({ api_key_id: `key-${n}` })) };
  let transactions = 0;
  const dying: Database = {
    ...database,
    transact: async (writes: readonly Write[]) => {
      const counts = writes.some((write) => 'update' in write);
      if (counts && ++transactions === 2) throw new Error('the process died');
      return database.transact(writes);
    },
  };
  await expect(handleCalls(ports({ database: dying }), batch)).rejects.toThrow('died');
  await handleCalls(ports(), batch);
  expect(await rows(project, 'day', 'all')).toMatchObject([{ requests: 120 }]);
  expect((await rows(project, 'day', 'api_key')).map(({ requests }) => requests)).toEqual(Array(120).fill(1));
});

test('the sums by provider and by model are the total, in every grain', async () => {
  const project = newId();
  const records = callsOf(project, 60, (n) => ({
    provider: n % 2 ? 'openai' : 'anthropic',
    model: `m-${n % 3}`,
    cost_pico_usd: String(n * 1_000_003),
    started_ms: START + n * 61_000,
  }));
  await handleCalls(ports(), { id: newId(), records });
  const total = records.reduce((sum, { cost_pico_usd }) => sum + BigInt(cost_pico_usd), 0n);
  for (const grain of ['minute', 'quarter', 'hour', 'day'] as const)
    for (const dimension of ['all', 'provider', 'model', 'api_key'] as const) {
      const sum = (await rows(project, grain, dimension)).reduce((costs, row) => costs + costOfRow(row), 0n);
      expect({ grain, dimension, sum }).toEqual({ grain, dimension, sum: total });
    }
  expect((await rows(project, 'minute', 'all')).length).toBe(60);
});

test('percentiles of merged rows are within a tenth of the true ones', async () => {
  const project = newId();
  await handleCalls(ports(), {
    id: newId(),
    records: callsOf(project, 100, (n) => ({ latency_ms: (n + 1) * 10, started_ms: START + n * 60_000 })),
  });
  const merged = await rows(project, 'hour', 'all');
  for (const [part, true_ms] of [
    [0.5, 500],
    [0.95, 950],
    [0.99, 990],
  ] as const) {
    const found = percentile(merged, HISTOGRAM_PREFIX, part) ?? 0;
    expect(Math.abs(found - true_ms) / true_ms).toBeLessThan(0.1);
  }
});

test('a trace has the call, its routing, and each attempt with the time of its provider', async () => {
  const project = newId();
  const attempt = callRecord().attempts[0];
  const failed = {
    ...attempt,
    provider: 'openai',
    model: 'm',
    status_code: 502,
    error: 'down',
    started_ms: START,
    latency_ms: 5,
    first_byte_ms: null,
    cost_pico_usd: '0',
    health: 'failure' as const,
  };
  await handleCalls(ports(), {
    id: newId(),
    records: callsOf(project, 1, () => ({ attempts: [failed, ...callRecord().attempts], cache: 'MISS' })),
  });
  const spans = await findTrace(database, project, 'trace-0', START);
  expect(spans.map(({ name, status }) => `${name}: ${status}`)).toEqual([
    'chat simulated/echo: ok',
    'route: ok',
    'cache: ok',
    'attempt 1: error',
    'attempt 2: ok',
    'upstream 2: ok',
  ]);
  expect(spans[5]?.parent_span_id).toBe(spans[4]?.span_id);
  expect(new Set(spans.map(({ span_id }) => span_id)).size).toBe(6);
});
