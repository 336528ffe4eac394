import { subscribe, unsubscribe } from 'node:diagnostics_channel';
import * as z from 'zod';

/** An SQS engine inside this process, which only this machine can reach. */
export interface EmbeddedSqs {
  endpoint: string;
  stop(): Promise<void>;
}

/** Starts an engine that keeps queues and messages in `dataDir`, or nowhere if absent. Never call ChangeMessageVisibility with 0. */
export async function startEmbeddedSqs({ dataDir }: { dataDir?: string } = {}): Promise<EmbeddedSqs> {
  const { startFauxqs } = await import('fauxqs');
  const start = () => startFauxqs({ port: 0, logger: false, ...(dataDir !== undefined && { dataDir }) });
  const server = await onLoopback(start);
  const endpoint = `http://127.0.0.1:${server.port}`;
  if (server.address !== endpoint) {
    await server.stop();
    throw new Error(`the embedded SQS engine listens on ${server.address} instead of ${endpoint}`);
  }
  return { endpoint, stop: () => server.stop() };
}

const Listens = z.object({ fastify: z.object({ listen: z.function() }) });

/**
 * The engine listens on every interface without authentication, and has no option for that. It is built on Fastify, which announces each
 * new instance, so the engine's instance is changed here to listen on loopback.
 */
async function onLoopback<T>(start: () => Promise<T>): Promise<T> {
  const bindToLoopback = (message: unknown) => {
    if (!Listens.safeParse(message).success) return;
    const { fastify } = message as { fastify: { listen: (options: object) => unknown } };
    const listen = fastify.listen.bind(fastify);
    fastify.listen = (options) => listen({ ...options, host: '127.0.0.1' });
  };
  subscribe('fastify.initialization', bindToLoopback);
  try {
    // The engine makes its instance before its first await, so that no other instance is changed.
    return await start();
  } finally {
    unsubscribe('fastify.initialization', bindToLoopback);
  }
}
