import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

/** The files that write without `commit`, each with the reason why its writes need no audit entry. */
const DIRECT_WRITERS: Record<string, string> = {
  'functions/system/readiness.ts': 'a probe whether the store can be written',
  'lib/ai/cache/answer-cache.ts': 'an answer is kept for a while to be given again',
  'lib/ai/cache/similar-answers.ts': 'a question is kept with its answer',
  'lib/ai/limits/budget-counter.ts': 'settling a call is bookkeeping',
  'lib/ai/limits/rate-limits.ts': 'counting a call is bookkeeping',
  'lib/ai/routing/configuration/clear-configuration.ts': 'follows from a removal that has its audit entry',
  'lib/ai/routing/health/share-health.ts': 'health of providers is telemetry; what its owner must know has its audit entry',
  'lib/ai/limits/reserve-budgets.ts': 'reserving for a call is bookkeeping',
  'lib/ai/limits/token-limits.ts': 'counting tokens is bookkeeping',
  'lib/ai/records/rollups/add-rollups.ts': 'a rollup counts what the records say',
  'lib/ai/records/store-calls.ts': 'a record of a call is telemetry',
  'lib/fleet/agent-events/agent-event-service.ts': 'an equal report changes only the time of the event',
  'lib/fleet/agents/agent-heartbeat.ts': 'a heartbeat is telemetry',
  'lib/fleet/fleet-summary.ts': 'the counts can be counted again',
  'lib/fleet/removal/clear-agent.ts': 'follows from a removal that has its audit entry',
  'lib/fleet/removal/clear-stack.ts': 'follows from a removal that has its audit entry',
  'lib/fleet/targeting/assignments.ts': 'an assignment that an agent received is bookkeeping',
  'lib/fleet/targeting/match-edges.ts': 'edges follow the change that they are derived from',
  'lib/fleet/targeting/notify-agents.ts': 'a new revision only makes an agent read its assignments',
  'lib/fleet/targeting/target-service.ts': 'a target goes with its stack, whose removal has its audit entry',
  'lib/fleet/work-orders/dispatch/nudge-agent.ts': 'a nudge only makes an agent look for work orders',
  'lib/identity/accounts/sessions/tries.ts': 'counters of failed tries follow no change, and expire',
  'lib/identity/api-keys/key-use.ts': 'the time of the last use is telemetry',
  'lib/identity/bootstrap.ts': 'the first start has no caller',
  'lib/identity/removal/clear-account.ts': 'follows from a removal that has its audit entry',
  'lib/platform/events/outbox.ts': 'an event leaves the outbox',
  'lib/platform/events/sweep-outbox.ts': 'an event leaves the outbox, or is postponed',
};

const ROOT = resolve(import.meta.dirname, '../..');
const sources = ['lib', 'functions'].flatMap((folder) =>
  readdirSync(join(ROOT, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && entry.name.endsWith('.ts'))
    .map((entry) => relative(ROOT, join(entry.parentPath, entry.name))),
);

test('only the listed files write to the store without `commit`', () => {
  const writers = sources.filter(
    (file) =>
      !file.startsWith('lib/platform/database/') && /database\.(write|putAll|transact)\(/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(writers.sort()).toEqual(Object.keys(DIRECT_WRITERS).sort());
});
