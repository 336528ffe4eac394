import * as z from 'zod';
import { createReservations } from '../../../lib/ai/limits/reservations.ts';
import { systemClock } from '../../../lib/platform/clock.ts';
import { createDatabase } from '../../../lib/platform/database/document-client.ts';
import { isAppError } from '../../../lib/platform/errors.ts';

/**
 * One instance of the gateway. Each of its calls reserves an amount, and either settles it or, after the given number of answered calls, the
 * process kills itself with everything that is reserved. It prints a line for each call: what it spent, or `refused`.
 */
const Order = z.object({
  endpoint: z.string(),
  nowMs: z.number(),
  budgets: z.array(
    z.object({
      id: z.string(),
      scope: z.enum(['organization', 'project', 'api_key']),
      scope_id: z.string(),
      period: z.enum(['day', 'week', 'month']),
      limit_pico_usd: z.string().transform(BigInt),
    }),
  ),
  calls: z.int(),
  atOnce: z.int(),
  amount: z.string().transform(BigInt),
  spends: z.string().transform(BigInt),
  dieAfter: z.int().optional(),
});
const order = Order.parse(JSON.parse(process.argv[2] ?? ''));
const { budgets, amount, spends, dieAfter } = order;
const database = createDatabase({ endpoint: order.endpoint });
const clock = { ...systemClock, nowMs: () => order.nowMs };
const reserve = createReservations({ database, clock, log: { error: (event, fields) => console.error(event, fields) } });
const caller = { organization_id: 'org', key_id: 'key', tokens_per_minute: null };
let left = order.calls;
let answered = 0;
const worker = async () => {
  while (left-- > 0) {
    try {
      const reservation = await reserve({ request_id: 'r', cost_pico_usd: amount, tokens: 0, lease_ms: 60_000 }, budgets, caller);
      answered += 1;
      if (dieAfter !== undefined && answered > dieAfter) process.kill(process.pid, 'SIGKILL');
      // The upstream works for a while, so that many calls are reserved at the same time.
      await systemClock.sleep(20);
      await reservation.settle({ cost_pico_usd: spends, tokens: 0 });
      console.log(String(spends));
    } catch (error) {
      if (!isAppError(error) || error.kind !== 'quota_exceeded') throw error;
      console.log('refused');
    }
  }
};
await Promise.all(Array.from({ length: order.atOnce }, worker));
database.close();
