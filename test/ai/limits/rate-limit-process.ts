import { createRateLimits } from '../../../lib/ai/limits/rate-limits.ts';
import { createDatabase } from '../../../lib/platform/database/document-client.ts';
import { isAppError } from '../../../lib/platform/errors.ts';

/** One instance of the gateway: makes calls of one subject side by side, and prints how many were let through. */
const [endpoint = '', subject = '', limit = '', calls = '', nowMs = ''] = process.argv.slice(2);
const database = createDatabase({ endpoint });
const limits = createRateLimits({ database, clock: { nowMs: () => Number(nowMs) }, log: { warn() {} } });
let admitted = 0;
let left = Number(calls);
const worker = async () => {
  while (left-- > 0) {
    try {
      await limits.admit(subject, Number(limit), { withoutStore: 'closed' });
      admitted += 1;
    } catch (error) {
      if (!isAppError(error, 'rate_limited')) throw error;
    }
  }
};
await Promise.all(Array.from({ length: 32 }, worker));
console.log(admitted);
database.close();
