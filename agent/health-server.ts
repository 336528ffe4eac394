import { createServer, type Server, type ServerResponse } from 'node:http';
import { type Clock, timestamp } from '../lib/platform/clock.ts';
import type { Agent } from './agent.ts';

export interface HealthServer {
  /** The socket's port: differs from the one asked for if that was 0. */
  port: number;
  close(): Promise<void>;
}

/** `/healthz`, `/readyz`, `/health` and `/metrics` of one agent. */
export async function startHealthServer({
  agent,
  port,
  version,
  clock,
  host = '0.0.0.0',
}: {
  agent: Agent;
  port: number;
  version: string;
  clock: Clock;
  host?: string;
}): Promise<HealthServer> {
  const startedMs = clock.monotonicMs();

  async function answer(path: string, response: ServerResponse): Promise<void> {
    if (path === '/healthz') return text(response, 200, 'OK');
    if (path === '/readyz') {
      const { kubernetes } = await agent.health();
      return text(response, kubernetes.connected ? 200 : 503, kubernetes.connected ? 'Ready' : 'Kubernetes is not reachable');
    }
    if (path === '/metrics') {
      const { registry } = agent.metrics;
      return send(response, 200, registry.contentType, await registry.metrics());
    }
    if (path !== '/health') return text(response, 404, 'Not Found');
    const { kubernetes, broker } = await agent.health();
    const healthy = kubernetes.connected && broker.connected;
    const body = {
      status: healthy ? 'healthy' : 'unhealthy',
      kubernetes,
      broker: {
        connected: broker.connected,
        ...(broker.lastHeartbeatMs !== undefined && { last_heartbeat: new Date(broker.lastHeartbeatMs).toISOString() }),
      },
      uptime_seconds: Math.floor((clock.monotonicMs() - startedMs) / 1000),
      version,
      timestamp: timestamp(clock),
    };
    send(response, healthy ? 200 : 503, 'application/json', JSON.stringify(body));
  }

  const server = createServer({ requestTimeout: 10_000, maxHeaderSize: 8 * 1024 }, (request, response) => {
    if (request.method !== 'GET' && request.method !== 'HEAD') return text(response, 405, 'Method Not Allowed');
    answer((request.url ?? '/').split('?', 1)[0] ?? '/', response).catch(() => text(response, 500, 'Internal Error'));
  });
  await listen(server, port, host);
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : port,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

function listen(server: Server, port: number, host: string): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(port, host, () => resolve());
  });
}

const text = (response: ServerResponse, status: number, body: string): void =>
  send(response, status, 'text/plain; charset=utf-8', `${body}\n`);

function send(response: ServerResponse, status: number, contentType: string, body: string): void {
  if (response.headersSent) return;
  response.writeHead(status, { 'content-type': contentType }).end(body);
}
