/**
 * What each function may do, and nothing else: by table the least actions its code needs, by queue `send` or `consume`. Roles are made
 * of it (roles.cjs), alarms too (alarms.cjs), and test/infra runs every endpoint, consumer and schedule under these rights: a missing
 * one fails there, and so does one that nothing uses.
 */
const read = ['BatchGetItem', 'GetItem'];
const query = [...read, 'Query'];

/** Who is asking: the key, the agent's record behind it, and the audit entry of a key that opens nothing. */
const authenticated = { identity: read, fleet: read, telemetry: ['PutItem'] };
/** What is made for a generator is made only while that is there. */
const forGenerators = { identity: [...read, 'ConditionCheckItem'] };
/** Changes that agents must hear of go through the outbox: settled at once where they concern few, else sent on and deleted. */
const announcing = { ...authenticated, fleet: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'], work: ['PutItem', 'DeleteItem'] };
const announcements = { 'agent-fanout': ['send'] };
/** A consumer clears away what a removal leaves behind. */
const removals = { 'clean-up': ['send'] };

module.exports = {
  pak: { tables: { ...authenticated, identity: query } },
  agents: {
    tables: {
      ...announcing,
      identity: [...forGenerators.identity, 'PutItem', 'DeleteItem'],
      // A target is added only while its stack and the agent's registration are there.
      fleet: [...announcing.fleet, 'ConditionCheckItem'],
    },
    queues: removals,
  },
  'agent-sync': {
    tables: { ...authenticated, fleet: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'], telemetry: [...query, 'PutItem', 'UpdateItem'] },
  },
  stacks: { tables: { ...announcing, ...forGenerators }, queues: { ...announcements, ...removals } },
  'deployment-objects': { tables: { ...announcing, fleet: [...query, 'PutItem', 'UpdateItem'] }, queues: announcements },
  generators: {
    tables: { ...announcing, identity: [...query, 'ConditionCheckItem', 'PutItem', 'DeleteItem'] },
    queues: removals,
  },
  admin: { tables: { ...authenticated, telemetry: ['BatchGetItem', 'PutItem', 'Query'] } },
  'deployments-v1': {
    tables: {
      ...announcing,
      identity: [...forGenerators.identity, 'PutItem', 'DeleteItem'],
      telemetry: [...query, 'PutItem', 'UpdateItem'],
    },
    queues: { ...announcements, ...removals },
  },
  // Probes and pages answer while the store is away: they have nothing to ask it.
  health: { tables: {} },
  readiness: { tables: { identity: read } },
  metrics: { tables: { fleet: ['GetItem', 'Query', 'UpdateItem'] } },
  openapi: { tables: {} },
  reference: { tables: {} },
  fallback: { tables: authenticated },
  'agent-fanout': {
    tables: { identity: read, fleet: [...query, 'UpdateItem', 'DeleteItem'], work: [...read, 'PutItem', 'DeleteItem'] },
    queues: { 'agent-fanout': ['consume', 'send'] },
  },
  'clean-up': {
    tables: { ...announcing, identity: read, fleet: [...query, 'UpdateItem', 'DeleteItem'], work: [...read, 'PutItem', 'DeleteItem'] },
    // Removing a tenant removes its stacks, each of which may concern a crowd and leaves things behind.
    queues: { 'agent-fanout': ['send'], 'clean-up': ['consume', 'send'] },
  },
  'outbox-sweep': {
    tables: { identity: [...read, 'PutItem'], work: ['Query', 'PutItem', 'DeleteItem'] },
    queues: { ...announcements, ...removals },
  },
};
