import { type App, compose, setApp } from '../../functions/app.ts';
import * as registry from '../../functions/registry.ts';
import { createRuntime, type Runtime, setRuntime } from '../../functions/runtime.ts';
import { type Clock, systemClock } from '../../lib/platform/clock.ts';
import type { Config } from '../../lib/platform/config.ts';
import { dynamoDbClient, STORE_TIMEOUTS } from '../../lib/platform/database/dynamodb-client.ts';
import { createPlainReads } from '../../lib/platform/database/plain-reads.ts';
import { undiciTransport } from '../../lib/platform/database/undici-transport.ts';
import { createLog, type Log } from '../../lib/platform/log.ts';
import { createMetrics } from '../../lib/platform/metrics.ts';
import { sqsClient } from '../../lib/platform/queue/sqs-queues.ts';
import { createQueues, type QueueSettings } from './create-queues.ts';
import { createTables } from './create-tables.ts';
import { type EngineName, type Engines, engineFailure, startEngines } from './engines.ts';
import { expiredItemsSchedule } from './expired-items.ts';
import { closeHttpServer, createHttpServer, type HttpServerOptions } from './http-server.ts';
import { pollQueue } from './queue-poller.ts';
import { type Schedules, startSchedules } from './schedules.ts';

export interface HostOptions {
  /** The functions' configuration; engines without an endpoint in it are embedded ones. */
  config: Config;
  /** Engines that are neither embedded nor in `config`: the AWS SDK's environment leads to them. */
  configuredBySdk?: readonly EngineName[];
  /** Where the embedded engines keep their data, made where it is missing; nothing is kept where absent. */
  dataDir?: string;
  host?: string;
  /** 0 for any free one. */
  port?: number;
  /** How many proxies of ours stand in front and may tell the caller's address. */
  trustedProxies?: number;
  /** How many bytes of request bodies may be in flight; the server's own measure where absent. */
  bodyBudget?: HttpServerOptions['bodyBudget'];
  clock?: Clock;
  log?: Log;
  onConsumed?: Runtime['onConsumed'];
  /**
   * Told of the fresh admin key as soon as it is stored, on the very first start only: whatever fails afterwards, this is the one
   * time it is known.
   */
  onAdminPak?: (pak: string) => void;
  /** Told when an embedded engine has died: the host is of no use any more. */
  onEngineDeath?: (why: string) => void;
  /** What to serve; the product's own lists where absent. */
  functions?: Partial<Functions>;
  queueSettings?: QueueSettings;
}
type Functions = Pick<typeof registry, 'httpGroups' | 'queueGroups' | 'scheduleGroups' | 'tables'>;

export interface Host {
  /** `http://<host>:<port>` */
  url: string;
  app: App;
  /** A fresh admin key, on the very first start only. */
  adminPak: string | undefined;
  /** What the functions are configured with, the embedded engines' endpoints included. */
  config: Config;
  engines: Engines;
  schedules: Schedules;
  /** Answers what has arrived, finishes what is in hand, stops the engines. Safe to call twice. */
  stop(): Promise<void>;
}

/** Serves everything in the registry from this process. One at a time: the functions find their composition by a module's variable. */
export async function startHost(options: HostOptions): Promise<Host> {
  const { clock = systemClock, host = '127.0.0.1', port = 0, trustedProxies = 0, onConsumed, dataDir } = options;
  const log = options.log ?? createLog({ level: options.config.BROKKR_LOG_LEVEL });
  const { httpGroups, queueGroups, scheduleGroups, tables } = { ...registry, ...options.functions };
  const undo: (() => Promise<unknown>)[] = [];
  let stopped: Promise<void> | undefined;
  // What was started last is stopped first; one that fails to stop keeps none of the others running.
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
    const { config } = engines;
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
      storedIn: dataDir,
      storeTransport: undiciTransport(STORE_TIMEOUTS),
      ...plainReadsOf(config),
      embeddedStore,
      ...(onConsumed && { onConsumed }),
    });
    const app = await compose(runtime, { mintAdminPak: true });
    undo.push(app.close);
    const { adminPak } = app.services.firstStart;
    if (adminPak !== undefined) options.onAdminPak?.(adminPak);
    setRuntime(runtime);
    setApp(app, runtime);

    const pollers = queueGroups.map(({ consumer: { queue }, handler }) =>
      pollQueue({ client: sqs, queueUrl: queueUrls.get(queue) ?? '', queue, handler, clock, log }),
    );
    undo.push(() => Promise.all(pollers.map((poller) => poller.stop())));
    const schedules = startSchedules(
      [
        ...scheduleGroups.map(({ schedule: { name, everySeconds }, handler }) => ({ name, everySeconds, handler })),
        // The host's own: AWS deletes what has expired by itself. Tests that choose their schedules have no use for it.
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
    });
    undo.push(() => closeHttpServer(server));
    const url = await server.listen({ host, port }).catch((cause: Error) => {
      throw new Error(`${cause.message}: choose another place by HOST and PORT, or --host and --port`, { cause });
    });
    return { url, app, adminPak, config, engines, schedules, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

const endpointOf = (endpoint: string | undefined, { AWS_REGION: region }: Config) => ({
  ...(endpoint !== undefined && { endpoint }),
  ...(region !== undefined && { region }),
});

const plainReadsOf = ({ DYNAMODB_ENDPOINT: endpoint, AWS_REGION: region }: Config): Pick<Runtime, 'plainReads'> =>
  endpoint === undefined ? {} : { plainReads: createPlainReads({ endpoint, region, ...STORE_TIMEOUTS }) };
