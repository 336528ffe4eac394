import { expect, test } from '@jest/globals';
import { orderResult } from '../../../agent/work-orders/order-result.ts';
import { CompleteWorkOrder, type JobOutcome } from '../../../lib/fleet/protocol/work-order-protocol.ts';

const failedJob = (n: number, more: Partial<JobOutcome> = {}): JobOutcome => ({
  kind: 'Job',
  namespace: 'shop',
  name: `job-${n}`,
  outcome: 'failed',
  log_tail: `${'line\n'.repeat(3_000)}end ${n}\n`,
  ...more,
});
const facts = { applied: 20, attempt: 1, durationMs: 5 };
/** What the server accepts. */
const BODY_LIMIT_BYTES = 256 * 1024;

test.each<[string, Partial<JobOutcome>]>([
  ['long logs', {}],
  ['logs of control characters, which JSON writes with six characters each', { log_tail: '\u001b'.repeat(16_384) }],
  ['long messages', { message: '\u0001'.repeat(4_000), reason: '\u0002'.repeat(1_000) }],
])('a report of twenty failed Jobs with %s is small enough for the server and names all of them', (_what, more) => {
  const result = orderResult(
    Array.from({ length: 20 }, (_, n) => failedJob(n, more)),
    facts,
  );
  expect(CompleteWorkOrder.safeParse(result).success).toBe(true);
  expect(Buffer.byteLength(JSON.stringify(result))).toBeLessThan(BODY_LIMIT_BYTES);
  expect(result.details?.jobs.map(({ name }) => name)).toEqual(Array.from({ length: 20 }, (_, n) => `job-${n}`));
  expect(result.details?.jobs[0]).toEqual(failedJob(0, more));
  expect(result.details?.jobs.at(-1)).toMatchObject({ outcome: 'failed' });
});

test('a Job whose log has no room says so', () => {
  const { details } = orderResult(
    Array.from({ length: 20 }, (_, n) => failedJob(n)),
    facts,
  );
  const without = details?.jobs.filter(({ log_tail }) => log_tail === undefined) ?? [];
  expect(without.length).toBeGreaterThan(0);
  for (const job of without) expect(job.log_missing).toBe('the report has no room left for this log');
});
