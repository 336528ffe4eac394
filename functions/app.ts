import { findAgentAccount } from '../lib/fleet/agents/agent-repository.ts';
import { renderFleetError } from '../lib/fleet/fleet-errors.ts';
import { settleInline } from '../lib/fleet/targeting/fan-out.ts';
import { type AuditEntry, type AuditPorts, auditWrites } from '../lib/identity/audit.ts';
import { adminHashesOf, createAuthenticator } from '../lib/identity/authenticator.ts';
import { bootstrap } from '../lib/identity/bootstrap.ts';
import { DEVELOPMENT_PAK_HASH } from '../lib/identity/pak.ts';
import type { Principal } from '../lib/identity/principal.ts';
import { createRefusalAudit } from '../lib/identity/refusal-audit.ts';
import { telemetryTable } from '../lib/identity/telemetry-table.ts';
import { type Clock, systemClock } from '../lib/platform/clock.ts';
import { type Config, loadConfig } from '../lib/platform/config.ts';
import { createCommit } from '../lib/platform/database/commit.ts';
import { createDatabase, type DynamoDbOptions } from '../lib/platform/database/document-client.ts';
import { watchStorage } from '../lib/platform/database/storage-watch.ts';
import type { BatchPorts } from '../lib/platform/events/consumer.ts';
import { type RelayPorts, relay } from '../lib/platform/events/outbox.ts';
import { workTable } from '../lib/platform/events/work-table.ts';
import type { HttpHost } from '../lib/platform/http/http-function.ts';
import { createLog, type Log } from '../lib/platform/log.ts';
import { createMetrics } from '../lib/platform/metrics.ts';
import { createSqsQueues, sqsClient } from '../lib/platform/queue/sqs-queues.ts';
import { agentFanout } from './consumers/agent-fanout.ts';
import type { Services } from './services.ts';

export interface App extends HttpHost<Services, Principal>, Omit<BatchPorts, 'log'> {
  close(): Promise<void>;
}

export interface AppOptions {
  clock?: Clock;
  log?: Log;
  /** On the very first start, mint an admin key where none is configured. Only for a host that can show it to somebody. */
  mintAdminPak?: boolean;
  /** The folder of the embedded store, for the log. */
  storedIn?: string | undefined;
  /** For benchmarks: told what each call to the store cost. */
  onConsumed?: DynamoDbOptions['onConsumed'];
}

/** The dead-letter queue beside a queue. */
export const deadLetterQueue = (queue: string): string => `${queue}-dead`;

export async function compose(config: Config, options: AppOptions = {}): Promise<App> {
  const { clock = systemClock, log = createLog({ level: config.BROKKR_LOG_LEVEL }), onConsumed } = options;
  const adminHashes = adminHashesOf(config);
  const developmentKeyAccepted = adminHashes.includes(DEVELOPMENT_PAK_HASH);
  const region = config.AWS_REGION;
  const physicalName = (name: string) => `${config.BROKKR_PREFIX}-${name}`;
  const store = createDatabase({
    tableName: physicalName,
    clock,
    ...(region !== undefined && { region }),
    ...(config.DYNAMODB_ENDPOINT !== undefined && { endpoint: config.DYNAMODB_ENDPOINT }),
    ...(onConsumed && { onConsumed }),
  });
  const { database, storage } = watchStorage(store, { log, storedIn: options.storedIn });
  const sqs = sqsClient({
    ...(region !== undefined && { region }),
    ...(config.SQS_ENDPOINT !== undefined && { endpoint: config.SQS_ENDPOINT }),
  });
  const queues = createSqsQueues(sqs, physicalName, log);
  const metrics = createMetrics();
  metrics.developmentKeyInUse.set(developmentKeyAccepted ? 1 : 0);
  if (developmentKeyAccepted) log.warn('development_key_accepted', { advice: 'unset BROKKR_DEV wherever others can reach this server' });

  const audit: AuditPorts = { database, table: telemetryTable.name, clock, retentionDays: config.BROKKR_AUDIT_RETENTION_DAYS };
  const outbox: RelayPorts = { database, table: workTable.name, queues, clock, consumers: [agentFanout] };
  const mintAdminPak = options.mintAdminPak === true && config.BROKKR_ADMIN_PAK_HASH === undefined;
  const firstStart = await bootstrap({ database, clock, mintAdminPak });
  const commit = createCommit<AuditEntry>({
    database,
    outbox,
    auditWrites: (entry) => auditWrites(entry, audit),
    async committed(items) {
      try {
        // Most changes concern a handful of agents: those are settled here. What remains goes through the queue, and what fails
        // here stays in the outbox for the sweep.
        const rest = await settleInline(services, items, outbox);
        if (rest.length > 0) await relay(rest, outbox);
      } catch (error) {
        log.warn('outbox_left_to_the_sweep', { items: items.length, error });
      }
    },
  });
  const authenticator = createAuthenticator({
    database,
    clock,
    adminHashes,
    findAgent: (id) => findAgentAccount(database, id),
    refused: createRefusalAudit({ commit, clock, log }),
  });
  const services: Services = {
    database,
    storage,
    clock,
    commit,
    log,
    config,
    metrics,
    audit,
    outbox,
    firstStart,
    installation: firstStart.bootstrap,
    forgetKey: authenticator.forget,
    eventRetentionDays: config.BROKKR_EVENT_RETENTION_DAYS,
  };

  return {
    services,
    log,
    corsOrigins: config.BROKKR_CORS_ORIGINS,
    authenticate: authenticator.authenticate,
    renderError: renderFleetError,
    observe: metrics.httpRequest,
    async moveToDeadLetterQueue(queue, delivery, reason) {
      const refused = await queues.send(deadLetterQueue(queue), [{ id: delivery.id, body: delivery.body }]);
      if (refused.length > 0) throw reason;
    },
    async close() {
      database.close();
      sqs.destroy();
    },
  };
}

let current: Promise<App> | undefined;

/** This process's composition: made from the environment at the first call. */
export function app(): Promise<App> {
  current ??= compose(loadConfig());
  // A first request that met a store not yet there must not make the process useless.
  current.catch(() => {
    current = undefined;
  });
  return current;
}

/** Puts a composition made elsewhere in place: the one-process host's. */
export function useApp(made: App): void {
  current = Promise.resolve(made);
}
