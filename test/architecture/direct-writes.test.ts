import { readdirSync, readFileSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { expect, test } from '@jest/globals';

/** Files that write without `commit`, each with the reason why nobody has to account for what it writes. */
const DIRECT_WRITERS: Record<string, string> = {
  'functions/system/readiness.ts': 'tries whether the store keeps anything at all',
  'lib/fleet/agent-events/agent-event-service.ts': 'an equal report moves the time of the event alone',
  'lib/fleet/agents/agent-heartbeat.ts': 'a heartbeat is telemetry',
  'lib/fleet/fleet-summary.ts': 'counts can be counted again',
  'lib/fleet/removal/clear-agent.ts': 'follows from a removal that has its audit entry',
  'lib/fleet/removal/clear-stack.ts': 'follows from a removal that has its audit entry',
  'lib/fleet/targeting/assignments.ts': 'what an agent was told is not a change',
  'lib/fleet/targeting/match-edges.ts': 'edges follow the change that they are derived from',
  'lib/fleet/targeting/notify-agents.ts': 'a revision says only that an agent has to look',
  'lib/fleet/targeting/target-service.ts': 'a target goes with its stack, whose removal has its audit entry',
  'lib/identity/bootstrap.ts': 'the first start has no caller',
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
    (file) => !file.startsWith('lib/platform/database/') && /database\.(write|transact)\(/.test(readFileSync(join(ROOT, file), 'utf8')),
  );
  expect(writers.sort()).toEqual(Object.keys(DIRECT_WRITERS).sort());
});
