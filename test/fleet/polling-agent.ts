import type { KnownAssignments } from '../../agent/control-plane/control-plane.ts';
import { wholeAssignments } from '../../agent/control-plane/whole-assignments.ts';
import { findAgentAccount } from '../../lib/fleet/agents/agent-repository.ts';
import type { FleetPorts } from '../../lib/fleet/fleet-ports.ts';
import type { Assignment } from '../../lib/fleet/protocol/agent-protocol.ts';
import { takeAssignments } from '../../lib/fleet/targeting/assignments.ts';
import type { Database } from '../../lib/platform/database/database.ts';

/** Makes numbers in [0, 1) that are the same in every run (mulberry32). */
export function seededRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Returns the same store, but each read waits for `late` first. */
export function withLateReads(database: Database, late: (pk: string) => Promise<void>): Database {
  return {
    ...database,
    get: (table, key) => late(key.pk).then(() => database.get(table, key)),
    batchGet: (table, keys) => late('').then(() => database.batchGet(table, keys)),
    query: (table, options) => late(options.pk).then(() => database.query(table, options)),
    transactGet: (table, keys) => late('').then(() => database.transactGet(table, keys)),
  };
}

/** An agent that polls with its revision and reads answers with the agent's own code, but applies nothing. */
export interface PollingAgent {
  id: string;
  poll(how?: { whole?: boolean }): Promise<'unchanged' | readonly Assignment[]>;
  held(): readonly Assignment[];
}

export function createPollingAgent(ports: FleetPorts, id: string): PollingAgent {
  let known: KnownAssignments | undefined;
  return {
    id,
    async poll({ whole = false } = {}) {
      const answer = await wholeAssignments(whole ? undefined : known, async (query, etag) => {
        const account = await findAgentAccount(ports.database, id);
        if (!account) throw new Error('the agent is gone');
        if (etag === `"${account.revision}"`) return 'unchanged';
        const value = await takeAssignments(ports, { ...account, id }, query);
        return { etag: `"${value.revision}"`, value };
      });
      if (answer === 'unchanged') return answer;
      known = answer;
      return answer.value.assignments;
    },
    held: () => known?.value.assignments ?? [],
  };
}
