import { createServer, type IncomingMessage } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { IncomingCall } from '../../lib/ai/completion/call/running-call.ts';
import { chatFront } from '../../lib/ai/fronts/chat-front.ts';
import { answerFront } from '../../lib/ai/fronts/front.ts';
import { countTokens } from '../../lib/ai/fronts/messages/count-tokens.ts';
import { messagesFront } from '../../lib/ai/fronts/messages/messages-front.ts';
import { checkChatRequest } from '../../lib/ai/wire/chat-request.ts';
import { anthropicErrorBody, inferenceError, inferenceErrorHeaders, openaiErrorBody } from '../../lib/ai/wire/inference-errors.ts';
import type { ProjectKeyPrincipal } from '../../lib/identity/accounts/account-principals.ts';
import { isAppError } from '../../lib/platform/errors.ts';
import type { Reply } from '../../lib/platform/http/endpoint.ts';
import { silentLog } from '../../lib/platform/log.ts';
import type { GatewayWorld } from './gateway-world.ts';

export interface MessagesServer {
  url: string;
  close(): Promise<void>;
}

/** The fronts over HTTP without anything around them, so that real clients can call them. */
export async function startMessagesServer(world: GatewayWorld): Promise<MessagesServer> {
  const server = createServer(async (request, response) => {
    const messages = request.url?.startsWith('/v1/messages') ?? false;
    try {
      const { headers = {}, text, stream, onEnd } = await answer(world, request);
      response.writeHead(200, { ...headers, 'request-id': 'req_1' });
      if (text !== undefined) response.write(text);
      for await (const bytes of stream ?? []) response.write(bytes);
      response.end();
      await onEnd?.({ outcome: 'complete', bytes: 0 });
    } catch (error) {
      if (!isAppError(error)) throw error;
      const known = inferenceError(error);
      const body = messages ? anthropicErrorBody(known, 'req_1') : openaiErrorBody(known, { request_id: 'req_1', timestamp: '' });
      response
        .writeHead(known.status, { 'content-type': 'application/json', 'request-id': 'req_1', ...inferenceErrorHeaders(known) })
        .end(body);
    }
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  return { url: `http://127.0.0.1:${port}`, close: () => new Promise((resolve) => server.close(() => resolve())) };
}

/** A call as it is before its body is translated. */
export const incoming = (more: Partial<IncomingCall> = {}): IncomingCall => ({
  request_id: 'req_1',
  operation: 'chat',
  principal,
  options: {},
  forwarded: {},
  signal: new AbortController().signal,
  client_retries: 0,
  log: silentLog,
  noted: {},
  ...more,
});
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

async function answer({ ports }: GatewayWorld, request: IncomingMessage): Promise<Reply> {
  const pieces: Buffer[] = [];
  for await (const piece of request) pieces.push(piece);
  const text = Buffer.concat(pieces).toString();
  const sent = { value: JSON.parse(text), text };
  const forwarded = Object.fromEntries(Object.entries(request.headers).filter(([name]) => name.startsWith('anthropic-'))) as Record<
    string,
    string
  >;
  const call = incoming({ forwarded });
  if (request.url?.startsWith('/v1/messages/count_tokens')) {
    const input_tokens = await countTokens(ports, sent, call);
    return { headers: { 'content-type': 'application/json' }, text: JSON.stringify({ input_tokens }) };
  }
  if (request.url?.startsWith('/v1/messages')) return answerFront(messagesFront, ports, sent, { ...call, operation: 'messages' });
  return chatFront(ports, { ...call, request: checkChatRequest(sent.value), text });
}
