import { finishCalls } from '../../functions/ai/gateway-services.ts';
import { type App, compose, setApp } from '../../functions/app.ts';
import { outgoing } from '../../functions/outgoing.ts';
import * as registry from '../../functions/registry.ts';
import { createRuntime, type Runtime, setRuntime } from '../../functions/runtime.ts';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import type { Config } from '../../lib/platform/config.ts';
import { dynamoDbClient, STORE_TIMEOUTS, type StoreTimeouts } from '../../lib/platform/database/dynamodb-client.ts';
import { createPlainReads } from '../../lib/platform/database/plain-reads.ts';
import { undiciTransport } from '../../lib/platform/database/undici-transport.ts';
import { createLog, type Log } from '../../lib/platform/log.ts';
import { type Mail, mailToLog } from '../../lib/platform/mail/mail.ts';
import { createMetrics } from '../../lib/platform/metrics.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { localKeys, newKeyLine } from '../../lib/platform/sealing/local-keys.ts';
import { createQueues, type QueueSettings } from './engines/create-queues.ts';
import { createTables } from './engines/create-tables.ts';
import { type EngineName, type Engines, engineFailure, startEngines } from './engines/engines.ts';
import { expiredItemsSchedule } from './engines/expired-items.ts';
import { tokenSecret } from './engines/token-secret.ts';
import { createHttpServer, type HttpServerOptions } from './http/http-server.ts';
import { listenFailure } from './http/listen-failure.ts';
import { pollQueue } from './queue-poller.ts';
import { type Schedules, startSchedules } from './schedules.ts';
import { sealingKeyFile } from './sealing-key-file.ts';

/** An orchestrator kills a process some time after it has asked it to stop. */
const FINISH_CALLS_MS = 10_000;

export interface HostOptions {
  /** The functions' configuration. Engines without an endpoint in it are embedded. */
  config: Config;
  /** Engines that are neither embedded nor in `config`: the AWS SDK finds them by its own environment. */
  configuredBySdk?: readonly EngineName[];
  /** The folder of the embedded engines' data, which is created if it is missing; nothing is kept if absent. */
  dataDir?: string;
  host?: string;
  /** 0 means any free port. */
  port?: number;
  /** The number of trusted proxies in front, which add the caller's address. */
  trustedProxies?: number;
  /** The limits of the bytes of request bodies in flight; the server's default if absent. */
  bodyBudget?: HttpServerOptions['bodyBudget'];
  /** How long the host waits at its end for answers; the server's default if absent. */
  drain?: HttpServerOptions['drain'];
  clock?: Clock;
  log?: Log;
  onConsumed?: Runtime['onConsumed'];
  /** Sends mails; by SES if the configuration names a sender, else into the log, if absent. */
  mail?: Mail;
  /**
   * Called with the new admin key as soon as it is stored, on the first start only. The key is known only at this time, even if the
   * start fails afterwards.
   */
  onAdminPak?: (pak: string) => void;
  /** Called when an embedded engine has died. The host cannot work any more. */
  onEngineDeath?: (why: string) => void;
  /** The functions to serve; the product's own lists if absent. */
  functions?: Partial<Functions>;
  queueSettings?: QueueSettings;
  /** The time-outs of the functions' calls to the store; `STORE_TIMEOUTS` if absent. Tests wait longer, since they share a busy machine. */
  storeTimeouts?: StoreTimeouts;
}
type Functions = Pick<typeof registry, 'httpGroups' | 'queueGroups' | 'scheduleGroups' | 'tables'>;

export interface Host {
  /** `http://<host>:<port>` */
  url: string;
  app: App;
  /** The new admin key; undefined on every start but the first. */
  adminPak: string | undefined;
  /** The functions' configuration, including the endpoints of embedded engines. */
  config: Config;
  engines: Engines;
  schedules: Schedules;
  /** Answers the requests that have arrived, finishes batches and runs, and stops the engines. It may be called twice. */
  stop(): Promise<void>;
}

