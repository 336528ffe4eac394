import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { ControlPlaneError } from '../../agent/control-plane/control-plane.ts';
import { NewAgentEvent } from '../../lib/fleet/protocol/agent-protocol.ts';
import { createModelControlPlane, type ModelControlPlane } from './model-control-plane.ts';

/** A wrong answer of the server. `hang` never answers, `cut` ends in the middle. */
export type Script = { status?: number; headers?: Record<string, string>; body?: string; hang?: boolean; cut?: boolean };

export interface ScriptedControlPlane {
  url: string;
  /** The only key that is known; a test may replace it. */
  pak: string;
  model: ModelControlPlane;
  /** By `METHOD /path`, without the prefix of the API: what such a request is answered until the script is taken away. */
  script: Map<string, Script>;
  requests: { method: string; path: string; headers: IncomingMessage['headers']; body: string }[];
  close(): Promise<void>;
}

/** The model behind a real socket. */
export async function startScriptedControlPlane(): Promise<ScriptedControlPlane> {
  const model = createModelControlPlane();
  const script = new Map<string, Script>();
  const requests: ScriptedControlPlane['requests'] = [];

  async function answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { method = 'GET', url = '/', headers } = request;
    let body = '';
    for await (const chunk of request) body += chunk;
    const path = url.replace(/^\/api\/v1/, '');
    requests.push({ method, path, headers, body });
    const scripted = script.get(`${method} ${path.split('?', 1)[0]}`);
    if (scripted?.hang) return;
    if (scripted?.cut) {
      response.writeHead(200, { 'content-type': 'application/json', 'content-length': '1000' });
      response.write(scripted.body ?? '{"agent_id":');
      setImmediate(() => response.destroy());
      return;
    }
    if (scripted) return send(response, scripted.status ?? 200, scripted.body ?? '', scripted.headers);
    if (path === '/readyz') return send(response, model.dark ? 503 : 200, 'ok');
    if (headers.authorization !== `Bearer ${scriptedPlane.pak}`) return send(response, 401, '');
    try {
      await route(`${method} ${path.split('?', 1)[0]}`, { url, body, etag: headers['if-none-match'], response });
    } catch (error) {
      send(
        response,
        error instanceof ControlPlaneError ? error.status || 503 : 500,
        JSON.stringify({ code: 'scripted', message: String(error) }),
      );
    }
  }

  async function route(
    what: string,
    { url, body, etag, response }: { url: string; body: string; etag: string | undefined; response: ServerResponse },
  ): Promise<void> {
    const json = (status: number, value: unknown, headers = {}) => send(response, status, JSON.stringify(value), headers);
    const agent = `/agents/${model.agentId}`;
    const [, , , resource, id = ''] = new URL(url, 'http://x').pathname.split('/');
    if (what === 'POST /auth/pak') return json(200, await model.whoAmI());
    if (what === 'GET /agents/') {
      const query = new URL(url, 'http://x').searchParams;
      return json(200, await model.findAgent(query.get('name') ?? '', query.get('cluster_name') ?? ''));
    }
    if (what === `POST ${agent}/heartbeat`) {
      await model.heartbeat(model.agentId, JSON.parse(body));
      return send(response, 204, '');
    }
    if (what === `GET ${agent}/assignments`) {
      const answered = await model.assignments(model.agentId, etag === undefined ? undefined : { etag, value: model.current() });
      return answered === 'unchanged' ? send(response, 304, '') : json(200, answered.value, { etag: answered.etag });
    }
    if (what === `POST ${agent}/events`) {
      const event = NewAgentEvent.parse(JSON.parse(body));
      await model.report(model.agentId, event);
      return json(201, event);
    }
    if (what === `GET ${agent}/annotations`) return json(200, model.agentAnnotations);
    if (resource === 'stacks' && what.endsWith('/annotations')) return json(200, await model.stackAnnotations(id));
    if (resource === 'deployment-objects') return json(200, await model.deploymentObject(id));
    if (resource === 'generators') return json(201, {});
    send(response, 404, '');
  }

  const server = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  const port = typeof address === 'object' && address ? address.port : 0;
  const scriptedPlane: ScriptedControlPlane = {
    url: `http://127.0.0.1:${port}`,
    pak: 'brokkr_BRscript_1234567890123456789012',
    model,
    script,
    requests,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
  return scriptedPlane;
}

function send(response: ServerResponse, status: number, body: string, headers: Record<string, string | undefined> = {}): void {
  for (const [name, value] of Object.entries({ 'content-type': 'application/json', ...headers }))
    if (value !== undefined) response.setHeader(name, value);
  response.writeHead(status).end(status === 304 || status === 204 ? undefined : body);
}
