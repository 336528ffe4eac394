import { once } from 'node:events';
import { createServer } from 'node:http';

/** An AWS service (JSON protocol) whose answers a test decides, for faults that no engine produces on demand. */
export interface ScriptedService {
  endpoint: string;
  /** The calls, in order. */
  calls: { operation: string; input: Record<string, unknown> }[];
  close(): Promise<void>;
}
export interface ScriptedAnswer {
  status?: number;
  body: Record<string, unknown>;
}

/** An error as DynamoDB and SQS send it, such as `failure('TransactionConflictException')`. */
export const failure = (type: string, more: Record<string, unknown> = {}): ScriptedAnswer => ({
  status: 400,
  body: { __type: `com.amazonaws.scripted#${type}`, message: 'scripted', Message: 'scripted', ...more },
});

export async function scriptedService(
  answer: (operation: string, input: Record<string, unknown>, call: number) => ScriptedAnswer | 'no answer',
): Promise<ScriptedService> {
  const calls: ScriptedService['calls'] = [];
  const server = createServer(async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk);
    const input = JSON.parse(Buffer.concat(chunks).toString('utf8'));
    const operation = String(request.headers['x-amz-target']).split('.').at(-1) ?? '';
    calls.push({ operation, input });
    const answered = answer(operation, input, calls.length);
    if (answered === 'no answer') return;
    const { status = 200, body } = answered;
    response.writeHead(status, { 'content-type': 'application/x-amz-json-1.0' }).end(JSON.stringify(body));
  });
  await once(server.listen(0, '127.0.0.1'), 'listening');
  const address = server.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  return {
    endpoint: `http://127.0.0.1:${address.port}`,
    calls,
    async close() {
      server.closeAllConnections();
      server.close();
    },
  };
}
