import { type Clock, systemClock } from '../lib/platform/clock.ts';
import { type Config, loadConfig } from '../lib/platform/config.ts';
import type { DynamoDbOptions } from '../lib/platform/database/connection.ts';
import type { SurfaceBase } from '../lib/platform/http/surface.ts';
import { createLog, type Log } from '../lib/platform/log.ts';
import type { Mail } from '../lib/platform/mail/mail.ts';
import type { Metrics } from '../lib/platform/metrics.ts';
import type { DataKeys } from '../lib/platform/sealing/sealing.ts';

/** Everything that a process's composition is made from. Nothing here waits for a store or a queue. */
export interface Runtime extends SurfaceBase {
  config: Config;
  clock: Clock;
  log: Log;
  /** The one registry of all functions that share this process. */
  metrics?: Metrics;
  /** Sends mails; made from the configuration if absent. */
  mail?: Mail | undefined;
  /** The process goes on after an answer, and is asked before it ends. On Lambda it may be frozen as soon as a call is answered. */
  keepsRunning?: boolean;
  /** How many records of calls wait in this process, once it has answered calls; `degraded` while the queue refuses them. */
  waitingRecords?: () => { status: 'ok' | 'degraded'; waiting: number };
  /** The folder of the embedded store, for the log. */
  storedIn?: string | undefined;
  /** The transport of calls to the store, for a process that serves many requests; the SDK's own if absent. */
  storeTransport?: DynamoDbOptions['transport'];
  /** Reads single items without the SDK, from an engine that checks no signature. */
  plainReads?: DynamoDbOptions['plainReads'];
  /** Whether the store is the embedded engine, which gets transactions without tokens. */
  embeddedStore?: boolean;
  /** The keys that protect stored secrets, in a process that keeps nothing; the configuration names them otherwise. */
  sealingKeys?: DataKeys;
  /** For benchmarks: called with the cost of each call to the store. */
  onConsumed?: DynamoDbOptions['onConsumed'];
}

export function createRuntime(config: Config, given: Partial<Omit<Runtime, 'config' | 'observe'>> = {}): Runtime {
  const { clock = systemClock, log = createLog({ level: config.BROKKR_LOG_LEVEL }), metrics, ...rest } = given;
  if (config.ALLOW_PRIVATE_UPSTREAMS)
    log.warn('private_upstreams_allowed', { advice: 'unset ALLOW_PRIVATE_UPSTREAMS wherever others can configure URLs' });
  return { config, clock, log, ...(metrics && { metrics, observe: metrics.httpRequest }), ...rest };
}

let current: Runtime | undefined;

/** This process's runtime: made from the environment at the first call. */
export const runtime = (): Runtime => (current ??= createRuntime(loadConfig()));

/** Sets a runtime that was made elsewhere, as the one-process host does. */
export function setRuntime(made: Runtime): void {
  current = made;
}

/** A part of the composition that is made once for each runtime, at its first use. */
export function oncePerRuntime<T>(make: (runtime: Runtime) => T): (of?: Runtime) => T {
  const made = new WeakMap<Runtime, T>();
  return (of = runtime()) => {
    const known = made.get(of) ?? make(of);
    made.set(of, known);
    return known;
  };
}
