import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { GatewayPorts } from '../../lib/ai/completion/gateway-ports.ts';
import { chatFront } from '../../lib/ai/fronts/chat-front.ts';
import { embeddingsFront } from '../../lib/ai/fronts/embeddings-front.ts';
import { answerFront } from '../../lib/ai/fronts/front.ts';
import { responsesFront } from '../../lib/ai/fronts/responses/responses-front.ts';
import { checkChatRequest } from '../../lib/ai/wire/chat-request.ts';
import { checkEmbeddingsRequest } from '../../lib/ai/wire/embeddings-request.ts';
import { inferenceError, inferenceErrorHeaders, openaiErrorBody } from '../../lib/ai/wire/inference-errors.ts';
import type { ProjectKeyPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { AppError } from '../../lib/platform/errors.ts';
import type { Reply } from '../../lib/platform/http/endpoint.ts';
import { silentLog } from '../../lib/platform/log.ts';

export interface FrontServer {
  /** With `/v1`, as clients want it. */
  url: string;
  close(): Promise<void>;
}

const principal: ProjectKeyPrincipal = {
  type: 'project-key',
  key_id: 'key',
  key_name: 'k',
  project_id: 'project',
  organization_id: 'org',
  plan: 'free',
  scopes: [],
  requests_per_minute: 100,
  tokens_per_minute: null,
  expires_at_ms: null,
};

/** The fronts behind a plain HTTP server, for real clients to talk to. Keys and limits are not its part. */
export async function startFrontServer(ports: GatewayPorts): Promise<FrontServer> {
  const answer = async (path: string, text: string): Promise<Reply> => {
    const value: unknown = JSON.parse(text);
    const call = {
      request_id: 'req_1',
      principal,
      options: {},
      forwarded: {},
      signal: new AbortController().signal,
      client_retries: 0,
      log: silentLog,
      noted: {},
    };
    switch (path) {
      case '/v1/responses':
        return answerFront(responsesFront, ports, { value, text }, { ...call, operation: 'responses' });
      case '/v1/chat/completions':
        return chatFront(ports, { ...call, operation: 'chat', request: checkChatRequest(value), text });
      case '/v1/embeddings':
        return embeddingsFront(ports, { ...call, operation: 'embeddings', request: checkEmbeddingsRequest(value), text });
      default:
        throw new AppError('not_found', path);
    }
  };
  const server = createServer(async (request, response) => {
    const pieces: Buffer[] = [];
    for await (const piece of request) pieces.push(piece);
    await answer(request.url ?? '', Buffer.concat(pieces).toString())
      .then((reply) => send(reply, response))
      .catch((error: unknown) => refuse(error, response));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}/v1`,
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function send({ status = 200, headers = {}, text, stream, onEnd }: Reply, response: ServerResponse): Promise<void> {
  response.writeHead(status, headers);
  if (!stream) return void response.end(text);
  for await (const piece of stream) response.write(piece);
  response.end();
  await onEnd?.({ outcome: 'complete', bytes: 0 });
}

function refuse(error: unknown, response: ServerResponse): void {
  const told = inferenceError(error instanceof AppError ? error : new AppError('internal', String(error)));
  response.writeHead(told.status, { 'content-type': 'application/json', ...inferenceErrorHeaders(told) });
  response.end(openaiErrorBody(told, { request_id: 'req_1', timestamp: '' }));
}
