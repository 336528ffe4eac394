import { findAgentAccount } from '../lib/fleet/agents/agent-repository.ts';
import { notifyAfterCommit } from '../lib/fleet/targeting/notify-agents.ts';
import { type AuditEntry, type AuditPorts, auditWrites } from '../lib/identity/audit.ts';
import { type Authenticator, adminHashesOf, createAuthenticator } from '../lib/identity/authenticator.ts';
import { bootstrap } from '../lib/identity/bootstrap.ts';
import { DEVELOPMENT_PAK_HASH } from '../lib/identity/pak.ts';
import { createRefusalAudit } from '../lib/identity/refusal-audit.ts';
import { telemetryTable } from '../lib/identity/telemetry-table.ts';
import { createCommit } from '../lib/platform/database/commit.ts';
import { AppError } from '../lib/platform/errors.ts';
import type { BatchPorts } from '../lib/platform/events/consumer.ts';
import type { RelayPorts } from '../lib/platform/events/outbox.ts';
import { workTable } from '../lib/platform/events/work-table.ts';
import type { Log } from '../lib/platform/log.ts';
import { createSqsQueues, sqsClient } from '../lib/platform/queue/sqs-queues.ts';
import { agentFanout } from './consumers/agent-fanout.ts';
import { cleanUpConsumer } from './consumers/clean-up-consumer.ts';
import { workOrderDispatch } from './consumers/work-order-dispatch.ts';
import { oncePerRuntime, type Runtime, runtime } from './runtime.ts';
import type { Services } from './services.ts';
import { physicalNames, store } from './store.ts';

/** The fleet's composition: everything that its endpoints, consumers and schedules work with. */
export interface App extends Omit<BatchPorts, 'log'> {
  services: Services;
  log: Log;
  authenticate: Authenticator['authenticate'];
  close(): Promise<void>;
}

export interface AppOptions {
  /** Mints an admin key on the first start if none is configured. Only for a host that can show it to somebody. */
  mintAdminPak?: boolean;
}

/** The name of a queue's dead-letter queue. */
export const deadLetterQueue = (queue: string): string => `${queue}-dead`;

export async function compose(runtime: Runtime, options: AppOptions = {}): Promise<App> {
  const { config, clock, log } = runtime;
  const adminHashes = adminHashesOf(config);
  if (adminHashes.includes(DEVELOPMENT_PAK_HASH))
    log.warn('development_key_accepted', { advice: 'unset BROKKR_DEV wherever others can reach this server' });
  const { database, close } = store(runtime);
  const sqs = sqsClient({
    ...(config.AWS_REGION !== undefined && { region: config.AWS_REGION }),
    ...(config.SQS_ENDPOINT !== undefined && { endpoint: config.SQS_ENDPOINT }),
  });
  const queues = createSqsQueues(sqs, physicalNames(runtime), log);
  const audit: AuditPorts = { database, table: telemetryTable.name, clock, retentionDays: config.BROKKR_AUDIT_RETENTION_DAYS };
  const outbox: RelayPorts = {
    database,
    table: workTable.name,
    queues,
    clock,
    consumers: [agentFanout, cleanUpConsumer, workOrderDispatch],
  };
  const mintAdminPak = options.mintAdminPak === true && config.BROKKR_ADMIN_PAK_HASH === undefined;
  const firstStart = await bootstrap({ database, clock, mintAdminPak });
  const commit = createCommit<AuditEntry>({
    database,
    outbox,
    auditWrites: (entry) => auditWrites(entry, audit),
    afterCommit: (items) => notifyAfterCommit(services)(items),
  });
  const authenticator = createAuthenticator({
    database,
    clock,
    adminHashes,
    findAgent: (id) => findAgentAccount(database, id),
    onRefused: createRefusalAudit({ commit, clock, log }),
  });
  const services: Services = {
    database,
    clock,
    commit,
    log,
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
    authenticate: authenticator.authenticate,
    async moveToDeadLetterQueue(queue, delivery, reason) {
      const refused = await queues.send(deadLetterQueue(queue), [{ id: delivery.id, body: delivery.body }]);
      if (refused.length > 0) throw reason;
    },
    async close() {
      close();
      sqs.destroy();
    },
  };
}

const apps = oncePerRuntime((): { current: Promise<App> | undefined } => ({ current: undefined }));

/**
 * This process's composition, made at the first call unless `setApp` was called before. 503 while composition fails: the next call tries
 * again, so that a store that comes up late doesn't make the process useless.
 */
export function app(): Promise<App> {
  const slot = apps();
  slot.current ??= compose(runtime()).catch((cause) => {
    slot.current = undefined;
    const message = 'the service is not ready yet; try again in a few seconds';
    throw new AppError('unavailable', message, { retryAfterSeconds: 5, cause });
  });
  return slot.current;
}

/** Sets a composition that was made elsewhere, as the one-process host does. */
export function setApp(made: App, of: Runtime): void {
  apps(of).current = Promise.resolve(made);
}
