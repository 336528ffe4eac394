/**
 * The rights of each function: for each table the actions that its code needs, for each queue `send` or `consume`, and for stored secrets
 * `seal` or `open`. Roles (roles.cjs) and alarms (alarms.cjs) are made from this list. test/infra runs every endpoint, consumer and schedule with these rights, and fails for a
 * missing right and for an unused one.
 */
const read = ['BatchGetItem', 'GetItem'];
const query = [...read, 'Query'];

/** Authentication reads the key and the agent's record, and writes the audit entry of a refused key. */
const authenticated = { identity: read, fleet: read, telemetry: ['PutItem'] };
/** A record for a generator is stored on the condition that the generator exists. */
const forGenerators = { identity: [...read, 'ConditionCheckItem'] };
/** Changes of which agents are notified go through the outbox: few agents are notified at once, many through a queue. */
const announcing = { ...authenticated, fleet: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'], work: ['PutItem', 'DeleteItem'] };
const announcements = { 'agent-fanout': ['send'] };
/** Agents are told of work orders through a queue. */
const dispatches = { 'work-order-dispatch': ['send'] };
/** A consumer deletes the items that a removal leaves behind. */
const removals = { 'clean-up': ['send'] };

/** An inference call reads its key, its project's settings and its providers' health, counts against limits and notes health. */
const calling = {
  tables: {
    identity: read,
    // A budget's counter is made on the condition that the budget exists.
    gateway: [...query, 'PutItem', 'UpdateItem', 'ConditionCheckItem'],
    usage: [...read, 'PutItem', 'UpdateItem'],
    telemetry: ['PutItem'],
    work: ['PutItem'],
  },
  queues: { 'call-records': ['send'] },
  // A project may want its payloads captured.
  sealing: ['open', 'seal'],
};

/** The dashboard counts the requests of each user and each address. */
const counted = { usage: ['UpdateItem'] };

module.exports = {
  organizations: {
    // A removal announces what is to be cleared away.
    tables: {
      ...counted,
      identity: [...query, 'ConditionCheckItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
      telemetry: ['PutItem'],
      work: ['PutItem'],
    },
    mail: true,
  },
  projects: {
    tables: { ...counted, identity: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'], telemetry: ['PutItem'], work: ['PutItem'] },
  },
  inference: calling,
  'inference-stream': calling,
  models: calling,
  route: calling,
  'call-log': { tables: { ...counted, identity: query, telemetry: ['Query'] } },
  'api-keys': {
    tables: {
      ...counted,
      identity: [...query, 'ConditionCheckItem', 'PutItem', 'UpdateItem', 'DeleteItem'],
      telemetry: ['PutItem'],
      work: ['PutItem'],
    },
  },
  budgets: {
    tables: {
      // The answer to a creation is kept for repetitions.
      identity: [...read, 'PutItem'],
      gateway: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'],
      // A changed limit changes the counter of its period too, or makes sure that there is none.
      usage: [...read, 'UpdateItem', 'DeleteItem', 'ConditionCheckItem'],
      telemetry: ['PutItem'],
    },
  },
  auth: { tables: { ...counted, identity: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'], telemetry: ['PutItem'] }, mail: true },
  // A new provider's key is sealed; planning opens the keys of the project's providers.
  routing: {
    tables: {
      ...counted,
      // The answer to a creation is kept for repetitions.
      identity: [...query, 'PutItem'],
      gateway: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'],
      telemetry: ['PutItem'],
    },
    sealing: ['seal', 'open'],
  },
  pak: { tables: { ...authenticated, identity: query } },
  agents: {
    tables: {
      ...announcing,
      identity: [...forGenerators.identity, 'PutItem', 'DeleteItem'],
      // A target is stored on the condition that its stack and the agent's registration exist.
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
    tables: {
      ...announcing,
      identity: [...query, 'ConditionCheckItem', 'PutItem', 'DeleteItem'],
      // A removed generator's orders are removed in the request if they are few. The children of one for all agents follow by its queue.
      work: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'],
    },
    queues: { ...removals, ...dispatches },
  },
  templates: {
    tables: {
      ...announcing,
      ...forGenerators,
      // A label is stored on the condition that its template exists.
      fleet: [...announcing.fleet, 'ConditionCheckItem'],
    },
    queues: announcements,
  },
  'work-orders': {
    tables: { ...authenticated, ...forGenerators, work: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'] },
    queues: dispatches,
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
  // Probes and pages don't use the store, so that they answer while it is unavailable.
  health: { tables: {} },
  readiness: { tables: { identity: read } },
  metrics: { tables: { fleet: ['GetItem', 'Query', 'UpdateItem'] } },
  openapi: { tables: {} },
  reference: { tables: {} },
  fallback: { tables: authenticated },
  'account-clean-up': {
    tables: { identity: ['Query', 'DeleteItem'], gateway: ['Query', 'DeleteItem'], work: ['PutItem'] },
    queues: { 'account-clean-up': ['consume'] },
  },
  'agent-fanout': {
    tables: { identity: read, fleet: [...query, 'UpdateItem', 'DeleteItem'], work: [...read, 'PutItem', 'DeleteItem'] },
    queues: { 'agent-fanout': ['consume', 'send'] },
  },
  'call-records': {
    tables: {
      identity: [...read, 'UpdateItem'],
      telemetry: ['BatchWriteItem'],
      gateway: ['BatchWriteItem'],
      usage: ['UpdateItem'],
      work: ['PutItem'],
    },
    queues: { 'call-records': ['consume'] },
  },
  'clean-up': {
    tables: {
      ...announcing,
      identity: read,
      fleet: [...query, 'UpdateItem', 'DeleteItem'],
      work: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'],
    },
    // The removal of a tenant removes its stacks and orders. Each stack may concern many agents and leaves items behind.
    queues: { 'agent-fanout': ['send'], ...dispatches, 'clean-up': ['consume', 'send'] },
  },
  'work-order-dispatch': {
    tables: { identity: read, fleet: [...query, 'UpdateItem'], work: [...query, 'PutItem', 'UpdateItem', 'DeleteItem'] },
    queues: { 'work-order-dispatch': ['consume', 'send'] },
  },
  'outbox-sweep': {
    tables: { identity: [...read, 'PutItem'], work: ['Query', 'PutItem', 'DeleteItem'] },
    queues: { ...announcements, ...removals, ...dispatches, 'account-clean-up': ['send'] },
  },
};
