import { once } from 'node:events';
import { createServer, request as forward, type IncomingMessage, type ServerResponse } from 'node:http';
import { failure, type ScriptedAnswer } from './scripted-service.ts';

/** The fate of a call: it gets a scripted answer, its answer is lost after it was carried out, or it never reaches the engine. */
export type Fate = ScriptedAnswer | 'lose-answer' | 'lose-call' | undefined;

/** A real engine behind a connection that a test makes fail. */
export interface FaultyEngine {
  endpoint: string;
  /** The operations that were called, in order. */
  calls: string[];
  /** Decides the fate of each call; undefined lets it through. */
  decide: (operation: string, input: Record<string, unknown>) => Fate;
  close(): Promise<void>;
}

export const throttle = (operation: string, input: Record<string, unknown>): ScriptedAnswer =>
  operation.startsWith('Transact')
    ? failure('TransactionCanceledException', {
        CancellationReasons: [...(input.TransactItems as unknown[])].map((_item, n) => ({ Code: n === 0 ? 'ThrottlingError' : 'None' })),
      })
    : failure('ThrottlingException');

export async function faultyEngine(engine: string): Promise<FaultyEngine> {
  const calls: string[] = [];
  const server = createServer(async (incoming, response) => {
    const body = await bytesOf(incoming);
    const operation = String(incoming.headers['x-amz-target']).split('.').at(-1) ?? '';
    calls.push(operation);
    const fate = faulty.decide(operation, JSON.parse(body.toString('utf8')));
    if (fate === 'lose-call') return void response.socket?.destroy();
    if (fate === undefined || fate === 'lose-answer') return passOn(engine, incoming, body, response, fate === 'lose-answer');
    response.writeHead(fate.status ?? 200, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(fate.body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  const faulty: FaultyEngine = {
    endpoint: `http://127.0.0.1:${address.port}`,
    calls,
    decide: () => undefined,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
  return faulty;
}

async function bytesOf(incoming: IncomingMessage): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of incoming) chunks.push(chunk);
  return Buffer.concat(chunks);
}

function passOn(engine: string, incoming: IncomingMessage, body: Buffer, response: ServerResponse, loseAnswer: boolean): void {
  const { host: _host, ...headers } = incoming.headers;
  forward(engine, { method: 'POST', headers, path: '/' }, async (answer) => {
    const answered = await bytesOf(answer);
    if (loseAnswer) return void response.socket?.destroy();
    response.writeHead(answer.statusCode ?? 500, answer.headers).end(answered);
  }).end(body);
}