/** Serves everything in the registry from this process. Only one host at a time: functions find their composition in a module's variable. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { clock = systemClock, host = '127.0.0.1', port = 0, trustedProxies = 0, onConsumed, dataDir } = options;
  const log = options.log ?? createLog({ level: options.config.BROKKR_LOG_LEVEL });
  const { httpGroups, queueGroups, scheduleGroups, tables } = { ...registry, ...options.functions };
  const undo: (() => Promise<unknown>)[] = [];
  let stopped: Promise<void> | undefined;
  // The parts are stopped in reverse order. A part that fails to stop does not keep the others running.
  const stop = () => (stopped ??= undo.reduceRight((before, step) => before.then(step).then(done, failed), Promise.resolve()));
  const done = () => {};
  const failed = (error: unknown) => log.error('stop_failed', { error });

  try {
    const engines = await startEngines(options.config, {
      dataDir,
      configuredBySdk: options.configuredBySdk,
      onDeath: (why) => stopped ?? options.onEngineDeath?.(why),
    });
    undo.push(engines.stop);
    const withSecret = { ...engines.config, BROKKR_JWT_SECRET: engines.config.BROKKR_JWT_SECRET ?? (await tokenSecret(dataDir)) };
    const config = await withSealingKey(withSecret, dataDir);
    const embeddedStore = engines.dynamoDbPid !== undefined;
    log.info('engines_ready', { dynamodb: config.DYNAMODB_ENDPOINT ?? 'sdk', sqs: config.SQS_ENDPOINT ?? 'sdk' });
    const physicalName = (name: string) => `${config.BROKKR_PREFIX}-${name}`;

    const endpoints = { dynamoDb: endpointOf(config.DYNAMODB_ENDPOINT, config), sqs: endpointOf(config.SQS_ENDPOINT, config) };
    const sqs = sqsClient(endpoints.sqs);
    undo.push(async () => sqs.destroy());
    const dynamoDb = dynamoDbClient(endpoints.dynamoDb);
    undo.push(async () => dynamoDb.destroy());
    const failureOf = (engine: EngineName) => engineFailure(engine, options.config, options.configuredBySdk);
    const queueNames = queueGroups.map(({ consumer }) => consumer.queue);
    const [queueUrls] = await Promise.all([
      createQueues(sqs, queueNames, physicalName, options.queueSettings).catch(failureOf('sqs')),
      createTables(dynamoDb, tables, physicalName).catch(failureOf('dynamodb')),
    ]);

    const runtime = createRuntime(config, {
      clock,
      log,
      metrics: createMetrics(),
      mail: options.mail ?? (config.BROKKR_MAIL_FROM === undefined ? mailToLog(log) : undefined),
      keepsRunning: true,
      storedIn: dataDir,
      ...storeParts(config, options.storeTimeouts),
      embeddedStore,
      ...(hasSealingKey(config) ? {} : { sealingKeys: localKeys([newKeyLine()]) }),
      ...(onConsumed && { onConsumed }),
    });
    const app = await compose(runtime, { mintAdminPak: true });
    undo.push(app.close);
    undo.push(() => outgoing(runtime).close());
    const { adminPak } = app.services.firstStart;
    if (adminPak !== undefined) options.onAdminPak?.(adminPak);
    setRuntime(runtime);
    setApp(app, runtime);

    const pollers = queueGroups.map(({ consumer: { queue }, handler }) =>
      pollQueue({ client: sqs, queueUrl: queueUrls.get(queue) ?? '', queue, handler, clock, log }),
    );
    undo.push(() => Promise.all(pollers.map((poller) => poller.stop())));
    // After the last answer, and while the queues still take messages.
    undo.push(() => finishCalls(runtime, AbortSignal.timeout(FINISH_CALLS_MS)));
    const schedules = startSchedules(
      [
        ...scheduleGroups.map(({ schedule: { name, everySeconds }, handler }) => ({ name, everySeconds, handler })),
        // Only the embedded store needs this schedule: AWS deletes expired items itself. Tests that choose their schedules go without.
        ...(embeddedStore && !options.functions?.scheduleGroups
          ? [expiredItemsSchedule({ client: dynamoDb, tables, physicalName, clock })]
          : []),
      ],
      { clock, log },
    );
    undo.push(schedules.stop);

    const server = createHttpServer({
      groups: httpGroups,
      fallback: registry.fallbackGroup.handler,
      log,
      clock,
      trustedProxies,
      bodyBudget: options.bodyBudget,
      drain: options.drain,
    });
    undo.push(server.close);
    const url = await server.listen({ host, port }).catch((cause: NodeJS.ErrnoException) => {
      throw listenFailure(`${host}:${port}`, 'HOST and PORT, or --host and --port', cause);
    });
    return { url, app, adminPak, config, engines, schedules, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const hasSealingKey = (config: Config) => config.BROKKR_KMS_KEY_ID !== undefined || config.BROKKR_SEALING_KEY_FILE !== undefined;

/** Secrets of a host without a configured key are protected by a key beside the data. If nothing is kept, the key is not kept either. */
const withSealingKey = async (config: Config, dataDir: string | undefined): Promise<Config> =>
  dataDir === undefined || hasSealingKey(config) ? config : { ...config, BROKKR_SEALING_KEY_FILE: await sealingKeyFile(dataDir) };

const endpointOf = (endpoint: string | undefined, { AWS_REGION: region }: Config) => ({
  ...(endpoint !== undefined && { endpoint }),
  ...(region !== undefined && { region }),
});

/** How the functions reach the store. */
const storeParts = (
  { DYNAMODB_ENDPOINT: endpoint, AWS_REGION: region }: Config,
  timeouts = STORE_TIMEOUTS,
): Pick<Runtime, 'storeTransport' | 'plainReads'> => ({
  storeTransport: undiciTransport(timeouts),
  ...(endpoint !== undefined && { plainReads: createPlainReads({ endpoint, region, ...timeouts }) }),
});
